"""Writing a folder of DL3 data: runs in files, and the two index tables that list them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.data.events import EventList
from gammajax.data.observation import Observation
from gammajax.data.pointing_table import PointingTable
from gammajax.data.times import TimeReference
from gammajax.fits import column_format, table, write_tables
from gammajax.irf.gadf import irf_hdu
from gammajax.irf.table import IRF
from gammajax.maps.io import map_hdus

LAYOUTS = ("run", "parts")

GADF = {
    "HDUCLASS": "GADF",
    "HDUDOC": "https://github.com/open-gamma-ray-astro/gamma-astro-data-formats",
    "HDUVERS": "0.3",
}

UNITS: dict[str, str] = dict.fromkeys(("TSTART", "TSTOP", "ONTIME", "LIVETIME"), "s")
UNITS |= {f"{name}_PNT": "deg" for name in ("RA", "DEC", "GLON", "GLAT", "ALT", "AZ", "ZEN")}
UNITS |= {"RA_OBJ": "deg", "DEC_OBJ": "deg"}

Row = dict[str, Any]


def write_dl3(
    observations: Iterable[Observation],
    folder: str | Path,
    *,
    layout: str = "run",
    overwrite: bool = False,
) -> None:
    """Write runs as a folder that `DataStore.from_dir` and other GADF readers open.

    It holds ``obs-index.fits.gz``, ``hdu-index.fits.gz``, and a sub-folder ``data`` with
    events, good time intervals, responses, and the pointing as a table where the place of
    the telescope is known. The index tables are written last: a folder that has them is whole.

    Parameters
    ----------
    observations : iterable of `Observation`
    folder : path-like
    layout : {"run", "parts"}
        One file for each run; or one for its events and one for each response, where
        responses that several runs share are written once.
    overwrite : bool
        Whether files that are there may be replaced.

    Raises
    ------
    ValueError
        If there is nothing to write, a run number comes twice, a part of a run cannot be
        read, or a file exists.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout is {layout!r}, expected one of {', '.join(LAYOUTS)}")
    index = _Index(Path(folder), layout)
    runs = list(observations)
    numbers = [run.obs_id for run in runs]
    if not runs or len(set(numbers)) < len(numbers):
        raise ValueError(f"write_dl3: expected runs of different numbers, got {numbers}")
    targets = [index.folder / f"{name}-index.fits.gz" for name in ("obs", "hdu")]
    if not overwrite and (there := [path for path in targets if path.exists()]):
        raise ValueError(f"{there[0]}: exists already; to replace it, give overwrite=True")
    for run in runs:
        write_tables(index.files_of(run), overwrite=overwrite)
    write_tables(dict(zip(targets, index.tables(runs), strict=True)), overwrite=overwrite)


@dataclass
class _Index:
    """What was written where."""

    folder: Path
    layout: str
    rows: list[Row] = field(default_factory=list)
    shared: dict[Any, tuple[str, str, str]] = field(default_factory=dict)

    def files_of(self, run: Observation) -> dict[Path, list[Any]]:
        """The extensions of a run that are not written yet, by file."""
        name = f"{'events' if self.layout == 'parts' else 'run'}_{run.obs_id:06d}.fits.gz"
        files = {self.folder / "data" / name: event_hdus(run)}
        for hdu in files[self.folder / "data" / name]:
            part = hdu.name.lower()
            self._add(run, part, (part, name, hdu.name))
        for part in run.available_irfs:
            key = run.places.get(part) or id(getattr(run, part))
            if self.layout == "run" or key not in self.shared:
                irf = getattr(run, part)
                if self.layout == "parts":
                    name = f"{part}_{run.obs_id:06d}.fits.gz"
                kind, hdus = _irf_hdus(run, part, irf)
                files.setdefault(self.folder / "data" / name, []).extend(hdus)
                self.shared[key] = (kind, name, part.upper())
            self._add(run, part, self.shared[key])
        return files

    def _add(self, run: Observation, part: str, place: tuple[str, str, str]) -> None:
        kind, name, hdu = place
        row = {"OBS_ID": run.obs_id, "HDU_TYPE": part, "HDU_CLASS": kind, "FILE_DIR": "data"}
        self.rows.append({**row, "FILE_NAME": name, "HDU_NAME": hdu})

    def tables(self, runs: list[Observation]) -> list[list[Any]]:
        """The two index tables, each for its file."""
        reference = runs[0].gti.reference
        rows = [observation_row(run, reference) for run in runs]
        header = {**GADF, "HDUCLAS1": "INDEX"}
        obs = _table(rows, "OBS_INDEX", {**header, "HDUCLAS2": "OBS", **reference.header})
        hdu = _table(self.rows, "HDU_INDEX", {**header, "HDUCLAS2": "HDU"})
        return [[obs], [hdu]]


def _irf_hdus(run: Observation, part: str, irf: Any) -> tuple[str, list[Any]]:
    """A response as extensions, and what the index calls its class."""
    if isinstance(irf, IRF):
        hdu = irf_hdu(irf, part)
        if part == "aeff":
            ends = zip(("LO_THRES", "HI_THRES"), run.energy_range, strict=True)
            hdu.header.update({key: end for key, end in ends if 0 < end < np.inf})
        return irf.hdu_class.lower(), [hdu]
    kind = run.places[part].hdu_class if part in run.places else "map"
    return kind, map_hdus(irf, part.upper())


def _table(rows: list[Row], name: str, header: Row) -> Any:
    """A table of the columns that all rows have."""
    columns = {}
    for key in rows[0]:
        if all(key in row for row in rows):
            values = np.array([row[key] for row in rows])
            if values.ndim == 1 and values.dtype.kind in "bifUS":
                columns[key] = (column_format(values), UNITS.get(key), values)
    return table(name, columns, **header)


def event_hdus(run: Observation) -> list[Any]:
    """Events, good time intervals, and the pointing if the place of the telescope is known."""
    events, gti = run.events, run.gti
    row = observation_row(run, events.reference)
    needed = ("OBS_ID", "TSTART", "TSTOP", "ONTIME", "LIVETIME", "DEADC", "OBJECT", "RA_OBJ",
              "DEC_OBJ", "TELESCOP", "INSTRUME", "DATE-OBS", "TIME-OBS", "DATE-END",
              "TIME-END")  # fmt: skip
    usual = {"RADECSYS": "ICRS", "EQUINOX": 2000.0}
    header = {**usual, **events.meta, **GADF, **run.pointing.header}
    header |= {key: row[key] for key in needed if key in row}
    header = {key: value for key, value in header.items() if _is_plain(value)}
    hdus = [EventList(events.columns, events.units, events.reference, header).to_hdu()]
    hdus.append(gti.to_hdu())
    if isinstance(run.pointing, PointingTable):
        hdus.append(run.pointing.to_hdu())
    elif "pointing" in run.places:
        hdus.append(run.pointing_table.to_hdu())
    elif run.pointing.location is not None:
        hdus.append(PointingTable.sample(run.pointing, gti).to_hdu())
    return hdus


def _is_plain(value: Any) -> bool:
    """Whether a header can hold it: no value at all and not-a-number it cannot."""
    if isinstance(value, float | np.floating):
        return bool(np.isfinite(value))
    return isinstance(value, bool | int | str | np.integer | np.bool_)


def observation_row(run: Observation, reference: TimeReference) -> Row:
    """What the index of observations says about a run, times since ``reference``."""
    gti = run.gti
    shift = reference.shift_from(gti.reference)
    ends = gti.reference.time([gti.start[0], gti.stop[-1]])
    (date, time), (date_end, time_end) = (text.split("T") for text in ends.isot)
    header = run.events.meta
    told = {
        key: header[key]
        for key in ("OBJECT", "RA_OBJ", "DEC_OBJ", "TELESCOP", "INSTRUME", "N_TELS", "TELLIST")
        if _is_plain(header.get(key))
    }
    return {
        **{key: value for key, value in run.info.items() if _is_plain(value)},
        "TELESCOP": "UNKNOWN",
        "INSTRUME": "UNKNOWN",
        **told,
        "OBS_ID": run.obs_id,
        "OBS_MODE": run.pointing.header["OBS_MODE"],
        **_directions(run),
        "ONTIME": float(gti.time_sum.to_value("s")),
        "LIVETIME": float(run.livetime.to_value("s")),
        "DEADC": 1 - run.dead_time_fraction,
        "TSTART": float(gti.start[0] + shift),
        "TSTOP": float(gti.stop[-1] + shift),
        "DATE-OBS": date,
        "TIME-OBS": time,
        "DATE-END": date_end,
        "TIME-END": time_end,
        "EVENT_COUNT": len(run.events),
    }


def _directions(run: Observation) -> Row:
    """Where a run points in its middle, as far as that is known."""
    from astropy.coordinates import SkyCoord

    found: Row = {}
    pointing, time = run.pointing, run.tmid
    known = {key: float(x) for key, x in pointing.header.items() if key.endswith("_PNT")}
    if pointing.location is not None:
        sky, above = pointing.icrs(time), pointing.altaz(time)
        there = {"RA_PNT": sky.ra, "DEC_PNT": sky.dec, "ALT_PNT": above.alt, "AZ_PNT": above.az}
        # what a header says comes first: places of the telescope in files are often wrong
        known = {key: float(angle.deg) for key, angle in there.items()} | known
    if "RA_PNT" in known:
        galactic: Any = SkyCoord(known["RA_PNT"], known["DEC_PNT"], unit="deg").galactic
        found = {"GLON_PNT": float(galactic.l.deg), "GLAT_PNT": float(galactic.b.deg)}
    if "ALT_PNT" in known:
        found["ZEN_PNT"] = 90 - known["ALT_PNT"]
    return {**known, **found}
