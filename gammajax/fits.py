"""FITS tables: reading with errors that name file, table and column; writing all or nothing."""

from __future__ import annotations

import gzip
import io
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gammajax import __version__
from gammajax.storage import replacing
from gammajax.units import conversion_factor

GZIP = b"\x1f\x8b"
"""What gzip files start with."""

BLOCK, CARD = 2880, 80
"""Sizes of the parts of a FITS file, and of a line of a header, in bytes."""

TABLES = ("BINTABLE", "TABLE")

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


@dataclass(frozen=True)
class Block:
    """One extension as bytes: where it lies, and what its header says."""

    name: str
    kind: str
    start: int
    stop: int
    header: dict[str, Any] = field(compare=False)


VALUE = re.compile(r"\s*(?:'((?:[^']|'')*)'|([^/]*))")
"""A value of a header: text in quotes, or what stands in front of a comment."""


def _value(text: str) -> Any:
    """A value of a header as text, truth value or number; None if there is none."""
    quoted, plain = VALUE.findall(text)[0]
    if text.lstrip().startswith("'"):
        return quoted.replace("''", "'").rstrip()
    word = plain.strip()
    if word in ("", "T", "F"):
        return None if not word else word == "T"
    for kind in (int, float):
        try:
            return kind(word.replace("D", "E"))
        except ValueError:
            pass
    return word


def _card(card: bytes) -> tuple[str, Any]:
    """Keyword and value of a line of a header."""
    text = card.decode("latin-1")
    key, value = text[:8].rstrip(), text[10:]
    if key == "HIERARCH" and "=" in text:
        key, _, value = text[8:].partition("=")
        key = key.strip()
    return key, _value(value)


def _header(stream: BinaryIO) -> dict[str, Any] | None:
    """What a header says; None at the end of the file."""
    header: dict[str, Any] = {}
    while True:
        block = stream.read(BLOCK)
        if not header and not block.strip(b"\0 "):
            return None
        if len(block) < BLOCK:
            raise ValueError("it ends within a header")
        for at in range(0, BLOCK, CARD):
            key, value = _card(block[at : at + CARD])
            if not header and key not in ("SIMPLE", "XTENSION"):
                raise ValueError(f"a header begins with {key!r}")
            if key == "END":
                return header
            if key == "CONTINUE":
                last = next(reversed(header))
                header[last] = f"{str(header[last]).removesuffix('&')}{value}"
            elif value is not None and key not in ("COMMENT", "HISTORY"):
                header.setdefault(key, value)


def _blocks(stream: BinaryIO) -> Iterator[Block]:
    """The extensions of a file, from their headers alone."""
    length = stream.seek(0, io.SEEK_END)
    start = stream.seek(0)
    while (header := _header(stream)) is not None:
        name = str(header.get("EXTNAME", "" if start else "PRIMARY")).upper()
        sizes = [int(header[f"NAXIS{i + 1}"]) for i in range(int(header["NAXIS"]))]
        if int(header.get("TFIELDS", 0)) > MOST_FIELDS:
            raise ValueError(f"{name} has {header['TFIELDS']} columns")
        count = int(header.get("PCOUNT", 0)) + (math.prod(sizes) if sizes else 0)
        count *= int(header.get("GCOUNT", 1)) * abs(int(header["BITPIX"])) // 8
        stop = stream.tell() + -(-count // BLOCK) * BLOCK
        if not start <= stop <= length:
            raise ValueError(f"it ends within {name or 'an extension'}, at byte {length}")
        yield Block(name, str(header.get("XTENSION", "PRIMARY")).upper(), start, stop, header)
        start = stream.seek(stop)
    if not start:
        raise ValueError("it is empty")


def _hdu(content: bytes, kind: str) -> Any:
    """An extension from its bytes. Odd keywords pass, all other warnings are errors."""
    import warnings

    from astropy.io import fits
    from astropy.io.fits.verify import VerifyWarning
    from astropy.utils.exceptions import AstropyUserWarning

    kinds = {"BINTABLE": fits.BinTableHDU, "TABLE": fits.TableHDU, "PRIMARY": fits.PrimaryHDU}
    with warnings.catch_warnings():
        warnings.simplefilter("error", AstropyUserWarning)
        warnings.simplefilter("ignore", VerifyWarning)
        hdu = kinds.get(kind, fits.ImageHDU).fromstring(content)
        getattr(hdu, "data", None)  # reads it, so that what is damaged is found here
    return hdu


class FitsFile:
    """A FITS file. Opening finds its extensions; the content of each is read when asked for.

    Raises
    ------
    ValueError
        If the file does not exist, is no FITS file, or ends too early.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise ValueError(f"{self.path}: there is no such file")
        self._unpacked: bytes | None = None
        self._read: dict[Block, Any] = {}
        with _reading(f"{self.path}: is damaged or no FITS file"), self._bytes() as stream:
            self.blocks = list(_blocks(stream))

    @contextmanager
    def _bytes(self) -> Iterator[BinaryIO]:
        """The file without its compression, which is taken off once."""
        if self._unpacked is None:
            with self.path.open("rb") as stream:
                if stream.read(2) != GZIP:
                    stream.seek(0)
                    yield stream
                    return
            self._unpacked = gzip.decompress(self.path.read_bytes())
        yield io.BytesIO(self._unpacked)

    def hdu(self, block: Block) -> Any:
        """The extension of a block, as astropy has it, with what is in it read."""
        if block not in self._read:
            where = f"{self.path}[{block.name}]: is damaged"
            with _reading(where), self._bytes() as stream:
                stream.seek(block.start)
                self._read[block] = _hdu(stream.read(block.stop - block.start), block.kind)
        return self._read[block]

    @property
    def names(self) -> list[str]:
        """The names of all extensions, the first one's among them."""
        return [block.name for block in self.blocks]

    @property
    def hdus(self) -> list[Any]:
        """All extensions."""
        return [self.hdu(block) for block in self.blocks]

    @property
    def tables(self) -> list[Block]:
        """The extensions that are tables."""
        return [block for block in self.blocks if block.kind in TABLES]

    def block(self, *names: str) -> Block:
        """The table extension of this name (or of the first that exists), not yet read."""
        for name in names:
            for block in self.tables:
                if block.name == name:
                    return block
        there = ", ".join(self.names[1:]) or "none"
        raise ValueError(f"{self.path}: has no table {' or '.join(names)} (tables: {there})")

    def table(self, *names: str) -> Any:
        """The table extension of this name (or of the first that exists)."""
        return self.hdu(self.block(*names))

    def get(self, table: Any, key: str, default: Any = None) -> Any:
        """A header keyword, or ``default`` if it is not there."""
        try:
            return table.header.get(key, default)
        except Exception:
            with _reading(f"{self.path}[{table.name}]: {key} is damaged"):
                raise

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
            values = np.asarray(found)
        except ValueError:
            raise ValueError(f"{where} has rows of different lengths") from None
        if values.dtype.kind not in "biuf":
            raise ValueError(f"{where} does not hold numbers")
        values = values.astype(np.float64)
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
        long = len(key) > 8 or " " in key
        hdu.header[f"HIERARCH {key}" if long else key] = value
    return hdu


FORMATS = {"f8": "D", "f4": "E", "i8": "K", "i4": "J", "i2": "I", "u1": "B", "b1": "L"}


def column_format(values: np.ndarray) -> str:
    """The format of a column of numbers or text."""
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind in "SU":
        return f"{max(size // (4 if kind == 'U' else 1), 1)}A"
    return f"{int(np.prod(values.shape[1:], dtype=int))}{FORMATS[values.dtype.str[1:]]}"
