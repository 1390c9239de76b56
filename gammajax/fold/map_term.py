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
from gammajax.fold.stack import Stack
from gammajax.stats import PerBin, cash_per_bin


class MapTerm(eqx.Module):
    """Counts cubes of the same axes.

    Attributes
    ----------
    folds : tuple
        One for each stack of components: a function of the stack and of all values that
        gives predicted counts and, as the last, totals (dataset, bin + 1); None if it does not
        fold into these datasets.
    counts, background : array, shape (dataset, bin)
        Of the occupied bins; the background is the part that no model scales.
    background_total : array, shape (dataset,)
        The sum of this background over the mask.
    mask : array of bool, shape (dataset, bin + 1)
        False where padded; the last is the total.
    off : `OffCounts` or None
        The off counts, where the background is measured: the statistic is WStat.
    """

    folds: tuple[Any, ...]
    counts: Any
    background: Any
    background_total: Any
    mask: Any
    off: OffCounts | None = None

    def predict(self, stacks: Sequence[Stack], values: Any) -> Any:
        """Predicted signal counts and totals, shape (dataset, bin + 1)."""
        found = jnp.zeros(jnp.shape(self.mask))
        for stack, fold in zip(stacks, self.folds, strict=True):
            if fold is not None:
                found = found + fold(stack, values)
        return found

    def stat_array(self, mu: Any) -> Any:
        """The statistic: -2 n ln mu of each bin, and 2 mu of the total."""
        return self.per_bin(mu).stat

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
        parts = zip(found, (total, flat + 2, flat, flat), strict=True)
        joined = (jnp.concatenate([bins, last], axis=1) for bins, last in parts)
        return PerBin(*(jnp.where(self.mask, part, 0.0) for part in joined))

    def negative_bins(self, mu: Any) -> Any:
        """The number of occupied bins, and of totals, whose prediction is not positive.

        An occupied bin with off counts allows any signal: its background rises to meet it.
        """
        if self.off is not None:
            occupied = jnp.sum(jnp.where(self.mask[:, :-1], mu[:, :-1], 0.0), axis=1)
            return jnp.sum(self.off.negative(mu[:, -1] - occupied))
        expected = mu[:, :-1] + self.background
        total = mu[:, -1:] + self.background_total[:, None]
        below = jnp.concatenate([expected <= 0, total < 0], axis=1)
        return jnp.sum(self.mask & below)


class BackgroundFold(eqx.Module):
    """Templates of counts, scaled by a factor that depends on reconstructed energy.

    Attributes
    ----------
    centers : array, shape (row, energy), in TeV
        Where the factor is taken; there is a row for each component and dataset.
    dataset, component : array of int, shape (row,)
    bins : array, shape (row, bin)
        Counts of the template in the occupied bins.
    energy : array of int, shape (row, bin)
    totals : array, shape (row, energy)
        Its sum over the mask.
    number : int
        Number of datasets.
    """

    centers: Any
    dataset: Any
    component: Any
    bins: Any
    energy: Any
    totals: Any
    number: int = eqx.field(static=True)

    def __call__(self, stack: Stack, values: Any) -> Any:
        """Predicted counts in the bins, and the total as the last: (dataset, bin + 1)."""
        sources = jax.tree_util.tree_map(lambda leaf: leaf[self.component], stack.at(values))
        factor = jax.vmap(lambda source, e: source.spectral_model.evaluate(e))(
            sources, self.centers
        )
        bins = self.bins * jnp.take_along_axis(factor, jnp.asarray(self.energy), axis=1)
        totals = jnp.sum(self.totals * factor, axis=1, keepdims=True)
        found = jnp.concatenate([bins, totals], axis=1)
        return jnp.zeros((self.number, found.shape[1])).at[self.dataset].add(found)
