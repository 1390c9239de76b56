"""The sky frames that differ from each other by a fixed rotation."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

FRAMES = ("icrs", "galactic", "fk5")
"""Frames of spatial models; fk5 is of equinox J2000."""


def check_frame(frame: Any, where: str) -> str:
    """``frame`` if it is the name of a frame that models can have.

    Raises
    ------
    ValueError
        That lists the names.
    """
    if frame not in FRAMES:
        raise ValueError(f"{where}: got {frame!r}, expected one of {', '.join(FRAMES)}")
    return frame


@lru_cache(maxsize=9)
def _rotation(origin: str, target: str) -> np.ndarray:
    from astropy.coordinates import SkyCoord

    axes = np.eye(3)
    coords = SkyCoord(*axes, frame=origin, representation_type="cartesian")
    turned: Any = coords.transform_to(target)
    matrix = np.array(turned.cartesian.xyz.value, dtype=np.float64)
    matrix.flags.writeable = False
    return matrix


def rotation(origin: str, target: str) -> np.ndarray:
    """The matrix that turns unit vectors of one frame into those of another.

    ``vectors @ rotation("icrs", "galactic").T`` for vectors of shape (..., 3).

    Examples
    --------
    >>> from gammajax.models.spatial.frames import rotation
    >>> pole = rotation("icrs", "galactic") @ [0.0, 0.0, 1.0]
    >>> print(pole.round(4))
    [-0.4838  0.747   0.456 ]
    """
    check_frame(origin, "rotation: origin")
    check_frame(target, "rotation: target")
    return np.eye(3) if origin == target else _rotation(origin, target)
