r"""The Hessian of many parameters, from what sources share.

.. math:: H = \sum_i w_i \, \nabla \mu_i \nabla \mu_i^T + \sum_i s'_i \nabla^2 \mu_i

Only sources that reach the same bins have products. So bins are taken in groups of
neighbours, each with the functions that reach into it (see `~gammajax.fold.listed`): their
products are one small dense matrix for each group. Nothing has the size of parameters times
bins. Beyond `DENSE` parameters the sum is a sparse matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from scipy import sparse

from gammajax.config import on_accelerator
from gammajax.fold.listed import Listed, listed
from gammajax.fold.slopes import MapSlopes, MatrixBends, RowBends, RowSlopes, TableSlopes
from gammajax.inference.grouped import check_totals, products
from gammajax.inference.problem import Expansion, Problem

DENSE = 6000
"""Parameters above which matrices are sparse."""

GROUP = 2048
"""Bins in a group."""


class Curvature(NamedTuple):
    """The Hessian and the Fisher matrix at a point, shape (active, active).

    NumPy arrays up to `DENSE` parameters (of JAX on an accelerator), sparse arrays above.
    Where no term tells the two apart, the Fisher matrix has everything but the second
    derivatives of predictions.
    """

    hessian: Any
    fisher: Any


class Pieces(NamedTuple):
    """What is left of an `Expansion` without the folds, so that a program can give it back.

    ``slopes`` are the arrays of each term; ``bins`` and ``bends`` those of the expansion.
    """

    slopes: tuple[Any, ...]
    bins: tuple[Any, ...]
    bends: tuple[Any, ...]
    prior: Any


def pieces_of(at: Expansion) -> Pieces:
    """The arrays of an expansion."""
    return Pieces(tuple(_arrays(s) for s in at.slopes), at.bins, at.bends, at.prior)


def _arrays(slopes: Any) -> Any:
    if not isinstance(slopes, MapSlopes):
        return slopes
    return tuple(
        (part.counts if isinstance(part, RowSlopes) else part.tables, part.column)
        for part in slopes.parts
    )


def curvature(problem: Problem, pieces: Pieces) -> Curvature:
    """The matrices of an expansion, on the host.

    Parameters
    ----------
    problem : `~gammajax.inference.problem.Problem`
        Not traced.
    pieces : `Pieces`
        Of the expansion of this problem.
    """
    number = problem.active.size
    if on_accelerator() and number <= DENSE:
        return _on_device(problem, pieces, number)
    matrix = _Sum(number)
    different = None
    for term, arrays, part in zip(problem.terms, pieces.slopes, pieces.bins, strict=True):
        if hasattr(arrays, "gram"):
            matrix.dense(np.asarray(arrays.gram(part.bend)))
            if part.expected is not part.bend:
                change = np.asarray(arrays.gram(part.expected - part.bend))
                different = change if different is None else different + change
            continue
        slopes = slopes_of(term, problem.stacks, arrays, number)
        _add_cubes(matrix, slopes, part.bend)
    matrix.diagonal(np.asarray(pieces.prior))
    fisher = matrix.copied()
    if different is not None:
        fisher.dense(different)
    for bend in pieces.bends:
        matrix.bends(bend)
    return Curvature(matrix.made(), fisher.made())


def _on_device(problem: Problem, pieces: Pieces, number: int) -> Curvature:
    """As `curvature`, as arrays on an accelerator."""
    matrix = jnp.diag(jnp.asarray(pieces.prior))
    different: Any = 0.0
    for term, arrays, part in zip(problem.terms, pieces.slopes, pieces.bins, strict=True):
        if hasattr(arrays, "gram"):
            matrix = matrix + arrays.gram(part.bend)
            if part.expected is not part.bend:
                different = different + arrays.gram(part.expected - part.bend)
            continue
        slopes = slopes_of(term, problem.stacks, arrays, number)
        matrix = matrix + products(slopes, part.bend, number)
    hessian = matrix
    for bend in pieces.bends:
        hessian = hessian + bend.dense()
    return Curvature(hessian, matrix + different)


def slopes_of(term: Any, stacks: Sequence[Any], arrays: Any, number: int) -> list[Any]:
    """The derivatives of a term with its folds, from their arrays."""
    folds = [fold for stack, fold in term.pairs(stacks) if stack.slots.size]
    return [
        (TableSlopes if fold.stays else RowSlopes)(fold, own, column, term.shape, number)
        for fold, (own, column) in zip(folds, arrays, strict=True)
    ]


class _Sum:
    """A symmetric matrix that is summed up from small ones."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.whole = np.zeros((number, number)) if number <= DENSE else None
        self.parts: list[Any] = []

    def dense(self, matrix: np.ndarray) -> None:
        self.block(np.arange(self.number), matrix)

    def block(self, own: np.ndarray, matrix: np.ndarray) -> None:
        """Add the matrix of some parameters."""
        if self.whole is not None:
            self.whole[np.ix_(own, own)] += matrix
            return
        i, j = np.nonzero(matrix)
        self.entries(own[i], own[j], matrix[i, j])

    def entries(self, row: np.ndarray, column: np.ndarray, values: np.ndarray) -> None:
        if self.whole is not None:
            np.add.at(self.whole, (row, column), values)
            return
        shape = (self.number, self.number)
        self.parts.append(sparse.csr_array((values, (row, column)), shape=shape))
        if len(self.parts) > 16:
            self.parts = [sum(self.parts[1:], self.parts[0])]

    def diagonal(self, values: np.ndarray) -> None:
        every = np.arange(self.number)
        self.entries(every, every, values)

    def bends(self, bend: RowBends | MatrixBends) -> None:
        """Add second derivatives of predictions."""
        if isinstance(bend, MatrixBends):
            self.dense(np.asarray(bend.matrix))
            return
        column = np.asarray(bend.column)
        row, other = np.broadcast_arrays(column[:, :, None], column[:, None, :])
        used = (row < self.number) & (other < self.number)
        self.entries(row[used], other[used], np.asarray(bend.blocks)[used])

    def copied(self) -> _Sum:
        found = _Sum(0)
        found.number, found.parts = self.number, list(self.parts)
        found.whole = None if self.whole is None else self.whole.copy()
        return found

    def made(self) -> Any:
        if self.whole is not None:
            return self.whole
        empty = sparse.csr_array((self.number, self.number))
        found: Any = sum(self.parts, empty)
        found.sum_duplicates()
        return found


def _add_cubes(matrix: _Sum, slopes: list[Any], bend: Any) -> None:
    """Add the weighted products of the derivatives of a term of counts cubes."""
    bend = np.asarray(bend)
    check_totals(bend)
    weight = bend[:, :-1].ravel()
    lists = [listed(part) for part in slopes]
    for start in range(0, weight.size, GROUP):
        end = min(start + GROUP, weight.size)
        if np.any(weight[start:end]):
            _add_group(matrix, lists, weight[start:end], start, end)


def _add_group(
    matrix: _Sum, lists: list[Listed], weight: np.ndarray, start: int, end: int
) -> None:
    found, columns, first = [], [], 0
    for part in lists:
        low, high = start // part.width, -(-end // part.width)
        some = slice(*np.searchsorted(part.place, (low, high)))
        if some.start == some.stop:
            continue
        own, local = np.unique(part.basis[some], return_inverse=True)
        local = local.reshape(part.basis[some].shape) + first
        found.append((part.values(some), local, part.place[some] - low))
        columns.append(part.columns[own])
        first += own.size
    if not found:
        return
    joined: Any = sparse.vstack(columns).tocsc()
    used = np.nonzero(np.diff(joined.indptr))[0]
    joined = joined[:, used].tocsr()
    functions = np.zeros((first, end - start))
    for values, local, place in found:
        _add_entries(functions, np.asarray(values), local, place)
    matrix.block(used, joined.T @ (joined.T @ _weighted(functions, weight)).T)


def _weighted(functions: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The weighted products of functions; an array times its own transpose takes half."""
    if weight.min() < 0:
        return (functions * weight) @ functions.T
    half = functions * np.sqrt(weight)
    return half @ half.T


def _add_entries(
    functions: np.ndarray, values: np.ndarray, local: np.ndarray, place: np.ndarray
) -> None:
    """Add entries to functions of the bins of a group, shape (function, bin)."""
    number, width = functions.shape[1], values.shape[2]
    first = local * number + place[:, None] * width
    flat = first[:, :, None] + np.arange(width)
    np.add.at(functions.reshape(-1), flat.ravel(), values.ravel())
