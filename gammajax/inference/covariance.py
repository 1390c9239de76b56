r"""Covariance matrices of the free parameters.

The statistic is -2 ln L, so the information is half of its second derivative:

============  =====================================================  =======================
kind          formula                                                right when
============  =====================================================  =======================
``hessian``   :math:`2 H^{-1}`                                       the model is right
``fisher``    :math:`2 F^{-1}`, H replaced by its expectation        the model is right
``sandwich``  :math:`H^{-1} (\sum_i g_i g_i^T) H^{-1}`               the bins are independent,
                                                                     even if the model is off
============  =====================================================  =======================

with :math:`g_i` the gradient of bin i. Parameters at a bound are held there: their rows are
zero, and the others are conditional on them.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from gammajax.inference import problem as pure
from gammajax.inference.problem import Problem

KINDS = ("hessian", "fisher", "sandwich")


@jax.jit
def _scores(problem: Problem, x: Any) -> Any:
    return pure.score_products(problem, x)


def covariance_matrix(
    problem: Problem, x: Any, at: pure.Derivatives, moving: Any, kind: str = "hessian"
) -> np.ndarray:
    """Covariance of the active parameters at a minimum; 0 for those that do not move.

    Parameters
    ----------
    problem : `~gammajax.inference.problem.Problem`
    x : array, shape (n_parameters,)
    at : `~gammajax.inference.problem.Derivatives`
        The derivatives at ``x``.
    moving : array of bool, shape (active,)
        The parameters that are free and not at a bound.
    kind : {"hessian", "fisher", "sandwich"}

    Returns
    -------
    covariance : array, shape (active, active)
        All NaN where the matrix to invert is not positive definite.
    """
    if kind not in KINDS:
        raise ValueError(f"covariance kind is {kind!r}, expected one of {', '.join(KINDS)}")
    places = np.nonzero(np.asarray(moving))[0]
    block = np.ix_(places, places)
    full = np.zeros((np.size(moving),) * 2)
    if places.size == 0:
        return full
    matrix = np.asarray(at.fisher if kind == "fisher" else at.hessian)[block]
    inverse = invert(matrix)
    if kind == "sandwich":
        full[block] = inverse @ np.asarray(_scores(problem, x))[block] @ inverse
    else:
        full[block] = 2 * inverse
    return full


def invert(matrix: np.ndarray) -> np.ndarray:
    """Inverse of a positive definite matrix, scaled to a unit diagonal first; else NaN."""
    diagonal = np.diag(matrix)
    if not np.all(np.isfinite(matrix)) or np.any(diagonal <= 0):
        return np.full(matrix.shape, np.nan)
    scale = 1 / np.sqrt(diagonal)
    try:
        factor = np.linalg.cholesky(matrix * np.outer(scale, scale))
    except np.linalg.LinAlgError:
        return np.full(matrix.shape, np.nan)
    half = np.linalg.solve(factor, np.diag(scale))
    return half.T @ half


def correlation_matrix(covariance: np.ndarray) -> np.ndarray:
    """Correlations of a covariance; 0 with a parameter of no variance, 1 on the diagonal."""
    error = np.sqrt(np.diag(covariance))
    usable = error > 0
    inverse = np.where(usable, 1 / np.where(usable, error, 1.0), 0.0)
    matrix = covariance * np.outer(inverse, inverse)
    np.fill_diagonal(matrix, 1.0)
    return matrix
