"""One parameter with everything that a profile likelihood says about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.inference import Fit, Likelihood, confidence, stat_profile
from gammajax.inference.scan import conditional_fits
from gammajax.models import Models


@dataclass(frozen=True, kw_only=True)
class ParameterEstimator:
    """Best fit, errors, limit, test statistic and profile of one free parameter.

    Parameters
    ----------
    n_sigma, n_sigma_ul : float
    null_value : float
        Which value the test statistic compares with, in the unit of the parameter.
    reoptimize : bool, str or list of str
        Which of the other free parameters are fitted: all (True), none, or those that match.
    n_values : int
        Points of the profile, within 3 errors.
    """

    n_sigma: float = 1.0
    n_sigma_ul: float = 2.0
    null_value: float = 0.0
    reoptimize: bool | str | Sequence[str] = True
    n_values: int = 31

    def run(self, datasets: Any, models: Any, parameter: str) -> dict[str, Any]:
        """Measure a parameter.

        Parameters
        ----------
        datasets : `~gammajax.datasets.Datasets`, or an iterable of datasets
        models : `~gammajax.models.Models`
        parameter : str
            The name of a free parameter, such as ``crab.spectral.index``.

        Returns
        -------
        found : dict
            ``value``, ``err``, ``errn``, ``errp``, ``ul``, ``ts``, ``stat``, ``stat_null``,
            ``values_scan``, ``stat_scan``, ``success``, ``message`` and the ``result`` of the
            fit. ``ul`` is NaN where the parameter's bound is reached first, and ``message``
            says so.
        """
        models = models if isinstance(models, Models) else Models(models)
        name = models.parameters.names[models.parameters.index(parameter)]
        likelihood = Likelihood(datasets, self._held(models, name))
        if name not in likelihood.names:
            raise ValueError(f"{name} is frozen or linked: only free parameters are measured")
        result = Fit(tolerance=1e-11).run(likelihood)
        place = result.names.index(name)
        one = confidence(result, name, sigma=self.n_sigma)[name]
        far = confidence(result, name, sigma=self.n_sigma_ul)[name]
        null = conditional_fits(
            result, np.array([[place]]), np.array([[self.null_value]]), 1e-11
        )
        profile = stat_profile(result, name, n_values=self.n_values)
        notes = [result.message] if not result.success else []
        if far.limited_high:
            notes.append("there is no upper limit: the parameter reaches its bound first")
        if one.limited_low or one.limited_high:
            notes.append("an error ends at the bound of the parameter")
        return {
            "value": float(result.theta[place]),
            "err": float(result.errors[place]),
            "errn": one.errn,
            "errp": one.errp,
            "ul": np.nan if far.limited_high else far.high,
            "ts": float(null.stat[0] - result.stat),
            "stat": result.stat,
            "stat_null": float(null.stat[0]),
            "values_scan": profile.values,
            "stat_scan": profile.stat,
            "success": result.success and bool(null.converged[0]),
            "message": "; ".join(notes),
            "result": result,
        }

    def _held(self, models: Models, name: str) -> Models:
        """The models with what is not fitted again frozen."""
        if self.reoptimize is True:
            return models
        kept = {name}
        if self.reoptimize is not False:
            globs = [self.reoptimize] if isinstance(self.reoptimize, str) else self.reoptimize
            for glob in globs:
                kept |= {models.parameters.names[i] for i in models.parameters.match(glob)}
        for other in models.parameters.free_names:
            if other not in kept:
                models = models.freeze(other)
        return models
