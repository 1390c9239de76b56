"""Many likelihoods of one structure, fitted side by side in compiled batches.

A cell is the likelihood of a part of the data: of an energy bin, a time, a box on the sky.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.config import program
from gammajax.estimators.affine import AffineTerm, padded
from gammajax.estimators.single import newton_single
from gammajax.fold import MapTerm
from gammajax.inference.newton import newton
from gammajax.inference.problem import Problem
from gammajax.inference.progress import Progress

TOLERANCE = 1e-11
"""Estimated distance to the minimum at which fits of cells stop."""

MOST = 512
"""Fits that run side by side; the rest wait, so memory is bounded."""

SIDE_BY_SIDE = 3
"""Fits of each cell that run at once: two errors and a limit."""

ROOM = 2**25
"""Numbers that the Jacobians of all fits that run side by side may have together."""


@dataclass(frozen=True)
class Cell:
    """A likelihood, and the names of the datasets of each of its terms.

    Rows of a term that have no name are padding.
    """

    problem: Problem
    order: tuple[tuple[str, ...], ...]


class Batch(eqx.Module):
    """Cells of equal shapes: what they share, and what differs with a leading axis."""

    shared: Any
    varying: Any

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> Batch:
        """Stack problems; an array that is the same object in all of them is kept once."""
        structure = jax.tree_util.tree_structure(problems[0])
        columns = zip(*(jax.tree_util.tree_leaves(p) for p in problems), strict=True)
        shared, varying = [], []
        for column in columns:
            same = all(leaf is column[0] for leaf in column)
            shared.append(column[0] if same else None)
            varying.append(None if same else np.stack([np.asarray(leaf) for leaf in column]))
        return cls(
            jax.tree_util.tree_unflatten(structure, shared),
            jax.tree_util.tree_unflatten(structure, varying),
        )

    def at(self, number: Any) -> Problem:
        """One of the problems."""
        here = jax.tree_util.tree_map(lambda leaf: jnp.asarray(leaf)[number], self.varying)
        return eqx.combine(here, self.shared)


class Fits(NamedTuple):
    """Minima of cells: one row for each point."""

    x: np.ndarray
    stat: np.ndarray
    hessian: np.ndarray
    status: np.ndarray


class Cells:
    """Cells in batches of equal shapes.

    Parameters
    ----------
    cells : sequence of `Cell`
        Of likelihoods with the same parameters.
    progress : bool
    """

    def __init__(self, cells: Sequence[Cell], progress: bool = False) -> None:
        cells = _equally_padded(cells)
        self.cells = cells
        self.progress = progress
        groups: dict[Any, list[int]] = {}
        for i, cell in enumerate(cells):
            leaves, structure = jax.tree_util.tree_flatten(cell.problem)
            key = (structure, tuple(np.shape(leaf) for leaf in leaves))
            groups.setdefault(key, []).append(i)
        self.batches = [
            (np.array(members), Batch.of([cells[i].problem for i in members]))
            for members in groups.values()
        ]
        first = cells[0].problem
        self.active = np.asarray(first.active)
        self.start = np.stack([np.asarray(cell.problem.space.value) for cell in cells])
        self.low = np.asarray(first.space.min)
        self.high = np.asarray(first.space.max)
        self.free = np.asarray(first.space.free)

    def __len__(self) -> int:
        return len(self.cells)

    def fit(self, cell: np.ndarray, x: np.ndarray, free: np.ndarray, label: str) -> Fits:
        """Fit cells from given starts.

        Parameters
        ----------
        cell : array of int, shape (point,)
        x : array, shape (point, parameter)
        free : array of bool, shape (point, parameter)
        label : str
            For the progress bar.
        """
        active = self.active.size
        found = Fits(
            np.array(x),
            np.full(len(x), np.nan),
            np.full((len(x), active, active), np.nan),
            np.full(len(x), -1),
        )
        with Progress(label, len(x), self.progress) as bar:
            for members, batch in self.batches:
                points = np.nonzero(np.isin(cell, members))[0]
                if not points.size:
                    continue
                number = np.searchsorted(members, cell[points])
                for some in self._chunks(points.size, batch):
                    here = points[some]
                    out = _fit(batch, number[some], x[here], free[here], _one_by_one(batch))
                    for mine, theirs in zip(found, out, strict=True):
                        mine[here] = np.asarray(theirs)
                    bar.advance(np.unique(some).size)
        return found

    def _chunks(self, number: int, batch: Batch) -> list[np.ndarray]:
        """Positions of points in chunks, the last one filled with its own end.

        All fits of the same cells go in chunks of one size: one program is compiled.
        """
        leaves = jax.tree_util.tree_leaves(batch.shared.terms)
        leaves += [leaf[0] for leaf in jax.tree_util.tree_leaves(batch.varying.terms)]
        largest = max((np.size(leaf) for leaf in leaves), default=1)
        most = max(min(MOST, ROOM // max(largest, 1)), 1)
        wanted = 16
        while wanted < SIDE_BY_SIDE * len(self) and wanted < most:
            wanted *= 2
        size = min(wanted, most)
        return [
            np.minimum(np.arange(first, first + size), number - 1)
            for first in range(0, number, size)
        ]

    def totals(self, x: np.ndarray, norm: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
        """Sums over the bins of each cell, by dataset: counts, npred, and of the source.

        Parameters
        ----------
        x : array, shape (cell, parameter)
        norm : array of int, shape (cell,)
            Which parameter scales the source.
        """
        names = tuple(dict.fromkeys(n for c in self.cells for part in c.order for n in part))
        found = {
            what: {name: np.full(len(self), np.nan) for name in names}
            for what in ("counts", "npred", "npred_excess")
        }
        for members, batch in self.batches:
            sums = _totals(batch, np.arange(members.size), x[members], norm[members])
            for place, parts in enumerate(sums):
                for what, array in zip(found, parts, strict=True):
                    for row, member in zip(np.asarray(array), members, strict=True):
                        for name, value in zip(self.cells[member].order[place], row,
                                               strict=False):  # fmt: skip
                            found[what][name][member] = value
        return found


def _equally_padded(cells: Sequence[Cell]) -> list[Cell]:
    """Cells whose terms are lines, padded so that as many as can be share shapes."""
    largest: dict[Any, int] = {}

    def key(cell: Cell, place: int) -> Any:
        term = cell.problem.terms[place]
        return len(cell.problem.terms), place, type(term.inner), np.shape(term.base)[0]

    for cell in cells:
        for place, term in enumerate(cell.problem.terms):
            if isinstance(term, AffineTerm):
                size = term.base.shape[-1]
                here = key(cell, place)
                largest[here] = max(largest.get(here, 0), size)
    made = []
    for cell in cells:
        terms = tuple(
            padded(term, largest[key(cell, place)]) if isinstance(term, AffineTerm) else term
            for place, term in enumerate(cell.problem.terms)
        )
        problem = eqx.tree_at(lambda p: p.terms, cell.problem, terms)
        made.append(Cell(problem, cell.order))
    return made


def _one_by_one(batch: Batch) -> bool:
    """Whether fits run one after the other: folds of counts cubes are large."""
    return any(isinstance(term, MapTerm) for term in batch.shared.terms)


@partial(program, static_argnames=("one_by_one",))
def _fit(batch: Batch, number: Any, x: Any, free: Any, one_by_one: bool) -> Fits:
    def one(item: Any) -> Fits:
        number, x, mask = item
        problem = eqx.tree_at(lambda p: p.space.free, batch.at(number), mask)
        if problem.active.size == 1:
            state = newton_single(problem, x, TOLERANCE, 200)
            moved = x.at[problem.active[0]].set(state.value)
            return Fits(moved, state.stat, state.hessian[None, None], state.status)
        state = newton(problem, x, TOLERANCE, 200)
        return Fits(state.x, state.at.stat, state.at.hessian, state.status)

    if one_by_one:
        return jax.lax.map(one, (number, x, free))
    return jax.vmap(one)((number, x, free))


@program
def _totals(batch: Batch, number: Any, x: Any, norm: Any) -> list[Any]:
    def one(item: Any) -> list[Any]:
        number, x, norm = item
        problem = batch.at(number)
        values = problem.space.expand(x)
        without = problem.space.expand(x.at[norm].set(0.0))
        parts = []
        for term in problem.terms:
            mu = term.predict(problem.stacks, values)
            nothing = term.predict(problem.stacks, without)
            parts.append(term_sums(getattr(term, "inner", term), mu, mu - nothing))
        return parts

    return jax.lax.map(one, (number, x, norm))


def term_sums(term: Any, mu: Any, excess: Any) -> tuple[Any, Any, Any]:
    """Counts, predicted counts and those of the source, each of shape (dataset,)."""
    if not isinstance(term, MapTerm):
        on, _ = term.expected(mu)
        kept = [jnp.where(term.mask, a, 0.0).sum(axis=1) for a in (term.counts, on, excess)]
        return kept[0], kept[1], kept[2]
    counts = jnp.where(term.mask[:, :-1], term.counts, 0.0).sum(axis=1)
    return counts, mu[:, -1] + term.background_sums(mu), excess[:, -1]
