"""Rows: one component in one dataset, and what all folds do with them.

A fold carries a stack of components into the datasets of a term. It is written for one row,
in two steps: a small one, in which a component becomes tables (fluxes, splines of distance)
and a place, and a large one, linear in the tables, that gives its counts in the bins that it
reaches and its expected total. Here they are mapped over the rows, the bins are added up, and
the derivatives are taken row by row, each component by its own free parameters only, so that
everything grows with the number of rows and not with its square. Second derivatives pass the
large step once for each pair of coordinates of the place, not once for each pair of parameters.

Bins are addressed one by one, or in blocks of neighbouring ones: a block is added as a whole,
which costs a tenth of adding its bins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from gammajax.fold.stack import Stack
from gammajax.parameters import with_values

NOWHERE = 2**30
"""Target of entries that are padding, or that count into the total only."""


class Fold(eqx.Module):
    """Base of the folds.

    Attributes
    ----------
    dataset, source : array of int, shape (row,)
        The dataset of the term and the component of the stack.
    target : array of int, shape (row, entry) or (row, block)
        Where entries are added: bins of the dataset, or blocks of bins, or `NOWHERE`.
    """

    dataset: eqx.AbstractVar[Any]
    source: eqx.AbstractVar[Any]
    target: eqx.AbstractVar[Any]

    @property
    def width(self) -> int:
        """Bins of a block; 1 where bins are addressed one by one."""
        return 1

    @property
    def batch(self) -> int:
        """Rows that are folded side by side, to bound the memory."""
        return 64

    def rows(self) -> Any:
        """What `row` needs of each row: a pytree of arrays with a first axis of rows."""
        raise TypeError(f"{type(self).__name__} is abstract")

    def prepare(self, component: Any, here: Any) -> tuple[Any, Any]:
        """The small part of a row, where all that is not linear happens; pure.

        Parameters
        ----------
        component : a component
            Not stacked; its values may be traced.
        here : pytree
            One row of `rows`.

        Returns
        -------
        tables : array
            What the counts are linear in: fluxes, or splines of distance.
        place : array, shape (n,)
            What else they depend on: where the source is. Empty for shapes that stay.
        """
        raise TypeError(f"{type(self).__name__} is abstract")

    def apply(self, tables: Any, place: Any, here: Any) -> Counts:
        """Predicted counts of a row, linear in ``tables``; pure, and the large part."""
        raise TypeError(f"{type(self).__name__} is abstract")

    def outgrown(self, component: Any, here: Any) -> Any:
        """Whether a component has left what the row was planned for."""
        return jnp.zeros((), dtype=bool)


class Counts(NamedTuple):
    """Predicted counts of a row, or derivatives of them.

    ``bins`` has the shape (..., entry), or (..., block, width); ``total`` is the expected
    total in the mask, shape (...).
    """

    bins: Any
    total: Any


def fold_rows(fold: Fold, stack: Stack, values: Any) -> Counts:
    """Predicted counts of all rows."""

    def one(item: Any) -> Counts:
        source, theta, here = item
        return fold.apply(*fold.prepare(with_values(source, theta), here), here)

    return map_rows(one, _items(fold, stack, values), fold.batch)


def linear_rows(fold: Fold, stack: Stack, values: Any, factor: Any) -> tuple[Counts, Counts]:
    """Predicted counts of all rows, and their derivatives.

    The derivatives are by the parameters at ``stack.slots`` times ``factor``, an array of
    shape (row, slot): they have the shape (row, slot, ...).
    """

    def one(item: Any) -> tuple[Counts, Counts]:
        (source, theta, here), pace = item
        (tables, place), push = jax.linearize(
            lambda t: fold.prepare(with_values(source, t), here), theta
        )
        moved, shift = jax.vmap(push)(pace[:, None] * _basis(stack, theta))
        counts = fold.apply(tables, place, here)
        slopes = jax.vmap(lambda table: fold.apply(table, place, here))(moved)
        if place.size == 0:
            return counts, slopes
        along = jax.vmap(
            lambda e: jax.jvp(lambda p: fold.apply(tables, p, here), (place,), (e,))[1]
        )(jnp.eye(place.size))
        return counts, Counts(
            *(s + jnp.tensordot(shift, a, axes=1) for s, a in zip(slopes, along, strict=True))
        )

    return map_rows(one, (_items(fold, stack, values), factor), fold.batch)


def bend_rows(fold: Fold, stack: Stack, values: Any, weight: Any) -> Any:
    """Second derivatives of weighted counts, shape (row, slot, slot).

    Parameters
    ----------
    weight : array, shape (dataset, bin + 1)
    """
    weights = take_rows(fold, weight)

    def one(item: Any) -> Any:
        (source, theta, here), share = item
        tables, place = fold.prepare(with_values(source, theta), here)

        def adjoint(p: Any) -> Any:
            """What each number of the tables adds to the weighted counts."""

            def weighted(table: Any) -> Any:
                counts = fold.apply(table, p, here)
                return jnp.sum(counts.bins * share.bins) + counts.total * share.total

            return jax.grad(weighted)(tables)

        # the weighted counts to second order in the place: a small function
        worth = [adjoint(place)]
        if place.size:
            worth += [jax.jacfwd(adjoint)(place), jax.jacfwd(jax.jacfwd(adjoint))(place)]

        def small(t: Any) -> Any:
            table, p = fold.prepare(with_values(source, t), here)
            value = jnp.sum(worth[0] * table)
            if place.size:
                offset = p - place
                value = value + jnp.sum((worth[1] @ offset) * table)
                value = value + 0.5 * jnp.sum((worth[2] @ offset @ offset) * table)
            return value

        basis = _basis(stack, theta)

        def bent(direction: Any) -> Any:
            return basis @ jax.jvp(jax.grad(small), (theta,), (direction,))[1]

        return jax.vmap(bent)(basis)

    return map_rows(one, (_items(fold, stack, values), weights), fold.batch)


def map_rows(function: Callable[[Any], Any], items: Any, size: int) -> Any:
    """``function`` of each row, in batches; the last batch overlaps with the one before."""
    number = jax.tree_util.tree_leaves(items)[0].shape[0]
    if number <= size:
        return jax.vmap(function)(items)

    def batch(start: Any) -> Any:
        return jax.vmap(function)(
            jax.tree_util.tree_map(
                lambda leaf: jax.lax.dynamic_slice_in_dim(leaf, start, size), items
            )
        )

    starts = jnp.minimum(jnp.arange(0, number, size), number - size)
    whole = (len(starts) - 1) * size
    found = jax.lax.map(batch, starts)

    def joined(leaf: Any) -> Any:
        head = leaf[:-1].reshape(whole, *leaf.shape[2:])
        return jnp.concatenate([head, leaf[-1, size - (number - whole) :]])

    return jax.tree_util.tree_map(joined, found)


def add_rows(fold: Fold, counts: Counts, shape: tuple[int, int]) -> Any:
    """The sum over rows, shape (dataset, bin + 1); the last entry is the total."""
    number, size = shape[0], shape[1] - 1
    dataset, target = jnp.asarray(fold.dataset), jnp.asarray(fold.target)
    width = counts.bins.shape[2:]
    bins = jnp.zeros((number, size // (width[0] if width else 1), *width))
    bins = bins.at[dataset[:, None], target].add(counts.bins, mode="drop")
    total = jnp.zeros(number).at[dataset].add(counts.total)
    return jnp.concatenate([bins.reshape(number, size), total[:, None]], axis=1)


def take_rows(fold: Fold, array: Any) -> Counts:
    """What `add_rows` adds to, taken for each row; 0 where entries go nowhere."""
    dataset, target = jnp.asarray(fold.dataset), jnp.asarray(fold.target)
    number, size = array.shape[0], array.shape[1] - 1
    width = fold.width
    array = jnp.asarray(array)
    blocks = array[:, :-1].reshape((number, size // width, *((width,) if width > 1 else ())))
    bins = blocks.at[dataset[:, None], target].get(mode="fill", fill_value=0.0)
    return Counts(bins, array[dataset, -1])


def outgrown_rows(fold: Fold, stack: Stack, values: Any) -> Any:
    """Which components have left what was planned for them, shape (component,)."""

    def one(item: Any) -> Any:
        source, theta, here = item
        return fold.outgrown(with_values(source, theta), here)

    found = map_rows(one, _items(fold, stack, values), fold.batch)
    return jnp.zeros(stack.places.shape[0], dtype=bool).at[fold.source].max(found)


def _items(fold: Fold, stack: Stack, values: Any) -> Any:
    source = jnp.asarray(fold.source)
    sources = jax.tree_util.tree_map(lambda leaf: jnp.asarray(leaf)[source], stack.sources)
    theta = jnp.asarray(values)[jnp.asarray(stack.places)[source]]
    return sources, theta, jax.tree_util.tree_map(jnp.asarray, fold.rows())


def _basis(stack: Stack, theta: Any) -> Any:
    """Unit vectors along the slots, shape (slot, parameter)."""
    slots = jnp.asarray(stack.slots)
    return (slots[:, None] == jnp.arange(theta.size)).astype(theta.dtype)
