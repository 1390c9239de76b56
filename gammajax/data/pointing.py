"""Where a telescope points: at a place of the sky, or at a place above the ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.fits import FitsFile
from gammajax.storage import shown

FIXED = ("POINTING", "WOBBLE", "SCAN", "ON", "OFF", "")
MOVING = ("RASTER", "SLEW", "SCAN")
"""Modes in which a table of the pointing, where there is one, says more than the header."""


class Direction:
    """What knows where the telescope points at a time: base of what follows."""

    location: Any

    @property
    def header(self) -> dict[str, Any]:
        """The keywords that describe it in the header of events."""
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    def icrs(self, time: Any = None) -> Any:
        """The direction as an ICRS `~astropy.coordinates.SkyCoord`."""
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    def altaz(self, time: Any) -> Any:
        """The direction above the ground at a time."""
        return self.icrs(time).transform_to(self.frame(time))

    def parallactic_angle(self, position: Any, time: Any) -> np.ndarray:
        """The angle, in deg, at a position from north to the zenith, towards east."""
        from astropy.coordinates import SkyCoord

        zenith = SkyCoord(0.0, 90.0, unit="deg", frame=self.frame(time)).icrs
        return np.asarray(position.icrs.position_angle(zenith).wrap_at("180d").deg)

    def frame(self, time: Any) -> Any:
        """The horizon system of the place at a time."""
        from astropy.coordinates import AltAz

        if self.location is None:
            raise ValueError("Pointing: the file does not say where the telescope stands")
        return AltAz(obstime=time, location=self.location)


@dataclass(frozen=True, eq=False)
class Pointing(Direction):
    """A fixed direction, in ICRS or in the horizon system (a drift scan).

    Parameters
    ----------
    ra, dec : float, optional
        In deg, ICRS.
    alt, az : float, optional
        In deg; they are the pointing of a drift scan, and the mean of any other.
    location : `~astropy.coordinates.EarthLocation`, optional
    drift : bool
        Whether the telescope stands still and the sky moves.

    Raises
    ------
    ValueError
        If the coordinates that ``drift`` asks for are missing.
    """

    ra: float | None = None
    dec: float | None = None
    alt: float | None = None
    az: float | None = None
    location: Any = None
    drift: bool = False

    def __post_init__(self) -> None:
        needed = ("alt", "az") if self.drift else ("ra", "dec")
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            kind = "a drift scan" if self.drift else "a fixed pointing"
            raise ValueError(f"Pointing: {kind} needs {', '.join(missing)}")

    @classmethod
    def read(cls, file: FitsFile, table: Any) -> Pointing:
        """The pointing that the header of an event list gives.

        Raises
        ------
        ValueError
            If OBS_MODE is unknown, or the keywords that it asks for are missing.
        """
        where = f"{file.path}[{table.name}]"
        mode = str(file.get(table, "OBS_MODE", "")).strip().upper()
        if mode not in (*FIXED, "DRIFT"):
            raise ValueError(
                f"{where}: OBS_MODE is {mode!r}, expected DRIFT, {', '.join(FIXED[:-1])}"
            )
        keys = {"ra": "RA_PNT", "dec": "DEC_PNT", "alt": "ALT_PNT", "az": "AZ_PNT"}
        known = {
            name: file.number(table, key)
            for name, key in keys.items()
            if file.get(table, key) is not None
        }
        try:
            return cls(**known, location=read_place(file, table), drift=mode == "DRIFT")
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None

    def icrs(self, time: Any = None) -> Any:
        """The direction as an ICRS `~astropy.coordinates.SkyCoord`, at a time for a drift."""
        from astropy.coordinates import SkyCoord

        if not self.drift:
            return SkyCoord(self.ra, self.dec, unit="deg")
        if time is None:
            raise ValueError("Pointing: a drift scan moves over the sky; give a time")
        return SkyCoord(self.az, self.alt, unit="deg", frame=self.frame(time)).icrs

    def altaz(self, time: Any) -> Any:
        """The direction above the ground at a time."""
        from astropy.coordinates import SkyCoord

        if self.drift:
            return SkyCoord(self.az, self.alt, unit="deg", frame=self.frame(time))
        return super().altaz(time)

    @property
    def header(self) -> dict[str, Any]:
        """The keywords that describe it."""
        values = {
            "RA_PNT": self.ra,
            "DEC_PNT": self.dec,
            "ALT_PNT": self.alt,
            "AZ_PNT": self.az,
        }
        known = {key: value for key, value in values.items() if value is not None}
        mode = "DRIFT" if self.drift else "POINTING"
        return {"OBS_MODE": mode, **known, **place_header(self.location)}


def place_header(location: Any) -> dict[str, float]:
    """The keywords of a place on Earth; none of an unknown one."""
    if location is None:
        return {}
    place = location.to_geodetic()
    return {
        "GEOLON": float(place.lon.deg),
        "GEOLAT": float(place.lat.deg),
        "ALTITUDE": float(place.height.to_value("m")),
    }


def read_place(file: FitsFile, table: Any) -> Any:
    """The place of GEOLON, GEOLAT and ALTITUDE, which may be numbers or text with units."""
    from astropy.coordinates import Angle, EarthLocation
    from astropy.units import Quantity

    keys = ("GEOLON", "GEOLAT", "ALTITUDE")
    values = [file.get(table, key) for key in keys]
    if any(value is None for value in values):
        return None
    try:
        lon, lat = (Angle(v if isinstance(v, str) else f"{v} deg") for v in values[:2])
        height: Any = Quantity(values[2] if isinstance(values[2], str) else f"{values[2]} m")
        return EarthLocation.from_geodetic(lon, lat, height)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{file.path}[{table.name}]: GEOLON, GEOLAT, ALTITUDE are {shown(values)}, "
            f"expected a place on Earth ({error})"
        ) from None
