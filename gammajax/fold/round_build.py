"""Folds of round sources built from datasets and components, on the host."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.fold.bands import bands
from gammajax.fold.build import Build
from gammajax.fold.exposed import parabolas_of, patches
from gammajax.fold.local import make_local
from gammajax.fold.map_data import MapData
from gammajax.fold.nodes import node_orders, reading_of, sides_of
from gammajax.fold.pixels import WcsPixels
from gammajax.fold.radial import CORE, MEAN, RadialGrid, SpreadTransform, resampled
from gammajax.fold.room import directions_of, middle_of, room_of, widths_of
from gammajax.fold.round import Ring, RoundFold
from gammajax.fold.round_plan import Entries, occupied_entries, rounded, total_entries
from gammajax.fold.row_pieces import cut_rows
from gammajax.fold.sky_response import SkyResponse, Table, median_radius
from gammajax.fold.totals import Gathered
from gammajax.maps.frames import frame_rotation
from gammajax.models import GaussianSpatialModel

SOFT_END = 1.1
"""A spread ends softly between the radius that it is followed to and this times it."""

GROWTH = 2.0
"""How many times its start size a source may have before the fold is planned anew."""

WIDEST = np.deg2rad(25.0)
"""Most that a source may extend; flat space is 0.5 % off at 10 deg."""

TABLES = 100
"""Nodes that cost as much as the splines of one energy of a row that moves."""

TRIED = 4
"""Spreads, from the narrowest to the widest, for which the nodes of pixels have to do."""


def reaches(stack: Any, components: Sequence[Any]) -> np.ndarray:
    """How far each source of a stack extends at its start, with room to grow, in rad."""
    if components[0].spatial_model.KIND == "point":
        return np.zeros(len(components))
    found = np.asarray(_outer_radii(stack.sources)) * (GROWTH if stack.moves else 1.0)
    if found.max() > WIDEST:
        component = components[int(np.argmax(found))]
        raise ValueError(
            f"component {component.name!r}: a {type(component.spatial_model).__name__} that "
            f"reaches {np.rad2deg(found.max()):.3g} deg, with room to grow, is folded in flat "
            f"space; expected at most {np.rad2deg(WIDEST):.3g} deg: start from a smaller size, "
            "or fold it as a TemplateSpatialModel"
        )
    return found


@eqx.filter_jit
def _outer_radii(sources: Any) -> Any:
    return jax.vmap(lambda source: jnp.asarray(source.spatial_model.outer_radius()))(sources)


def round_fold(build: Build) -> RoundFold:
    """The fold of a stack of round sources."""
    data, made, stack = build.data, build.responses, build.stack
    spatial = build.components[0].spatial_model
    rotation = frame_rotation(spatial.frame, data[0].pixels.frame)
    directions = np.asarray(directions_of(stack.sources)) @ rotation.T
    extents = reaches(stack, build.components)
    extended = spatial.KIND != "point"
    room = room_of(data, made, stack.moves)
    grid, orders = _grid(data, made, extents, room, extended)
    tables = [None if grid is None else _on_grid(response, grid) for response in made]
    step = 0.0
    if stack.moves or extended:
        step = max(room, 2 * made[0].pixel, float(extents.max()) / 4)
    dataset, source = build.rows
    exposure, step = _exposure(build, step, room, extended)
    borders = grid is not None and not extended and has_borders(data)
    entries = Entries(orders, dataset.size, borders, build.options.psf_first)
    # a Gaussian is smooth wherever it ends
    smooth = isinstance(spatial, GaussianSpatialModel)
    covered = np.zeros((dataset.size, data[0].dataset.energy.nbin))
    for row, (d, s) in enumerate(zip(dataset, source, strict=True)):
        item, direction = data[d], directions[s]
        radii = made[d].radii_in(item.dataset.energy.nbin)
        radii = SOFT_END * radii + extents[s] + room + item.pixels.size
        edge = 0.0 if smooth else float(extents[s])
        if build.near:
            radii = np.minimum(radii, orders[-1][0] + edge)
        bins, pixels = item.bins, item.pixels
        occupied_entries(entries, row, int(d), bins, pixels, direction, radii, edge)
        if build.every_bin:
            continue
        covered[row] = total_entries(
            entries, row, int(d), item, direction, radii, edge, build.options
        )
    parts = max(len(item.masks) for item in data)
    part = np.full(covered.shape, parts)
    for row, d in enumerate(dataset):
        for number, (energies, _) in enumerate(data[d].masks):
            part[row, energies] = number
    if stack.moves:
        own = cut_rows(entries, TABLES * covered.shape[1])
        lead = np.append(True, own[1:] != own[:-1])
        dataset, source, part = dataset[own], source[own], part[own]
        covered = covered[own] * lead[:, None]
        exposure = None if exposure is None else exposure[own]
    gathered = Gathered.create(entries.far, part, parts + 1, rounded)
    rings, target = entries.rings()
    vectors, weights, normals = entries.nodes()
    first, band = None, 0
    if build.options.psf_first:
        first, band = _bands_of(build)
        rings = tuple(_exposed(build, dataset, r, vectors, first, band) for r in rings)
    local = make_local(made, tables, dataset, directions[source], step, exposure)
    transform = None if grid is None else SpreadTransform.create(grid, extended=extended)
    if transform is not None and extended:
        local = dataclasses.replace(local, psf=local.psf @ transform.to_hankel.T)
    return RoundFold(
        dataset=dataset,
        source=source,
        target=target,
        local=local,
        transform=transform,
        rotation=rotation,
        energy_min=build.energy.low,
        energy_max=build.energy.high,
        axis=build.energy.axis[dataset],
        vectors=vectors,
        areas=weights,
        normals=normals,
        rings=rings,
        covered=covered,
        gathered=gathered,
        disk=np.ones(1) if grid is None else np.asarray(grid.areas),
        bare=spatial if grid is None else None,
        first=None if first is None else first[dataset],
        room=np.float64(room),
        extent=extents[source],
        band=band,
        quadrature=build.energy.nodes,
        extended=extended,
    )


def _exposure(
    build: Build, step: float, room: float, extended: bool
) -> tuple[np.ndarray | None, float]:
    """Exposures around the rows where they are not those of points, and the step."""
    if build.options.psf_first or not (extended or build.stepped):
        return None, step
    if not extended:
        return patches(build, room)
    found = parabolas_of(build)
    if build.responses[0].psf is None:
        found = found.of_places()
    return found.at_points(step), step


def last_ring(build: Build) -> tuple[int, np.ndarray]:
    """The last of `~gammajax.fold.nodes.node_orders`, and how far from each source, in rad."""
    spatial = build.components[0].spatial_model
    extents = reaches(build.stack, build.components)
    room = room_of(build.data, build.responses, build.stack.moves)
    _, orders = _grid(build.data, build.responses, extents, room, spatial.KIND != "point")
    edges = 0.0 if isinstance(spatial, GaussianSpatialModel) else extents
    return orders[-1][1], orders[-1][0] + edges + np.zeros(len(extents))


def check_order(build: Build) -> None:
    """Check that the exposure can be taken when the options say so.

    Raises
    ------
    ValueError
        If it is to be taken last, and the spread is one of reconstructed energy.
    """
    if build.options.psf_first and build.responses[0].spread_last:
        raise ValueError(
            f"dataset {build.data[0].dataset.name!r}: has a spread in reconstructed energy, so "
            'the exposure cannot be taken after it; leave FoldOptions(order="psf-first") out'
        )


def _bands_of(build: Build) -> tuple[np.ndarray, int]:
    """The first true bin that reaches each reconstructed one, by dataset, and the width."""
    check_order(build)
    return bands([response.edisp.values.max(axis=(2, 3)) for response in build.responses])


def _exposed(
    build: Build,
    dataset: np.ndarray,
    ring: Ring,
    nodes: np.ndarray,
    first: np.ndarray,
    band: int,
) -> Ring:
    """The ring with the exposures of its pixels or blocks, in the bands of true bins."""
    found = np.zeros((*ring.key.shape, band))
    for row, d in enumerate(dataset):
        pixel = ring.key[row] >= 0
        vectors = nodes[ring.index[row, :, 0]]
        vectors[pixel] = build.data[d].pixels.vectors_of(ring.key[row][pixel])
        exposure = build.responses[d].exposure.at(vectors)
        true = first[d][ring.energy[row]][:, None] + np.arange(band)
        found[row] = np.take_along_axis(exposure, true, axis=1)
    return dataclasses.replace(ring, key=None, exposure=found)


def has_borders(data: Sequence[MapData]) -> bool:
    """Whether pixels have borders of four sides, over which they can be integrated."""
    return all(isinstance(item.pixels, WcsPixels) for item in data)


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
    core = min(min(widths_of(response)) for response in made)
    last = SOFT_END * max(float(r.radii.max()) for r in made if r.radii is not None)
    reach = rad[min(int(np.searchsorted(rad, last * (1 + 1e-9))), rad.size - 1)]
    grid = RadialGrid.create(CORE * core, 1.02 * reach + float(extents.max()))
    sides = np.concatenate([sides_of(item.pixels) for item in data])
    if not extended:
        grid = grid.with_means(float(np.sqrt(np.median(sides.prod(axis=1)))))
    rows = [row for r in made for row in middle_of(r) if row.max() > 0]
    rows.sort(key=lambda row: median_radius(rad, row))
    some = np.unique(np.linspace(0, len(rows) - 1, TRIED).round().astype(int))
    tried = resampled(grid, rad, np.array(rows)[some])
    borders = not extended and has_borders(data)
    orders = node_orders(grid, tried, size, extended, sides, borders)
    if reading_of(orders[-1][1])[1] != MEAN:
        grid = dataclasses.replace(grid, to_mean=None)
    return grid, orders


def _on_grid(response: SkyResponse, grid: RadialGrid) -> Table:
    """The spread of a response at the nodes of a grid, ended softly at its radii.

    What lies beyond is given back to what is left: totals are right, and each pixel is within
    the fraction that was cut off.
    """
    assert response.psf is not None
    assert response.rad is not None
    assert response.radii is not None
    values = resampled(grid, response.rad, response.psf.values)
    theta = np.asarray(grid.theta)
    values = values * soft_end(theta, response.radii[:, None])[..., None, None]
    weights = np.asarray(grid.prefilter).T @ np.asarray(grid.areas)
    total = np.einsum("n,tnyx->tyx", weights, values)[:, None]
    values = np.divide(values, total, out=np.zeros_like(values), where=total > 0)
    return dataclasses.replace(response.psf, values=values)


def soft_end(theta: np.ndarray, radius: Any) -> np.ndarray:
    """1 up to a radius, and smoothly 0 at `SOFT_END` times it."""
    x = np.clip((theta / radius - 1) / (SOFT_END - 1), 0, 1)
    return 1 - x**2 * (3 - 2 * x)
