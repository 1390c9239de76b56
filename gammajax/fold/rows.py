"""Rows: one component in one dataset, and what all folds do with them.

A fold carries a stack of components into the datasets of a term. It is written for one row,
in two steps: a small one, in which a component becomes tables (fluxes, splines of distance)
and a place, and a large one that gives its counts in the bins that it reaches and its expected
total. That is linear in the tables, and linear in weights, which are functions of the place.
Here they are mapped over the rows and the bins are added up.

Bins are addressed one by one, or in blocks of neighbouring ones: a block is added as a whole,
which costs a tenth of adding its bins. Rows are added up batch by batch, while they are in the
cache.
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


LARGE = 2**23
"""Numbers above which responses, or derivatives of counts, are kept in single precision:
rounded to 6e-8 of each."""


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

    @property
    def stays(self) -> bool:
        """Whether it is a `~gammajax.fold.staying.StayingFold`, or has its methods."""
        return False

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

    def reading(self, place: Any, here: Any) -> Reading:
        """All that `apply` needs of the place.

        Its weights are a smooth function of the place while its cells stay the same.
        """
        return Reading(None, place)

    def apply(self, tables: Any, reading: Reading, here: Any) -> Counts:
        """Predicted counts of a row; pure, and the large part.

        They are linear in ``tables``, and linear in the weights of the reading, if the place
        is not empty.
        """
        raise TypeError(f"{type(self).__name__} is abstract")

    def outgrown(self, component: Any, here: Any) -> Any:
        """Whether a component has left what the row was planned for."""
        return jnp.zeros((), dtype=bool)


class Reading(NamedTuple):
    """How a row reads its tables: ``cells`` are whole numbers, ``weights`` are not."""

    cells: Any
    weights: Any


class Counts(NamedTuple):
    """Predicted counts of a row, or derivatives of them.

    ``bins`` has the shape (..., entry), or (..., block, width); ``total`` is the expected
    total in the mask, shape (...).
    """

    bins: Any
    total: Any


def fold_rows(fold: Fold, stack: Stack, values: Any, shape: tuple[int, int]) -> Any:
    """Predicted counts summed over rows, shape (dataset, bin + 1)."""

    def one(item: Any) -> Counts:
        source, theta, here = item
        tables, place = fold.prepare(with_values(source, theta), here)
        return fold.apply(tables, fold.reading(place, here), here)

    return sum_rows(fold, one, items_of(fold, stack, values), shape)


def map_rows(function: Callable[[Any], Any], items: Any, size: int) -> Any:
    """``function`` of each row, in batches; the last batch overlaps with the one before."""
    number = jax.tree_util.tree_leaves(items)[0].shape[0]
    if number <= size:
        return jax.vmap(function)(items)
    starts = jnp.minimum(jnp.arange(0, number, size), number - size)
    whole = (len(starts) - 1) * size
    found = jax.lax.map(lambda start: jax.vmap(function)(_some(items, start, size)), starts)

    def joined(leaf: Any) -> Any:
        head = leaf[:-1].reshape(whole, *leaf.shape[2:])
        return jnp.concatenate([head, leaf[-1, size - (number - whole) :]])

    return jax.tree_util.tree_map(joined, found)


def sum_rows(
    fold: Fold, function: Callable[[Any], Counts], items: Any, shape: tuple[int, int]
) -> Any:
    """The sum of the counts of each row, in batches, shape (dataset, bin + 1)."""
    number, size = fold.dataset.shape[0], fold.batch
    items = items, places_of(fold)
    if number <= size:
        return add_rows(fold, jax.vmap(function)(items[0]), shape)

    def batch(carry: Any, start: Any) -> tuple[Any, None]:
        kept = jnp.minimum(start, number - size)
        own, (dataset, target) = _some(items, kept, size)
        counts = jax.vmap(function)(own)
        # the last batch overlaps with the one before: its first rows are in the sum
        new = kept + jnp.arange(size) >= start
        target = jnp.where(new[:, None], target, NOWHERE)
        total = jnp.where(new, counts.total, 0.0)
        return _added(carry, dataset, target, Counts(counts.bins, total)), None

    sums, _ = jax.lax.scan(batch, _empty(fold, shape), jnp.arange(0, number, size))
    return _joined(sums)


def add_rows(fold: Fold, counts: Counts, shape: tuple[int, int]) -> Any:
    """The sum over rows, shape (dataset, bin + 1); the last entry is the total."""
    return _joined(_added(_empty(fold, shape), *places_of(fold), counts))


def places_of(fold: Fold) -> tuple[Any, Any]:
    """Dataset and targets of each row."""
    return jnp.asarray(fold.dataset), jnp.asarray(fold.target)


def taker(fold: Fold, array: Any) -> Callable[[Any, Any], Counts]:
    """A function of the places of a row that takes what `add_rows` adds to there.

    It gives 0 where entries go nowhere.
    """
    array = jnp.asarray(array)
    number, size = array.shape[0], array.shape[1] - 1
    width = fold.width
    blocks = array[:, :-1].reshape((number, size // width, *((width,) if width > 1 else ())))

    def take(dataset: Any, target: Any) -> Counts:
        bins = blocks.at[dataset, target].get(mode="fill", fill_value=0.0)
        return Counts(bins, array[dataset, -1])

    return take


def _some(items: Any, start: Any, size: int) -> Any:
    def cut(leaf: Any) -> Any:
        return jax.lax.dynamic_slice_in_dim(leaf, start, size)

    return jax.tree_util.tree_map(cut, items)


def _empty(fold: Fold, shape: tuple[int, int]) -> Counts:
    number, size, width = shape[0], shape[1] - 1, fold.width
    bins = jnp.zeros((number, size // width, *((width,) if width > 1 else ())))
    return Counts(bins, jnp.zeros(number))


def _added(sums: Counts, dataset: Any, target: Any, counts: Counts) -> Counts:
    bins = sums.bins.at[dataset[:, None], target].add(counts.bins, mode="drop")
    return Counts(bins, sums.total.at[dataset].add(counts.total))


def _joined(sums: Counts) -> Any:
    bins = sums.bins.reshape(sums.bins.shape[0], -1)
    return jnp.concatenate([bins, sums.total[:, None]], axis=1)


def outgrown_rows(fold: Fold, stack: Stack, values: Any) -> Any:
    """Which components have left what was planned for them, shape (component,)."""

    def one(item: Any) -> Any:
        source, theta, here = item
        return fold.outgrown(with_values(source, theta), here)

    found = map_rows(one, items_of(fold, stack, values), fold.batch)
    return jnp.zeros(stack.places.shape[0], dtype=bool).at[fold.source].max(found)


def items_of(fold: Fold, stack: Stack, values: Any) -> Any:
    """What `Fold.prepare` needs of each row: source, values of its parameters, and `rows`."""
    source = jnp.asarray(fold.source)
    sources = jax.tree_util.tree_map(lambda leaf: jnp.asarray(leaf)[source], stack.sources)
    theta = jnp.asarray(values)[jnp.asarray(stack.places)[source]]
    return sources, theta, jax.tree_util.tree_map(jnp.asarray, fold.rows())


def slot_places(fold: Fold, stack: Stack) -> Any:
    """Where the slots of each row stand among all values, shape (row, slot)."""
    return jnp.asarray(stack.places)[jnp.asarray(fold.source)][:, jnp.asarray(stack.slots)]


def slot_basis(stack: Stack, theta: Any) -> Any:
    """Unit vectors along the slots, shape (slot, parameter)."""
    slots = jnp.asarray(stack.slots)
    return (slots[:, None] == jnp.arange(theta.size)).astype(theta.dtype)
