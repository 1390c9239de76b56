"""Reading FITS tables with errors that name the file, the table and the column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gammajax.maps import MapAxis
from gammajax.units import ENERGY, conversion_factor


class FitsFile:
    """A FITS file, read completely on opening.

    Raises
    ------
    ValueError
        If the file does not exist, is no FITS file, or ends too early.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.hdus = self._read()

    def _read(self) -> list[Any]:
        import warnings

        from astropy.io import fits
        from astropy.utils.exceptions import AstropyUserWarning

        if not self.path.is_file():
            raise ValueError(f"{self.path}: there is no such file")
        try:
            with warnings.catch_warnings(), fits.open(self.path, memmap=False) as hdus:
                warnings.simplefilter("error", AstropyUserWarning)
                for hdu in hdus:
                    hdu.data  # noqa: B018  (reads it, so that a short file is found here)
                return list(hdus)
        except (
            OSError,
            AstropyUserWarning,
            EOFError,
            TypeError,
            ValueError,
            KeyError,
        ) as error:
            raise ValueError(
                f"{self.path}: is damaged or no FITS file ({str(error).splitlines()[0]})"
            ) from None

    def table(self, *names: str) -> Any:
        """The table extension of this name (or of the first that exists)."""
        for name in names:
            for hdu in self.hdus[1:]:
                if hdu.name == name and hasattr(hdu, "columns"):
                    return hdu
        there = ", ".join(hdu.name for hdu in self.hdus[1:]) or "none"
        raise ValueError(f"{self.path}: has no table {' or '.join(names)} (tables: {there})")

    def keyword(self, table: Any, key: str) -> Any:
        """A header keyword that has to be there."""
        if key not in table.header:
            raise ValueError(f"{self.path}[{table.name}]: the header has no {key}")
        return table.header[key]

    def raw(self, table: Any, name: str) -> Any:
        """A column as it is in the file."""
        if name not in table.columns.names:
            raise ValueError(
                f"{self.path}[{table.name}]: has no column {name} "
                f"(columns: {', '.join(table.columns.names)})"
            )
        return table.data[name]

    def column(self, table: Any, name: str, unit: str | None = None) -> np.ndarray:
        """A column of numbers as float64, converted to ``unit``.

        A column without a unit where one is needed is an error: a guess would be wrong by
        a power of ten.
        """
        values = np.asarray(self.raw(table, name), dtype=np.float64)
        if unit is None:
            return values
        where = f"{self.path}[{table.name}]: column {name}"
        given = table.columns[name].unit
        if not given:
            raise ValueError(f"{where} has no unit, expected one that converts to {unit}")
        return values * conversion_factor(given, unit, where=where)

    def axis(self, table: Any, low: str, high: str, *, name: str) -> MapAxis:
        """The energy axis of two columns of lower and upper edges."""
        lower, upper = (self.column(table, column, ENERGY) for column in (low, high))
        where = f"{self.path}[{table.name}]: columns {low} and {high}"
        if not np.allclose(lower[1:], upper[:-1], rtol=1e-5, atol=0):
            raise ValueError(f"{where} leave gaps between the bins, or do not increase")
        edges = np.append(lower, upper[-1])
        try:
            return MapAxis(edges, name)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
