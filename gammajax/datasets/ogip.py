"""OGIP spectra: PHA files with the BKG, ARF and RMF files that they name.

Formats: OGIP memos OGIP/92-007 (PHA) and CAL/GEN/92-002 (ARF, RMF).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gammajax.datasets.files import LOWEST, good_times
from gammajax.datasets.grouping import group_bins
from gammajax.datasets.ogip_response import read_response
from gammajax.datasets.spectrum import SpectrumDataset, SpectrumDatasetOnOff
from gammajax.fits import FitsFile


def read_ogip(filename: str | Path, *, name: str | None = None) -> Any:
    """Read a spectrum in OGIP format, with the files that its header names.

    Parameters
    ----------
    filename : path-like
        The PHA file. ``ANCRFILE``, ``RESPFILE`` and ``BACKFILE`` are looked up beside it.
    name : str, optional
        Name of the dataset; by default the file's ``OBS_ID``, else its stem without a
        leading ``pha_``.

    Returns
    -------
    dataset : `SpectrumDatasetOnOff`, or `SpectrumDataset` if there is no ``BACKFILE``
        Bins with a ``QUALITY`` other than 0 are outside ``mask_safe``. ``alpha`` is the ratio
        of ``BACKSCAL`` times ``AREASCAL`` times ``EXPOSURE``, on over off. Channels that
        ``GROUPING`` joins are one bin, see `gammajax.datasets.grouping.group_bins`.

    Raises
    ------
    ValueError
        If a file is missing, damaged, lacks a table, column or keyword, or if the files do
        not fit each other. The message names file and table.
    """
    path = Path(filename)
    pha = FitsFile(path)
    spectrum = pha.table("SPECTRUM")
    exposure_time = _positive(pha, spectrum, "EXPOSURE")
    counts = _counts(pha, spectrum, exposure_time)
    arf, rmf, bkg = (_named(pha, spectrum, key) for key in ("ANCRFILE", "RESPFILE", "BACKFILE"))
    edisp, area = read_response(pha, arf, rmf)
    if counts.size != edisp.energy.nbin:
        raise ValueError(
            f"{path}: {counts.size} channels in SPECTRUM, but {edisp.energy.nbin} in EBOUNDS "
            f"of {rmf or path.name}"
        )
    _check_lowest(path, edisp, area)
    fields: dict[str, Any] = {
        "name": name or _default_name(pha, spectrum),
        "energy": edisp.energy,
        "energy_true": edisp.energy_true,
        "counts": counts,
        "exposure": area * exposure_time,
        "edisp": edisp,
        "mask_safe": _quality(pha, spectrum, counts.size),
        "livetime": exposure_time,
        "gti": good_times(pha),
        "meta": {"filename": str(path), "telescope": pha.get(spectrum, "TELESCOP", "")},
    }
    if "MASK_FIT" in spectrum.columns.names:
        fields["mask_fit"] = pha.column(spectrum, "MASK_FIT") != 0
    if bkg is not None:
        off = _read_off(pha, bkg, spectrum, exposure_time)
        dataset = SpectrumDatasetOnOff(**fields, **off)
    else:
        known = "BACKGROUND" in spectrum.columns.names
        background = pha.column(spectrum, "BACKGROUND") if known else 0.0
        dataset = SpectrumDataset(**fields, background=background)
    if "GROUPING" not in spectrum.columns.names:
        return dataset
    return group_bins(dataset, pha.column(spectrum, "GROUPING") != -1)


def _check_lowest(path: Path, edisp: Any, area: np.ndarray) -> None:
    """A first true energy of 0 is harmless only where nothing is detected."""
    edges = edisp.energy_true.edges
    if edges[0] == LOWEST * edges[1] and area[0] * edisp.matrix[0].sum() > 0:
        raise ValueError(
            f"{path}: the first true energy bin of its response starts at 0, where a power law "
            "is infinite, and has an effective area; set it to 0 there, or cut the bin off"
        )


def _read_off(pha: FitsFile, bkg_name: str, on: Any, on_time: float) -> dict[str, Any]:
    bkg = FitsFile(pha.path.parent / bkg_name)
    off = bkg.table("SPECTRUM")
    off_time = on_time if bkg.get(off, "EXPOSURE") is None else _positive(bkg, off, "EXPOSURE")
    counts_off = _counts(bkg, off, off_time)
    if counts_off.size != len(on.data):
        raise ValueError(
            f"{bkg.path}: {counts_off.size} channels, but {len(on.data)} in {pha.path.name}"
        )
    scales = {}
    for key, file, table, time in (("on", pha, on, on_time), ("off", bkg, off, off_time)):
        scale = _column_or_key(file, table, "BACKSCAL", 1.0)
        scales[key] = scale * _column_or_key(file, table, "AREASCAL", 1.0) * (time / on_time)
    return {
        "counts_off": counts_off,
        "acceptance": scales["on"],
        "acceptance_off": scales["off"],
    }


def _default_name(file: FitsFile, spectrum: Any) -> str:
    obs_id = file.get(spectrum, "OBS_ID")
    if obs_id not in (None, "", 0):
        return str(obs_id)
    return file.path.name.split(".")[0].removeprefix("pha_")


def _named(file: FitsFile, table: Any, key: str) -> str | None:
    """The file that a header keyword names; OGIP writes ``none`` for no file."""
    value = str(file.get(table, key, "")).strip()
    return None if value.lower() in ("", "none") else value


def _positive(file: FitsFile, table: Any, key: str) -> float:
    value = file.number(table, key)
    if not value > 0:
        raise ValueError(
            f"{file.path}[{table.name}]: {key} is {value:g}, expected a time above 0"
        )
    return value


def _counts(file: FitsFile, table: Any, exposure_time: float) -> np.ndarray:
    names = [name for name in ("COUNTS", "RATE") if name in table.columns.names]
    if not names:
        raise ValueError(f"{file.path}[{table.name}]: has neither a COUNTS nor a RATE column")
    counts = file.column(table, names[0])
    bad = ~np.isfinite(counts) | (counts < 0)
    if bad.any():
        raise ValueError(
            f"{file.path}[{table.name}]: {names[0]} is {counts[bad][0]:g} in row "
            f"{int(np.nonzero(bad)[0][0])}, expected 0 or more"
        )
    return counts if names[0] == "COUNTS" else counts * exposure_time


def _quality(file: FitsFile, table: Any, size: int) -> np.ndarray:
    if "QUALITY" in table.columns.names:
        return file.column(table, "QUALITY") == 0
    return np.full(size, file.number(table, "QUALITY", 0) == 0)


def _column_or_key(file: FitsFile, table: Any, key: str, default: float) -> np.ndarray:
    if key in table.columns.names:
        values = file.column(table, key)
    else:
        values = np.full(len(table.data), file.number(table, key, default))
    if not np.all(np.isfinite(values)) or np.any(values < 0):
        raise ValueError(
            f"{file.path}[{table.name}]: {key} has values that are negative or no number"
        )
    return values


def write_ogip(dataset: Any, filename: str | Path, *, overwrite: bool = False) -> None:
    """Write a dataset as PHA, ARF, RMF and (for on-off data) BKG files.

    Parameters
    ----------
    dataset : `SpectrumDatasetOnOff` or `SpectrumDataset`
    filename : path-like
        The PHA file; the others are written beside it, with ``_arf``, ``_rmf`` and ``_bkg``
        after its stem. All of them are in place, or none.
    overwrite : bool
        Whether files that are there may be replaced.
    """
    from gammajax.datasets.ogip_write import write

    write(dataset, Path(filename), overwrite=overwrite)
