"""Data reduction: from runs to datasets."""

from gammajax.makers.fov_background import FoVBackgroundMaker
from gammajax.makers.maps import MapDatasetMaker
from gammajax.makers.safe_mask import SafeMaskMaker

__all__ = ["FoVBackgroundMaker", "MapDatasetMaker", "SafeMaskMaker"]
