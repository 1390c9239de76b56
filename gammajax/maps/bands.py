"""Axes in FITS files: the tables of gammapy (``_BANDS``) and of the Fermi-LAT tools.

A ``_BANDS`` table has one row for every bin of all axes, the first axis varying fastest. The
keywords ``AXCOLS1``, ... name the columns of each axis (two for edges, one for nodes), and
``INTERP1``, ... its scale. Energies are converted to TeV on reading.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.maps.arrays import is_energy
from gammajax.maps.axes import MapAxis
from gammajax.maps.map_axes import MapAxes
from gammajax.maps.other_axes import LabelMapAxis, TimeMapAxis
from gammajax.units import ENERGY, to_quantity

MOST_AXES = 20


def column_names(axis: Any) -> tuple[str, str, str]:
    """Columns of the centre, lower and upper edge of an axis."""
    if axis.name == "energy":
        return "ENERGY", "E_MIN", "E_MAX"
    name = axis.name.upper()
    return name, f"{name}_MIN", f"{name}_MAX"


def axes_header(axes: MapAxes) -> dict[str, Any]:
    """Keywords that describe the axes."""
    header: dict[str, Any] = {}
    for number, axis in enumerate(axes, start=1):
        center, low, high = column_names(axis)
        edges = axis.node_type in ("edges", "intervals")
        header[f"AXCOLS{number}"] = f"{low},{high}" if edges else center
        if not isinstance(axis, LabelMapAxis):
            header[f"INTERP{number}"] = axis.interp
        if isinstance(axis, TimeMapAxis):
            header["MJDREFI"], header["MJDREFF"] = axis.reference_time
            header["TIMESYS"] = axis.scale
    return header


def bands_table(axes: MapAxes, name: str, extra: dict[str, Any] | None = None) -> Any:
    """The table of all bins as a `~astropy.io.fits.BinTableHDU`.

    Parameters
    ----------
    axes : `MapAxes`
    name : str
        Name of the extension.
    extra : dict of array, optional
        Further columns, one value for every bin.
    """
    from astropy.io import fits
    from astropy.table import Table

    table = Table({"CHANNEL": np.arange(axes.size)})
    for place, axis in enumerate(axes):
        center, low, high = column_names(axis)
        columns = {center: axis.center}
        if not isinstance(axis, LabelMapAxis):
            columns |= {low: axis.edges_min, high: axis.edges_max}
        for column, values in columns.items():
            shaped = values.reshape((-1,) + (1,) * place)
            flat = np.broadcast_to(shaped, axes.shape).ravel()
            table[column] = to_quantity(flat, axis.unit) if axis.unit else flat
    for column, values in (extra or {}).items():
        table[column] = values
    hdu = fits.BinTableHDU(table, name=name)
    hdu.header.update(axes_header(axes))
    return hdu


def read_axes(hdu: Any, where: str) -> MapAxes:
    """The axes of a table of bins.

    Parameters
    ----------
    hdu : `~astropy.io.fits.BinTableHDU`
        A ``_BANDS`` table, or ``ENERGIES`` or ``EBOUNDS`` of the Fermi-LAT tools. Those of
        the Fermi-LAT tools are in MeV (``EBOUNDS``: keV) if they state no unit.
    where : str
        File and extension, for error messages.

    Raises
    ------
    ValueError
        If a column is missing, the table is no product of axes, or an axis is not valid.
    """
    columns = {name.upper(): name for name in hdu.columns.names}
    if hdu.name == "ENERGIES" and ("ENERGY" in columns or "AXCOLS1" not in hdu.header):
        return _energies(hdu, columns, where)
    if hdu.name == "EBOUNDS" and "AXCOLS1" not in hdu.header:
        units = [_unit(hdu, columns[key]) or "keV" for key in ("E_MIN", "E_MAX")]
        low, high = (
            _energy(hdu, columns, key, unit, where)
            for key, unit in zip(("E_MIN", "E_MAX"), units, strict=True)
        )
        return MapAxes([_from_bins(low, high, "energy", ENERGY, "log", where)])
    axes = []
    for number in range(1, MOST_AXES):
        if f"AXCOLS{number}" not in hdu.header:
            break
        axes.append(_read_axis(hdu, columns, number, where))
    found = MapAxes(axes)
    rows = len(hdu.data)
    if not axes or found.size != rows:
        raise ValueError(
            f"{where}: has {rows} rows, and its axes {found.shape} make "
            f"{found.size}; AXCOLS1, ... have to name the columns of a regular grid"
        )
    return found


def _energies(hdu: Any, columns: dict[str, str], where: str) -> MapAxes:
    key = "ENERGY"
    if key not in columns:
        raise ValueError(f"{where}: has no column ENERGY (columns: {', '.join(columns)})")
    unit = _unit(hdu, columns[key]) or "MeV"
    nodes = _energy(hdu, columns, key, unit, where)
    return MapAxes([_checked(MapAxis.from_nodes, where, nodes, name="energy_true")])


def _energy(hdu: Any, columns: dict[str, str], key: str, unit: str, where: str) -> Any:
    return to_quantity(_column(hdu, columns, key, where), unit)


def _column(hdu: Any, columns: dict[str, str], key: str, where: str) -> np.ndarray:
    if key not in columns:
        raise ValueError(f"{where}: has no column {key} (columns: {', '.join(columns)})")
    values = np.asarray(hdu.data[columns[key]])
    return values if values.dtype.kind in "US" else values.astype(np.float64)


def _unit(hdu: Any, column: str) -> str:
    return hdu.columns[column].unit or ""


def _read_axis(hdu: Any, columns: dict[str, str], number: int, where: str) -> Any:
    keys = [key.strip().upper() for key in str(hdu.header[f"AXCOLS{number}"]).split(",")]
    if len(keys) not in (1, 2):
        raise ValueError(f"{where}: AXCOLS{number} names {keys}, expected one or two columns")
    values = [_column(hdu, columns, key, where) for key in keys]
    name = keys[0].lower().removesuffix("_min")
    name = "energy" if name == "e" else name
    if values[0].dtype.kind in "US":
        labels = list(dict.fromkeys(str(value) for value in values[0]))
        return _checked(LabelMapAxis, where, labels, name)
    unit = _unit(hdu, columns[keys[0]])
    default = "log" if is_energy(name) else "lin"
    interp = str(hdu.header.get(f"INTERP{number}", default)).strip()
    lower, first = np.unique(values[0], return_index=True)
    if len(keys) == 2 and name == "time":
        reference = (int(hdu.header["MJDREFI"]), float(hdu.header["MJDREFF"]))
        scale = str(hdu.header.get("TIMESYS", "tt")).lower()
        upper = values[1][first]
        return _checked(TimeMapAxis, where, lower, upper, reference, name, unit, scale)
    target = ENERGY if is_energy(name) else unit
    if len(keys) == 2:
        low, high = to_quantity(lower, unit), to_quantity(values[1][first], unit)
        return _from_bins(low, high, name, target, interp, where)
    nodes = to_quantity(lower, unit) if unit else lower
    return _checked(MapAxis.from_nodes, where, nodes, name=name, unit=target, interp=interp)


def _from_bins(low: Any, high: Any, name: str, unit: str, interp: str, where: str) -> MapAxis:
    """The axis of lower and upper edges that have to touch (to 1e-4 of a bin)."""
    low, high = low.to_value(unit), high.to_value(unit)
    if np.any(np.abs(low[1:] - high[:-1]) > 1e-4 * (high - low)[1:]):
        raise ValueError(f"{where}: the bins of {name} have gaps or overlap")
    edges = np.append(low, high[-1])
    return _checked(MapAxis, where, edges, name, unit, interp)


def _checked(make: Any, where: str, *arguments: Any, **options: Any) -> Any:
    try:
        return make(*arguments, **options)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
