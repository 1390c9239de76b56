"""What approximations of a posterior share: draws of a normal guide, weighed and packed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from gammajax.config import program
from gammajax.inference.likelihood import Likelihood
from gammajax.inference.population import Population, PopulationWhitening, described
from gammajax.inference.posterior import Posterior
from gammajax.inference.problem import Problem
from gammajax.inference.result import FitResult
from gammajax.inference.whitening import Whitening, potential

AT_ONCE = 4096
"""Free parameters of the draws whose density is evaluated side by side."""


MASSES = ("auto", "dense", "blocks")

MANY = 300
"""Free parameters above which the mass matrix is made of blocks."""


def coordinates(
    result: FitResult, mass: str, populations: Sequence[Population] = ()
) -> Whitening | PopulationWhitening:
    """The coordinates that a posterior is drawn in; see `~gammajax.inference.sample`."""
    if mass not in MASSES:
        raise ValueError(f"mass is {mass!r}, expected one of {', '.join(MASSES)}")
    if populations and mass == "dense":
        raise ValueError("mass is 'dense', and a population needs 'blocks'")
    if mass == "dense" or (mass == "auto" and result.theta.size <= MANY and not populations):
        return Whitening.from_fit(result)
    whitening = Whitening.structured(result)
    if not populations:
        return whitening
    return PopulationWhitening.create(whitening, result.likelihood, populations)


def posterior_of_draws(
    likelihood: Likelihood,
    whitening: Any,
    z: np.ndarray,
    log_guide: np.ndarray,
    settings: dict[str, Any],
    began: float,
    populations: Sequence[Population] = (),
) -> Posterior:
    """The posterior of draws from a guide, with its effective fraction of exact ones.

    Parameters
    ----------
    likelihood : `~gammajax.inference.Likelihood`
    whitening : `~gammajax.inference.whitening.Whitening`
    z : array, shape (draw, n)
        In whitened coordinates.
    log_guide : array, shape (draw,)
        Logarithm of the density of the guide there, up to a constant.
    settings : dict
        What to say about how they were made.
    began : float
        `time.perf_counter` at the begin.
    populations : sequence of `~gammajax.inference.Population`
    """
    kept, log_density = _evaluate(likelihood.problem, whitening, z)
    log_density = np.asarray(log_density)
    log_weight = log_density - log_guide
    # where the statistic is not finite there is no posterior
    log_weight = np.where(np.isfinite(log_weight), log_weight, -np.inf)
    weight = np.exp(log_weight - log_weight.max())
    efficiency = float(weight.sum() ** 2 / np.sum(weight**2) / len(weight))
    names, units = described(likelihood, populations)
    return Posterior(
        names=names,
        units=units,
        samples=np.asarray(kept)[None],
        sample_stats={"lp": log_density[None]},
        settings={
            **settings,
            "importance_efficiency": efficiency,
            "seconds": {"total": time.perf_counter() - began},
        },
        likelihood=likelihood,
    )


@program
def _evaluate(problem: Problem, whitening: Any, z: Any) -> tuple[Any, Any]:
    def one(z: Any) -> tuple[Any, Any]:
        return whitening.theta(z)[0], -potential(problem, whitening, z)

    return jax.lax.map(one, z, batch_size=max(1, AT_ONCE // z.shape[1]))
