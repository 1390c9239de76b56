"""Tables of flux points in the format of gadf, as FITS or ECSV.

``SED_TYPE`` in the header says what is measured, ``UL_CONF`` how sure limits are. Columns
``e_ref``, ``e_min`` and ``e_max`` are energies; ``dnde`` (or ``flux``, ``eflux``,
``e2dnde``), ``dnde_err``, ``dnde_errn``, ``dnde_errp``, ``dnde_ul``, ``is_ul`` and ``ts`` the
points. The type ``likelihood`` has ``norm`` with its errors and limits, relative to
``ref_dnde`` and so on; with the columns ``sqrt_ts``, ``stat``, ``counts``, ``npred`` and the
likelihood scan it holds all that an estimator found.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gammajax.data.flux_norms_io import norm_columns, norms_of
from gammajax.data.flux_points import QUANTITIES, FluxPoints
from gammajax.fits import table as fits_table
from gammajax.fits import write_tables
from gammajax.storage import replacing

COLUMNS = {"error": "_err", "error_low": "_errn", "error_high": "_errp", "limit": "_ul"}
ENERGIES = {"energy_ref": "e_ref", "energy_min": "e_min", "energy_max": "e_max"}
TABLES = ("FLUXPOINTS", "TABLE")
"""Names of the table in files of gammapy; else the first one is taken."""


def read_flux_points(
    filename: str | Path, *, sed_type: str | None = None, confidence: float | None = None
) -> FluxPoints:
    """Read a table of flux points.

    Parameters
    ----------
    filename : path-like
        FITS (``.fits``, ``.fits.gz``) or ECSV (any other).
    sed_type : str, optional
        What the columns hold, if the header does not say it; they tell otherwise. Of a table
        of type ``likelihood``, which of its quantities to take: ``dnde`` by default.
    confidence : float, optional
        One-sided confidence level of the limits, if that of the header is not right:
        gammapy writes the two-sided level of its sigmas, 0.954 for the 2 sigma that are 0.977.

    Raises
    ------
    ValueError
        If the file is missing or damaged, has no table of points, or its numbers make no
        sense. Other columns than those of the points are passed over.
    """
    path = Path(filename)
    rows = open_points(path)
    try:
        return points_of(rows, sed_type, confidence, str(path))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def open_points(path: Path) -> Any:
    """The `~astropy.table.Table` of a file."""
    from astropy.io import fits
    from astropy.table import Table

    if not path.is_file():
        raise ValueError(f"{path}: there is no such file")
    try:
        if ".fits" not in path.suffixes and ".fit" not in path.suffixes:
            return Table.read(path, format="ascii.ecsv")
        with fits.open(path, memmap=False) as hdus:
            tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU)]
            named = [hdu for hdu in tables if hdu.name in TABLES]
            if not tables:
                raise ValueError("it has no table")
            return Table.read((named or tables)[0])
    except Exception as error:  # astropy raises nearly anything on damaged bytes
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path}: is damaged or no table of flux points ({reason})") from None


def points_of(rows: Any, sed_type: Any, confidence: Any, filename: str) -> FluxPoints:
    """Flux points from a `~astropy.table.Table`."""
    given = str(rows.meta.get("SED_TYPE", "")).strip()
    if given != "likelihood":
        sed_type = sed_type or given or next((q for q in QUANTITIES if q in rows.colnames), "")
    prefix, scale, reference = _reference(rows, given, sed_type or "dnde")
    sed_type = sed_type or "dnde"
    if prefix not in rows.colnames:
        raise ValueError(
            f"there is no column {prefix!r} for SED_TYPE {given or sed_type!r} (columns: "
            f"{', '.join(rows.colnames)})"
        )
    fields: dict[str, Any] = {"value": _column(rows, prefix, scale, reference)}
    for name, ending in COLUMNS.items():
        fields[name] = _column(rows, prefix + ending, scale, reference)
    for name, column in ENERGIES.items():
        fields[name] = _column(rows, column)
    if "is_ul" in rows.colnames:
        fields["is_limit"] = np.ma.filled(rows["is_ul"], False).astype(bool)
    fields["ts"] = _column(rows, "ts")
    if confidence is None:
        confidence = float(rows.meta.get("UL_CONF", 0.95))
    return FluxPoints(
        sed_type=sed_type,
        confidence=confidence,
        norms=norms_of(rows) if given == "likelihood" else None,
        meta={"filename": filename},
        **fields,
    )


def _reference(rows: Any, given: str, sed_type: str) -> tuple[str, Any, str]:
    """The prefix of the columns, what they are multiplied by, and the unit of that."""
    if given != "likelihood":
        return sed_type, 1.0, ""
    column = f"ref_{sed_type}"
    if column == "ref_e2dnde" and column not in rows.colnames:
        energy, dnde = _column(rows, "e_ref"), _column(rows, "ref_dnde")
        product = energy**2 * dnde
        return "norm", product.value, str(product.unit)
    found = _column(rows, column)
    if found is None:
        raise ValueError(f"there is no column {column!r}, which norms are relative to")
    return "norm", found.value, str(found.unit)


def _column(rows: Any, name: str, scale: Any = 1.0, unit: str = "") -> Any:
    """A column as a quantity, NaN where it is masked; None if there is no such column.

    Photons are no unit here: ``ph cm-2 s-1`` is ``cm-2 s-1``.
    """
    from astropy.units import Quantity, Unit

    if name not in rows.colnames:
        return None
    values = np.ma.filled(np.ma.asarray(rows[name], dtype=float), np.nan)
    known = Unit(rows[name].unit or "") * Unit(unit)
    for base, power in zip(known.bases, known.powers, strict=True):
        if str(base) in ("ph", "photon"):
            known = known / base**power
    return Quantity(np.reshape(values, len(rows)) * scale, known)


def write_flux_points(
    points: FluxPoints,
    filename: str | Path,
    *,
    overwrite: bool = False,
    masks: dict[str, np.ndarray] | None = None,
    sed_type: str | None = None,
) -> None:
    """Write a table of flux points, FITS or ECSV by the ending of the name; all or nothing.

    Parameters
    ----------
    points : `FluxPoints`
    filename : path-like
    overwrite : bool
    masks : dict of array of bool, optional
        Further columns: the masks of a dataset.
    sed_type : str, optional
        Of points that an estimator made, another kind of flux; ``likelihood`` writes the
        norms with all that was found.
    """
    path = Path(filename)
    columns: dict[str, tuple[str, str | None, Any]] = {}
    for name, column in ENERGIES.items():
        if np.isfinite(getattr(points, name)).any():
            columns[column] = ("D", "TeV", getattr(points, name))
    if sed_type == "likelihood":
        columns |= norm_columns(points)
        header = {"SED_TYPE": sed_type, "UL_CONF": points.confidence}
        _write_columns(path, columns, header, overwrite, masks)
        return
    points = points if sed_type in (None, points.sed_type) else points.to_sed_type(sed_type)
    columns[points.sed_type] = ("D", points.unit, points.value)
    for name, ending in COLUMNS.items():
        columns[points.sed_type + ending] = ("D", points.unit, getattr(points, name))
    columns["is_ul"] = ("L", None, points.is_limit)
    if np.isfinite(points.ts).any():
        columns["ts"] = ("D", None, points.ts)
    columns |= {name: ("L", None, mask) for name, mask in (masks or {}).items()}
    header = {"SED_TYPE": points.sed_type, "UL_CONF": points.confidence}
    _write_columns(path, columns, header, overwrite, masks)


def _write_columns(
    path: Path,
    columns: dict[str, tuple[str, str | None, Any]],
    header: dict[str, Any],
    overwrite: bool,
    masks: dict[str, np.ndarray] | None,
) -> None:
    if ".fits" in path.suffixes:
        found = fits_table("FLUXPOINTS", columns, **header)
        for name in masks or {}:
            # gammapy wants masks in the shape of a map of one region
            found.columns[name].dim = "(1,1)"
        write_tables({path: [found]}, overwrite=overwrite)
        return
    from astropy.table import QTable, Table
    from astropy.units import Unit

    rows: Any = Table(
        QTable({n: a if u is None else a * Unit(u) for n, (_, u, a) in columns.items()})
    )
    rows.meta.update(header)
    with replacing(path, overwrite=overwrite) as (temporary,):
        rows.write(temporary, format="ascii.ecsv", overwrite=True)
