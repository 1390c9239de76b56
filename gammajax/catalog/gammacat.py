"""gamma-cat: the open catalogue of sources at very high energies."""

from __future__ import annotations

import math

import numpy as np

from gammajax.catalog.core import SourceCatalog
from gammajax.catalog.parts import Part, known, round_error
from gammajax.catalog.points import measured_points
from gammajax.catalog.source import SourceCatalogObject
from gammajax.data import FluxPoints
from gammajax.models import (
    ExpCutoffPowerLawSpectralModel,
    GaussianSpatialModel,
    PointSpatialModel,
    PowerLaw2SpectralModel,
    PowerLawSpectralModel,
    ShellSpatialModel,
)
from gammajax.units import DNDE, FLUX

WALL = 0.2
"""Thickness of a shell over its outer radius, which is what the catalogue gives."""


class SourceCatalogObjectGammaCat(SourceCatalogObject):
    """A source of gamma-cat; errors are statistical."""

    def spectrum(self, which: str | None) -> Part:
        kind = self.text("spec_type")
        if kind == "pl":
            return Part(
                PowerLawSpectralModel(
                    index=self.number("spec_pl_index"),
                    amplitude=self.number("spec_pl_norm", DNDE),
                    reference=self.number("spec_pl_e_ref", "TeV"),
                ),
                known(
                    index=self.number("spec_pl_index_err"),
                    amplitude=self.number("spec_pl_norm_err", DNDE),
                ),
            )
        if kind == "pl2":
            # An upper edge that is not given stands for an integral without one.
            emax = self.number("spec_pl2_e_max", "TeV")
            return Part(
                PowerLaw2SpectralModel(
                    amplitude=self.number("spec_pl2_flux", FLUX),
                    index=self.number("spec_pl2_index"),
                    emin=self.number("spec_pl2_e_min", "TeV"),
                    emax=emax if emax > 0 else 1e8,
                ),
                known(
                    amplitude=self.number("spec_pl2_flux_err", FLUX),
                    index=self.number("spec_pl2_index_err"),
                ),
            )
        if kind == "ecpl":
            cutoff = self.number("spec_ecpl_e_cut", "TeV")
            return Part(
                ExpCutoffPowerLawSpectralModel(
                    index=self.number("spec_ecpl_index"),
                    amplitude=self.number("spec_ecpl_norm", DNDE),
                    reference=self.number("spec_ecpl_e_ref", "TeV"),
                    lambda_=1 / cutoff,
                ),
                known(
                    index=self.number("spec_ecpl_index_err"),
                    amplitude=self.number("spec_ecpl_norm_err", DNDE),
                    lambda_=self.number("spec_ecpl_e_cut_err", "TeV") / cutoff**2,
                ),
            )
        raise ValueError(f"{self.where}: the catalogue has no spectrum (spec_type {kind!r})")

    def shape(self, which: str | None) -> Part:
        kind = self.text("morph_type")
        if kind not in ("point", "gauss", "shell"):
            raise ValueError(f"{self.where}: the catalogue has no shape (morph_type {kind!r})")
        frame = "galactic" if self.text("morph_pa_frame") == "galactic" else "icrs"
        place, errors = self._place(frame)
        if kind == "point":
            return Part(PointSpatialModel(**place, frame=frame), errors)
        size = self.number("morph_sigma", "deg")
        if not size > 0:
            raise ValueError(f"{self.where}: the catalogue has no size (morph_type {kind!r})")
        error = self.number("morph_sigma_err", "deg")
        if kind == "shell":
            width = WALL * size
            model = ShellSpatialModel(**place, radius=size - width, width=width, frame=frame)
            return Part(model, errors | known(radius=error))
        return self._gaussian(place, errors, size, error, frame)

    def _gaussian(
        self, place: dict, errors: dict, size: float, error: float, frame: str
    ) -> Part:
        other, angle = self.number("morph_sigma2", "deg"), self.number("morph_pa", "deg")
        if not (other > 0 and math.isfinite(angle)):
            model = GaussianSpatialModel(**place, sigma=size, frame=frame)
            return Part(model, errors | known(sigma=error))
        if other > size:  # the angle is that of the first axis, and models want the longer one
            size, other, angle = other, size, angle + 90
            error = self.number("morph_sigma2_err", "deg")
        model = GaussianSpatialModel(
            **place,
            sigma=size,
            e=math.sqrt(1 - (other / size) ** 2),
            phi=(angle + 180) % 360 - 180,
            frame=frame,
        )
        turn = known(phi=self.number("morph_pa_err", "deg"))
        return Part(model, errors | known(sigma=error) | turn)

    def _place(self, frame: str) -> tuple[dict[str, float], dict[str, float]]:
        """The position that was measured, or else the one that the catalogue files it under."""
        names = ("glon", "glat") if frame == "galactic" else ("ra", "dec")
        lon, lat = (self.number(f"pos_{name}", "deg") for name in names)
        if not math.isfinite(lon + lat):
            lon, lat = (self.number(name, "deg") for name in names)
        errors = round_error(lat, self.number("pos_err", "deg"))
        return {"lon_0": lon, "lat_0": lat}, errors

    @property
    def flux_points(self) -> FluxPoints:
        energies = {
            f"energy_{n}": self.array(f"sed_e_{n}", "TeV") for n in ("ref", "min", "max")
        }
        middle = np.sqrt(energies["energy_min"] * energies["energy_max"])
        reference = energies["energy_ref"]
        energies["energy_ref"] = np.where(np.isnan(reference), middle, reference)
        error = self.array("sed_dnde_err", DNDE)
        low, high = (self.array(f"sed_dnde_err{side}", DNDE) for side in ("n", "p"))
        return measured_points(
            self.array("sed_dnde", DNDE),
            np.where(np.isfinite(low), np.abs(low), error),
            np.where(np.isfinite(high), high, error),
            self.array("sed_dnde_ul", DNDE),
            energies,
            name=self.where,
            confidence=0.95,
        )


class SourceCatalogGammaCat(SourceCatalog):
    """gamma-cat: 162 sources at TeV energies, with what papers say about them.

    See https://gamma-cat.readthedocs.io.
    """

    tag = "gamma-cat"
    description = "gamma-cat, sources at very high energies"
    default_filename = "$GAMMAPY_DATA/catalogs/gammacat/gammacat.fits.gz"
    source_object_class = SourceCatalogObjectGammaCat
    key = "common_name"
    aliases = ("gamma_names", "fermi_names", "other_names", "tevcat_name", "tgevcat_name")
    position_columns = ("ra", "dec")

    def _split(self, words: str) -> list[str]:
        return [word.strip() for word in words.split(",")]
