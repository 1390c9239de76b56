"""Maps of fluxes, errors and significances."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.data.flux_norms import REFERENCES
from gammajax.maps import Map
from gammajax.models import Models, SkyModel

FLUXES = ("", "_err", "_errn", "_errp", "_ul")
"""Endings of the maps that scale with the reference spectrum."""


@dataclass(frozen=True, eq=False, kw_only=True)
class FluxMaps:
    """What an estimator found in each pixel and bin of energy.

    Parameters
    ----------
    maps : dict of `~gammajax.maps.Map`
        ``norm``, ``norm_err``, ``norm_errn``, ``norm_errp``, ``norm_ul`` relative to the
        reference model, ``ts``, ``sqrt_ts``, ``counts``, ``npred``, ``npred_excess`` and
        others, all on the same pixels with the axis ``energy``.
    model : `~gammajax.models.SkyModel`
        Whose spectrum is the reference.
    notes : tuple of str
        What is unusual, in words.
    meta : dict

    Raises
    ------
    ValueError
        If maps are missing, or their shapes differ.
    """

    maps: dict[str, Map]
    model: SkyModel
    notes: tuple[str, ...] = ()
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.maps:
            raise ValueError("FluxMaps: got no maps")
        shape = next(iter(self.maps.values())).data.shape
        for name, found in self.maps.items():
            if found.geom.axes.names != ("energy",) or found.data.shape != shape:
                raise ValueError(
                    f"FluxMaps: {name} has the axes {found.geom.axes.names} and shape "
                    f"{found.data.shape}, expected the axis 'energy' and shape {shape}"
                )

    @property
    def geom(self) -> Any:
        """The geometry of all maps."""
        return next(iter(self.maps.values())).geom

    @property
    def energy(self) -> Any:
        """The axis of energy."""
        return self.geom.axes["energy"]

    def reference(self, sed_type: str) -> np.ndarray:
        """The flux of the reference spectrum in each bin of energy, canonical units."""
        low, high = self.energy.edges_min, self.energy.edges_max
        center, spectrum = np.sqrt(low * high), self.model.spectral_model
        if sed_type not in REFERENCES:
            raise ValueError(f"sed_type is {sed_type!r}, expected {', '.join(REFERENCES)}")
        if sed_type == "flux":
            return np.asarray(spectrum.integral(low, high))
        if sed_type == "eflux":
            return np.asarray(spectrum.energy_flux(low, high))
        return np.asarray(spectrum(center)) * (center**2 if sed_type == "e2dnde" else 1.0)

    def __contains__(self, name: str) -> bool:
        return name in self.maps

    def __getitem__(self, name: str) -> Map:
        """A map by its name: those of `maps`, and ``flux``, ``eflux_err``, ``dnde_ul``, ..."""
        if name in self.maps:
            return self.maps[name]
        sed_type, _, ending = name.partition("_")
        norm = "norm" + (f"_{ending}" if ending else "")
        if sed_type not in REFERENCES or norm not in self.maps:
            raise ValueError(
                f"FluxMaps: no map {name!r}; there are {', '.join(self.maps)}, and "
                f"{', '.join(REFERENCES)} with the same endings as norm"
            )
        scale = self.reference(sed_type)[:, None, None]
        found = self.maps[norm]
        return found.with_data(np.asarray(found.data) * scale, unit=REFERENCES[sed_type])

    def write(
        self, filename: str | Path, *, sed_type: str = "likelihood", overwrite: bool = False
    ) -> None:
        """Write all maps into one FITS file that gammapy opens, and the model beside it.

        Parameters
        ----------
        filename : path-like
            The model goes into ``filename`` with ``_model.yaml`` for its ending.
        sed_type : {"likelihood", "flux", "eflux", "dnde", "e2dnde"}
            Whether norms are written, or fluxes.
        overwrite : bool
        """
        from gammajax.estimators.flux_maps_io import write_flux_maps

        write_flux_maps(self, Path(filename), sed_type, overwrite)

    @classmethod
    def read(cls, filename: str | Path) -> FluxMaps:
        """Read a file of gammajax or gammapy, with norms and a model."""
        from gammajax.estimators.flux_maps_io import read_flux_maps

        return read_flux_maps(Path(filename))

    def models(self) -> Models:
        """The reference model as `~gammajax.models.Models`."""
        return Models([self.model])

    def __repr__(self) -> str:
        lines = [
            f"FluxMaps({', '.join(self.maps)}; {self.energy.nbin} bins of energy, "
            f"{self.geom!r})"
        ]
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])
