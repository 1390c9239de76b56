"""Many conditional fits as one compiled batch: what profiles and contours are made of."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np

from gammajax.config import program
from gammajax.inference.newton import CONVERGED, newton
from gammajax.inference.problem import Problem
from gammajax.inference.result import FitResult

BATCHES = (8, 64, 512)
"""Numbers of conditional fits that run side by side; the rest wait, so memory is bounded."""


class Conditional(NamedTuple):
    """Minima with some parameters held: one row for each point of a scan."""

    x: np.ndarray
    stat: np.ndarray
    converged: np.ndarray


@partial(program, static_argnames=("max_steps",))
def _conditional(
    problem: Problem, starts: Any, free: Any, tolerance: float, max_steps: int
) -> tuple[Any, Any, Any]:
    def one(x: Any, mask: Any) -> tuple[Any, Any, Any]:
        held = eqx.tree_at(lambda p: p.space.free, problem, mask)
        state = newton(held, x, tolerance, max_steps)
        return state.x, state.at.stat, state.status

    return jax.vmap(one)(starts, free)


def conditional_fits(
    result: FitResult, held: np.ndarray, values: np.ndarray, tolerance: float = 1e-8
) -> Conditional:
    """Fit all free parameters but the held ones, at each point.

    Parameters
    ----------
    result : `~gammajax.inference.FitResult`
        Where to start from: the others start on the line that the covariance predicts.
    held : array of int, shape (n_points, n_held)
        Which free parameters are held, as positions in ``result.names``.
    values : array, shape (n_points, n_held)
        What they are held at.
    tolerance : float
        See `~gammajax.inference.Fit`.

    Returns
    -------
    fits : `Conditional`
    """
    held, values = np.atleast_2d(held), np.atleast_2d(values)
    problem, index = result.likelihood.problem, result.likelihood._index
    covariance = result.covariance
    theta = np.repeat(result.theta[None, :], len(values), axis=0)
    rows = np.arange(len(values))[:, None]
    if np.all(np.isfinite(covariance)):
        shift = values - result.theta[held]
        block = covariance[held[:, :, None], held[:, None, :]]
        weight = np.linalg.pinv(block, hermitian=True) @ shift[:, :, None]
        theta = theta + (covariance[held].transpose(0, 2, 1) @ weight)[:, :, 0]
    theta[rows, held] = values
    x = np.repeat(np.asarray(problem.space.value)[None, :], len(values), axis=0)
    free = np.repeat(np.asarray(problem.space.free)[None, :], len(values), axis=0)
    x[:, index] = theta
    free[rows, index[held]] = False
    x, stat, status = _in_batches(problem, x, free, tolerance)
    return Conditional(x[:, index], stat, status == CONVERGED)


def _in_batches(
    problem: Problem, x: np.ndarray, free: np.ndarray, tolerance: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Run the points in batches of one of a few sizes, so that few programs are compiled."""
    size = next((s for s in BATCHES if len(x) <= s), BATCHES[-1])
    parts = []
    for first in range(0, len(x), size):
        places = np.minimum(np.arange(first, first + size), len(x) - 1)
        parts.append(_conditional(problem, x[places], free[places], tolerance, 200))
    joined = (
        np.concatenate([np.asarray(a) for a in column]) for column in zip(*parts, strict=True)
    )
    x, stat, status = (column[: len(free)] for column in joined)
    return x, stat, status
