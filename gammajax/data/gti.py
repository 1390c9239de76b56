"""Good time intervals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.data.times import TimeReference
from gammajax.fits import FitsFile, table, write_tables
from gammajax.units import to_quantity


@dataclass(frozen=True, eq=False)
class GTI:
    """Intervals of time in which data were taken, in order and without overlap.

    Parameters
    ----------
    start, stop : array
        In s since the reference.
    reference : `TimeReference`

    Raises
    ------
    ValueError
        If an interval ends before it starts, or begins before the one in front of it ends.

    Examples
    --------
    >>> gti = GTI([0.0, 100.0], [50.0, 160.0])
    >>> gti.time_sum
    <Quantity 110. s>
    >>> gti.select(20.0, 120.0).time_sum
    <Quantity 50. s>
    """

    start: Any
    stop: Any
    reference: TimeReference = field(default_factory=TimeReference)

    def __post_init__(self) -> None:
        start = np.atleast_1d(np.asarray(self.start, dtype=np.float64))
        stop = np.atleast_1d(np.asarray(self.stop, dtype=np.float64))
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "stop", stop)
        if start.ndim != 1 or start.shape != stop.shape:
            raise ValueError(
                f"GTI: got {start.shape} starts and {stop.shape} stops, expected as many"
            )
        if not (np.isfinite(start).all() and np.isfinite(stop).all()):
            raise ValueError("GTI: a start or stop is not finite")
        backward = np.nonzero(stop < start)[0]
        if backward.size:
            i = int(backward[0])
            raise ValueError(f"GTI: interval {i} starts at {start[i]} and stops at {stop[i]} s")
        early = np.nonzero(start[1:] < stop[:-1])[0]
        if early.size:
            i = int(early[0])
            raise ValueError(
                f"GTI: interval {i + 1} starts at {start[i + 1]} s, before interval {i} stops "
                f"at {stop[i]} s; GTI.union of single intervals puts them in order"
            )

    @classmethod
    def create(cls, start: Any, stop: Any, reference: TimeReference | None = None) -> GTI:
        """Intervals from `~astropy.time.Time` (or seconds since the reference)."""
        reference = reference or TimeReference()
        return cls(reference.seconds(start), reference.seconds(stop), reference)

    @classmethod
    def read(cls, filename: str | Path | FitsFile, hdu: str = "GTI") -> GTI:
        """Read the intervals of a file.

        Raises
        ------
        ValueError
            If the file is damaged, has no such table, or its intervals are out of order.
        """
        file = filename if isinstance(filename, FitsFile) else FitsFile(filename)
        found = file.table(hdu.upper())
        units = [found.columns[n].unit if n in found.columns.names else "" for n in TIMES]
        start, stop = (
            file.column(found, name, "s" if unit else None)
            for name, unit in zip(TIMES, units, strict=True)
        )
        try:
            return cls(start, stop, TimeReference.from_header(file, found))
        except ValueError as error:
            message = str(error)
            where = f"{file.path}[{found.name}]"
            raise ValueError(message if where in message else f"{where}: {message}") from None

    @classmethod
    def stack(cls, parts: Iterable[GTI]) -> GTI:
        """All intervals in the order of their starts; they may not overlap."""
        parts = list(parts)
        if not parts:
            raise ValueError("GTI.stack: got nothing to stack")
        reference = parts[0].reference
        shifts = [reference.shift_from(part.reference) for part in parts]
        start = np.concatenate([p.start + s for p, s in zip(parts, shifts, strict=True)])
        stop = np.concatenate([p.stop + s for p, s in zip(parts, shifts, strict=True)])
        order = np.argsort(start, kind="stable")
        return cls(start[order], stop[order], reference)

    def to_hdu(self, name: str = "GTI") -> Any:
        """The intervals as a FITS table."""
        columns: dict[str, Any] = {
            "START": ("D", "s", self.start),
            "STOP": ("D", "s", self.stop),
        }
        header = {"HDUCLASS": "GADF", "HDUCLAS1": "GTI", **self.reference.header}
        return table(name, columns, **header)

    def write(self, filename: str | Path, *, overwrite: bool = False) -> None:
        """Write the intervals to a file of their own."""
        write_tables({Path(filename): [self.to_hdu()]}, overwrite=overwrite)

    @property
    def time_sum(self) -> Any:
        """The sum of the intervals."""
        return to_quantity(np.sum(self.stop - self.start), "s")

    @property
    def time_start(self) -> Any:
        """Starts as a `~astropy.time.Time`."""
        return self.reference.time(self.start)

    @property
    def time_stop(self) -> Any:
        """Stops as a `~astropy.time.Time`."""
        return self.reference.time(self.stop)

    def __len__(self) -> int:
        return len(self.start)

    def contains(self, time: Any) -> np.ndarray:
        """Whether times lie in an interval, a start in it and a stop not."""
        seconds = self.reference.seconds(time)
        index = np.searchsorted(self.start, seconds, side="right") - 1
        inside = np.zeros(seconds.shape, dtype=bool)
        known = index >= 0
        inside[known] = seconds[known] < self.stop[index[known]]
        return inside

    def select(self, start: Any, stop: Any) -> GTI:
        """The parts of the intervals between two times; what becomes empty is left out."""
        return self.intersection(GTI.create(start, stop, self.reference))

    def intersection(self, other: GTI) -> GTI:
        """What lies in the intervals of both."""
        shift = self.reference.shift_from(other.reference)
        low = np.maximum(self.start[:, None], other.start + shift).ravel()
        high = np.minimum(self.stop[:, None], other.stop + shift).ravel()
        good = high > low
        return GTI(low[good], high[good], self.reference)

    def union(self, *others: GTI) -> GTI:
        """What lies in the intervals of any; intervals that touch become one."""
        parts = [self, *others]
        shifts = [self.reference.shift_from(part.reference) for part in parts]
        start = np.concatenate([p.start + s for p, s in zip(parts, shifts, strict=True)])
        stop = np.concatenate([p.stop + s for p, s in zip(parts, shifts, strict=True)])
        order = np.argsort(start, kind="stable")
        start, reached = start[order], np.maximum.accumulate(stop[order])
        new = np.append(True, start[1:] > reached[:-1]) if start.size else np.zeros(0, bool)
        last = np.append(new[1:], True) if start.size else new
        return GTI(start[new], reached[last], self.reference)

    def plot(self, ax: Any = None) -> Any:
        """Draw the intervals on a line of time; see `gammajax.plots.plot_gti`."""
        from gammajax.plots import plot_gti

        return plot_gti(self, ax=ax)

    def __repr__(self) -> str:
        return f"GTI({len(self)} intervals, {self.time_sum:.6g})"


TIMES = ("START", "STOP")
