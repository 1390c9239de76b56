"""One run of a telescope, read when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.data.events import NEEDED, EventList
from gammajax.data.gti import GTI
from gammajax.data.pointing import MOVING, Direction, Pointing
from gammajax.data.pointing_table import PointingTable
from gammajax.fits import FitsFile
from gammajax.irf import RadMax2D, read_irf
from gammajax.irf.axis import GridAxis
from gammajax.irf.maps import MAP_CLASSES, read_map_irf
from gammajax.storage import suggest
from gammajax.units import to_quantity

IRFS = ("aeff", "edisp", "psf", "bkg", "rad_max")

REVERSED_BY = (("SASH FITS::EventListWriter", "0.2"),)
"""CREATOR and HDUVERS of the events of programs that reverse the longitude of RADEC.

That of the first H.E.S.S. release: its backgrounds lie along right ascension, and their files
say so by a name that means the opposite in the format.
"""


@dataclass(frozen=True)
class Place:
    """Where one part of a run is: file, extension, and the class that the index names."""

    path: Path
    hdu: str
    hdu_class: str = ""


@dataclass(frozen=True, eq=False)
class Observation:
    """One run: its events, good times, pointing and responses.

    Nothing is read before it is asked for, and each file only once.

    Parameters
    ----------
    obs_id : int
    places : mapping of ``events``, ``gti``, ``aeff``, ``edisp``, ``psf``, ``bkg``, ``rad_max``
        to `Place`
    info : mapping
        The row of the index table.
    parts : mapping
        What is in memory already, by the same names as ``places``; and ``dead_time_fraction``,
        ``energy_range``.
    """

    obs_id: int
    places: Mapping[str, Place] = field(default_factory=dict)
    info: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.__dict__.update(self.parts)

    def __getstate__(self) -> dict[str, Any]:
        """Without what was read from files: another process reads it again."""
        return {name: getattr(self, name) for name in ("obs_id", "places", "info", "parts")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()

    @classmethod
    def create(
        cls,
        obs_id: int,
        *,
        pointing: Direction,
        gti: GTI,
        events: EventList | None = None,
        irfs: Mapping[str, Any] | None = None,
        dead_time_fraction: float = 0.0,
        energy_range: tuple[float, float] = (0.0, float("inf")),
        info: Mapping[str, Any] | None = None,
    ) -> Observation:
        """A run that is in no file: made by a simulation, or put together by hand.

        Parameters
        ----------
        obs_id : int
        pointing : `Pointing` or `PointingTable`
        gti : `GTI`
        events : `EventList`, optional
            By default there are none.
        irfs : mapping, optional
            By ``aeff``, ``edisp``, ``psf``, ``bkg``, ``rad_max``.
        dead_time_fraction : float
        energy_range : tuple of float
            Energies in TeV between which the responses are to be trusted.
        info : mapping, optional
            What an index may say about it: ``{"OBJECT": "Crab"}``.
        """
        if not 0 <= dead_time_fraction < 1:
            raise ValueError(
                f"run {obs_id}: dead_time_fraction is {dead_time_fraction:g}, expected a "
                "number from 0 to below 1"
            )
        irfs = dict(irfs or {})
        unknown = [name for name in irfs if name not in IRFS]
        if unknown:
            raise ValueError(
                f"run {obs_id}: unknown response {unknown[0]!r}{suggest('', IRFS)}"
            )
        if events is None:
            columns = {name: np.zeros(0) for name in NEEDED}
            events = EventList(columns, reference=gti.reference)
        parts = {"events": events, "gti": gti, "pointing": pointing, **irfs}
        parts |= {"dead_time_fraction": dead_time_fraction, "energy_range": energy_range}
        return cls(obs_id, {}, dict(info or {}), parts)

    @cached_property
    def _files(self) -> dict[Path, FitsFile]:
        return {}

    def _file(self, part: str) -> tuple[FitsFile, Place]:
        place = self.places.get(part)
        if place is None:
            there = ", ".join(self.available) or "nothing"
            raise ValueError(f"run {self.obs_id}: has no {part} (it has {there})")
        if place.path not in self._files:
            if not place.path.is_file():
                raise ValueError(
                    f"run {self.obs_id}: the index names {place.path} for {part}, and there is "
                    "no such file"
                )
            self._files[place.path] = FitsFile(place.path)
        return self._files[place.path], place

    @property
    def is_present(self) -> bool:
        """Whether the files of all its parts exist."""
        return all(place.path.is_file() for place in self.places.values())

    @cached_property
    def events(self) -> EventList:
        """The event list."""
        file, place = self._file("events")
        return EventList.read(file, place.hdu)

    @cached_property
    def gti(self) -> GTI:
        """The good time intervals."""
        file, place = self._file("gti")
        return GTI.read(file, place.hdu)

    @cached_property
    def pointing(self) -> Direction:
        """Where the telescope points: as the header of the events says, or else the table.

        The table counts where the header says that the telescope moved over the sky.
        """
        file, place = self._file("events")
        table = file.table(place.hdu.upper())
        mode = str(file.get(table, "OBS_MODE", "")).strip().upper()
        if mode in MOVING and "pointing" in self.places:
            return self.pointing_table
        return Pointing.read(file, table)

    @cached_property
    def pointing_table(self) -> PointingTable:
        """Where the telescope pointed at a number of times."""
        file, place = self._file("pointing")
        return PointingTable.read(file, place.hdu)

    def _irf(self, part: str) -> Any:
        file, place = self._file(part)
        if place.hdu_class in MAP_CLASSES:
            return read_map_irf(place.path, place.hdu, place.hdu_class)
        return read_irf(file, place.hdu, hdu_class=place.hdu_class)

    @cached_property
    def aeff(self) -> Any:
        """Effective area."""
        return self._irf("aeff")

    @cached_property
    def edisp(self) -> Any:
        """Energy dispersion."""
        return self._irf("edisp")

    @cached_property
    def psf(self) -> Any:
        """Point spread function."""
        return self._irf("psf")

    @cached_property
    def bkg(self) -> Any:
        """Background rate; its longitude is reversed in files of `REVERSED_BY`."""
        bkg = self._irf("bkg")
        if getattr(bkg, "fov_alignment", "") != "RADEC" or "events" not in self.places:
            return bkg
        file, place = self._file("events")
        table = file.table(place.hdu.upper())
        author = tuple(str(file.get(table, key, "")).strip() for key in ("CREATOR", "HDUVERS"))
        return bkg.with_alignment("REVERSE_LON_RADEC") if author in REVERSED_BY else bkg

    @cached_property
    def rad_max(self) -> RadMax2D:
        """The directional cut: its table, or the keyword RAD_MAX of the effective area."""
        if "rad_max" in self.places or "aeff" not in self.places:
            return self._irf("rad_max")
        file, place = self._file("aeff")
        radius = file.number(file.table(place.hdu.upper()), "RAD_MAX")
        energy = GridAxis.from_edges([1e-3, 1e3], "energy", "TeV", "log")
        offset = GridAxis.from_edges([0.0, 90.0], "offset", "deg")
        return RadMax2D((energy, offset), [[radius]], point_like=True)

    @property
    def available_irfs(self) -> list[str]:
        """The responses that the run has."""
        return [part for part in IRFS if part in self.available]

    @property
    def available(self) -> list[str]:
        """Everything that the run has, in files or in memory."""
        parts = [part for part in self.parts if part in ("events", "gti", *IRFS)]
        return [*self.places, *(part for part in parts if part not in self.places)]

    @cached_property
    def dead_time_fraction(self) -> float:
        """The share of the time in which the telescope was not ready."""
        file, place = self._file("events")
        table = file.table(place.hdu.upper())
        if file.get(table, "DEADC") is None and "DEADC" in self.info:
            return 1 - float(self.info["DEADC"])
        alive = file.number(table, "DEADC")
        if not 0 < alive <= 1:
            raise ValueError(
                f"{file.path}[{table.name}]: DEADC is {alive:g}, expected the live share of "
                "the time, above 0 and up to 1"
            )
        return 1 - alive

    @cached_property
    def energy_range(self) -> tuple[float, float]:
        """The energies (TeV) between which the effective area is to be trusted.

        The keywords LO_THRES and HI_THRES of its table; 0 and infinity where they are missing.
        """
        if "aeff" not in self.places:
            return 0.0, float("inf")
        file, place = self._file("aeff")
        table = file.table(place.hdu.upper())
        ends = (("LO_THRES", 0.0), ("HI_THRES", float("inf")))
        low, high = (
            no_end if file.get(table, key) is None else file.number(table, key)
            for key, no_end in ends
        )
        return low, high if high > 0 else float("inf")

    @property
    def livetime(self) -> Any:
        """Sum of the good times, less the dead time."""
        return self.gti.time_sum * (1 - self.dead_time_fraction)

    @property
    def tmid(self) -> Any:
        """The middle of the observation, as an `~astropy.time.Time`."""
        middle = (self.gti.start[0] + self.gti.stop[-1]) / 2
        return self.gti.reference.time(middle)

    def select_gti(self, gti: GTI) -> Observation:
        """The part of the run within other good times."""
        both = self.gti.intersection(gti)
        parts = {**self.parts, "gti": both, "events": self.events.select_gti(both)}
        made = Observation(self.obs_id, self.places, self.info, parts)
        made.__dict__.update(_files=self._files)
        return made

    def with_events(self, events: EventList) -> Observation:
        """The run with other events, a selection of its own or simulated ones."""
        made = Observation(
            self.obs_id, self.places, self.info, {**self.parts, "events": events}
        )
        made.__dict__.update(_files=self._files)
        return made

    def __repr__(self) -> str:
        return f"Observation({self.obs_id}: {', '.join(self.available)})"


class Observations(Sequence[Observation]):
    """Runs in order, also found by their number: ``runs[0]`` or ``runs["23523"]``."""

    def __init__(self, runs: Sequence[Observation]) -> None:
        self._runs = tuple(runs)

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[Observation]:
        return iter(self._runs)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return Observations(self._runs[key])
        if isinstance(key, str):
            for run in self._runs:
                if str(run.obs_id) == key:
                    return run
            raise ValueError(f"Observations: there is no run {key!r} (runs: {self.ids})")
        return self._runs[key]

    @property
    def ids(self) -> list[int]:
        """The numbers of the runs."""
        return [run.obs_id for run in self._runs]

    @property
    def livetime(self) -> Any:
        """The sum of all livetimes."""
        return to_quantity(np.sum([run.livetime.to_value("s") for run in self]), "s")

    def select_time(self, start: Any, stop: Any) -> Observations:
        """The parts of the runs between two `~astropy.time.Time`; empty runs are left out."""
        parts = [run.select_gti(run.gti.select(start, stop)) for run in self]
        return Observations([run for run in parts if len(run.gti)])

    def write(
        self, folder: str | Path, *, layout: str = "run", overwrite: bool = False
    ) -> None:
        """Write a folder of DL3 data; see `write_dl3`."""
        from gammajax.data.write import write_dl3

        write_dl3(self, folder, layout=layout, overwrite=overwrite)

    def __repr__(self) -> str:
        return f"Observations({len(self)} runs)"
