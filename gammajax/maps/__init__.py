"""Binned data, its axes and its geometry on the sky.

Maps need JAX, and are loaded when they are first used; axes and geometries do not.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gammajax.maps.axes import MapAxis
from gammajax.maps.frames import frame_rotation
from gammajax.maps.geom import MapCoord
from gammajax.maps.hpx_geom import HpxGeom
from gammajax.maps.map_axes import MapAxes
from gammajax.maps.other_axes import LabelMapAxis, TimeMapAxis
from gammajax.maps.region_geom import RegionGeom
from gammajax.maps.wcs_geom import WcsGeom

if TYPE_CHECKING:
    from gammajax.maps.core import Map
    from gammajax.maps.hpx_map import HpxNDMap
    from gammajax.maps.projection import SkyToPix
    from gammajax.maps.region_map import RegionNDMap
    from gammajax.maps.wcs_map import WcsNDMap

__all__ = [
    "HpxGeom",
    "HpxNDMap",
    "LabelMapAxis",
    "Map",
    "MapAxes",
    "MapAxis",
    "MapCoord",
    "RegionGeom",
    "RegionNDMap",
    "SkyToPix",
    "TimeMapAxis",
    "WcsGeom",
    "WcsNDMap",
    "frame_rotation",
]

_LATER = {
    "HpxNDMap": "hpx_map",
    "Map": "core",
    "RegionNDMap": "region_map",
    "SkyToPix": "projection",
    "WcsNDMap": "wcs_map",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        module = importlib.import_module(f"gammajax.maps.{_LATER[name]}")
        return getattr(module, name)
    raise AttributeError(f"module 'gammajax.maps' has no attribute {name!r}")
