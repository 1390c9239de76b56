"""Times as traced code sees them: days, in two parts where it matters."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

SCALES = ("utc", "tt", "tai", "tdb", "tcb", "tcg", "ut1")


class MJD(NamedTuple):
    """A time as a day (MJD) and a fraction to add to it.

    One 64-bit number for both has steps of 0.6 microseconds, two have none that matter.
    Wherever a time is expected, a bare number or array of MJD will do as well.
    """

    day: Any
    fraction: Any


def since(time: Any, reference: Any) -> Any:
    """Days from a reference (MJD) to a time."""
    if isinstance(time, MJD):
        return (time.day - reference) + time.fraction
    return time - reference


def duration(start: Any, stop: Any) -> Any:
    """Days from a start to a stop."""
    if isinstance(start, MJD) and isinstance(stop, MJD):
        return (stop.day - start.day) + (stop.fraction - start.fraction)
    return since(stop, 0.0) - since(start, 0.0)


def to_mjd(time: Any, scale: str) -> Any:
    """A `~astropy.time.Time` as `MJD` in a time scale; other values are MJD already."""
    from astropy.time import Time

    if not isinstance(time, Time):
        return np.asarray(time, dtype=np.float64)
    found: Any = getattr(time, scale)
    return MJD(np.asarray(found.jd1 - 2400000.5), np.asarray(found.jd2))


def gti_bounds(gti: Any, scale: str) -> tuple[MJD, MJD]:
    """Starts and stops of good time intervals in a time scale.

    Parameters
    ----------
    gti : `~gammajax.data.GTI`
    scale : str
        That of the model.
    """
    start, stop = (
        to_mjd(gti.reference.time(seconds), scale) for seconds in (gti.start, gti.stop)
    )
    return start, stop
