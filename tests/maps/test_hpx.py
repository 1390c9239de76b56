"""Maps of HEALPix pixels."""

from __future__ import annotations

import astropy.units as u
import healpy
import jax
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammajax.maps import HpxGeom, HpxNDMap, Map, MapAxis, RegionGeom, WcsGeom

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


def whole(**options) -> HpxNDMap:
    """Random numbers on the whole sky."""
    found = Map.create(map_type="hpx", **{"nside": 8, "axes": [ENERGY], "unit": "s", **options})
    return found.with_data(np.random.default_rng(3).random(found.data.shape))


def part(**options) -> HpxNDMap:
    """Random numbers in a disk."""
    return whole(nside=32, skydir=(83, 22), width=20, **options)


def different(**options) -> HpxNDMap:
    """Random numbers in images of nside 8 and 4."""
    found = whole(nside=(8, 4), **options)
    return found.with_data(found.data * (found.geom.solid_angle() > 0))


@pytest.mark.parametrize("nest", [True, False])
@pytest.mark.parametrize("make", [whole, part])
def test_larger_and_smaller_pixels(make, nest: bool) -> None:
    found = make(nest=nest)
    total = found.data.sum(axis=-1)
    for nside in (2, 64):
        moved = found.to_nside(nside)
        assert moved.geom.nside == nside
        assert moved.geom.is_allsky == found.geom.is_allsky
        np.testing.assert_allclose(moved.data.sum(axis=-1), total)
    fine = found.upsample(2, preserve_counts=False)
    np.testing.assert_array_equal(
        fine.get_by_coord(fine.geom.get_coord()), found.get_by_coord(fine.geom.get_coord())
    )
    back = found.upsample(4).downsample(4)
    assert back.geom.nside == found.geom.nside
    np.testing.assert_allclose(back.data, found.data)
    if make is whole:
        order = "NEST" if nest else "RING"
        expected = healpy.ud_grade(found.data[0], 2, order_in=order, order_out=order)
        mean = found.to_nside(2, preserve_counts=False)
        np.testing.assert_allclose(mean.data[0], expected)
    mask = (found > 0.9 * u.s).to_nside(2)
    assert mask.is_mask
    gradient = jax.grad(lambda m: m.to_nside(2).data[0, 0])(found)
    assert float(gradient.data.sum()) == pytest.approx(int((gradient.data > 0).sum()))


@pytest.mark.parametrize("make", [whole, part])
def test_orders(make) -> None:
    found = make()
    other = found.to_swapped()
    assert not other.geom.nest
    coords = found.geom.get_coord()
    np.testing.assert_array_equal(other.get_by_coord(coords), found.data)
    again = other.to_swapped()
    assert again.geom == found.geom
    np.testing.assert_array_equal(again.data, found.data)
    np.testing.assert_array_equal(make(nest=False).geom.pixels, found.geom.to_swapped().pixels)


def test_cutouts_stack_to_the_whole() -> None:
    found = whole(nside=32)
    cut = found.cutout((83, 22), 20)
    assert cut.geom == part().geom
    np.testing.assert_array_equal(cut.data, found.get_by_coord(cut.geom.get_coord()))
    stacked = found.stack(cut.to_unit("min"))
    assert stacked.data.sum() == pytest.approx(found.data.sum() + cut.data.sum())
    np.testing.assert_allclose(stacked.cutout((83, 22), 20).data, 2 * cut.data)
    assert cut.stack(found, weights=found < 0 * u.s).data.sum() == cut.data.sum()
    assert cut.cutout((85, 22), 5).geom.npix < cut.geom.npix
    assert cut.geom.center_skydir.separation(SkyCoord(83, 22, unit="deg")).deg < 1e-9
    assert cut.slice_by_idx({"energy": 1}).data.shape == (cut.geom.npix,)


def test_regions() -> None:
    geom = HpxGeom.create(nside=128, frame="galactic", axes=[ENERGY])
    mask = geom.region_mask(["icrs;circle(83, 22, 5)", "galactic;box(0, 0, 20, 10, 30)"])
    area = sum(
        RegionGeom.create(text).solid_angle().item()
        for text in ("icrs;circle(83, 22, 5)", "galactic;box(0, 0, 20, 10, 30)")
    )
    assert mask.shape == geom.data_shape
    assert (mask[0] @ geom.solid_angle()) == pytest.approx(area, rel=5e-3)
    np.testing.assert_array_equal(
        geom.region_mask("icrs;circle(83, 22, 5)", inside=False),
        np.broadcast_to(geom.separation(SkyCoord(83, 22, unit="deg")) >= 5, geom.data_shape),
    )
    total = geom.bin_volume().sum(axis=1)
    np.testing.assert_allclose(total, 4 * np.pi * ENERGY.bin_width, rtol=1e-12)


def test_images_of_different_pixels() -> None:
    found = different()
    assert found.geom.data_shape == (2, 768)
    area = found.geom.solid_angle()
    np.testing.assert_allclose(area.sum(axis=1), 4 * np.pi, rtol=1e-12)
    assert np.isnan(found.geom.get_coord()["lon"]).sum() == 768 - 192
    low, high = (found.slice_by_idx({"energy": i}) for i in (0, 1))
    assert (low.geom.nside, high.geom.nside, high.data.size) == (8, 4, 192)
    point = ([10, 20, 30], [5, -40, 80])
    np.testing.assert_array_equal(found.get_by_coord((*point, 2)), low.get_by_coord(point))
    np.testing.assert_array_equal(found.get_by_coord((*point, 20)), high.get_by_coord(point))
    expected = (low.interp_by_coord(point) + high.interp_by_coord(point)) / 2
    np.testing.assert_allclose(found.interp_by_coord((*point, 10)), expected)
    counts = Map.from_geom(found.geom).fill_by_coord(([3, 3, 3], [2, 2, 2], [5, 50, 500]))
    assert counts.data.sum(axis=1).tolist() == [1, 1]
    one = found.to_nside(4)
    assert one.geom.is_regular
    np.testing.assert_allclose(one.data.sum(axis=1), found.data.sum(axis=1))
    assert found.slice_by_idx({"energy": slice(1, 2)}).geom.nside == 4
    disk = HpxGeom.create(nside=(64, 16), axes=[ENERGY], skydir=(0, 0), width=30)
    alone = [HpxGeom.create(nside=n, skydir=(0, 0), width=30) for n in (64, 16)]
    np.testing.assert_allclose(
        disk.solid_angle().sum(axis=1), [geom.solid_angle().sum() for geom in alone]
    )


@pytest.mark.parametrize("nest", [True, False])
def test_to_a_projection(nest: bool) -> None:
    found = Map.create(map_type="hpx", nside=64, nest=nest, frame="galactic", axes=[ENERGY])
    slope = found.geom.unit_vectors() @ np.array([0.5, -1, 2]) + 5
    found = found.with_data(np.broadcast_to(slope, found.data.shape))
    image = found.to_wcs(binsz=2.0)
    assert image.geom.projection == "AIT"
    expected = image.geom.to_image().unit_vectors() @ np.array([0.5, -1, 2]) + 5
    np.testing.assert_allclose(image.data[1], expected, atol=2e-3)
    cut = found.cutout((10, 60), 20)
    plane = cut.to_wcs()
    assert plane.geom.projection == "TAN"
    inside = plane.geom.to_image().separation((10, 60)) < 9
    assert np.isfinite(plane.data[0][inside]).all()
    assert np.isnan(plane.data[0, 0, 0])
    counts = found.to_wcs(proj="CAR", binsz=1, preserve_counts=True)
    assert counts.data.sum() == pytest.approx(found.data.sum(), rel=1e-4)
    wide = found.cutout((10, 60), 100).to_wcs(proj="MOL")
    assert wide.geom.projection == "MOL"


def test_from_a_projection() -> None:
    geom = WcsGeom.create(skydir=(83, 22), width=20, binsz=0.5, proj="TAN", axes=[ENERGY])
    image = Map.from_geom(geom, data=geom.get_coord()["lat"], unit="s")
    target = HpxGeom.create(nside=64, skydir=(83, 22), width=10, axes=[ENERGY])
    found = image.interp_to_geom(target)
    assert isinstance(found, HpxNDMap)
    np.testing.assert_allclose(found.data[0], target.get_image_coord()["lat"], atol=1e-2)


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
        (lambda: HpxGeom.create(nside=[1, 2]), "has 2 values of nside for 1 images"),
        (lambda: different().geom.to_image(), "its images have different pixels"),
        (lambda: different().sum_over_axes(), "bring a map to one with to_nside"),
        (lambda: different().geom.unit_vectors(), "its images have different pixels"),
        (lambda: whole(nside=4).stack(whole(nside=8)), "has other pixels or axes"),
        (lambda: whole(nside=4).to_nside(3), "nside is 3"),
        (
            lambda: part().cutout((120, 30), 5),
            "has no pixel around",
        ),
    ],
)
def test_what_is_refused(action, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        action()
