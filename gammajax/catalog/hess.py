"""The catalogue of the H.E.S.S. Galactic plane survey (HGPS)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from gammajax.catalog.core import SourceCatalog
from gammajax.catalog.hess_large_scale import SourceCatalogLargeScaleHGPS
from gammajax.catalog.parts import Part, Piece, known, piece
from gammajax.catalog.points import measured_points
from gammajax.catalog.source import SourceCatalogObject
from gammajax.data import FluxPoints
from gammajax.models import (
    ExpCutoffPowerLawSpectralModel,
    GaussianSpatialModel,
    PointSpatialModel,
    PowerLawSpectralModel,
    ShellSpatialModel,
)
from gammajax.parameters import Link
from gammajax.units import DNDE, FLUX

COMPONENTS = "HGPS_GAUSS_COMPONENTS"
WALL = 0.05
"""Thickness of a shell over its outer radius, which is what the catalogue gives."""


class SourceCatalogObjectHGPSComponent:
    """A Gaussian of the HGPS, the shape of a source or a part of one."""

    def __init__(self, catalog: SourceCatalogHGPS, row_index: int) -> None:
        self._catalog = catalog
        self.row_index = row_index

    @property
    def name(self) -> str:
        """Its name, such as ``HGPSC 001``."""
        return self._catalog.texts("Component_ID", COMPONENTS)[self.row_index]

    def number(self, name: str, unit: str = "") -> float:
        """A number of the row in a unit."""
        return float(self._catalog.numbers(name, unit, COMPONENTS)[self.row_index])

    @property
    def flux(self) -> float:
        """Its flux above 1 TeV in cm-2 s-1, for a spectral index of 2.3."""
        return self.number("Flux_Map", FLUX)

    def spatial_model(self) -> Any:
        """The Gaussian, or a point where the fit found no size."""
        return self.shape().model

    def shape(self) -> Part:
        """The Gaussian with its errors."""
        lon, lat = self.number("GLON", "deg"), self.number("GLAT", "deg")
        errors = {"lon": self.number("GLON_Err", "deg"), "lat": self.number("GLAT_Err", "deg")}
        return _gaussian(
            lon, lat, self.number("Size", "deg"), self.number("Size_Err", "deg"), errors
        )

    def __repr__(self) -> str:
        return f"SourceCatalogObjectHGPSComponent: {self.name}, {self.spatial_model()!r}"


class SourceCatalogObjectHGPS(SourceCatalogObject):
    """A source of the HGPS: one shape, or the sum of two or three Gaussians."""

    _catalog: Any

    @property
    def components(self) -> list[SourceCatalogObjectHGPSComponent]:
        """The Gaussians that it is made of; none for shells and points."""
        return [
            self._catalog.gaussian_component(name.strip())
            for name in self.text("Components").split(",")
            if name.strip()
        ]

    def spectrum(self, which: str | None) -> Part:
        kind = (which or self.text("Spectral_Model")).upper()
        stem = f"Spec_{kind}"
        values = {
            "index": self.number(f"Index_{stem}"),
            "amplitude": self.number(f"Flux_{stem}_Diff_Pivot", DNDE),
            "reference": self.number(f"Energy_{stem}_Pivot", "TeV"),
        }
        errors = {
            "index": self.number(f"Index_{stem}_Err"),
            "amplitude": self.number(f"Flux_{stem}_Diff_Pivot_Err", DNDE),
        }
        if not values["amplitude"] > 0:
            raise ValueError(f"{self.where}: the catalogue has no spectrum of type {kind}")
        if kind == "PL":
            return Part(PowerLawSpectralModel(**values), known(**errors))
        values["lambda_"] = self.number(f"Lambda_{stem}", "TeV-1")
        errors["lambda_"] = self.number(f"Lambda_{stem}_Err", "TeV-1")
        return Part(ExpCutoffPowerLawSpectralModel(**values), known(**errors))

    def shape(self, which: str | None) -> Part:
        kind = self.text("Spatial_Model")
        lon, lat = (self.number(name, "deg") for name in ("GLON", "GLAT"))
        errors = {n: self.number(f"G{n.upper()}_Err", "deg") for n in ("lon", "lat")}
        size, size_error = (self.number(name, "deg") for name in ("Size", "Size_Err"))
        if kind == "Gaussian":
            return _gaussian(lon, lat, size, size_error, errors)
        if kind == "Point-Like":
            return _gaussian(lon, lat, 0.0, 0.0, errors)
        if kind == "Shell":
            width = WALL * size
            model = ShellSpatialModel(lon, lat, size - width, width, frame="galactic")
            return Part(model, known(lon_0=errors["lon"], lat_0=errors["lat"],
                                     radius=size_error))  # fmt: skip
        raise ValueError(
            f"{self.where}: is the sum of {kind[0]} Gaussians; take to_models(), or the "
            "spatial models of its components"
        )

    def pieces(self, which: str | None = None) -> list[Piece]:
        """One component, or one for each Gaussian, with one spectrum between them.

        Fluxes are shared in the ratio of the fluxes in the map, and the parameters of the
        spectra are linked to those of the first Gaussian.
        """
        which = self._checked(which)
        spectrum = self.spectrum(which)
        parts = self.components
        if len(parts) < 2:
            return [piece(self.name, spectrum, self.shape(which))]
        total = sum(part.flux for part in parts)
        first = f"{self.name} {parts[0].name}"
        found = []
        for part in parts:
            share, name = part.flux / total, f"{self.name} {part.name}"
            law = spectrum.model.replace(amplitude=spectrum.model.amplitude * share)
            errors = dict(spectrum.errors)
            if "amplitude" in errors:
                errors["amplitude"] *= share
            links: dict[str, Link] = {}
            if part is not parts[0]:
                links = {
                    f"{name}.spectral.{key}": Link(f"{first}.spectral.{key}")
                    for key in law.parameter_names
                }
                factor = part.flux / parts[0].flux
                links[f"{name}.spectral.amplitude"] = Link(
                    f"{first}.spectral.amplitude", factor
                )
            found.append(piece(name, Part(law, errors), part.shape(), links))
        return found

    @property
    def flux_points(self) -> FluxPoints:
        stem = "Flux_Points_"
        ends = {"energy_ref": "Energy", "energy_min": "Energy_Min", "energy_max": "Energy_Max"}
        return measured_points(
            self.array(f"{stem}Flux", DNDE),
            np.abs(self.array(f"{stem}Flux_Err_Lo", DNDE)),
            self.array(f"{stem}Flux_Err_Hi", DNDE),
            self.array(f"{stem}Flux_UL", DNDE),
            {name: self.array(stem + column, "TeV") for name, column in ends.items()},
            is_limit=self.array(f"{stem}Flux_Is_UL") > 0,
            name=self.where,
            confidence=0.95,
        )


class SourceCatalogHGPS(SourceCatalog):
    """The H.E.S.S. Galactic plane survey: 78 sources.

    ``which`` is the spectrum: ``"PL"`` or ``"ECPL"``, by default the one that the catalogue
    prefers. H.E.S.S. Collaboration 2018, A&A 612, A1.
    """

    tag = "hgps"
    description = "H.E.S.S. Galactic plane survey"
    default_filename = "$GAMMAPY_DATA/catalogs/hgps_catalog_v1.fits.gz"
    source_object_class = SourceCatalogObjectHGPS
    which = ("PL", "ECPL")
    hdu = "HGPS_SOURCES"
    aliases = ("Identified_Object",)

    @cached_property
    def _component_rows(self) -> dict[str, int]:
        names = self.texts("Component_ID", COMPONENTS)
        return {name: row for row, name in enumerate(names)}

    def gaussian_component(self, row: int | str) -> SourceCatalogObjectHGPSComponent:
        """A Gaussian by its row or its name, ``HGPSC 001``.

        Raises
        ------
        ValueError
            If there is none.
        """
        rows = self._component_rows
        if isinstance(row, str):
            if row not in rows:
                raise ValueError(
                    f"{self.where}: there is no component {row!r}; they are called "
                    f"{next(iter(rows))} and so on"
                )
            row = rows[row]
        if not 0 <= row < len(rows):
            raise ValueError(f"{self.where}: component is {row}, and there are {len(rows)}")
        return SourceCatalogObjectHGPSComponent(self, row)

    @property
    def large_scale_component(self) -> SourceCatalogLargeScaleHGPS:
        """The emission along the plane that is no source."""
        columns = {"lon": ("GLON", "deg"), "lat": ("GLAT", "deg"), "width": ("Width", "deg"),
                   "brightness": ("Surface_Brightness", "cm-2 s-1 sr-1")}  # fmt: skip
        hdu = "HGPS_LARGE_SCALE_COMPONENT"
        return SourceCatalogLargeScaleHGPS(
            **{key: self.numbers(name, unit, hdu) for key, (name, unit) in columns.items()}
        )


def _gaussian(
    lon: float, lat: float, size: float, size_error: float, errors: dict[str, float]
) -> Part:
    """A Gaussian; a point where no size was measured."""
    place = known(lon_0=errors["lon"], lat_0=errors["lat"])
    if not size > 0:
        return Part(PointSpatialModel(lon, lat, frame="galactic"), place)
    model = GaussianSpatialModel(lon, lat, size, frame="galactic")
    return Part(model, place | known(sigma=size_error))
