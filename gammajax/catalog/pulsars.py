"""The catalogues of pulsars of the Fermi-LAT: 2PC and 3PC."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.catalog.core import SourceCatalog
from gammajax.catalog.parts import Part, known
from gammajax.catalog.points import points_of_bands
from gammajax.catalog.source import SourceCatalogObject
from gammajax.data import FluxPoints
from gammajax.models import (
    ExpCutoffPowerLawSpectralModel,
    PointSpatialModel,
    PowerLawSpectralModel,
    SuperExpCutoffPowerLaw4FGLDR3SpectralModel,
)
from gammajax.units import DNDE, FLUX


class SourceCatalogObjectPulsar(SourceCatalogObject):
    """A pulsar; its position is that of its timing, without an error."""

    _catalog: Any
    spectral_hdu = ""

    @property
    def spectral_row(self) -> int:
        """The row in the table of spectra.

        Raises
        ------
        ValueError
            If the pulsar is not in it.
        """
        row = self._catalog.spectral_rows.get(self.name)
        if row is None:
            raise ValueError(f"{self.where}: the catalogue has no spectrum of this pulsar")
        return row

    def fitted(self, name: str, unit: str | None = "") -> float:
        """A number of the table of spectra; NaN if there is none."""
        column = self._catalog.numbers(name, unit, self._catalog.spectral_hdu)
        return float(column[self.spectral_row])

    def shape(self, which: str | None) -> Part:
        lon, lat = (self.number(name, "deg") for name in self._catalog.position_columns)
        return Part(PointSpatialModel(lon, lat))


class SourceCatalogObject2PC(SourceCatalogObjectPulsar):
    r"""A pulsar of 2PC.

    Its spectrum is :math:`K (E / E_0)^{-\Gamma} \exp(-(E / E_c)^b)`: the factor of the cutoff
    is not 1 at the scale :math:`E_0` (Abdo et al. 2013, ApJS 208, 17).
    """

    def spectrum(self, which: str | None) -> Part:
        for kind in [which] if which else ["PLEC", "PLEC1", "PL"]:
            if np.isfinite(self.fitted(f"{kind}_Prefactor", DNDE)):
                return self._law(kind)
        raise ValueError(
            f"{self.where}: the catalogue has no spectrum {which or ''} of this pulsar".replace(
                "  ", " "
            )
        )

    def _law(self, kind: str) -> Part:
        values = {
            "amplitude": self.fitted(f"{kind}_Prefactor", DNDE),
            "index": self.fitted(f"{kind}_Photon_Index"),
        }
        errors = {
            "amplitude": self.fitted(f"Unc_{kind}_Prefactor", DNDE),
            "index": self.fitted(f"Unc_{kind}_Photon_Index"),
        }
        scale = self.fitted(f"{kind}_Scale", "TeV")
        if kind == "PL":
            return Part(PowerLawSpectralModel(reference=scale, **values), known(**errors))
        cutoff = self.fitted(f"{kind}_Cutoff", "TeV")
        errors["lambda_"] = self.fitted(f"Unc_{kind}_Cutoff", "TeV") / cutoff**2
        values["lambda_"] = 1 / cutoff
        if kind == "PLEC":
            values["alpha"] = self.fitted("PLEC_Exponential_Index")
            errors["alpha"] = self.fitted("Unc_PLEC_Exponential_Index")
        model = ExpCutoffPowerLawSpectralModel(reference=scale, **values)
        return Part(model, known(**errors))


class SourceCatalog2PC(SourceCatalog):
    """The second Fermi-LAT catalogue of pulsars: 117 of them.

    Spectra are of the whole emission, without phases: ``which`` is ``"PLEC"`` (a cutoff whose
    sharpness was fitted), ``"PLEC1"`` (an exponential one) or ``"PL"``; by default the first
    that the catalogue has. Abdo et al. 2013, ApJS 208, 17.
    """

    tag = "2pc"
    description = "second Fermi-LAT catalogue of pulsars"
    default_filename = "$GAMMAPY_DATA/catalogs/fermi/2PC_catalog_v04.fits.gz"
    source_object_class = SourceCatalogObject2PC
    which = ("PLEC", "PLEC1", "PL")
    hdu = "PULSAR_CATALOG"
    key = "PSR_Name"
    spectral_hdu = "SPECTRAL"

    def _split(self, words: str) -> list[str]:
        return [words, f"PSR {words}"]

    @property
    def spectral_rows(self) -> dict[str, int]:
        """Rows of the table of spectra, by name."""
        names = self.texts("PSR_Name", self.spectral_hdu)
        return {name: row for row, name in enumerate(names)}


class SourceCatalogObject3PC(SourceCatalogObjectPulsar):
    """A pulsar of 3PC."""

    def spectrum(self, which: str | None) -> Part:
        hdu, row = self._catalog.spectral_hdu, self.spectral_row
        kind = self._catalog.texts("SpectrumType", hdu)[row]
        if kind != "PLSuperExpCutoff4":
            raise ValueError(
                f"{self.where}: SpectrumType is {kind!r}, and columns describe "
                "'PLSuperExpCutoff4' only"
            )
        for fit in [which] if which else ["b free", "b 23"]:
            ending = {"b free": "bfr", "b 23": "b23"}[fit]
            if np.isfinite(self.fitted(f"PLEC_Flux_Density_{ending}", DNDE)):
                return self._law(ending)
        raise ValueError(f"{self.where}: the catalogue has no fit {which or ''}".rstrip())

    def _law(self, ending: str) -> Part:
        columns = {"index_2": "PLEC_Exp_Index", "expfactor": "PLEC_ExpfactorS"}
        values = {name: self.fitted(f"{c}_{ending}", None) for name, c in columns.items()}
        # The table has the exponent of the power law, which is minus the index.
        values["index_1"] = -self.fitted(f"PLEC_IndexS_{ending}")
        values["amplitude"] = self.fitted(f"PLEC_Flux_Density_{ending}", DNDE)
        values["reference"] = self.fitted(f"Pivot_Energy_{ending}", "TeV")
        errors = {
            "index_1": self.fitted(f"Unc_PLEC_IndexS_{ending}"),
            "expfactor": self.fitted(f"Unc_PLEC_ExpfactorS_{ending}", None),
            "amplitude": self.fitted(f"Unc_PLEC_Flux_Density_{ending}", DNDE),
        }
        if ending == "bfr":
            errors["index_2"] = self.fitted("Unc_PLEC_Exp_Index_bfr", None)
        return Part(SuperExpCutoffPowerLaw4FGLDR3SpectralModel(**values), known(**errors))

    @property
    def flux_points(self) -> FluxPoints:
        hdu, row = self._catalog.spectral_hdu, self.spectral_row
        flux, errors = (
            self._catalog.numbers(name, FLUX, hdu)[row]
            for name in ("Flux_Band", "Unc_Flux_Band")
        )
        sqrt_ts = self._catalog.numbers("Sqrt_TS_Band", "", hdu)[row]
        bands = self._catalog.bands(flux.size)
        return points_of_bands(flux, np.reshape(errors, (-1, 2)), bands, sqrt_ts, self.where)


class SourceCatalog3PC(SourceCatalog):
    """The third Fermi-LAT catalogue of pulsars: 294 of them.

    ``which`` is ``"b free"`` (the sharpness of the cutoff was fitted) or ``"b 23"`` (it is
    2/3); by default the first that the catalogue has. Smith et al. 2023, ApJ 958, 191.
    """

    tag = "3pc"
    description = "third Fermi-LAT catalogue of pulsars"
    default_filename = "$GAMMAPY_DATA/catalogs/fermi/3PC_Catalog+SEDs_20230803.fits.gz"
    source_object_class = SourceCatalogObject3PC
    which = ("b free", "b 23")
    hdu = "PULSARS_BIGFILE"
    key = "PSRJ"
    position_columns = ("RAJD", "DECJD")
    spectral_hdu = "LAT_Point_Source_Catalog"
    edges = (0.05, 0.1, 0.3, 1, 3, 10, 30, 100, 1000)

    def _split(self, words: str) -> list[str]:
        return [words, f"PSR {words}"]

    @property
    def spectral_rows(self) -> dict[str, int]:
        """Rows of the table of spectra, by the name of the pulsar."""
        names = self.texts("NickName", self.spectral_hdu)
        return {name.removeprefix("PSR").strip(): row for row, name in enumerate(names)}

    def bands(self, size: int) -> np.ndarray:
        """The bands of flux points, those of 4FGL-DR3, shape (band, 2) in TeV.

        Raises
        ------
        ValueError
            If the file has another number of them.
        """
        if size != len(self.edges) - 1:
            raise ValueError(
                f"{self.where}: Flux_Band has {size} bands, expected {len(self.edges) - 1}"
            )
        return np.stack([self.edges[:-1], self.edges[1:]], axis=1) * 1e-3
