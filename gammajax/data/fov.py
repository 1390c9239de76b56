"""Coordinates in the field of view, in every alignment of the formats."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.maps import frame_rotation

ALIGNMENTS = ("RADEC", "ALTAZ", "REVERSE_LON_RADEC")


def fov_coordinates(
    position: Any,
    pointing: Any,
    alignment: str = "RADEC",
    frame: Any = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude, in deg, of positions seen from the pointing.

    Parameters
    ----------
    position, pointing : `~astropy.coordinates.SkyCoord`
    alignment : {"RADEC", "ALTAZ", "REVERSE_LON_RADEC"}
        The latitude grows to the north of the sky, or to the zenith. As the format asks, the
        longitude grows where right ascension, or azimuth, gets smaller; in the last it grows
        with right ascension.
    frame : `~astropy.coordinates.AltAz`, optional
        Time and place, which ``"ALTAZ"`` needs.

    Raises
    ------
    ValueError
        If the alignment is unknown, or ``frame`` is missing.
    """
    _check(alignment, frame)
    if alignment == "ALTAZ":
        position, pointing = position.transform_to(frame), pointing.transform_to(frame)
    else:
        position, pointing = position.icrs, pointing.icrs
    offset = position.transform_to(pointing.skyoffset_frame())
    lon = offset.lon.wrap_at("180d").deg
    return (lon if alignment == "REVERSE_LON_RADEC" else -lon), offset.lat.deg


def _check(alignment: str, frame: Any) -> None:
    if alignment not in ALIGNMENTS:
        raise ValueError(
            f"field of view: alignment is {alignment!r}, expected {', '.join(ALIGNMENTS)}"
        )
    if alignment == "ALTAZ" and frame is None:
        raise ValueError("field of view: the alignment ALTAZ needs the frame")


def fov_axes(
    pointing: Any, alignment: str = "RADEC", frame: Any = None, sky: str = "icrs"
) -> np.ndarray:
    """The three axes of a field of view, for `gammajax.irf.project_background` and others.

    Parameters
    ----------
    pointing : `~astropy.coordinates.SkyCoord`
    alignment, frame
        See `fov_coordinates`.
    sky : {"icrs", "galactic", "fk5"}
        The frame that the axes are given in.

    Returns
    -------
    axes : array, shape (3, 3)
        Unit vectors: the pointing, and where longitude and latitude grow. In ``"ALTAZ"`` they
        turn with the sky; aberration, which is that of the pointing, is 2 arcsec off at 5 deg.
    """
    from astropy.coordinates import SkyCoord

    _check(alignment, frame)
    centre = np.array(pointing.icrs.cartesian.xyz.value)
    pole = np.array([0.0, 0.0, 1.0])
    if alignment == "ALTAZ":
        zenith: Any = SkyCoord(0.0, 90.0, unit="deg", frame=frame).icrs
        pole = np.array(zenith.cartesian.xyz.value)
    # around the pole, the product grows with right ascension, and against azimuth
    sign = -1.0 if alignment == "RADEC" else 1.0
    lon = sign * np.cross(pole, centre)
    size = np.linalg.norm(lon)
    if size < 1e-12:
        raise ValueError("fov_axes: the telescope points at the pole, where no longitude grows")
    up = pole - (pole @ centre) * centre
    rows = np.stack([centre, lon / size, up / np.linalg.norm(up)])
    return rows @ frame_rotation("icrs", sky).T
