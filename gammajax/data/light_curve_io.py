"""Tables of light curves, as gammapy has them: a row for each interval of time.

``time_min`` and ``time_max`` are MJD in the scale of the header. Columns of energies and of
fluxes have an entry for each bin of energy; the type ``likelihood`` has the norms and all that
was found with them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gammajax.data.flux_norms import REFERENCES
from gammajax.data.flux_norms_io import columns_of_norms, norms_of
from gammajax.data.light_curve import LightCurve
from gammajax.fits import table as fits_table
from gammajax.fits import write_tables
from gammajax.storage import replacing

ENDINGS = {"norm": "", "norm_err": "_err", "norm_errn": "_errn", "norm_errp": "_errp",
           "norm_ul": "_ul"}  # fmt: skip
HEADER = {"MJDREFI": 0, "MJDREFF": 0.0, "TIMESYS": "tt", "TIMEUNIT": "d"}
SED_TYPES = (*REFERENCES, "likelihood")


PER_BIN = ("ref_", "norm", "e_", "stat", "ts", "sqrt", "success", *REFERENCES)
"""How the names of columns begin that have an entry for each bin of energy."""

AMPLITUDE = 1e-12
"""Of the reference spectrum of tables that have none, a power law of index 2, at 1 TeV."""


def _add_norms(rows: Any, where: str) -> None:
    """Columns of norms relative to a power law of index 2, for a table of fluxes."""
    from astropy.units import Quantity, Unit

    sed_type = next((name for name in REFERENCES if name in rows.colnames), "")
    if not sed_type:
        raise ValueError(
            f"{where}: has neither norms nor one of {', '.join(REFERENCES)} (columns: "
            f"{', '.join(rows.colnames)})"
        )
    ref, low, high = (
        np.asarray(rows[f"e_{name}"].quantity.to_value("TeV")) for name in ("ref", "min", "max")
    )
    laws = {"dnde": ref**-2.0, "flux": 1 / low - 1 / high, "eflux": np.log(high / low)}
    laws["e2dnde"] = np.ones(ref.shape)
    for name in ("dnde", "flux", "eflux"):
        rows[f"ref_{name}"] = AMPLITUDE * laws[name] * Unit(REFERENCES[name])
    for norm, ending in ENDINGS.items():
        column = sed_type + ending
        if column in rows.colnames:
            values = np.ma.filled(np.ma.asarray(rows[column], dtype=float), np.nan)
            found = Quantity(values, rows[column].unit).to_value(REFERENCES[sed_type])
            rows[norm] = found / (AMPLITUDE * laws[sed_type])
    if "ts" not in rows.colnames and "sqrt_ts" in rows.colnames:
        rows["ts"] = np.ma.filled(np.ma.asarray(rows["sqrt_ts"], dtype=float), np.nan) ** 2
    for name in ("ts", "stat", "counts"):
        if name not in rows.colnames:
            rows[name] = np.full(ref.shape, np.nan)


def _columns(curve: LightCurve, sed_type: str) -> dict[str, tuple[str, str | None, Any]]:
    if sed_type not in SED_TYPES:
        raise ValueError(f"sed_type is {sed_type!r}, expected {', '.join(SED_TYPES)}")
    norms = curve.norms
    shape = norms.shape
    size = shape[1]
    found: dict[str, tuple[str, str | None, Any]] = {
        "time_min": ("D", None, curve.time_min),
        "time_max": ("D", None, curve.time_max),
    }
    for name in ("ref", "min", "max"):
        energy = np.broadcast_to(getattr(curve, f"energy_{name}"), shape)
        found[f"e_{name}"] = (f"{size}D", "TeV", energy)
    if sed_type == "likelihood":
        found |= columns_of_norms(norms)
    else:
        for name, ending in ENDINGS.items():
            values = norms.values(name, sed_type)
            found[sed_type + ending] = (f"{size}D", REFERENCES[sed_type], values)
        found["ts"] = (f"{size}D", None, norms.ts)
        found["sqrt_ts"] = (f"{size}D", None, norms.sqrt_ts)
    found["is_ul"] = (f"{size}L", None, curve.is_limit)
    return found


def _header(curve: LightCurve, sed_type: str) -> dict[str, Any]:
    return {**HEADER, "SED_TYPE": sed_type, "UL_CONF": curve.norms.confidence}


def light_curve_table(curve: LightCurve, sed_type: str) -> Any:
    """The columns as an `~astropy.table.Table`."""
    from astropy.table import QTable, Table
    from astropy.units import Unit

    columns = _columns(curve, sed_type)
    rows: Any = Table(
        QTable({n: a if u is None else a * Unit(u) for n, (_, u, a) in columns.items()})
    )
    rows.meta.update(_header(curve, sed_type))
    return rows


def write_light_curve(
    curve: LightCurve,
    filename: str | Path,
    *,
    sed_type: str = "likelihood",
    overwrite: bool = False,
) -> None:
    """Write a light curve, FITS or ECSV by the ending of the name; all or nothing.

    Parameters
    ----------
    curve : `LightCurve`
    filename : path-like
    sed_type : {"likelihood", "flux", "eflux", "dnde", "e2dnde"}
    overwrite : bool
    """
    path = Path(filename)
    if ".fits" not in path.suffixes:
        with replacing(path, overwrite=overwrite) as (temporary,):
            light_curve_table(curve, sed_type).write(
                temporary, format="ascii.ecsv", overwrite=True
            )
        return
    columns = _columns(curve, sed_type)
    made = fits_table("FLUXPOINTS", columns, **_header(curve, sed_type))
    for name, (_, _, values) in columns.items():
        if np.ndim(values) > 1:
            sizes = ",".join(str(size) for size in np.shape(values)[:0:-1])
            made.columns[name].dim = f"({sizes})"
    write_tables({path: [made]}, overwrite=overwrite)


def read_light_curve(filename: str | Path) -> LightCurve:
    """Read a light curve of gammajax or of gammapy.

    A table of fluxes, of a type other than ``likelihood``, does not say of which spectrum: a
    power law of index 2 is taken, as by gammapy. The fluxes of the type that the table has
    come back as they are; those of other types are relative to that law.

    Raises
    ------
    ValueError
        If the file is missing or damaged, or its table has neither norms nor fluxes, or no
        times.
    """
    from astropy.time import Time

    from gammajax.data.flux_points_io import open_points

    path = Path(filename)
    rows = open_points(path)
    if "time_min" not in rows.colnames:
        raise ValueError(f"{path}: has no column time_min, so this is no light curve")
    times = [np.asarray(rows[name], dtype=float) for name in ("time_min", "time_max")]
    scale = str(rows.meta.get("TIMESYS", "tt")).strip().lower()
    zero = float(rows.meta.get("MJDREFI", 0)) + float(rows.meta.get("MJDREFF", 0.0))
    scaled: list[Any] = [Time(zero + t, format="mjd", scale=scale).tt for t in times]
    low, high = (time.mjd for time in scaled)
    number = len(rows)
    for name in rows.colnames:
        if name.startswith(PER_BIN):
            column = rows[name]
            if np.ndim(column) == 1:
                rows.replace_column(name, column[:, None])
    if "norm" not in rows.colnames:
        _add_norms(rows, str(path))
    norms = norms_of(rows)
    if norms is None:
        raise ValueError(f"{path}: has norms, but not all columns of their reference spectrum")
    energies = {
        name: np.asarray(rows[f"e_{name}"].quantity.to_value("TeV")).reshape(number, -1)[0]
        for name in ("min", "max")
    }
    return LightCurve(
        time_min=low,
        time_max=high,
        energy_min=energies["min"],
        energy_max=energies["max"],
        norms=norms,
        meta={"filename": str(path)},
    )
