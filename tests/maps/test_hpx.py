"""Maps of HEALPix pixels."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammajax.maps import HpxGeom, HpxNDMap, Map, MapAxis

ENERGY = MapAxis.from_energy_edges([1, 10, 100])


@pytest.mark.parametrize("nest", [True, False])
def test_solid_angles_sum_to_the_sphere(nest: bool) -> None:
    geom = HpxGeom.create(nside=16, nest=nest, axes=[ENERGY])
    assert geom.data_shape == (2, 3072)
    assert geom.solid_angle().sum() == pytest.approx(4 * np.pi, rel=1e-12)
    np.testing.assert_allclose((geom.unit_vectors() ** 2).sum(axis=1), 1)
    pixels, energy = geom.coord_to_idx(geom.get_coord())
    np.testing.assert_array_equal(pixels[1], np.arange(3072))
    np.testing.assert_array_equal(energy[:, 5], [0, 1])


@pytest.mark.parametrize("nest", [True, False])
def test_part_of_the_sky(nest: bool) -> None:
    crab = SkyCoord(83.63, 22.01, unit="deg")
    geom = HpxGeom.create(nside=64, nest=nest, frame="galactic", skydir=crab, width=20)
    assert not geom.is_allsky
    assert geom.separation(crab).max() <= 10
    cap = 2 * np.pi * (1 - np.cos(np.radians(10)))
    assert geom.solid_angle().sum() == pytest.approx(cap, rel=0.02)
    assert geom.contains(crab)
    assert not geom.contains(SkyCoord(0, 0, unit="deg"))
    np.testing.assert_array_equal(geom.coord_to_idx(geom.get_coord())[0], np.arange(geom.npix))
    found = Map.from_geom(geom, data=1.0)
    assert found.interp_by_coord(crab) == pytest.approx(1)
    assert np.isnan(found.interp_by_coord((0, 0)))
    assert np.isnan(found.get_by_coord((0, 0)))


def test_pixel_size() -> None:
    assert HpxGeom.create(binsz=1.0).nside == 64
    assert HpxGeom.create(binsz=0.9).nside == 128


def test_interpolation_follows_a_smooth_function(rng: np.random.Generator) -> None:
    found = Map.create(map_type="hpx", nside=64, axes=[ENERGY], unit="s")
    assert isinstance(found, HpxNDMap)
    vectors = found.geom.unit_vectors()
    slope = np.array([0.5, -1, 2])
    found = found.with_data(vectors @ slope + np.array([[1], [2]]))
    lon, lat = rng.uniform(0, 360, 100), rng.uniform(-80, 80, 100)
    point = SkyCoord(lon, lat, unit="deg")
    expected = point.cartesian.xyz.value.T @ slope + 1.5
    np.testing.assert_allclose(found.interp_by_coord((point, 10)), expected, atol=2e-3)
    np.testing.assert_allclose(found.get_by_coord((point, 20)), expected + 0.5, atol=0.05)
    gradient = jax.jit(jax.grad(lambda m: m.interp_by_coord((point, 10)).sum()))(found)
    assert float(gradient.data.sum()) == pytest.approx(100)


def test_counting_and_sums() -> None:
    found = Map.create(map_type="hpx", nside=4, axes=[ENERGY])
    found = found.fill_by_coord(([3, 3.1, 90, 3], [2, 2, 45, 2], [2, 20, 20, 0.5]))
    assert found.data.sum(axis=1).tolist() == [1, 2]
    assert found.sum_over_axes().data.max() == 2
    assert found.sum_over_axes(keepdims=False).geom.data_shape == (192,)
    assert (found + found).data.sum() == 6
    assert found.resample_axis(MapAxis.from_energy_edges([10, 100])).data.sum() == 2
    assert found.geom == HpxGeom.create(nside=4, axes=[ENERGY])
    assert repr(found.geom).startswith("HpxGeom(icrs, nside 4 nested, 192 pixels")


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda: HpxGeom(3), "nside is 3, expected a power of 2"),
        (lambda: HpxGeom(4, frame="x"), "frame is 'x'"),
        (lambda: HpxGeom(4, ipix=np.array([3, 2])), "ipix has to increase"),
        (lambda: HpxGeom(4, ipix=np.array([192])), "between 0 and 191"),
        (lambda: HpxGeom.create(), "either nside or binsz"),
        (lambda: HpxGeom.create(binsz=0), "binsz is 0 deg"),
        (
            lambda: (
                Map.create(map_type="hpx", nside=4)
                + Map.create(map_type="hpx", nside=4, nest=False)
            ),
            "different geometries",
        ),
        (
            lambda: Map.create(map_type="hpx", nside=1).write("x.fits"),
            "only maps of WCS pixels",
        ),
    ],
)
def test_what_is_refused(action, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        action()
