"""Flux points that are fitted together, as the nodes of one factor."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from gammajax.datasets import Datasets
from gammajax.estimators.build import cell_of
from gammajax.estimators.energy_bins import EnergyBin, narrowed
from gammajax.estimators.norms import NormOptions, measure_norms
from gammajax.fold import FoldOptions
from gammajax.inference import Likelihood
from gammajax.models import Models, PiecewiseNormSpectralModel
from gammajax.parameters import ParameterTable


def joint_norms(
    datasets: Datasets,
    models: Models,
    source: str,
    bins: Sequence[EnergyBin],
    options: NormOptions,
    scaled: Models,
    fold: FoldOptions | None,
) -> dict[str, Any]:
    """The fields of `~gammajax.data.FluxNorms` from one fit of all norms.

    Each norm is measured as in a bin of its own, with all others fitted again.

    Raises
    ------
    ValueError
        If there is only one bin, or the fit gives no covariance.
    """
    # below 0 single bins without counts would end the fit at their kinks
    if options.norm_min == -np.inf:
        options = dataclasses.replace(options, norm_min=0.0)
    if len(bins) < 2:
        raise ValueError("method='joint' needs at least two bins; use method='independent'")
    joint, names = joint_models(models, source, nodes_of(bins), options, scaled)
    likelihood = Likelihood(joint_parts(datasets, bins), joint, fold)
    places = np.array([joint.parameters.names.index(name) for name in names])
    found = measure_norms([cell_of(likelihood)] * len(bins), places, options)
    covariance = found.pop("covariance")
    columns = [likelihood.names.index(name) for name in names]
    best = joint
    for name, value in zip(names, found["norm"], strict=True):
        best = best.set(name, value=float(value))
    return {
        **found,
        **sums_of(likelihood, best, bins, source),
        "datasets": datasets.names,
        "covariance": covariance[0][np.ix_(columns, columns)],
    }


def joint_parts(datasets: Datasets, bins: Sequence[EnergyBin]) -> list[Any]:
    """The datasets with their fit range narrowed to the bins."""
    return [
        narrowed(dataset, np.any([b.inside[dataset.name] for b in bins], axis=0))
        for dataset in datasets
    ]


def nodes_of(bins: Sequence[EnergyBin]) -> np.ndarray:
    """The reference energies of the bins, in TeV."""
    return np.array([b.energy_ref for b in bins])


def joint_models(
    models: Models,
    source: str,
    nodes: np.ndarray,
    options: NormOptions,
    scaled: Models,
    interp: str = "lin",
) -> tuple[Models, list[str]]:
    """The source times a factor with nodes at energies, and the names of these norms.

    All else is as in the scaled models.
    """
    factor = PiecewiseNormSpectralModel(nodes, interp=interp)
    component = models[source].replace(spectral_model=models[source].spectral_model * factor)
    made = Models([component if c.name == source else c for c in models])
    known = {row.name: row for row in scaled.parameters}
    mine = f"{source}.spectral.model"
    rows = []
    for row in made.parameters:
        old = known.get(row.name.replace(f"{mine}1.", f"{mine}."), row)
        rows.append(dataclasses.replace(old, name=row.name))
    made = made.with_table(ParameterTable(tuple(rows)))
    start = float(np.clip(1.0, options.norm_min, options.norm_max))
    names = [f"{mine}2.norm_{i}" for i in range(len(nodes))]
    for name in names:
        made = made.set(name, start, min=options.norm_min, max=options.norm_max)
    return made, names


def sums_of(
    likelihood: Likelihood, models: Models, bins: Sequence[EnergyBin], source: str
) -> dict[str, np.ndarray]:
    """Counts and predictions of each bin and dataset, from predictions in all bins."""
    datasets = likelihood.datasets
    shape = (len(bins), len(datasets))
    found = {name: np.full(shape, np.nan) for name in ("counts", "npred", "npred_excess")}
    alone = Models([models[source]])
    for d, dataset in enumerate(datasets):
        here = Models([c for c in models if c.folds_into(dataset.name)])
        arrays = (dataset.counts, dataset.npred(here), dataset.npred_signal(alone))
        if hasattr(dataset, "geom"):
            arrays = tuple(np.asarray(found_map.data) for found_map in arrays)
        for i, energy_bin in enumerate(bins):
            inside = energy_bin.inside[dataset.name]
            mask = dataset.mask & inside.reshape(-1, *[1] * (dataset.mask.ndim - 1))
            for name, array in zip(found, arrays, strict=True):
                found[name][i, d] = array[mask].sum()
    return found
