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

from gammajax.config import program
from gammajax.stats import cash_per_bin, wstat_per_bin
from gammajax.stats.cash import TRUNCATION

TOLERANCE = 1e-7
"""A Newton step of this part of an error is the last: the next would be its square."""

MOST = 60


class Tiles(eqx.Module):
    """Tiles of pixels, and the bins with counts that they see, in blocks of one size.

    Attributes
    ----------
    tile : array of int, shape (block,)
        Which tile sees a block.
    counts, counts_off, alpha, background : array, shape (block, bin)
        Padded with bins of no counts.
    cube : array of int, shape (block, bin)
        Which kernel a bin belongs to: a dataset and its energy.
    y, x : array of int, shape (block, bin)
        Of the bin, from the first pixel of the tile on.
    unit : array, shape (tile, cube, pixel)
        Counts of each pixel for a norm of 1 in each cube, before the kernel.
    total, room : array, shape (tile, pixel)
        T, and the expected counts without the source in the mask within the kernel. With a
        known background the statistic is that of Cash in the kernel; else it lacks the off
        counts of bins without counts, a constant.
    """

    tile: Any
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

    def summed(self, values: Any) -> Any:
        """Sums over the bins of each tile, (block, bin, pixel) to (tile, pixel)."""
        blocks = jnp.sum(values, axis=1)
        return jax.ops.segment_sum(blocks, self.tile, self.total.shape[0])


class Solved(NamedTuple):
    """What was found, shape (tile, pixel); distances have a leading axis of rays."""

    norm: Any
    error: Any
    ts: Any
    stat: Any
    stat_null: Any
    distance: Any
    n_counts: Any


def _bins(tiles: Tiles, mu: Any, on_off: bool) -> Any:
    counts = tiles.counts[:, :, None]
    if on_off:
        off, alpha = tiles.counts_off[:, :, None], tiles.alpha[:, :, None]
        return wstat_per_bin(counts, off, alpha, mu)
    return cash_per_bin(counts, mu)


def _slopes(tiles: Tiles, unit: Any, mu: Any, on_off: bool) -> tuple[Any, Any]:
    """First and second derivatives of the sums over bins by the norms, (tile, pixel)."""
    if on_off:
        found = _bins(tiles, mu, on_off)
        return tiles.summed((found.slope - 2) * unit), tiles.summed(found.bend * unit**2)
    # as `cash_per_bin`, with one division: most of the time of a map goes by here
    share = unit / jnp.maximum(mu, TRUNCATION)
    pull = 2 * tiles.counts[:, :, None] * share
    return -tiles.summed(pull), tiles.summed(pull * share)


def _units(tiles: Tiles, kernels: Any, side: int) -> Any:
    """Counts of each pixel in each bin for a norm of 1, shape (block, bin, pixel)."""
    middle = kernels.shape[-1] // 2

    def seen(cube: Any, y: Any, x: Any) -> Any:
        start = (cube, middle - y, middle - x)
        return jax.lax.dynamic_slice(kernels, start, (1, side, side)).ravel()

    window = jax.vmap(jax.vmap(seen))(tiles.cube, tiles.y, tiles.x)
    unit = window * tiles.unit[tiles.tile[:, None], tiles.cube]
    return jnp.where(tiles.counts[:, :, None] > 0, unit, 0.0)


@partial(program, static_argnames=("side", "on_off"))
def solve_tiles(tiles: Tiles, kernels: Any, rays: Any, side: int, on_off: bool) -> Solved:
    """Best norms with errors and limits, for the pixels of tiles.

    Parameters
    ----------
    tiles : `Tiles`
    kernels : array, shape (cube, y, x)
        Turned around: what a source gives, seen from the bin. Of odd size, with a border of
        zeros as wide as a tile.
    rays : array, shape (ray, 2)
        Direction of each ray, and how much the statistic has to rise.
    side : int
        Pixels along the side of a tile.
    on_off : bool
        Whether the background is measured.
    """
    unit = _units(tiles, kernels, side)
    background = tiles.background[:, :, None]
    total = tiles.total
    live = total > 0
    safe = jnp.where(live, total, 1.0)

    def expected(norm: Any) -> Any:
        return background + norm[tiles.tile][:, None, :] * unit

    def stat(norm: Any, mu: Any) -> Any:
        found = tiles.summed(jnp.where(unit > 0, _bins(tiles, mu, on_off).stat - 2 * mu, 0.0))
        return found + 2 * (norm * total + tiles.room)

    def slope(norm: Any) -> tuple[Any, Any]:
        first, second = _slopes(tiles, unit, expected(norm), on_off)
        return first + 2 * total, second

    seen = tiles.summed((unit > 0) * tiles.counts[:, :, None])
    off = (tiles.alpha * tiles.counts_off)[:, :, None] if on_off else 0.0
    reach = jnp.where(unit > 0, (background + off) / jnp.where(unit > 0, unit, 1.0), jnp.inf)
    nearest = jax.ops.segment_min(jnp.min(reach, axis=1), tiles.tile, total.shape[0])
    low = -jnp.minimum(nearest, tiles.room / safe)
    high = seen / safe + 1e-300
    empty = ~live | (seen <= 0)

    def inverse(norm: Any) -> tuple[Any, Any]:
        # Newton steps for 1 / S(x) = 1 / T, with S the sum of n u / mu: with one bin that is a
        # straight line, while S itself bends so much that steps only double x or fall short
        first, second = slope(norm)
        part = 1 - first / (2 * safe)
        return first, second / jnp.where(part > 0, part, 1.0)

    width = jnp.sqrt(seen + 1.0) / safe
    lowest = slope(low)[0] >= 0
    start = jnp.where(empty, 0.0, jnp.where(lowest, low, jnp.clip(0.0, low, high)))
    norm = _root(inverse, start, low, high, width, ~empty & ~lowest)
    value, bend = stat(norm, expected(norm)), slope(norm)[1]
    null = stat(0.0, background)
    error = jnp.where(
        ~empty & (bend > 0), jnp.sqrt(2 / jnp.where(bend > 0, bend, 1.0)), jnp.nan
    )
    scale = jnp.where(jnp.isfinite(error), error, 0.5 / safe)

    def ray(item: Any) -> Any:
        sign, rise = item[0], item[1]

        def risen(distance: Any) -> tuple[Any, Any]:
            x = norm + sign * distance
            return stat(x, expected(x)) - value - rise, sign * slope(x)[0]

        most = jnp.where(sign > 0, jnp.inf, jnp.where(empty, 0.0, norm - low))
        missing = ((sign < 0) & ((risen(most)[0] < 0) | empty)) | ~live
        start = jnp.minimum(scale * jnp.sqrt(rise), most / 2)
        found = _root(risen, start, jnp.zeros_like(norm), most, scale, ~missing)
        return jnp.where(missing, jnp.nan, found)

    distance = jax.vmap(ray)(rays) if rays.shape[0] else jnp.zeros((0, *norm.shape))
    return Solved(norm, error, jnp.maximum(null - value, 0.0), value, null, distance, seen)


def _root(function: Any, x: Any, low: Any, high: Any, scale: Any, moves: Any) -> Any:
    """Where an increasing function is 0, by Newton steps in a bracket that shrinks.

    ``high`` may be infinite: steps double then until the sign changes. Where ``moves`` is
    False, x stays.
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

    state = (x, low, high, moves, 0)
    return jax.lax.while_loop(proceed, advance, state)[0]
