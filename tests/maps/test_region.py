"""Regions as geometries: what is inside, solid angles, integration, maps and files."""

from __future__ import annotations

import astropy.units as u
import jax
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from regions import CircleSkyRegion, PixCoord, PointSkyRegion, RectanglePixelRegion

from gammajax.maps import Map, MapAxis, RegionGeom, RegionNDMap, WcsGeom

ENERGY = MapAxis.from_energy_edges([1, 10, 100])
CRAB = SkyCoord(83.63, 22.01, unit="deg")
SHAPES = (
    "icrs;circle(83.63, 22.01, 0.5)",
    "galactic;annulus(0.1, -0.2, 3, 5)",
    "icrs;ellipse(83, -62, 10, 0.5, 130)",
    "fk5;box(83, 22, 10, 5, 30)",
    "icrs;polygon(359, 22, 1, 22.5, 0.7, 23, 0, 22.6, 359, 23)",
)


def some(shape: str) -> RegionGeom:
    return RegionGeom.create(shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_inside_is_what_astropy_says_in_a_tangential_plane(shape: str) -> None:
    geom = some(shape)
    plane = geom.to_wcs_geom(binsz=geom.radius / 80)
    mask = plane.region_mask(geom.region)
    assert mask.any()
    np.testing.assert_array_equal(geom.contains(plane.get_coord()), mask)


@pytest.mark.parametrize("shape", SHAPES)
def test_solid_angle_is_that_of_the_pixels_inside(shape: str) -> None:
    geom = some(shape)
    plane = geom.to_wcs_geom(binsz=geom.radius / 200)
    expected = plane.solid_angle()[plane.region_mask(geom.region)].sum()
    assert geom.solid_angle().item() == pytest.approx(expected, rel=1e-3)
    cube = geom.to_cube([ENERGY])
    np.testing.assert_allclose(
        cube.bin_volume()[:, 0, 0],
        [9 * geom.solid_angle().item(), 90 * geom.solid_angle().item()],
    )


def test_solid_angles_are_exact() -> None:
    cap = 2 * np.pi * (1 - np.cos(np.radians(0.5)))
    assert some(SHAPES[0]).solid_angle().item() == pytest.approx(cap, rel=1e-10)
    ring = 2 * np.pi * (np.cos(np.radians(3)) - np.cos(np.radians(5)))
    assert some(SHAPES[1]).solid_angle().item() == pytest.approx(ring, rel=1e-12)
    octant = some("icrs;polygon(0, 0, 90, 0, 10, 90)")
    assert octant.solid_angle().item() == pytest.approx(np.pi / 2, rel=1e-12)
    # an ellipse whose axes are equal is the cap that the plane's circle shows
    round_one = some("icrs;ellipse(10, 20, 3, 3, 10)")
    cap = 2 * np.pi * (1 - np.cos(np.arctan(np.radians(3))))
    assert round_one.solid_angle().item() == pytest.approx(cap, rel=1e-12)
    corners = RegionGeom.create("icrs;box(0, 0, 20, 10, 0)")
    a, b = np.degrees(np.arctan(np.radians([10, 5])))
    assert a < 10
    lat = np.degrees(np.arctan(np.radians(5) * np.cos(np.radians(a))))
    same = some(f"icrs;polygon({a}, {lat}, {-a}, {lat}, {-a}, {-lat}, {a}, {-lat})")
    assert b > lat
    assert corners.solid_angle().item() == pytest.approx(same.solid_angle().item(), rel=1e-10)
    assert some("icrs;point(3, 4)").solid_angle() == 0


def test_compounds() -> None:
    apart = RegionGeom.create(["icrs;circle(1, 0, 0.5)", "icrs;circle(-1, 0, 0.5)"])
    one = some("icrs;circle(1, 0, 0.5)")
    assert apart.solid_angle().item() == pytest.approx(2 * one.solid_angle().item(), rel=1e-12)
    assert apart.contains(([1, 0, 359], [0.1, 0, 0])).tolist() == [True, False, True]
    # two circles whose centres are one radius apart
    close = one.region & some("icrs;circle(1.5, 0, 0.5)").region
    lens = np.radians(0.5) ** 2 * (2 * np.pi / 3 - np.sqrt(3) / 2)
    assert RegionGeom(close).solid_angle().item() == pytest.approx(lens, rel=1e-3)
    either = RegionGeom(one.region ^ some("icrs;circle(1.5, 0, 0.5)").region)
    expected = 2 * (one.solid_angle().item() - lens)
    assert either.solid_angle().item() == pytest.approx(expected, rel=1e-3)
    assert either != RegionGeom(close)
    union = one.union(some("icrs;circle(1.5, 0, 0.5)"))
    assert union.solid_angle().item() == pytest.approx(expected + lens, rel=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_nodes_integrate(shape: str) -> None:
    geom = some(shape)
    vectors, weights = geom.integration_nodes(40)
    np.testing.assert_allclose((vectors**2).sum(axis=1), 1)
    assert np.all(weights > 0)
    assert weights.sum() == pytest.approx(geom.solid_angle().item(), rel=1e-12)
    plane = geom.to_wcs_geom(binsz=geom.radius / 200)
    mask = plane.region_mask(geom.region)
    middle = geom.unit_vectors()[0, 0]
    width = np.radians(geom.radius) ** 2

    def bump(vector: np.ndarray) -> np.ndarray:
        return np.exp((vector @ middle - 1) / width) + vector[..., 0]

    expected = (bump(plane.unit_vectors()) * plane.solid_angle())[mask].sum()
    assert weights @ bump(vectors) == pytest.approx(expected, rel=1e-3)


@given(st.floats(0.01, 3), st.floats(0.01, 3), st.floats(0, 360), st.floats(-80, 80))
def test_smooth_functions_are_integrated_to_rounding(a, b, angle, lat) -> None:
    for shape in ("ellipse", "box"):
        geom = some(f"icrs;{shape}(10, {lat}, {a}, {b}, {angle})")
        few, many = (geom.integration_nodes(n) for n in (8, 20))
        values = [(w * v[:, 0] ** 3).sum() / w.sum() for v, w in (few, many)]
        assert values[0] == pytest.approx(values[1], rel=1e-9)


def test_a_point_and_no_region() -> None:
    point = some("icrs;point(83.63, 22.01)")
    assert point.is_point
    assert point.contains((CRAB.ra, CRAB.dec))
    assert not point.contains((83.64, 22.01))
    vectors, weights = point.integration_nodes()
    np.testing.assert_allclose(vectors[0], CRAB.cartesian.xyz.value)
    assert weights.tolist() == [0]
    anywhere = RegionGeom.create(None, axes=[ENERGY])
    assert anywhere.contains((10, -80, 5))
    assert np.isnan(anywhere.get_coord()["lon"]).all()
    assert repr(anywhere).startswith("RegionGeom(no region, MapAxis(energy")
    with pytest.raises(ValueError, match="there is no region; give one"):
        anywhere.solid_angle()


def test_geometry() -> None:
    geom = RegionGeom.create(SHAPES[0], axes=[ENERGY])
    assert geom == RegionGeom(CircleSkyRegion(CRAB, 0.5 * u.deg), [ENERGY])
    assert hash(geom) != hash(geom.squash("energy"))
    assert geom.center_skydir.separation(CRAB).deg < 1e-9
    assert geom.separation(CRAB.directional_offset_by(0 * u.deg, 1 * u.deg)) == pytest.approx(1)
    assert geom.radius == pytest.approx(0.5)
    assert geom.data_shape == geom.get_coord().shape == (2, 1, 1)
    assert RegionGeom.create(geom.to_ds9(), axes=[ENERGY]) == geom
    cube = geom.to_wcs_geom(binsz=0.1, width_min=(3, 0.5))
    assert cube.npix == (31, 12)
    assert cube.axes == geom.axes
    assert geom.downsample(2, "energy").data_shape == (1, 1, 1)
    assert repr(geom).startswith("RegionGeom(icrs circle around (83.6300, 22.0100), MapAxis")
    assert some("galactic;circle(1,2,3)").frame == "galactic"


@pytest.fixture
def spectrum() -> RegionNDMap:
    geom = RegionGeom.create(SHAPES[0], axes=[MapAxis.from_energy_edges([1, 10, 100, 1000])])
    return Map.from_geom(geom, data=np.array([4.0, 2.0, 1.0])[:, None, None], unit="s")


def test_maps_of_a_region(spectrum: RegionNDMap) -> None:
    empty = Map.create(map_type="region", region=SHAPES[0], axes=[ENERGY], dtype=int)
    assert isinstance(empty, RegionNDMap)
    counts = empty.fill_by_coord(([83.6, 83.6, 90], [22, 22, 22], [2, 20, 20]))
    assert counts.data[:, 0, 0].tolist() == [1, 1]
    assert spectrum.get_by_coord((CRAB, 20.0)) == 2
    assert np.isnan(spectrum.get_by_coord((0, 0, 20.0)))
    assert spectrum.interp_by_coord((CRAB, 10.0)) == pytest.approx(3)
    assert np.isnan(spectrum.interp_by_coord((0, 0, 10.0)))
    slope = jax.grad(lambda e: spectrum.interp_by_coord((83.63, 22.01, e)))(10.0)
    assert float(slope) == pytest.approx(-2 / (10 * np.log(10)))
    assert spectrum.downsample(3).data.item() == 7
    assert spectrum.upsample(2).data.sum() == 7
    assert spectrum.sum_over_axes().data.item() == 7
    np.testing.assert_array_equal((spectrum + spectrum).data, spectrum.stack(spectrum).data)
    masked = spectrum.stack(spectrum, weights=spectrum > 1.5 * u.s)
    assert masked.data[:, 0, 0].tolist() == [8, 4, 1]
    total = jax.jit(lambda m: (m * m).sum_over_axes().data.sum())(spectrum)
    assert float(total) == 21
    assert spectrum.slice_by_idx({"energy": 1}).data.shape == (1, 1)


def test_a_map_reduced_to_a_region(rng: np.random.Generator) -> None:
    geom = WcsGeom.create(skydir=CRAB, npix=40, binsz=0.05, axes=[ENERGY], proj="TAN")
    found = Map.from_geom(geom, data=rng.random(geom.data_shape), unit="s")
    region = found.to_region_nd_map(SHAPES[0])
    mask = geom.to_image().separation(CRAB) < 0.5
    np.testing.assert_allclose(region.data[:, 0, 0], found.data[:, mask].sum(axis=1))
    np.testing.assert_allclose(region.data[:, 0, 0], found.to_region_sum(SHAPES[0]))
    mean = found.to_region_nd_map(SHAPES[0], func="mean")
    np.testing.assert_allclose(mean.data[:, 0, 0], found.data[:, mask].mean(axis=1))
    np.testing.assert_allclose(
        found.to_region_nd_map().data[:, 0, 0], found.data.sum(axis=(1, 2))
    )
    at = CRAB.galactic.directional_offset_by(0 * u.deg, 0.21 * u.deg)
    point = found.to_region_nd_map(PointSkyRegion(at))
    np.testing.assert_allclose(
        point.data[:, 0, 0], found.interp_by_coord((at, ENERGY.center)), rtol=1e-12
    )


@pytest.mark.parametrize("shape", [*SHAPES, "icrs;point(10, 20)", list(SHAPES[:1]) * 2, None])
def test_maps_come_back_from_files(tmp_path, shape, rng) -> None:
    theta = MapAxis.from_nodes([0, 1, 4], name="theta", unit="deg")
    geom = RegionGeom.create(shape, axes=[ENERGY, theta])
    written = Map.from_geom(geom, data=rng.random(geom.data_shape), unit="cm2 s")
    written.write(tmp_path / "x.fits", hdu="spectrum")
    back = Map.read(tmp_path / "x.fits")
    assert back.unit == written.unit
    assert back.geom.axes == geom.axes
    np.testing.assert_array_equal(back.data, written.data)
    assert (back.geom.region is None) == (shape is None)
    if shape is not None:
        expected = geom.solid_angle().item()
        assert back.geom.solid_angle().item() == pytest.approx(expected, rel=1e-8, abs=1e-20)
        assert back.geom.center_skydir.separation(geom.center_skydir).deg < 1e-8


def test_masks_and_images_come_back(tmp_path) -> None:
    mask = Map.from_geom(some(SHAPES[0]), data=True)
    mask.write(tmp_path / "x.fits")
    back = Map.read(tmp_path / "x.fits")
    assert back.data.tolist() == [[1]]
    assert Map.read(tmp_path / "x.fits", hdu="SKYMAP").geom.is_image


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: h.pop(2), "DATA has shape"),
        (lambda h: h[3].header.set("CTYPE1", "FREQ"), "table SKYMAP_REGION: the region cannot"),
        (
            lambda h: h[3].data["SHAPE"].__setitem__(0, "spiral"),
            "table SKYMAP_REGION: the region cannot be read",
        ),
    ],
)
def test_broken_files(tmp_path, spectrum, change, message: str) -> None:
    spectrum.write(tmp_path / "x.fits")
    with fits.open(tmp_path / "x.fits") as hdus:
        change(hdus)
        hdus.writeto(tmp_path / "y.fits")
    with pytest.raises(ValueError, match=rf"y.fits\[SKYMAP\]: {message}"):
        Map.read(tmp_path / "y.fits")


PIXELS = RectanglePixelRegion(PixCoord(1, 2), 3, 4)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda m: RegionGeom(PIXELS), "got a RectanglePixelRegion, expected a region on the"),
        (lambda m: some("icrs;circle(0, 0, 200)"), "radius is 200 deg"),
        (lambda m: some("icrs;circle(0, 0"), "cannot be read"),
        (lambda m: m.geom.integration_nodes(0), "order is 0"),
        (lambda m: m.stack(Map.from_geom(some(SHAPES[1]))), "is not the region"),
        (lambda m: m.interp_by_coord((0, 0, 1), method="cubic"), "method is 'cubic'"),
        (lambda m: m.geom.union(some(SHAPES[1])), "different axes"),
        (lambda m: m.plot(axis_name="time"), "no axis 'time'"),
        (lambda m: m.slice_by_idx({"energy": 0}).plot(), "choose one with axis_name"),
        (lambda m: some("icrs;circle(0, 0, 85)").to_wcs_geom(), "reaches 85 deg"),
        (lambda m: RegionGeom(m.geom.region & m.geom.region).to_ds9(), "made with 'and'"),
        (
            lambda m: RegionGeom(m.geom.region & some(SHAPES[1]).region).solid_angle(),
            "is empty",
        ),
        (lambda m: m.geom.downsample(2), "give the axis with axis_name"),
        (
            lambda m: Map.create(npix=3).to_region_nd_map("icrs;circle(90, 0, 1)"),
            "no pixel of",
        ),
        (lambda m: Map.create(npix=3).to_region_nd_map(func="max"), "func is 'max'"),
    ],
)
def test_what_is_refused(spectrum, action, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        action(spectrum)
