"""Cells from datasets, models and masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import numpy as np

from gammajax.datasets import Datasets, SpectrumDataset, SpectrumDatasetOnOff
from gammajax.estimators.affine import AffineTerm, affine_problem, rows_of
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
) -> list[Cell | None]:
    """One cell for each mask; None where no bin of any dataset is in its fit range.

    Parameters
    ----------
    datasets : `~gammajax.datasets.Datasets`
    models : `~gammajax.models.Models`
    masks : sequence of mappings
        For each cell, which energy bins of a dataset are in it, by its name; a dataset that
        is not named, or has no bin of its fit range there, is no part of the cell.
    options : `~gammajax.fold.FoldOptions`, optional

    """
    if all(isinstance(dataset, SPECTRA) for dataset in datasets):
        return _cells_of_spectra(datasets, models, masks)
    cells: list[Cell | None] = []
    for mask in masks:
        parts = [
            narrowed(datasets[name], inside)
            for name, inside in mask.items()
            if _used(datasets[name], inside)
        ]
        if not parts:
            cells.append(None)
            continue
        cells.append(cell_of(Likelihood(parts, models, options, part_of=datasets.names)))
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
) -> list[Cell | None]:
    """Cells that share all arrays but the masks: spectra are folded once."""
    likelihood = Likelihood(datasets, models)
    problem, order = _problem(likelihood), _order(likelihood)
    most = [max(len(set(names) & set(mask)) for mask in masks) for names in order]
    cells: list[Cell | None] = []
    for mask in masks:
        if not any(_used(datasets[name], inside) for name, inside in mask.items()):
            cells.append(None)
            continue
        terms, kept = [], []
        for term, names, number in zip(problem.terms, order, most, strict=True):
            inner = getattr(term, "inner", term)
            rows = np.zeros(np.shape(inner.mask), dtype=bool)
            for row, name in zip(rows, names, strict=True):
                if name in mask:
                    inside = mask[name][datasets[name].mask]
                    row[: inside.size] = inside
            term = _with_mask(term, rows)
            if isinstance(term, AffineTerm) and 0 < number < len(names):
                wanted = [i for i, name in enumerate(names) if name in mask]
                term = rows_of(term, np.array(wanted, dtype=int), number)
                names = tuple(names[i] for i in wanted)
            terms.append(term)
            kept.append(names)
        here = eqx.tree_at(lambda p: p.terms, problem, tuple(terms))
        cells.append(Cell(here, tuple(kept)))
    return cells


def _with_mask(term: Any, mask: np.ndarray) -> Any:
    if isinstance(term, AffineTerm):
        return eqx.tree_at(lambda t: t.inner.mask, term, mask)
    return eqx.tree_at(lambda t: t.mask, term, mask)
