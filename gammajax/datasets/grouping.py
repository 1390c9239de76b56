"""Joining neighbouring bins of a spectrum."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.datasets.base import positive_ratio
from gammajax.irf import EDispKernel
from gammajax.maps import MapAxis


def group_bins(dataset: Any, starts: Any) -> Any:
    """A spectrum with neighbouring bins joined.

    Parameters
    ----------
    dataset : `SpectrumDataset` or `SpectrumDatasetOnOff`
    starts : array of bool, shape (energy,)
        Whether a bin begins a new group; the first one always does.

    Returns
    -------
    dataset
        With counts, background and energy dispersion summed over each group. A group is in a
        mask if all its bins are. Its alpha is the mean of the bins' weighted by their off
        counts, so that the expected background is kept; by acceptance where there are none.

    Raises
    ------
    ValueError
        If there is not one flag a bin.
    """
    starts = np.array(starts, dtype=bool)
    if starts.shape != (dataset.energy.nbin,):
        raise ValueError(
            f"dataset {dataset.name!r}: grouping has shape {starts.shape}, expected "
            f"{(dataset.energy.nbin,)}"
        )
    if starts[1:].all():
        return dataset
    starts[0] = True
    first = np.nonzero(starts)[0]
    old = dataset.energy
    energy = MapAxis(np.append(old.edges_min[first], old.edges[-1]), old.name, old.unit)

    def joined(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, first, axis=-1)

    matrix = joined(dataset.edisp.matrix)
    fields: dict[str, Any] = {
        "energy": energy,
        "counts": joined(dataset.counts),
        "edisp": EDispKernel(dataset.energy_true, energy, matrix),
        "mask_safe": np.logical_and.reduceat(dataset.mask_safe, first),
        "mask_fit": np.logical_and.reduceat(dataset.mask_fit, first),
    }
    if dataset.stat_type == "cash":
        return dataset.replace(**fields, background=joined(dataset.background))
    counts_off = joined(dataset.counts_off)
    seen = counts_off > 0
    by_acceptance = positive_ratio(joined(dataset.acceptance), joined(dataset.acceptance_off))
    alpha = np.where(
        seen, positive_ratio(joined(dataset.background), counts_off), by_acceptance
    )
    acceptance = joined(dataset.acceptance)
    return dataset.replace(
        **fields,
        counts_off=counts_off,
        acceptance=np.where(alpha > 0, acceptance, 0.0),
        acceptance_off=np.where(alpha > 0, positive_ratio(acceptance, alpha), 1.0),
    )
