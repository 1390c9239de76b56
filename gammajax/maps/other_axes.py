"""Axes that hold times, with gaps between the bins, and axes that hold names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gammajax.maps.arrays import frozen_array
from gammajax.units import to_value

SECONDS_PER_DAY = 86400.0


@dataclass(frozen=True, eq=False)
class TimeMapAxis:
    """Intervals of time, in order, which need not touch.

    Parameters
    ----------
    edges_min, edges_max : array, shape (n,)
        Start and stop after the reference time, in ``unit``.
    reference_time : `~astropy.time.Time`, or tuple of int and float
        The tuple is the whole MJD and the rest, in ``scale``.
    name : str
    unit : str
        A unit of time.
    scale : str
        Time scale, taken from ``reference_time`` if it is a `~astropy.time.Time`.

    Examples
    --------
    >>> from gammajax.maps import TimeMapAxis
    >>> axis = TimeMapAxis([0, 2], [1, 3], (59000, 0.0), unit="h")
    >>> axis.coord_to_idx([0.5, 1.5, 2.0])
    array([ 0, -1,  1])
    """

    edges_min: np.ndarray
    edges_max: np.ndarray
    reference_time: Any
    name: str = "time"
    unit: str = "s"
    scale: str = "tt"
    interp = "lin"
    node_type = "intervals"

    def __post_init__(self) -> None:
        where = f"TimeMapAxis {self.name!r}"
        object.__setattr__(self, "unit", str(self.unit))
        for key in ("edges_min", "edges_max"):
            values = to_value(getattr(self, key), self.unit, where=f"{where}: {key}")
            object.__setattr__(self, key, frozen_array(np.atleast_1d(values)))
        if not isinstance(self.reference_time, tuple):
            object.__setattr__(self, "scale", self.reference_time.scale)
            object.__setattr__(self, "reference_time", split_mjd(self.reference_time))
        low, high = self.edges_min, self.edges_max
        if low.shape != high.shape or low.ndim != 1 or not low.size:
            raise ValueError(f"{where}: {low.shape} starts for {high.shape} stops")
        if not np.all(high > low):
            raise ValueError(f"{where}: every interval has to stop after it starts")
        if not np.all(low[1:] >= high[:-1]):
            raise ValueError(f"{where}: the intervals overlap, or are not in order of time")

    @classmethod
    def from_time_edges(
        cls, time_min: Any, time_max: Any, *, unit: str = "d", name: str = "time"
    ) -> TimeMapAxis:
        """Axis of starts and stops given as `~astropy.time.Time`."""
        reference = time_min[0]
        start, stop = ((time - reference).to_value(unit) for time in (time_min, time_max))
        return cls(start, stop, reference, name=name, unit=unit)

    @property
    def nbin(self) -> int:
        """Number of intervals."""
        return self.edges_min.size

    @property
    def center(self) -> np.ndarray:
        """Middle of each interval after the reference time, in ``unit``."""
        return (self.edges_min + self.edges_max) / 2

    @property
    def bin_width(self) -> np.ndarray:
        """Length of each interval."""
        return self.edges_max - self.edges_min

    @property
    def is_contiguous(self) -> bool:
        """Whether each interval starts where the one before it stops."""
        return bool(np.all(self.edges_min[1:] == self.edges_max[:-1]))

    @property
    def reference(self) -> Any:
        """The reference time as a `~astropy.time.Time`."""
        from astropy.time import Time

        return Time(*self.reference_time, format="mjd", scale=self.scale)

    @property
    def time_min(self) -> Any:
        """Starts as `~astropy.time.Time`."""
        from gammajax.units import to_quantity

        return self.reference + to_quantity(self.edges_min, self.unit)

    @property
    def time_max(self) -> Any:
        """Stops as `~astropy.time.Time`."""
        from gammajax.units import to_quantity

        return self.reference + to_quantity(self.edges_max, self.unit)

    def rename(self, name: str) -> TimeMapAxis:
        """The same axis of another name."""
        return replace(self, name=name)

    def _numbers(self, coord: Any) -> np.ndarray:
        if hasattr(coord, "mjd"):
            coord = (coord - self.reference).to_value(self.unit)
        return to_value(coord, self.unit, where=f"TimeMapAxis {self.name!r}: coordinate")

    def coord_to_idx(self, coord: Any, *, clip: bool = False) -> np.ndarray:
        """The interval of each time (or time after the reference); -1 in none.

        With ``clip``, a time in no interval belongs to the last one before it.
        """
        times = self._numbers(coord)
        index = np.searchsorted(self.edges_min, times, side="right") - 1
        if clip:
            return np.clip(index, 0, self.nbin - 1)
        inside = (index >= 0) & (times < self.edges_max[index])
        return np.where(inside, index, -1)

    def coord_to_pix(self, coord: Any) -> np.ndarray:
        """Position in intervals: i in the middle of interval i; NaN in no interval."""
        times, index = self._numbers(coord), self.coord_to_idx(coord)
        within = (times - self.edges_min[index]) / self.bin_width[index]
        return np.where(index >= 0, index + within - 0.5, np.nan)

    def pix_to_coord(self, pix: Any) -> np.ndarray:
        """Time after the reference at a position in intervals; NaN beyond the ends."""
        pix = np.asarray(pix, dtype=float)
        index = np.clip(np.rint(pix), 0, self.nbin - 1).astype(int)
        within = pix - index + 0.5
        found = self.edges_min[index] + within * self.bin_width[index]
        return np.where((within >= 0) & (within <= 1), found, np.nan)

    def slice(self, index: int | slice) -> TimeMapAxis:
        """Some of the intervals."""
        keep = np.atleast_1d(np.arange(self.nbin)[index])
        return replace(self, edges_min=self.edges_min[keep], edges_max=self.edges_max[keep])

    def squash(self) -> TimeMapAxis:
        """One interval from the first start to the last stop."""
        return replace(self, edges_min=self.edges_min[:1], edges_max=self.edges_max[-1:])

    def is_close(self, other: Any, rtol: float = 1e-5) -> bool:
        """Whether two axes have the same intervals within ``rtol`` of their lengths."""
        if not isinstance(other, TimeMapAxis) or self.nbin != other.nbin:
            return False
        slack = rtol * self.bin_width * float(to_value(f"1 {self.unit}", "s", where="unit"))
        starts = np.abs((self.time_min - other.time_min).to_value("s"))
        stops = np.abs((self.time_max - other.time_max).to_value("s"))
        return bool(np.all(starts <= slack) and np.all(stops <= slack))

    @property
    def _key(self) -> tuple[Any, ...]:
        numbers = self.edges_min.tobytes() + self.edges_max.tobytes()
        return (self.name, self.unit, self.scale, self.reference_time, numbers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TimeMapAxis) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        day = sum(self.reference_time)
        return f"TimeMapAxis({self.name}: {self.nbin} intervals after MJD {day:.4f})"


def split_mjd(time: Any) -> tuple[int, float]:
    """The whole MJD of a `~astropy.time.Time`, and the rest, so that no digit is lost."""
    whole = int(np.floor(time.mjd))
    return whole, float((time.jd1 - 2400000.5 - whole) + time.jd2)


@dataclass(frozen=True)
class LabelMapAxis:
    """Names in a given order: datasets, instruments, event types.

    Examples
    --------
    >>> from gammajax.maps import LabelMapAxis
    >>> LabelMapAxis(["hess", "fermi"], name="dataset").coord_to_idx(["fermi", "ctao"])
    array([ 1, -1])
    """

    labels: Sequence[str]
    name: str = ""
    interp = "lin"
    node_type = "label"
    unit = ""

    def __post_init__(self) -> None:
        labels = tuple(str(label) for label in self.labels)
        object.__setattr__(self, "labels", labels)
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice or not labels:
            problem = f"{', '.join(twice)} more than once" if twice else "no label"
            raise ValueError(f"LabelMapAxis {self.name!r}: has {problem}, expected unique ones")

    @property
    def nbin(self) -> int:
        """Number of labels."""
        return len(self.labels)

    def rename(self, name: str) -> LabelMapAxis:
        """The same axis of another name."""
        return LabelMapAxis(self.labels, name)

    @property
    def center(self) -> np.ndarray:
        """The labels."""
        return np.array(self.labels)

    def coord_to_idx(self, coord: Any, *, clip: bool = False) -> np.ndarray:
        """The position of each label; -1 for an unknown one, an error with ``clip``."""
        index = {label: number for number, label in enumerate(self.labels)}
        names = np.asarray(coord)
        found = np.array([index.get(str(name), -1) for name in names.ravel()], dtype=int)
        if clip and np.any(found < 0):
            raise ValueError(
                f"LabelMapAxis {self.name!r}: got {coord!r}, expected some of {self.labels}"
            )
        return found.reshape(names.shape)

    def coord_to_pix(self, coord: Any) -> np.ndarray:
        """The position of each label as a float; NaN for an unknown one."""
        index = self.coord_to_idx(coord)
        return np.where(index >= 0, index, np.nan)

    def pix_to_coord(self, pix: Any) -> np.ndarray:
        """The label at each position."""
        index = np.rint(np.asarray(pix, dtype=float)).astype(int)
        if np.any((index < 0) | (index >= self.nbin)):
            raise ValueError(
                f"LabelMapAxis {self.name!r}: no label at {pix}, there are {self.nbin}"
            )
        return self.center[index]

    def slice(self, index: int | slice) -> LabelMapAxis:
        """Some of the labels."""
        return LabelMapAxis(np.atleast_1d(self.center[index]).tolist(), self.name)

    def squash(self) -> LabelMapAxis:
        """One label that names all."""
        return LabelMapAxis(["...".join(self.labels[:: max(self.nbin - 1, 1)])], self.name)

    def is_close(self, other: Any, rtol: float = 1e-5) -> bool:
        """Whether two axes have the same labels."""
        return isinstance(other, LabelMapAxis) and self.labels == other.labels

    def __repr__(self) -> str:
        return f"LabelMapAxis({self.name}: {', '.join(self.labels)})"
