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
from scipy.linalg import eigh

from gammajax.config import program
from gammajax.inference import problem as pure
from gammajax.inference.factor import Factor
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
    chosen = at.fisher if kind == "fisher" else at.hessian
    if sparse.issparse(chosen):
        return _of_sparse(chosen, places, kind)
    if places.size == 0:
        return np.zeros((np.size(moving),) * 2)
    found = invert(of_places(chosen, places), times=1.0 if kind == "sandwich" else 2.0)
    if kind == "sandwich":
        found = found @ of_places(np.asarray(_scores(problem, x)), places) @ found
    if places.size == np.size(moving):
        return found
    full = np.zeros((np.size(moving),) * 2)
    full[np.ix_(places, places)] = found
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


def of_places(matrix: Any, places: np.ndarray) -> Any:
    """Some rows and columns of a matrix; itself for all, since it may be large."""
    return matrix if places.size == matrix.shape[0] else matrix[np.ix_(places, places)]


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


def invert(matrix: Any, times: float = 1.0) -> np.ndarray:
    """Inverse of a positive definite matrix, times a number; else NaN."""
    factor = Factor(matrix)
    return factor.inverse(times) if factor.definite else np.full(matrix.shape, np.nan)


def correlation_matrix(covariance: np.ndarray) -> np.ndarray:
    """Correlations of a covariance; 0 with a parameter of no variance, 1 on the diagonal."""
    error = np.sqrt(np.diag(covariance))
    usable = error > 0
    inverse = np.where(usable, 1 / np.where(usable, error, 1.0), 0.0)
    matrix = covariance * np.outer(inverse, inverse)
    np.fill_diagonal(matrix, 1.0)
    return matrix
