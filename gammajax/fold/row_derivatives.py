"""Derivatives of rows, each component by its own free parameters only.

So everything grows with the number of rows and not with its square. The large step of a fold is
never differentiated by a parameter: being linear in tables and in weights, it is made for their
derivatives, as one program and not as one for each parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.fold.rows import (
    LARGE,
    Counts,
    Fold,
    Reading,
    items_of,
    map_rows,
    places_of,
    slot_basis,
    taker,
)
from gammajax.fold.stack import Stack
from gammajax.parameters import with_values


def linear_rows(fold: Fold, stack: Stack, values: Any, factor: Any) -> tuple[Counts, Counts]:
    """Predicted counts of all rows, and their derivatives.

    The derivatives are by the parameters at ``stack.slots`` times ``factor``, an array of
    shape (row, slot): they have the shape (row, slot, ...), and the type of `kept_as`.
    """
    kind = kept_as(fold, stack)

    def one(item: Any) -> tuple[Counts, Counts]:
        (source, theta, here), pace = item
        (tables, place), push = jax.linearize(
            lambda t: fold.prepare(with_values(source, t), here), theta
        )
        moved, shift = jax.vmap(push)(pace[:, None] * slot_basis(stack, theta))

        def seen(place: Any) -> tuple[Counts, Reading]:
            reading = fold.reading(place, here)
            return fold.apply(tables, reading, here), reading

        counts, displace, reading = jax.linearize(seen, place, has_aux=True)
        bins, total = jax.vmap(lambda table: fold.apply(table, reading, here))(moved)
        if place.size:
            by_place = jax.vmap(displace)(jnp.eye(place.size))
            bins = bins + jnp.tensordot(shift, by_place.bins, axes=1)
            total = total + jnp.tensordot(shift, by_place.total, axes=1)
        return counts, Counts(bins.astype(kind), total)

    return map_rows(one, (items_of(fold, stack, values), factor), fold.batch)


def kept_as(fold: Fold, stack: Stack) -> Any:
    """The type of the derivatives of all bins: single precision for more than `LARGE` numbers.

    With 64-bit floats switched off it is what the counts have.
    """
    number = fold.target.size * fold.width * stack.slots.size
    return jnp.result_type(float) if number <= LARGE else np.dtype(np.float32)


def by_row(fold: Fold, slopes: Counts, weight: Any) -> Any:
    """The sum over bins of weights times the derivatives of rows, shape (row, slot).

    Parameters
    ----------
    slopes : `~gammajax.fold.rows.Counts`
        With the leading axes (row, slot).
    weight : array, shape (dataset, bin + 1)
    """
    take = taker(fold, weight)

    def one(item: Any) -> Any:
        (bins, total), share = item[0], take(*item[1])
        return bins.reshape(total.size, -1) @ share.bins.ravel() + total * share.total

    return map_rows(one, (slopes, places_of(fold)), fold.batch)


def bend_rows(fold: Fold, stack: Stack, values: Any, weight: Any) -> Any:
    """Second derivatives of weighted counts, shape (row, slot, slot).

    Parameters
    ----------
    weight : array, shape (dataset, bin + 1)
    """
    take = taker(fold, weight)

    def one_row(item: Any) -> Any:
        (source, theta, here), share = item
        share = take(*share)
        tables, place = fold.prepare(with_values(source, theta), here)

        weights, cells = _taylor(lambda p: _weights_first(fold, p, here), place)

        def worth(weights: Any) -> Any:
            """What each number of the tables adds to the weighted counts."""

            def weighted(table: Any) -> Any:
                counts = fold.apply(table, Reading(cells, weights), here)
                return jnp.sum(counts.bins * share.bins) + counts.total * share.total

            return jax.grad(weighted)(tables)

        # the weighted counts to second order in the place: a small function
        one, two = np.triu_indices(place.size)
        taylor = jax.vmap(worth)(weights)

        def small(t: Any) -> Any:
            table, p = fold.prepare(with_values(source, t), here)
            offset = p - place
            twice = np.where(one == two, 0.5, 1.0) * offset[one] * offset[two]
            powers = jnp.concatenate([jnp.ones(1), offset, twice])
            return jnp.sum(jnp.tensordot(powers, taylor, axes=1) * table)

        # of a gradient: of many numbers in the tables, one remains
        basis = slot_basis(stack, theta)
        bent = jax.vmap(lambda d: jax.jvp(jax.grad(small), (theta,), (d,))[1])(basis)
        return bent @ basis.T

    return map_rows(one_row, (items_of(fold, stack, values), places_of(fold)), fold.batch)


def _weights_first(fold: Fold, place: Any, here: Any) -> tuple[Any, Any]:
    """The reading of a place: the weights, which have derivatives, and the cells."""
    cells, weights = fold.reading(place, here)
    return weights, cells


def _taylor(function: Callable[[Any], Any], place: Any) -> tuple[Any, Any]:
    """Weights with first and second derivatives (pairs), on a first axis, and the cells."""
    one, two = np.triu_indices(place.size)
    eye = jnp.eye(place.size)

    def bent(d: Any, e: Any) -> tuple[Any, Any, Any]:
        def sloped(p: Any) -> tuple[Any, Any]:
            value, slope, cells = jax.jvp(function, (p,), (d,), has_aux=True)
            return (value, slope), cells

        (value, _), (slope, bend), cells = jax.jvp(sloped, (place,), (e,), has_aux=True)
        return value, cells, (slope, bend)

    if place.size == 0:
        weights, cells = function(place)
        return jax.tree_util.tree_map(lambda leaf: leaf[None], weights), cells
    axes = (None, None, 0)
    value, cells, (slopes, bends) = jax.vmap(bent, out_axes=axes)(eye[one], eye[two])
    firsts = np.nonzero(one == two)[0]
    joined = jax.tree_util.tree_map(
        lambda v, s, b: jnp.concatenate([v[None], s[firsts], b]), value, slopes, bends
    )
    return joined, cells


def second_derivatives(function: Callable[[Any], Any], at: Any, basis: Any) -> Any:
    """The Hessian of a function along the directions of a basis, (direction, direction).

    Forward twice: that compiles in two thirds of the time of a derivative of a gradient.
    """
    number = basis.shape[0]
    one, two = np.triu_indices(number)

    def bent(d: Any, e: Any) -> Any:
        return jax.jvp(lambda t: jax.jvp(function, (t,), (d,))[1], (at,), (e,))[1]

    found = jax.vmap(bent)(basis[one], basis[two])
    square = jnp.zeros((number, number))
    return square.at[one, two].set(found).at[two, one].set(found)
