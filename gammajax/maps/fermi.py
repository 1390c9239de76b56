"""Energy tables of the Fermi-LAT tools, and units of their files, which often state none.

Counts cubes have a table ``EBOUNDS`` of bins, exposure cubes and diffuse templates a table
``ENERGIES`` of nodes; gammajax reads both kinds as images and as HEALPix pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.units import ENERGY, conversion_factor

DIFFUSE = "cm-2 s-1 MeV-1 sr-1"
"""Unit of a diffuse template."""

EXPOSURE = "cm2 s"
"""Unit of an exposure cube."""

LEAST_EXPOSURE = 1e3
"""An exposure in cm2 s is above this: the LAT has some 1e4 cm2 for a second."""

MOST_DIFFUSE = 1.0
"""A diffuse intensity in cm-2 s-1 MeV-1 sr-1 is below this: at 30 MeV it is some 1e-3."""


def unit_of_energies(header: Any, values: np.ndarray, where: str) -> str:
    """The unit of a cube with a table ``ENERGIES`` whose header has no ``BUNIT``.

    A ``CREATOR`` of ``gtexp...`` says exposure. Otherwise the median of the positive values
    decides: above 1e3 they are an exposure, below 1 an intensity.

    Raises
    ------
    ValueError
        If neither the header nor the values tell.
    """
    creator = str(header.get("CREATOR", "")).strip()
    if creator.startswith("gtexp"):
        return EXPOSURE
    known = values[np.isfinite(values) & (values > 0)]
    middle = float(np.median(known)) if known.size else 0.0
    if middle > LEAST_EXPOSURE:
        return EXPOSURE
    if 0 < middle < MOST_DIFFUSE:
        return DIFFUSE
    raise ValueError(
        f"{where}: BUNIT is not set, and values around {middle:g} may be an exposure "
        f"({EXPOSURE}) or an intensity ({DIFFUSE}); set BUNIT in the header"
    )


def check_writable(found: Any, form: str) -> None:
    """A file of the tools holds one energy axis, of bins for counts and of nodes else."""
    axes = found.geom.axes
    if form == "fgst-ccube":
        fits = axes.names == ("energy",) and axes["energy"].node_type == "edges"
        wanted = "one axis 'energy' with bins"
    else:
        fits = axes.names == ("energy_true",) and axes["energy_true"].node_type == "center"
        wanted = "one axis 'energy_true' with nodes (MapAxis.from_nodes)"
    if not fits:
        raise ValueError(f"format {form}: the map has {axes!r}, expected {wanted}")
    if not getattr(found.geom, "is_regular", True):
        raise ValueError(
            f"format {form}: {found.geom!r} has different pixels for each energy, which the "
            "format cannot hold; write it in 'gadf', or use to_nside first"
        )


def with_unit(found: Any, form: str) -> Any:
    """The map in the unit that the tools expect: counts, exposure, or intensity."""
    wanted = {"fgst-ccube": "", "fgst-bexpcube": EXPOSURE, "fgst-template": DIFFUSE}[form]
    return found.to_unit(wanted)


def energy_table(geom: Any, name: str, form: str) -> Any:
    """The table of energies: bins in keV, or nodes in MeV."""
    from astropy.io import fits

    axis = geom.axes[0]
    if form == "fgst-ccube":
        scale = conversion_factor(ENERGY, "keV", where="energy")
        columns = [
            fits.Column("CHANNEL", "J", array=np.arange(1, axis.nbin + 1)),
            fits.Column("E_MIN", "D", unit="keV", array=axis.edges_min * scale),
            fits.Column("E_MAX", "D", unit="keV", array=axis.edges_max * scale),
        ]
        header = fits.Header(
            {"HDUCLASS": "OGIP", "HDUCLAS1": "RESPONSE", "HDUCLAS2": "EBOUNDS"}
        )
    else:
        scale = conversion_factor(ENERGY, "MeV", where="energy")
        columns = [fits.Column("Energy", "D", unit="MeV", array=axis.center * scale)]
        header = fits.Header()
    return fits.BinTableHDU.from_columns(columns, header=header, name=name)
