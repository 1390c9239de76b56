"""What the removal of one source touches: its bins, and the neighbours that answer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gammajax.fold.listed import Listed

ALONE = 1 - 1e-12
"""Largest part of the prediction of a bin that may go with a source."""


class Footprint(NamedTuple):
    """The bins of a source, and what is in them.

    Attributes
    ----------
    counts : array, shape (bin,)
    own : array, shape (bin,)
        The part of the prediction that is the source's.
    others : array, shape (parameter, bin)
        Derivatives by parameters of neighbours, over the prediction.
    """

    counts: np.ndarray
    own: np.ndarray
    others: np.ndarray


class Bins:
    """The bins with counts of one term, and the derivatives of its prediction.

    Parameters
    ----------
    lists : sequence of `~gammajax.fold.listed.Listed`
    slope, bend : array, shape (dataset, bin + 1)
        Derivatives of the statistic, which is -2 n ln mu in a bin.
    """

    def __init__(self, lists: list[Listed], slope: np.ndarray, bend: np.ndarray) -> None:
        slope, bend = slope[:, :-1].ravel(), bend[:, :-1].ravel()
        used = bend > 0
        self.prediction = np.where(used, -slope / np.where(used, bend, 1.0), 1.0)
        self.counts = np.where(used, -0.5 * slope * self.prediction, 0.0)
        self.width = max((part.width for part in lists), default=1)
        self.parts = [_Part(part, self.width) for part in lists]

    def blocks_of(self, column: int) -> np.ndarray:
        """The blocks of bins that a parameter changes."""
        found = [part.blocks_of(column) for part in self.parts]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, int)

    def derivative(self, column: int, blocks: np.ndarray) -> np.ndarray:
        """The derivative by a parameter in some blocks, shape (bin,)."""
        total = np.zeros((blocks.size, self.width))
        for part in self.parts:
            part.add(column, blocks, total)
        return total.ravel()

    def within(self, blocks: np.ndarray) -> np.ndarray:
        """The places of the bins of blocks."""
        return (blocks[:, None] * self.width + np.arange(self.width)).ravel()


class _Part:
    """One list, with its entries by parameter."""

    def __init__(self, part: Listed, width: int) -> None:
        self.part = part
        self.per = width // part.width
        self.columns = part.columns.tocsc()
        self.functions = part.basis.shape[1]
        flat = part.basis.ravel()
        self.order = np.argsort(flat, kind="stable")
        self.start = np.searchsorted(flat[self.order], np.arange(part.columns.shape[0] + 1))

    def _entries(self, column: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Entries that a parameter changes, which of their functions, and how much."""
        ends = self.columns.indptr[column : column + 2]
        basis = self.columns.indices[ends[0] : ends[1]]
        share = self.columns.data[ends[0] : ends[1]]
        spans = [self.order[self.start[b] : self.start[b + 1]] for b in basis]
        if not spans:
            return np.zeros(0, int), np.zeros(0, int), np.zeros(0)
        place = np.concatenate(spans)
        weight = np.repeat(share, [span.size for span in spans])
        return place // self.functions, place % self.functions, weight

    def blocks_of(self, column: int) -> np.ndarray:
        entry, _, weight = self._entries(column)
        return np.unique(self.part.place[entry[weight != 0]] // self.per)

    def add(self, column: int, blocks: np.ndarray, total: np.ndarray) -> None:
        """Add the derivative in some blocks (rising) to ``total``, shape (block, width)."""
        if blocks.size == 0:
            return
        entry, function, weight = self._entries(column)
        block = self.part.place[entry] // self.per
        place = np.minimum(np.searchsorted(blocks, block), blocks.size - 1)
        inside = np.nonzero(blocks[place] == block)[0]
        if inside.size == 0:
            return
        some, place = entry[inside], place[inside]
        values = np.asarray(self.part.values(some))
        found = values[np.arange(some.size), function[inside]] * weight[inside, None]
        first = (self.part.place[some] % self.per) * self.part.width
        within = first[:, None] + np.arange(self.part.width)
        np.add.at(total, (place[:, None], within), found)


def footprint(
    terms: list[Bins], column: int, amplitude: float, neighbours: np.ndarray
) -> Footprint:
    """The footprint of the source whose prediction is ``amplitude`` times a derivative."""
    counts, own, others = [], [], []
    for bins in terms:
        blocks = bins.blocks_of(column)
        place = bins.within(blocks)
        occupied = np.nonzero(bins.counts[place] > 0)[0]
        mu = bins.prediction[place]
        counts.append(bins.counts[place][occupied])
        share = amplitude * bins.derivative(column, blocks) / mu
        own.append(np.minimum(share[occupied], ALONE))
        rows = [bins.derivative(int(j), blocks)[occupied] for j in neighbours]
        others.append(np.reshape(rows, (len(rows), occupied.size)) / mu[occupied])
    return Footprint(
        np.concatenate(counts), np.concatenate(own), np.concatenate(others, axis=1)
    )
