"""Binned data, its axes and its geometry on the sky."""

from gammajax.maps.axes import MapAxis
from gammajax.maps.map_axes import MapAxes
from gammajax.maps.other_axes import LabelMapAxis, TimeMapAxis

__all__ = ["LabelMapAxis", "MapAxes", "MapAxis", "TimeMapAxis"]
