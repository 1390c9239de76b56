"""Compiled evaluation of models: values, and their errors by exact Jacobians.

A method of a model called from the host runs as one compiled program, which serves all
models of the same structure: a new parameter value costs no compilation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.models.base import Model
from gammajax.parameters import get_values, with_values


@partial(jax.jit, static_argnames="method")
def call(model: Any, method: str, *args: Any) -> Any:
    """``model.method(*args)``, compiled."""
    return getattr(model, method)(*args)


def propagate(model: Model, covariance: Any, function: Callable[[Any], Any]) -> tuple[Any, Any]:
    """A function of a model with its error, by the exact Jacobian.

    Parameters
    ----------
    model : `~gammajax.models.SpectralModel`
    covariance : array, shape (n, n)
        Of the model's parameters, in the order of ``model.parameter_names``.
    function : callable
        Takes a model and gives an array.

    Returns
    -------
    value, error : arrays
        ``error**2`` is the diagonal of ``J C J^T``.

    Raises
    ------
    ValueError
        If the covariance is not of this model's parameters.
    """
    values, covariance = _checked(model, covariance)
    return _propagated(model, values, covariance, function)


def call_with_error(model: Model, covariance: Any, method: str, *args: Any) -> tuple[Any, Any]:
    """``model.method(*args)`` and its error, compiled; see `propagate`."""
    values, covariance = _checked(model, covariance)
    return _call_with_error(model, values, covariance, method, *args)


@partial(jax.jit, static_argnames="method")
def _call_with_error(
    model: Any, values: Any, covariance: Any, method: str, *args: Any
) -> tuple[Any, Any]:
    def function(moved: Any) -> Any:
        return getattr(moved, method)(*args)

    return _propagated(model, values, covariance, function)


def _checked(model: Model, covariance: Any) -> tuple[np.ndarray, Any]:
    values = get_values(model)
    if np.shape(covariance) != (values.size, values.size):
        raise ValueError(
            f"{type(model).__name__}: got a covariance of shape {np.shape(covariance)}, "
            f"expected {(values.size, values.size)} for {', '.join(model.parameter_names)}"
        )
    return values, covariance


def _propagated(model: Any, values: Any, covariance: Any, function: Any) -> tuple[Any, Any]:
    covariance = jnp.asarray(covariance)

    def of_values(vector: Any) -> Any:
        return function(with_values(model, vector))

    jacobian = jax.jacfwd(of_values)(jnp.asarray(values))
    # A parameter without variance must not spoil the sum where its derivative is infinite.
    moving = jnp.diag(covariance) > 0
    jacobian = jnp.where(moving, jacobian, 0.0)
    variance = jnp.einsum("...i,ij,...j->...", jacobian, covariance, jacobian)
    return of_values(values), jnp.sqrt(jnp.maximum(variance, 0.0))
