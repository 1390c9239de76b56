"""Energies that solve an equation of a spectrum: where it has a value, where it pivots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.models.spectral.evaluation import call
from gammajax.parameters import get_values, with_values

GRID = 1000
"""Points on which roots are bracketed; two within one step of the grid are missed."""

HALVINGS = 60


def roots(function: Callable[[np.ndarray], Any], low: float, high: float) -> np.ndarray:
    """All roots of a function of ln E between two energies in TeV, ascending.

    The function is bracketed on a grid of `GRID` points and the brackets are halved down
    to the spacing of floating-point numbers.
    """
    grid = np.linspace(np.log(low), np.log(high), GRID)
    values = np.asarray(function(grid))
    exact = grid[values == 0]
    change = np.nonzero(values[:-1] * values[1:] < 0)[0]
    left, right, sign = grid[change], grid[change + 1], np.sign(values[change])
    for _ in range(HALVINGS if change.size else 0):
        middle = (left + right) / 2
        same = np.sign(np.asarray(function(middle))) == sign
        left, right = np.where(same, middle, left), np.where(same, right, middle)
    return np.exp(np.sort(np.concatenate([exact, (left + right) / 2])))


def inverse_energies(model: Any, value: float, low: float, high: float) -> np.ndarray:
    """The energies between ``low`` and ``high`` at which the model has a value."""
    return roots(
        lambda log: np.asarray(call(model, "evaluate", np.exp(log))) - value, low, high
    )


def pivot(model: Any, covariance: np.ndarray, low: float, high: float) -> float:
    """The energy of the smallest relative error of the flux; NaN where it is at an edge."""
    values = get_values(model)

    def slope(log: np.ndarray) -> np.ndarray:
        return np.asarray(_log_variance_slope(model, values, covariance, log))

    found = roots(slope, low, high)
    minima = [e for e in found if slope(np.log([e * 1.001]))[0] > 0]
    if not minima:
        return np.nan
    if len(minima) == 1:
        return float(minima[0])
    size = [float(_log_variance(model, values, covariance, np.log(e))) for e in minima]
    return float(minima[int(np.argmin(size))])


@jax.jit
def _log_variance(model: Any, values: Any, covariance: Any, log_energy: Any) -> Any:
    """ln of the relative variance of the flux at one energy."""

    def log_flux(vector: Any) -> Any:
        return jnp.log(jnp.abs(with_values(model, vector).evaluate(jnp.exp(log_energy))))

    gradient = jnp.where(jnp.diag(covariance) > 0, jax.jacfwd(log_flux)(values), 0.0)
    return jnp.log(gradient @ covariance @ gradient)


@jax.jit
def _log_variance_slope(model: Any, values: Any, covariance: Any, log_energy: Any) -> Any:
    slope = jax.grad(_log_variance, argnums=3)
    return jax.vmap(lambda log: slope(model, values, covariance, log))(log_energy)
