"""Posteriors by Markov chains."""

from __future__ import annotations

import time
from typing import Any

import jax
import numpy as np

from gammajax.inference.fit import Fit
from gammajax.inference.likelihood import Likelihood
from gammajax.inference.posterior import Posterior
from gammajax.inference.progress import Progress
from gammajax.inference.result import FitResult
from gammajax.inference.timing import Stopwatch
from gammajax.inference.whitening import Whitening

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
    whitening = Whitening.from_fit(result)
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n_chains, likelihood.n_free))
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
    return Posterior(
        names=likelihood.names,
        units=tuple(likelihood.models.parameters[name].unit for name in likelihood.names),
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
            "seconds": {"total": time.perf_counter() - began, "compile": watch.compile},
        },
        likelihood=likelihood,
    )
