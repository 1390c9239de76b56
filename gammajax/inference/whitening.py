r"""Coordinates in which a posterior is close to a unit normal.

.. math:: \theta = T(u_0 + L z), \quad L L^T = \mathrm{cov}(u)

T maps the real line onto the interval between a parameter's bounds: nothing for no bound,
an exponential for one, a logistic function for two. :math:`u_0` and the covariance come from
a fit.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.inference.covariance import as_dense
from gammajax.inference.problem import Problem, reverse_stat
from gammajax.inference.products import expansion
from gammajax.inference.result import FitResult
from gammajax.inference.structured import RANK, StructuredHalf, structured_half


def into_box(u: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """The value between the bounds, and the logarithm of its derivative by ``u``."""
    has_low, has_high = jnp.isfinite(low), jnp.isfinite(high)
    both, one = has_low & has_high, has_low ^ has_high
    low_safe, high_safe = jnp.where(has_low, low, 0.0), jnp.where(has_high, high, 1.0)
    width = jnp.where(both, high_safe - low_safe, 1.0)
    inside = low_safe + width * jax.nn.sigmoid(u)
    grown = jnp.exp(jnp.where(one, u, 0.0))
    half = jnp.where(has_low, low_safe + grown, high_safe - grown)
    value = jnp.where(both, inside, jnp.where(one, half, u))
    slope = jnp.log(width) + jax.nn.log_sigmoid(u) + jax.nn.log_sigmoid(-u)
    return value, jnp.where(both, slope, jnp.where(one, u, 0.0))


def out_of_box(value: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[Any, Any]:
    """The inverse of `into_box` for values inside, and du/dvalue (host)."""
    u, slope = np.array(value), np.ones_like(value)
    both = np.isfinite(low) & np.isfinite(high)
    for i in np.nonzero(both)[0]:
        below, above = value[i] - low[i], high[i] - value[i]
        u[i], slope[i] = np.log(below / above), 1 / below + 1 / above
    for i in np.nonzero(np.isfinite(low) & ~both)[0]:
        u[i], slope[i] = np.log(value[i] - low[i]), 1 / (value[i] - low[i])
    for i in np.nonzero(np.isfinite(high) & ~both)[0]:
        u[i], slope[i] = np.log(high[i] - value[i]), -1 / (high[i] - value[i])
    return u, slope


def _inside(theta: np.ndarray, error: np.ndarray, low: np.ndarray, high: np.ndarray) -> Any:
    """Values moved inside of their bounds, by half an error (host)."""
    with np.errstate(invalid="ignore"):
        room = np.where(np.isfinite(high - low), high - low, np.inf)
    margin = np.minimum(0.5 * error, 0.25 * room)
    return np.clip(theta, low + margin, high - margin)


def _scaled(theta: np.ndarray, error: np.ndarray, low: np.ndarray, high: np.ndarray) -> Any:
    """Values out of the box, and du/dvalue, less where errors there are beyond 2 (host)."""
    centre, slope = out_of_box(theta, low, high)
    wide = np.where(slope == 1.0, 1.0, error * np.abs(slope))
    return centre, np.minimum(1.0, 2.0 / wide) * slope


class Whitening(eqx.Module):
    """The map from z to the free parameters of a problem.

    Attributes
    ----------
    index : array of int, shape (n_free,)
        Where the free parameters stand.
    low, high : array, shape (n_free,)
    centre : array, shape (n_free,)
        :math:`u_0`.
    half : array, shape (n_free, n_free), or `~gammajax.inference.structured.StructuredHalf`
        L: lower triangular, or an operator.
    """

    index: Any
    low: Any
    high: Any
    centre: Any
    half: Any

    @classmethod
    def from_fit(cls, result: FitResult) -> Whitening:
        """From a fit; a parameter at its bound starts half an error inside."""
        likelihood = result.likelihood
        index, space = likelihood._index, likelihood.problem.space
        low, high = np.asarray(space.min)[index], np.asarray(space.max)[index]
        covariance = np.array(as_dense(result.covariance))
        if not np.all(np.isfinite(covariance)):
            raise ValueError(
                f"the fit has no covariance to start a sampler from: {result.message}; add "
                "priors to the parameters that the data do not determine, or freeze them"
            )
        fisher = result.fisher.diagonal()
        alone = np.sqrt(2 / np.where(fisher > 0, fisher, 1.0))
        error = np.where(result.errors > 0, result.errors, alone)
        held = result.errors <= 0
        covariance[held, held] = error[held] ** 2
        theta = _inside(result.theta, error, low, high)
        centre, scale = _scaled(theta, error, low, high)
        half = np.linalg.cholesky(covariance / np.outer(error, error))
        return cls(index, low, high, centre, half * (error * scale)[:, None])

    @classmethod
    def structured(cls, result: FitResult, rank: int = RANK) -> Whitening:
        """From a fit of many parameters: the covariance is not needed.

        Parameters
        ----------
        result : `~gammajax.inference.FitResult`
        rank : int
            See `gammajax.inference.structured`.

        Raises
        ------
        ValueError
            If the fit has not converged.
        """
        if not result.success:
            raise ValueError(
                f"the fit has not converged, so there is no place to start from: "
                f"{result.message}"
            )
        likelihood = result.likelihood
        index, problem = likelihood._index, likelihood.problem
        low, high = (np.asarray(edge)[index] for edge in (problem.space.min, problem.space.max))
        at = expansion(problem, np.asarray(problem.space.insert(result.theta, index)))
        error = structured_half(problem, at, 0).errors()
        theta = _inside(result.theta, error, low, high)
        if np.any(theta != result.theta):
            at = expansion(problem, np.asarray(problem.space.insert(theta, index)))
        half = structured_half(problem, at, rank)
        centre, scale = _scaled(theta, half.errors(), low, high)
        return cls(index, low, high, centre, eqx.tree_at(lambda h: h.scale, half, scale))

    @property
    def size(self) -> int:
        """The number of coordinates."""
        return np.size(self.index)

    @property
    def dense(self) -> bool:
        """Whether L is a matrix."""
        return not isinstance(self.half, StructuredHalf)

    def middle(self, problem: Problem) -> Any:
        """The vector of a problem at z = 0."""
        theta, _ = into_box(self.centre, self.low, self.high)
        return np.asarray(problem.space.insert(theta, self.index))

    def theta(self, z: Any) -> tuple[Any, Any]:
        """The free parameters at z, and the log of the Jacobian determinant."""
        value, slope = into_box(self.centre + self.half @ z, self.low, self.high)
        return value, jnp.sum(slope)


def potential(problem: Problem, whitening: Any, z: Any) -> Any:
    """-ln of the posterior density of z, up to a constant.

    ``whitening`` may give more than the free parameters, after these.
    """
    theta, log_density = whitening.theta(z)
    index = whitening.index
    return (
        0.5 * reverse_stat(problem, problem.space.insert(theta[: index.size], index))
        - log_density
    )
