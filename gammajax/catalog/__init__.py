"""Catalogues of gamma-ray sources, and the models that they stand for."""

from gammajax.catalog.core import SourceCatalog
from gammajax.catalog.fermi import SourceCatalogFermi
from gammajax.catalog.fermi_3fgl import SourceCatalog3FGL, SourceCatalogObject3FGL
from gammajax.catalog.fermi_4fgl import SourceCatalog4FGL, SourceCatalogObject4FGL
from gammajax.catalog.fermi_fhl import (
    SourceCatalog2FHL,
    SourceCatalog3FHL,
    SourceCatalogObject2FHL,
    SourceCatalogObject3FHL,
)
from gammajax.catalog.gammacat import SourceCatalogGammaCat, SourceCatalogObjectGammaCat
from gammajax.catalog.hawc import (
    SourceCatalog2HWC,
    SourceCatalog3HWC,
    SourceCatalogObject2HWC,
    SourceCatalogObject3HWC,
)
from gammajax.catalog.hess import (
    SourceCatalogHGPS,
    SourceCatalogObjectHGPS,
    SourceCatalogObjectHGPSComponent,
)
from gammajax.catalog.hess_large_scale import SourceCatalogLargeScaleHGPS
from gammajax.catalog.lhaaso import SourceCatalog1LHAASO, SourceCatalogObject1LHAASO
from gammajax.catalog.pulsars import (
    SourceCatalog2PC,
    SourceCatalog3PC,
    SourceCatalogObject2PC,
    SourceCatalogObject3PC,
)
from gammajax.catalog.registry import CATALOGS, load
from gammajax.catalog.source import SourceCatalogObject

__all__ = [
    "CATALOGS",
    "SourceCatalog",
    "SourceCatalog1LHAASO",
    "SourceCatalog2FHL",
    "SourceCatalog2HWC",
    "SourceCatalog2PC",
    "SourceCatalog3FGL",
    "SourceCatalog3FHL",
    "SourceCatalog3HWC",
    "SourceCatalog3PC",
    "SourceCatalog4FGL",
    "SourceCatalogFermi",
    "SourceCatalogGammaCat",
    "SourceCatalogHGPS",
    "SourceCatalogLargeScaleHGPS",
    "SourceCatalogObject",
    "SourceCatalogObject1LHAASO",
    "SourceCatalogObject2FHL",
    "SourceCatalogObject2HWC",
    "SourceCatalogObject2PC",
    "SourceCatalogObject3FGL",
    "SourceCatalogObject3FHL",
    "SourceCatalogObject3HWC",
    "SourceCatalogObject3PC",
    "SourceCatalogObject4FGL",
    "SourceCatalogObjectGammaCat",
    "SourceCatalogObjectHGPS",
    "SourceCatalogObjectHGPSComponent",
    "load",
]
