"""Posteriors by Markov chains."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from gammajax.inference.approximate import coordinates
from gammajax.inference.fit import Fit
from gammajax.inference.likelihood import Likelihood
from gammajax.inference.population import Population, described
from gammajax.inference.posterior import Posterior
from gammajax.inference.progress import Progress
from gammajax.inference.result import FitResult
from gammajax.inference.timing import Stopwatch

CHUNKS = 20
"""Parts in which steps are made; the progress bar moves between them."""


def sample(
    start: Likelihood | FitResult,
    *,
    n_chains: int = 4,
    n_warmup: int = 300,
    n_samples: int = 1000,
    seed: int = 0,
    target_accept: float = 0.8,
    max_tree_depth: int = 10,
    mass: str = "auto",
    population: Population | Sequence[Population] = (),
    progress: bool = True,
) -> Posterior:
    """Draw from the posterior with NUTS, in coordinates whitened by a fit.

    Parameters
    ----------
    start : `~gammajax.inference.FitResult` or `~gammajax.inference.Likelihood`
        A likelihood is fitted first. Priors are those of the parameter table; a parameter
        without one has a flat prior between its bounds.
    n_chains, n_warmup, n_samples : int
        Chains, and for each of them steps to adapt and draws to keep.
    seed : int
    target_accept : float
        Acceptance that the step size is adapted to; raise it if transitions diverge.
    max_tree_depth : int
    mass : {"auto", "dense", "blocks"}
        The mass matrix. ``dense`` is the covariance of the fit; ``blocks`` is made of the
        second derivatives of each component, and of the few directions in which components
        hang together (`gammajax.inference.structured`): its memory grows with the number of
        parameters, and not with its square. ``auto`` takes ``dense`` up to 300 parameters.
    population : `Population`, or a sequence of them
        Distributions that some parameters come from, whose means and widths are drawn too.
        They take ``blocks``.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    posterior : `Posterior`
        Look at ``posterior.problems()`` before trusting it.
    """
    from gammajax.inference import nuts

    result = start if isinstance(start, FitResult) else Fit().run(start)
    likelihood = result.likelihood
    for what, number in (
        ("n_chains", n_chains),
        ("n_warmup", n_warmup),
        ("n_samples", n_samples),
    ):
        if number < 1:
            raise ValueError(f"sample: {what} is {number}, expected 1 or more")
    populations = (population,) if isinstance(population, Population) else tuple(population)
    whitening = coordinates(result, mass, populations)
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n_chains, whitening.size))
    keys = jax.random.split(jax.random.key(seed), n_chains)
    options: dict[str, Any] = {
        "n_warmup": n_warmup,
        "target": target_accept,
        "depth": max_tree_depth,
    }
    began, total = time.perf_counter(), n_warmup + n_samples
    n_steps = -(-total // CHUNKS)
    parts = []
    with Stopwatch() as watch, Progress("sampling", total, progress) as bar:
        states = nuts.begin(likelihood.problem, whitening, z, keys, **options)
        while len(parts) * n_steps < total:
            states, draws = nuts.advance(
                likelihood.problem, whitening, states, n_steps=n_steps, **options
            )
            parts.append(jax.tree_util.tree_map(np.asarray, draws))
            bar.advance(n_steps)
    draws = jax.tree_util.tree_map(
        lambda *arrays: np.concatenate(arrays, axis=1)[:, n_warmup:total], *parts
    )
    names, units = described(likelihood, populations)
    return Posterior(
        names=names,
        units=units,
        samples=draws.theta,
        sample_stats={
            "diverging": draws.diverging,
            "accept_prob": draws.accept_prob,
            "n_leapfrog": draws.n_leapfrog,
            "lp": -draws.potential,
        },
        settings={
            "method": "NUTS",
            "n_chains": n_chains,
            "n_warmup": n_warmup,
            "n_samples": n_samples,
            "seed": seed,
            "target_accept": target_accept,
            "mass": "dense" if whitening.dense else "blocks",
            "seconds": {"total": time.perf_counter() - began, "compile": watch.compile},
        },
        likelihood=likelihood,
    )
