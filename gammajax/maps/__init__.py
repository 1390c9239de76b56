"""Binned data, its axes and its geometry on the sky."""

from gammajax.maps.axes import MapAxis
from gammajax.maps.geom import MapCoord
from gammajax.maps.map_axes import MapAxes
from gammajax.maps.other_axes import LabelMapAxis, TimeMapAxis
from gammajax.maps.wcs_geom import WcsGeom

__all__ = ["LabelMapAxis", "MapAxes", "MapAxis", "MapCoord", "TimeMapAxis", "WcsGeom"]
