"""Interpolation of tables in traced code, linear in each axis."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

TINY = float(np.finfo(np.float32).tiny)
"""Zeros of a table that is interpolated in the logarithm are read as this, about 1e-38."""


def cell(nodes: Any, x: Any) -> tuple[Any, Any]:
    """The cell of ``nodes`` that ``x`` lies in, and where within (0 to 1 inside).

    Outside of the table it is the first or the last cell, and the place within is below 0
    or above 1: a line through a cell goes on there.
    """
    nodes = jnp.asarray(nodes)
    last = nodes.shape[0] - 2
    index = jnp.clip(jnp.searchsorted(nodes, x, side="right") - 1, 0, last)
    return index, (x - nodes[index]) / (nodes[index + 1] - nodes[index])


def interpolate(nodes: Sequence[Any], values: Any, points: Sequence[Any]) -> Any:
    """Linear interpolation of an N-dimensional table, and extrapolation beyond it.

    Parameters
    ----------
    nodes : sequence of arrays
        One an axis, ascending, at least two in each.
    values : array, shape (len(nodes[0]), len(nodes[1]), ...)
    points : sequence of arrays
        One an axis, of shapes that broadcast.
    """
    values = jnp.asarray(values)
    cells = [cell(axis, point) for axis, point in zip(nodes, points, strict=True)]
    total: Any = 0.0
    for corner in itertools.product((0, 1), repeat=len(cells)):
        weight: Any = 1.0
        for step, (_, place) in zip(corner, cells, strict=True):
            weight = weight * (place if step else 1 - place)
        index = tuple(i + step for step, (i, _) in zip(corner, cells, strict=True))
        total = total + weight * values[index]
    return total
