r"""Variational inference for hundreds to thousands of parameters.

The guide is a normal distribution whose covariance is diagonal plus a matrix of low rank,

.. math:: z = m + W \epsilon_1 + d \epsilon_2, \qquad \mathrm{cov}(z) = W W^T + d^2,

in coordinates that blocks of components whiten (`gammajax.inference.structured`). So it
starts at the fit with m = 0, d = 1, and has to find only what is not normal about the
posterior. Steps are Adam's on the evidence bound, with few draws in each. The gradient is the
one along the path of the draws alone (Roeder, Wu and Duvenaud 2017): its noise vanishes as the
guide becomes right. The step size falls to nothing, and the guide is the mean of the second
half of the steps.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from gammajax.config import program
from gammajax.inference.approximate import coordinates, posterior_of_draws
from gammajax.inference.population import Population
from gammajax.inference.posterior import Posterior
from gammajax.inference.problem import Problem
from gammajax.inference.result import FitResult
from gammajax.inference.whitening import potential

RATE = 0.02
"""Step size at the begin, in units of the errors."""

DRAWS = 4
"""Draws of a step."""


class LowRank(NamedTuple):
    """The guide: mean (n,), W (n, rank), and the logarithm of d (n,)."""

    mean: Any
    factor: Any
    log_scale: Any

    def density(self) -> Any:
        """As a NumPyro distribution."""
        from numpyro.distributions import LowRankMultivariateNormal

        scale = jnp.exp(2 * self.log_scale)
        return LowRankMultivariateNormal(self.mean, self.factor, scale)


def low_rank_guide(
    result: FitResult,
    rank: int,
    n_steps: int,
    n_samples: int,
    seed: int,
    populations: Sequence[Population] = (),
) -> Posterior:
    """The posterior of a guide of low rank; see `~gammajax.inference.svi`."""
    for what, number in (("rank", rank), ("n_steps", n_steps), ("n_samples", n_samples)):
        if number < 1:
            raise ValueError(f"svi: {what} is {number}, expected 1 or more")
    began = time.perf_counter()
    whitening = coordinates(result, "blocks", populations)
    rng = np.random.default_rng(seed)
    number = whitening.size
    rank = min(rank, number)
    start = LowRank(np.zeros(number), 0.01 * rng.normal(size=(number, rank)), np.zeros(number))
    problem = result.likelihood.problem
    guide, bounds = _optimised(problem, whitening, start, jax.random.key(seed), n_steps)
    guide = LowRank(*(np.asarray(part) for part in guide))
    noise = rng.normal(size=(n_samples, rank + number))
    z = guide.mean + noise[:, :rank] @ guide.factor.T
    z = z + np.exp(guide.log_scale) * noise[:, rank:]
    log_guide = np.asarray(guide.density().log_prob(z))
    settings = {
        "method": "SVI",
        "rank": rank,
        "n_steps": n_steps,
        "n_samples": n_samples,
        "seed": seed,
        "elbo": float(np.mean(np.asarray(bounds)[-max(1, n_steps // 10) :])),
    }
    return posterior_of_draws(
        result.likelihood, whitening, z, log_guide, settings, began, populations
    )


@partial(program, static_argnames=("n_steps",))
def _optimised(
    problem: Problem, whitening: Any, start: LowRank, key: Any, n_steps: int
) -> tuple[LowRank, Any]:
    """The mean guide of the second half of the steps, and the bound at each step."""
    number, rank = start.factor.shape
    solver = optax.adam(optax.cosine_decay_schedule(RATE, n_steps))

    def loss(guide: LowRank, noise: Any) -> Any:
        z = guide.mean + guide.factor @ noise[:rank] + jnp.exp(guide.log_scale) * noise[rank:]
        fixed = jax.tree_util.tree_map(jax.lax.stop_gradient, guide)
        return potential(problem, whitening, z) + fixed.density().log_prob(z)

    def step(carry: Any, place: Any) -> Any:
        guide, state, mean, key = carry
        key, own = jax.random.split(key)
        half = jax.random.normal(own, (DRAWS // 2, rank + number))
        noise = jnp.concatenate([half, -half])

        def one(noise: Any) -> Any:
            return jax.value_and_grad(loss)(guide, noise)

        values, slopes = jax.lax.map(one, noise)
        slope = jax.tree_util.tree_map(lambda leaf: jnp.mean(leaf, axis=0), slopes)
        updates, state = solver.update(slope, state)
        guide = optax.apply_updates(guide, updates)
        share = jnp.where(place >= n_steps // 2, 1 / (n_steps - n_steps // 2), 0.0)
        mean = jax.tree_util.tree_map(lambda m, g: m + share * g, mean, guide)
        return (guide, state, mean, key), -jnp.mean(values)

    start = jax.tree_util.tree_map(jnp.asarray, start)
    empty = jax.tree_util.tree_map(jnp.zeros_like, start)
    carry = start, solver.init(start), empty, key
    (_, _, mean, _), bounds = jax.lax.scan(step, carry, jnp.arange(n_steps))
    return mean, bounds
