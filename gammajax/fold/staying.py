"""Folds of shapes that do not move: products with numbers that are kept.

The counts of a row are linear in its tables (fluxes, norms), and the matrix is there. So the
derivatives are those of the tables, and each product with them reads the matrix once. The
matrix is smaller than the derivatives of all bins would be.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.fold.row_derivatives import by_row, linear_rows, second_derivatives
from gammajax.fold.rows import (
    Counts,
    Fold,
    Reading,
    add_rows,
    fold_rows,
    items_of,
    map_rows,
    places_of,
    slot_basis,
    slot_places,
    sum_rows,
)
from gammajax.fold.stack import Stack
from gammajax.parameters import with_values

_NOTHING = Reading(None, np.zeros(0))


class StayingFold(Fold):
    """Base of the folds of shapes that do not move; its methods go row by row."""

    @property
    def stays(self) -> bool:
        """True: `added` and `worth` are there."""
        return True

    def added(self, tables: Any, shape: tuple[int, int]) -> Any:
        """The counts of the tables of all rows, summed, shape (dataset, bin + 1)."""
        return sum_rows(
            self,
            lambda item: self.apply(item[0], _NOTHING, item[1]),
            self._with(tables),
            shape,
        )

    def worth(self, tables: Any, weight: Any) -> Any:
        """What each number of the tables adds to the weighted counts, by row.

        Only the shape of ``tables`` is used.
        """
        raise TypeError(f"{type(self).__name__} is abstract")

    def products(self, slopes: Any, weight: Any) -> Any:
        """Weighted products of the counts of the slots of each row, (row, slot, slot)."""
        raise TypeError(f"{type(self).__name__} is abstract")

    def by_slot(self, slopes: Any, column: Any, number: int, shape: tuple[int, int]) -> Any:
        """The counts of the slots, summed by the parameter that they belong to.

        Parameters
        ----------
        slopes : array, shape (row, slot, ...)
        column : array of int, shape (row, slot)
            The parameter of each slot; ``number`` for none.

        Returns
        -------
        counts : array, shape (number, dataset, bin + 1)
        """

        def one(item: Any) -> Counts:
            tables, here = item
            return jax.vmap(lambda table: self.apply(table, _NOTHING, here))(tables)

        counts = map_rows(one, self._with(slopes), self.batch)
        return scatter_slots(self, counts, column, number, shape)

    def _with(self, tables: Any) -> Any:
        return tables, jax.tree_util.tree_map(jnp.asarray, self.rows())


def folded(
    fold: Fold, stack: Stack, values: Any, shape: tuple[int, int], in_reverse: bool = False
) -> Any:
    """Predicted counts of any fold, summed over its rows, shape (dataset, bin + 1).

    With ``in_reverse`` they have reverse derivatives only (and forward ones of these), which
    take half the time.
    """
    if not fold.stays:
        if in_reverse and stack.slots.size:
            return _moved(shape, fold, stack, values)
        return fold_rows(fold, stack, values, shape)
    staying: Any = fold
    tables = prepared_rows(fold, stack, values)
    return _added(shape, fold, tables) if in_reverse else staying.added(tables, shape)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _added(shape: tuple[int, int], fold: Any, tables: Any) -> Any:
    """`StayingFold.added`, whose reverse derivative is `StayingFold.worth`."""
    return fold.added(tables, shape)


def _added_forward(shape: tuple[int, int], fold: Any, tables: Any) -> tuple[Any, Any]:
    return fold.added(tables, shape), (fold, tables)


def _added_backward(shape: tuple[int, int], kept: Any, weight: Any) -> tuple[Any, Any]:
    fold, tables = kept
    return None, fold.worth(tables, weight)


_added.defvjp(_added_forward, _added_backward)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _moved(shape: tuple[int, int], fold: Any, stack: Stack, values: Any) -> Any:
    """`fold_rows`, with reverse derivatives by the slots of the stack only.

    These are made forward, for all slots at once. Backward, each number that a bin reads from
    a table would be added to it: twice as slow on a processor, and more on a GPU.
    """
    return fold_rows(fold, stack, values, shape)


def _moved_forward(
    shape: tuple[int, int], fold: Any, stack: Stack, values: Any
) -> tuple[Any, Any]:
    one = jnp.ones((fold.source.shape[0], stack.slots.size))
    counts, slopes = linear_rows(fold, stack, values, one)
    return add_rows(fold, counts, shape), (fold, stack, values, slopes)


def _moved_backward(shape: tuple[int, int], kept: Any, weight: Any) -> tuple[Any, ...]:
    fold, stack, values, slopes = kept
    found = by_row(fold, slopes, weight)
    return None, None, jnp.zeros_like(values).at[slot_places(fold, stack)].add(found)


_moved.defvjp(_moved_forward, _moved_backward)


def prepared_rows(fold: Fold, stack: Stack, values: Any) -> Any:
    """Tables of all rows of a fold that stays."""

    def one(item: Any) -> Any:
        source, theta, here = item
        return fold.prepare(with_values(source, theta), here)[0]

    return jax.vmap(one)(items_of(fold, stack, values))


def table_rows(fold: Fold, stack: Stack, values: Any, factor: Any) -> tuple[Any, Any]:
    """Tables of all rows of a fold that stays, and their derivatives.

    These are by the parameters at ``stack.slots`` times ``factor``, shape (row, slot, ...).
    """

    def one(item: Any) -> tuple[Any, Any]:
        (source, theta, here), pace = item
        tables, push = jax.linearize(
            lambda t: fold.prepare(with_values(source, t), here)[0], theta
        )
        return tables, jax.vmap(push)(pace[:, None] * slot_basis(stack, theta))

    return jax.vmap(one)((items_of(fold, stack, values), factor))


def table_bends(fold: Fold, stack: Stack, values: Any, worth: Any) -> Any:
    """Second derivatives of the tables times what they are worth, (row, slot, slot)."""

    def one(item: Any) -> Any:
        (source, theta, here), own = item

        def small(t: Any) -> Any:
            return jnp.sum(own * fold.prepare(with_values(source, t), here)[0])

        return second_derivatives(small, theta, slot_basis(stack, theta))

    return jax.vmap(one)((items_of(fold, stack, values), worth))


def scatter_slots(
    fold: Fold, counts: Counts, column: Any, number: int, shape: tuple[int, int]
) -> Any:
    """Counts with the axes (row, slot) summed by parameter, (number, dataset, bin + 1)."""
    datasets, size = shape[0], shape[1] - 1
    dataset, target = places_of(fold)
    bins, total = counts
    width = bins.shape[3:]
    found = jnp.zeros((number, datasets, size // (width[0] if width else 1), *width))
    found = found.at[column[:, :, None], dataset[:, None, None], target[:, None]].add(
        bins, mode="drop"
    )
    totals = jnp.zeros((number, datasets))
    totals = totals.at[column, dataset[:, None]].add(total, mode="drop")
    return jnp.concatenate([found.reshape(number, datasets, size), totals[..., None]], axis=-1)
