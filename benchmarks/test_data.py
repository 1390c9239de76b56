"""Benchmarks of DL3 data beside gammapy: listing, opening, counting, exposure, background.

The peer runs in the same session, with the Python that ``GAMMAPY_PYTHON`` names. Give a place
for the figures with ``GAMMAJAX_BENCHMARK_RESULTS=benchmarks/results/data.json``.
"""

from __future__ import annotations

import time

import jax
import numpy as np
import pytest

from gammajax.data import DataStore, Observations, fov_axes
from gammajax.irf import project_background, project_exposure
from gammajax.maps import Map, MapAxis, WcsGeom

RUNS = [23523, 23526, 23559, 23592]
ENERGY = MapAxis.from_energy_bounds("0.5 TeV", "50 TeV", nbin=12)


def best_of(function, repeats: int = 7) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.fixture(scope="module")
def hess(folder):
    return folder / "hess-dl3-dr1"


@pytest.fixture(scope="module")
def runs(hess) -> Observations:
    """The four runs, read."""
    found = DataStore.from_dir(hess).get_observations(RUNS)
    for run in found:
        _ = (run.events, run.gti, run.aeff, run.bkg, run.livetime)
    return found


@pytest.fixture(scope="module")
def theirs(hess, peer):
    """The peer's seconds and sums, or nothing where there is no peer."""
    return peer("peer_data.py", str(hess)) or {}


@pytest.fixture
def compare(record, theirs):
    """Record our seconds beside the peer's, and hold us to a ratio."""

    def add(name: str, key: str, seconds: float, least: float) -> None:
        other = theirs.get(key)
        ratio = other and other / seconds
        record(name, seconds=seconds, peer_seconds=other, ratio=ratio)
        assert ratio is None or ratio > least

    return add


def geometry() -> WcsGeom:
    return WcsGeom.create(skydir=(83.633, 22.014), npix=(200, 200), binsz=0.02, axes=[ENERGY])


def test_listing_105_runs(benchmark, hess, compare):
    store = benchmark(lambda: DataStore.from_dir(hess))
    assert len(store) == 105
    compare("listing 105 runs", "listing", best_of(lambda: len(DataStore.from_dir(hess))), 0.5)


def test_opening_4_runs(benchmark, hess, compare):
    """Events, good times and every response."""
    store = DataStore.from_dir(hess)

    def opening():
        for number in RUNS:
            run = store.obs(number)
            _ = (run.events, run.gti, run.aeff, run.edisp, run.psf, run.bkg)

    benchmark(opening)
    compare("opening 4 runs", "opening", best_of(opening), 1)


def test_opening_and_counting(benchmark, hess, compare, theirs):
    """Events of the four runs into 200 x 200 x 12 bins."""
    store = DataStore.from_dir(hess)
    empty = Map.from_geom(geometry())

    def counts():
        image = empty
        for number in RUNS:
            image = image.fill_by_coord(store.obs(number).events.map_coord(image.geom))
        return image.data

    found = benchmark(counts)
    if theirs:
        assert np.sum(found) == theirs["n_counts"]
    compare("opening and counting 4 runs", "counts", best_of(counts), 1)


def test_exposure_of_4_runs(benchmark, runs, compare, theirs):
    geom = geometry()

    def exposure():
        vectors = geom.unit_vectors()
        return [
            project_exposure(
                run.aeff,
                vectors,
                fov_axes(run.pointing.icrs()),
                ENERGY.center,
                run.livetime.to_value("s"),
            )
            for run in runs
        ]

    found = benchmark(lambda: jax.block_until_ready(exposure()))
    if theirs:
        inside = [geom.separation(run.pointing.icrs()) < 2.4 for run in runs]
        sums = [float(np.sum(x * mask)) for x, mask in zip(found, inside, strict=True)]
        np.testing.assert_allclose(sums, theirs["exposures"], rtol=1e-6)
    compare("exposure of 4 runs, 200 x 200 x 12", "exposure", best_of(exposure), 5)


def test_background_of_4_runs(benchmark, runs, compare, theirs):
    geom = geometry()

    def background():
        vectors, solid_angle = geom.unit_vectors(), geom.solid_angle()
        return [
            project_background(
                run.bkg,
                vectors,
                fov_axes(run.pointing.icrs(), run.bkg.fov_alignment),
                ENERGY.edges,
                solid_angle,
                run.gti.time_sum.to_value("s"),
            )
            for run in runs
        ]

    found = benchmark(lambda: jax.block_until_ready(background()))
    if theirs:
        sums = [float(np.sum(x)) for x in found]
        np.testing.assert_allclose(sums, theirs["backgrounds"], rtol=1e-4)
    compare("background of 4 runs, 200 x 200 x 12", "background", best_of(background), 5)
