"""Bins with counts, in blocks of neighbours, and those of them that a source reaches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

WIDTH = 32
"""Bins of a block: neighbours of one energy that are folded together."""

ROOM = 1e-6
"""What the radius of a cap has beyond its bins, in rad: much more than it is rounded by."""


class Caps(NamedTuple):
    """Circles on the sky around the bins of each block.

    Attributes
    ----------
    middle : array, shape (block, 3)
    radius : array, shape (block,), in rad
    cosine, sine : array, shape (block,)
        Of the radius.
    energy : array of int, shape (block,)
    """

    middle: np.ndarray
    radius: np.ndarray
    cosine: np.ndarray
    sine: np.ndarray
    energy: np.ndarray


@dataclass
class Occupied:
    """The bins of a dataset that have counts: place in the map, and reconstructed bin.

    They come in blocks of `WIDTH`, each of one energy. Those that are not ``used`` are
    padding at the end of a block, and have no direction.
    """

    pixel: np.ndarray
    energy: np.ndarray
    vectors: np.ndarray
    used: np.ndarray

    def within(self, direction: np.ndarray, radii: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The bins around a direction, in their order, and the cosines of their distances.

        Blocks are looked at first, and the bins of those that may reach into the circle.

        Parameters
        ----------
        direction : array, shape (3,)
        radii : array, shape (energy,)
            Of the circle at each energy, in rad.
        """
        caps, radii = self._caps, np.minimum(radii, np.pi)
        cosines, own = np.cos(radii), caps.energy
        # the cosine of the sum of both radii
        reach = cosines[own] * caps.cosine - np.sin(radii)[own] * caps.sine
        found = caps.middle @ direction >= reach
        near = np.nonzero(found | (radii[own] + caps.radius >= np.pi))[0]
        bins = (near[:, None] * WIDTH + np.arange(WIDTH)).ravel()
        cosine = self.vectors[bins] @ direction
        chosen = (cosine >= cosines[self.energy[bins]]) & self.used[bins]
        return bins[chosen], cosine[chosen]

    @cached_property
    def _caps(self) -> Caps:
        """The circles of all blocks; those of blocks without a middle are the whole sky."""
        vectors = self.vectors.reshape(-1, WIDTH, 3)
        used = self.used.reshape(-1, WIDTH)
        summed = np.where(used[:, :, None], vectors, 0.0).sum(axis=1)
        length = np.linalg.norm(summed, axis=1)
        middle = np.divide(summed, length[:, None], where=length[:, None] > 0, out=0 * summed)
        cosine = np.where(used, np.einsum("bij,bj->bi", vectors, middle), 1.0)
        radius = np.arccos(np.clip(cosine.min(axis=1, initial=1.0), -1, 1)) + ROOM
        radius = np.where(length > 0, radius, np.pi)
        energy = self.energy.reshape(-1, WIDTH)[:, 0]
        return Caps(middle, radius, np.cos(radius), np.sin(radius), energy)
