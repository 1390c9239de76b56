"""Maps of pixels: positions, solid angles, cuts and masks."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammajax.maps import MapAxis, MapCoord, WcsGeom
from gammajax.maps.wcs_area import _polygon_area

ENERGY = MapAxis.from_energy_edges([1, 10, 100])
CRAB = SkyCoord(83.63, 22.01, unit="deg")


def small(**options) -> WcsGeom:
    """A small map around the Crab."""
    options = {"npix": (6, 4), "binsz": 0.5, "axes": [ENERGY], **options}
    return WcsGeom.create(skydir=CRAB, **options)


def test_shape_and_size() -> None:
    geom = small()
    assert geom.data_shape == (2, 4, 6)
    np.testing.assert_allclose(geom.width, [3, 2])
    assert not geom.is_image
    assert geom.to_image().data_shape == (4, 6)
    assert geom.to_image().to_cube([ENERGY]) == geom
    assert hash(geom.squash("energy")) != hash(geom)
    assert geom.drop("energy").is_image
    assert geom.center_skydir.separation(CRAB).deg < 1e-9
    assert WcsGeom.create(width=(3 * u.deg, "120 arcmin"), binsz=0.5).npix == (6, 4)
    assert WcsGeom.create(binsz=10).npix == (36, 18)
    assert repr(geom).startswith("WcsGeom(icrs CAR, 6x4 pixels of 0.5 deg around (83.6300")


@pytest.mark.parametrize("proj", ["CAR", "TAN", "SIN", "AIT", "ZEA", "MOL", "STG"])
@pytest.mark.parametrize("frame", ["icrs", "galactic", "fk5"])
def test_pixels_and_positions_are_inverse(proj: str, frame: str) -> None:
    geom = small(proj=proj, frame=frame)
    coords = geom.get_coord()
    assert coords.shape == geom.data_shape
    x, y, energy = geom.coord_to_pix(coords)
    grid = np.meshgrid(np.arange(2), np.arange(4), np.arange(6), indexing="ij")
    for found, expected in zip((energy, y, x), grid, strict=True):
        np.testing.assert_allclose(np.broadcast_to(found, (2, 4, 6)), expected, atol=1e-7)
    assert np.all(geom.contains(coords))
    lon, lat, _ = geom.pix_to_coord((x, y, energy))
    np.testing.assert_allclose(lon, coords["lon"])
    np.testing.assert_allclose(lat, coords["lat"])
    assert geom.projection == proj
    assert geom.frame == frame


def test_coordinates_in_all_forms() -> None:
    geom = small(frame="galactic")
    forms = [
        {"skycoord": CRAB, "energy": "20 TeV"},
        (CRAB, 20 * u.TeV),
        (CRAB.galactic.l, CRAB.galactic.b, 20),
        MapCoord({"lon": CRAB.ra.deg, "lat": CRAB.dec.deg, "energy": 20}, "icrs"),
    ]
    for form in forms:
        x, y, energy = geom.coord_to_idx(form)
        assert (int(x), int(y), int(energy)) == (3, 2, 1)


def test_points_outside() -> None:
    geom = small().to_image()
    far = SkyCoord([83.5, 100, 263.63], [22.01, 22, -22.01], unit="deg")
    assert geom.contains(far).tolist() == [True, False, False]
    assert geom.coord_to_idx(far, clip=True)[0].tolist()[0] == 3
    tan = small(proj="TAN").to_image()
    assert np.isnan(tan.coord_to_pix(far)[0][2])


def test_longitudes_of_a_cylinder_repeat() -> None:
    geom = WcsGeom.create(skydir=(0, 0), width=(40, 10), binsz=1)
    x, _ = geom.coord_to_pix(([350.5, -9.5, 9.5], [0, 0, 0]))
    np.testing.assert_allclose(x, [29, 29, 10])
    everything = WcsGeom.create(binsz=10, frame="galactic")
    lon = np.linspace(0, 359, 100)
    assert np.all(everything.contains((lon, np.zeros(100))))


@pytest.mark.parametrize("binsz", [0.02, 0.5, 5.0])
def test_solid_angles_of_a_cylinder_are_analytic(binsz: float) -> None:
    geom = WcsGeom.create(
        skydir=(0, 0), width=(10, 60) if binsz > 0.1 else (1, 60), binsz=binsz
    )
    rows = np.radians(np.arange(geom.npix[1] + 1) * binsz - 30)
    expected = np.diff(np.sin(rows)) * np.radians(binsz)
    np.testing.assert_allclose(
        geom.solid_angle(), expected[:, None] + np.zeros(geom.npix[0]), rtol=2e-6
    )


def test_solid_angles_of_a_tangential_plane_are_analytic() -> None:
    geom = WcsGeom.create(skydir=CRAB, width=(8, 6), binsz=0.5, proj="TAN")
    a, b = np.radians([4, 3])
    # the plane's scale is the angle at the centre: distances there are in radians
    expected = 4 * np.arcsin(a * b / np.sqrt((1 + a**2) * (1 + b**2)))
    assert geom.solid_angle().sum() == pytest.approx(expected, rel=1e-12)
    assert geom.to_cube([ENERGY]).bin_volume().sum() == pytest.approx(99 * expected)


def test_solid_angles_sum_to_the_sphere() -> None:
    assert WcsGeom.create(binsz=5).solid_angle().sum() == pytest.approx(4 * np.pi, rel=1e-12)


@pytest.mark.parametrize("proj", ["AIT", "MOL", "SFL", "CEA"])
@pytest.mark.parametrize("binsz", [5.0, 1.0])
def test_pixels_that_the_edge_of_the_sky_cuts_have_their_share(proj: str, binsz: float) -> None:
    geom = WcsGeom.create(binsz=binsz, proj=proj, frame="galactic")
    area = geom.solid_angle()
    if proj != "CEA":
        assert area[0, 0] == 0
        assert np.isnan(geom.get_coord()["lon"][0, 0])
    # a straight edge is found to one part of 64, a curved one much better on average
    assert area.sum() == pytest.approx(4 * np.pi, rel=1e-3 if proj == "CEA" else 2e-5)
    assert area.max() == pytest.approx(np.radians(binsz) ** 2, rel=1e-12)
    assert np.all(area[np.isfinite(geom.get_image_coord()["lat"])] > 0)


@pytest.mark.parametrize("proj", ["AIT", "MOL", "SFL", "CEA", "ZEA"])
def test_equal_areas_are_those_of_spherical_polygons(proj: str) -> None:
    geom = WcsGeom.create(skydir=(83, 10), npix=(20, 10), binsz=0.5, proj=proj)
    polygons = _polygon_area(geom, 4)
    np.testing.assert_allclose(geom.solid_angle(), polygons, rtol=1e-5)
    np.testing.assert_allclose(geom.solid_angle(), np.radians(0.5) ** 2, rtol=1e-12)


def test_unit_vectors_and_separation() -> None:
    geom = small(frame="galactic", proj="TAN")
    vectors = geom.unit_vectors()
    np.testing.assert_allclose((vectors**2).sum(axis=-1), 1)
    center = CRAB.galactic.cartesian.xyz.value
    expected = np.degrees(np.arccos(vectors @ center))
    np.testing.assert_allclose(geom.separation(CRAB), expected, atol=1e-6)


def test_padding_cropping_and_cutouts() -> None:
    geom = small()
    assert geom.pad(2).npix == (10, 8)
    assert geom.pad((1, 0)).npix == (8, 4)
    assert geom.pad(2).crop(2) == geom
    part = geom.cutout(CRAB.directional_offset_by(90 * u.deg, 0.7 * u.deg), 1.0)
    assert part.npix == (2, 2)
    assert part.is_aligned(geom)
    assert not geom.is_aligned(small(npix=(7, 4)))
    lon = geom.get_coord()["lon"][0]
    assert part.get_coord()["lon"][0, 0, 0] in lon
    assert geom.cutout(CRAB, 10).npix == geom.npix


def test_resampled_pixels_cover_the_same_sky() -> None:
    geom = small(proj="TAN")
    fine, coarse = geom.upsample(3), geom.downsample(2)
    assert (fine.npix, coarse.npix) == ((18, 12), (3, 2))
    for other in (fine, coarse):
        assert other.solid_angle().sum() == pytest.approx(geom.solid_angle().sum(), rel=1e-9)
        assert other.footprint.separation(geom.footprint).deg.max() < 1e-9
    assert fine.downsample(3).is_aligned(geom)
    assert geom.downsample(2, "energy").data_shape == (1, 4, 6)
    assert geom.upsample(2, "energy").data_shape == (4, 4, 6)


def test_region_masks() -> None:
    geom = WcsGeom.create(skydir=(0, 0), width=4, binsz=0.02, axes=[ENERGY], proj="TAN")
    regions = {
        "circle(0, 0, 1)": np.pi,
        "annulus(0, 0, 0.5, 1)": np.pi * 0.75,
        "ellipse(0, 0, 1, 0.5, 30)": np.pi / 2,
        "box(0, 0, 2, 1, 20)": 2,
        "polygon(0, 0, 1, 0.13, 0.17, 0.9)": 0.43895,
    }
    for region, area in regions.items():
        mask = geom.region_mask(f"icrs;{region}")
        assert mask.shape == geom.data_shape
        # whole pixels: the shapes are 50 of them wide or more
        assert mask[1].sum() * 0.02**2 == pytest.approx(area, rel=4e-3)
        np.testing.assert_array_equal(geom.region_mask(f"icrs;{region}", inside=False), ~mask)
    two = geom.region_mask(["icrs;circle(1, 0, 0.2)", "icrs;circle(-1, 0, 0.2)"])
    assert two[0].sum() * 0.02**2 == pytest.approx(2 * np.pi * 0.04, rel=1e-2)


def test_boundary_mask() -> None:
    mask = small().boundary_mask((1.0, 0.5))
    expected = np.zeros((4, 6), bool)
    expected[1:3, 2:4] = True
    np.testing.assert_array_equal(mask[1], expected)
    assert not small().boundary_mask(3).any()


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda: small(width=3), "npix and width, expected one"),
        (lambda: small(npix=(1.5, 2)), "npix is .1.5, 2., expected whole numbers"),
        (lambda: small(npix=0), "expected two numbers above 0"),
        (lambda: small(npix=None, width=-1), "have to be above 0"),
        (lambda: small(proj="XYZ"), "projection 'XYZ' cannot be used"),
        (lambda: small(frame="ecliptic"), "frame is 'ecliptic', expected icrs"),
        (lambda: small().crop(2), "nothing is left"),
        (lambda: small().downsample(4), "cannot be joined by 4; pad or crop first"),
        (lambda: small().upsample(0), "the factor is 0"),
        (lambda: small().cutout(SkyCoord(0, 0, unit="deg"), 1), "has no pixel around"),
        (lambda: small().coord_to_pix(CRAB), "coordinates lack energy"),
        (lambda: small().coord_to_pix((1, 2)), "got 2 coordinates, expected lon, lat, energy"),
        (lambda: small().coord_to_pix({"lon": 1}), "the coordinates lack energy, lat"),
        (lambda: small().region_mask("circle(1"), "region .circle.1. cannot be read"),
        (lambda: WcsGeom.create(width=(1, 2, 3)), "expected one or two numbers"),
    ],
)
def test_what_a_geometry_refuses(action, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        action()
