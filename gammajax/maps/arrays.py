"""One code for NumPy on the host and JAX in traced functions; scaled coordinates."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from gammajax.units import ENERGY, is_quantity, to_value

SCALES = ("lin", "log", "sqrt")


def is_jax(value: Any) -> bool:
    """Whether ``value`` is a JAX array or tracer (without importing JAX to find out)."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.Array)


def is_traced(value: Any) -> bool:
    """Whether ``value`` is a tracer, whose numbers are not known yet."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.core.Tracer)


def namespace(*values: Any) -> Any:
    """`jax.numpy` if one of the values is a JAX array or tracer, else `numpy`."""
    if any(is_jax(value) for value in values):
        import jax.numpy as jnp

        return jnp
    return np


def numbers(value: Any, unit: str, *, where: str) -> Any:
    """``value`` as numbers in ``unit``; a JAX array is taken to be in it already."""
    return value if is_jax(value) else to_value(value, unit, where=where)


def to_scale(value: Any, interp: str) -> Any:
    """A coordinate in the scale in which an axis is even.

    The square root keeps the sign, so that the scale covers all numbers.
    """
    xp = namespace(value)
    if interp == "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            return xp.log(value)
    if interp == "sqrt":
        return xp.sign(value) * xp.sqrt(xp.abs(value))
    return value


def from_scale(value: Any, interp: str) -> Any:
    """The coordinate of a scaled value: the inverse of `to_scale`."""
    xp = namespace(value)
    if interp == "log":
        return xp.exp(value)
    if interp == "sqrt":
        return xp.sign(value) * value**2
    return value


def piecewise_linear(x: Any, xs: Any, ys: Any) -> Any:
    """Linear interpolation through the points, straight on beyond the first and the last.

    Parameters
    ----------
    x : array
    xs, ys : array, shape (n,)
        ``xs`` increases; n is 2 or more.
    """
    xp = namespace(x, xs, ys)
    xs, ys = xp.asarray(xs), xp.asarray(ys)
    left = xp.clip(xp.searchsorted(xs, x, side="right") - 1, 0, xs.shape[0] - 2)
    slope = (ys[left + 1] - ys[left]) / (xs[left + 1] - xs[left])
    return ys[left] + slope * (x - xs[left])


def frozen_array(value: Any, dtype: Any = np.float64) -> np.ndarray:
    """A copy that cannot be changed, as the fields of hashable objects have to be."""
    array = np.array(value, dtype=dtype)
    array.setflags(write=False)
    return array


def is_energy(name: str) -> bool:
    """Whether an axis of this name holds energies: ``energy``, ``energy_true``."""
    return name.startswith("energy")


def default_unit(values: Any, name: str, unit: str | None) -> str:
    """The unit given, else TeV for energies, else that of the values."""
    if unit is not None:
        return str(unit)
    if is_energy(name):
        return ENERGY
    if isinstance(values, str):
        from astropy.units import Quantity

        values = Quantity(values)
    return str(values.unit) if is_quantity(values) else ""


def default_interp(name: str, interp: str | None) -> str:
    """The scale given, else ``log`` for energies and ``lin`` for others."""
    return interp or ("log" if is_energy(name) else "lin")
