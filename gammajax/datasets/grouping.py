"""Spectra with neighbouring bins joined, or with fewer bins."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.datasets.map_parts import from_sums
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
        "edisp": EDispKernel(dataset.energy_true, energy, matrix),
        "mask_safe": np.logical_and.reduceat(dataset.mask_safe, first),
        "mask_fit": np.logical_and.reduceat(dataset.mask_fit, first),
    }
    if dataset.stat_type == "cash":
        fields["counts"] = joined(dataset.counts)
        return dataset.replace(**fields, background=joined(dataset.background))
    names = ("counts", "counts_off", "acceptance", "acceptance_off", "background")
    return dataset.replace(
        **fields, **from_sums({name: joined(getattr(dataset, name)) for name in names})
    )


def slice_by_energy(dataset: Any, energy_min: Any, energy_max: Any, name: str) -> Any:
    """The bins of a spectrum wholly between two energies.

    Raises
    ------
    ValueError
        If there are none.
    """
    inside = np.nonzero(dataset.energy.mask(energy_min, energy_max))[0]
    if not inside.size:
        raise ValueError(
            f"dataset {dataset.name!r}: no bin lies wholly between {energy_min} and "
            f"{energy_max}; the bins are those of {dataset.energy!r}"
        )
    part = slice(int(inside[0]), int(inside[-1]) + 1)
    energy = dataset.energy.slice(part)
    names = ("counts", "mask_safe", "mask_fit") + (
        ("background",)
        if dataset.stat_type == "cash"
        else ("counts_off", "acceptance", "acceptance_off")
    )
    return dataset.replace(
        name=name,
        energy=energy,
        edisp=EDispKernel(dataset.energy_true, energy, dataset.edisp.matrix[:, part]),
        **{key: getattr(dataset, key)[part] for key in names},
    )
