"""Derivatives of counts as lists of blocks of bins, for products of all pairs of sources.

A Jacobian of thousands of parameters is mostly zeros. What is not zero is listed here: each
entry is a block of neighbouring bins, and what some functions have in it. Derivatives by
parameters are sums of these functions; a shape that stays, in data without dispersion, has one
function for each true bin, whatever the number of its parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from gammajax.fold.linear import LinearFold
from gammajax.fold.rows import NOWHERE
from gammajax.fold.slopes import RowSlopes, TableSlopes
from gammajax.fold.temporal import TimedFold

WIDTH = 32
"""Bins of a block of a fold that has no blocks of its own."""


@dataclass(frozen=True, eq=False)
class Listed:
    """The derivatives of one fold.

    Attributes
    ----------
    place : array of int, shape (entry,)
        Blocks of bins, counted over all datasets; they rise.
    width : int
        Bins of a block.
    basis : array of int, shape (entry, function)
    values : callable
        From some entries, a slice or their numbers, to an array of shape (entry, function,
        width).
    columns : sparse array, shape (basis, number)
        How much each function adds to the derivative by each parameter.
    """

    place: np.ndarray
    width: int
    basis: np.ndarray
    values: Callable[[Any], Any]
    columns: Any


def listed(slopes: RowSlopes | TableSlopes) -> Listed:
    """The derivatives of one fold, on the host."""
    if isinstance(slopes, RowSlopes):
        return _of_rows(slopes)
    fold = slopes.fold
    if isinstance(fold, TimedFold):
        fold = fold.fold
    if isinstance(fold, LinearFold):
        return _of_blocks(slopes, fold)
    return _of_matrix(slopes)


def _of_rows(slopes: RowSlopes) -> Listed:
    """The counts of the slots of each row are there."""
    fold, width = slopes.fold, slopes.fold.width
    target, dataset = np.asarray(fold.target), np.asarray(fold.dataset)
    row, entry = np.nonzero(target != NOWHERE)
    per = (slopes.shape[1] - 1) // width
    place = dataset[row] * per + target[row, entry]
    order = np.argsort(place, kind="stable")
    row, entry = row[order], entry[order]
    bins = np.asarray(slopes.counts.bins)
    bins = bins.reshape(*bins.shape[:2], -1, width)

    def values(some: Any) -> Any:
        return bins[row[some], :, entry[some]]

    basis, columns = _by_parameter(slopes, row)
    return Listed(place[order], width, basis, values, columns)


def _of_blocks(slopes: TableSlopes, fold: LinearFold) -> Listed:
    """Responses of blocks times the derivatives of fluxes."""
    row, target, first = (
        np.asarray(leaf).ravel() for leaf in (fold.row, fold.target, fold.first)
    )
    response = np.asarray(fold.response)
    band, width = response.shape[2:]
    response = response.reshape(-1, band, width)
    per = (slopes.shape[1] - 1) // width
    used = np.nonzero(target != NOWHERE)[0]
    place = np.asarray(fold.dataset)[row[used]] * per + target[used]
    order = used[np.argsort(place, kind="stable")]
    row, first, place = row[order], first[order], np.sort(place)
    tables = np.asarray(slopes.tables)
    if band == 1:
        number = tables.shape[2]
        basis = (row * number + first)[:, None]

        def single(some: Any) -> Any:
            return response[order[some]]

        return Listed(place, width, basis, single, _fluxes(slopes, tables))
    energy = np.arange(band)

    def values(some: Any) -> Any:
        rows, true = row[some, None], first[some, None] + energy
        share = tables[rows, :, true]
        return np.einsum("ebs,ebw->esw", share, response[order[some]], optimize=True)

    basis, columns = _by_parameter(slopes, row)
    return Listed(place, width, basis, values, columns)


def _of_matrix(slopes: TableSlopes) -> Listed:
    """A fold of few rows: the derivatives of all bins."""
    number, shape = slopes.number, slopes.shape
    own = np.unique(np.asarray(slopes.column))
    own = own[own < number]
    local = np.searchsorted(own, np.asarray(slopes.column))
    local = np.where(np.asarray(slopes.column) < number, local, own.size)
    matrix = slopes.fold.by_slot(slopes.tables, local, own.size, shape)
    matrix = np.asarray(matrix)[:, :, :-1].reshape(own.size, -1)
    width = WIDTH if matrix.shape[1] % WIDTH == 0 else 1
    matrix = matrix.reshape(own.size, -1, width)
    place = np.arange(matrix.shape[1])
    basis = np.tile(np.arange(own.size), (place.size, 1))
    columns = sparse.csr_array(
        (np.ones(own.size), (np.arange(own.size), own)), shape=(own.size, number)
    )
    return Listed(place, width, basis, lambda some: np.moveaxis(matrix[:, some], 0, 1), columns)


def _by_parameter(slopes: RowSlopes | TableSlopes, row: np.ndarray) -> tuple[Any, Any]:
    """Functions that are derivatives by parameters; the last is for slots of none."""
    number = slopes.number
    columns = sparse.eye_array(number + 1, number, format="csr")
    return np.asarray(slopes.column)[row], columns


def _fluxes(slopes: TableSlopes, tables: np.ndarray) -> Any:
    """Functions that are responses to the flux of one true bin, (row * true, number)."""
    column = np.asarray(slopes.column)
    rows, slots, true = tables.shape
    row, slot, energy = np.meshgrid(
        np.arange(rows), np.arange(slots), np.arange(true), indexing="ij"
    )
    own = column[row, slot]
    used = (own < slopes.number) & (tables != 0)
    return sparse.csr_array(
        (tables[used], ((row * true + energy)[used], own[used])),
        shape=(rows * true, slopes.number),
    )
