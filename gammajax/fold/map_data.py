"""What the plans of counts cubes share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gammajax.fold.gather import GatheredSky
from gammajax.fold.occupied import WIDTH, Occupied
from gammajax.fold.pixels import WcsPixels, pixels_of


@dataclass
class MapData:
    """What the plans of a dataset share.

    Attributes
    ----------
    dataset : `~gammajax.datasets.MapDataset`
    pixels : `~gammajax.fold.pixels.WcsPixels` or `HpxPixels`
    bins : `~gammajax.fold.occupied.Occupied`
        The bins that are predicted one by one, in blocks of `WIDTH`.
    masks : list of (energies, mask)
        The different masks of pixels, with the reconstructed bins that have them.
    mask : array of bool, shape (energy, pixel)
    """

    dataset: Any
    pixels: Any
    bins: Occupied
    masks: list[tuple[np.ndarray, np.ndarray]]
    mask: np.ndarray
    trees: dict[tuple[int, bool], GatheredSky | None] = field(default_factory=dict)

    @classmethod
    def create(cls, dataset: Any, border: float, every_bin: bool = False) -> MapData:
        """The data of a dataset: its occupied bins, or every bin of the map."""
        pixels = pixels_of(dataset.geom, border)
        number = dataset.energy.nbin
        if every_bin:
            mask = np.ones((number, pixels.number), dtype=bool)
            energy, pixel = np.nonzero(mask)
        else:
            mask = dataset.mask.reshape(number, -1)
            counts = np.asarray(dataset.counts.data).reshape(number, -1)
            energy, pixel = np.nonzero(mask & (counts > 0))
        return cls(
            dataset, pixels, _in_blocks(pixels, energy, pixel), different_rows(mask), mask
        )

    def on_map(self, bins: np.ndarray) -> np.ndarray:
        """Values of the bins where they are on the map, 0 elsewhere: (energy, pixel)."""
        found = np.zeros(self.mask.shape)
        used = self.bins.used
        found[self.bins.energy[used], self.bins.pixel[used]] = bins[: used.size][used]
        return found

    def gathered(self, number: int, inside: bool) -> GatheredSky | None:
        """The tree of the sky in or outside of a mask; None where pixels form no lattice."""
        if not isinstance(self.pixels, WcsPixels):
            return None
        if (number, inside) not in self.trees:
            index, mask = self.pixels.index, self.masks[number][1]
            within = np.where(index >= 0, mask[index], False)
            seen = np.isfinite(self.pixels.vectors).all(axis=-1)
            keys = np.nonzero((within == inside) & seen)[0]
            self.trees[number, inside] = GatheredSky(self.pixels, keys) if keys.size else None
        return self.trees[number, inside]


def different_rows(mask: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The different rows of a mask that have something, with where they are.

    They are compared by their bytes: `numpy.unique` makes a field of each of millions of
    pixels.
    """
    places: dict[bytes, list[int]] = {}
    for number, row in enumerate(mask):
        places.setdefault(np.packbits(row).tobytes(), []).append(number)
    found = [(np.array(own), mask[own[0]]) for own in places.values()]
    return [(own, row) for own, row in found if row.any()]


def _in_blocks(pixels: Any, energy: np.ndarray, pixel: np.ndarray) -> Occupied:
    """Bins sorted by energy and along a curve through the sky, each energy in whole blocks."""
    vectors = pixels.vectors_of(pixels.key_of[pixel])
    order = np.lexsort((curve_of(vectors), energy))
    energy, pixel, vectors = energy[order], pixel[order], vectors[order]
    counts = np.bincount(energy, minlength=1)
    room = -(-counts // WIDTH) * WIDTH
    before = np.repeat(np.cumsum(room) - room - (np.cumsum(counts) - counts), counts)
    place = np.arange(energy.size) + before
    used = np.zeros(room.sum(), dtype=bool)
    used[place] = True
    whole = Occupied(
        pixel=np.zeros(used.size, dtype=int),
        energy=np.repeat(np.arange(room.size), room),
        vectors=np.zeros((used.size, 3)),
        used=used,
    )
    whole.pixel[place], whole.vectors[place] = pixel, vectors
    return whole


def curve_of(vectors: np.ndarray) -> np.ndarray:
    """The place of directions along a Z-shaped curve: near in the order is near on the sky."""
    cells = np.nan_to_num((vectors + 1) / 2 * 1023).astype(np.int64)
    code = np.zeros(len(vectors), dtype=np.int64)
    for bit in range(10):
        for axis in range(3):
            code |= (cells[:, axis] >> bit & 1) << (3 * bit + axis)
    return code
