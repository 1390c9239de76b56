"""4FGL in all its data releases."""

from __future__ import annotations

from gammajax.catalog.fermi import SourceCatalogFermi, SourceCatalogObjectFermi
from gammajax.catalog.parts import Part, known
from gammajax.data import LightCurve
from gammajax.models import (
    SuperExpCutoffPowerLaw4FGLDR3SpectralModel,
    SuperExpCutoffPowerLaw4FGLSpectralModel,
)

INTERVALS = {
    "1-year": ("Flux_History", "HIST_START", "Sqrt_TS_History"),
    "2-month": ("Flux2_History", "HIST2_START", "Sqrt_TS2_History"),
}


class SourceCatalogObject4FGL(SourceCatalogObjectFermi):
    """A source of 4FGL."""

    def spectrum(self, which: str | None) -> Part:
        kind = self.text("SpectrumType")
        if kind == "PowerLaw":
            return self.power_law("PL_Index", "PL_")
        if kind == "LogParabola":
            return self.log_parabola("LP_Index", "LP_beta", "LP_")
        if kind not in ("PLSuperExpCutoff", "PLSuperExpCutoff4"):
            raise self.unknown_spectrum(kind)
        # The data releases 1 and 2 have another cutoff than those from 3 on.
        new = self._catalog.has("PLEC_ExpfactorS")
        law = SuperExpCutoffPowerLaw4FGLDR3SpectralModel
        columns = ("PLEC_IndexS", "PLEC_Exp_Index", "PLEC_ExpfactorS")
        if not new:
            law = SuperExpCutoffPowerLaw4FGLSpectralModel
            columns = ("PLEC_Index", "PLEC_Exp_Index", "PLEC_Expfactor")
        names = ("index_1", "index_2", "expfactor")
        # No unit: the factor of the releases 1 and 2 is in MeV to the power of -index_2.
        found = {n: self.number(c, None) for n, c in zip(names, columns, strict=True)}
        errors = {n: self.number(f"Unc_{c}", None) for n, c in zip(names, columns, strict=True)}
        return Part(
            law(**found, **self._scale("PLEC_")),
            known(**errors, **self._scale_error("PLEC_")),
        )

    def lightcurve(self, interval: str | None = None) -> LightCurve:
        """The flux from 100 MeV to 100 GeV by ``"1-year"`` (the default) or ``"2-month"``.

        Raises
        ------
        ValueError
            If the release has no light curves of this interval.
        """
        interval = interval or "1-year"
        if interval not in INTERVALS or not self._catalog.has(INTERVALS[interval][0]):
            there = [name for name, (stem, *_) in INTERVALS.items() if self._catalog.has(stem)]
            raise ValueError(
                f"{self.where}: interval is {interval!r}, and this release has "
                f"{', '.join(there) or 'no light curves'}"
            )
        return self.history(*INTERVALS[interval], (1e-4, 0.1))


class SourceCatalog4FGL(SourceCatalogFermi):
    """The fourth Fermi-LAT source catalogue, in any of its data releases.

    From release 3 on, spectra with a cutoff are written otherwise, there are eight bands of
    energy and not seven, and light curves have a bin a year: the file says which it is.
    Abdollahi et al. 2020, ApJS 247, 33; Abdollahi et al. 2022, ApJS 260, 53.
    """

    tag = "4fgl"
    description = "fourth Fermi-LAT catalogue"
    default_filename = "$GAMMAPY_DATA/catalogs/fermi/gll_psc_v32.fit.gz"
    source_object_class = SourceCatalogObject4FGL
    hdu = "LAT_Point_Source_Catalog"
    aliases = ("Extended_Source_Name", "ASSOC1", "ASSOC2", "ASSOC_TEV", "ASSOC_FGL",
               "ASSOC_FHL", "ASSOC_4FGL", "ASSOC_GAM1", "ASSOC_GAM2", "ASSOC_GAM3")  # fmt: skip
