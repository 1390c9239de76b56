"""Response tables in files: the open gamma-ray astronomy formats (GADF), old names included.

A column of edges or values without a unit is in the unit that the format asks for, as in the
files of the first CTA data challenge. A unit that is there is converted, or is an error.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.fits import Block, FitsFile, write_tables
from gammajax.irf.axis import GridAxis
from gammajax.irf.background import Background2D, Background3D
from gammajax.irf.effective_area import EffectiveAreaTable2D
from gammajax.irf.energy_dispersion import EnergyDispersion2D
from gammajax.irf.parametric_psf import EnergyDependentMultiGaussPSF, PSFKing
from gammajax.irf.psf import PSF3D
from gammajax.irf.rad_max import RadMax2D
from gammajax.irf.table import ALIGNMENTS, IRF, AxisForm
from gammajax.storage import suggest
from gammajax.units import conversion_factor

KINDS: tuple[type[IRF], ...] = (
    EffectiveAreaTable2D,
    EnergyDispersion2D,
    PSF3D,
    EnergyDependentMultiGaussPSF,
    PSFKing,
    Background2D,
    Background3D,
    RadMax2D,
)
BY_CLASS = {kind.hdu_class: kind for kind in KINDS}

PREFIXES = {"EFF_AREA": "AEFF_", "EDISP": "EDISP_", "RPSF": "PSF_", "PSF": "PSF_"}
PREFIXES |= {"BKG": "BKG_", "RAD_MAX": "RAD_MAX_"}
"""What older files leave out of HDUCLAS4, by HDUCLAS2."""

PARTS = {
    "EFF_AREA": "aeff",
    "EDISP": "edisp",
    "RPSF": "psf",
    "BKG": "bkg",
    "RAD_MAX": "rad_max",
}
"""Parts of runs, by HDUCLAS2."""

STANDARD = {"EFFAREA": "m2", "BKG": "s-1 MeV-1 sr-1", "BGD": "s-1 MeV-1 sr-1"}
"""Units of the format where they are not the canonical ones here."""

LOWEST = 1e-3
"""What a first energy of 0 is read as, in units of the next one."""


def read_irf(
    file: str | Path | FitsFile,
    hdu: str | None = None,
    *,
    kind: type[Any] | None = None,
    hdu_class: str | None = None,
) -> Any:
    """Read a response table of any kind.

    Parameters
    ----------
    file : path-like or `gammajax.fits.FitsFile`
    hdu : str, optional
        Name of the extension; by default the only one that is of this ``kind``.
    kind : type, optional
        The class that it has to be.
    hdu_class : str, optional
        The class that an index table names, for files that do not say it themselves.

    Returns
    -------
    irf : one of `EffectiveAreaTable2D`, `EnergyDispersion2D`, `PSF3D`,
        `EnergyDependentMultiGaussPSF`, `PSFKing`, `Background2D`, `Background3D`, `RadMax2D`

    Raises
    ------
    ValueError
        If the file is damaged, the extension is of another kind, its units do not convert, or
        a value is negative or not a number; the message starts with file and extension.
    """
    file = file if isinstance(file, FitsFile) else FitsFile(file)
    block = file.block(hdu.upper()) if hdu else _find(file, kind)
    where = f"{file.path}[{block.name}]"
    found = _kind_of(block, where, hdu_class)
    if kind is not None and not issubclass(found, kind):
        raise ValueError(f"{where}: holds a {found.__name__}, expected a {kind.__name__}")
    table = file.hdu(block)
    axes = [_axis(file, table, form) for form in found.forms]
    values = [
        _values(file, table, names, unit, [axis.nbin for axis in axes], found.forms)
        for names, unit in zip(found.quantities.columns, found.quantities.units, strict=True)
    ]
    alignment = str(file.get(table, "FOVALIGN", "RADEC")).upper()
    if alignment not in ALIGNMENTS:
        raise ValueError(
            f"{where}: FOVALIGN is {alignment!r}, expected one of {', '.join(ALIGNMENTS)}"
        )
    point_like = file.get(table, "HDUCLAS3") == "POINT-LIKE"
    try:
        array = values[0] if len(values) == 1 else np.stack(values)
        return found(axes, array, point_like=point_like, fov_alignment=alignment)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _find(file: FitsFile, kind: type[IRF] | None) -> Block:
    """The table of the kind wanted, if there is just one."""
    tables = file.tables
    if kind is not None:
        tables = [t for t in tables if hdu_class_of(t) == getattr(kind, "hdu_class", "")]
    if len(tables) != 1:
        names = ", ".join(file.names[1:]) or "none"
        what = kind.__name__ if kind else "response"
        raise ValueError(
            f"{file.path}: has {len(tables)} tables that may hold the {what}; name one with "
            f"hdu=... (extensions: {names})"
        )
    return tables[0]


def hdu_class_of(block: Block) -> str:
    """HDUCLAS4 as the format has it now; empty for what is no response.

    Where the keyword is missing, as in the parametric point spread functions that gammapy
    writes, the columns of edges and values tell.
    """
    name = str(block.header.get("HDUCLAS4", "")).strip().upper()
    if not name:
        return next((key for key, kind in BY_CLASS.items() if _has_columns(block, kind)), "")
    prefix = PREFIXES.get(str(block.header.get("HDUCLAS2", "")).strip().upper(), "")
    return name if name in BY_CLASS else prefix + name


def part_of(block: Block) -> str:
    """Which part of a run a response is: ``aeff``, ``edisp``, ``psf``, ``bkg``, ``rad_max``."""
    kind = BY_CLASS.get(hdu_class_of(block))
    return "" if kind is None else PARTS[kind.hduclas2]


def _has_columns(block: Block, kind: type[IRF]) -> bool:
    there = {str(value) for key, value in block.header.items() if key.startswith("TTYPE")}
    edges = [[f"{column}_LO" for column in form.columns] for form in kind.forms]
    return all(there & set(names) for names in (*edges, *kind.quantities.columns))


def _kind_of(block: Block, where: str, hdu_class: str | None) -> type[IRF]:
    name = hdu_class_of(block) or str(hdu_class or "").upper()
    if name not in BY_CLASS:
        known = suggest(name, list(BY_CLASS))
        raise ValueError(
            f"{where}: HDUCLAS4 is {name or 'missing'!r}, which is no response table{known}"
        )
    return BY_CLASS[name]


def _column(file: FitsFile, table: Any, name: str, unit: str) -> np.ndarray:
    """The array in the one row of a column, converted to ``unit``."""
    where = f"{file.path}[{table.name}]: column {name}"
    values = file.column(table, name, ndim=9)
    if values.shape[0] != 1:
        raise ValueError(f"{where} has {values.shape[0]} rows, expected one")
    given = table.columns[name].unit or STANDARD.get(name, unit)
    return np.asarray(values[0]) * conversion_factor(_readable(str(given)), unit, where=where)


def _readable(unit: str) -> str:
    """A unit with one division at most: ``1/s/MeV/sr``, as some files have it, is clear."""
    first, *below = unit.split("/")
    return f"{first}/({' '.join(below)})" if len(below) > 1 and "(" not in unit else unit


def _prefix(table: Any, form: AxisForm) -> str:
    """The columns of an axis, less ``_LO`` and ``_HI``."""
    there = set(table.columns.names)
    return next((name for name in form.columns if f"{name}_LO" in there), form.columns[0])


def _axis(file: FitsFile, table: Any, form: AxisForm) -> GridAxis:
    prefix = _prefix(table, form)
    low, high = (
        np.atleast_1d(_column(file, table, f"{prefix}_{end}", form.unit))
        for end in ("LO", "HI")
    )
    if form.scale == "log" and low.size and low[0] == 0:
        low[0] = LOWEST * high[0]
    try:
        return GridAxis(low, high, form.name, form.unit, form.scale, form.outside)
    except ValueError as error:
        raise ValueError(f"{file.path}[{table.name}]: columns {prefix}_*: {error}") from None


def _values(
    file: FitsFile,
    table: Any,
    names: tuple[str, ...],
    unit: str,
    sizes: list[int],
    forms: tuple[AxisForm, ...],
) -> np.ndarray:
    """A column of values with its axes in the order of ``forms``."""
    there = set(table.columns.names)
    name = next((name for name in names if name in there), names[0])
    values = _column(file, table, name, unit)
    by_name = dict(zip((_prefix(table, form) for form in forms), sizes, strict=True))
    written = _written_order(file, table, name, by_name, values)
    shape = [by_name[prefix] for prefix in written]
    order = [written.index(_prefix(table, form)) for form in forms]
    return values.reshape(shape).transpose(order)


def _written_order(
    file: FitsFile, table: Any, name: str, sizes: dict[str, int], values: np.ndarray
) -> list[str]:
    """The axes of a column, slowest first.

    The keyword CREF says it. Where it is missing, backgrounds whose energies are not the first
    of the columns have the energy slowest and the latitude fastest, if the sizes fit to that:
    the events of the public H.E.S.S. runs prefer it to the order of their columns, by 334 in
    ln L. Else the order of the columns of the edges counts, the fastest first as the format
    recommends; then the reverse, which some programs write; then whatever order fits.
    """
    number = table.columns.names.index(name) + 1
    stated = re.findall(r"(\w+)_LO", str(file.get(table, f"CREF{number}", "")))
    columns = [c.removesuffix("_LO") for c in table.columns.names if c.endswith("_LO")]
    columns = [c for c in columns if c in sizes]
    energy_last = name in ("BKG", "BGD") and columns[0] != next(iter(sizes))
    energy_first = [list(sizes)[::-1]] if energy_last else []
    guesses = [stated, *energy_first, columns, columns[::-1], *itertools.permutations(sizes)]
    for fastest_first in guesses:
        order = list(fastest_first)[::-1]
        if sorted(order) == sorted(sizes) and _fits(values, [sizes[c] for c in order]):
            return order
    raise ValueError(
        f"{file.path}[{table.name}]: column {name} has shape {values.shape}, the axes want "
        f"{', '.join(f'{size} {prefix}' for prefix, size in sizes.items())}"
    )


def _fits(values: np.ndarray, shape: list[int]) -> bool:
    """Whether an array has this shape, or is flat and of this size."""
    flat = values.ndim <= 1 and len(shape) > 1
    return values.size == np.prod(shape) if flat else list(values.shape) == shape


def write_irfs(
    irfs: Mapping[str, IRF], filename: str | Path, *, overwrite: bool = False
) -> None:
    """Write response tables as the extensions of one GADF file.

    Parameters
    ----------
    irfs : mapping of extension names to tables
    filename : path-like
    overwrite : bool
        Whether a file that is there may be replaced.
    """
    tables = [irf_hdu(irf, name) for name, irf in irfs.items()]
    write_tables({Path(filename): tables}, overwrite=overwrite)


def irf_hdu(irf: IRF, name: str) -> Any:
    """A response table as a FITS extension; its first axis varies fastest, and CREF says so."""
    from astropy.io import fits

    columns = []
    for form, axis in zip(irf.forms, irf.axes, strict=True):
        for end, edges in (("LO", axis.edges_min), ("HI", axis.edges_max)):
            key, size = f"{form.columns[0]}_{end}", f"{axis.nbin}D"
            columns.append(fits.Column(key, size, axis.unit or None, array=edges[None]))
    tables = irf.values if len(irf.quantities.units) > 1 else irf.values[None]
    sizes = [axis.nbin for axis in irf.axes]
    header = {"EXTNAME": name.upper()}
    for names, unit, values in zip(
        irf.quantities.columns, irf.quantities.units, tables, strict=True
    ):
        to = STANDARD.get(names[0], unit)
        array = np.transpose(values)[None]
        array = array * conversion_factor(unit, to, where=name)
        dim = f"({','.join(map(str, sizes))})"
        columns.append(
            fits.Column(names[0], f"{array.size}D", to or None, dim=dim, array=array)
        )
        cref = ",".join(f"{form.columns[0]}_LO:{form.columns[0]}_HI" for form in irf.forms)
        header[f"CREF{len(columns)}"] = f"({cref})"
    header |= {
        "HDUCLASS": "GADF",
        "HDUDOC": "https://github.com/open-gamma-ray-astro/gamma-astro-data-formats",
        "HDUVERS": "0.3",
        "HDUCLAS1": "RESPONSE",
        "HDUCLAS2": irf.hduclas2,
        "HDUCLAS3": "POINT-LIKE" if irf.point_like else "FULL-ENCLOSURE",
        "HDUCLAS4": irf.hdu_class,
    }
    if irf.hduclas2 == "BKG":
        header["FOVALIGN"] = irf.fov_alignment
    hdu = fits.BinTableHDU.from_columns(columns)
    for key, value in header.items():
        hdu.header[key] = value
    return hdu
