"""Benchmarks of data reduction beside gammapy: the four H.E.S.S. runs on the Crab.

The peer runs in the same session, with the Python that ``GAMMAPY_PYTHON`` names. Give a place
for the figures with ``GAMMAJAX_BENCHMARK_RESULTS=benchmarks/results/reduction.json``.
"""

from __future__ import annotations

import os
import time

import astropy.units as u
import jax
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from peer_reduction import RUNS
from regions import CircleSkyRegion

from gammajax.config import enable_compilation_cache
from gammajax.data import DataStore
from gammajax.datasets import MapDataset, SpectrumDataset
from gammajax.makers import (
    DatasetsMaker,
    MapDatasetMaker,
    ReflectedRegionsBackgroundMaker,
    SafeMaskMaker,
    SpectrumDatasetMaker,
)
from gammajax.maps import Map, MapAxis, RegionGeom, WcsGeom

CRAB = SkyCoord(83.633, 22.014, unit="deg")
ENERGY = MapAxis.from_energy_bounds("0.5 TeV", "30 TeV", nbin=12)
TRUE = MapAxis.from_energy_bounds("0.3 TeV", "60 TeV", nbin=24, name="energy_true")
GEOM = WcsGeom.create(skydir=CRAB, width=4, binsz=0.02, proj="TAN", axes=[ENERGY])
MAP_MAKERS = (
    MapDatasetMaker(),
    SafeMaskMaker(methods=("offset-max", "aeff-default"), offset_max=2.5),
)


@pytest.fixture(scope="module")
def theirs(peer, folder):
    """The peer's seconds and counts, or nothing where there is no peer."""
    return peer("peer_reduction.py", str(folder)) or {}


@pytest.fixture
def runs(folder):
    """Opens the runs afresh, so that reading is part of the work."""
    return lambda: DataStore.from_dir(folder / "hess-dl3-dr1").get_observations(RUNS)


def timed(function, repeats: int = 3):
    """Seconds of the first call and of the best other one, and what it gives."""
    times, found = [], None
    for _ in range(repeats + 1):
        start = time.perf_counter()
        found = function()
        times.append(time.perf_counter() - start)
    return times[0], min(times[1:]), found


def processor_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def spectra(runs):
    wide = WcsGeom.create(skydir=CRAB, npix=150, binsz=0.05, proj="TAN")
    other = SkyCoord(183.604, -8.708, unit="deg", frame="galactic")
    mask = Map.from_geom(wide, data=wide.separation(other) > 0.5)
    on = CircleSkyRegion(CRAB, 0.11 * u.deg)
    empty = SpectrumDataset.create(RegionGeom.create(on, axes=[ENERGY]), TRUE)
    maker = DatasetsMaker(
        (
            SpectrumDatasetMaker(("counts", "exposure", "edisp"), containment_correction=True),
            ReflectedRegionsBackgroundMaker(exclusion_mask=mask),
            SafeMaskMaker(methods=("aeff-max",), aeff_percent=10),
        ),
        stack_datasets=False,
    )
    return lambda: maker.run(empty, runs())


def test_maps(benchmark, record, theirs, runs):
    """Counts, exposure, background, spread and dispersion, summed over four runs."""
    maker = DatasetsMaker(MAP_MAKERS)

    def reduce():
        empty = MapDataset.create(GEOM, TRUE, name="stacked")
        return maker.run(empty, runs())[0]

    first, seconds, made = timed(reduce)
    benchmark.pedantic(reduce, rounds=2)
    other = theirs.get("maps")
    ratio = other and other / seconds
    record("maps of 4 runs", seconds=seconds, first_seconds=first, peer_seconds=other,
           ratio=ratio)  # fmt: skip
    if theirs:
        assert made.info_dict()["counts"] == theirs["counts"]
    assert ratio is None or ratio > 3


def test_spectra(benchmark, record, theirs, runs):
    """On and off counts, exposure and dispersion of four runs."""
    reduce = spectra(runs)
    first, seconds, made = timed(reduce)
    benchmark.pedantic(reduce, rounds=2)
    other = theirs.get("spectra")
    ratio = other and other / seconds
    record("spectra of 4 runs", seconds=seconds, first_seconds=first, peer_seconds=other,
           ratio=ratio)  # fmt: skip
    if theirs:
        assert [d.info_dict()["counts_off"] for d in made] == theirs["off"]
    assert ratio is None or ratio > 3


def test_forty_runs_on_two_processes(benchmark, record, runs, tmp_path):
    """Maps of forty runs (four of them ten times), start of the processes included.

    Compiled programs are kept on disk, as the command line does, and all sides read them.
    On a machine that others use, processor seconds (of all processes) say more than the
    ratio of times: with two processors free, half of those of two processes is their time.
    """
    forty = list(runs()) * 10
    empty = MapDataset.create(GEOM, TRUE, name="stacked")
    jax.config.update("jax_enable_compilation_cache", True)
    enable_compilation_cache(tmp_path)
    jax.clear_caches()
    DatasetsMaker(MAP_MAKERS).run(empty, forty[:4])
    found, seconds, worked = {}, {}, {}
    for jobs in (1, 2):
        jax.clear_caches()
        start, before = time.perf_counter(), processor_seconds()
        found[jobs] = DatasetsMaker(MAP_MAKERS, n_jobs=jobs).run(empty, forty)[0]
        seconds[jobs] = time.perf_counter() - start
        worked[jobs] = processor_seconds() - before
    jax.config.update("jax_enable_compilation_cache", False)
    benchmark.pedantic(lambda: None)
    record("maps of 40 runs", one_process=seconds[1], two_processes=seconds[2],
           one_processor_seconds=worked[1], two_processor_seconds=worked[2],
           ratio=seconds[1] / seconds[2], load=os.getloadavg()[0])  # fmt: skip
    for name in ("counts", "background", "exposure"):
        one, two = (np.asarray(getattr(d, name).data) for d in found.values())
        np.testing.assert_array_equal(one, two)
