"""Responses of round shapes that do not move."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.config import on_accelerator, program
from gammajax.fold.bands import bands
from gammajax.fold.build import Build
from gammajax.fold.linear import LinearFold, by_target, in_blocks
from gammajax.fold.map_data import curve_of
from gammajax.fold.occupied import WIDTH
from gammajax.fold.room import directions_of
from gammajax.fold.round import RoundFold, in_band
from gammajax.fold.round_build import round_fold
from gammajax.fold.rows import NOWHERE, map_rows

AT_ONCE = 256
"""Rows that are planned together: nodes of pixels take much more memory than their matrix.

They are neighbours on the sky, which share the nodes of pixels.
"""


class Responses(NamedTuple):
    """Counts of the bins that some rows reach, row by row, and their totals.

    ``places`` are bins, ``values`` have the shape (entry, band), ``firsts`` are the first
    true bins of the bands; ``totals`` has the shape (row, energy_true).
    """

    places: list[np.ndarray]
    values: list[np.ndarray]
    firsts: list[np.ndarray]
    totals: np.ndarray


def frozen_fold(build: Build) -> LinearFold:
    """The fold of a stack of round sources that do not move."""
    matrices = [response.edisp.values.max(axis=(2, 3)) for response in build.responses]
    low, width = bands(matrices)
    dataset, source = build.rows
    order = _along_the_sky(build)
    dataset, source = dataset[order], source[order]
    found = []
    # of equal sizes, so that few programs are compiled
    for some in np.array_split(np.arange(dataset.size), -(-dataset.size // AT_ONCE)):
        fold = round_fold(dataclasses.replace(build, rows=(dataset[some], source[some])))
        values, total = (
            np.asarray(x) for x in _responses(fold, build.stack.sources, low, np.arange(width))
        )
        none = np.zeros((len(values), 0), dtype=np.int32)
        energies = np.concatenate([none, *(ring.energy for ring in fold.rings)], axis=1)
        found.append(responses_of(fold, energies, values, total, low))
    energy = build.energy
    edges = energy.low, energy.high, energy.axis[dataset]
    return linear_fold(dataset, source, joined(found), edges, energy.nodes)


def _along_the_sky(build: Build) -> np.ndarray:
    """An order of rows in which neighbours on the sky are near each other."""
    centres = np.asarray(directions_of(build.stack.sources))[build.rows[1]]
    return np.argsort(curve_of(centres), kind="stable")


def responses_of(
    fold: Any, energies: np.ndarray, values: np.ndarray, total: np.ndarray, low: np.ndarray
) -> Responses:
    """What of the entries of a fold falls in bins.

    Parameters
    ----------
    fold : `~gammajax.fold.rows.Fold`
        Whose targets are bins.
    energies : array of int, shape (row, entry)
        Reconstructed bins.
    values : array, shape (row, entry, band)
        Counts for a unit flux in each true bin from the first one on.
    total : array, shape (row, energy_true)
    low : array of int, shape (dataset, energy)
        The first true bin for each reconstructed one.
    """
    target = np.asarray(fold.target)
    used = target < NOWHERE
    return Responses(
        [place[here] for place, here in zip(target, used, strict=True)],
        [value[here] for value, here in zip(values, used, strict=True)],
        [low[d][e[here]] for d, e, here in zip(fold.dataset, energies, used, strict=True)],
        total,
    )


def joined(parts: Sequence[Responses]) -> Responses:
    """The responses of all rows."""
    places, values, firsts = ([row for part in parts for row in part[i]] for i in range(3))
    return Responses(places, values, firsts, np.concatenate([part.totals for part in parts]))


def linear_fold(
    dataset: np.ndarray,
    source: np.ndarray,
    found: Responses,
    edges: tuple[Any, Any, Any],
    quadrature: int,
) -> LinearFold:
    """The matrix of shapes that do not move.

    Parameters
    ----------
    dataset, source : array of int, shape (row,)
    found : `Responses`
    edges : tuple of array
        Lower and upper ends of the true bins (axis, energy_true), and the axis of each row.
    quadrature : int
        Nodes for spectra without a closed integral.
    """
    blocks = in_blocks(found.places, found.values, found.firsts, WIDTH)
    run = 1
    if on_accelerator():
        blocks, run = by_target(blocks, dataset)
    return LinearFold(
        dataset=dataset,
        source=source,
        target=blocks.target,
        row=blocks.row,
        energy_min=edges[0],
        energy_max=edges[1],
        axis=edges[2],
        response=blocks.response,
        first=blocks.first,
        total=found.totals,
        quadrature=quadrature,
        run=run,
    )


@partial(program, jit=eqx.filter_jit)
def _responses(fold: RoundFold, sources: Any, low: Any, band: Any) -> tuple[Any, Any]:
    """Counts of entries and totals for a unit flux: (row, entry, band), (row, energy_true)."""
    number = fold.energy_min.shape[1]

    def one(item: Any) -> tuple[Any, Any]:
        spatial, first, here = item
        own, _, rings, *far, _, _ = here
        local = fold.local.at(own)
        offset = fold.offset(spatial, here)
        place = offset / local.step
        reading = fold.reading(fold.place(spatial, offset), here)

        def step(b: Any) -> tuple[Any, Any]:
            """For a unit flux in the true bin that is ``b`` after the first of each band."""
            chosen = in_band(local, first + b, bool(fold.band))
            table = fold.splines(fold.profile(spatial, jnp.ones(number), chosen, place))
            total = jnp.zeros(number).at[first + b].add(fold.far(table, reading, *far))
            bins = [jnp.zeros(0)]
            found = fold.integrate(table, reading, rings)
            for ring, entries in zip(rings, found, strict=True):
                if fold.band:
                    entries = entries * jnp.take(ring.exposure, b, axis=-1)
                total = total.at[first[ring.energy] + b].add(entries * ring.to_total)
                bins.append(entries)
            return jnp.concatenate(bins), total

        values, total = jax.lax.map(step, jnp.asarray(band))
        return values.T, total.sum(axis=0)

    source = jnp.asarray(fold.source)
    spatial = jax.tree_util.tree_map(lambda leaf: leaf[source], sources.spatial_model)
    rows = jax.tree_util.tree_map(jnp.asarray, fold.rows())
    return map_rows(one, (spatial, jnp.asarray(low)[fold.dataset], rows), fold.batch)
