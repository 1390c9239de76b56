"""Folders of observations, found through their index tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.data.check import problems
from gammajax.data.observation import Observation, Observations, Place
from gammajax.data.times import TimeReference
from gammajax.fits import FitsFile
from gammajax.irf.gadf import PARTS, part_of
from gammajax.storage import suggest
from gammajax.units import to_value

HDU_COLUMNS = ("OBS_ID", "HDU_TYPE", "HDU_CLASS", "FILE_DIR", "FILE_NAME", "HDU_NAME")

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class DataStore:
    """The runs that two index tables list. Their own files are opened when asked for.

    Parameters
    ----------
    runs : dict of rows
        The index of observations: by run number, what each column says.
    places : dict of dicts
        The index of extensions: by run number, where each part is.
    source : str
        Where the index comes from, for messages.
    reference : `TimeReference`, optional
        The zero of its times, if the index says it.
    """

    runs: dict[int, Row]
    places: dict[int, dict[str, Place]]
    source: str = ""
    reference: TimeReference | None = None

    @classmethod
    def from_dir(
        cls,
        folder: str | Path,
        hdu_table_filename: str | None = None,
        obs_table_filename: str | None = None,
    ) -> DataStore:
        """The runs of a folder with ``hdu-index.fits[.gz]`` and ``obs-index.fits[.gz]``.

        Raises
        ------
        ValueError
            If an index is missing or damaged, or lacks a column.
        """
        folder = Path(folder)
        hdu_index = _index_path(folder, hdu_table_filename, "hdu-index")
        obs_index = _index_path(folder, obs_table_filename, "obs-index")
        return cls.from_file(hdu_index, obs_index)

    @classmethod
    def from_file(cls, hdu_index: str | Path, obs_index: str | Path | None = None) -> DataStore:
        """The runs of two index files, or of one that holds both tables."""
        file = FitsFile(hdu_index)
        table = _table(file, "FILE_NAME")
        columns = {name: _column(file, table, name) for name in HDU_COLUMNS}
        columns["OBS_ID"] = _numbers(file, table)
        places: dict[int, dict[str, Place]] = {}
        for row in zip(*columns.values(), strict=True):
            number, part, kind, folder, name, hdu = row
            path = file.path.parent / str(folder).strip() / str(name).strip()
            place = Place(path, str(hdu).strip(), str(kind).strip())
            places.setdefault(number, {})[str(part).strip().lower()] = place
        file = FitsFile(obs_index) if obs_index is not None else file
        table = _table(file, "OBS_ID", without="FILE_NAME")
        names = table.columns.names
        columns = {name: _column(file, table, name) for name in names}
        columns["OBS_ID"] = _numbers(file, table)
        rows = [
            dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
        runs = {row["OBS_ID"]: row for row in rows}
        told = file.get(table, "MJDREFI") is not None
        reference = TimeReference.from_header(file, table) if told else None
        return cls(runs, places, str(file.path.parent), reference)

    @classmethod
    def from_events_files(
        cls,
        filenames: Iterable[str | Path],
        irfs: dict[str, tuple[str | Path, str]] | None = None,
    ) -> DataStore:
        """Runs of single event files, with the responses that lie in the same file.

        Parameters
        ----------
        filenames : iterable of path-like
        irfs : dict of (path, extension), optional
            By ``aeff``, ``edisp``, ``psf``, ``bkg`` or ``rad_max``: responses for all runs.
        """
        kinds = {"EVENTS": "events", "GTI": "gti", "PSF": "psf", **PARTS}
        runs, places = {}, {}
        for filename in filenames:
            file = FitsFile(filename)
            events = file.table("EVENTS")
            number = int(file.number(events, "OBS_ID"))
            if number in runs:
                raise ValueError(f"{file.path}: run {number} is in another file as well")
            runs[number] = {"OBS_ID": number}
            for key in ("RA_PNT", "DEC_PNT", "TSTART", "TSTOP", "DEADC", "OBJECT"):
                if file.get(events, key) is not None:
                    runs[number][key] = file.get(events, key)
            found = {}
            for block in file.tables:
                name = block.header.get("HDUCLAS2") or block.name
                part = kinds.get(name) or part_of(block)
                if part:
                    found[part] = Place(file.path, block.name)
            given = {part: Place(Path(path), hdu) for part, (path, hdu) in (irfs or {}).items()}
            places[number] = {**found, **given}
        return cls(runs, places, "event files")

    @property
    def obs_ids(self) -> list[int]:
        """The numbers of all runs listed."""
        return list(self.runs)

    def column(self, name: str) -> np.ndarray:
        """A column of the index of observations."""
        rows = list(self.runs.values())
        if not rows or name not in rows[0]:
            known = suggest(name, list(rows[0]) if rows else [])
            raise ValueError(f"{self.source}: the index has no column {name!r}{known}")
        return np.array([row[name] for row in rows])

    def select(self, mask: Any) -> DataStore:
        """The runs where ``mask``, one boolean for each, is true."""
        mask = np.asarray(mask, dtype=bool)
        if mask.shape != (len(self.runs),):
            raise ValueError(
                f"{self.source}: the mask has shape {mask.shape}, for {len(self.runs)} runs"
            )
        kept = [number for number, keep in zip(self.runs, mask, strict=True) if keep]
        runs = {number: self.runs[number] for number in kept}
        return DataStore(runs, self.places, self.source, self.reference)

    def select_range(self, name: str, low: Any, high: Any) -> DataStore:
        """The runs with a column from ``low`` to ``high``: ``"ZEN_PNT"``, ``"TSTART"``."""
        values = self.column(name)
        return self.select((values >= low) & (values <= high))

    def select_sky_circle(self, position: Any, radius: Any) -> DataStore:
        """The runs that point within a radius of a `~astropy.coordinates.SkyCoord`."""
        from astropy.coordinates import SkyCoord

        limit = to_value(radius, "deg", where="select_sky_circle: radius")
        pointing = SkyCoord(self.column("RA_PNT"), self.column("DEC_PNT"), unit="deg")
        return self.select(pointing.separation(position.icrs).deg <= limit)

    def select_time(self, start: Any, stop: Any) -> DataStore:
        """The runs that take data at some time between two `~astropy.time.Time`.

        Raises
        ------
        ValueError
            If the index has no times, or does not say since when they count.
        """
        if self.reference is None:
            raise ValueError(
                f"{self.source}: the index does not say MJDREFI, the zero of its times; "
                "select_range('TSTART', ...) takes seconds"
            )
        low, high = self.reference.seconds(start), self.reference.seconds(stop)
        return self.select((self.column("TSTOP") > low) & (self.column("TSTART") < high))

    def obs(self, obs_id: int) -> Observation:
        """One run.

        Raises
        ------
        ValueError
            If the index does not list it, or a file of it is absent.
        """
        run = self._run(obs_id)
        for part, place in run.places.items():
            if not place.path.is_file():
                raise ValueError(
                    f"run {obs_id}: the index names {place.path} for {part}, and there is no "
                    "such file"
                )
        return run

    def _run(self, obs_id: int) -> Observation:
        if obs_id not in self.runs:
            raise ValueError(
                f"{self.source}: the index lists no run {obs_id}"
                f"{suggest(str(obs_id), [str(number) for number in self.runs])}"
            )
        return Observation(obs_id, self.places.get(obs_id, {}), self.runs[obs_id])

    def get_observations(
        self, obs_ids: Sequence[int] | None = None, *, missing: str = "error"
    ) -> Observations:
        """Runs by number, all of the index by default.

        Parameters
        ----------
        obs_ids : sequence of int, optional
        missing : {"error", "skip"}
            What to do about runs whose files are absent, or that have none.
        """
        if missing not in ("error", "skip"):
            raise ValueError(f"missing is {missing!r}, expected 'error' or 'skip'")
        wanted = self.obs_ids if obs_ids is None else obs_ids
        if missing == "skip":
            runs = [self._run(number) for number in wanted]
            return Observations([run for run in runs if run.places and run.is_present])
        return Observations([self.obs(number) for number in wanted])

    @property
    def missing(self) -> list[int]:
        """The runs of the index with a file that is absent, or with no files at all."""
        runs = (self._run(number) for number in self.runs)
        return [run.obs_id for run in runs if not run.places or not run.is_present]

    def check(self, obs_ids: Sequence[int] | None = None) -> list[str]:
        """Read everything of every run that is present, and say what is wrong.

        Returns
        -------
        problems : list of str
            Each begins with the run or file that it is about; empty if all is well.
        """
        wanted = self.obs_ids if obs_ids is None else list(obs_ids)
        absent = set(self.missing)
        found = [f"run {number}: files are absent" for number in wanted if number in absent]
        for number in wanted:
            if number not in absent:
                found += problems(self._run(number))
        return found

    def __len__(self) -> int:
        return len(self.runs)

    def __repr__(self) -> str:
        return f"DataStore({self.source}: {len(self)} runs)"


def _index_path(folder: Path, given: str | None, name: str) -> Path:
    names = [given] if given else [f"{name}.fits.gz", f"{name}.fits"]
    for one in names:
        if (folder / one).is_file():
            return folder / one
    raise ValueError(f"{folder}: has no index file {' or '.join(names)}")


def _table(file: FitsFile, needed: str, without: str = "") -> Any:
    """The first table with one column and without another: names of indices vary."""
    for block in file.tables:
        names = [value for key, value in block.header.items() if key.startswith("TTYPE")]
        if needed in names and without not in names:
            return file.hdu(block)
    raise ValueError(f"{file.path}: has no index table with a column {needed}")


def _column(file: FitsFile, table: Any, name: str) -> list[Any]:
    return np.asarray(file.raw(table, name)).tolist()


def _numbers(file: FitsFile, table: Any) -> list[int]:
    """The numbers of runs, which may be written as text."""
    values = np.asarray(file.raw(table, "OBS_ID"))
    if values.dtype.kind == "U" and np.char.isdigit(values).all():
        values = values.astype(np.int64)
    if values.dtype.kind not in "iu" or values.ndim != 1:
        raise ValueError(
            f"{file.path}[{table.name}]: column OBS_ID holds {values.dtype} of shape "
            f"{values.shape}, expected one whole number a row"
        )
    return values.tolist()
