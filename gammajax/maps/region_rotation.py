"""Regions turned around a position of the sky."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.maps.frames import from_vector
from gammajax.maps.geom import sky_position
from gammajax.maps.shapes import basis_at, frame_of, name_of, vectors_of
from gammajax.units import to_quantity


def rotation_around(axis: np.ndarray, angle: Any) -> np.ndarray:
    """Matrices that turn unit vectors around a direction, as position angles grow.

    Parameters
    ----------
    axis : array, shape (3,)
        Unit vector of the direction that stays.
    angle : float or array, shape (...)
        In rad, from north to east.

    Returns
    -------
    rotation : array, shape (..., 3, 3)

    Examples
    --------
    >>> import numpy as np
    >>> north = np.array([np.cos(0.1), 0.0, np.sin(0.1)])
    >>> (rotation_around(np.array([1.0, 0.0, 0.0]), np.pi / 2) @ north).round(3)
    array([0.995, 0.1  , 0.   ])
    """
    from scipy.spatial.transform import Rotation

    turns = -np.asarray(angle, dtype=float)[..., None] * axis
    return Rotation.from_rotvec(turns.reshape(-1, 3)).as_matrix().reshape(*turns.shape, 3)


def rotate_region(region: Any, center: Any, angles: Any) -> list[Any]:
    """Copies of a region turned around a position, its distance and its shape kept.

    Parameters
    ----------
    region : `~regions.SkyRegion`
        Of a kind that `RegionGeom` knows.
    center : `~astropy.coordinates.SkyCoord`
    angles : array, shape (n,)
        In rad, from north to east.
    """
    frame = frame_of(region)
    axis = np.array(center.transform_to(frame).cartesian.xyz.value)
    return _turned(region, frame, rotation_around(axis / np.linalg.norm(axis), angles))


def _turned(region: Any, frame: str, matrices: np.ndarray) -> list[Any]:
    name = name_of(region)
    if name == "CompoundSkyRegion":
        one, two = (_turned(r, frame, matrices) for r in (region.region1, region.region2))
        return [type(region)(a, b, region.operator) for a, b in zip(one, two, strict=True)]
    old = vectors_of(region, frame)
    new = old @ np.swapaxes(matrices, -1, -2)
    places = sky_position(np.degrees(from_vector(new)), frame)
    if name == "PolygonSkyRegion":
        return [region.copy(vertices=place) for place in places]
    if not hasattr(region, "angle"):
        return [region.copy(center=place) for place in places]
    # where the region's own first axis points after the turn, seen from its new place
    axes = matrices @ basis_at(old, region.angle.to_value("rad"))[0]
    angles = [
        np.arctan2(*(across @ axis for axis in reversed(basis_at(place))))
        for across, place in zip(axes, new, strict=True)
    ]
    return [
        region.copy(center=place, angle=to_quantity(np.degrees(angle), "deg"))
        for place, angle in zip(places, angles, strict=True)
    ]
