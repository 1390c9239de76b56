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

import numpy as np
from scipy import sparse
from scipy.linalg import cho_solve, cholesky, eigh
from scipy.linalg.lapack import dpotri

from gammajax.config import program
from gammajax.inference import problem as pure
from gammajax.inference.neighbours import nearby_covariance
from gammajax.inference.problem import Problem

KINDS = ("hessian", "fisher", "sandwich")


@program
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
        All NaN where the matrix to invert is not positive definite. Of sparse matrices a
        sparse one, see `gammajax.inference.neighbours`.
    """
    if kind not in KINDS:
        raise ValueError(f"covariance kind is {kind!r}, expected one of {', '.join(KINDS)}")
    places = np.nonzero(np.asarray(moving))[0]
    chosen = as_array(at.fisher if kind == "fisher" else at.hessian)
    if sparse.issparse(chosen):
        return _of_sparse(chosen, places, kind)
    block = np.ix_(places, places)
    full = np.zeros((np.size(moving),) * 2)
    if places.size == 0:
        return full
    inverse = invert(chosen[block])
    if kind == "sandwich":
        full[block] = inverse @ np.asarray(_scores(problem, x))[block] @ inverse
    else:
        full[block] = 2 * inverse
    return full


def _of_sparse(matrix: Any, places: np.ndarray, kind: str) -> Any:
    """The covariance of more parameters than there is room for, see `nearby_covariance`."""
    if kind == "sandwich":
        raise ValueError(
            f"covariance='sandwich' needs a dense matrix of {matrix.shape[0]} parameters; "
            "take 'hessian', or fit fewer parameters at once"
        )
    place = sparse.csr_array(
        (np.ones(places.size), (places, np.arange(places.size))),
        shape=(matrix.shape[0], places.size),
    )
    inner = nearby_covariance((place.T @ matrix @ place).tocsr())
    return (2 * (place @ inner @ place.T)).tocsr()


def as_array(matrix: Any) -> Any:
    """A sparse array as it is, anything else as a NumPy array."""
    return matrix if sparse.issparse(matrix) else np.asarray(matrix)


def as_dense(matrix: Any) -> np.ndarray:
    """A matrix, or a part of one, that may be sparse."""
    return matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)


def without_nan(covariance: Any) -> Any:
    """A covariance with 0 for what is not known."""
    if not sparse.issparse(covariance):
        finite = np.isfinite(covariance)
        return covariance if finite.all() else np.where(finite, covariance, 0.0)
    found = covariance.copy()
    found.data[~np.isfinite(found.data)] = 0.0
    return found


def least_eigenvalue(matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """The least eigenvalue of a symmetric matrix, and its vector."""
    values, vectors = eigh(matrix, subset_by_index=[0, 0])
    return float(values[0]), vectors[:, 0]


SEARCHES = 8
"""Rounds of the search for the direction along which a matrix is least."""


def is_below(matrix: np.ndarray, limit: float) -> bool:
    """Whether a symmetric matrix with a unit diagonal has an eigenvalue below a limit.

    By inverse iteration from a random vector, in a tenth of the time of the eigenvalues: its
    last quotient is not below the least one, and above it by parts of the gap to the others.
    The limit has to be above the rounding of a factor, 1e-16 times the number of rows.
    """
    try:
        factor = cholesky(matrix, lower=True)
    except np.linalg.LinAlgError:
        return True
    vector = np.random.default_rng(1).standard_normal(matrix.shape[0])
    quotient = 1.0
    for _ in range(SEARCHES):
        vector /= np.linalg.norm(vector)
        solved = cho_solve((factor, True), vector)
        if not np.all(np.isfinite(solved)):
            return True
        quotient, vector = 1 / (vector @ solved), solved
    return bool(quotient < limit)


def invert(matrix: np.ndarray) -> np.ndarray:
    """Inverse of a positive definite matrix, scaled to a unit diagonal first; else NaN."""
    diagonal = np.diag(matrix)
    if not np.all(np.isfinite(matrix)) or np.any(diagonal <= 0):
        return np.full(matrix.shape, np.nan)
    scale = 1 / np.sqrt(diagonal)
    try:
        factor = cholesky(matrix * np.outer(scale, scale), lower=True)
    except np.linalg.LinAlgError:
        return np.full(matrix.shape, np.nan)
    # of the factor, LAPACK makes the lower triangle of the inverse; above it there are zeros
    lower, _ = dpotri(factor, lower=True, overwrite_c=True)
    inverse = lower + lower.T
    np.fill_diagonal(inverse, lower.diagonal())
    inverse *= np.outer(scale, scale)
    return inverse


def correlation_matrix(covariance: np.ndarray) -> np.ndarray:
    """Correlations of a covariance; 0 with a parameter of no variance, 1 on the diagonal."""
    error = np.sqrt(np.diag(covariance))
    usable = error > 0
    inverse = np.where(usable, 1 / np.where(usable, error, 1.0), 0.0)
    matrix = covariance * np.outer(inverse, inverse)
    np.fill_diagonal(matrix, 1.0)
    return matrix
