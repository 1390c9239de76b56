"""Check that gammapy reads the maps that gammajax writes.

Run by hand, twice: ``python tests/peer/check_maps.py write FOLDER`` where gammajax is
installed, and ``... compare FOLDER`` where gammapy 2.1 is.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

PROJECTIONS = ("CAR", "TAN", "AIT")
REGIONS = {
    "circle": "icrs;circle(83.63, 22.01, 0.5)",
    "annulus": "galactic;annulus(0.1, -0.2, 1, 2)",
    "ellipse": "icrs;ellipse(83, -62, 1, 0.5, 130)",
    "box": "icrs;box(83, 22, 2, 1, 30)",
    "polygon": "icrs;polygon(359, 22, 1, 22.5, 0.7, 23, 0, 22.6, 359, 23)",
    "point": "icrs;point(83.63, 22.01)",
    "two": ["icrs;circle(83, 22, 0.5)", "icrs;circle(85, 22, 0.5)"],
}


def write(folder: Path) -> None:
    from gammajax.maps import LabelMapAxis, Map, MapAxis, TimeMapAxis

    axes = {
        "energy": [MapAxis.from_energy_bounds("0.1 TeV", "10 TeV", 2)],
        "nodes": [MapAxis.from_nodes([0.1, 1, 10], name="energy_true")],
        "time": [TimeMapAxis([0, 2], [1, 3], (59000, 0.25), unit="h")],
        "label": [LabelMapAxis(["a", "b"], "dataset")],
        "image": [],
    }
    numbers = {}
    for name, chosen in axes.items():
        for proj in PROJECTIONS:
            found = Map.create(npix=(4, 3), skydir=(83, 22), proj=proj, axes=chosen, unit="s")
            values = np.arange(found.data.size).reshape(found.data.shape) + 0.5
            file = f"{name}-{proj}.fits"
            found.with_data(values).write(folder / file, overwrite=True)
            coords = found.geom.get_image_coord()
            numbers[file] = {
                "shape": values.shape,
                "lon": coords["lon"].tolist(),
                "lat": coords["lat"].tolist(),
                "centers": [axis.center.tolist() for axis in chosen],
            }
    write_fermi(folder, numbers)
    write_regions(folder, numbers)
    write_healpix(folder, numbers)
    (folder / "numbers.json").write_text(json.dumps(numbers))


def write_fermi(folder: Path, numbers: dict) -> None:
    """Cubes of pixels in the formats of the Fermi-LAT tools."""
    from gammajax.maps import Map, MapAxis

    bins = MapAxis.from_energy_bounds("0.1 TeV", "10 TeV", 2)
    nodes = MapAxis.from_nodes([0.1, 1, 10], name="energy_true")
    cases = {
        "fgst-ccube": (bins, ""),
        "fgst-bexpcube": (nodes, "cm2 s"),
        "fgst-template": (nodes, "cm-2 s-1 MeV-1 sr-1"),
    }
    for form, (axis, unit) in cases.items():
        found = Map.create(npix=(4, 3), skydir=(83, 22), axes=[axis], unit=unit)
        values = np.arange(found.data.size).reshape(found.data.shape) + 0.5
        found.with_data(values).write(folder / f"{form}.fits", format=form, overwrite=True)
        coords = found.geom.get_image_coord()
        numbers[f"{form}.fits"] = {
            "shape": values.shape,
            "unit": unit,
            "lon": coords["lon"].tolist(),
            "lat": coords["lat"].tolist(),
            "centers": [axis.center.tolist()],
        }


def write_healpix(folder: Path, numbers: dict) -> None:
    from gammajax.maps import Map, MapAxis

    bins = MapAxis.from_energy_bounds("0.1 TeV", "10 TeV", 2)
    nodes = MapAxis.from_nodes([0.1, 1, 10], name="energy_true")
    theta = MapAxis.from_nodes([0, 1, 3], name="theta", unit="deg")
    disk = {"skydir": (83.63, 22.01), "width": 30}
    cases = {
        "image": ({"nside": 8}, "gadf", "s"),
        "cube": ({"nside": 8, "axes": [bins, theta]}, "gadf", "s"),
        "ring": ({"nside": 8, "axes": [bins], "nest": False}, "gadf", "s"),
        "nsides": ({"nside": (8, 4), "axes": [bins]}, "gadf", "s"),
        "disk": ({"nside": 32, "axes": [bins], **disk}, "gadf", "s"),
        "ccube": ({"nside": 8, "axes": [bins]}, "fgst-ccube", ""),
        "bexpcube": ({"nside": 8, "axes": [nodes], "nest": False}, "fgst-bexpcube", "cm2 s"),
        "template": ({"nside": 8, "axes": [nodes]}, "fgst-template", "cm-2 s-1 MeV-1 sr-1"),
    }
    for name, (options, form, unit) in cases.items():
        found = Map.create(map_type="hpx", frame="galactic", unit=unit, **options)
        values = np.arange(found.data.size).reshape(found.data.shape) + 0.5
        values = np.where(found.geom.solid_angle() > 0, values, 0)
        file = f"hpx-{name}.fits"
        found.with_data(values).write(folder / file, overwrite=True, format=form)
        coords = found.geom.get_coord()
        numbers[file] = {
            "values": values.tolist(),
            "lon": coords["lon"].tolist(),
            "lat": coords["lat"].tolist(),
            "unit": unit,
            "energy": found.geom.axes[0].center.tolist() if found.geom.axes.names else [],
        }


def compare_healpix(file: Path, expected: dict) -> None:
    from gammapy.maps import Map

    found = Map.read(file, map_type="hpx")
    values, known = np.array(expected["values"]), np.isfinite(np.array(expected["lon"]))
    np.testing.assert_array_equal(found.data[known], values[known])
    assert found.unit == expected["unit"], file
    if found.geom.is_regular:
        coords = found.geom.get_coord()
        for name in ("lon", "lat"):
            np.testing.assert_allclose(coords[name].to_value("deg"), expected[name], atol=1e-9)
    if expected["energy"]:
        np.testing.assert_allclose(
            found.geom.axes[0].center.to_value("TeV"), expected["energy"]
        )


def write_regions(folder: Path, numbers: dict) -> None:
    from gammajax.maps import Map, MapAxis

    axes = [
        MapAxis.from_energy_bounds("0.1 TeV", "10 TeV", 2),
        MapAxis.from_nodes([0, 1, 3], name="theta", unit="deg"),
    ]
    for name, region in REGIONS.items():
        found = Map.create(map_type="region", region=region, axes=axes, unit="s")
        values = np.arange(found.data.size).reshape(found.data.shape) + 0.5
        file = f"region-{name}.fits"
        found.with_data(values).write(folder / file, overwrite=True)
        middle = found.geom.center_skydir.spherical
        numbers[file] = {
            "shape": values.shape,
            "lon": [[middle.lon.deg]],
            "lat": [[middle.lat.deg]],
            "solid_angle": found.geom.solid_angle().item(),
            "centers": [axis.center.tolist() for axis in axes],
        }


def compare(folder: Path) -> None:
    from gammapy.maps import Map, RegionNDMap

    numbers = json.loads((folder / "numbers.json").read_text())
    for file, expected in numbers.items():
        if file.startswith("hpx"):
            compare_healpix(folder / file, expected)
            continue
        kind = RegionNDMap if file.startswith("region") else Map
        found = kind.read(folder / file)
        values = np.arange(found.data.size).reshape(expected["shape"]) + 0.5
        np.testing.assert_array_equal(found.data, values)
        assert found.unit == expected.get("unit", "s"), file
        if file.startswith("region"):
            compare_region(found.geom, expected, file)
        else:
            coords = found.geom.to_image().get_coord()
            for name in ("lon", "lat"):
                np.testing.assert_allclose(coords[name].value, expected[name], rtol=1e-12)
        for axis, center in zip(found.geom.axes, expected["centers"], strict=True):
            if axis.name == "time":
                shift = (axis.time_mid - axis.reference_time).to_value("h")
                np.testing.assert_allclose(shift, center, atol=1e-9)
            elif axis.name == "dataset":
                assert list(axis.center) == center
            else:
                center_there = (
                    axis.center.to_value("TeV") if axis.is_energy_axis else axis.center
                )
                np.testing.assert_allclose(np.asarray(center_there), center)
    print(f"{len(numbers)} maps agree")


def compare_region(geom, expected: dict, file: str) -> None:
    """The peer's middle is that of a box around the region, and its solid angle is flat."""
    from astropy.coordinates import SkyCoord

    there = SkyCoord(expected["lon"][0][0], expected["lat"][0][0], unit="deg", frame=geom.frame)
    away = geom.center_skydir.separation(there).deg
    assert away < (1.0 if "polygon" in file else 1e-3), (file, away)
    if "point" not in file:
        ratio = geom.solid_angle().to_value("sr") / expected["solid_angle"]
        assert abs(ratio - 1) < 2e-2, (file, ratio)


if __name__ == "__main__":
    {"write": write, "compare": compare}[sys.argv[1]](Path(sys.argv[2]))
