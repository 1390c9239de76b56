"""What the plans of counts cubes share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.fold.pixels import pixels_of
from gammajax.fold.round_plan import Occupied
from gammajax.models.spectral.quadrature import nodes_for


@dataclass
class MapData:
    """What the plans of a dataset share.

    Attributes
    ----------
    dataset : `~gammajax.datasets.MapDataset`
    pixels : `~gammajax.fold.pixels.WcsPixels` or `HpxPixels`
    bins : `~gammajax.fold.round_plan.Occupied`
        The bins that are predicted one by one.
    masks : list of (energies, mask)
        The different masks of pixels, with the reconstructed bins that have them.
    mask : array of bool, shape (energy, pixel)
    """

    dataset: Any
    pixels: Any
    bins: Occupied
    masks: list[tuple[np.ndarray, np.ndarray]]
    mask: np.ndarray

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
        vectors = pixels.nodes_of(pixels.key_of[pixel], 1)[0][:, 0]
        rows, group = np.unique(mask, axis=0, return_inverse=True)
        masks = [
            (np.nonzero(group.ravel() == i)[0], row) for i, row in enumerate(rows) if row.any()
        ]
        return cls(dataset, pixels, Occupied(pixel, energy, vectors), masks, mask)


def true_axes(datasets: Sequence[Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Lower and upper edges of the different axes, each dataset's axis, and nodes."""
    edges = [dataset.energy_true.edges for dataset in datasets]
    known, axis = np.unique(np.stack(edges), axis=0, return_inverse=True)
    nodes = nodes_for(float((known[:, 1:] / known[:, :-1]).max()))
    return known[:, :-1], known[:, 1:], axis.ravel(), nodes
