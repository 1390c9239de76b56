"""The first catalogue of LHAASO."""

from __future__ import annotations

from gammajax.catalog.core import SourceCatalog
from gammajax.catalog.parts import Part, known, position_errors
from gammajax.catalog.source import SourceCatalogObject
from gammajax.models import GaussianSpatialModel, PointSpatialModel, PowerLawSpectralModel
from gammajax.units import DNDE


class SourceCatalogObject1LHAASO(SourceCatalogObject):
    """A source of 1LHAASO, as either of the detectors KM2A and WCDA sees it."""

    def _ending(self, which: str | None) -> str:
        """The ending of the columns of a detector, the more significant one by default."""
        detectors = {
            self.text("Model_a").rstrip("*"): "",
            self.text("Model_b").rstrip("*"): "_b",
        }
        ending = detectors.get(which, "") if which else ""
        if which and which not in detectors:
            raise ValueError(f"{self.where}: has no model of {which}")
        if not self.number(f"N0{ending}", DNDE) > 0:
            limit = self.number(f"N0_ul{ending}", DNDE)
            raise ValueError(
                f"{self.where}: {which or 'the catalogue'} gives no flux"
                + (f", only the limit {limit:.3g} {DNDE}" if limit > 0 else "")
            )
        return ending

    def spectrum(self, which: str | None) -> Part:
        ending = self._ending(which)
        return Part(
            PowerLawSpectralModel(
                index=self.number(f"gamma{ending}"),
                amplitude=self.number(f"N0{ending}", DNDE),
                reference=self.number(f"E0{ending}", "TeV"),
            ),
            known(
                index=self.number(f"gamma_err{ending}"),
                amplitude=self.number(f"N0_err{ending}", DNDE),
            ),
        )

    def shape(self, which: str | None) -> Part:
        ending = self._ending(which)
        lon, lat = (self.number(f"{n}{ending}", "deg") for n in ("RAJ2000", "DECJ2000"))
        radius = self.number(f"pos_err{ending}", "deg")
        errors, pairs = position_errors(lat, radius, radius, 0.0, 0.95)
        sigma = self.number(f"r39{ending}", "deg")
        if not sigma > 0:
            return Part(PointSpatialModel(lon, lat), errors, pairs)
        errors |= known(sigma=self.number(f"r39_err{ending}", "deg"))
        return Part(GaussianSpatialModel(lon, lat, sigma), errors, pairs)


class SourceCatalog1LHAASO(SourceCatalog):
    """The first LHAASO catalogue: 90 sources.

    ``which`` is ``"KM2A"`` (above 25 TeV) or ``"WCDA"`` (1 to 25 TeV); by default the one
    that the catalogue gives first. A size is the radius that holds 39 % of the flux, the
    standard deviation of a Gaussian; a source with a limit of it is a point.
    Cao et al. 2024, ApJS 271, 25.
    """

    tag = "1lhaaso"
    description = "first LHAASO catalogue"
    default_filename = "$GAMMAPY_DATA/catalogs/1LHAASO_catalog.fits"
    source_object_class = SourceCatalogObject1LHAASO
    which = ("KM2A", "WCDA")
    aliases = ("ASSO_Name",)
    position_columns = ("RAJ2000", "DECJ2000")
