"""What a likelihood cannot be made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gammajax.datasets import Datasets, MapDatasetOnOff
from gammajax.models import Models
from gammajax.parameters import ParameterSpace


def check_datasets(datasets: Datasets) -> None:
    """Raise for datasets that have no statistic."""
    if not any(dataset.mask.any() for dataset in datasets):
        raise ValueError(
            f"no bin of {', '.join(datasets.names)} is left in the fit range; widen it"
        )
    for dataset in datasets:
        if dataset.stat_type != "wstat":
            continue
        cubes = isinstance(dataset, MapDatasetOnOff)
        alpha = dataset.alpha_data if cubes else dataset.alpha
        bad = dataset.mask & ~(alpha > 0)
        if bad.any():
            energies = bad.reshape(len(bad), -1).any(axis=1)
            bins = ", ".join(str(i) for i in np.nonzero(energies)[0][:12])
            cube = f"{int(bad.sum())} of {int(dataset.mask.sum())} bins, at energy bins "
            low = dataset.energy.edges_min[energies].min()
            high = dataset.energy.edges_max[energies].max()
            raise ValueError(
                f"dataset {dataset.name!r}: alpha is 0 in {cube if cubes else 'bins '}"
                f"{bins} ({low:.4g} to {high:.4g} TeV), so the off counts say nothing about "
                "the background there; take these bins out of mask_safe or mask_fit, or give "
                "them an off acceptance"
            )


def check_models(models: Models, datasets: Sequence[str]) -> None:
    """Raise for models that cannot be fitted to datasets of these names."""
    for component in models:
        unknown = set(component.datasets_names or ()) - set(datasets)
        if unknown:
            raise ValueError(
                f"component {component.name!r}: datasets_names has "
                f"{', '.join(sorted(unknown))}, which is none of {', '.join(datasets)}"
            )
    if not models.parameters.free_names:
        raise ValueError("all parameters are frozen or linked: thaw one to fit")
    space = ParameterSpace.from_table(models.parameters)
    for i, row in enumerate(models.parameters):
        low, high = space.min[i], space.max[i]
        if row.free and not low <= row.value <= high:
            raise ValueError(
                f"{row.name}: starts at {row.value:g}, outside its bounds {low:g} to {high:g} "
                f"{row.unit}".rstrip()
            )


def check_restriction(models: Models, restricted: Models) -> None:
    """Raise where the second are not the first with fewer free parameters."""
    if restricted.parameters.names != models.parameters.names:
        raise ValueError(
            f"restricted: expected the parameters of {', '.join(models.names)}, got those of "
            f"{', '.join(restricted.names)}"
        )
    new = set(restricted.parameters.free_names) - set(models.parameters.free_names)
    if new:
        raise ValueError(
            f"restricted: {', '.join(sorted(new))} is free here and not in the likelihood; "
            "freeze it, or make a new likelihood"
        )
