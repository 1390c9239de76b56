r"""Derivatives of predictions, as linear maps from free parameters to bins.

The statistic of a prediction :math:`\mu(x)` needs the Jacobian J in three ways: times a
vector, transposed times a vector, and as :math:`J^T W J`. Spectra keep J as a matrix; counts
cubes keep it row by row, as what each component gives to the bins that it reaches.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp

from gammajax.fold.row_derivatives import by_row
from gammajax.fold.rows import Counts, Fold, map_rows, places_of, sum_rows, taker
from gammajax.fold.staying import scatter_slots


class MatrixSlopes(eqx.Module):
    """A Jacobian of shape (active, dataset, bin)."""

    matrix: Any

    def joined(self) -> MatrixSlopes:
        """The Jacobian as a matrix: itself."""
        return self

    def times(self, direction: Any) -> Any:
        """The change of the prediction along a direction."""
        return jnp.tensordot(direction, self.matrix, axes=1)

    def transposed(self, weight: Any) -> Any:
        """The sum over bins of weights times derivatives, shape (active,)."""
        return jnp.tensordot(self.matrix, weight, axes=weight.ndim)

    def squares(self, weight: Any) -> Any:
        """The diagonal of `gram`, shape (active,)."""
        return jnp.tensordot(self.matrix**2, weight, axes=weight.ndim)

    def gram(self, weight: Any) -> Any:
        """The sum over bins of weighted products, shape (active, active)."""
        flat = self.matrix.reshape(self.matrix.shape[0], -1)
        return (flat * weight.ravel()) @ flat.T


class RowSlopes(eqx.Module):
    """The Jacobian of one fold, row by row.

    Attributes
    ----------
    fold : `~gammajax.fold.rows.Fold`
    counts : `~gammajax.fold.rows.Counts`
        With the leading axes (row, slot).
    column : array of int, shape (row, slot)
        The active parameter of each slot; ``number`` for none.
    shape : tuple of int
        Of a prediction, (dataset, bin + 1).
    number : int
        Of active parameters.
    """

    fold: Fold
    counts: Counts
    column: Any
    shape: tuple[int, int] = eqx.field(static=True)
    number: int = eqx.field(static=True)

    def times(self, direction: Any) -> Any:
        """The change of the prediction along a direction."""
        pace = jnp.append(direction, 0.0)[self.column]

        def one(item: Any) -> Counts:
            pace, counts = item
            return Counts(*(jnp.tensordot(pace, part, axes=1) for part in counts))

        return sum_rows(self.fold, one, (pace, self.counts), self.shape)

    def by_row(self, weight: Any) -> Any:
        """The sum over bins of weights times derivatives, shape (row, slot)."""
        return by_row(self.fold, self.counts, weight)

    def transposed(self, weight: Any) -> Any:
        """The sum over bins of weights times derivatives, shape (active,)."""
        return gathered(self.by_row(weight), self.column, self.number)

    def blocks(self, weight: Any) -> Any:
        """The products of the slots of each row, shape (row, slot, slot)."""
        take = taker(self.fold, weight)

        def one(item: Any) -> Any:
            (bins, total), share = item[0], take(*item[1])
            flat = bins.reshape(bins.shape[0], -1)
            found = (flat * share.bins.ravel()) @ flat.T
            return found + jnp.outer(total, total) * share.total

        return map_rows(one, (self.counts, places_of(self.fold)), self.fold.batch)

    def dense(self) -> Any:
        """The Jacobian as a matrix, shape (active, dataset, bin + 1)."""
        return scatter_slots(self.fold, self.counts, self.column, self.number, self.shape)


class TableSlopes(eqx.Module):
    """The Jacobian of a fold that stays: the derivatives of its tables.

    Attributes
    ----------
    fold : `~gammajax.fold.staying.StayingFold`
    tables : array, shape (row, slot, ...)
    column, shape, number
        As in `RowSlopes`.
    """

    fold: Any
    tables: Any
    column: Any
    shape: tuple[int, int] = eqx.field(static=True)
    number: int = eqx.field(static=True)

    def times(self, direction: Any) -> Any:
        """The change of the prediction along a direction."""
        pace = jnp.append(direction, 0.0)[self.column]
        return self.fold.added(jnp.einsum("rs,rs...->r...", pace, self.tables), self.shape)

    def transposed(self, weight: Any) -> Any:
        """The sum over bins of weights times derivatives, shape (active,)."""
        return self.contracted(self.worth(weight))

    def worth(self, weight: Any) -> Any:
        """What each number of the tables adds to the weighted prediction, by row."""
        return self.fold.worth(self.tables[:, 0], weight)

    def contracted(self, worth: Any) -> Any:
        """The sum over tables of their worth times derivatives, shape (active,)."""
        found = jnp.einsum("rs...,r...->rs", self.tables, worth)
        return gathered(found, self.column, self.number)

    def blocks(self, weight: Any) -> Any:
        """The products of the slots of each row, shape (row, slot, slot)."""
        return self.fold.products(self.tables, weight)

    def dense(self) -> Any:
        """The Jacobian as a matrix, shape (active, dataset, bin + 1)."""
        return self.fold.by_slot(self.tables, self.column, self.number, self.shape)


class MapSlopes(eqx.Module):
    """The Jacobian of a term of counts cubes: the sum over its folds."""

    parts: tuple[RowSlopes | TableSlopes, ...]
    shape: tuple[int, int] = eqx.field(static=True)
    number: int = eqx.field(static=True)

    def times(self, direction: Any) -> Any:
        """The change of the prediction along a direction."""
        return sum((part.times(direction) for part in self.parts), jnp.zeros(self.shape))

    def transposed(self, weight: Any) -> Any:
        """The sum over bins of weights times derivatives, shape (active,)."""
        found = (part.transposed(weight) for part in self.parts)
        return sum(found, jnp.zeros(self.number))

    def joined(self) -> MatrixSlopes:
        """The Jacobian as a matrix."""
        shape = (self.number, *self.shape)
        return MatrixSlopes(sum((part.dense() for part in self.parts), jnp.zeros(shape)))


class MatrixBends(eqx.Module):
    """Second derivatives of a weighted prediction, shape (active, active)."""

    matrix: Any

    def dense(self) -> Any:
        """The matrix."""
        return self.matrix

    def times(self, direction: Any) -> Any:
        """The matrix times a vector."""
        return self.matrix @ direction


class RowBends(eqx.Module):
    """Second derivatives of a weighted prediction, a block for each row.

    Attributes
    ----------
    blocks : array, shape (row, slot, slot)
    column : array of int, shape (row, slot)
    number : int
    """

    blocks: Any
    column: Any
    number: int = eqx.field(static=True)

    def dense(self) -> Any:
        """The matrix, shape (active, active)."""
        found = jnp.zeros((self.number, self.number))
        rows, columns = self.column[:, :, None], self.column[:, None, :]
        return found.at[rows, columns].add(self.blocks, mode="drop")

    def times(self, direction: Any) -> Any:
        """The matrix times a vector."""
        pace = jnp.append(direction, 0.0)[self.column]
        return gathered(jnp.einsum("rst,rt->rs", self.blocks, pace), self.column, self.number)


def gathered(values: Any, column: Any, number: int) -> Any:
    """Values of slots summed by the parameter that they belong to, shape (number,)."""
    return jnp.zeros(number).at[column].add(values, mode="drop")
