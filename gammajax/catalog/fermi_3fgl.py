"""3FGL."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.catalog.fermi import SourceCatalogFermi, SourceCatalogObjectFermi
from gammajax.catalog.parts import Part, known
from gammajax.data import LightCurve
from gammajax.models import (
    ExpCutoffPowerLaw3FGLSpectralModel,
    SuperExpCutoffPowerLaw3FGLSpectralModel,
)
from gammajax.units import FLUX


class SourceCatalogObject3FGL(SourceCatalogObjectFermi):
    """A source of 3FGL."""

    def spectrum(self, which: str | None) -> Part:
        kind = self.text("SpectrumType")
        if kind == "PowerLaw":
            return self.power_law("Spectral_Index")
        if kind == "LogParabola":
            return self.log_parabola("Spectral_Index", "beta")
        cutoff = {"ecut": self.number("Cutoff", "TeV")}
        error = {"ecut": self.number("Unc_Cutoff", "TeV"), **self._scale_error("")}
        index, index_error = (self.number(f"{u}Spectral_Index") for u in ("", "Unc_"))
        if kind == "PLExpCutoff":
            return Part(
                ExpCutoffPowerLaw3FGLSpectralModel(index=index, **self._scale(""), **cutoff),
                known(index=index_error, **error),
            )
        if kind == "PLSuperExpCutoff":
            sharp, sharp_error = (self.number(f"{u}Exp_Index") for u in ("", "Unc_"))
            return Part(
                SuperExpCutoffPowerLaw3FGLSpectralModel(
                    index_1=index, index_2=sharp, **self._scale(""), **cutoff
                ),
                known(index_1=index_error, index_2=sharp_error, **error),
            )
        raise self.unknown_spectrum(kind)

    def _bands(self) -> Any:
        names = [f"{low:.0f}_{high:.0f}" for low, high in self._catalog.bands * 1e6]
        flux = np.array([self.number(f"Flux{name}", FLUX) for name in names])
        errors = np.stack([self.array(f"Unc_Flux{name}", FLUX) for name in names])
        return flux, errors, np.array([self.number(f"Sqrt_TS{name}") for name in names])

    def lightcurve(self, interval: str | None = None) -> LightCurve:
        """The flux from 100 MeV to 100 GeV in 48 months."""
        if interval not in (None, "1-month"):
            raise ValueError(f"{self.where}: interval is {interval!r}, expected '1-month'")
        return self.history("Flux_History", "HIST_START", "", (1e-4, 0.1))


class SourceCatalog3FGL(SourceCatalogFermi):
    """The third Fermi-LAT source catalogue: 3033 sources, 100 MeV to 300 GeV, 4 years.

    Acero et al. 2015, ApJS 218, 23.
    """

    tag = "3fgl"
    description = "third Fermi-LAT catalogue"
    default_filename = "$GAMMAPY_DATA/catalogs/fermi/gll_psc_v16.fit.gz"
    source_object_class = SourceCatalogObject3FGL
    hdu = "LAT_Point_Source_Catalog"
    aliases = ("Extended_Source_Name", "ASSOC1", "ASSOC2", "ASSOC_TEV", "2FGL_Name",
               "1FGL_Name", "0FGL_Name", "1FHL_Name")  # fmt: skip
    edges = (100, 300, 1000, 3000, 10000, 100000)
