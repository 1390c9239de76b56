"""Flux points, light curves and maps: many fits of a norm, in compiled batches."""

from gammajax.estimators.counts_statistic import CashCountsStatistic, WStatCountsStatistic
from gammajax.estimators.excess_map import ExcessMapEstimator
from gammajax.estimators.flux_maps import FluxMaps
from gammajax.estimators.flux_points import FluxPointsEstimator
from gammajax.estimators.light_curve import LightCurveEstimator
from gammajax.estimators.peaks import find_peaks
from gammajax.estimators.ts_map import TSMapEstimator

__all__ = [
    "CashCountsStatistic",
    "ExcessMapEstimator",
    "FluxMaps",
    "FluxPointsEstimator",
    "LightCurveEstimator",
    "TSMapEstimator",
    "WStatCountsStatistic",
    "find_peaks",
]
