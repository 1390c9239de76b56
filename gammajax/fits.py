"""FITS tables: reading with errors that name file, table and column; writing all or nothing."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from gammajax import __version__
from gammajax.storage import replacing
from gammajax.units import conversion_factor

GZIP = b"\x1f\x8b"
"""What gzip files start with."""

MOST_FIELDS = 999
"""Most columns of a table in the format; a damaged number would keep astropy busy for ever."""


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """One kind of error for what astropy raises on damaged bytes, which is nearly anything."""
    try:
        yield
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{what} ({reason})") from None


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
        from astropy.io.fits.verify import VerifyWarning
        from astropy.utils.exceptions import AstropyUserWarning

        if not self.path.is_file():
            raise ValueError(f"{self.path}: there is no such file")
        with _reading(f"{self.path}: is damaged or no FITS file"), warnings.catch_warnings():
            content = self.path.read_bytes()
            if content.startswith(GZIP):
                content = gzip.decompress(content)
            # the warning of a short file is an error, that of an odd keyword is none
            warnings.simplefilter("error", AstropyUserWarning)
            warnings.simplefilter("ignore", VerifyWarning)
            with fits.open(io.BytesIO(content), memmap=False) as hdus:
                found: list[Any] = list(hdus)
                for hdu in found:
                    fields = hdu.header.get("TFIELDS", 0)
                    if fields > MOST_FIELDS:
                        raise ValueError(f"{hdu.name} has {fields} columns")
                    getattr(hdu, "data", None)  # reads it, so that a short file is found here
                return found

    def table(self, *names: str) -> Any:
        """The table extension of this name (or of the first that exists)."""
        for name in names:
            for hdu in self.hdus[1:]:
                if hdu.name == name and hasattr(hdu, "columns"):
                    return hdu
        there = ", ".join(hdu.name for hdu in self.hdus[1:]) or "none"
        raise ValueError(f"{self.path}: has no table {' or '.join(names)} (tables: {there})")

    def get(self, table: Any, key: str, default: Any = None) -> Any:
        """A header keyword, or ``default`` if it is not there."""
        with _reading(f"{self.path}[{table.name}]: {key} is damaged"):
            return table.header.get(key, default)

    def keyword(self, table: Any, key: str) -> Any:
        """A header keyword that has to be there."""
        value = self.get(table, key)
        if value is None:
            raise ValueError(f"{self.path}[{table.name}]: the header has no {key}")
        return value

    def number(self, table: Any, key: str, default: float | None = None) -> float:
        """A header keyword that has to be a finite number."""
        value = self.keyword(table, key) if default is None else self.get(table, key, default)
        if not isinstance(value, int | float) or not np.isfinite(value):
            raise ValueError(
                f"{self.path}[{table.name}]: {key} is {value!r}, expected a finite number"
            )
        return float(value)

    def raw(self, table: Any, name: str) -> Any:
        """A column as it is in the file."""
        if name not in table.columns.names:
            raise ValueError(
                f"{self.path}[{table.name}]: has no column {name} "
                f"(columns: {', '.join(table.columns.names)})"
            )
        with _reading(f"{self.path}[{table.name}]: column {name} is damaged"):
            column = table.data[name]
            return [np.array(row) for row in column] if column.dtype.hasobject else column

    def column(self, table: Any, name: str, unit: str | None = None, *, ndim: int = 1) -> Any:
        """A column of numbers as float64, converted to ``unit``, with ``ndim`` axes or less.

        A column without a unit where one is needed is an error: a guess would be wrong by
        a power of ten.
        """
        where = f"{self.path}[{table.name}]: column {name}"
        found = self.raw(table, name)
        try:
            values = np.asarray(found, dtype=np.float64)
        except (TypeError, ValueError):
            raise ValueError(f"{where} does not hold numbers") from None
        if values.ndim > ndim:
            raise ValueError(f"{where} has shape {values.shape}, expected one number a row")
        if unit is None:
            return values
        given = table.columns[name].unit
        if not given:
            raise ValueError(f"{where} has no unit, expected one that converts to {unit}")
        return values * conversion_factor(given, unit, where=where)

    def edges(self, table: Any, low: str, high: str, unit: str | None = None) -> np.ndarray:
        """The edges of the bins in two columns of lower and upper edges."""
        lower, upper = (self.column(table, column, unit) for column in (low, high))
        where = f"{self.path}[{table.name}]: columns {low} and {high}"
        if lower.size == 0:
            raise ValueError(f"{where} are empty")
        if not np.allclose(lower[1:], upper[:-1], rtol=1e-5, atol=0):
            raise ValueError(f"{where} leave gaps between the bins, or do not increase")
        return np.append(lower, upper[-1])


def write_tables(files: dict[Path, list[Any]], *, overwrite: bool) -> None:
    """Write lists of table extensions, each to its file; all of the files, or none."""
    from astropy.io import fits

    with replacing(*files, overwrite=overwrite) as temporary:
        for place, tables in zip(temporary, files.values(), strict=True):
            primary = fits.PrimaryHDU()
            primary.header["CREATOR"] = f"gammajax {__version__}"
            fits.HDUList([primary, *tables]).writeto(place, checksum=True)


def table(name: str, columns: dict[str, tuple[str, str | None, Any]], **header: Any) -> Any:
    """A table extension: columns as format, unit and values; ``header`` in the order given."""
    from astropy.io import fits

    made = [
        fits.Column(name=key, format=form, unit=unit, array=values)
        for key, (form, unit, values) in columns.items()
    ]
    hdu = fits.BinTableHDU.from_columns(made, name=name)
    for key, value in header.items():
        hdu.header[key] = value
    return hdu
