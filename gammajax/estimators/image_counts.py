"""Counts of a bin of energy as images, and their sums around each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from gammajax.datasets import MapDatasetOnOff
from gammajax.estimators.energy_bins import EnergyBin
from gammajax.models import Models
from gammajax.stats.counts_statistic import (
    CashCountsStatistic,
    CountsStatistic,
    WStatCountsStatistic,
)

SEEN = 0.5
"""Least sum of weights of bins in the mask at which a pixel has data."""


@dataclass(frozen=True, eq=False)
class ImageCounts:
    """What sums around pixels need; arrays of shape (y, x), sums over the bins in the mask.

    Attributes
    ----------
    counts, background, number : array
        Counts, expected background, and the number of bins in the mask.
    signal : array
        Counts of known sources, where the background is measured; in the background else.
    off, acceptance, acceptance_off : array, optional
        Where the background is measured.
    """

    counts: np.ndarray
    background: np.ndarray
    number: np.ndarray
    signal: Any = 0.0
    off: Any = None
    acceptance: Any = None
    acceptance_off: Any = None

    @classmethod
    def of(cls, dataset: Any, models: Any, energy_bin: EnergyBin) -> Self:
        """The images of a cube in a bin of energy; ``models`` is what is known to be there."""
        mask = dataset.mask & energy_bin.inside[dataset.name][:, None, None]

        def flat(array: Any) -> np.ndarray:
            return np.where(mask, np.asarray(array, dtype=float), 0.0).sum(axis=0)

        counts, number = flat(dataset.counts.data), flat(np.ones(mask.shape))
        if not isinstance(dataset, MapDatasetOnOff):
            return cls(counts, flat(dataset.npred(models).data), number)
        off = np.asarray(dataset.counts_off.data, dtype=float)
        signal: Any = 0.0
        if models is not None:
            signal = flat(dataset.npred_signal(Models(models)).data)
        return cls(
            counts,
            flat(np.asarray(dataset.alpha_data) * off),
            number,
            signal,
            flat(off),
            flat(dataset.acceptance.data),
            flat(dataset.acceptance_off.data),
        )

    def statistic(
        self, weights: np.ndarray, *, correlate_off: bool = True, whole: bool = False
    ) -> tuple[CountsStatistic, np.ndarray]:
        """The statistic of the weighted sums around all pixels, and which have any data.

        Parameters
        ----------
        weights : array, shape (odd, odd)
        correlate_off : bool
            Whether off counts are summed as well.
        whole : bool
            Whether weights are 0 and 1, so that sums of counts are whole numbers.
        """
        n_on = _summed(self.counts, weights, whole)
        seen = _summed(self.number, weights) > SEEN
        background = _summed(self.background, weights)
        if self.off is None:
            return CashCountsStatistic(n_on, np.where(seen, background, 1.0)), seen
        off, below = self.off, self.acceptance_off
        if correlate_off:
            off, below = _summed(off, weights, whole), _summed(below, weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            alpha = np.where(
                off > 0, background / off, _summed(self.acceptance, weights) / below
            )
        seen = seen & (alpha > 0)
        if np.ndim(self.signal):
            n_on = np.maximum(n_on - _summed(self.signal, weights), 0.0)
        return WStatCountsStatistic(n_on, off, np.where(seen, alpha, 1.0)), seen


def _summed(image: np.ndarray, weights: np.ndarray, whole: bool = False) -> np.ndarray:
    """Sums around each pixel, without the noise of the transform below 0."""
    from scipy.signal import fftconvolve

    found = np.maximum(fftconvolve(image, weights, mode="same"), 0.0)
    return np.round(found) if whole else found


def unit_counts(dataset: Any, spectrum: Any, energy_bin: EnergyBin) -> np.ndarray:
    """Counts that a spectrum gives at each pixel with nothing lost, shape (y, x)."""
    true = dataset.energy_true
    image = dataset.geom.to_image()
    coords = image.to_cube([true]).get_coord(sparse=True)
    exposure = np.nan_to_num(np.asarray(dataset.exposure.interp_by_coord(coords)))
    flux = np.asarray(spectrum.integral(true.edges_min, true.edges_max))
    inside = energy_bin.inside[dataset.name]
    if dataset.edisp is not None:
        matrix = dataset.edisp.get_edisp_kernel(image.center_skydir).matrix
        share = matrix[:, inside].sum(axis=1)
    else:
        centers = np.sqrt(true.edges_min * true.edges_max)
        low, high = energy_bin.energy_min, energy_bin.energy_max
        share = ((centers >= low) & (centers < high)).astype(float)
    return np.tensordot(flux * share, np.maximum(exposure, 0.0), axes=1)
