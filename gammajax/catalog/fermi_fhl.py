"""The catalogues of hard sources of the Fermi-LAT: 2FHL and 3FHL."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.catalog.fermi import SourceCatalogFermi, SourceCatalogObjectFermi
from gammajax.catalog.parts import Part, known, position_errors
from gammajax.models import PowerLaw2SpectralModel
from gammajax.units import FLUX


class SourceCatalogObject3FHL(SourceCatalogObjectFermi):
    """A source of 3FHL."""

    def spectrum(self, which: str | None) -> Part:
        kind = self.text("SpectrumType")
        if kind == "PowerLaw":
            return self.power_law("PowerLaw_Index")
        if kind == "LogParabola":
            return self.log_parabola("Spectral_Index", "beta")
        raise self.unknown_spectrum(kind)


class SourceCatalog3FHL(SourceCatalogFermi):
    """The third catalogue of hard Fermi-LAT sources: 1556 sources, 10 GeV to 2 TeV, 7 years.

    Ajello et al. 2017, ApJS 232, 18.
    """

    tag = "3fhl"
    description = "third catalogue of hard Fermi-LAT sources"
    default_filename = "$GAMMAPY_DATA/catalogs/fermi/gll_psch_v13.fit.gz"
    source_object_class = SourceCatalogObject3FHL
    hdu = "LAT_Point_Source_Catalog"
    aliases = ("Extended_Source_Name", "ASSOC1", "ASSOC2", "ASSOC_TEV", "ASSOC_GAM")


class SourceCatalogObject2FHL(SourceCatalogObjectFermi):
    """A source of 2FHL."""

    @property
    def extended_row(self) -> int | None:
        if not self.name.endswith("e"):
            return None
        rows = self._catalog.extended
        found = [rows[name] for name in (self.name, *self.aliases) if name in rows]
        if not found:
            raise ValueError(
                f"{self.where}: its name ends with e for extended, and none of its names is "
                f"in the table of extended sources ({', '.join(rows)})"
            )
        return found[0]

    def spectrum(self, which: str | None) -> Part:
        return Part(
            PowerLaw2SpectralModel(
                amplitude=self.number("Flux50", FLUX),
                index=self.number("Spectral_Index"),
                emin=0.05,
                emax=2.0,
            ),
            known(
                amplitude=self.number("Unc_Flux50", FLUX),
                index=self.number("Unc_Spectral_Index"),
            ),
        )

    def _position_errors(self, lat: float) -> Any:
        radius = self.number("Pos_err_68", "deg")
        return position_errors(lat, radius, radius, 0.0, 0.68)

    def _bands(self) -> Any:
        names = [f"{low:.0f}_{high:.0f}GeV" for low, high in self._catalog.bands * 1e3]
        flux = np.array([self.number(f"Flux{name}", FLUX) for name in names])
        errors = np.stack([self.array(f"Unc_Flux{name}", FLUX) for name in names])
        return flux, errors, np.array([self.number(f"Sqrt_TS{name}") for name in names])


class SourceCatalog2FHL(SourceCatalogFermi):
    """The second catalogue of hard Fermi-LAT sources: 360 sources, 50 GeV to 2 TeV.

    Ackermann et al. 2016, ApJS 222, 5.
    """

    tag = "2fhl"
    description = "second catalogue of hard Fermi-LAT sources"
    default_filename = "$GAMMAPY_DATA/catalogs/fermi/gll_psch_v09.fit.gz"
    source_object_class = SourceCatalogObject2FHL
    hdu = "2FHL Source Catalog"
    extended_hdu = "Extended Sources"
    aliases = ("ASSOC", "3FGL_Name", "1FHL_Name", "TeVCat_Name")
    edges = (50e3, 171e3, 585e3, 2000e3)
