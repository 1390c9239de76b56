"""Binned data and its axes."""

from gammajax.maps.axes import MapAxis

__all__ = ["MapAxis"]
