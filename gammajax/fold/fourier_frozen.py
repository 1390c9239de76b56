"""Responses of shapes that do not move, by the folds on a grid."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.config import program
from gammajax.fold.bands import bands
from gammajax.fold.build import Build, divided
from gammajax.fold.fourier import FourierFold
from gammajax.fold.fourier_build import fourier_fold
from gammajax.fold.frozen import linear_fold, responses_of
from gammajax.fold.linear import LinearFold
from gammajax.fold.rows import map_rows


def frozen_fourier_fold(build: Build) -> LinearFold:
    """The fold of a stack of shapes that do not move, and are not round."""
    fold = fourier_fold(build)
    parts = max(fold.parts, 1)
    matrices = [response.edisp.values.max(axis=(2, 3)) for response in build.responses]
    low, width = bands(matrices)
    values, total = (
        np.asarray(x)
        for x in _responses(fold, build.stack.sources, low, np.arange(width * parts))
    )
    tile = fold.here.tile
    energies = np.take_along_axis(
        np.asarray(fold.level.bins)[None], np.asarray(tile.energy), axis=-1
    )
    edges = divided(build.energy.low, build.energy.high, parts)
    axis = build.energy.axis[build.rows[0]]
    bins = energies.reshape(len(values), -1)
    found = responses_of(fold, bins, values, total, low * parts)
    return linear_fold(*build.rows, found, (*edges, axis), fold.quadrature)


@partial(program, jit=eqx.filter_jit)
def _responses(fold: FourierFold, sources: Any, low: Any, steps: Any) -> tuple[Any, Any]:
    """Counts of entries and totals for a unit flux: (row, entry, step), (row, part).

    The steps are parts of true bins, from the first one of each reconstructed bin on.
    """
    number, parts = fold.edisp.shape[2], max(fold.parts, 1)

    def one(item: Any) -> tuple[Any, Any]:
        spatial, first, here = item

        def step(b: Any) -> tuple[Any, Any]:
            chosen = jnp.arange(number)[:, None] == first + b // parts
            flux = jnp.where(jnp.arange(number * parts) % parts == b % parts, 1.0, 0.0)
            only = dataclasses.replace(fold, edisp=jnp.where(chosen, fold.edisp, 0.0))
            entries, totals = fold.by_level(only.tables(spatial, flux, here), here)
            place = (first[jnp.asarray(fold.level.bins)] + b // parts) * parts + b % parts
            return entries.ravel(), jnp.zeros(number * parts).at[place].add(totals)

        values, total = jax.lax.map(step, jnp.asarray(steps))
        return values.T, total.sum(axis=0)

    source = jnp.asarray(fold.source)
    spatial = jax.tree_util.tree_map(
        lambda leaf: jnp.asarray(leaf)[source], sources.spatial_model
    )
    rows = jax.tree_util.tree_map(jnp.asarray, fold.rows())
    return map_rows(one, (spatial, jnp.asarray(low)[fold.dataset], rows), fold.batch)
