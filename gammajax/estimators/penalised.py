r"""Minima of a likelihood with a quadratic penalty on logarithms of parameters.

With :math:`u_i = \ln \theta_i` for the penalised parameters, the minimum of
:math:`S(u) + \lambda\, u^T K u` is found by steps with the Fisher matrix, each shortened until
the sum falls.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.config import program
from gammajax.inference.problem import Problem, derivatives

MOST_STEPS = 100
MOST_HALVES = 30
TOLERANCE = 1e-11
"""Estimated distance to the minimum at which steps end."""

STABLE = 1e-10
"""What is added to the diagonal of a step's matrix, relative to it."""


class Minimum(NamedTuple):
    """Where steps end; ``hessian`` is that of the statistic by u, without the penalty."""

    u: Any
    stat: Any
    penalty: Any
    hessian: Any
    edm: Any


class _At(NamedTuple):
    total: Any
    stat: Any
    gradient: Any
    hessian: Any
    fisher: Any


@program
def minimise(
    problem: Problem, index: Any, in_logs: Any, matrix: Any, strength: Any, u: Any
) -> Minimum:
    """The minimum for one strength.

    Parameters
    ----------
    problem : `~gammajax.inference.problem.Problem`
    index : array of int, shape (n,)
        Where the free parameters stand.
    in_logs : array of bool, shape (n,)
        Which of them are kept as logarithms.
    matrix : array, shape (n, n)
        K; 0 for parameters without a penalty.
    strength : float
    u : array, shape (n,)
        The start.
    """
    low, high = problem.space.min[index], problem.space.max[index]

    def at(u: Any) -> _At:
        theta = jnp.where(in_logs, jnp.exp(jnp.where(in_logs, u, 0.0)), u)
        found = derivatives(problem, problem.space.insert(theta, index))
        slope = jnp.where(in_logs, theta, 1.0)
        gradient = slope * found.gradient
        bend = jnp.diag(jnp.where(in_logs, gradient, 0.0))
        pair = jnp.outer(slope, slope)
        total = found.stat + strength * (u @ matrix @ u)
        return _At(total, found.stat, gradient, found.hessian * pair + bend,
                   found.fisher * pair)  # fmt: skip

    def step(u: Any, here: _At) -> tuple[Any, Any]:
        full = here.fisher + 2 * strength * matrix
        full = full + jnp.diag(STABLE * jnp.diag(full) + 1e-300)
        slope = here.gradient + 2 * strength * (matrix @ u)
        move = -jnp.linalg.solve(full, slope)
        return move, -0.5 * (slope @ move)

    def shortened(u: Any, here: _At, move: Any) -> tuple[Any, _At]:
        def moved(size: Any) -> Any:
            there = u + size * move
            return jnp.where(in_logs, there, jnp.clip(there, low, high))

        def worse(state: Any) -> Any:
            _, there, halves = state
            return ~(there.total <= here.total) & (halves < MOST_HALVES)

        def half(state: Any) -> Any:
            size, _, halves = state
            return size / 2, at(moved(size / 2)), halves + 1

        size, there, _ = jax.lax.while_loop(worse, half, (1.0, at(moved(1.0)), 0))
        better = there.total <= here.total
        kept = jax.tree_util.tree_map(lambda a, b: jnp.where(better, a, b), there, here)
        return jnp.where(better, moved(size), u), kept

    def body(state: Any) -> Any:
        u, here, move, _, number = state
        u, here = shortened(u, here, move)
        move, edm = step(u, here)
        return u, here, move, edm, number + 1

    first = at(u)
    move, edm = step(u, first)
    u, here, _, edm, _ = jax.lax.while_loop(
        lambda state: (state[3] > TOLERANCE) & (state[4] < MOST_STEPS),
        body,
        (u, first, move, edm, 0),
    )
    return Minimum(u, here.stat, u @ matrix @ u, here.hessian, edm)


def curvature_matrix(nodes: np.ndarray) -> np.ndarray:
    r"""K of the integral of the squared second derivative, of values at nodes.

    .. math:: u^T K u \approx \int (u'')^2 dx

    Straight lines have none: the rank is two less than the number of nodes.
    """
    step = np.diff(nodes)
    rows = np.zeros((nodes.size - 2, nodes.size))
    for i in range(nodes.size - 2):
        before, after = step[i], step[i + 1]
        middle = (before + after) / 2
        rows[i, i : i + 3] = np.array([1 / before, -1 / before - 1 / after, 1 / after])
        rows[i] /= np.sqrt(middle)
    return rows.T @ rows
