"""Regions and their maps in FITS files, in the format of gammapy.

The values are in a table with the column ``DATA``, the axes in ``NAME_BANDS``, and the region
in ``NAME_REGION``: pixel coordinates of a projection that the header of that table holds.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gammajax.maps import shapes
from gammajax.maps.bands import bands_table, read_axes
from gammajax.maps.map_axes import MapAxes
from gammajax.maps.region_geom import RegionGeom
from gammajax.maps.wcs_geom import WcsGeom

PIXEL = 0.1
"""Size of the pixels, in deg, in which a file gives a region."""


FINER = 1000
"""Sizes are converted in pixels so much smaller: a step of one pixel measures their scale."""


def _scaled(region: Any, factor: float) -> Any:
    """A region in pixels of another size that cover the same sky."""
    kind = type(region).__name__.replace("Pixel", "Sky")
    place = "vertices" if kind == "PolygonSkyRegion" else "center"
    pixel = getattr(region, place)
    changes = {place: type(pixel)(*((p + 0.5) * factor - 0.5 for p in pixel.xy))}
    for name in shapes.SHAPES.get(kind, ()):
        if name != "angle":
            changes[name] = getattr(region, name) * factor
    return region.copy(**changes)


def _union(region: Any) -> list[Any]:
    """The parts of a union; formats of regions know no other compounds."""
    if shapes.name_of(region) != "CompoundSkyRegion":
        return [region]
    if shapes.OPERATORS.get(region.operator) != "or":
        raise ValueError(
            "RegionGeom: files hold unions of regions only, and this one is made with "
            f"{shapes.OPERATORS.get(region.operator, region.operator)!r}; write its mask, "
            "geom.to_wcs_geom().region_mask(region), instead"
        )
    return [*_union(region.region1), *_union(region.region2)]


def to_ds9(region: Any) -> str:
    """A union of regions in DS9's language."""
    from regions import Regions

    return Regions(_union(region)).serialize(format="ds9", precision=12)


def region_hdus(found: Any, name: str) -> list[Any]:
    """The HDUs of a `RegionNDMap`: values, axes and region."""
    from astropy.io import fits

    geom, values = found.geom, np.asarray(found.data)
    values = values.astype(np.int32) if values.dtype == bool else values
    rows = values if len(geom.axes) else values[None]
    columns = [
        fits.Column("CHANNEL", "K", array=np.arange(len(rows))),
        fits.Column(
            "DATA",
            f"{rows[0].size}{fits.column.NUMPY2FITS[values.dtype.str[1:]]}",
            unit=found.unit or None,
            array=rows,
            dim=f"({','.join(map(str, reversed(rows.shape[1:])))})",
        ),
    ]
    hdus = [fits.BinTableHDU.from_columns(columns, name=name)]
    if len(geom.axes):
        hdus.append(bands_table(geom.axes, f"{name}_BANDS"))
    if geom.region is not None:
        hdus.append(region_table(geom, f"{name}_REGION"))
    return hdus


def region_table(geom: RegionGeom, name: str) -> Any:
    """The table of the region of a geometry."""
    from astropy.io import fits
    from regions import Regions

    plane = geom.to_image().to_wcs_geom(binsz=PIXEL)
    fine = plane.upsample(FINER).wcs
    pixels = [_scaled(part.to_pixel(fine), 1 / FINER) for part in _union(geom.region)]
    hdu = fits.BinTableHDU(Regions(pixels).serialize(format="fits"), name=name)
    hdu.header.update(plane.wcs.to_header(relax=True))
    hdu.header["WCSSHAPE"] = f"({plane.npix[0]},{plane.npix[1]})"
    return hdu


def is_region_map(hdu: Any) -> bool:
    """Whether an extension may hold the values of a `RegionNDMap`."""
    return "DATA" in getattr(getattr(hdu, "columns", None), "names", ())


def region_map(hdus: list[Any], found: Any, where: str) -> tuple[RegionGeom, Any, str]:
    """Geometry, values and unit of a map in a table ``found``."""
    tables = {hdu.name: hdu for hdu in hdus}
    bands, region = (f"{found.name}_{kind}" for kind in ("BANDS", "REGION"))
    axes = MapAxes()
    if bands in tables:
        axes = read_axes(tables[bands], f"{where}: table {bands}")
    geom = RegionGeom(read_region(hdus, region, where), axes)
    values = np.asarray(found.data["DATA"])
    if values.size != np.prod(geom.data_shape):
        raise ValueError(
            f"{where}: DATA has shape {values.shape}, and the axes {axes.names} want "
            f"{geom.data_shape}"
        )
    return geom, values.reshape(geom.data_shape), found.columns["DATA"].unit or ""


def read_region(hdus: list[Any], name: str, where: str) -> Any:
    """The region of the table ``name``; None if there is no such table."""
    for hdu in hdus:
        if hdu.name == name:
            return _region(hdu, f"{where}: table {name}")
    return None


def _region(hdu: Any, where: str) -> Any:
    from astropy.table import QTable
    from astropy.wcs import WCS
    from regions import Regions

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # keywords that the projection does not use
            pixels = Regions.parse(QTable.read(hdu), format="fits")
            wcs = WCS(hdu.header, naxis=2).celestial
            fine = WcsGeom(wcs, (1, 1)).upsample(FINER).wcs
            found = [_scaled(pixel, FINER).to_sky(fine) for pixel in pixels]
    except Exception as error:  # the parsers have errors of many kinds
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise ValueError(f"{where}: the region cannot be read ({reason})") from None
    if not found:
        raise ValueError(f"{where}: holds no region")
    return RegionGeom.from_regions(found).region
