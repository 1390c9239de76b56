"""Solid angles of regions, and nodes that integrate functions over them."""

from __future__ import annotations

import operator
from functools import lru_cache
from typing import Any

import numpy as np

from gammajax.maps.shapes import (
    SHAPES,
    basis_at,
    bounds,
    contains,
    frame_of,
    name_of,
    parts,
    separation,
    size_of,
    unit,
    vectors_of,
)

FINE = 1200
"""Cells across the shapes whose solid angle is counted: of compounds that may overlap."""


def solid_angle(region: Any) -> float:
    """Solid angle in sr: exact, but for compounds that may overlap, which are counted."""
    name = name_of(region)
    if name == "PointSkyRegion":
        return 0.0
    if name == "CircleSkyRegion":
        return 4 * np.pi * np.sin(size_of(region, "radius") / 2) ** 2
    if name == "CircleAnnulusSkyRegion":
        halves = [size_of(region, item) / 2 for item in SHAPES[name]]
        return 4 * np.pi * float(np.sin(halves[1]) ** 2 - np.sin(halves[0]) ** 2)
    if name == "RectangleSkyRegion":
        a, b = size_of(region, "width") / 2, size_of(region, "height") / 2
        return 4 * float(np.arcsin(a * b / np.sqrt((1 + a**2) * (1 + b**2))))
    if name == "EllipseSkyRegion":
        return float(_ellipse(region, 48)[1].sum())
    frame = frame_of(region)
    if name == "PolygonSkyRegion":
        corners = vectors_of(region, frame)
        return abs(float(_spherical_excess(unit(corners.sum(axis=0)), corners)))
    if region.operator is operator.or_ and _apart(parts(region), frame):
        return sum(solid_angle(part) for part in parts(region))
    return _counted(region, frame)


def _apart(regions: list[Any], frame: str) -> bool:
    """Whether circles around the regions do not touch each other."""
    found = [bounds(region, frame) for region in regions]
    return all(
        separation(one, two) > r1 + r2
        for place, (one, r1) in enumerate(found)
        for two, r2 in found[:place]
    )


def _counted(region: Any, frame: str) -> float:
    _, weights = _cells(region, frame, FINE, 1)
    return float(weights.sum())


def _spherical_excess(apex: np.ndarray, corners: np.ndarray) -> Any:
    """The signed areas of the triangles between a point and each side, summed."""
    b, c = corners, np.roll(corners, -1, axis=0)
    volume = np.einsum("i,ni->n", apex, np.cross(b, c))
    cosines = 1 + b @ apex + np.einsum("ni,ni->n", b, c) + c @ apex
    return np.sum(2 * np.arctan2(volume, cosines))


@lru_cache
def _gauss(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss and Legendre between 0 and 1."""
    x, w = np.polynomial.legendre.leggauss(number)
    return (x + 1) / 2, w / 2


def nodes(region: Any, frame: str, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors and weights (sr) that integrate a function over a region.

    Gauss-Legendre nodes for circles, annuli, ellipses and rectangles; cells of equal area for
    polygons and compounds, weighted by the part that lies inside. The weights sum to the
    solid angle; a point has one node of weight 0.
    """
    name = name_of(region)
    if name == "PointSkyRegion":
        return vectors_of(region, frame)[None, :], np.zeros(1)
    if name in ("CircleSkyRegion", "CircleAnnulusSkyRegion"):
        vectors, weights = _ring(region, frame, order)
    elif name == "EllipseSkyRegion":
        vectors, weights = _ellipse(region, order, frame)
    elif name == "RectangleSkyRegion":
        vectors, weights = _rectangle(region, order, frame)
    else:
        vectors, weights = _cells(region, frame, 2 * order, 5)
    return vectors, weights * (solid_angle(region) / weights.sum())


def _ring(region: Any, frame: str, order: int) -> tuple[np.ndarray, np.ndarray]:
    center = vectors_of(region, frame)
    sizes = [size_of(region, item) for item in SHAPES[name_of(region)]]
    inner = np.sin(sizes[0] / 2) ** 2 if len(sizes) == 2 else 0.0
    x, w = _gauss(order)
    # 1 - cos(theta), in which the solid angle is even
    drop = 2 * (inner + x[:, None] * (np.sin(sizes[-1] / 2) ** 2 - inner))
    phi = 2 * np.pi * (np.arange(2 * order) + 0.5) / (2 * order)
    across = np.sqrt(drop * (2 - drop))
    one, two = basis_at(center)
    vectors = (1 - drop)[..., None] * center + across[..., None] * (
        np.cos(phi)[:, None] * one + np.sin(phi)[:, None] * two
    )
    return vectors.reshape(-1, 3), np.repeat(w, 2 * order)


def _ellipse(
    region: Any, order: int, frame: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    x, w = _gauss(order)
    phi = 2 * np.pi * (np.arange(2 * order) + 0.5) / (2 * order)
    half = size_of(region, "width") / 2, size_of(region, "height") / 2
    radius = np.sqrt(x)[:, None]
    u, v = half[0] * radius * np.cos(phi), half[1] * radius * np.sin(phi)
    area = np.pi * half[0] * half[1] * w[:, None] / (2 * order)
    return _from_plane(region, u, v, area * np.ones_like(u), frame)


def _rectangle(region: Any, order: int, frame: str) -> tuple[np.ndarray, np.ndarray]:
    x, w = _gauss(order)
    width, height = size_of(region, "width"), size_of(region, "height")
    u, v = np.meshgrid((x - 0.5) * width, (x - 0.5) * height)
    return _from_plane(region, u, v, width * height * np.outer(w, w), frame)


def _from_plane(
    region: Any, u: np.ndarray, v: np.ndarray, area: np.ndarray, frame: str | None
) -> tuple[np.ndarray, np.ndarray]:
    center = vectors_of(region, frame or frame_of(region))
    one, two = basis_at(center, size_of(region, "angle"))
    length = np.sqrt(1 + u**2 + v**2)
    vectors = (center + u[..., None] * one + v[..., None] * two) / length[..., None]
    return vectors.reshape(-1, 3), (area / length**3).ravel()


def _cells(region: Any, frame: str, number: int, parts: int) -> tuple[np.ndarray, np.ndarray]:
    """Cells of equal area around a region, each divided in ``parts`` by ``parts``."""
    middle, radius = bounds(region, frame)
    reach = 2 * np.sin(min(radius * 1.001, np.pi) / 2)  # of an equal-area plane
    count = number * parts
    line = ((np.arange(count) + 0.5) / count * 2 - 1) * reach
    x, y = np.meshgrid(line, line)
    vectors, shown = _equal_area(middle, x, y)
    inside = contains(region, vectors, frame) & shown
    fraction = inside.reshape(number, parts, number, parts).mean(axis=(1, 3))
    line = ((np.arange(number) + 0.5) / number * 2 - 1) * reach
    centers, _ = _equal_area(middle, *np.meshgrid(line, line))
    used = fraction > 0
    if not used.any():
        raise ValueError(f"RegionGeom: {region} is empty, or too thin to integrate over")
    return centers[used], fraction[used] * (2 * reach / number) ** 2


def _equal_area(middle: np.ndarray, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    square = x**2 + y**2
    shown = square < 4
    factor = np.sqrt(1 - np.where(shown, square, 0) / 4)[..., None]
    one, two = basis_at(middle)
    flat = x[..., None] * one + y[..., None] * two
    return (1 - square / 2)[..., None] * middle + factor * flat, shown
