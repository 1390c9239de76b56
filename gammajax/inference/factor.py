r"""Cholesky factors of large symmetric matrices, where they are made fastest.

LAPACK makes them on a processor; on accelerators JAX makes those of `MANY` rows and more. A
matrix A is scaled to a unit diagonal first, :math:`A = S^{-1} L L^T S^{-1}`.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_solve as solve_on_device
from jax.scipy.linalg import solve_triangular
from scipy.linalg import cho_solve, cholesky, lapack

from gammajax.config import on_accelerator

MANY = 500
"""Rows of a matrix that an accelerator is worth the way for."""

SEARCHES = 8
"""Rounds of the search for the direction along which a matrix is least."""


class Factor:
    """The factor of a symmetric matrix.

    Parameters
    ----------
    matrix : array, shape (n, n)

    Attributes
    ----------
    definite : bool
        Whether the matrix is finite and positive definite; else there is no more to know.
    """

    def __init__(self, matrix: Any) -> None:
        self._lower: Any = None
        self.on_device = on_accelerator() and matrix.shape[0] >= MANY
        make = _on_device if self.on_device else _on_host
        self.scale, lower = make(matrix)
        self.definite = lower is not None
        if self.definite:
            self._lower = lower

    def solve(self, vector: np.ndarray) -> np.ndarray:
        """The solution of A x = vector."""
        solve = solve_on_device if self.on_device else cho_solve
        return self.scale * np.asarray(solve((self._lower, True), self.scale * vector))

    def inverse(self, times: float = 1.0) -> np.ndarray:
        """The inverse of the matrix times a number; the factor is used up."""
        lower, self._lower = self._lower, None
        scale = np.sqrt(times) * self.scale
        if self.on_device:
            return np.asarray(_inverse(lower, scale))
        # LAPACK makes the lower triangle; above it there are the zeros of the factor
        invert: Any = lapack
        lower, _ = invert.dpotri(lower, lower=True, overwrite_c=True)
        inverse = lower + lower.T
        np.fill_diagonal(inverse, lower.diagonal())
        inverse *= np.outer(scale, scale)
        return inverse

    def is_below(self, limit: float) -> bool:
        """Whether an eigenvalue of the scaled matrix is below a limit.

        By inverse iteration from a random vector, in a tenth of the time of the eigenvalues:
        its last quotient is not below the least one, and above it by parts of the gap to the
        others. The limit has to be above the rounding of a factor, 1e-16 times n.
        """
        if not self.definite:
            return True
        vector, quotient = np.random.default_rng(1).standard_normal(self.scale.size), 1.0
        for _ in range(SEARCHES):
            vector /= np.linalg.norm(vector)
            solved = self.solve(vector / self.scale) / self.scale
            if not np.all(np.isfinite(solved)):
                return True
            quotient, vector = 1 / (vector @ solved), solved
        return bool(quotient < limit)


def _on_host(matrix: Any) -> tuple[np.ndarray, Any]:
    """The scale, and the factor of the scaled matrix or None."""
    matrix = np.asarray(matrix)
    diagonal = matrix.diagonal()
    if np.any(diagonal <= 0) or not np.all(np.isfinite(matrix)):
        return np.ones(diagonal.size), None
    scale = 1 / np.sqrt(diagonal)
    scaled = matrix * np.outer(scale, scale)
    try:
        return scale, cholesky(scaled, lower=True, overwrite_a=True, check_finite=False)
    except np.linalg.LinAlgError:
        return scale, None


def _on_device(matrix: Any) -> tuple[np.ndarray, Any]:
    """As `_on_host`; a factor of what is not definite has NaN on its diagonal."""
    scale, lower, definite = _factored(jnp.asarray(matrix))
    return np.asarray(scale), lower if bool(definite) else None


@jax.jit
def _factored(matrix: Any) -> tuple[Any, Any, Any]:
    diagonal = jnp.diagonal(matrix)
    scale = jnp.where(diagonal > 0, 1 / jnp.sqrt(jnp.where(diagonal > 0, diagonal, 1.0)), 1.0)
    lower = jnp.linalg.cholesky(matrix * scale[:, None] * scale)
    definite = jnp.all(diagonal > 0) & jnp.all(jnp.isfinite(jnp.diagonal(lower)))
    return scale, lower, definite


@jax.jit
def _inverse(lower: Any, scale: Any) -> Any:
    half = solve_triangular(lower, jnp.diag(scale), lower=True)
    return half.T @ half
