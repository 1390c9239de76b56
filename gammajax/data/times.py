"""Times in files: seconds since a reference, which the header gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.fits import FitsFile
from gammajax.units import is_quantity

SECONDS_PER_DAY = 86400.0


@dataclass(frozen=True)
class TimeReference:
    """The zero of the times in a table.

    Parameters
    ----------
    mjd_int, mjd_frac : float
        The reference as an MJD, in two parts so that no digits are lost.
    scale : str
        Time scale as astropy calls it, ``"tt"`` or ``"utc"``.
    """

    mjd_int: float = 51910.0
    mjd_frac: float = 0.000742870370370241
    scale: str = "tt"

    @classmethod
    def from_header(cls, file: FitsFile, table: Any) -> TimeReference:
        """Read MJDREFI, MJDREFF (or MJDREF) and TIMESYS.

        Raises
        ------
        ValueError
            If they are missing, no numbers, or the time scale is unknown.
        """
        if file.get(table, "MJDREFI") is None and file.get(table, "MJDREF") is not None:
            whole, part = divmod(file.number(table, "MJDREF"), 1.0)
        else:
            whole = file.number(table, "MJDREFI")
            part = file.number(table, "MJDREFF", 0.0)
        scale = str(file.get(table, "TIMESYS", "TT")).strip().lower()
        if scale not in ("tt", "utc", "tai", "tdb", "ut1"):
            raise ValueError(
                f"{file.path}[{table.name}]: TIMESYS is {scale!r}, expected TT, UTC, TAI, TDB "
                "or UT1"
            )
        return cls(whole, part, scale)

    @property
    def header(self) -> dict[str, Any]:
        """The keywords that describe it."""
        return {
            "MJDREFI": self.mjd_int,
            "MJDREFF": self.mjd_frac,
            "TIMEUNIT": "s",
            "TIMESYS": self.scale.upper(),
            "TIMEREF": "LOCAL",
        }

    def time(self, seconds: Any) -> Any:
        """Seconds since the reference as an `~astropy.time.Time`."""
        from astropy.time import Time, TimeDelta

        start = Time(self.mjd_int, self.mjd_frac, format="mjd", scale=self.scale)
        return start + TimeDelta(np.asarray(seconds, dtype=np.float64), format="sec")

    def seconds(self, time: Any) -> np.ndarray:
        """Seconds since the reference, of a `~astropy.time.Time` or of seconds."""
        from astropy.time import Time

        if isinstance(time, Time):
            return np.asarray((time - self.time(0.0)).to_value("s"), dtype=np.float64)
        if is_quantity(time):
            return np.asarray(time.to_value("s"), dtype=np.float64)
        return np.asarray(time, dtype=np.float64)

    def shift_from(self, other: TimeReference) -> float:
        """What to add to seconds since ``other`` to have seconds since this one."""
        if self == other:
            return 0.0
        return float(self.seconds(other.time(0.0)))
