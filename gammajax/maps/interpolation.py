"""Interpolation between the bins of an array, for NumPy and for traced arrays."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from gammajax.maps.arrays import namespace


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
    values = xp.asarray(values)
    lower, weight, lost = [], [], False
    for point, size in zip(points, values.shape, strict=True):
        point = xp.asarray(point, dtype=float)
        known = xp.where(xp.isnan(point), 0.0, point)
        lost = lost | xp.isnan(point)
        left = xp.clip(xp.floor(known), 0, max(size - 2, 0)).astype(int)
        lower.append(left)
        # an axis of one bin is constant
        weight.append(known - left if size > 1 else xp.zeros_like(known))
    result = 0.0
    for corner in product((0, 1), repeat=values.ndim):
        if any(c and size == 1 for c, size in zip(corner, values.shape, strict=True)):
            continue
        index = tuple(left + c for left, c in zip(lower, corner, strict=True))
        share = 1.0
        for c, w in zip(corner, weight, strict=True):
            share = share * (w if c else 1 - w)
        result = result + share * values[index]
    return _outside(xp, result, points, values.shape, lost, fill_value)


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
