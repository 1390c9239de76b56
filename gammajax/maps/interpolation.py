"""Interpolation between the bins of an array, for NumPy and for traced arrays."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from gammajax.maps.arrays import namespace

MOST = 4
"""Largest ratio of the values of a plane to the points that are wanted, to read it whole."""


def linear(values: Any, points: tuple[Any, ...], fill_value: float | None = None) -> Any:
    """Multilinear interpolation at positions counted in bins.

    Parameters
    ----------
    values : array of n dimensions
    points : tuple of n arrays
        They broadcast with each other; 0 is the first value. NaN gives NaN.
    fill_value : float, optional
        For points beyond half a bin outside; by default the last two bins are continued.

    Returns
    -------
    result : array
    """
    xp = namespace(values, *points)
    values, shape = xp.asarray(values), np.shape(values)
    lower, weight, lost = [], [], False
    number = max(np.size(point) for point in points)
    for point, size in zip(points, shape, strict=True):
        point = xp.asarray(point, dtype=float)
        known = xp.where(xp.isnan(point), 0.0, point)
        lost = lost | xp.isnan(point)
        left = xp.clip(xp.floor(known), 0, max(size - 2, 0)).astype(int)
        lower.append(left)
        # an axis of one bin is constant
        weight.append(known - left if size > 1 else xp.zeros_like(known))
    # one place for all along the first axes: what is left is smaller, and read faster
    while (
        len(weight) > 1
        and np.ndim(weight[0]) == 0
        and np.prod(values.shape[1:]) <= MOST * number
    ):
        left, share = lower.pop(0), weight.pop(0)
        last = xp.minimum(left + 1, values.shape[0] - 1)
        values = (1 - share) * values[left] + share * values[last]
    result = 0.0
    for corner in product((0, 1), repeat=values.ndim):
        if any(c and size == 1 for c, size in zip(corner, values.shape, strict=True)):
            continue
        index = tuple(left + c for left, c in zip(lower, corner, strict=True))
        share = 1.0
        for c, w in zip(corner, weight, strict=True):
            share = share * (w if c else 1 - w)
        result = result + share * _read(xp, values, index)
    return _outside(xp, result, points, shape, lost, fill_value)


def _read(xp: Any, values: Any, index: tuple[Any, ...]) -> Any:
    """``values[index]`` at places that exist."""
    if xp is np:
        return values[index]
    flat = index[0]
    for size, place in zip(values.shape[1:], index[1:], strict=True):
        flat = flat * size + place
    return values.ravel().at[flat].get(mode="promise_in_bounds")


def nearest(values: Any, points: tuple[Any, ...], fill_value: float | None = None) -> Any:
    """The value of the bin that is nearest; parameters as those of `linear`."""
    xp = namespace(values, *points)
    values = xp.asarray(values)
    index, lost = [], False
    for point, size in zip(points, values.shape, strict=True):
        point = xp.asarray(point, dtype=float)
        lost = lost | xp.isnan(point)
        known = xp.where(xp.isnan(point), 0.0, point)
        index.append(xp.clip(xp.floor(known + 0.5), 0, size - 1).astype(int))
    return _outside(xp, values[tuple(index)], points, values.shape, lost, fill_value)


def _outside(
    xp: Any, result: Any, points: Any, shape: Any, lost: Any, fill_value: float | None
) -> Any:
    if fill_value is not None:
        inside = True
        for point, size in zip(points, shape, strict=True):
            inside = inside & (point >= -0.5) & (point <= size - 0.5)
        result = xp.where(inside, result, fill_value)
    return xp.where(lost, np.nan if fill_value is None else fill_value, result)
