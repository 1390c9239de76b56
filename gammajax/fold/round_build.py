"""Folds of round sources built from datasets and components, on the host."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.fold.linear import LinearFold, bands
from gammajax.fold.local import make_local
from gammajax.fold.map_data import MapData
from gammajax.fold.nodes import node_orders
from gammajax.fold.options import FoldOptions
from gammajax.fold.pixels import WcsPixels
from gammajax.fold.radial import CORE, RadialGrid, SpreadTransform, resampled
from gammajax.fold.round import RoundFold
from gammajax.fold.round_plan import (
    Entries,
    Reach,
    occupied_entries,
    outside_entries,
)
from gammajax.fold.sky_response import SkyResponse, Table
from gammajax.maps.frames import frame_rotation
from gammajax.models import GaussianSpatialModel

GROWTH = 2.0
"""How many times its start size a source may have before the fold is planned anew."""

ROOM = 0.5
"""How far a source may move before that, in radii of 68 % of the widest spread."""


def reaches(stack: Any, components: Sequence[Any]) -> np.ndarray:
    """How far each source of a stack extends at its start, with room to grow, in rad."""
    if components[0].spatial_model.KIND == "point":
        return np.zeros(len(components))
    found = np.asarray(_outer_radii(stack.sources))
    return found * (GROWTH if stack.moves else 1.0)


@eqx.filter_jit
def _outer_radii(sources: Any) -> Any:
    return jax.vmap(lambda source: jnp.asarray(source.spatial_model.outer_radius()))(sources)


@eqx.filter_jit
def _directions(sources: Any) -> Any:
    return jax.vmap(lambda source: source.spatial_model.centre())(sources)


def round_fold(
    data: Sequence[MapData],
    stack: Any,
    components: Sequence[Any],
    made: Sequence[SkyResponse],
    energy: tuple[np.ndarray, np.ndarray, np.ndarray, int],
    weight: np.ndarray,
    size: int,
    options: FoldOptions,
) -> RoundFold:
    """The fold of a stack of round sources.

    Parameters
    ----------
    data : sequence of `~gammajax.fold.map_data.MapData`
    stack : `~gammajax.fold.stack.Stack`
    components : sequence of `~gammajax.models.SkyModel`
    made : sequence of `~gammajax.fold.sky_response.SkyResponse`
    energy : tuple
        See `~gammajax.fold.map_data.true_axes`.
    weight : array, shape (dataset, source)
    size : int
        Bins of a dataset.
    options : `FoldOptions`
    """
    spatial = components[0].spatial_model
    rotation = frame_rotation(spatial.frame, data[0].pixels.frame)
    directions = np.asarray(_directions(stack.sources)) @ rotation.T
    extents = reaches(stack, components)
    extended = spatial.KIND != "point"
    room = _room(data, made, stack.moves)
    grid, orders = _grid(data, made, extents, room, extended)
    tables = [None if grid is None else _on_grid(response, grid) for response in made]
    step = 0.0
    if stack.moves or extended:
        step = max(room, 2 * made[0].pixel, float(extents.max()) / 4)
    shape, count = weight.shape, data[0].dataset.energy.nbin
    borders = not extended and all(isinstance(item.pixels, WcsPixels) for item in data)
    entries = Entries(orders, (shape[0], shape[1]), size, borders)
    # a Gaussian is smooth wherever it ends
    smooth = isinstance(spatial, GaussianSpatialModel)
    covered = np.zeros((*shape, count))
    disk = np.ones((*shape, 1 if grid is None else grid.areas.size))
    for number, (item, response) in enumerate(zip(data, made, strict=True)):
        cut = 0.0 if response.radii is None else float(response.radii.max())
        for source in np.nonzero(weight[number])[0]:
            radius = cut + extents[source] + room + item.pixels.size
            edge = 0.0 if smooth else float(extents[source])
            reach = Reach(directions[source], radius, edge)
            if grid is not None:
                disk[number, source] = grid.areas_within(radius)
            place = (number, int(source))
            occupied_entries(entries, place, item.bins, item.pixels, reach)
            covered[place] = outside_entries(
                entries, place, item.masks, item.pixels, reach, count, options.totals == "sum"
            )
    return RoundFold(
        local=make_local(list(made), tables, directions, step),
        transform=None if grid is None else SpreadTransform.create(grid, extended=extended),
        rotation=rotation,
        energy_min=energy[0],
        energy_max=energy[1],
        axis=energy[2],
        nodes=entries.nodes(),
        covered=covered,
        disk=disk,
        weight=weight,
        room=np.float64(room),
        extent=extents,
        size=size,
        quadrature=energy[3],
        extended=extended,
    )


def _room(data: Sequence[MapData], made: Sequence[SkyResponse], moves: bool) -> float:
    """How far a source may move, in rad."""
    if not moves:
        return 0.0
    size = min(item.pixels.size for item in data)
    widest = max((max(_widths(r)) for r in made if r.psf is not None), default=0.0)
    return ROOM * widest + 2 * size


def _widths(response: SkyResponse) -> list[float]:
    """Radii of 68 % of the spreads at the middle of their map, in rad."""
    assert response.psf is not None
    assert response.rad is not None
    return [_median_radius(response.rad, row) for row in _middle(response) if row.max() > 0]


def _grid(
    data: Sequence[MapData],
    made: Sequence[SkyResponse],
    extents: np.ndarray,
    room: float,
    extended: bool,
) -> tuple[RadialGrid | None, tuple[tuple[float, int], ...]]:
    """The radial grid of a stack, None without a spread, and the numbers of nodes."""
    size = min(item.pixels.size for item in data)
    rad = made[0].rad
    if rad is None:
        if not extended:
            raise ValueError(
                f"a point source is folded into dataset {data[0].dataset.name!r}, which has no "
                "point spread function: it would jump from pixel to pixel; give the dataset a "
                "psf, or the source a size"
            )
        return None, ((0.0, 4),)
    core = min(min(_widths(response)) for response in made)
    last = max(float(r.radii.max()) for r in made if r.radii is not None) + 2 * (room + size)
    reach = rad[min(int(np.searchsorted(rad, last * (1 + 1e-9))), rad.size - 1)]
    grid = RadialGrid.create(CORE * core, 1.02 * reach + float(extents.max()))
    rows = [row for r in made for row in _middle(r) if row.max() > 0]
    narrow = min(rows, key=lambda row: _median_radius(rad, row))
    return grid, node_orders(grid, resampled(grid, rad, narrow[None]), size, extended)


def _on_grid(response: SkyResponse, grid: RadialGrid) -> Table:
    """The spread of a response at the nodes of a grid."""
    assert response.psf is not None
    assert response.rad is not None
    values = resampled(grid, response.rad, response.psf.values)
    return dataclasses.replace(response.psf, values=values)


def _middle(response: SkyResponse) -> np.ndarray:
    """The spreads at the middle of their map, shape (energy, rad)."""
    assert response.psf is not None
    values = response.psf.values
    return values[..., values.shape[-2] // 2, values.shape[-1] // 2]


def _median_radius(rad: np.ndarray, table: np.ndarray) -> float:
    """The radius of 68 % of a table."""
    ring = 0.5 * (table[1:] * rad[1:] + table[:-1] * rad[:-1]) * np.diff(rad)
    share = np.append(0, np.cumsum(ring)) / ring.sum()
    return float(np.interp(0.68, share, rad))


def linear_fold(
    data: Sequence[MapData],
    stack: Any,
    components: Sequence[Any],
    made: Sequence[SkyResponse],
    energy: tuple[np.ndarray, np.ndarray, np.ndarray, int],
    weight: np.ndarray,
    size: int,
    options: FoldOptions,
) -> LinearFold:
    """The fold of a stack of round sources that do not move; parameters as `round_fold`."""
    fold = round_fold(data, stack, components, made, energy, weight, size, options)
    full, total = (np.asarray(x) for x in _responses(fold, stack.sources.spatial_model))
    nodes = fold.nodes
    to_total = (nodes.target == size) & (nodes.factor != 0)
    total = total + np.where(to_total[..., None], full, 0.0).sum(axis=2)
    kept = (nodes.target < size).any(axis=(0, 1))
    full, energies = full[:, :, kept], nodes.energy[:, :, kept]
    first, width = bands([response.edisp.values.max(axis=(2, 3)) for response in made])
    start = np.take_along_axis(first[:, None, :], energies.astype(int), axis=-1)
    values = np.take_along_axis(full, start[..., None] + np.arange(width), axis=-1)
    target = nodes.target[:, :, kept]
    values = np.where((target < size)[..., None], values, 0.0)
    return LinearFold(
        *energy[:3], values, start.astype(np.int32), target, total, size, energy[3]
    )


@eqx.filter_jit
def _responses(fold: RoundFold, spatial: Any) -> tuple[Any, Any]:
    """Counts of entries and totals for a unit flux in each true bin: (..., energy_true)."""
    number = fold.energy_min.shape[1]
    shape = (fold.weight.shape[1], number)

    def unit(t: Any) -> Any:
        flux = jnp.zeros(shape).at[:, t].set(1.0)
        return jax.vmap(
            lambda here, row: fold.sources(spatial, flux, here, row),
            in_axes=(fold.local.by_dataset(), 0),
        )(fold.local, fold.rows())

    entries, totals = jax.lax.map(unit, jnp.arange(number))
    return jnp.moveaxis(entries, 0, -1), jnp.moveaxis(totals, 0, -1)
