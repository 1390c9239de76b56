"""Maps in FITS files: the format of gammapy, and cubes of the Fermi-LAT tools.

An image or cube is one image extension; its axes are in the table that ``BANDSHDU`` names.
Cubes of the Fermi-LAT tools have a table ``EBOUNDS`` (counts) or ``ENERGIES`` (exposure,
diffuse templates) instead, and are recognised by it.
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

from gammajax.maps.bands import axes_header, bands_table, read_axes
from gammajax.maps.core import Map
from gammajax.maps.map_axes import MapAxes
from gammajax.maps.region_geom import RegionGeom
from gammajax.maps.region_io import is_region_map, region_hdus, region_map
from gammajax.maps.wcs_geom import WcsGeom
from gammajax.storage import replacing

GZIP = b"\x1f\x8b"

TABLE = "SKYMAP"
"""Name of the extension of maps that are tables, unless one is given."""

DIFFUSE = "cm-2 s-1 MeV-1 sr-1"
"""Unit of a Fermi-LAT diffuse template, whose files often state none."""

EXPOSURE = "cm2 s"
"""Unit of a Fermi-LAT exposure cube, whose files state none."""


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
    found = _find(hdus, where, hdu)
    where = f"{where}[{found.name}]"
    if is_region_map(found):
        return _checked_map(*region_map(hdus, found, where), where)
    if not getattr(found, "is_image", False) or found.data is None:
        raise ValueError(f"{where}: is no image")
    axes, fermi = _axes(hdus, found, where)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy repairs dates and old keywords, and says so
        wcs = _wcs(found, where)
    shape = found.data.shape
    geom = _checked_geom(wcs, shape, axes, where)
    unit = str(found.header.get("BUNIT", "")).strip()
    if not unit and fermi == "ENERGIES":
        unit = EXPOSURE if _is_exposure(found.header) else DIFFUSE
    return _checked_map(geom, found.data, unit, where)


def _checked_map(geom: Any, data: Any, unit: str, where: str) -> Map:
    if data.dtype.kind == "f":
        data = data.astype(np.float64)
    try:
        return Map.from_geom(
            geom, data=data, unit="" if unit.lower() in ("counts", "count") else unit
        )
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _find(hdus: list[Any], where: str, hdu: str | int | None) -> Any:
    if isinstance(hdu, int) and -len(hdus) <= hdu < len(hdus):
        return hdus[hdu]
    for candidate in hdus:
        image = getattr(candidate, "is_image", False) and candidate.header.get("NAXIS", 0) >= 2
        image = image or is_region_map(candidate)
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
            return read_axes(table, f"{where}: table {name}"), name
    raise ValueError(
        f"{where}: has {found.data.ndim} dimensions, and the file has none of the tables "
        f"{own}, ENERGIES and EBOUNDS that would describe its axes"
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


def _is_exposure(header: Any) -> bool:
    """The tools write the maps of exposure with these keywords only."""
    text = " ".join(str(header.get(key, "")) for key in ("CREATOR", "HDUNAME", "TELESCOP"))
    return "gtexp" in text.lower() or "GLAST" in text


def map_hdus(
    found: Any, hdu: str | None = None, meta: dict[str, Any] | None = None
) -> list[Any]:
    """The HDUs of a map in gammapy's format: the values, and the table of its axes."""
    from astropy.io import fits

    geom = found.geom
    if isinstance(geom, RegionGeom):
        return region_hdus(found, (hdu or TABLE).upper())
    header = geom.wcs.to_header(relax=True)
    header.update(axes_header(geom.axes))
    shape = (*geom.npix, *reversed(geom.axes.shape))
    header["WCSSHAPE"] = "(" + ",".join(map(str, shape)) + ")"
    header["META"] = json.dumps(meta or {})
    if found.unit:
        header["BUNIT"] = found.unit
    data = np.asarray(found.data)
    data = data.astype(np.int32) if data.dtype == bool else data
    name = (hdu or "PRIMARY").upper()
    image = (
        fits.PrimaryHDU(data, header)
        if name == "PRIMARY"
        else fits.ImageHDU(data, header, name=name)
    )
    if not len(geom.axes):
        return [image]
    bands = f"{name}_BANDS"
    image.header["BANDSHDU"] = bands
    return [image, bands_table(geom.axes, bands)]


def write_map(
    found: Any, filename: Any, *, hdu: str | None = None, overwrite: bool = False
) -> None:
    """Write a map in gammapy's format; the file appears when it is complete.

    Parameters
    ----------
    found : `WcsNDMap` or `RegionNDMap`
    filename : path-like
        Compressed if it ends in ``.gz``.
    hdu : str, optional
        Name of the extension; by default ``PRIMARY`` for images, and ``SKYMAP`` for tables.
    overwrite : bool
        Whether a file that is there may be replaced.
    """
    from astropy.io import fits

    path = Path(os.path.expandvars(str(filename)))
    if not isinstance(found.geom, WcsGeom | RegionGeom):
        raise ValueError(f"{path}: only maps of WCS pixels can be written, got {found!r}")
    with replacing(path, overwrite=overwrite) as (temporary,):
        hdus = map_hdus(found, hdu)
        if not isinstance(hdus[0], fits.PrimaryHDU):
            hdus.insert(0, fits.PrimaryHDU())
        buffer = io.BytesIO()
        fits.HDUList(hdus).writeto(buffer)
        content = buffer.getvalue()
        compressed = path.suffix == ".gz"
        temporary.write_bytes(gzip.compress(content, mtime=0) if compressed else content)
