"""Tables of catalogue files: read them, and take numbers and texts out of their columns."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.storage import expand, suggest
from gammajax.units import conversion_factor


def catalog_path(filename: str | Path, catalog: str) -> Path:
    """The path of a catalogue file, variables such as ``$GAMMAPY_DATA`` expanded.

    Raises
    ------
    ValueError
        If a variable is not set, or there is no such file.
    """
    path = expand(str(filename), Path(), f"the catalogue {catalog}")
    if not path.is_file():
        raise ValueError(
            f"the catalogue {catalog}: there is no file {path}; give its filename, or set "
            "GAMMAPY_DATA to the folder that has it under the name of gammapy's data"
        )
    return path


def read_table(path: Path, hdu: str | int = 1) -> Any:
    """One table of a FITS or ECSV file, as an `~astropy.table.Table`.

    Units that the FITS standard does not have (``percent``) stay as they are written, without
    a warning: a column whose unit nobody understands is an error when it is used.

    Raises
    ------
    ValueError
        If the file is damaged, or has no such table.
    """
    from astropy.table import Table
    from astropy.units import UnitsWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnitsWarning)
            if path.suffix == ".ecsv":
                return Table.read(path, format="ascii.ecsv")
            return Table.read(path, format="fits", hdu=hdu)
    except Exception as error:  # astropy raises nearly anything on damaged bytes
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path}: cannot read the table {hdu!r} ({reason})") from None


def table_names(path: Path) -> list[str]:
    """The names of the tables in a FITS file."""
    from astropy.io import fits

    with fits.open(path) as hdus:
        return [hdu.name for hdu in hdus if isinstance(hdu, fits.BinTableHDU)]


def numbers(table: Any, name: str, unit: str | None, where: str) -> np.ndarray:
    """A column as float64 in ``unit``; NaN where a cell is empty, masked or infinite.

    A ``unit`` of None takes the numbers as they are.

    Photons are no unit here: ``photon cm-2 s-1`` is ``cm-2 s-1``. 3FGL writes a number that
    does not exist as -inf.

    Raises
    ------
    ValueError
        If there is no such column, or its unit does not convert.
    """
    column = need(table, name, where)
    values = np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)
    given = _without_photons(str(column.unit or ""))
    factor = 1.0
    if given and unit is not None:
        factor = conversion_factor(given, unit, where=f"{where}: {name}")
    return np.where(np.isfinite(values), values * factor, np.nan)


def texts(table: Any, name: str, where: str) -> list[str]:
    """A column of words, stripped; empty where a cell is masked or says ``NULL``."""
    column = np.ma.filled(np.ma.asarray(need(table, name, where)).astype(str), "")
    words = [str(word).strip() for word in column]
    return ["" if word in ("NULL", "N/A", "--") else word for word in words]


def need(table: Any, name: str, where: str) -> Any:
    """The column of this name.

    Raises
    ------
    ValueError
        If there is none; the message says which are close.
    """
    if name not in table.colnames:
        raise ValueError(f"{where}: has no column {name!r}{suggest(name, table.colnames)}")
    return table[name]


def _without_photons(unit: str) -> str:
    from astropy.units import Unit

    known = Unit(unit)
    for base, power in zip(known.bases, known.powers, strict=True):
        if str(base) in ("ph", "photon"):
            known = known / base**power
    return known.to_string()
