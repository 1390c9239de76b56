r"""The norm of a source at every pixel, tile by tile.

With a source at pixel p that gives :math:`u_{p i}` counts to bin i for a norm of 1,

.. math:: S_p(x) = 2 x T_p + \sum_{n_i > 0} [s_i(b_i + x u_{p i}) - 2 x u_{p i}],

where :math:`T_p` is the sum of all :math:`u_{p i}` in the mask. The second sum has the bins
with counts only, so the work goes with these. Pixels of a tile share its bins.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from gammajax.stats import cash_per_bin, wstat_per_bin

TOLERANCE = 1e-7
"""A Newton step of this part of an error is the last: the next would be its square."""

MOST = 60


class Tile(eqx.Module):
    """The bins with counts that pixels of a tile see.

    Attributes
    ----------
    counts, counts_off, alpha, background : array, shape (bin,)
        Padded with bins of no counts.
    cube : array of int, shape (bin,)
        Which kernel a bin belongs to: a dataset and its energy.
    y, x : array of int, shape (bin,)
        Of the bin, from the first pixel of the tile on.
    unit : array, shape (cube, pixel)
        Counts of each pixel for a norm of 1 in each cube, before the kernel.
    total, room : array, shape (pixel,)
        T, and the expected counts without the source in the mask within the kernel. With a
        known background the statistic is that of Cash in the kernel; else it lacks the off
        counts of bins without counts, a constant.
    """

    counts: Any
    counts_off: Any
    alpha: Any
    background: Any
    cube: Any
    y: Any
    x: Any
    unit: Any
    total: Any
    room: Any


class Solved(NamedTuple):
    """What was found for each pixel of a tile; distances have a row for each ray."""

    norm: Any
    error: Any
    ts: Any
    stat: Any
    stat_null: Any
    distance: Any
    n_counts: Any


def _bins(tile: Tile, mu: Any, on_off: bool) -> Any:
    if on_off:
        return wstat_per_bin(tile.counts, tile.counts_off, tile.alpha, mu)
    return cash_per_bin(tile.counts, mu)


def solve_tile(
    tile: Tile, kernels: Any, offsets: Any, rays: Any, size: int, on_off: bool
) -> Solved:
    """Best norms with errors and limits, for the pixels of a tile.

    Parameters
    ----------
    tile : `Tile`
    kernels : array, shape (cube, y, x)
        Of odd size, with a border of zeros.
    offsets : tuple of array of int, shape (pixel,)
        y and x of the pixels in the tile.
    rays : array, shape (ray, 2)
        Direction of each ray, and how much the statistic has to rise.
    size : int
        Half the size of the kernels.
    on_off : bool
        Whether the background is measured.
    """
    dy = jnp.clip(tile.y[None, :] - offsets[0][:, None] + size, 0, 2 * size)
    dx = jnp.clip(tile.x[None, :] - offsets[1][:, None] + size, 0, 2 * size)
    unit = kernels[tile.cube[None, :], dy, dx] * tile.unit[tile.cube].T
    unit = jnp.where(tile.counts > 0, unit, 0.0)
    total = tile.total
    live = total > 0
    safe = jnp.where(live, total, 1.0)

    def stat(norm: Any) -> tuple[Any, Any, Any]:
        mu = tile.background + norm[:, None] * unit
        found = _bins(tile, mu, on_off)
        value = jnp.sum(jnp.where(unit > 0, found.stat - 2 * mu, 0.0), axis=1)
        value = value + 2 * (norm * total + tile.room)
        slope = jnp.sum((found.slope - 2) * unit, axis=1) + 2 * total
        return value, slope, jnp.sum(found.bend * unit**2, axis=1)

    seen = jnp.sum((unit > 0) * tile.counts, axis=1)
    off = tile.alpha * tile.counts_off if on_off else 0.0
    reach = jnp.where(
        unit > 0, (tile.background + off) / jnp.where(unit > 0, unit, 1.0), jnp.inf
    )
    low = -jnp.minimum(jnp.min(reach, axis=1, initial=jnp.inf), tile.room / safe)
    high = seen / safe + 1e-300
    empty = ~live | (seen <= 0)

    def slope(norm: Any) -> tuple[Any, Any]:
        _, first, second = stat(norm)
        return first, second

    width = jnp.sqrt(seen + 1.0) / safe
    norm = _root(slope, jnp.zeros_like(total), low, high, width)
    norm = jnp.where(empty, 0.0, norm)
    value, _, bend = stat(norm)
    null, _, _ = stat(jnp.zeros_like(norm))
    error = jnp.where(
        ~empty & (bend > 0), jnp.sqrt(2 / jnp.where(bend > 0, bend, 1.0)), jnp.nan
    )
    scale = jnp.where(jnp.isfinite(error), error, 0.5 / safe)

    def ray(item: Any) -> Any:
        sign, rise = item[0], item[1]

        def risen(distance: Any) -> tuple[Any, Any]:
            here, first, _ = stat(norm + sign * distance)
            return here - value - rise, sign * first

        most = jnp.where(sign > 0, jnp.inf, jnp.where(empty, 0.0, norm - low))
        start = jnp.minimum(scale * jnp.sqrt(rise), most / 2)
        found = _root(risen, start, jnp.zeros_like(norm), most, scale)
        missing = (sign < 0) & ((risen(most)[0] < 0) | empty)
        return jnp.where(missing | ~live, jnp.nan, found)

    distance = jax.vmap(ray)(rays) if rays.shape[0] else jnp.zeros((0, norm.size))
    return Solved(norm, error, jnp.maximum(null - value, 0.0), value, null, distance, seen)


def _root(function: Any, x: Any, low: Any, high: Any, scale: Any) -> Any:
    """Where an increasing function is 0, by Newton steps in a bracket that shrinks.

    ``high`` may be infinite: steps double then until the sign changes.
    """

    def proceed(state: Any) -> Any:
        _, _, _, moved, number = state
        return jnp.any(moved) & (number < MOST)

    def advance(state: Any) -> Any:
        x, low, high, moved, number = state
        value, slope = function(x)
        low, high = jnp.where(value < 0, x, low), jnp.where(value >= 0, x, high)
        step = x - value / jnp.where(slope > 0, slope, 1.0)
        middle = jnp.where(jnp.isfinite(high), (low + high) / 2, 2 * x + 1e-300)
        inside = (slope > 0) & (step > low) & (step < high)
        new = jnp.where(inside, step, middle)
        new = jnp.where(moved, new, x)
        small = jnp.where(inside, TOLERANCE, 1e-12)
        moved = moved & (jnp.abs(new - x) > small * scale)
        return new, low, high, moved, number + 1

    x = jnp.clip(x, low, high)
    state = (x, low, high, jnp.ones(x.shape, dtype=bool), 0)
    return jax.lax.while_loop(proceed, advance, state)[0]


@partial(jax.jit, static_argnames=("size", "on_off"))
def solve_tiles(
    tiles: Tile, kernels: Any, offsets: Any, rays: Any, size: int, on_off: bool
) -> Solved:
    """`solve_tile` of tiles with a leading axis, one after the other."""

    def one(tile: Tile) -> Solved:
        return solve_tile(tile, kernels, offsets, rays, size, on_off)

    return jax.lax.map(one, tiles)
