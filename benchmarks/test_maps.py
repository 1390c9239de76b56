"""Benchmarks of maps beside gammapy: filling, interpolating, projecting, smoothing.

Reading runs and filling a map with their events is in `test_data.py`. The peer runs in the
same session, with the Python that ``GAMMAPY_PYTHON`` names. Give a place for the figures with
``GAMMAJAX_BENCHMARK_RESULTS=benchmarks/results/maps.json``.
"""

from __future__ import annotations

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from peer_maps import SIZES

from gammajax.maps import Map, MapAxis, MapCoord, SkyToPix, WcsGeom

ENERGY = MapAxis.from_energy_bounds("0.5 TeV", "50 TeV", nbin=12)
GEOM = WcsGeom.create(
    skydir=(83.633, 22.014), npix=(200, 200), binsz=0.02, proj="TAN", axes=[ENERGY]
)


def best_of(function, repeats: int = 7) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - start)
    return min(times)


def points(size: int) -> MapCoord:
    rng = np.random.default_rng(0)
    values = {
        "lon": rng.uniform(81, 86, size),
        "lat": rng.uniform(19, 25, size),
        "energy": rng.uniform(0.3, 60, size),
    }
    return MapCoord(values, "icrs")


@pytest.fixture(scope="module")
def cube() -> Map:
    return Map.from_geom(GEOM, data=np.arange(12.0)[:, None, None])


@pytest.fixture(scope="module")
def theirs(peer):
    """The peer's seconds and sums, or nothing where there is no peer."""
    return peer("peer_maps.py") or {}


@pytest.fixture
def compare(record, theirs):
    """Record our seconds beside the peer's, and hold us to a ratio."""

    def add(name: str, key: str, seconds: float, least: float, **figures: float) -> None:
        other = theirs.get(key)
        ratio = other and other / seconds
        record(name, seconds=seconds, peer_seconds=other, ratio=ratio, **figures)
        assert ratio is None or ratio > least

    return add


@pytest.mark.parametrize("size", list(SIZES))
def test_filling(benchmark, compare, theirs, size):
    """200 x 200 x 12 bins; coordinates in memory."""
    empty, coords = Map.from_geom(GEOM), points(SIZES[size])
    found = benchmark(lambda: empty.fill_by_coord(coords).data)
    if theirs:
        assert found.sum() == theirs[f"n_{size}"]
    seconds = best_of(lambda: empty.fill_by_coord(coords).data)
    compare(f"filling with {SIZES[size]} events", f"fill_{size}", seconds, 0.9)


@pytest.mark.parametrize("size", list(SIZES))
def test_interpolating(benchmark, compare, cube, size):
    """On the host, and compiled with the positions traced."""
    coords = points(SIZES[size])
    benchmark(lambda: cube.interp_by_coord(coords))
    values = [jnp.asarray(value) for value in coords.values()]
    traced = jax.jit(lambda m, lon, lat, energy: m.interp_by_coord((lon, lat, energy)))
    np.testing.assert_allclose(traced(cube, *values), cube.interp_by_coord(coords), atol=1e-6)
    slope = jax.jit(jax.grad(lambda m, *x: traced(m, *x).sum(), argnums=(1, 2)))
    slope(cube, *values)
    compiled = best_of(lambda: traced(cube, *values))
    compare(
        f"interpolating at {SIZES[size]} positions",
        f"interpolate_{size}",
        best_of(lambda: cube.interp_by_coord(coords)),
        0.5,
        compiled_seconds=compiled,
        gradient_seconds=best_of(lambda: slope(cube, *values)),
    )


@pytest.mark.parametrize("code", ["TAN", "CAR", "AIT", "MOL"])
def test_projecting(benchmark, record, code):
    """A million positions to pixels, beside wcslib."""
    geom = WcsGeom.create(skydir=(83.633, 22.014), npix=200, binsz=0.02, proj=code)
    pixels, coords = SkyToPix.from_geom(geom), points(SIZES["many"])
    lon, lat = (jnp.radians(coords[key]) for key in ("lon", "lat"))
    compiled = jax.jit(SkyToPix.sky_to_pix)
    benchmark(lambda: jax.block_until_ready(compiled(pixels, lon, lat)))
    seconds = best_of(lambda: compiled(pixels, lon, lat))
    host = best_of(lambda: geom.wcs.wcs_world2pix(coords["lon"], coords["lat"], 0))
    record(
        f"1e6 positions in {code}", seconds=seconds, wcslib_seconds=host, ratio=host / seconds
    )
    assert seconds < 1.5 * host


def test_smoothing(benchmark, compare, cube):
    benchmark(lambda: cube.smooth(0.1).data)
    compare("smoothing 12 x 200 x 200", "smooth", best_of(lambda: cube.smooth(0.1).data), 0.8)
