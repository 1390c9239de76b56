"""Write ``data/maps.json`` and maps of gammapy, of pixels and of regions, in ``data``.

Run it by hand in an environment with gammapy 2.1: ``python tests/peer/freeze_maps.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import astropy.units as u
import gammapy
import numpy as np
from gammapy.maps import HpxGeom, HpxNDMap, Map, MapAxis, RegionNDMap, WcsGeom

FOLDER = Path(__file__).resolve().parent / "data"
GEOMETRIES = [
    {"skydir": [83.63, 22.01], "npix": [6, 5], "binsz": 0.1, "proj": "TAN", "frame": "icrs"},
    {"skydir": [83.63, 22.01], "npix": [7, 4], "binsz": 0.5, "proj": "CAR", "frame": "icrs"},
    {"skydir": [359.9, -5.0], "npix": [6, 6], "binsz": 0.2, "proj": "CAR", "frame": "galactic"},
    {"skydir": [120.0, 40.0], "npix": [5, 5], "binsz": 1.0, "proj": "AIT", "frame": "galactic"},
]


def geometry(options: dict) -> dict:
    """Positions and solid angles of a geometry."""
    pairs = {key: tuple(options[key]) for key in ("skydir", "npix")}
    geom = WcsGeom.create(**{**options, **pairs})
    coords = geom.get_coord()
    return {
        "options": options,
        "lon": coords["lon"].value.tolist(),
        "lat": coords["lat"].value.tolist(),
        "solid_angle": geom.solid_angle().to_value("sr").tolist(),
    }


REGIONS = {
    "circle": "icrs;circle(83.63, 22.01, 0.5)",
    "annulus": "galactic;annulus(0.1, -0.2, 0.5, 1)",
    "ellipse": "icrs;ellipse(83, -62, 1, 0.5, 130)",
    "box": "icrs;box(83, 22, 1, 0.5, 30)",
    "polygon": "icrs;polygon(0.1, 22, 0.5, 22, 0.5, 22.5)",
    "point": "icrs;point(83.63, 22.01)",
}


def freeze_regions() -> None:
    """One small file for each region, and what the peer says of it."""
    energy = MapAxis.from_energy_bounds("100 GeV", "10 TeV", nbin=2)
    numbers = {"gammapy": gammapy.__version__}
    for name, text in REGIONS.items():
        # the peer does not find the middle of a polygon by itself
        plane = WcsGeom.create(skydir=(0.3, 22.2), npix=20, binsz=0.1, proj="TAN")
        wcs = plane.wcs if name == "polygon" else None
        found = RegionNDMap.create(text, axes=[energy], unit="m2", wcs=wcs)
        found.data = np.array([1.5, 2.5]).reshape(2, 1, 1)
        found.write(FOLDER / f"region_{name}.fits.gz", overwrite=True)
        points = found.geom.to_wcs_geom(width_min="2 deg").to_image().get_coord().skycoord
        points = points.flatten()[::7]
        inside = found.geom.region.contains(points, found.geom.wcs) if name != "point" else []
        numbers[name] = {
            "region": text,
            "lon": points.spherical.lon.deg.round(6).tolist(),
            "lat": points.spherical.lat.deg.round(6).tolist(),
            "inside": [bool(item) for item in inside],
            "solid_angle": found.geom.solid_angle().to_value("sr"),
        }
    (FOLDER / "regions.json").write_text(json.dumps(numbers, indent=None) + "\n")


def freeze_healpix() -> None:
    """Small HEALPix maps in the formats that the peer writes."""
    bins = MapAxis.from_energy_bounds("100 GeV", "10 TeV", nbin=2)
    nodes = MapAxis.from_nodes([0.1, 1, 10] * u.TeV, name="energy_true", interp="log")
    cases = {
        "cube": ({"nside": 4, "axes": [bins]}, "gadf", False),
        "nsides": ({"nside": [4, 2], "axes": [bins]}, "gadf", False),
        "sparse": ({"nside": 4, "axes": [bins], "nest": False}, "gadf", True),
        "disk": ({"nside": 16, "axes": [bins], "region": "DISK(83,22,15)"}, "gadf", False),
        "ccube": ({"nside": 4, "axes": [bins]}, "fgst-ccube", False),
        "template": ({"nside": 4, "axes": [nodes], "nest": False}, "fgst-template", False),
    }
    for name, (options, form, sparse) in cases.items():
        found = HpxNDMap(HpxGeom(frame="galactic", **options), unit="cm2 s", dtype=float)
        found.data = np.arange(found.data.size, dtype=float).reshape(found.data.shape)
        found.write(FOLDER / f"hpx_{name}.fits.gz", overwrite=True, format=form, sparse=sparse)


def main() -> None:
    energy = MapAxis.from_energy_bounds("100 GeV", "10 TeV", nbin=2, name="energy")
    theta = MapAxis.from_nodes([0, 0.1, 0.3], unit="deg", name="theta")
    found = Map.create(npix=(4, 3), binsz=0.2, skydir=(83.63, 22.01), axes=[energy, theta])
    found.quantity = np.arange(72.0).reshape(3, 2, 3, 4) * u.Unit("m2 s")
    found.write(FOLDER / "map.fits", overwrite=True)
    points = {
        "skycoord": found.geom.center_skydir.directional_offset_by(
            [0, 1, 4] * u.rad, 0.15 * u.deg
        ),
        "energy": [0.2, 1.0, 3.0] * u.TeV,
        "theta": [0.05, 0.1, 0.25] * u.deg,
    }
    freeze_regions()
    freeze_healpix()
    numbers = {
        "gammapy": gammapy.__version__,
        "geometries": [geometry(options) for options in GEOMETRIES],
        "lon": points["skycoord"].ra.deg.tolist(),
        "lat": points["skycoord"].dec.deg.tolist(),
        "energy": points["energy"].value.tolist(),
        "theta": points["theta"].value.tolist(),
        "interpolated": found.interp_by_coord(points).tolist(),
    }
    (FOLDER / "maps.json").write_text(json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    main()
