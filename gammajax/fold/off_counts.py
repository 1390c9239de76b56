r"""Off counts of counts cubes: WStat of the occupied bins, and of all others in their sum.

A bin with no counts has :math:`W = 2 \mu_s + 2 n_{off} \ln(1 + \alpha)` as long as
:math:`\mu_s \geq -\alpha n_{off} / (1 + \alpha)`: linear in the prediction, as for Cash. So

.. math:: W = 2 \sum_i \mu_i + \sum_{n_i > 0} (W_i - 2 \mu_i)
          + 2 \sum_{n_i = 0} n_{off, i} \ln(1 + \alpha_i),

where the last sum is a constant. Below that limit the bin would cost more than the line says;
`OffCounts.negative` counts the datasets whose empty bins must have such a bin among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import numpy as np

from gammajax.fold.map_data import MapData
from gammajax.stats import PerBin, wstat_background, wstat_per_bin


class OffCounts(eqx.Module):
    """The measured background of counts cubes.

    Attributes
    ----------
    counts, alpha : array, shape (dataset, bin)
        Of the occupied bins.
    constant : array, shape (dataset,)
        The part of the statistic that no model changes.
    room : array, shape (dataset,)
        How far the signal in all empty bins together may be below zero.
    """

    counts: Any
    alpha: Any
    constant: Any
    room: Any

    @classmethod
    def create(cls, data: Sequence[MapData], size: int) -> OffCounts:
        """Pack the off counts of datasets, on the host."""
        counts, alpha = np.zeros((len(data), size)), np.ones((len(data), size))
        constant, room = np.zeros((2, len(data)))
        for row, item in enumerate(data):
            place = item.bins.energy, item.bins.pixel
            off = np.asarray(item.dataset.counts_off.data, dtype=float).reshape(item.mask.shape)
            ratio = item.dataset.alpha_data.reshape(item.mask.shape)
            number, used = place[0].size, item.bins.used
            counts[row, :number] = off[place]
            # bins outside of the mask, in predictions of every bin, may have no alpha
            alpha[row, :number] = np.where(ratio[place] > 0, ratio[place], 1.0)
            empty = item.mask.copy()
            empty[place[0][used], place[1][used]] = False
            constant[row] = 2 * np.sum(off[empty] * np.log1p(ratio[empty]))
            room[row] = np.sum(off[empty] * ratio[empty] / (1 + ratio[empty]))
        return cls(counts, alpha, constant, room)

    def per_bin(self, n_on: Any, mu: Any) -> PerBin:
        """W - 2 mu of each bin with its derivatives by the signal."""
        found = wstat_per_bin(n_on, self.counts, self.alpha, mu)
        return PerBin(found.stat - 2 * mu, found.slope - 2, found.bend, found.bend)

    def expected(self, n_on: Any, mu: Any) -> Any:
        """The profiled background in the on regions of all bins, shape (dataset,).

        Empty bins have alpha n_off / (1 + alpha), whatever their signal; ``room`` is their
        sum. Padded bins have no off counts, and so no background.
        """
        occupied = self.alpha * wstat_background(n_on, self.counts, self.alpha, mu)
        return (occupied * (n_on > 0)).sum(axis=1) + self.room

    def negative(self, total: Any, occupied: Any) -> Any:
        """Whether the signal in the empty bins is below what off counts allow, (dataset,).

        It is a difference of sums, each right to 1e-4.
        """
        return total - occupied < -self.room - 1e-4 * abs(occupied)
