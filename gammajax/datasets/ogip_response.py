"""The responses of OGIP spectra: effective area (ARF) and energy redistribution (RMF).

Format: OGIP memo CAL/GEN/92-002.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gammajax.datasets.files import energy_axis
from gammajax.fits import FitsFile
from gammajax.irf import EDispKernel
from gammajax.maps import MapAxis


def read_response(
    pha: FitsFile, arf_name: str | None, rmf_name: str | None
) -> tuple[EDispKernel, np.ndarray]:
    """The energy dispersion and the effective area in cm2 that a spectrum names.

    Without an RMF there is no dispersion, and the channels are those of the spectrum's own
    ``EBOUNDS``; without an ARF the matrix holds the area, as some telescopes have it.

    Raises
    ------
    ValueError
        If both are missing, are damaged, or do not fit each other.
    """
    path = pha.path
    if rmf_name is None and arf_name is None:
        raise ValueError(
            f"{path}: the header of SPECTRUM names neither ANCRFILE nor RESPFILE, so there is "
            "no response to fold a model with"
        )
    if rmf_name is None:
        energy_true, area = read_arf(path.parent / str(arf_name))
        edisp = EDispKernel.from_diagonal(energy_true, read_ebounds(pha))
    else:
        edisp = read_rmf(path.parent / rmf_name)
        energy_true, area = edisp.energy_true, np.ones(edisp.energy_true.nbin)
        if arf_name is not None:
            energy_true, area = read_arf(path.parent / arf_name)
        if not edisp.energy_true.is_close(energy_true):
            raise ValueError(
                f"{path}: RMF {rmf_name} and ARF {arf_name} have different true energies "
                f"({edisp.energy_true!r} against {energy_true!r})"
            )
    return EDispKernel(energy_true, edisp.energy, edisp.matrix), area


def read_ebounds(file: FitsFile) -> MapAxis:
    """The channels' energies."""
    return energy_axis(file, file.table("EBOUNDS"), "E_MIN", "E_MAX", name="energy")


def read_arf(path: Path) -> tuple[MapAxis, np.ndarray]:
    """True energies and the effective area in cm2."""
    file = FitsFile(path)
    table = file.table("SPECRESP")
    axis = energy_axis(file, table, "ENERG_LO", "ENERG_HI", name="energy_true")
    area = file.column(table, "SPECRESP", unit="cm2")
    bad = ~np.isfinite(area) | (area < 0)
    if bad.any():
        raise ValueError(
            f"{path}[SPECRESP]: the effective area is {area[bad][0]:g} cm2 in row "
            f"{int(np.nonzero(bad)[0][0])}, expected 0 or more"
        )
    return axis, area


def read_rmf(path: Path) -> EDispKernel:
    """The energy redistribution matrix."""
    file = FitsFile(path)
    table = file.table("MATRIX", "SPECRESP MATRIX")
    energy_true = energy_axis(file, table, "ENERG_LO", "ENERG_HI", name="energy_true")
    energy = read_ebounds(file)
    columns = [file.raw(table, name) for name in ("N_GRP", "F_CHAN", "N_CHAN", "MATRIX")]
    first = _first_channel(file, table)
    matrix = np.zeros((energy_true.nbin, energy.nbin))
    for row, (n_groups, *pieces) in enumerate(zip(*columns, strict=True)):
        starts, sizes, values = (np.atleast_1d(piece).ravel() for piece in pieces)
        used = 0
        for group in range(int(n_groups)):
            known = group < min(starts.size, sizes.size)
            start = int(starts[group]) - first if known else -1
            size = int(sizes[group]) if known else 0
            end = start + size
            if start < 0 or size < 0 or end > energy.nbin or used + size > values.size:
                raise ValueError(
                    f"{path}[{table.name}]: row {row}, group {group} fills channels {start} to "
                    f"{end} with {values.size - used} numbers, but EBOUNDS has {energy.nbin}"
                )
            matrix[row, start:end] += values[used : used + size]
            used += size
    try:
        return EDispKernel(energy_true, energy, matrix)
    except ValueError as error:
        raise ValueError(f"{path}[{table.name}]: {error}") from None


def _first_channel(file: FitsFile, table: Any) -> int:
    """The number of the first channel, 1 unless TLMIN of F_CHAN or EBOUNDS say otherwise."""
    key = f"TLMIN{table.columns.names.index('F_CHAN') + 1}"
    if file.get(table, key) is not None:
        return int(file.number(table, key))
    ebounds = file.table("EBOUNDS")
    if "CHANNEL" in ebounds.columns.names:
        return int(file.column(ebounds, "CHANNEL")[0])
    return 1
