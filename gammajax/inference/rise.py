"""Where a statistic has risen by a given amount: edges of intervals, limits, contours."""

from __future__ import annotations

from typing import Any

import numpy as np

MAX_ROUNDS = 25


def find_rise(
    rise: Any, radius: np.ndarray, reach: np.ndarray, target: Any, precision: float = 1e-5
) -> tuple[np.ndarray, np.ndarray]:
    r"""Radii at which ``rise`` is ``target``, for all rays at once.

    The square root of the rise is nearly linear in the radius, so its secant converges in a
    few rounds; a bracket keeps it safe.

    Parameters
    ----------
    rise : callable
        From radii (ray,) to how much the statistic has risen there.
    radius : array, shape (ray,)
        Where to look first.
    reach : array, shape (ray,)
        The largest radii that are allowed.
    target : float, or array, shape (ray,)
    precision : float
        How near the root of the rise comes to that of the target.

    Returns
    -------
    radius : array, shape (ray,)
    limited : array of bool, shape (ray,)
        Where the statistic did not rise enough within reach.
    """
    goal = np.sqrt(target)
    radius = np.minimum(np.asarray(radius, dtype=np.float64), reach)
    low, low_root = np.zeros_like(radius), np.zeros_like(radius)
    high, high_root = np.full_like(radius, np.inf), np.full_like(radius, np.nan)
    done = np.zeros(radius.shape, dtype=bool)
    limited = np.zeros(radius.shape, dtype=bool)
    for _ in range(MAX_ROUNDS):
        root = np.sqrt(np.maximum(rise(radius), 0.0))
        root = np.where(np.isfinite(root), root, np.inf)
        limited |= ~done & (root < goal) & (radius >= reach)
        done |= limited | (np.abs(root - goal) < precision)
        if done.all():
            break
        below = ~done & (root < goal)
        above = ~done & ~below
        low, low_root = np.where(below, radius, low), np.where(below, root, low_root)
        high, high_root = np.where(above, radius, high), np.where(above, root, high_root)
        with np.errstate(divide="ignore", invalid="ignore"):
            open_end = radius * np.clip(goal / root, 1.1, 4.0)
            inner = low + (goal - low_root) * (high - low) / (high_root - low_root)
            margin = 0.02 * (high - low)
            clipped = np.clip(inner, low + margin, high - margin)
        inner = np.where(np.isfinite(inner), clipped, (low + high) / 2)
        proposal = np.where(np.isfinite(high), inner, np.minimum(open_end, reach))
        radius = np.where(done, radius, proposal)
    return radius, limited | ~done & ~np.isfinite(high)
