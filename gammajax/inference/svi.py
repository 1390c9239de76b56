r"""Variational inference: a fast approximation to a posterior.

The guide is a multivariate normal, :math:`z = m + L \epsilon`. The bound on the evidence is
averaged over a fixed set of :math:`\epsilon` with exactly zero mean and unit covariance, so it
is a smooth function of m and L, and L-BFGS finds its maximum to machine precision: no learning
rate, no noise (Giordano, Ingram and Broderick 2024, JMLR 25, 18). Because z is whitened by a
fit, m and L start near 0 and the identity.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from gammajax.config import program
from gammajax.inference.approximate import posterior_of_draws
from gammajax.inference.descent import descend
from gammajax.inference.fit import Fit
from gammajax.inference.likelihood import Likelihood
from gammajax.inference.low_rank import low_rank_guide
from gammajax.inference.population import Population
from gammajax.inference.posterior import Posterior
from gammajax.inference.problem import Problem
from gammajax.inference.result import FitResult
from gammajax.inference.whitening import Whitening, potential

MAX_STEPS = 500


def svi(
    start: Likelihood | FitResult,
    *,
    n_draws: int = 256,
    n_samples: int = 4000,
    rank: int | None = None,
    n_steps: int = 1000,
    population: Population | Sequence[Population] = (),
    seed: int = 0,
) -> Posterior:
    """Approximate the posterior by a multivariate normal in whitened coordinates.

    Up to some hundred parameters the guide has a full covariance, and is found without noise.
    For more, give a ``rank``: see `gammajax.inference.low_rank`.

    Parameters
    ----------
    start : `~gammajax.inference.FitResult` or `~gammajax.inference.Likelihood`
        A likelihood is fitted first.
    n_draws : int
        Fixed draws that the bound is averaged over; at least four for each parameter.
    n_samples : int
        Draws from the guide.
    rank : int, optional
        The covariance of the guide is diagonal plus a matrix of this rank, in coordinates
        made of blocks of components. It is found by stochastic steps.
    n_steps : int
        Their number; of a guide of full rank, it is decided by the gradient.
    population : `Population`, or a sequence of them
        As in `~gammajax.inference.sample`; with a ``rank``.
    seed : int

    Returns
    -------
    posterior : `Posterior`
        With one chain. ``settings["importance_efficiency"]`` is the effective fraction of the
        draws when weighted to the exact posterior: near 1 the guide is right, below 0.5 use
        `sample`.
    """
    result = start if isinstance(start, FitResult) else Fit().run(start)
    populations = (population,) if isinstance(population, Population) else tuple(population)
    if rank is not None:
        return low_rank_guide(result, rank, n_steps, n_samples, seed, populations)
    if populations:
        raise ValueError("svi: a population needs a guide of low rank; give a rank, e.g. 8")
    likelihood = result.likelihood
    whitening = Whitening.from_fit(result)
    began = time.perf_counter()
    rng = np.random.default_rng(seed)
    noise = _standard(rng, max(n_draws, 4 * likelihood.n_free), likelihood.n_free)
    arguments = (likelihood.problem, whitening)
    mean, half, bound, number = _maximise(*arguments, noise)
    mean, half = np.asarray(mean), np.asarray(half)
    fresh = rng.normal(size=(n_samples, likelihood.n_free))
    settings = {
        "method": "SVI",
        "n_draws": len(noise),
        "n_samples": n_samples,
        "n_steps": int(number),
        "seed": seed,
        "elbo": float(bound),
    }
    log_guide = -0.5 * np.sum(fresh**2, axis=1)
    z = mean + fresh @ half.T
    return posterior_of_draws(likelihood, whitening, z, log_guide, settings, began)


def _standard(rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """Normal draws in pairs of opposite sign, with a covariance of exactly one."""
    half = rng.normal(size=((n + 1) // 2, size))
    both = np.concatenate([half, -half])
    factor = np.linalg.cholesky(both.T @ both / len(both))
    return np.linalg.solve(factor, both.T).T


def _lower(packed: Any) -> Any:
    """A lower triangular matrix with a positive diagonal."""
    return jnp.tril(packed, -1) + jnp.diag(jnp.exp(jnp.diag(packed)))


@program
def _maximise(problem: Problem, whitening: Whitening, noise: Any) -> tuple[Any, Any, Any, Any]:
    """Mean and Cholesky factor of the guide, the bound, and the steps it took."""
    size = noise.shape[1]

    def loss(guide: tuple[Any, Any]) -> Any:
        mean, packed = guide
        z = mean + noise @ _lower(packed).T
        energy = jax.vmap(lambda one: potential(problem, whitening, one))(z)
        return jnp.mean(energy) - jnp.sum(jnp.diag(packed))

    start = (jnp.zeros(size), jnp.zeros((size, size)))
    guide, step = descend(loss, start, optax.lbfgs(memory_size=20), 1e-5, MAX_STEPS)
    entropy = 0.5 * size * (1 + jnp.log(2 * jnp.pi))
    return guide[0], _lower(guide[1]), entropy - loss(guide), step
