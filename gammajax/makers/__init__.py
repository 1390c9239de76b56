"""Data reduction: from runs to datasets."""

from gammajax.makers.datasets import DatasetsMaker, ReducedDatasets, RunsFailedWarning
from gammajax.makers.fov_background import FoVBackgroundMaker
from gammajax.makers.maps import MapDatasetMaker
from gammajax.makers.phase import PhaseBackgroundMaker
from gammajax.makers.reflected import ReflectedRegionsBackgroundMaker
from gammajax.makers.regions_finder import (
    ReflectedRegionsFinder,
    RegionsFinder,
    WobbleRegionsFinder,
)
from gammajax.makers.ring import AdaptiveRingBackgroundMaker, RingBackgroundMaker
from gammajax.makers.safe_mask import SafeMaskMaker
from gammajax.makers.spectrum import SpectrumDatasetMaker
from gammajax.makers.theta_squared import make_theta_squared_table

__all__ = [
    "AdaptiveRingBackgroundMaker",
    "DatasetsMaker",
    "FoVBackgroundMaker",
    "MapDatasetMaker",
    "PhaseBackgroundMaker",
    "ReducedDatasets",
    "ReflectedRegionsBackgroundMaker",
    "ReflectedRegionsFinder",
    "RegionsFinder",
    "RingBackgroundMaker",
    "RunsFailedWarning",
    "SafeMaskMaker",
    "SpectrumDatasetMaker",
    "WobbleRegionsFinder",
    "make_theta_squared_table",
]
