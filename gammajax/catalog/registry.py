"""All catalogues by their short names."""

from __future__ import annotations

from pathlib import Path

from gammajax.catalog.core import SourceCatalog
from gammajax.catalog.fermi_3fgl import SourceCatalog3FGL
from gammajax.catalog.fermi_4fgl import SourceCatalog4FGL
from gammajax.catalog.fermi_fhl import SourceCatalog2FHL, SourceCatalog3FHL
from gammajax.catalog.gammacat import SourceCatalogGammaCat
from gammajax.catalog.hawc import SourceCatalog2HWC, SourceCatalog3HWC
from gammajax.catalog.hess import SourceCatalogHGPS
from gammajax.catalog.lhaaso import SourceCatalog1LHAASO
from gammajax.catalog.pulsars import SourceCatalog2PC, SourceCatalog3PC
from gammajax.storage import suggest

CATALOGS: dict[str, type[SourceCatalog]] = {
    cls.tag: cls
    for cls in (
        SourceCatalog3FGL,
        SourceCatalog4FGL,
        SourceCatalog2FHL,
        SourceCatalog3FHL,
        SourceCatalog2PC,
        SourceCatalog3PC,
        SourceCatalogHGPS,
        SourceCatalogGammaCat,
        SourceCatalog2HWC,
        SourceCatalog3HWC,
        SourceCatalog1LHAASO,
    )
}
"""The classes of all catalogues, by tag."""


def load(name: str, filename: str | Path | None = None) -> SourceCatalog:
    """The catalogue of this short name; case does not matter.

    Parameters
    ----------
    name : str
        ``3fgl``, ``4fgl``, ``2fhl``, ``3fhl``, ``2pc``, ``3pc``, ``hgps``, ``gamma-cat``,
        ``2hwc``, ``3hwc`` or ``1lhaaso``.
    filename : path-like, optional
        Another file than that of gammapy's data.

    Raises
    ------
    ValueError
        If there is no such catalogue, or no such file.

    Examples
    --------
    >>> from gammajax.catalog import CATALOGS
    >>> print(*CATALOGS)
    3fgl 4fgl 2fhl 3fhl 2pc 3pc hgps gamma-cat 2hwc 3hwc 1lhaaso
    """
    tag = str(name).casefold()
    if tag not in CATALOGS:
        raise ValueError(f"there is no catalogue {name!r}{suggest(tag, CATALOGS)}")
    return CATALOGS[tag](filename)
