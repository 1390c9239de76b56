"""Folds without a spread built from datasets and components, on the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np

from gammajax.fold.bare import BareFold, BareRow, BareShapeFold, BareTemplateFold, width
from gammajax.fold.build import Build, divided
from gammajax.fold.fourier_build import PART, extents
from gammajax.fold.fourier_rows import padded, svd_images
from gammajax.fold.local import make_local
from gammajax.fold.map_data import MapData
from gammajax.fold.plane import to_plane
from gammajax.fold.room import directions_of
from gammajax.fold.round_plan import rounded
from gammajax.fold.rows import NOWHERE
from gammajax.fold.sky_response import SkyResponse
from gammajax.maps.frames import frame_rotation

NODES = 12, 60
"""Least and most nodes along the side of a pixel."""

PER_WIDTH = 2.0
"""Nodes to the radius of half of a shape, along its minor axis."""

PER_DETAIL, MOST_POINTS = 4.0, 16
"""Points to a pixel of a template, and the most along the side of a pixel of the dataset."""

ROOM = 0.25
"""How far a source may move, over its extent, if that is more than two pixels."""


@dataclass
class Area:
    """The pixels of a row: places in the map, and the arrays of `BareRow`."""

    index: np.ndarray
    places: np.ndarray
    exposure: np.ndarray
    images: np.ndarray


def bare_fold(build: Build) -> BareFold:
    """The fold of a stack of shapes that are not round, where there is no spread."""
    data, components = build.data, build.components
    spatial = components[0].spatial_model
    analytic = spatial.KIND in ("point", "radial")
    rotation = frame_rotation(spatial.frame, data[0].pixels.frame)
    size = max(item.pixels.size for item in data)
    parts, edges = 0, (build.energy.low, build.energy.high)
    if spatial.has_energy:
        parts = int(np.ceil(np.log(edges[1] / edges[0]).max() / PART))
        edges = divided(*edges, parts)
    extent = extents(build) if analytic else _farthest(build)
    widths = np.ones(len(components))
    if analytic:
        widths = _widths_of(build, edges, size)
    room = max(2 * size, ROOM * float(extent.min()))
    whole = not spatial.has_centre
    dataset, source = build.rows
    if whole:
        directions = np.stack([_middle(item) for item in data])[dataset]
    else:
        directions = (np.asarray(directions_of(build.stack.sources)) @ rotation.T)[source]
    step = 0.0 if whole else max(room, 2 * build.responses[0].pixel, float(extent.max()) / 4)
    local = make_local(build.responses, [None] * len(data), dataset, directions, step)
    order = int(np.clip(np.ceil(PER_WIDTH * size / widths.min()), *NODES))
    if not analytic:
        order = int(np.clip(np.ceil(PER_DETAIL * size / spatial.detail), 3, MOST_POINTS))
    radii = np.full(source.size, np.pi) if whole else extent[source] + room + size
    own, target = _rows(_areas(build, directions, radii, local.frame, order))
    axis = build.energy.axis[dataset]
    fields = {
        "low": edges[0][axis],
        "high": edges[1][axis],
        "extent": extent[source],
        "width": widths[source],
        "local": local.own(),
    }
    common = {
        "dataset": dataset,
        "source": source,
        "target": target,
        "row": BareRow(**own, **fields),
        "local": local,
        "rotation": rotation,
        "room": np.float64(np.inf if whole else room),
        "quadrature": build.energy.nodes,
        "parts": parts,
    }
    if analytic:
        return BareShapeFold(**common, order=order)
    return BareTemplateFold(**common)


@eqx.filter_jit
def _widths(sources: Any, low: Any, high: Any) -> Any:
    return jax.vmap(lambda source: width(source.spatial_model, low, high))(sources)


def _widths_of(build: Build, edges: tuple[np.ndarray, np.ndarray], size: float) -> np.ndarray:
    """Radii of half of each source, checked against the size of a pixel, in rad."""
    component = build.components[0]
    kind, name = type(component.spatial_model).__name__, build.data[0].dataset.name
    if component.spatial_model.KIND == "point":
        raise ValueError(
            f"component {component.name!r}: an {kind} of a point is folded into dataset "
            f"{name!r}, which has no point spread function: it would jump from pixel to pixel; "
            "give the dataset a psf, or the source a size"
        )
    widths = np.asarray(_widths(build.stack.sources, *edges))
    least = PER_WIDTH * size / NODES[1]
    if widths.min() < least:
        component = build.components[int(np.argmin(widths))]
        raise ValueError(
            f"component {component.name!r}: half of a {kind} is within "
            f"{np.rad2deg(widths.min()):.2g} deg along its minor axis, and dataset {name!r} "
            f"has no point spread function; expected at least {np.rad2deg(least):.2g} deg, or "
            "it would jump from pixel to pixel: give the dataset a psf, or the source a size"
        )
    return widths


def _areas(
    build: Build, directions: np.ndarray, radii: np.ndarray, frames: np.ndarray, order: int
) -> list[tuple[Area, MapData]]:
    """The pixels of each row, and its dataset."""
    analytic = build.components[0].spatial_model.KIND == "radial"
    found = []
    for row, d in enumerate(build.rows[0]):
        item, response = build.data[d], build.responses[d]
        index, key = _near(item, directions[row], radii[row])
        if analytic:
            area = _with_corners(item, index, key, response, frames[row])
        else:
            area = _with_nodes(item, index, key, response, order)
        found.append((area, item))
    return found


def _farthest(build: Build) -> np.ndarray:
    """How far each template reaches, in rad."""
    return np.array([float(c.spatial_model.outer_radius()) for c in build.components])


def _middle(item: MapData) -> np.ndarray:
    """The middle of the pixels of a map."""
    vectors = item.pixels.vectors_of(item.pixels.key_of)
    middle = np.nanmean(vectors, axis=0)
    return middle / max(float(np.linalg.norm(middle)), 1e-12)


def _near(item: MapData, direction: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Places in the map, and keys, of the pixels of a mask within a radius of a direction."""
    around = item.pixels.around(direction, radius)
    own = around.index >= 0
    wanted = np.zeros(item.pixels.number, dtype=bool)
    wanted[item.bins.pixel[item.bins.used]] = True
    for _, mask in item.masks:
        wanted |= mask
    own[own] = wanted[around.index[own]]
    order = np.argsort(around.index[own])
    return around.index[own][order], around.key[own][order]


def _with_corners(
    item: MapData, index: Any, key: Any, response: SkyResponse, frame: np.ndarray
) -> Area:
    """Pixels with their corners, and the exposure as a linear function in each of them."""
    corners = item.pixels.corners_of(key)
    places = to_plane(corners, frame)
    after = np.roll(places, -1, axis=1)
    area = (places[..., 0] * after[..., 1] - places[..., 1] * after[..., 0]).sum(axis=1)
    # pixels that are cut by the border of the sky have no area
    seen = np.isfinite(area)
    corners = np.where(seen[:, None, None], corners, frame[0])
    places = np.where(seen[:, None, None], places, 0.0)
    places = np.where((area < 0)[:, None, None], places[:, ::-1], places)
    corners = np.where((area < 0)[:, None, None], corners[:, ::-1], corners)
    middle = corners.mean(axis=1)
    middle /= np.linalg.norm(middle, axis=-1, keepdims=True)
    at_middle = response.exposure.at(middle)
    at_corners = response.exposure.at(corners.reshape(-1, 3)).reshape(len(key), 4, -1)
    # the mean of a parabola over a square, and the plane through its corners
    mean = (2 * at_middle + at_corners.mean(axis=1)) / 3
    along = np.stack([places[:, 2] - places[:, 0], places[:, 3] - places[:, 1]], axis=1)
    along = np.where(seen[:, None, None], along, np.eye(2))
    change = np.stack(
        [at_corners[:, 2] - at_corners[:, 0], at_corners[:, 3] - at_corners[:, 1]], axis=1
    )
    slopes = np.linalg.solve(along, change)
    coef, image = svd_images(mean)
    others = [svd_images(slopes[:, i], coef)[1] for i in range(2)]
    images = np.stack([image, *others], axis=-1) * seen[:, None]
    return Area(index, places, coef, images)


def _with_nodes(item: MapData, index: Any, key: Any, response: SkyResponse, order: int) -> Area:
    """Pixels with their nodes, and the exposure there."""
    vectors, share = item.pixels.nodes_of(key, order)
    seen = np.isfinite(vectors).all(axis=-1)
    vectors = np.where(seen[..., None], vectors, np.eye(3)[0])
    coef, images = svd_images(response.exposure.at(vectors.reshape(-1, 3)))
    images = images.reshape(-1, *seen.shape) * np.where(seen, share, 0.0)
    return Area(index, vectors, coef, images)


def _rows(found: Any) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The arrays by row, and the targets of the entries; padded."""
    pixels = rounded(max(max(area.index.size for area, _ in found), 1))
    nbin = found[0][1].mask.shape[0]
    images, places, inside, entries = [], [], [], []
    for area, item in found:
        more = (0, pixels - area.index.size)
        images.append(np.pad(area.images, ((0, 0), more, (0, 0))))
        places.append(np.pad(area.places, (more, (0, 0), (0, 0))))
        own = np.zeros((nbin, pixels))
        own[:, : area.index.size] = item.mask[:, area.index]
        inside.append(own)
        entries.append(_entries(area.index, item))
    most = rounded(max(max(target.size for *_, target in entries), 1))
    columns = np.zeros((3, len(entries), most), dtype=np.int32)
    columns[2] = NOWHERE
    for place, parts in enumerate(entries):
        columns[:, place, : parts[0].size] = parts
    made: dict[str, np.ndarray] = {
        "exposure": padded([area.exposure for area, _ in found]),
        "images": padded(images),
        "places": np.stack(places),
        "inside": np.stack(inside),
        "pixel": columns[0],
        "energy": columns[1],
    }
    return made, columns[2]


def _entries(index: np.ndarray, item: MapData) -> tuple[np.ndarray, ...]:
    """Pixel, energy and target of the bins of some pixels."""
    if index.size == 0:
        return (np.zeros(0, dtype=int),) * 3
    place = np.minimum(np.searchsorted(index, item.bins.pixel), index.size - 1)
    target = np.nonzero((index[place] == item.bins.pixel) & item.bins.used)[0]
    return place[target], item.bins.energy[target], target
