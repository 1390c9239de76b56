"""Flux points, light curves and maps: many fits of a norm, in compiled batches."""

from gammajax.estimators.flux_points import FluxPointsEstimator
from gammajax.estimators.light_curve import LightCurveEstimator

__all__ = ["FluxPointsEstimator", "LightCurveEstimator"]
