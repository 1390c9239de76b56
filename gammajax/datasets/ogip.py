"""OGIP spectra: PHA files with the BKG, ARF and RMF files that they name.

Formats: OGIP memos OGIP/92-007 (PHA) and CAL/GEN/92-002 (ARF, RMF).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gammajax.datasets.files import FitsFile
from gammajax.datasets.spectrum import SpectrumDataset, SpectrumDatasetOnOff
from gammajax.irf import EDispKernel
from gammajax.maps import MapAxis


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
        of ``BACKSCAL`` times ``AREASCAL`` times ``EXPOSURE``, on over off.

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
    arf_name, rmf_name, bkg_name = (
        _named(spectrum, key) for key in ("ANCRFILE", "RESPFILE", "BACKFILE")
    )
    if rmf_name is None and arf_name is None:
        raise ValueError(
            f"{path}: the header of SPECTRUM names neither ANCRFILE nor RESPFILE, so there is "
            "no response to fold a model with"
        )
    edisp = _read_rmf(path.parent / rmf_name) if rmf_name else None
    energy = edisp.energy if edisp is not None else _read_ebounds(pha)
    if arf_name:
        energy_true, area = _read_arf(path.parent / arf_name)
    else:
        assert edisp is not None
        energy_true, area = edisp.energy_true, np.ones(edisp.energy_true.nbin)
    if edisp is None:
        edisp = EDispKernel.from_diagonal(energy_true, energy)
    elif not edisp.energy_true.is_close(energy_true):
        raise ValueError(
            f"{path}: RMF {rmf_name} and ARF {arf_name} have different true energies "
            f"({edisp.energy_true!r} against {energy_true!r})"
        )
    if counts.size != energy.nbin:
        raise ValueError(
            f"{path}: {counts.size} channels in SPECTRUM, but {energy.nbin} in EBOUNDS of "
            f"{rmf_name or path.name}"
        )
    common = {
        "name": name or _default_name(path, spectrum),
        "energy": energy,
        "energy_true": energy_true,
        "counts": counts,
        "exposure": area * exposure_time,
        "edisp": edisp,
        "mask_safe": _quality(spectrum, counts.size),
        "livetime": exposure_time,
        "meta": {"filename": str(path), "telescope": spectrum.header.get("TELESCOP", "")},
    }
    if "MASK_FIT" in spectrum.columns.names:
        common["mask_fit"] = np.asarray(spectrum.data["MASK_FIT"], dtype=bool)
    if bkg_name is None:
        background = 0.0
        if "BACKGROUND" in spectrum.columns.names:
            background = pha.column(spectrum, "BACKGROUND")
        return SpectrumDataset(**common, background=background)
    return SpectrumDatasetOnOff(**common, **_read_off(path, bkg_name, spectrum, exposure_time))


def _read_off(path: Path, bkg_name: str, on: Any, on_time: float) -> dict[str, np.ndarray]:
    bkg = FitsFile(path.parent / bkg_name)
    off = bkg.table("SPECTRUM")
    off_time = _positive(bkg, off, "EXPOSURE") if "EXPOSURE" in off.header else on_time
    counts_off = _counts(bkg, off, off_time)
    if counts_off.size != len(on.data):
        raise ValueError(
            f"{bkg.path}: {counts_off.size} channels, but {len(on.data)} in {path.name}"
        )
    scales = {}
    for key, file, table, time in (("on", path, on, on_time), ("off", bkg.path, off, off_time)):
        scale = _column_or_key(file, table, "BACKSCAL", 1.0)
        scales[key] = scale * _column_or_key(file, table, "AREASCAL", 1.0) * (time / on_time)
    return {
        "counts_off": counts_off,
        "acceptance": scales["on"],
        "acceptance_off": scales["off"],
    }


def _default_name(path: Path, spectrum: Any) -> str:
    obs_id = spectrum.header.get("OBS_ID")
    if obs_id not in (None, "", 0):
        return str(obs_id)
    return path.name.split(".")[0].removeprefix("pha_")


def _named(table: Any, key: str) -> str | None:
    """The file that a header keyword names; OGIP writes ``none`` for no file."""
    value = str(table.header.get(key, "")).strip()
    return None if value.lower() in ("", "none") else value


def _positive(file: FitsFile, table: Any, key: str) -> float:
    value = file.keyword(table, key)
    if not isinstance(value, (int, float)) or not value > 0:
        raise ValueError(
            f"{file.path}[{table.name}]: {key} is {value!r}, expected a time above 0"
        )
    return float(value)


def _counts(file: FitsFile, table: Any, exposure_time: float) -> np.ndarray:
    if "COUNTS" in table.columns.names:
        return file.column(table, "COUNTS")
    if "RATE" in table.columns.names:
        return file.column(table, "RATE") * exposure_time
    raise ValueError(f"{file.path}[{table.name}]: has neither a COUNTS nor a RATE column")


def _quality(table: Any, size: int) -> np.ndarray:
    if "QUALITY" in table.columns.names:
        return np.asarray(table.data["QUALITY"]) == 0
    return np.full(size, table.header.get("QUALITY", 0) == 0)


def _column_or_key(path: Path, table: Any, key: str, default: float) -> np.ndarray:
    if key in table.columns.names:
        values = np.asarray(table.data[key], dtype=np.float64)
    else:
        values = np.full(len(table.data), float(table.header.get(key, default)))
    if not np.all(np.isfinite(values)) or np.any(values < 0):
        raise ValueError(
            f"{path}[{table.name}]: {key} has values that are negative or no number"
        )
    return values


def _read_ebounds(file: FitsFile) -> MapAxis:
    table = file.table("EBOUNDS")
    return file.axis(table, "E_MIN", "E_MAX", name="energy")


def _read_arf(path: Path) -> tuple[MapAxis, np.ndarray]:
    file = FitsFile(path)
    table = file.table("SPECRESP")
    axis = file.axis(table, "ENERG_LO", "ENERG_HI", name="energy_true")
    area = file.column(table, "SPECRESP", unit="cm2")
    if np.any(~np.isfinite(area)) or np.any(area < 0):
        raise ValueError(f"{path}[SPECRESP]: the effective area is negative or no number")
    return axis, area


def _read_rmf(path: Path) -> EDispKernel:
    file = FitsFile(path)
    table = file.table("MATRIX", "SPECRESP MATRIX")
    energy_true = file.axis(table, "ENERG_LO", "ENERG_HI", name="energy_true")
    energy = _read_ebounds(file)
    data = {name: file.raw(table, name) for name in ("N_GRP", "F_CHAN", "N_CHAN", "MATRIX")}
    first = _first_channel(file, table)
    matrix = np.zeros((energy_true.nbin, energy.nbin))
    for row in range(energy_true.nbin):
        starts = np.atleast_1d(data["F_CHAN"][row])
        sizes = np.atleast_1d(data["N_CHAN"][row])
        values = np.atleast_1d(data["MATRIX"][row])
        used = 0
        for group in range(int(data["N_GRP"][row])):
            start, size = int(starts[group]) - first, int(sizes[group])
            if start < 0 or start + size > energy.nbin or used + size > values.size:
                raise ValueError(
                    f"{path}[{table.name}]: row {row} fills channels {start} to "
                    f"{start + size}, but EBOUNDS has {energy.nbin}"
                )
            matrix[row, start : start + size] += values[used : used + size]
            used += size
    try:
        return EDispKernel(energy_true, energy, matrix)
    except ValueError as error:
        raise ValueError(f"{path}[{table.name}]: {error}") from None


def _first_channel(file: FitsFile, table: Any) -> int:
    """The number of the first channel, 1 unless TLMIN of F_CHAN or EBOUNDS say otherwise."""
    column = table.columns.names.index("F_CHAN") + 1
    if f"TLMIN{column}" in table.header:
        return int(table.header[f"TLMIN{column}"])
    ebounds = file.table("EBOUNDS")
    if "CHANNEL" in ebounds.columns.names:
        return int(ebounds.data["CHANNEL"][0])
    return 1


def write_ogip(dataset: Any, filename: str | Path, *, overwrite: bool = False) -> None:
    """Write a dataset as PHA, ARF, RMF and (for on-off data) BKG files.

    Parameters
    ----------
    dataset : `SpectrumDatasetOnOff` or `SpectrumDataset`
    filename : path-like
        The PHA file; the others are written beside it, with ``_arf``, ``_rmf`` and ``_bkg``
        after its stem.
    overwrite : bool
        Whether files that are there may be replaced.
    """
    from gammajax.datasets.ogip_write import write

    write(dataset, Path(filename), overwrite=overwrite)
