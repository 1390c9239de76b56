"""Fourier folds built from datasets and components, on the host."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax
import numpy as np

from gammajax.fold.build import Build, divided
from gammajax.fold.exposed import parabolas_of
from gammajax.fold.fourier import FourierFold
from gammajax.fold.fourier_grid import FourierGrid
from gammajax.fold.fourier_rows import Place, RowTables
from gammajax.fold.fourier_shapes import (
    RadialTable,
    SampledFold,
    ShapeFold,
    TemplateFold,
    reach,
)
from gammajax.fold.fourier_spread import MOST, Band, bands_of, level_grids, places_of
from gammajax.fold.map_data import MapData
from gammajax.fold.room import directions_of, room_of
from gammajax.fold.round_build import WIDEST, check_order
from gammajax.maps.frames import frame_rotation
from gammajax.models import GeneralizedGaussianSpatialModel

PART = 0.12
"""Width of a part of a true bin in which a shape is taken, in the logarithm of energy."""

SPLIT = 4
"""Most points along the side of a place of the grid at which a template is sampled."""

GROWTH = 1.5
"""How many times its start size a source may have before the fold is planned anew."""


SHRUNK = 0.5
"""The part of its start size down to which a round shape is folded on a grid made for it."""


def fourier_fold(build: Build) -> FourierFold:
    """The fold of a stack of shapes that are not round, or depend on energy."""
    data, made = build.data, build.responses
    spatial = build.components[0].spatial_model
    check_order(build)
    analytic = spatial.KIND in ("point", "radial")
    rotation = frame_rotation(spatial.frame, data[0].pixels.frame)
    extent = extents(build) if analytic else np.zeros(len(build.components))
    rows = list(zip(*(index.tolist() for index in build.rows), strict=True))
    places = _places(build, rows, rotation, extent)
    around = max(place.around for place in places)
    smallest, bands = _bands(build, around)
    name = f"{type(spatial).__name__} in dataset {data[0].dataset.name!r}"
    if around > WIDEST:
        raise ValueError(
            f"{name} is folded in a plane, and reaches {np.rad2deg(around):.3g} deg from "
            f"its middle; expected at most {np.rad2deg(WIDEST):.3g} deg: cut the dataset out "
            "around the source, start from a smaller size, or freeze the shape"
        )
    grids = level_grids(bands, around + smallest, made[0].rad, name)
    parts, edges = 0, (build.energy.low, build.energy.high)
    if spatial.has_energy:
        parts = int(np.ceil(np.log(edges[1] / edges[0]).max() / PART))
        edges = divided(*edges, parts)
    step = 0.0
    if analytic:
        widest = max(place.room for place in places)
        step = max(widest, 2 * made[0].pixel, float(extent.max()) / 4)
    tables = RowTables(data, made, grids, edges, build.energy.axis, build.options.psf_first)
    exposure = None
    images = build.stepped or not analytic
    if spatial.KIND == "radial" and not (images or build.options.psf_first):
        exposure = parabolas_of(build).at_points(step)
    here, target, edisp, level = tables.rows(rows, places, extent, step, images, exposure)
    make: Any = ShapeFold
    if build.stepped:
        make = partial(SampledFold, least=SHRUNK / GROWTH if shrinks(build) else 0.0)
    shape = getattr(spatial, "model", spatial)
    if isinstance(shape, GeneralizedGaussianSpatialModel):
        largest = np.pi / min(band.step for band in bands)
        make = partial(make, table=RadialTable.create(largest, float(extent.max())))
    if not analytic:
        make = partial(TemplateFold, split=split_of(spatial, min(band.step for band in bands)))
    return make(
        dataset=build.rows[0],
        source=build.rows[1],
        target=target,
        grid=FourierGrid.create(grids[0].number),
        level=level,
        here=here,
        edisp=edisp,
        rotation=rotation,
        step=np.float64(step if step > 0 else 1.0),
        room=np.float64(min(place.room for place in places)),
        quadrature=build.energy.nodes,
        parts=parts,
        spread_last=made[0].spread_last,
        late=build.options.psf_first,
    )


def fits_plane(build: Build) -> bool:
    """Whether the plane of a stack reaches as far as its sources, or as its map."""
    return _around(build) <= WIDEST


def fits_grid(build: Build) -> bool:
    """Whether a grid in the plane has as many places as the sources of a stack need."""
    around = _around(build)
    if around > WIDEST:
        return False
    smallest, bands = _bands(build, around)
    return places_of(bands, around + smallest, build.responses[0].rad)[0] <= MOST


def _around(build: Build) -> float:
    """How far from their origins planes have to reach, without the spread, in rad."""
    spatial = build.components[0].spatial_model
    analytic = spatial.KIND in ("point", "radial")
    extent = extents(build) if analytic else np.zeros(len(build.components))
    rows = list(zip(*(index.tolist() for index in build.rows), strict=True))
    rotation = frame_rotation(spatial.frame, build.data[0].pixels.frame)
    return max(place.around for place in _places(build, rows, rotation, extent))


def _bands(build: Build, around: float) -> tuple[float, list[Band]]:
    """The size of the smallest pixels, in rad, and the bins that share a grid."""
    smallest = min(item.pixels.size for item in build.data)
    axis = build.data[0].dataset.energy_true
    spectrum = None
    if shrinks(build):
        spectrum = partial(_spectra, build.stack.sources)
    return smallest, bands_of(build.responses, axis, smallest, around, spectrum)


def shrinks(build: Build) -> bool:
    """Whether the grid is as fine as sources of a part of their size need it, and no finer."""
    spatial = build.components[0].spatial_model
    return build.stepped and build.stack.is_round and not spatial.has_energy


def _spectra(sources: Any, k: np.ndarray) -> np.ndarray:
    """The largest of the transforms of sources of `SHRUNK` of their size, cut by a step.

    What is cut has an edge, whose waves fade as those of the edge of a disk.
    """
    found = np.abs(np.asarray(_transforms(sources, SHRUNK * k))).max(axis=0)
    faded = found < 0.5
    half = k[np.argmax(faded)] if faded.any() else k[-1]
    return np.maximum(found, (1 + (k / half) ** 2) ** -0.75)


@eqx.filter_jit
def _transforms(sources: Any, k: Any) -> Any:
    return jax.vmap(lambda source: source.spatial_model.hankel(k))(sources)


def extents(build: Build) -> np.ndarray:
    """How far each source extends at its start at any energy, with room to grow, in rad."""
    found = _reaches(build.stack.sources, build.energy.low, build.energy.high)
    return np.asarray(found) * (GROWTH if build.stack.moves else 1.0)


@eqx.filter_jit
def _reaches(sources: Any, low: Any, high: Any) -> Any:
    return jax.vmap(lambda source: reach(source.spatial_model, low, high))(sources)


def _places(
    build: Build, rows: Sequence[tuple[int, int]], rotation: np.ndarray, extent: np.ndarray
) -> list[Place]:
    """Where the sources are folded: around themselves, or on the map if that is smaller."""
    spatial, moves = build.components[0].spatial_model, build.stack.moves
    centres = np.zeros((0, 3))
    if spatial.has_centre:
        centres = np.asarray(directions_of(build.stack.sources)) @ rotation.T
    found = []
    for n, source in rows:
        item = build.data[n]
        size = item.pixels.size
        room = room_of([item], [build.responses[n]], moves)
        if spatial.KIND in ("point", "radial"):
            around = float(extent[source]) + room + size
            found.append(Place(centres[source], around, False, room))
            continue
        middle, around = _sky_of(item)
        place = Place(middle, around + size, True, np.inf)
        if spatial.has_centre:
            around = float(build.components[source].spatial_model.outer_radius()) + room + size
            if around < place.around:
                place = Place(centres[source], around, False, room)
        found.append(place)
    return found


def _sky_of(item: MapData) -> tuple[np.ndarray, float]:
    """The middle of the pixels of a map, and how far they reach from it, in rad."""
    pixels = item.pixels
    vectors = pixels.nodes_of(pixels.key_of, 1)[0][:, 0]
    vectors = vectors[np.isfinite(vectors).all(axis=1)]
    middle = vectors.mean(axis=0)
    middle = middle / max(float(np.linalg.norm(middle)), 1e-12)
    return middle, float(np.arccos(np.clip(vectors @ middle, -1, 1).min()))


def split_of(spatial: Any, step: float) -> int:
    """Points along the side of a place of the grid, so that a template's pixel has three."""
    geom = getattr(spatial, "geom", None)
    if geom is None:
        return 1
    size = np.sqrt(np.nanmin(geom.to_image().solid_angle()))
    return int(np.clip(np.ceil(3 * step / size), 1, SPLIT))
