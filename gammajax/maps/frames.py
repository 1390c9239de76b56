"""Rotations between the frames of the sky."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from gammajax.maps.arrays import namespace

FRAMES = ("icrs", "galactic", "fk5")


@lru_cache
def frame_rotation(frame: str, to: str) -> np.ndarray:
    """The matrix that turns unit vectors in one frame into unit vectors in another.

    Parameters
    ----------
    frame, to : {"icrs", "galactic", "fk5"}
        ``fk5`` has the equinox J2000.

    Returns
    -------
    rotation : array, shape (3, 3)
        ``rotation @ vector`` is the vector in the frame ``to``.

    Raises
    ------
    ValueError
        If a frame is none of these.

    Examples
    --------
    >>> import numpy as np
    >>> from gammajax.maps import frame_rotation
    >>> pole = frame_rotation("galactic", "icrs") @ np.array([0, 0, 1])
    >>> np.degrees(np.arcsin(pole[2])).round(3)  # declination of the galactic pole
    np.float64(27.128)
    """
    from astropy.coordinates import CartesianRepresentation, SkyCoord

    for name in (frame, to):
        if name not in FRAMES:
            raise ValueError(f"frame_rotation: frame is {name!r}, expected {', '.join(FRAMES)}")
    basis: Any = SkyCoord(CartesianRepresentation(np.eye(3)), frame=frame)
    rotation = np.array(basis.transform_to(to).cartesian.xyz.value)
    rotation.setflags(write=False)
    return rotation


def to_vector(lon: Any, lat: Any) -> Any:
    """Unit vectors of positions in rad, with a last axis of length 3."""
    xp = namespace(lon, lat)
    lon, lat = xp.broadcast_arrays(xp.asarray(lon), xp.asarray(lat))
    cos = xp.cos(lat)
    return xp.stack([cos * xp.cos(lon), cos * xp.sin(lon), xp.sin(lat)], axis=-1)


def from_vector(vector: Any) -> tuple[Any, Any]:
    """Longitude (0 to 2 pi) and latitude in rad; at the poles, longitude is 0.

    The vectors need not have length 1.
    """
    xp = namespace(vector)
    x, y, z = vector[..., 0], vector[..., 1], vector[..., 2]
    square = x**2 + y**2
    pole = square == 0
    # a second where keeps the derivatives finite at the poles, where longitude has none
    lon = xp.arctan2(y, xp.where(pole, 1.0, x)) % (2 * np.pi)
    across = xp.where(pole, 0.0, xp.sqrt(xp.where(pole, 1.0, square)))
    return lon, xp.arctan2(z, across)


def rotated(lon: Any, lat: Any, frame: str, to: str) -> tuple[Any, Any]:
    """Positions in deg in another frame; traced ones have derivatives."""
    if frame == to:
        return lon, lat
    xp = namespace(lon, lat)
    vector = to_vector(xp.deg2rad(lon), xp.deg2rad(lat)) @ frame_rotation(frame, to).T
    lon, lat = from_vector(vector)
    return xp.rad2deg(lon), xp.rad2deg(lat)
