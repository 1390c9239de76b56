"""Flux points, light curves and maps: many fits of a norm, in compiled batches."""

from gammajax.estimators.asmooth import ASmoothMapEstimator
from gammajax.estimators.excess_map import ExcessMapEstimator
from gammajax.estimators.flux_maps import FluxMaps
from gammajax.estimators.flux_points import FluxPointsEstimator
from gammajax.estimators.forecast import Forecast, forecast
from gammajax.estimators.light_curve import LightCurveEstimator
from gammajax.estimators.morphology import EnergyDependentMorphologyEstimator
from gammajax.estimators.morphology_result import EnergyDependentMorphology, SpatialLaw
from gammajax.estimators.parameter import ParameterEstimator
from gammajax.estimators.peaks import find_peaks
from gammajax.estimators.pointing_forecast import PointingForecast
from gammajax.estimators.profile import (
    FluxProfile,
    FluxProfileEstimator,
    boxes_along,
    rings_around,
)
from gammajax.estimators.regularized import RegularizedFluxPointsEstimator
from gammajax.estimators.sensitivity import SensitivityEstimator
from gammajax.estimators.toys import toy_norms
from gammajax.estimators.ts_map import TSMapEstimator
from gammajax.estimators.variability import (
    bayesian_blocks,
    compute_chisq,
    compute_flux_doubling,
    compute_fpp,
    compute_fvar,
    structure_function,
)

__all__ = [
    "ASmoothMapEstimator",
    "EnergyDependentMorphology",
    "EnergyDependentMorphologyEstimator",
    "ExcessMapEstimator",
    "FluxMaps",
    "FluxPointsEstimator",
    "FluxProfile",
    "FluxProfileEstimator",
    "Forecast",
    "LightCurveEstimator",
    "PointingForecast",
    "ParameterEstimator",
    "RegularizedFluxPointsEstimator",
    "SensitivityEstimator",
    "SpatialLaw",
    "TSMapEstimator",
    "bayesian_blocks",
    "boxes_along",
    "compute_chisq",
    "compute_flux_doubling",
    "compute_fpp",
    "compute_fvar",
    "find_peaks",
    "forecast",
    "rings_around",
    "structure_function",
    "toy_norms",
]
