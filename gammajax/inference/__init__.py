"""Likelihoods, fits, errors and posteriors."""

from gammajax.inference.fit import Fit
from gammajax.inference.likelihood import Likelihood
from gammajax.inference.result import FitResult

__all__ = ["Fit", "FitResult", "Likelihood"]
