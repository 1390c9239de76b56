r"""The matrices of thousands of parameters on an accelerator, from groups of bins.

They are those of `gammajax.inference.curvature`, which makes them on the host without compiling
anything. Here bins go in groups of `GROUP` neighbours. In each of them the derivatives by the
parameters that reach it are one small matrix A, padded to the most parameters of any group, and
all :math:`A W A^T` are one batched product. It takes 2 G F^2 `GROUP` multiplications for G
groups with F parameters at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.config import room_on_device
from gammajax.fold.linear import Blocks, LinearFold
from gammajax.fold.listed import WIDTH
from gammajax.fold.round_plan import rounded
from gammajax.fold.rows import NOWHERE
from gammajax.fold.slopes import RowSlopes, TableSlopes
from gammajax.fold.temporal import TimedFold

GROUP = 2048
"""Bins in a group."""


class Entries(NamedTuple):
    """The derivatives of one fold, in blocks of bins.

    ``place`` (entry,) is the block, counted over all datasets, or `NOWHERE`; ``column`` (entry,
    slot) the parameter; ``values`` have the shape (entry, slot, width).
    """

    place: Any
    column: Any
    values: Any


def products(slopes: Sequence[RowSlopes | TableSlopes], bend: Any, number: int) -> Any:
    """The sum over bins of weighted products of derivatives, shape (number, number).

    Parameters
    ----------
    slopes : sequence
        Of the folds of a term of counts cubes.
    bend : array, shape (dataset, bin + 1)
        Weights; 0 for totals.
    number : int
        Of parameters.
    """
    bend = jnp.asarray(bend)
    check_totals(bend)
    parts = [_entries(part) for part in slopes]
    weight = bend[:, :-1].ravel()
    weight = jnp.pad(weight, (0, -weight.size % GROUP)).reshape(-1, GROUP)
    reach = _reach(parts, weight.shape[0], number)
    most = rounded(max(int(reach.sum(axis=1).max()), 1))
    side = max(room_on_device() // (3 * 8 * most * GROUP), 1)
    return _summed(parts, weight, reach, min(most, number), min(side, weight.shape[0]))


def check_totals(bend: Any) -> None:
    """Check that the statistic is linear in expected totals.

    Raises
    ------
    ValueError
        If one of them has a second derivative.
    """
    if bool((bend[:, -1] != 0).any()):
        raise ValueError("curvature: expected totals are linear in a statistic, and must be")


def _entries(slopes: RowSlopes | TableSlopes) -> Entries:
    fold = slopes.fold.fold if isinstance(slopes.fold, TimedFold) else slopes.fold
    per = (slopes.shape[1] - 1) // fold.width
    if isinstance(slopes, RowSlopes):
        return _of_rows(fold, slopes.counts.bins, slopes.column, per)
    if isinstance(fold, LinearFold):
        return _of_blocks(fold, slopes.tables, slopes.column, per)
    column = np.asarray(slopes.column)
    own = np.unique(column)
    own = own[own < slopes.number]
    local = np.where(column < slopes.number, np.searchsorted(own, column), own.size)
    return _of_matrix(fold, slopes.tables, local, own, slopes.shape)


@partial(jax.jit, static_argnames="per")
def _of_rows(fold: Any, bins: Any, column: Any, per: int) -> Entries:
    """The counts of the slots of each row are there."""
    target = jnp.asarray(fold.target)
    place = jnp.asarray(fold.dataset)[:, None] * per + target
    place = jnp.where(target == NOWHERE, NOWHERE, place)
    bins = jnp.asarray(bins)
    rows, slots, entries = bins.shape[:3]
    values = jnp.moveaxis(bins.reshape(rows, slots, entries, -1), 1, 2)
    column = jnp.repeat(jnp.asarray(column), entries, axis=0)
    return Entries(place.ravel(), column, values.reshape(rows * entries, slots, -1))


@partial(jax.jit, static_argnames="per")
def _of_blocks(fold: LinearFold, tables: Any, column: Any, per: int) -> Entries:
    """Responses of blocks times the derivatives of fluxes."""
    leaves = fold.row, fold.target, fold.first, fold.response
    piece = Blocks(*(jnp.asarray(leaf).reshape(-1, *leaf.shape[2:]) for leaf in leaves))
    place = fold.placed(piece, per)
    return Entries(place, jnp.asarray(column)[piece.row], fold.by_piece(tables, piece))


@partial(jax.jit, static_argnames="shape")
def _of_matrix(fold: Any, tables: Any, local: Any, own: Any, shape: tuple[int, int]) -> Entries:
    """A fold of few rows: the derivatives of all bins."""
    matrix = fold.by_slot(tables, local, own.size, shape)[:, :, :-1].reshape(own.size, -1)
    width = WIDTH if matrix.shape[1] % WIDTH == 0 else 1
    values = jnp.moveaxis(matrix.reshape(own.size, -1, width), 0, 1)
    column = jnp.broadcast_to(own, values.shape[:2])
    return Entries(jnp.arange(values.shape[0]), column, values)


def _group(part: Entries) -> Any:
    """The group of each entry; a large number for none."""
    per = GROUP // part.values.shape[2]
    return jnp.where(part.place == NOWHERE, NOWHERE, part.place // per)


@partial(jax.jit, static_argnames=("groups", "number"))
def _reach(parts: Sequence[Entries], groups: int, number: int) -> Any:
    """Which parameters reach which groups, shape (group, number)."""
    reach = jnp.zeros((groups, number), dtype=bool)
    for part in parts:
        reach = reach.at[_group(part)[:, None], part.column].set(True, mode="drop")
    return reach


@partial(jax.jit, static_argnames=("most", "side"))
def _summed(parts: Sequence[Entries], weight: Any, reach: Any, most: int, side: int) -> Any:
    """The products of all groups, ``side`` of them at a time, with ``most`` parameters each."""
    groups, number = reach.shape
    groups += -groups % side
    weight, reach = (
        jnp.pad(array, ((0, groups - array.shape[0]), (0, 0))) for array in (weight, reach)
    )
    local = jnp.cumsum(reach, axis=1) - 1
    columns = jnp.argsort(~reach, axis=1, stable=True)[:, :most]
    used = jnp.arange(most) < reach.sum(axis=1)[:, None]
    columns = jnp.where(used, columns, number)
    numbers = [_group(part) for part in parts]

    def step(whole: Any, first: Any) -> tuple[Any, None]:
        functions = jnp.zeros((side, most, GROUP))
        for part, group in zip(parts, numbers, strict=True):
            width = part.values.shape[2]
            here = group - first
            inside = (here >= 0) & (here < side)
            row = local.at[group[:, None], part.column].get(mode="fill", fill_value=0)
            row = jnp.where(part.column < number, row, most)
            here = jnp.where(inside, here, side)
            block = part.place % (GROUP // width)
            shaped = functions.reshape(side, most, -1, width)
            shaped = shaped.at[here[:, None], row, block[:, None]].add(part.values, mode="drop")
            functions = shaped.reshape(functions.shape)
        own, chosen = (
            jax.lax.dynamic_slice_in_dim(array, first, side) for array in (weight, columns)
        )
        square = (functions * own[:, None]) @ jnp.swapaxes(functions, 1, 2)
        place = chosen[:, :, None], chosen[:, None, :]
        return whole.at[place].add(square, mode="drop"), None

    return jax.lax.scan(step, jnp.zeros((number, number)), jnp.arange(0, groups, side))[0]
