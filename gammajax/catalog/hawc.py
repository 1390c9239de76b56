"""The catalogues of HAWC: 2HWC and 3HWC."""

from __future__ import annotations

from gammajax.catalog.core import SourceCatalog
from gammajax.catalog.parts import Part, known, round_error
from gammajax.catalog.source import SourceCatalogObject
from gammajax.models import DiskSpatialModel, PointSpatialModel, PowerLawSpectralModel
from gammajax.units import DNDE

REFERENCE = 7.0
"""Energy in TeV of the flux that both catalogues give."""


class SourceCatalogObjectHAWC(SourceCatalogObject):
    """A source of one of the catalogues of HAWC."""

    def _spectrum(self, stem: str, endings: tuple[str, ...]) -> Part:
        values, errors = {}, {}
        for name, column, unit in (("amplitude", "dnde", DNDE), ("index", "index", "")):
            values[name] = self.number(f"{stem}_{column}", unit)
            sides = [abs(self.number(f"{stem}_{column}_{e}", unit)) for e in endings]
            errors[name] = sum(sides) / len(sides)
        if not values["amplitude"] > 0:
            raise ValueError(f"{self.where}: the catalogue has no spectrum of this source")
        # The catalogue gives the exponent of the power law, which is minus the index.
        values["index"] = -values["index"]
        return Part(PowerLawSpectralModel(reference=REFERENCE, **values), known(**errors))

    def _shape(self, stem: str) -> Part:
        lon, lat = (self.number(name, "deg") for name in self._catalog.position_columns)
        radius = self.number(f"{stem}_radius", "deg")
        errors = round_error(lat, self.number("pos_err", "deg"))
        model = PointSpatialModel(lon, lat)
        if radius > 0:
            model = DiskSpatialModel(lon, lat, radius)
        return Part(model, errors)


class SourceCatalogObject2HWC(SourceCatalogObjectHAWC):
    """A source of 2HWC, as a point or as a disk."""

    def _stem(self, which: str | None) -> str:
        stem = "spec1" if which == "extended" else "spec0"
        if not self.number(f"{stem}_dnde", DNDE) > 0:
            raise ValueError(
                f"{self.where}: the catalogue has no {which} model of this source"
                if which
                else f"{self.where}: the catalogue has no spectrum of this source"
            )
        return stem

    def spectrum(self, which: str | None) -> Part:
        return self._spectrum(self._stem(which), ("err",))

    def shape(self, which: str | None) -> Part:
        return self._shape(self._stem(which))


class SourceCatalog2HWC(SourceCatalog):
    """The second HAWC catalogue: 40 sources.

    ``which`` is ``"point"`` or ``"extended"``; the second is there for some.
    Abeysekara et al. 2017, ApJ 843, 40.
    """

    tag = "2hwc"
    description = "second HAWC catalogue"
    default_filename = "$GAMMAPY_DATA/catalogs/2HWC.ecsv"
    source_object_class = SourceCatalogObject2HWC
    which = ("point", "extended")
    key = "source_name"
    position_columns = ("ra", "dec")


class SourceCatalogObject3HWC(SourceCatalogObjectHAWC):
    """A source of 3HWC; a disk where it was searched for as one."""

    def spectrum(self, which: str | None) -> Part:
        return self._spectrum("spec0", ("errn", "errp"))

    def shape(self, which: str | None) -> Part:
        return self._shape("spec0")


class SourceCatalog3HWC(SourceCatalog):
    """The third HAWC catalogue: 65 sources. Albert et al. 2020, ApJ 905, 76."""

    tag = "3hwc"
    description = "third HAWC catalogue"
    default_filename = "$GAMMAPY_DATA/catalogs/3HWC.ecsv"
    source_object_class = SourceCatalogObject3HWC
    key = "source_name"
    position_columns = ("ra", "dec")
