"""Maps and geometries against numbers and a file of gammapy (tests/peer/freeze_maps.py)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gammajax.maps import HpxGeom, Map, MapAxis, RegionGeom, WcsGeom

FOLDER = Path(__file__).resolve().parents[1] / "peer" / "data"
NUMBERS = json.loads((FOLDER / "maps.json").read_text())
BINS = MapAxis.from_energy_bounds("100 GeV", "10 TeV", 2)
NODES = MapAxis.from_nodes([0.1, 1, 10], name="energy_true")


@pytest.mark.parametrize("expected", NUMBERS["geometries"], ids=lambda g: g["options"]["proj"])
def test_geometries(expected: dict) -> None:
    geom = WcsGeom.create(**expected["options"])
    coords = geom.get_coord()
    np.testing.assert_allclose(coords["lon"], expected["lon"], rtol=1e-12)
    np.testing.assert_allclose(coords["lat"], expected["lat"], rtol=0, atol=1e-12)
    # the peer takes each pixel for a parallelogram
    area = np.array(expected["solid_angle"])
    np.testing.assert_allclose(geom.solid_angle(), area, rtol=3e-4)


def test_a_map_that_gammapy_wrote() -> None:
    found = Map.read(FOLDER / "map.fits")
    assert found.unit == "m2 s"
    assert found.geom.axes.names == ("energy", "theta")
    np.testing.assert_array_equal(found.data.ravel(), np.arange(72))
    np.testing.assert_allclose(found.geom.axes["energy"].edges, [0.1, 1, 10])
    np.testing.assert_array_equal(found.geom.axes["theta"].center, [0, 0.1, 0.3])


def test_interpolation() -> None:
    found = Map.read(FOLDER / "map.fits")
    points = tuple(NUMBERS[key] for key in ("lon", "lat", "energy", "theta"))
    np.testing.assert_allclose(
        found.interp_by_coord(points), NUMBERS["interpolated"], rtol=1e-6
    )


REGIONS = json.loads((FOLDER / "regions.json").read_text())
KINDS = ("circle", "annulus", "ellipse", "box", "polygon", "point")


@pytest.mark.parametrize("kind", KINDS)
def test_regions_that_gammapy_wrote(kind: str) -> None:
    expected = REGIONS[kind]
    found = Map.read(FOLDER / f"region_{kind}.fits.gz")
    assert found.unit == "m2"
    assert found.data[:, 0, 0].tolist() == [1.5, 2.5]
    np.testing.assert_allclose(found.geom.axes["energy"].edges, [0.1, 1, 10])
    ours = RegionGeom.create(expected["region"])
    geom = found.geom.to_image()
    assert geom.frame == ours.frame
    assert geom.center_skydir.separation(ours.center_skydir).deg < 1e-8
    # the peer's solid angles are those of the tangential plane
    assert geom.solid_angle().item() == pytest.approx(expected["solid_angle"], rel=4e-4)
    assert geom.solid_angle().item() == pytest.approx(ours.solid_angle().item(), rel=1e-8)
    if kind != "point":
        inside = geom.contains((expected["lon"], expected["lat"]))
        assert inside.any()
        np.testing.assert_array_equal(inside, expected["inside"])


@pytest.mark.parametrize(
    ("kind", "geom"),
    [
        ("cube", {"nside": 4, "axes": [BINS]}),
        ("nsides", {"nside": (4, 2), "axes": [BINS]}),
        ("sparse", {"nside": 4, "axes": [BINS], "nest": False}),
        ("disk", {"nside": 16, "axes": [BINS], "skydir": (83, 22), "width": 30}),
        ("ccube", {"nside": 4, "axes": [BINS]}),
        ("template", {"nside": 4, "axes": [NODES], "nest": False}),
    ],
)
def test_healpix_maps_that_gammapy_wrote(kind: str, geom: dict) -> None:
    found = Map.read(FOLDER / f"hpx_{kind}.fits.gz")
    expected = HpxGeom.create(frame="galactic", **geom)
    assert found.unit == "cm2 s"
    assert found.geom.axes.is_close(expected.axes)
    assert found.geom.with_axes(expected.axes) == expected
    values = np.arange(found.data.size, dtype=float).reshape(found.data.shape)
    np.testing.assert_array_equal(found.data, np.where(expected.solid_angle() > 0, values, 0))
