"""Likelihoods, fits, errors and posteriors."""

from gammajax.inference.collectives import LostProcess
from gammajax.inference.fit import Fit
from gammajax.inference.laplace import laplace
from gammajax.inference.likelihood import Likelihood
from gammajax.inference.population import Population
from gammajax.inference.posterior import Posterior
from gammajax.inference.predictive import PredictiveCheck, posterior_predictive
from gammajax.inference.processes import start_distributed
from gammajax.inference.profile import (
    Contour,
    Interval,
    Profile,
    Surface,
    confidence,
    stat_contour,
    stat_profile,
    stat_surface,
    upper_limit,
)
from gammajax.inference.result import FitResult
from gammajax.inference.sample import sample
from gammajax.inference.sharded import ShardedLikelihood
from gammajax.inference.svi import svi
from gammajax.inference.toys import Toys, fit_toys
from gammajax.inference.watched import Checkpoint

__all__ = [
    "Checkpoint",
    "Contour",
    "Fit",
    "FitResult",
    "Interval",
    "Likelihood",
    "LostProcess",
    "Population",
    "Posterior",
    "PredictiveCheck",
    "Profile",
    "ShardedLikelihood",
    "Surface",
    "Toys",
    "confidence",
    "fit_toys",
    "laplace",
    "posterior_predictive",
    "sample",
    "start_distributed",
    "stat_contour",
    "stat_profile",
    "stat_surface",
    "svi",
    "upper_limit",
]
