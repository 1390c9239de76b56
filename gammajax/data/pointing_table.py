"""Where a telescope pointed at a number of times: the POINTING table."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.data.gti import GTI
from gammajax.data.pointing import Direction, place_header, read_place
from gammajax.data.times import TimeReference
from gammajax.fits import FitsFile, table


@dataclass(frozen=True, eq=False)
class PointingTable(Direction):
    """Directions at increasing times; between them the telescope moves on great circles.

    Parameters
    ----------
    seconds : array
        Since the reference.
    ra, dec : array
        In deg, ICRS.
    reference : `TimeReference`
    location : `~astropy.coordinates.EarthLocation`, optional

    Raises
    ------
    ValueError
        If lengths differ, a number is not finite, or times do not increase.

    Examples
    --------
    >>> table = PointingTable([0.0, 60.0], [10.0, 10.5], [0.0, 0.0])
    >>> print(f"{table.icrs(30.0).ra:.3f}")
    10.250 deg
    """

    seconds: Any
    ra: Any
    dec: Any
    reference: TimeReference = field(default_factory=TimeReference)
    location: Any = None

    def __post_init__(self) -> None:
        columns = {}
        for name in ("seconds", "ra", "dec"):
            columns[name] = np.atleast_1d(np.asarray(getattr(self, name), dtype=np.float64))
            object.__setattr__(self, name, columns[name])
        sizes = {name: values.size for name, values in columns.items()}
        if len(set(sizes.values())) > 1 or not columns["seconds"].size:
            raise ValueError(f"PointingTable: expected as many of each, got {sizes}")
        for name, values in columns.items():
            if not np.isfinite(values).all():
                raise ValueError(f"PointingTable: {name} has values that are not finite")
        if np.any(np.diff(columns["seconds"]) <= 0):
            row = int(np.argmax(np.diff(columns["seconds"]) <= 0)) + 1
            raise ValueError(
                f"PointingTable: times have to increase, and row {row} is at "
                f"{columns['seconds'][row]:g} s, after {columns['seconds'][row - 1]:g} s"
            )

    @classmethod
    def read(cls, filename: str | Path | FitsFile, hdu: str = "POINTING") -> PointingTable:
        """Read the table of a file.

        Raises
        ------
        ValueError
            If the file is damaged, a column is missing, or times do not increase.
        """
        file = filename if isinstance(filename, FitsFile) else FitsFile(filename)
        found = file.table(hdu.upper())
        names = {"TIME": "s", "RA_PNT": "deg", "DEC_PNT": "deg"}
        seconds, ra, dec = (file.column(found, name, unit) for name, unit in names.items())
        reference = TimeReference.from_header(file, found)
        try:
            return cls(seconds, ra, dec, reference, read_place(file, found))
        except ValueError as error:
            raise ValueError(f"{file.path}[{found.name}]: {error}") from None

    @classmethod
    def sample(cls, pointing: Direction, gti: GTI, step: float = 60.0) -> PointingTable:
        """A pointing from the first good time to the last, every ``step`` seconds or denser."""
        start, stop = gti.start[0], gti.stop[-1]
        seconds = np.linspace(start, stop, 2 + int((stop - start) / step))
        found = pointing.icrs(gti.reference.time(seconds))
        ra, dec = (np.broadcast_to(x, seconds.shape) for x in (found.ra.deg, found.dec.deg))
        return cls(seconds, ra, dec, gti.reference, pointing.location)

    def icrs(self, time: Any = None) -> Any:
        """The direction at a `~astropy.time.Time`, or at seconds since the reference.

        Raises
        ------
        ValueError
            If a time lies outside of the table, or is not given.
        """
        from astropy.coordinates import SkyCoord

        if time is None:
            raise ValueError("PointingTable: the telescope moves over the sky; give a time")
        seconds, known = self.reference.seconds(time), self.seconds
        # a microsecond is what times as numbers of days lose
        if np.any(seconds < known[0] - 1e-6) or np.any(seconds > known[-1] + 1e-6):
            raise ValueError(
                f"PointingTable: covers {known[0]:.10g} to {known[-1]:.10g} s, and the times "
                f"asked for are {np.min(seconds):.10g} to {np.max(seconds):.10g} s"
            )
        ra, dec = np.deg2rad(self.ra), np.deg2rad(self.dec)
        vectors = (np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec))
        x, y, z = (np.interp(seconds, known, vector) for vector in vectors)
        return SkyCoord(np.arctan2(y, x), np.arctan2(z, np.hypot(x, y)), unit="rad")

    @property
    def header(self) -> dict[str, Any]:
        """The keywords of the middle of the table, for the header of events."""
        middle = self.icrs((self.seconds[0] + self.seconds[-1]) / 2)
        here = {"RA_PNT": float(middle.ra.deg), "DEC_PNT": float(middle.dec.deg)}
        return {"OBS_MODE": "RASTER", **here, **place_header(self.location)}

    def to_hdu(self, name: str = "POINTING") -> Any:
        """The table as a FITS extension, with the directions above the ground if known."""
        columns: dict[str, Any] = {
            "TIME": ("D", "s", self.seconds),
            "RA_PNT": ("D", "deg", self.ra),
            "DEC_PNT": ("D", "deg", self.dec),
        }
        if self.location is not None:
            above = self.altaz(self.reference.time(self.seconds))
            columns["ALT_PNT"] = ("D", "deg", above.alt.deg)
            columns["AZ_PNT"] = ("D", "deg", above.az.deg)
        header = {"HDUCLASS": "GADF", "HDUCLAS1": "POINTING"}
        return table(
            name, columns, **header, **self.reference.header, **place_header(self.location)
        )

    def __len__(self) -> int:
        return len(self.seconds)

    def __repr__(self) -> str:
        return f"PointingTable({len(self)} times, {np.ptp(self.seconds):.6g} s)"
