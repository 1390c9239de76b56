r"""Regions of astropy as shapes on the sphere: what is inside, solid angle, nodes to integrate.

Circles and annuli are those of the sphere. An ellipse or rectangle is one in the plane that
touches the sky at its centre, with its size in rad there; the sides of a polygon are great
circles, which are straight in that plane. No map's projection is needed.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from gammajax.maps.frames import FRAMES, frame_rotation, from_vector, to_vector

SHAPES: dict[str, tuple[str, ...]] = {
    "PointSkyRegion": (),
    "CircleSkyRegion": ("radius",),
    "CircleAnnulusSkyRegion": ("inner_radius", "outer_radius"),
    "EllipseSkyRegion": ("width", "height", "angle"),
    "RectangleSkyRegion": ("width", "height", "angle"),
    "PolygonSkyRegion": (),
    "CompoundSkyRegion": (),
}
"""Regions that have a meaning here, and their numbers besides a position."""

OPERATORS = {operator.or_: "or", operator.and_: "and", operator.xor: "xor"}


def name_of(region: Any) -> str:
    """The kind of a region.

    Raises
    ------
    ValueError
        If it is none of ``SHAPES``.
    """
    name = type(region).__name__
    if name not in SHAPES:
        known = ", ".join(key.removesuffix("SkyRegion").lower() for key in SHAPES)
        raise ValueError(
            f"RegionGeom: got a {name}, expected a region on the sky that is one of: {known}"
        )
    return name


def parts(region: Any) -> list[Any]:
    """The simple regions of which a region is made."""
    if name_of(region) == "CompoundSkyRegion":
        return [*parts(region.region1), *parts(region.region2)]
    return [region]


def positions(region: Any) -> Any:
    """The position that defines a simple region, or the corners of a polygon."""
    return region.vertices if name_of(region) == "PolygonSkyRegion" else region.center


def frame_of(region: Any) -> str:
    """The frame of the first position; ``icrs`` for frames that maps do not have."""
    name = positions(parts(region)[0]).frame.name
    return name if name in FRAMES else "icrs"


def key(region: Any) -> tuple[Any, ...]:
    """Numbers that tell one region from another."""
    name = name_of(region)
    if name == "CompoundSkyRegion":
        found = OPERATORS.get(region.operator, str(region.operator))
        return (name, found, key(region.region1), key(region.region2))
    spherical = positions(region).spherical
    where = np.ravel([spherical.lon.deg, spherical.lat.deg]).tolist()
    numbers = [getattr(region, item).to_value("deg") for item in SHAPES[name]]
    return (name, positions(region).frame.name, *where, *map(float, numbers))


def vectors_of(region: Any, frame: str) -> np.ndarray:
    spherical = positions(region).transform_to(frame).spherical
    return to_vector(spherical.lon.rad, spherical.lat.rad)


def size_of(region: Any, name: str) -> float:
    return float(getattr(region, name).to_value("rad"))


def bounds(region: Any, frame: str) -> tuple[np.ndarray, float]:
    """A unit vector in the middle, and the radius (rad) of a circle around it."""
    name = name_of(region)
    if name == "CompoundSkyRegion":
        found = [bounds(part, frame) for part in parts(region)]
        middle = unit(sum(vector for vector, _ in found))
        return middle, max(separation(middle, v) + radius for v, radius in found)
    vectors = vectors_of(region, frame)
    if name == "PolygonSkyRegion":
        middle = unit(vectors.sum(axis=0))
        return middle, float(np.max(separation(middle, vectors)))
    if name in ("EllipseSkyRegion", "RectangleSkyRegion"):
        half = size_of(region, "width") / 2, size_of(region, "height") / 2
        far = max(half) if name == "EllipseSkyRegion" else np.hypot(*half)
        return vectors, float(np.arctan(far))
    return vectors, size_of(region, SHAPES[name][-1]) if SHAPES[name] else 0.0


def unit(vector: Any) -> np.ndarray:
    length = np.linalg.norm(vector)
    if length < 1e-6:
        raise ValueError("RegionGeom: the region's parts are spread over the whole sky")
    return vector / length


def separation(one: np.ndarray, other: np.ndarray) -> Any:
    return np.arctan2(np.linalg.norm(np.cross(one, other), axis=-1), other @ one)


def basis_at(center: np.ndarray, angle: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Directions of the plane's axes: west and north, turned by an angle (rad)."""
    across = np.hypot(center[0], center[1])
    cos, sin = (center[0] / across, center[1] / across) if across > 0 else (1.0, 0.0)
    west = np.array([sin, -cos, 0.0])
    north = np.cross(west, center)
    return (
        np.cos(angle) * west + np.sin(angle) * north,
        np.cos(angle) * north - np.sin(angle) * west,
    )


def contains(region: Any, vectors: np.ndarray, frame: str) -> np.ndarray:
    """Whether unit vectors (last axis of length 3) lie in a region.

    A point contains what is within 1e-9 rad of it.
    """
    name = name_of(region)
    if name == "CompoundSkyRegion":
        one, two = (contains(r, vectors, frame) for r in (region.region1, region.region2))
        return region.operator(one, two)
    if name in ("PointSkyRegion", "CircleSkyRegion", "CircleAnnulusSkyRegion"):
        distance = separation(vectors_of(region, frame), vectors)
        if name == "PointSkyRegion":
            return distance < 1e-9
        sizes = [size_of(region, item) for item in SHAPES[name]]
        return (distance < sizes[-1]) & (distance >= (sizes[0] if len(sizes) == 2 else 0))
    if name == "PolygonSkyRegion":
        return _in_polygon(vectors_of(region, frame), vectors)
    center = vectors_of(region, frame)
    x, y, ahead = _plane(center, vectors, basis_at(center, size_of(region, "angle")))
    x, y = 2 * x / size_of(region, "width"), 2 * y / size_of(region, "height")
    inside = x**2 + y**2 < 1 if name == "EllipseSkyRegion" else np.maximum(abs(x), abs(y)) < 1
    return inside & ahead


def contains_any(regions: list[Any], vectors: np.ndarray, frame: str) -> np.ndarray:
    """Whether unit vectors in a frame lie in any of the regions."""
    found = np.zeros(vectors.shape[:-1], dtype=bool)
    for region in regions:
        own = frame_of(region)
        found |= contains(region, vectors @ frame_rotation(frame, own).T, own)
    return found


def _plane(center: np.ndarray, vectors: np.ndarray, basis: Any) -> tuple[Any, Any, Any]:
    z = vectors @ center
    ahead = z > 1e-9
    z = np.where(ahead, z, 1.0)
    return (vectors @ basis[0]) / z, (vectors @ basis[1]) / z, ahead


def _in_polygon(corners: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Even-odd rule in the plane around the corners' middle."""
    from regions import PixCoord, PolygonPixelRegion

    middle = unit(corners.sum(axis=0))
    basis = basis_at(middle)
    cx, cy, ahead = _plane(middle, corners, basis)
    if not np.all(ahead):
        raise ValueError("RegionGeom: the polygon is wider than half the sky; divide it")
    x, y, front = _plane(middle, vectors, basis)
    polygon = PolygonPixelRegion(PixCoord(cx, cy))
    return np.asarray(polygon.contains(PixCoord(np.atleast_1d(x), np.atleast_1d(y)))).reshape(
        np.shape(x)
    ) & (front)


def outline(region: Any, frame: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Closed lines around a simple region: longitudes and latitudes in deg of each."""
    name = name_of(region)
    turn = np.linspace(0, 2 * np.pi, 121)
    if name == "PolygonSkyRegion":
        return [_lines(vectors_of(region, frame))]
    center = vectors_of(region, frame)
    if name in ("EllipseSkyRegion", "RectangleSkyRegion"):
        one, two = basis_at(center, size_of(region, "angle"))
        u, v = np.cos(turn), np.sin(turn)
        if name == "RectangleSkyRegion":
            u, v = np.array([1, -1, -1, 1]), np.array([1, 1, -1, -1])
        half = size_of(region, "width") / 2, size_of(region, "height") / 2
        points = center + half[0] * u[:, None] * one + half[1] * v[:, None] * two
        points = points / np.linalg.norm(points, axis=1, keepdims=True)
        return [_lines(points) if name == "RectangleSkyRegion" else _degrees(points)]
    one, two = basis_at(center)
    around = np.cos(turn)[:, None] * one + np.sin(turn)[:, None] * two
    sizes = [size_of(region, item) for item in SHAPES[name]]
    if not sizes:
        return [_degrees(center[None, :])]
    return [_degrees(np.cos(size) * center + np.sin(size) * around) for size in sizes]


def _lines(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Great circles between corners, and back to the first."""
    share = np.linspace(0, 1, 31)[:, None]
    sides = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    return _degrees(np.concatenate([(1 - share) * a + share * b for a, b in sides]))


def _degrees(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lon, lat = np.degrees(from_vector(vectors))
    return lon, lat
