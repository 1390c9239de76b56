"""Lists of events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.data.gti import GTI
from gammajax.data.times import TimeReference
from gammajax.fits import FitsFile, column_format, table, write_tables
from gammajax.storage import suggest
from gammajax.units import conversion_factor, to_quantity, to_value

UNITS = {"RA": "deg", "DEC": "deg", "ENERGY": "TeV", "TIME": "s", "DETX": "deg", "DETY": "deg"}
"""Units that columns are kept in; a column without a unit is taken to be in it."""

NEEDED = ("RA", "DEC", "ENERGY", "TIME")


@dataclass(frozen=True, eq=False)
class EventList:
    """Events: direction (ICRS), energy, time, and whatever else the file has.

    Parameters
    ----------
    columns : dict of arrays
        By column name; RA, DEC (deg), ENERGY (TeV) and TIME (s since the reference) at least.
    units : dict of str
        The units of other columns that have one.
    reference : `TimeReference`
    meta : dict
        The header of the file.

    Raises
    ------
    ValueError
        If a column is missing, or columns have different lengths.
    """

    columns: dict[str, np.ndarray]
    units: dict[str, str] = field(default_factory=dict)
    reference: TimeReference = field(default_factory=TimeReference)
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = [name for name in NEEDED if name not in self.columns]
        if missing:
            raise ValueError(
                f"EventList: has no column {', '.join(missing)} (columns: "
                f"{', '.join(self.columns) or 'none'})"
            )
        columns = {name: np.asarray(values) for name, values in self.columns.items()}
        object.__setattr__(self, "columns", columns)
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"EventList: columns have different lengths, {lengths}")

    @classmethod
    def read(cls, filename: str | Path | FitsFile, hdu: str = "EVENTS") -> EventList:
        """Read the events of a file; a table without columns and rows is an empty list.

        Raises
        ------
        ValueError
            If the file is damaged, a column is missing, or a unit does not convert.
        """
        file = filename if isinstance(filename, FitsFile) else FitsFile(filename)
        block = file.block(hdu.upper())
        found, where = file.hdu(block), f"{file.path}[{block.name}]"
        columns, units = {}, {}
        for name in found.columns.names:
            values, given = file.raw(found, name), found.columns[name].unit
            if name in UNITS:
                unit = UNITS[name]
                factor = conversion_factor(given or unit, unit, where=f"{where}: column {name}")
                values = np.asarray(file.column(found, name)) * factor
            elif given:
                units[name] = given
            values = np.asarray(values)
            columns[name] = values.astype(values.dtype.newbyteorder("="))
        empty = not columns and not found.header["NAXIS2"]
        if empty:
            columns = {name: np.zeros(0) for name in NEEDED}
        no_time = empty and file.get(found, "MJDREFI") is None
        reference = TimeReference() if no_time else TimeReference.from_header(file, found)
        meta = {k: value for k, value in block.header.items() if not k.startswith(STRUCTURE)}
        try:
            return cls(columns, units, reference, meta)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None

    @classmethod
    def stack(cls, lists: Iterable[EventList]) -> EventList:
        """All events, with the columns that every list has and the first one's reference."""
        lists = list(lists)
        if not lists:
            raise ValueError("EventList.stack: got nothing to stack")
        first = lists[0]
        names = [name for name in first.columns if all(name in e.columns for e in lists)]
        columns = {name: np.concatenate([e.columns[name] for e in lists]) for name in names}
        times = [e.columns["TIME"] + first.reference.shift_from(e.reference) for e in lists]
        columns["TIME"] = np.concatenate(times)
        units = {name: unit for name, unit in first.units.items() if name in names}
        return cls(columns, units, first.reference, {})

    def to_hdu(self, name: str = "EVENTS") -> Any:
        """The events as a FITS table."""
        kept = {
            key: (column_format(values), UNITS.get(key) or self.units.get(key), values)
            for key, values in self.columns.items()
        }
        header = {
            key: value
            for key, value in self.meta.items()
            if not key.startswith(STRUCTURE) and key not in self.reference.header
        }
        header |= {"HDUCLASS": "GADF", "HDUCLAS1": "EVENTS", **self.reference.header}
        return table(name, kept, **header)

    def write(
        self, filename: str | Path, gti: GTI | None = None, *, overwrite: bool = False
    ) -> None:
        """Write the events, and their good time intervals, to a file."""
        tables = [self.to_hdu(), *([gti.to_hdu()] if gti is not None else [])]
        write_tables({Path(filename): tables}, overwrite=overwrite)

    def __len__(self) -> int:
        return len(self.columns["TIME"])

    def column(self, name: str) -> np.ndarray:
        """A column of numbers, in its own unit."""
        if name not in self.columns:
            known = suggest(name, [*self.columns])
            raise ValueError(f"EventList: there is no column {name!r}{known}")
        return self.columns[name]

    @property
    def energy(self) -> Any:
        """Reconstructed energies."""
        return to_quantity(self.columns["ENERGY"], "TeV")

    @property
    def time(self) -> Any:
        """Times as an `~astropy.time.Time`."""
        return self.reference.time(self.columns["TIME"])

    @property
    def radec(self) -> Any:
        """Directions as an ICRS `~astropy.coordinates.SkyCoord`."""
        from astropy.coordinates import SkyCoord

        return SkyCoord(self.columns["RA"], self.columns["DEC"], unit="deg")

    def separation(self, position: Any) -> np.ndarray:
        """Distance of each event from a `~astropy.coordinates.SkyCoord`, in deg."""
        return self.radec.separation(position.icrs).deg

    def map_coord(self, geom: Any) -> dict[str, Any]:
        """The coordinates of the events in a geometry of `gammajax.maps`.

        Parameters
        ----------
        geom : `~gammajax.maps.WcsGeom` or another
            Its axes are energy, time, or the name of a column in lower or upper case.

        Returns
        -------
        coords : dict
            ``skycoord``, and an array with its unit for each axis.
        """
        coords: dict[str, Any] = {"skycoord": self.radec}
        for name in geom.axes.names:
            if name == "time":
                coords[name] = self.time
                continue
            key = name if name in self.columns else name.upper()
            unit = UNITS.get(key) or self.units.get(key)
            values = self.column(key)
            coords[name] = to_quantity(values, unit) if unit else values
        return coords

    def select_mask(self, mask: Any) -> EventList:
        """The events where ``mask``, one boolean for each or a map, is true.

        Outside of a map it is not.
        """
        if hasattr(mask, "geom"):
            if not mask.is_mask:
                raise ValueError(
                    f"EventList: the map has values of {mask.unit or 'no unit'} and type "
                    f"{mask.data.dtype}, expected booleans"
                )
            mask = np.asarray(mask.get_by_coord(self.map_coord(mask.geom))) == 1
        mask = np.asarray(mask)
        if mask.shape != (len(self),) or mask.dtype != bool:
            raise ValueError(
                f"EventList: the mask has shape {mask.shape} and type {mask.dtype}, expected "
                f"{len(self)} booleans"
            )
        columns = {name: values[mask] for name, values in self.columns.items()}
        return EventList(columns, self.units, self.reference, self.meta)

    def select_parameter(self, name: str, low: Any, high: Any) -> EventList:
        """The events with a column from ``low`` to below ``high``, in the column's unit."""
        values = self.column(name)
        unit = UNITS.get(name) or self.units.get(name, "")
        ends = [to_value(x, unit, where=f"select_parameter {name}") for x in (low, high)]
        return self.select_mask((values >= ends[0]) & (values < ends[1]))

    def select_values(self, name: str, *values: Any) -> EventList:
        """The events with one of some values in a column of text or of whole numbers."""
        return self.select_mask(np.isin(self.column(name), np.asarray(values)))

    def select_energy(self, low: Any, high: Any) -> EventList:
        """The events from one energy to below another."""
        return self.select_parameter("ENERGY", low, high)

    def select_time(self, start: Any, stop: Any) -> EventList:
        """The events from one time (or second since the reference) to below another."""
        ends = self.reference.seconds(start), self.reference.seconds(stop)
        return self.select_parameter("TIME", *ends)

    def select_gti(self, gti: GTI) -> EventList:
        """The events within good time intervals."""
        shift = gti.reference.shift_from(self.reference)
        return self.select_mask(gti.contains(self.columns["TIME"] + shift))

    def select_offset(self, position: Any, low: Any, high: Any) -> EventList:
        """The events at a distance from a position, from ``low`` to below ``high``."""
        ends = [to_value(x, "deg", where="select_offset") for x in (low, high)]
        distance = self.separation(position)
        return self.select_mask((distance >= ends[0]) & (distance < ends[1]))

    def select_region(self, region: Any, wcs: Any) -> EventList:
        """The events in a region of astropy's ``regions``, in the projection ``wcs``."""
        inside = region.contains(self.radec, wcs) if len(self) else np.zeros(0, dtype=bool)
        return self.select_mask(np.asarray(inside, dtype=bool))

    def select_phase(self, low: float, high: float, name: str = "PHASE") -> EventList:
        """The events of a range of phases; ``low`` above ``high`` goes through 1."""
        phase = np.mod(self.column(name), 1.0)
        above, below = phase >= low, phase < high
        return self.select_mask(above & below if low <= high else above | below)

    def peek(self) -> Any:
        """Draw energies, times and directions; see `gammajax.plots.peek_events`."""
        from gammajax.plots import peek_events

        return peek_events(self)

    def __repr__(self) -> str:
        energy = self.columns["ENERGY"]
        span = f", {energy.min():.3g} to {energy.max():.3g} TeV" if len(self) else ""
        return f"EventList({len(self)} events{span})"


STRUCTURE = ("XTENSION", "BITPIX", "NAXIS", "PCOUNT", "GCOUNT", "TFIELDS", "EXTNAME", "TTYPE",
             "TFORM", "TUNIT", "TDIM", "TNULL", "TSCAL", "TZERO", "TDISP", "CHECKSUM",
             "DATASUM", "COMMENT", "HISTORY")  # fmt: skip
"""Keywords of a header that belong to the table and not to what is in it."""
