"""Counts of round sources in all bins of a map, pixel by pixel where they are far.

Far from a source a pixel has few nodes, and the distance of a node is the same in all energies:
the splines of all energies are read there at once, in all pixels of the map, and no plan is
needed. What is near is left to the fold, with as many nodes as it takes.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.config import program
from gammajax.fold.build import Build
from gammajax.fold.nodes import reading_of
from gammajax.fold.reading import Nodes, read_at
from gammajax.fold.round import RoundFold
from gammajax.fold.round_build import SOFT_END, last_ring, reaches, round_fold
from gammajax.fold.rows import items_of
from gammajax.fold.stack import Stack
from gammajax.parameters import with_values

COVERED = 0.2
"""What part of a map sources have to reach, so that all of it is looked at."""


def is_wide(build: Build) -> bool:
    """Whether all pixels of a map are to be looked at for the sources of a stack.

    They are round, have a spread, and reach a large part of the map.
    """
    (item,), (response,) = build.data, build.responses
    spatial = build.components[0].spatial_model
    if not build.stack.is_round or spatial.has_energy or response.radii is None:
        return False
    reach = SOFT_END * response.radii.max() + reaches(build.stack, build.components).max()
    return np.pi * reach**2 > COVERED * item.pixels.number * item.pixels.size**2


def wide_bins(build: Build, values: Any) -> tuple[RoundFold, np.ndarray]:
    """The fold of what is near its sources, and the counts of all that is far.

    Returns
    -------
    fold : `~gammajax.fold.round.RoundFold`
    far : array, shape (energy, pixel)
    """
    (item,) = build.data
    order, distance = last_ring(build)
    fold = round_fold(dataclasses.replace(build, near=True))
    pixels = item.pixels
    number, spline = reading_of(order)
    vectors, areas = pixels.nodes_of(pixels.key_of, number)
    seen = np.isfinite(vectors).all(axis=-1)
    vectors = np.where(seen[..., None], vectors, np.array([1.0, 0.0, 0.0]))
    areas = np.where(seen, areas, 0.0)
    middle = pixels.vectors_of(pixels.key_of)
    limit = np.cos(np.minimum(distance, np.pi))[fold.source]
    places = np.moveaxis(vectors, 0, 1), np.moveaxis(areas, 0, 1), middle
    return fold, np.asarray(_far(fold, build.stack, values, places, limit, spline))


@partial(program, jit=eqx.filter_jit)
def _far(
    fold: RoundFold, stack: Stack, values: Any, places: Any, limit: Any, spline: int
) -> Any:
    """Counts of pixels that are further than a limit (its cosine) from each source."""
    vectors, areas, middle = places
    number = fold.covered.shape[1]
    some = slice(spline * number, (spline + 1) * number)

    def one(total: Any, item: Any) -> tuple[Any, None]:
        (source, theta, here), limit = item
        component = with_values(source, theta)
        tables, _ = fold.prepare(component, here)
        lines = jnp.swapaxes(fold.splines(tables)[some], 0, 1)
        direction = jnp.asarray(fold.rotation) @ component.spatial_model.centre()
        found = jnp.zeros_like(total)
        for at, area in zip(vectors, areas, strict=True):
            offset = [at[:, k] - direction[k] for k in range(3)]
            nodes = Nodes(offset, sum(x * x for x in offset), area)
            start, weights = read_at(fold, None, nodes, here[0]["frame"][1:])
            for k in range(4):
                near = lines.at[start + k].get(mode="promise_in_bounds")
                found = found + jnp.einsum("pen,np->pe", near, weights[:, k])
        far = middle @ direction < limit
        return total + jnp.where(far[:, None], found, 0.0), None

    items = items_of(fold, stack, values), jnp.asarray(limit)
    empty = jnp.zeros((middle.shape[0], number))
    return jax.lax.scan(one, empty, items)[0].T
