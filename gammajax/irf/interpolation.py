"""The one interpolation of tables in traced code: linear in each axis, of any dimension.

Each axis has the coordinate in which it is linear, and the values may be interpolated in
their logarithm. The value is differentiable in the coordinates and in the table. Derivatives
by the coordinates are the slopes of the cell that a point lies in: they are taken together
with the value in one pass over its corners, because transposing the gather would read the
corners once more for each axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero

from gammajax.irf.axis import GridAxis, forward

TINY = 1e-38
"""Zeros of a table that is interpolated in the logarithm are read as this."""


def interpolate(
    axes: Sequence[GridAxis],
    values: Any,
    coords: Sequence[Any],
    *,
    values_scale: str = "lin",
    fill_value: float = 0.0,
) -> Any:
    """Interpolate a table, linearly in the coordinate of each axis.

    Parameters
    ----------
    axes : sequence of `GridAxis`
        An axis of one node has the same value everywhere.
    values : array, shape (axes[0].nbin, axes[1].nbin, ...)
    coords : sequence of arrays
        One an axis, in its unit, of shapes that broadcast.
    values_scale : {"lin", "log"}
        Whether the values or their logarithms are linear; zeros are read as 1e-38.
    fill_value : float
        The value outside of axes whose ``outside`` is ``"fill"`` or ``"hold"``.

    Returns
    -------
    value : array, of the broadcast shape of ``coords``

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> axes = [GridAxis.from_nodes([1.0, 100.0], "energy", "TeV", "log")]
    >>> float(interpolate(axes, np.array([2.0, 4.0]), [10.0]))
    3.0
    """
    shape = tuple(axis.nbin for axis in axes)
    if np.shape(values) != shape or len(coords) != len(axes):
        names = ", ".join(axis.name for axis in axes)
        raise ValueError(
            f"interpolate: got a table of shape {np.shape(values)} and {len(coords)} "
            f"coordinates, the axes ({names}) want {shape} and {len(axes)}"
        )
    values = jnp.asarray(values, dtype=float)
    table = jnp.log(jnp.maximum(values, TINY)) if values_scale == "log" else values
    found = _locate(axes, coords)
    value = _linear(found.sizes, table.ravel(), found.start, found.places)
    value = jnp.exp(value) if values_scale == "log" else value
    return jnp.where(found.inside, value, fill_value)


def interpolate_grid(
    axes: Sequence[GridAxis],
    values: Any,
    first: Any,
    coords: Sequence[Any],
    *,
    values_scale: str = "lin",
    fill_value: float = 0.0,
) -> Any:
    """Interpolate a table at each of some values of its first axis; see `interpolate`.

    Along the first axis this is a product with a matrix of weights, which is done once for
    all points; and each point finds its cell on the other axes once for all of the values.

    Parameters
    ----------
    first : array, shape (n,)
        On the first axis.
    coords : sequence of arrays
        One for each other axis, of shapes that broadcast.

    Returns
    -------
    value : array, shape (n, ...)
    """
    axis, *rest = axes
    values = jnp.asarray(values, dtype=float)
    table = jnp.log(jnp.maximum(values, TINY)) if values_scale == "log" else values
    weights, known = _weights(axis, jnp.asarray(first, dtype=float))
    rows = weights @ table.reshape(axis.nbin, -1)
    found = _locate(rest, coords)

    def at_points(row: Any) -> Any:
        return _linear(found.sizes, row, found.start, found.places)

    value = jax.vmap(at_points)(rows)
    value = jnp.exp(value) if values_scale == "log" else value
    inside = known.reshape((-1,) + (1,) * found.inside.ndim) & found.inside
    return jnp.where(inside, value, fill_value)


class _Located(NamedTuple):
    """Where points lie in a table: cells, places within them, and whether inside at all."""

    sizes: tuple[int, ...]
    start: Any
    places: tuple[Any, ...]
    inside: Any


def _locate(axes: Sequence[GridAxis], coords: Sequence[Any]) -> _Located:
    """The cells of points; axes of one node need none."""
    points = jnp.broadcast_arrays(*[jnp.asarray(x, dtype=float) for x in coords])
    wide = [k for k, axis in enumerate(axes) if axis.nbin > 1]
    cells = [_cell(axes[k], points[k]) for k in wide]
    sizes = tuple(axes[k].nbin for k in wide)
    start = jnp.zeros(points[0].shape, dtype=int)
    for (index, _), stride in zip(cells, _strides(sizes), strict=True):
        start = start + index * stride
    inside = jnp.ones(points[0].shape, dtype=bool)
    for axis, x in zip(axes, points, strict=True):
        inside = inside & _inside(axis, x)
    return _Located(sizes, start, tuple(place for _, place in cells), inside)


def _inside(axis: GridAxis, x: Any) -> Any:
    """Whether an axis has values there."""
    if axis.outside not in ("fill", "hold"):
        return jnp.ones(x.shape, dtype=bool)
    return (x >= axis.edges_min[0]) & (x <= axis.edges_max[-1])


def _weights(axis: GridAxis, x: Any) -> tuple[Any, Any]:
    """The matrix that interpolates along an axis, and where the axis has values."""
    if axis.nbin == 1:
        return jnp.ones((x.size, 1)), _inside(axis, x)
    index, place = _cell(axis, x)
    low = jax.nn.one_hot(index, axis.nbin, dtype=x.dtype)
    high = jax.nn.one_hot(index + 1, axis.nbin, dtype=x.dtype)
    return (1 - place)[:, None] * low + place[:, None] * high, _inside(axis, x)


def _cell(axis: GridAxis, x: Any) -> tuple[Any, Any]:
    """The first node of the cell that ``x`` lies in, and the place within, 0 to 1 inside."""
    nodes = forward(axis.scale, jnp.asarray(axis.center), jnp)
    x = forward(axis.scale, x, jnp)
    if axis.outside in ("nearest", "hold"):
        x = jnp.clip(x, nodes[0], nodes[-1])
    last = axis.nbin - 2
    if axis.even:
        guess = (jax.lax.stop_gradient(x) - nodes[0]) * ((last + 1) / (nodes[-1] - nodes[0]))
        index = jnp.clip(guess, 0, last).astype(int)
        # nodes are off the even spacing by less than half a step, and the guess by one cell
        index = jnp.clip(index + (x >= nodes[index + 1]) - (x < nodes[index]), 0, last)
    else:
        index = jnp.clip(jnp.searchsorted(nodes, x, side="right") - 1, 0, last)
    return index, (x - nodes[index]) * (1 / jnp.diff(nodes))[index]


def _strides(sizes: tuple[int, ...]) -> list[int]:
    return [int(np.prod(sizes[k + 1 :], dtype=int)) for k in range(len(sizes))]


def _corners(sizes: tuple[int, ...], flat: Any, start: Any) -> list[Any]:
    """The values at the corners of the cells, the last axis varying fastest."""
    offsets = [0]
    for stride in _strides(sizes):
        offsets = [first + step for first in offsets for step in (0, stride)]
    return [jnp.take(flat, start + offset, mode="clip") for offset in offsets]


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _linear(sizes: tuple[int, ...], flat: Any, start: Any, places: tuple[Any, ...]) -> Any:
    """The value at ``places`` within the cells that begin at ``start``."""
    corners = _corners(sizes, flat, start)
    for place in reversed(places):
        pairs = zip(corners[::2], corners[1::2], strict=True)
        corners = [low + place * (high - low) for low, high in pairs]
    return corners[0]


def _with_slopes(corners: list[Any], places: tuple[Any, ...]) -> list[Any]:
    """The value, and its derivative by each place."""
    if not places:
        return corners
    half = len(corners) // 2
    low = _with_slopes(corners[:half], places[1:])
    high = _with_slopes(corners[half:], places[1:])
    mixed = [a + places[0] * (b - a) for a, b in zip(low, high, strict=True)]
    return [mixed[0], high[0] - low[0], *mixed[1:]]


@partial(_linear.defjvp, symbolic_zeros=True)
def _linear_jvp(sizes: tuple[int, ...], primals: Any, tangents: Any) -> tuple[Any, Any]:
    flat, start, places = primals
    flat_dot, _, places_dot = tangents
    # stacked, they are one loop for the compiler; apart, each would read all corners again
    stack = jnp.stack(_with_slopes(_corners(sizes, flat, start), places))
    change: Any = jnp.zeros_like(stack[0])
    for slope, dot in zip(stack[1:], places_dot, strict=True):
        if not isinstance(dot, SymbolicZero):
            change = change + slope * dot
    if not isinstance(flat_dot, SymbolicZero):
        change = change + _linear(sizes, flat_dot, start, places)
    return stack[0], change
