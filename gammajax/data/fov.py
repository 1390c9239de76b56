"""Coordinates in the field of view, in every alignment of the formats."""

from __future__ import annotations

from typing import Any

import numpy as np

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
        The latitude grows to the north of the sky, or to the zenith. The longitude grows
        with right ascension, or with azimuth; in the last it is reversed.
    frame : `~astropy.coordinates.AltAz`, optional
        Time and place, which ``"ALTAZ"`` needs.

    Raises
    ------
    ValueError
        If the alignment is unknown, or ``frame`` is missing.
    """
    if alignment not in ALIGNMENTS:
        raise ValueError(
            f"fov_coordinates: alignment is {alignment!r}, expected one of "
            f"{', '.join(ALIGNMENTS)}"
        )
    if alignment == "ALTAZ":
        if frame is None:
            raise ValueError("fov_coordinates: the alignment ALTAZ needs the frame")
        position, pointing = position.transform_to(frame), pointing.transform_to(frame)
    else:
        position, pointing = position.icrs, pointing.icrs
    offset = position.transform_to(pointing.skyoffset_frame())
    lon = offset.lon.wrap_at("180d").deg
    return (-lon if alignment == "REVERSE_LON_RADEC" else lon), offset.lat.deg
