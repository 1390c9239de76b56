"""Writing OGIP spectra: a PHA file with its ARF, RMF and BKG.

Channels are numbered from 0, and ``TLMIN`` says so. Numbers are float64, bar the matrix,
which the format has in float32. Two columns of ``SPECTRUM`` are our own, and other readers
pass over them: ``BACKGROUND``, the background counts of a `SpectrumDataset`, and ``MASK_FIT``,
the bins of the fit range where it is not all of them. ``QUALITY`` is 0 in ``mask_safe`` and 5
(set bad by the user) outside.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.datasets.spectrum import SpectrumDataset, SpectrumDatasetOnOff
from gammajax.fits import table, write_tables
from gammajax.irf import EDispKernel
from gammajax.maps import MapAxis

BAD = 5
"""The value of QUALITY for a channel that the user set bad."""


def write(dataset: Any, path: Path, *, overwrite: bool) -> None:
    """Write a dataset; see `gammajax.datasets.write_ogip`."""
    if not isinstance(dataset, SpectrumDataset | SpectrumDatasetOnOff):
        raise ValueError(
            f"{path}: got a {type(dataset).__name__}, expected a SpectrumDataset or a "
            "SpectrumDatasetOnOff"
        )
    if not dataset.livetime > 0:
        raise ValueError(
            f"{path}: dataset {dataset.name!r} has the livetime {dataset.livetime}, and "
            "OGIP files hold effective area and livetime; give it with "
            "dataset.replace(livetime=...)"
        )
    names, tables = companions(path), {}
    ebounds = _ebounds(dataset.energy)
    if isinstance(dataset, SpectrumDatasetOnOff):
        tables[names["BACKFILE"]] = [_spectrum_off(dataset), ebounds]
    else:
        del names["BACKFILE"]
    times = [] if dataset.gti is None else [dataset.gti.to_hdu()]
    tables[path.name] = [_spectrum(dataset, names), ebounds, *times]
    tables[names["ANCRFILE"]] = [_area(dataset)]
    tables[names["RESPFILE"]] = [_matrix(dataset.edisp), ebounds]
    files = {path.with_name(name): content for name, content in tables.items()}
    write_tables(files, overwrite=overwrite)


def companions(path: Path) -> dict[str, str]:
    """The names of the files beside a PHA file, by the header keyword that names them."""
    stem = re.sub(r"\.(fits|fit|pha)?(\.gz)?$", "", path.name)
    suffix = path.name[len(stem) :] or ".fits"
    parts = {"ANCRFILE": "_arf", "RESPFILE": "_rmf", "BACKFILE": "_bkg"}
    return {key: f"{stem}{part}{suffix}" for key, part in parts.items()}


def _counts(values: np.ndarray) -> tuple[str, str | None, np.ndarray]:
    """Counts as integers, unless they are none (predicted counts in the place of data)."""
    whole = bool(np.all(values == np.rint(values)) and values.max() < 2**31)
    return ("J", None, values.astype(np.int32)) if whole else ("D", None, values)


def _spectrum(dataset: Any, names: dict[str, str]) -> Any:
    on_off = isinstance(dataset, SpectrumDatasetOnOff)
    scale = dataset.acceptance if on_off else np.ones(dataset.energy.nbin)
    columns = _channels(dataset.counts, scale, dataset.mask_safe)
    if not on_off:
        columns["BACKGROUND"] = ("D", None, dataset.background)
    if not dataset.mask_fit.all():
        columns["MASK_FIT"] = ("L", None, dataset.mask_fit)
    return table("SPECTRUM", columns, **_spectrum_header(dataset, "TOTAL"), **names)


def _spectrum_off(dataset: SpectrumDatasetOnOff) -> Any:
    columns = _channels(dataset.counts_off, dataset.acceptance_off, dataset.mask_safe)
    return table("SPECTRUM", columns, **_spectrum_header(dataset, "BKG"))


def _channels(counts: Any, scale: Any, safe: Any) -> dict[str, Any]:
    return {
        "CHANNEL": ("I", None, np.arange(counts.size)),
        "COUNTS": _counts(counts),
        "QUALITY": ("I", None, np.where(safe, 0, BAD)),
        "BACKSCAL": ("D", None, scale),
    }


def _spectrum_header(dataset: Any, kind: str) -> dict[str, Any]:
    return {
        "HDUCLASS": "OGIP",
        "HDUCLAS1": "SPECTRUM",
        "HDUCLAS2": kind,
        "HDUCLAS3": "COUNT",
        "HDUCLAS4": "TYPE:1",
        "HDUVERS": "1.2.1",
        "CHANTYPE": "PHA",
        "DETCHANS": dataset.energy.nbin,
        "TLMIN1": 0,
        "TLMAX1": dataset.energy.nbin - 1,
        "POISSERR": True,
        "AREASCAL": 1.0,
        "CORRSCAL": 0.0,
        "CORRFILE": "none",
        "EXPOSURE": dataset.livetime,
        "OBS_ID": dataset.name,
        "TELESCOP": str(dataset.meta.get("telescope") or "unknown"),
        "INSTRUME": "unknown",
        "FILTER": "none",
    }


def _ebounds(energy: MapAxis) -> Any:
    columns = {
        "CHANNEL": ("I", None, np.arange(energy.nbin)),
        "E_MIN": ("D", energy.unit, energy.edges_min),
        "E_MAX": ("D", energy.unit, energy.edges_max),
    }
    header = {"HDUCLASS": "OGIP", "HDUCLAS1": "RESPONSE", "HDUCLAS2": "EBOUNDS"}
    return table("EBOUNDS", columns, **header, CHANTYPE="PHA", DETCHANS=energy.nbin)


def _true_energies(axis: MapAxis) -> dict[str, Any]:
    return {
        "ENERG_LO": ("D", axis.unit, axis.edges_min),
        "ENERG_HI": ("D", axis.unit, axis.edges_max),
    }


def _area(dataset: Any) -> Any:
    columns = _true_energies(dataset.energy_true)
    columns["SPECRESP"] = ("D", "cm2", dataset.exposure / dataset.livetime)
    header = {"HDUCLASS": "OGIP", "HDUCLAS1": "RESPONSE", "HDUCLAS2": "SPECRESP"}
    return table("SPECRESP", columns, **header, HDUVERS="1.1.0")


def _matrix(edisp: EDispKernel) -> Any:
    rows = [_pieces(row) for row in edisp.matrix.astype(np.float32)]
    starts, sizes, values = (_ragged([row[i] for row in rows]) for i in range(3))
    columns = {
        **_true_energies(edisp.energy_true),
        "N_GRP": ("I", None, np.array([row[0].size for row in rows])),
        "F_CHAN": ("PI()", None, starts),
        "N_CHAN": ("PI()", None, sizes),
        "MATRIX": ("PE()", None, values),
    }
    header = {"HDUCLASS": "OGIP", "HDUCLAS1": "RESPONSE", "HDUCLAS2": "RSP_MATRIX"}
    return table(
        "MATRIX",
        columns,
        **header,
        HDUVERS="1.3.0",
        CHANTYPE="PHA",
        DETCHANS=edisp.energy.nbin,
        TLMIN4=0,
        NUMGRP=sum(row[0].size for row in rows),
        NUMELT=sum(row[2].size for row in rows),
    )


def _pieces(row: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First channels, lengths and values of the stretches of a row that are not zero."""
    filled = np.concatenate([[False], row > 0, [False]]).astype(np.int8)
    steps = np.diff(filled)
    starts, ends = np.nonzero(steps == 1)[0], np.nonzero(steps == -1)[0]
    return starts.astype(np.int16), (ends - starts).astype(np.int16), row[row > 0]


def _ragged(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of different lengths, as the array of objects that FITS columns take."""
    array = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        array[i] = row
    return array
