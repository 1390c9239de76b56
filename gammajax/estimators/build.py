"""Cells from datasets, models and masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import numpy as np

from gammajax.datasets import Datasets, SpectrumDataset, SpectrumDatasetOnOff
from gammajax.estimators.affine import affine_problem
from gammajax.estimators.cells import Cell
from gammajax.estimators.energy_bins import narrowed
from gammajax.fold import FoldOptions
from gammajax.inference import Likelihood
from gammajax.inference.problem import Problem
from gammajax.models import Models

SPECTRA = SpectrumDataset | SpectrumDatasetOnOff


def build_cells(
    datasets: Datasets,
    models: Models,
    masks: Sequence[Mapping[str, np.ndarray]],
    options: FoldOptions | None = None,
) -> list[Cell]:
    """One cell for each mask.

    Parameters
    ----------
    datasets : `~gammajax.datasets.Datasets`
    models : `~gammajax.models.Models`
    masks : sequence of mappings
        For each cell, which energy bins of a dataset are in it, by its name; a dataset that
        is not named, or has no bin of its fit range there, is no part of the cell.
    options : `~gammajax.fold.FoldOptions`, optional

    Raises
    ------
    ValueError
        If a cell has no bin in the fit range of any dataset.
    """
    for number, mask in enumerate(masks):
        if not any(_used(datasets[name], inside) for name, inside in mask.items()):
            raise ValueError(
                f"cell {number} of {len(masks)}: no bin of {', '.join(mask)} is in the fit "
                "range there; take other edges, or widen mask_fit"
            )
    if all(isinstance(dataset, SPECTRA) for dataset in datasets):
        return _cells_of_spectra(datasets, models, masks)
    cells = []
    for mask in masks:
        parts = [
            narrowed(datasets[name], inside)
            for name, inside in mask.items()
            if _used(datasets[name], inside)
        ]
        cells.append(cell_of(Likelihood(parts, models, options)))
    return cells


def cell_of(likelihood: Likelihood) -> Cell:
    """A likelihood as a cell: as lines, where its predictions are straight."""
    return Cell(_problem(likelihood), _order(likelihood))


def _used(dataset: Any, inside: np.ndarray) -> bool:
    mask = dataset.mask.reshape(len(inside), -1).any(axis=1)
    return bool(np.any(mask & inside))


def _problem(likelihood: Likelihood) -> Problem:
    return affine_problem(likelihood) or likelihood.problem


def _order(likelihood: Likelihood) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(names) for names in likelihood._order)


def _cells_of_spectra(
    datasets: Datasets, models: Models, masks: Sequence[Mapping[str, np.ndarray]]
) -> list[Cell]:
    """Cells that share all arrays but the masks: spectra are folded once."""
    likelihood = Likelihood(datasets, models)
    problem, order = _problem(likelihood), _order(likelihood)
    cells = []
    for mask in masks:
        made = []
        for term, names in zip(problem.terms, order, strict=True):
            inner = getattr(term, "inner", term)
            rows = np.zeros(np.shape(inner.mask), dtype=bool)
            for row, name in zip(rows, names, strict=True):
                dataset = datasets[name]
                if name in mask:
                    kept = mask[name][dataset.mask]
                    row[: kept.size] = kept
            made.append(rows)
        here = eqx.tree_at(
            lambda p: tuple(getattr(t, "inner", t).mask for t in p.terms), problem, tuple(made)
        )
        cells.append(Cell(here, order))
    return cells
