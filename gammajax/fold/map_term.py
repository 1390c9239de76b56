r"""The part of a likelihood that belongs to counts cubes: sparse in the counts.

.. math:: S = 2 \sum_i \mu_i - 2 \sum_{n_i > 0} n_i \ln \mu_i

The first sum is over all bins of the mask and linear in the prediction, so it is predicted as
one number, the expected total of a dataset. Only bins that have counts are predicted one by
one. A prediction of a dataset is an array of those bins, with the total as its last entry.
On-off cubes are the same with another function of the occupied bins: see `OffCounts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from gammajax.fold.off_counts import OffCounts
from gammajax.fold.row_derivatives import bend_rows, linear_rows
from gammajax.fold.rows import add_rows, slot_places
from gammajax.fold.slopes import MapSlopes, RowBends, RowSlopes, TableSlopes
from gammajax.fold.stack import Stack
from gammajax.fold.staying import folded, table_bends, table_rows
from gammajax.parameters import ParameterSpace
from gammajax.stats import PerBin, cash_per_bin, cash_saturated


class MapTerm(eqx.Module):
    """Counts cubes of the same axes.

    Attributes
    ----------
    folds : tuple of `~gammajax.fold.rows.Fold`
        Each of some rows of a stack of components.
    which : tuple of int
        The stack of each fold.
    counts, background : array, shape (dataset, bin)
        Of the occupied bins; the background is the part that no model scales.
    background_total : array, shape (dataset,)
        The sum of this background over the mask.
    mask : array of bool, shape (dataset, bin + 1)
        False where padded; the last is the total.
    place : array of int, shape (dataset, bin)
        Where each bin is among all bins of its map.
    off : `OffCounts` or None
        The off counts, where the background is measured: the statistic is WStat.
    """

    folds: tuple[Any, ...]
    which: tuple[int, ...] = eqx.field(static=True)
    counts: Any
    background: Any
    background_total: Any
    mask: Any
    place: Any
    off: OffCounts | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Of a prediction, (dataset, bin + 1)."""
        number, size = jnp.shape(self.mask)
        return number, size

    def pairs(self, stacks: Sequence[Stack]) -> list[tuple[Stack, Any]]:
        """The folds, each with its stack."""
        return [(stacks[i], fold) for i, fold in zip(self.which, self.folds, strict=True)]

    def predict(self, stacks: Sequence[Stack], values: Any, in_reverse: bool = False) -> Any:
        """Predicted signal counts and totals, shape (dataset, bin + 1).

        ``in_reverse`` is for reverse derivatives, see `~gammajax.fold.staying.folded`.
        """
        found = jnp.zeros(self.shape)
        for stack, fold in self.pairs(stacks):
            found = found + folded(fold, stack, values, self.shape, in_reverse)
        return found

    def linear(
        self, stacks: Sequence[Stack], space: ParameterSpace, x: Any, active: Any
    ) -> tuple[Any, MapSlopes]:
        """The prediction at x, and its derivatives by the active entries of x."""
        shape, number, values = self.shape, active.size, space.expand(x)
        found, parts = jnp.zeros(shape), []
        for stack, fold in self.pairs(stacks):
            if stack.slots.size == 0:
                found = found + folded(fold, stack, values, shape)
                continue
            column, factor = space.columns(active, slot_places(fold, stack))
            if fold.stays:
                tables, slopes = table_rows(fold, stack, values, factor)
                found = found + fold.added(tables, shape)
                parts.append(TableSlopes(fold, slopes, column, shape, number))
                continue
            counts, slopes = linear_rows(fold, stack, values, factor)
            found = found + add_rows(fold, counts, shape)
            parts.append(RowSlopes(fold, slopes, column, shape, number))
        return found, MapSlopes(tuple(parts), shape, number)

    def backward(
        self,
        stacks: Sequence[Stack],
        space: ParameterSpace,
        x: Any,
        active: Any,
        slopes: MapSlopes,
        weight: Any,
        curved: Any = True,
    ) -> tuple[Any, list[RowBends]]:
        """The gradient of the weighted prediction, and its second derivatives.

        Both are by the active entries of x, where ``slopes`` were made. The second ones of
        shapes that move may be 0 where ``curved`` is False: they cost the most.
        """
        values, gradient, found = space.expand(x), jnp.zeros(active.size), []
        parts = iter(slopes.parts)
        for stack, fold in self.pairs(stacks):
            if stack.slots.size == 0:
                continue
            part = next(parts)
            column, factor = space.columns(active, slot_places(fold, stack))
            if isinstance(part, TableSlopes):
                worth = part.worth(weight)
                gradient = gradient + part.contracted(worth)
                blocks = table_bends(fold, stack, values, worth)
            else:
                gradient = gradient + part.transposed(weight)
                blocks = _bent(curved, fold, stack, values, weight)
            blocks = blocks * factor[:, :, None] * factor[:, None, :]
            found.append(RowBends(blocks, column, active.size))
        return gradient, found

    def stat_array(self, mu: Any) -> Any:
        """The statistic: -2 n ln mu of each bin, and 2 mu of the total."""
        return self.per_bin(mu).stat

    def level(self) -> Any:
        """What the counts alone add to `stat_array`, shape (dataset, bin + 1).

        It is the statistic of a prediction that is what was counted. Less that, the numbers
        are small, and their sum is right where that of `stat_array` is rounded.
        """
        used = self.mask[:, :-1]
        if self.off is None:
            signal, bins = self.counts, cash_saturated(self.counts) - 2 * self.counts
        else:
            signal = self.counts - self.off.alpha * self.off.counts
            bins = -2 * signal
        total = 2 * jnp.sum(jnp.where(used, signal, 0.0), axis=1, keepdims=True)
        return jnp.concatenate([jnp.where(used, bins, 0.0), total], axis=1)

    def per_bin(self, mu: Any) -> PerBin:
        """The statistic of each entry with its derivatives by the prediction.

        The expected second derivative is the observed one: the bins without counts, which
        have a part in its expectation, are not there.
        """
        expected = jnp.where(self.mask[:, :-1], mu[:, :-1] + self.background, 1.0)
        total = 2 * (mu[:, -1:] + self.background_total[:, None])
        if self.off is None:
            found = cash_per_bin(self.counts, expected)
            found = PerBin(found.stat - 2 * expected, found.slope - 2, found.bend, found.bend)
        else:
            found = self.off.per_bin(self.counts, expected)
            total = total + self.off.constant[:, None]
        flat = jnp.zeros_like(total)
        parts = zip(found[:3], (total, flat + 2, flat), strict=True)
        joined = (jnp.concatenate([bins, last], axis=1) for bins, last in parts)
        stat, slope, bend = (jnp.where(self.mask, part, 0.0) for part in joined)
        return PerBin(stat, slope, bend, bend)

    def expected(self, mu: Any, background: Any = None) -> tuple[Any, Any]:
        """Expected counts of each bin and no off counts; see `SpectrumTerm.expected`."""
        known = self.background if background is None else background
        on = jnp.where(self.mask[:, :-1], mu[:, :-1] + known, 0.0)
        return on, jnp.zeros_like(on)

    def with_counts(self, counts: Any, counts_off: Any) -> MapTerm:
        """The term with other counts in its bins, which have to be all; traceable."""
        return eqx.tree_at(lambda t: t.counts, self, counts)

    def background_sums(self, mu: Any) -> Any:
        """Expected background of each dataset: the known one, or profiled from off counts."""
        if self.off is None:
            return self.background_total
        return self.off.expected(self.counts, jnp.where(self.mask, mu, 0.0)[:, :-1])

    def negative_bins(self, mu: Any) -> Any:
        """The number of occupied bins, and of totals, whose prediction is not positive.

        An occupied bin with off counts allows any signal: its background rises to meet it.
        """
        if self.off is not None:
            occupied = jnp.sum(jnp.where(self.mask[:, :-1], mu[:, :-1], 0.0), axis=1)
            return jnp.sum(self.off.negative(mu[:, -1], occupied))
        expected = mu[:, :-1] + self.background
        total = mu[:, -1:] + self.background_total[:, None]
        below = jnp.concatenate([expected <= 0, total < 0], axis=1)
        return jnp.sum(self.mask & below)


def _bent(curved: Any, *args: Any) -> Any:
    """`bend_rows`, or zeros."""
    if curved is True:
        return bend_rows(*args)
    kind = jax.eval_shape(lambda: bend_rows(*args))
    return jax.lax.cond(
        curved, lambda: bend_rows(*args), lambda: jnp.zeros(kind.shape, kind.dtype)
    )
