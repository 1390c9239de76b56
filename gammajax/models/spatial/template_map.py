"""What templates take from their maps: values in a known unit, energies, centres."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gammajax.maps import HpxGeom, Map, WcsGeom
from gammajax.models.spatial.sphere import DEG
from gammajax.units import ENERGY, conversion_factor

DENSITY = "sr-1"
BRIGHTNESS = "cm-2 s-1 TeV-1 sr-1"
ENERGY_AXES = ("energy_true", "energy")


def checked(map: Map, kind: str, normalize: bool) -> tuple[np.ndarray, str]:
    """The values of a map in a canonical unit, and the unit.

    Raises
    ------
    ValueError
        If a value is not finite, or the unit is no density.
    """
    values = np.asarray(map.data, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(
            f"{kind}: {int((~np.isfinite(values)).sum())} values of the map are not finite; "
            "give them values, such as 0"
        )
    if normalize:
        sky = (-1,) if isinstance(map.geom, HpxGeom) else (-2, -1)
        total = np.sum(values * map.geom.solid_angle(), axis=sky, keepdims=True)
        if not (total > 0).all():
            raise ValueError(
                f"{kind}: an image of the map has the sum {total.min():g}, expected one above "
                "0 to normalise it; set normalize=False"
            )
        return values / total, DENSITY
    unit = map.unit or DENSITY
    for known in (DENSITY, BRIGHTNESS):
        try:
            return values * conversion_factor(unit, known, where=kind), known
        except ValueError:
            continue
    raise ValueError(
        f"{kind}: the map has the unit {unit!r}, expected one of {DENSITY} or {BRIGHTNESS}; "
        "normalize=True makes a density of any"
    )


def energies(geom: Any) -> np.ndarray:
    """The energies of a map in TeV."""
    axis = next(axis for axis in geom.axes if axis.name in ENERGY_AXES)
    return axis.center * conversion_factor(axis.unit or ENERGY, ENERGY, where="template")


def middle(geom: Any) -> tuple[float, float]:
    """The centre of a map in degrees; that of a map of HEALPix pixels is the origin."""
    if isinstance(geom, HpxGeom):
        return 0.0, 0.0
    center = geom.center_skydir.spherical
    return float(center.lon.deg), float(center.lat.deg)


def farthest(geom: WcsGeom) -> float:
    """Angle in radians from the centre to the farthest pixel of a map."""
    found = float(np.nanmax(geom.separation(geom.center_skydir)))
    return (found + float(np.max(geom.pixel_scales))) * DEG


def absolute(filename: str, kind: str) -> str:
    """The path for a model file.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not filename:
        raise ValueError(
            f"a {kind} is kept in a file of its own, and this one names none; write its map, "
            "and give it the filename"
        )
    return str(Path(filename).absolute())
