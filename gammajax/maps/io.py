"""Maps in FITS files: the format of gammapy, and the files of the Fermi-LAT tools.

An image or cube is one image extension; its axes are in the table that ``BANDSHDU`` names.
Cubes of the Fermi-LAT tools have a table ``EBOUNDS`` (counts) or ``ENERGIES`` (exposure,
diffuse templates) instead, and are recognised by it. HEALPix maps and maps of one region are
tables.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.fits import MOST_FIELDS
from gammajax.maps.bands import axes_header, bands_table, read_axes
from gammajax.maps.core import Map, map_class
from gammajax.maps.fermi import check_writable, energy_table, unit_of_energies, with_unit
from gammajax.maps.hpx_geom import HpxGeom
from gammajax.maps.hpx_io import hpx_hdus, hpx_map, is_hpx
from gammajax.maps.map_axes import MapAxes
from gammajax.maps.region_geom import RegionGeom
from gammajax.maps.region_io import is_region_map, region_hdus, region_map
from gammajax.maps.sparse_io import dense_image, is_sparse_image
from gammajax.maps.wcs_geom import WcsGeom
from gammajax.storage import replacing

GZIP = b"\x1f\x8b"

TABLE = "SKYMAP"
"""Name of the extension of maps that are tables, unless one is given."""

FORMATS = ("gadf", "fgst-ccube", "fgst-bexpcube", "fgst-template")
"""Formats that can be written: gammapy's, and those of the Fermi-LAT tools."""


def open_fits(filename: Any) -> list[Any]:
    """All HDUs of a file (also of a gzipped one), read into memory.

    Raises
    ------
    ValueError
        If there is no such file, or it is damaged or no FITS file.
    """
    from astropy.io import fits
    from astropy.io.fits.verify import VerifyWarning
    from astropy.utils.exceptions import AstropyUserWarning

    path = Path(os.path.expandvars(str(filename)))
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file")
    try:
        content = path.read_bytes()
        if content.startswith(GZIP):
            content = gzip.decompress(content)
        with warnings.catch_warnings():
            # the warning of a short file is an error, that of an odd keyword is none
            warnings.simplefilter("error", AstropyUserWarning)
            warnings.simplefilter("ignore", VerifyWarning)
            with fits.open(io.BytesIO(content), memmap=False) as hdus:
                found: list[Any] = list(hdus)
                for hdu in found:
                    if hdu.header.get("TFIELDS", 0) > MOST_FIELDS:
                        raise ValueError(f"{hdu.name} has {hdu.header['TFIELDS']} columns")
                    hdu.data  # noqa: B018 (reads it, so that a short file is found here)
                return found
    except Exception as error:  # astropy raises nearly anything on damaged bytes
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path}: is damaged or no FITS file ({reason})") from None


def read_map(filename: Any, *, hdu: str | int | None = None) -> Map:
    """Read a map.

    Parameters
    ----------
    filename : path-like
    hdu : str or int, optional
        Extension of the map; by default the first that holds an image.

    Raises
    ------
    ValueError
        If the file or the extension is missing or damaged, or the axes do not fit.
    """
    return map_from_hdus(open_fits(filename), str(filename), hdu)


def map_from_hdus(hdus: list[Any], where: str, hdu: str | int | None = None) -> Map:
    """The map in a list of HDUs; ``where`` starts error messages."""
    try:
        return _map_from_hdus(hdus, where, hdu)
    except ValueError as error:
        raise ValueError(str(error) if where in str(error) else f"{where}: {error}") from None
    except Exception as error:  # headers may say anything, and astropy trusts them
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{where}: the header does not describe a map ({reason})") from None


def _map_from_hdus(hdus: list[Any], where: str, hdu: str | int | None) -> Map:
    found = _find(hdus, where, hdu)
    where = f"{where}[{found.name}]"
    if is_sparse_image(found):
        found = dense_image(found, where)
    meta = _meta(found.header)
    if is_region_map(found):
        return _checked_map(*region_map(hdus, found, where), meta, where)
    if is_hpx(found):
        geom, data, unit, table = hpx_map(hdus, found, where)
    elif not getattr(found, "is_image", False) or found.data is None:
        raise ValueError(f"{where}: is no image, and no table of a HEALPix or region map")
    else:
        axes, table = _axes(hdus, found, where)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # astropy repairs dates and old keywords
            wcs = _wcs(found, where)
        geom, data = _checked_geom(wcs, found.data.shape, axes, where), found.data
        unit = str(found.header.get("BUNIT", "")).strip()
    if not unit and table == "ENERGIES":
        unit = unit_of_energies(found.header, data, where)
    return _checked_map(geom, data, unit, meta, where)


def _meta(header: Any) -> dict[str, Any]:
    """What the keyword META holds; text that is no JSON is kept under that name."""
    text = str(header.get("META", "{}"))
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {"META": text}
    return found if isinstance(found, dict) else {"META": found}


def _checked_map(geom: Any, data: Any, unit: str, meta: dict[str, Any], where: str) -> Map:
    if data.dtype.kind == "f":
        data = data.astype(np.float64)
    counts = unit.lower() in ("counts", "count")
    try:
        return map_class(geom)(geom, data, "" if counts else unit, meta=meta)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _find(hdus: list[Any], where: str, hdu: str | int | None) -> Any:
    if isinstance(hdu, int) and -len(hdus) <= hdu < len(hdus):
        return hdus[hdu]
    for candidate in hdus:
        image = getattr(candidate, "is_image", False) and candidate.header.get("NAXIS", 0) >= 2
        image |= is_region_map(candidate) or is_hpx(candidate) or is_sparse_image(candidate)
        if candidate.name == str(hdu).upper() or (hdu is None and image):
            return candidate
    there = ", ".join(item.name for item in hdus)
    wanted = "image or map" if hdu is None else f"extension {hdu!r}"
    raise ValueError(f"{where}: has no {wanted} (extensions: {there})")


def _axes(hdus: list[Any], found: Any, where: str) -> tuple[MapAxes, str]:
    """The axes, and the name of the Fermi-LAT tools' table if they are in one."""
    if found.data.ndim == 2:
        return MapAxes(), ""
    names = [item.name for item in hdus]
    own = f"{found.name}_BANDS"
    for name in (str(found.header.get("BANDSHDU", own)).strip(), "ENERGIES", "EBOUNDS"):
        if name in names:
            table = hdus[names.index(name)]
            _require_regular(table, f"{where}: table {name}")
            return read_axes(table, f"{where}: table {name}"), name
    raise ValueError(
        f"{where}: has {found.data.ndim} dimensions, and the file has none of the tables "
        f"{own}, ENERGIES and EBOUNDS that would describe its axes"
    )


def _require_regular(table: Any, where: str) -> None:
    """gammapy gives pixels that change along an axis as columns of the table of bins."""
    for name in ("NPIX", "CDELT", "CRPIX"):
        if name in getattr(getattr(table, "columns", None), "names", ()):
            rows = np.asarray(table.data[name])
            if not np.all(rows == rows[:1]):
                raise ValueError(
                    f"{where}: {name} differs between bins, and maps whose pixels change "
                    "along an axis are not supported; write each bin as an image of its own"
                )


def _wcs(found: Any, where: str) -> Any:
    from astropy.wcs import WCS

    try:
        return WCS(found.header, naxis=2).celestial
    except Exception as error:  # wcslib has errors of many kinds
        reason = str(error).strip().splitlines()[-1]
        raise ValueError(f"{where}: the projection cannot be read ({reason})") from None


def _checked_geom(wcs: Any, shape: tuple[int, ...], axes: MapAxes, where: str) -> WcsGeom:
    if shape[:-2] != axes.shape:
        raise ValueError(
            f"{where}: the data have shape {shape}, and the axes {axes.names} want "
            f"{axes.shape} images; maps whose pixels change along an axis are not supported"
        )
    try:
        geom = WcsGeom(wcs, (shape[-1], shape[-2]), axes)
        geom.frame  # noqa: B018 (raises if it is none of ours)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return geom


def map_hdus(found: Any, hdu: str | None = None, *, format: str = "gadf") -> list[Any]:
    """The HDUs of a map: the values, the table of its axes, and the region.

    Parameters
    ----------
    found : `WcsNDMap`, `HpxNDMap` or `RegionNDMap`
    hdu : str, optional
        Name of the extension.
    format : str
        See `write_map`.
    """
    if format not in FORMATS:
        raise ValueError(f"map: format is {format!r}, expected {', '.join(FORMATS)}")
    if format != "gadf":
        check_writable(found, format)
        found = with_unit(found, format)
    if isinstance(found.geom, RegionGeom):
        hdus = region_hdus(found, (hdu or TABLE).upper())
    elif isinstance(found.geom, HpxGeom):
        hdus = hpx_hdus(found, hdu, format)
    else:
        hdus = _image_hdus(found, (hdu or "PRIMARY").upper(), format)
    if found.meta or format == "gadf":
        hdus[0].header["META"] = json.dumps(found.meta)
    return hdus


def _image_hdus(found: Any, name: str, format: str) -> list[Any]:
    from astropy.io import fits

    geom = found.geom
    header = geom.wcs.to_header(relax=True)
    if format == "gadf":
        header.update(axes_header(geom.axes))
        shape = (*geom.npix, *reversed(geom.axes.shape))
        header["WCSSHAPE"] = "(" + ",".join(map(str, shape)) + ")"
    else:
        header.update({"TELESCOP": "GLAST", "INSTRUME": "LAT"})
    if found.unit:
        header["BUNIT"] = found.unit
    data = np.asarray(found.data)
    data = data.astype(np.int32) if data.dtype == bool else data
    image = (
        fits.PrimaryHDU(data, header)
        if name == "PRIMARY"
        else fits.ImageHDU(data, header, name=name)
    )
    if format != "gadf":
        table = "EBOUNDS" if format == "fgst-ccube" else "ENERGIES"
        return [image, energy_table(geom, table, format)]
    if not len(geom.axes):
        return [image]
    bands = f"{name}_BANDS"
    image.header["BANDSHDU"] = bands
    return [image, bands_table(geom.axes, bands)]


def write_map(
    found: Any,
    filename: Any,
    *,
    hdu: str | None = None,
    format: str = "gadf",
    overwrite: bool = False,
) -> None:
    """Write a map; the file appears when it is complete.

    Parameters
    ----------
    found : `WcsNDMap`, `HpxNDMap` or `RegionNDMap`
    filename : path-like
        Compressed if it ends in ``.gz``.
    hdu : str, optional
        Name of the extension; by default ``PRIMARY`` for images, and ``SKYMAP`` for tables.
    format : {"gadf", "fgst-ccube", "fgst-bexpcube", "fgst-template"}
        gammapy's, or of the Fermi-LAT tools: counts (one axis ``energy`` of bins), exposure
        or intensity (one axis ``energy_true`` of nodes), converted to the tools' units.
    overwrite : bool
        Whether a file that is there may be replaced.
    """
    from astropy.io import fits

    path = Path(os.path.expandvars(str(filename)))
    try:
        hdus = map_hdus(found, hdu, format=format)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    with replacing(path, overwrite=overwrite) as (temporary,):
        if not isinstance(hdus[0], fits.PrimaryHDU):
            hdus.insert(0, fits.PrimaryHDU())
        buffer = io.BytesIO()
        fits.HDUList(hdus).writeto(buffer)
        content = buffer.getvalue()
        compressed = path.suffix == ".gz"
        temporary.write_bytes(gzip.compress(content, mtime=0) if compressed else content)
