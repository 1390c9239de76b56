"""Data reduction: from runs to datasets."""

from gammajax.makers.fov_background import FoVBackgroundMaker
from gammajax.makers.maps import MapDatasetMaker
from gammajax.makers.reflected import ReflectedRegionsBackgroundMaker
from gammajax.makers.regions_finder import (
    ReflectedRegionsFinder,
    RegionsFinder,
    WobbleRegionsFinder,
)
from gammajax.makers.safe_mask import SafeMaskMaker
from gammajax.makers.spectrum import SpectrumDatasetMaker

__all__ = [
    "FoVBackgroundMaker",
    "MapDatasetMaker",
    "ReflectedRegionsBackgroundMaker",
    "ReflectedRegionsFinder",
    "RegionsFinder",
    "SafeMaskMaker",
    "SpectrumDatasetMaker",
    "WobbleRegionsFinder",
]
