"""Point spread functions of Fermi-LAT as ``gtpsf`` writes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.fits import FitsFile
from gammajax.irf.table import check_positive
from gammajax.maps import MapAxis
from gammajax.units import conversion_factor, to_quantity

UNITS = {"ENERGY": "MeV", "EXPOSURE": "cm2 s", "PSF": "sr-1", "THETA": "deg"}
"""What the numbers of these files are in; the files do not say it."""


@dataclass(frozen=True, eq=False)
class FermiPSF:
    """Point spread function and exposure at one place of the sky, at nodes of energy.

    Parameters
    ----------
    energy : array, shape (energy,)
        In TeV.
    rad : array, shape (rad,)
        Distances from the source, in deg.
    psf : array, shape (energy, rad)
        In sr-1.
    exposure : array, shape (energy,)
        In cm2 s.

    Raises
    ------
    ValueError
        If shapes do not fit, energies or distances do not increase, or a number is negative
        or not finite.
    """

    energy: np.ndarray
    rad: np.ndarray
    psf: np.ndarray
    exposure: np.ndarray

    def __post_init__(self) -> None:
        shapes = (self.psf.shape, self.exposure.shape)
        wanted = ((self.energy.size, self.rad.size), (self.energy.size,))
        if shapes != wanted:
            raise ValueError(
                f"FermiPSF: psf and exposure have the shapes {shapes}, expected {wanted}"
            )
        for name in ("energy", "rad"):
            values = getattr(self, name)
            if not np.isfinite(values).all() or np.any(np.diff(values) <= 0) or values[0] < 0:
                raise ValueError(f"FermiPSF: {name} has to increase from 0 or more")
        check_positive(self.psf, "FermiPSF: psf")
        check_positive(self.exposure, "FermiPSF: exposure")

    @classmethod
    def read(cls, filename: str | Path) -> FermiPSF:
        """Read a file with the tables PSF and THETA.

        Raises
        ------
        ValueError
            If the file is damaged, lacks a table or column, or its numbers make no sense.
        """
        file = FitsFile(filename)
        spectrum, angles = file.table("PSF"), file.table("THETA")
        energy = _column(file, spectrum, "ENERGY") * conversion_factor("MeV", "TeV", where="")
        exposure = _column(file, spectrum, "EXPOSURE")
        psf = _column(file, spectrum, "PSF", ndim=2)
        rad = _column(file, angles, "THETA")
        try:
            return cls(energy, rad, psf, exposure)
        except ValueError as error:
            raise ValueError(f"{file.path}[PSF]: {error}") from None

    def containment(self, rad: Any) -> np.ndarray:
        """Fraction of the events within a radius in deg, shape (energy,).

        The density is linear between its nodes.
        """
        radius = np.clip(float(rad), self.rad[0], self.rad[-1])
        nodes = np.unique(np.append(self.rad[self.rad < radius], radius))
        r = np.linspace(0, 1, 9) * np.diff(nodes)[:, None] + nodes[:-1, None]
        density = np.stack([np.interp(r, self.rad, row) for row in self.psf])
        ring = 2 * np.pi * np.sin(np.deg2rad(r)) * density
        inner = np.pi * np.deg2rad(self.rad[0]) ** 2 * self.psf[:, 0]
        return inner + np.trapezoid(ring, np.deg2rad(r), axis=-1).sum(axis=-1)

    def to_psf_map(self, *, frame: str = "icrs") -> Any:
        """The same function all over the sky, as a `PSFMap` that the exposure weighs."""
        from gammajax.irf.psf_map import PSFMap

        energy = MapAxis.from_nodes(self.energy, name="energy_true")
        rad = MapAxis.from_nodes(self.rad, name="rad", unit="deg", interp="lin")
        return PSFMap.from_table(energy, rad, self.psf, exposure=self.exposure, frame=frame)

    def quantity(self, name: str) -> Any:
        """``energy``, ``rad``, ``psf`` or ``exposure`` as a `~astropy.units.Quantity`."""
        units = {"energy": "TeV", "rad": "deg", "psf": "sr-1", "exposure": "cm2 s"}
        return to_quantity(getattr(self, name), units[name])

    def __repr__(self) -> str:
        low, high = self.energy[[0, -1]]
        return (
            f"FermiPSF({self.energy.size} energies from {low:.4g} to {high:.4g} TeV, "
            f"{self.rad.size} distances up to {self.rad[-1]:.4g} deg)"
        )


def _column(file: FitsFile, table: Any, name: str, ndim: int = 1) -> np.ndarray:
    """A column whose name may be in any case, in the unit that the format has."""
    known = {found.upper(): found for found in table.columns.names}
    values = file.column(table, known.get(name, name), ndim=ndim)
    given = table.columns[known[name]].unit or UNITS[name]
    where = f"{file.path}[{table.name}]: column {name}"
    return values * conversion_factor(given, UNITS[name], where=where)
