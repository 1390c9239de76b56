"""HEALPix maps in FITS tables: the formats of gammapy, of the Fermi-LAT tools, and of healpy.

Every image is a column, and every row a pixel (or, from healpy, several). Parts of the sky
have a column ``PIX`` of pixel numbers, or only the pixels that are not 0 (``SPARSE``).
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from gammajax.maps import hpx_pixels
from gammajax.maps.bands import bands_table, read_axes
from gammajax.maps.hpx_geom import HpxGeom
from gammajax.maps.map_axes import MapAxes

COORDSYS = {"C": "icrs", "EQU": "icrs", "CEL": "icrs", "G": "galactic", "GAL": "galactic"}
ORDERINGS = {"RING": False, "NEST": True, "NESTED": True}
BANDS = {"SKYMAP": "EBOUNDS", "HPXEXPOSURES": "ENERGIES"}
"""Tables of the axis where the header names none."""


def is_hpx(hdu: Any) -> bool:
    """Whether an extension is a table of HEALPix pixels."""
    return hasattr(hdu, "columns") and str(hdu.header.get("PIXTYPE")).strip() == "HEALPIX"


def hpx_map(hdus: list[Any], found: Any, where: str) -> tuple[HpxGeom, Any, str, str]:
    """Geometry, values, unit, and the table that described the axes (or nothing)."""
    header = found.header
    columns = [name for name in found.columns.names if name not in ("PIX", "CHANNEL")]
    sparse = str(header.get("INDXSCHM")).strip() == "SPARSE"
    axes, sides, table = _axes(hdus, found, where, single=len(columns) == 1 and not sparse)
    ordering = str(header.get("ORDERING", "RING")).strip().upper()
    system = str(header.get("COORDSYS", "C")).strip().upper()
    if ordering not in ORDERINGS or system not in COORDSYS:
        raise ValueError(
            f"{where}: ORDERING is {ordering!r} and COORDSYS {system!r}, expected one of "
            f"{', '.join(ORDERINGS)} and of {', '.join(COORDSYS)}"
        )
    if sides is None:
        side = header.get("NSIDE", 2 ** header["ORDER"] if "ORDER" in header else None)
        if not isinstance(side, int):
            raise ValueError(f"{where}: NSIDE is {side!r}, expected a power of 2")
        sides = side
    common = (sides, ORDERINGS[ordering], COORDSYS[system], axes)
    try:
        if sparse:
            geom, values = _sparse(found, common, where)
        else:
            geom, values = _dense(found, columns, common, where)
    except ValueError as error:
        raise ValueError(str(error) if where in str(error) else f"{where}: {error}") from None
    unit = str(header.get("BUNIT") or found.columns[columns[0]].unit or "").strip()
    return geom, values, unit, table


def _axes(hdus: list[Any], found: Any, where: str, single: bool) -> tuple[MapAxes, Any, str]:
    """Axes, nside of each image if the table has it, and the name of the table."""
    tables = {hdu.name: hdu for hdu in hdus}
    names = [str(found.header.get("BANDSHDU", f"{found.name}_BANDS")).strip()]
    names += ["ENERGIES", "EBOUNDS"] if not single or found.name in BANDS else []
    for name in names:
        if name not in tables:
            continue
        label = f"{where}: table {name}"
        axes, columns = read_axes(tables[name], label), tables[name].columns.names
        sides = tables[name].data["NSIDE"] if "NSIDE" in columns else None
        if sides is not None and np.all(sides == sides[0]):
            return axes, int(sides[0]), name
        return axes, None if sides is None else tuple(map(int, sides)), name
    if not single and not str(found.header.get("INDXSCHM")).strip() == "SPARSE":
        raise ValueError(
            f"{where}: has several columns of values, and the file none of the tables "
            f"{', '.join(names)} that would describe its axes"
        )
    return MapAxes(), None, ""


def _dense(found: Any, columns: list[str], common: Any, where: str) -> tuple[HpxGeom, Any]:
    sides, nest, frame, axes = common
    if len(columns) != axes.size:
        raise ValueError(
            f"{where}: has {len(columns)} columns of values, and the axes {axes.names} want "
            f"{axes.size}"
        )
    values = np.array([np.ravel(found.data[name]) for name in columns])
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    geom = HpxGeom(sides, nest, frame, axes)
    disk = _disk(str(found.header.get("HPX_REG", found.header.get("HPXREGION", ""))))
    if not geom.is_regular:
        geom = geom.cutout(disk[:2], 2 * disk[2]) if disk else geom
    elif "PIX" in found.columns.names:
        pixels = np.asarray(found.data["PIX"], dtype=np.int64)
        order = np.argsort(pixels)
        values = values[:, order]
        geom = HpxGeom(sides, nest, frame, axes, pixels[order], disk)
    elif disk:
        geom = geom.cutout(disk[:2], 2 * disk[2])
    if values.shape[-1] != geom.npix:
        raise ValueError(
            f"{where}: has {values.shape[-1]} pixels, expected {geom.npix} for nside {sides}"
        )
    values = values.reshape(geom.data_shape)
    return geom, values if geom.is_regular else np.where(geom.solid_angle() > 0, values, 0)


def _sparse(found: Any, common: Any, where: str) -> tuple[HpxGeom, Any]:
    """Pixels that are not listed are 0."""
    geom = HpxGeom(*common)
    pixels, names = np.asarray(found.data["PIX"], dtype=np.int64), found.columns.names
    rows = np.asarray(found.data["CHANNEL"], int) if "CHANNEL" in names else 0 * pixels
    values = np.zeros((geom.axes.size, geom.npix))
    if pixels.size and not (pixels.min() >= 0 and pixels.max() < geom.npix):
        raise ValueError(f"{where}: PIX goes to {pixels.max()}, beyond {geom.npix} pixels")
    if rows.size and not (rows.min() >= 0 and rows.max() < len(values)):
        raise ValueError(f"{where}: CHANNEL goes to {rows.max()}, beyond {len(values)} bins")
    np.add.at(values, (rows, pixels), np.asarray(found.data["VALUE"], dtype=float))
    return geom, values.reshape(geom.data_shape)


def _disk(text: str) -> tuple[float, float, float] | None:
    """Longitude, latitude and radius of ``DISK(...)``; other regions list their pixels."""
    match = re.fullmatch(r"\s*DISK\(([^,]+),([^,]+),([^,]+)\)\s*", text)
    if match is None:
        return None
    lon, lat, radius = (float(number) for number in match.groups())
    return lon, lat, radius


FORMATS = {
    "gadf": ("SKYMAP", "CHANNEL", None),
    "fgst-ccube": ("SKYMAP", "CHANNEL", "EBOUNDS"),
    "fgst-bexpcube": ("HPXEXPOSURES", "ENERGY", "ENERGIES"),
    "fgst-template": ("SKYMAP", "ENERGY", "ENERGIES"),
}
"""Name of the extension, start of the columns' names, and the table of the axis."""


def hpx_hdus(found: Any, name: str | None, form: str = "gadf") -> list[Any]:
    """The HDUs of a `HpxNDMap`: pixels, and axes."""
    from astropy.io import fits

    from gammajax.maps.fermi import energy_table

    geom = found.geom
    default, start, table = FORMATS[form]
    name = (name or default).upper()
    data = np.asarray(found.data)
    data = data.astype(np.int32) if data.dtype == bool else data
    code = fits.column.NUMPY2FITS[data.dtype.str[1:]]
    columns = []
    if geom.is_regular and not geom.is_allsky:
        columns.append(fits.Column("PIX", "K", array=geom.pixels))
    for number, row in enumerate(data.reshape(-1, geom.npix), start=1):
        columns.append(fits.Column(f"{start}{number}", code, array=row))
    header = _header(geom, form)
    bands = table or f"{name}_BANDS"
    if len(geom.axes):
        header["BANDSHDU"] = bands
    if found.unit:
        header["BUNIT"] = found.unit
    hdus = [fits.BinTableHDU.from_columns(columns, header=fits.Header(header), name=name)]
    if form != "gadf":
        return [*hdus, energy_table(geom, bands, form)]
    if len(geom.axes):
        extra = {} if geom.is_regular else {"NSIDE": np.array(geom.nside, dtype=np.int32)}
        hdus.append(bands_table(geom.axes, bands, extra))
    return hdus


def _header(geom: HpxGeom, form: str) -> dict[str, Any]:
    largest = int(np.max(geom.nside))
    header: dict[str, Any] = {
        "PIXTYPE": "HEALPIX",
        "ORDERING": "NESTED" if geom.nest else "RING",
        "COORDSYS": "GAL" if geom.frame == "galactic" else "CEL",
        "INDXSCHM": "IMPLICIT" if geom.is_allsky else "EXPLICIT",
        "ORDER": largest.bit_length() - 1,
        "NSIDE": largest,
        "FIRSTPIX": 0,
        "LASTPIX": 12 * largest**2 - 1,
        "HPX_CONV": form.upper(),
    }
    if geom.frame == "fk5":
        raise ValueError(
            f"{geom!r}: the format knows icrs and galactic coordinates; make the map in one "
            "of them"
        )
    if form != "gadf":
        header |= {"TELESCOP": "GLAST", "INSTRUME": "LAT"}
    if not geom.is_allsky and not geom.is_regular:
        header["INDXSCHM"] = "LOCAL"
        if geom.disk is None:
            raise ValueError(
                f"{geom!r}: of images with different pixels, only the whole sky or a disk "
                "made by cutout can be written; use to_nside first"
            )
    if geom.disk is not None and _is_disk(geom):
        header["HPX_REG"] = "DISK({!r},{!r},{!r})".format(*map(float, geom.disk))
    return header


def _is_disk(geom: HpxGeom) -> bool:
    """Whether the pixels are those that a reader will find in the disk."""
    return all(
        np.array_equal(hpx_pixels.in_disk(image.nside, geom.nest, image.disk), image.ipix)
        for image in geom.images
        if image.disk is not None
    )
