"""Minuit's MIGRAD with our gradient, through the iminuit package."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.config import program
from gammajax.inference import problem as pure
from gammajax.inference.first_order import report
from gammajax.inference.newton import NewtonState
from gammajax.inference.problem import Problem


@program
def _stat(problem: Problem, x: Any) -> Any:
    return pure.total_stat(problem, x)


@program
def _gradient(problem: Problem, x: Any) -> Any:
    return pure.gradient(problem, x)[1]


@program
def _curvature(problem: Problem, x: Any) -> Any:
    return pure.derivatives(problem, x).fisher.diagonal()


def minuit(problem: Problem, x: np.ndarray, tolerance: float, max_steps: int) -> NewtonState:
    """Minimise with MIGRAD; parameters are scaled by their Fisher errors.

    Raises
    ------
    ValueError
        If iminuit is not installed.
    """
    try:
        from iminuit import Minuit
    except ImportError:
        raise ValueError(
            "Fit(method='minuit') needs the iminuit package: pip install 'gammajax[minuit]'"
        ) from None
    space = problem.space
    index = np.asarray(problem.active)
    diagonal = np.asarray(_curvature(problem, x))
    scale = np.sqrt(2 / np.where(diagonal > 0, diagonal, 2.0))
    start = x[index]

    def full(z: Any) -> np.ndarray:
        moved = np.array(x)
        moved[index] = np.clip(start + scale * z, space.min[index], space.max[index])
        return moved

    def stat(z: Any) -> Any:
        return float(_stat(problem, full(z)))

    def gradient(z: Any) -> Any:
        return np.asarray(_gradient(problem, full(z)))[index] * scale

    make: Any = Minuit
    search = make(stat, np.zeros(index.size), grad=gradient)
    search.errordef = Minuit.LEAST_SQUARES
    search.errors = np.ones(index.size)
    search.limits = [
        ((space.min[i] - x[i]) / s, (space.max[i] - x[i]) / s)
        for i, s in zip(index, scale, strict=True)
    ]
    search.strategy = 1
    # MIGRAD stops at 2e-3 times its tolerance, in units of the statistic.
    search.tol = max(tolerance / 2e-3, 1e-9)
    search.migrad(ncall=max_steps)
    found = _at_bounds(problem, full(np.array(search.values)), index, scale)
    return report(problem, found, search.nfcn, max(tolerance, 1e-6))


def _at_bounds(
    problem: Problem, x: np.ndarray, index: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """Entries that MIGRAD drives into a bound, moved onto it.

    Its transformation only comes near: within 1e-3 of an error counts as the bound.
    """
    space = problem.space
    slope = np.asarray(_gradient(problem, x))[index]
    moved = np.array(x)
    for i, s, g in zip(index, scale, slope, strict=True):
        if g > 0 and x[i] - space.min[i] < 1e-3 * s:
            moved[i] = space.min[i]
        elif g < 0 and space.max[i] - x[i] < 1e-3 * s:
            moved[i] = space.max[i]
    return moved
