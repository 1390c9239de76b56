"""Energy axes and good times, as the files of spectra have them."""

from __future__ import annotations

from typing import Any

from gammajax.data import GTI
from gammajax.fits import FitsFile
from gammajax.maps import MapAxis
from gammajax.units import ENERGY

LOWEST = 1e-3
"""What a first edge of 0 is read as, in units of the next one."""


def good_times(file: FitsFile) -> GTI | None:
    """The good time intervals of a file; None if it has none."""
    if not any(hdu.name == "GTI" for hdu in file.hdus):
        return None
    return GTI.read(file) if len(file.table("GTI").data) else None


def energy_axis(file: FitsFile, table: Any, low: str, high: str, *, name: str) -> MapAxis:
    """The energy axis of two columns of lower and upper edges.

    A first edge at 0, for which a logarithmic axis has no place, is read as `LOWEST` times
    the next edge.
    """
    edges = file.edges(table, low, high, ENERGY)
    if edges[0] == 0:
        edges[0] = LOWEST * edges[1]
    try:
        return MapAxis(edges, name)
    except ValueError as error:
        where = f"{file.path}[{table.name}]: columns {low} and {high}"
        raise ValueError(f"{where}: {error}") from None
