"""Bins of an estimator, made of the energy bins of datasets."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from gammajax.datasets import Datasets, FluxPointsDataset
from gammajax.units import ENERGY, to_value


@dataclass(frozen=True)
class EnergyBin:
    """A bin of an estimator, and which energy bins of each dataset are in it."""

    energy_min: float
    energy_max: float
    inside: dict[str, np.ndarray]

    @property
    def energy_ref(self) -> float:
        """The geometric mean of the edges, in TeV."""
        return float(np.sqrt(self.energy_min * self.energy_max))


def energy_bins(datasets: Datasets, edges: Any) -> tuple[EnergyBin, ...]:
    """Bins for given edges: each energy bin of a dataset is in the one that has its centre.

    Where all datasets have the same axis, the edges are those of it that are nearest; else
    they are the given ones.

    Parameters
    ----------
    datasets : `~gammajax.datasets.Datasets`
    edges : array, shape (bin + 1,), in TeV, or `~astropy.units.Quantity`
        None for one bin of all energies.

    Raises
    ------
    ValueError
        If edges do not ascend, or no dataset has a bin between two of them.
    """
    for dataset in datasets:
        if isinstance(dataset, FluxPointsDataset):
            raise ValueError(
                f"dataset {dataset.name!r} has flux points already; an estimator needs counts"
            )
    axes = [dataset.energy for dataset in datasets]
    if edges is None:
        edges = (min(a.edges[0] for a in axes), max(a.edges[-1] for a in axes))
    edges = np.atleast_1d(to_value(edges, ENERGY, where="energy_edges"))
    if edges.size < 2 or not (np.all(edges > 0) and np.all(np.diff(edges) > 0)):
        raise ValueError(
            f"energy_edges: got {edges}, expected at least two that are above 0 and ascend"
        )
    shared = all(axis.is_close(axes[0]) for axis in axes)
    return tuple(_bin(datasets, low, high, shared) for low, high in pairwise(edges))


def _bin(datasets: Datasets, low: float, high: float, shared: bool) -> EnergyBin:
    inside = {}
    for dataset in datasets:
        center = np.sqrt(dataset.energy.edges_min * dataset.energy.edges_max)
        inside[dataset.name] = (center >= low) & (center < high)
    if not any(found.any() for found in inside.values()):
        raise ValueError(
            f"energy_edges: no energy bin of {', '.join(datasets.names)} has its centre "
            f"between {low:.4g} and {high:.4g} TeV; take wider bins"
        )
    if shared:
        axis, found = datasets[0].energy, inside[datasets.names[0]]
        low, high = axis.edges_min[found].min(), axis.edges_max[found].max()
    return EnergyBin(float(low), float(high), inside)


def narrowed(dataset: Any, inside: np.ndarray) -> Any:
    """The dataset with its fit range narrowed to some of its energy bins."""
    if not hasattr(dataset, "geom"):
        return dataset.replace(mask_fit=dataset.mask_fit & inside)
    shape = dataset.counts.data.shape
    mask = np.broadcast_to(inside.reshape(-1, *[1] * (len(shape) - 1)), shape)
    known = True if dataset.mask_fit is None else np.asarray(dataset.mask_fit.data)
    return dataset.replace(mask_fit=dataset.counts.with_data(mask & known))
