"""Projections of maps: made, cut, refined, compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gammajax.maps.arrays import is_traced
from gammajax.maps.frames import FRAMES
from gammajax.maps.geom import pair, sky_position
from gammajax.maps.rebin import check_factor
from gammajax.maps.wcs_area import CYLINDERS, full_turn


def number_of_pixels(npix: Any, width: Any, binsz: Any) -> tuple[int, int]:
    """Numbers of pixels from what the user gave; the whole sky if nothing."""
    if npix is not None and width is not None:
        raise ValueError("WcsGeom: got npix and width, expected one of them")
    if npix is not None:
        return whole_pair(npix, "npix")
    size = pair((360.0, 180.0) if width is None else width, "deg", "WcsGeom: width")
    step = pair(binsz, "deg", "WcsGeom: binsz")
    if min(step) <= 0 or min(size) <= 0:
        raise ValueError(f"WcsGeom: width {size} and binsz {step} have to be above 0")
    return max(1, round(size[0] / step[0])), max(1, round(size[1] / step[1]))


def whole_pair(value: Any, where: str) -> tuple[int, int]:
    """One whole number for both directions, or one for each."""
    numbers = pair(value, "", f"WcsGeom: {where}")
    if any(number != int(number) or number < 0 for number in numbers):
        raise ValueError(f"WcsGeom: {where} is {value!r}, expected whole numbers")
    return int(numbers[0]), int(numbers[1])


def projection(
    skydir: Any, npix: tuple[int, int], binsz: Any, proj: str, frame: str, refpix: Any
) -> Any:
    """The `~astropy.wcs.WCS` of a map around a position."""
    from astropy.wcs import WCS

    if frame not in FRAMES:
        raise ValueError(f"WcsGeom: frame is {frame!r}, expected {', '.join(FRAMES)}")
    center = sky_position(skydir, frame).spherical
    step = pair(binsz, "deg", "WcsGeom: binsz")
    names = ("GLON", "GLAT") if frame == "galactic" else ("RA--", "DEC-")
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [f"{name}-{proj.upper()}" for name in names]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = [float(center.lon.deg), float(center.lat.deg)]
    wcs.wcs.cdelt = [-step[0], step[1]]
    wcs.wcs.crpix = refpix or [(npix[0] + 1) / 2, (npix[1] + 1) / 2]
    if frame != "galactic":
        wcs.wcs.radesys = frame.upper()
    try:
        wcs.wcs.set()
    except ValueError as error:
        reason = str(error).splitlines()[-1]
        raise ValueError(f"WcsGeom: projection {proj!r} cannot be used ({reason})") from None
    return wcs


def header_key(wcs: Any) -> tuple[Any, ...]:
    """What tells one projection from another; dates of observation do not."""
    cards = wcs.to_header(relax=True).items()
    return tuple((k, v) for k, v in cards if not k.startswith(("MJD", "DATE", "TIME", "OBS")))


def frame_of(wcs: Any) -> str:
    """``icrs``, ``galactic`` or ``fk5``; other frames are an error."""
    if wcs.wcs.ctype[0].startswith("GLON"):
        return "galactic"
    system = (wcs.wcs.radesys or "ICRS").strip().lower()
    if not wcs.wcs.ctype[0].startswith("RA") or system not in FRAMES:
        raise ValueError(
            f"WcsGeom: the projection is in {wcs.wcs.ctype[0]} {system}, expected galactic, "
            "icrs or fk5 coordinates with longitude first"
        )
    return system


def sky_to_pix(geom: Any, lon: Any, lat: Any) -> tuple[Any, Any]:
    """Pixel coordinates of positions in deg; NaN where the projection shows no sky."""
    if is_traced(lon) or is_traced(lat):
        return _traced(geom, lon, lat)
    lon, lat = np.broadcast_arrays(np.asarray(lon, float), np.asarray(lat, float))
    x, y = geom.wcs.wcs_world2pix(lon, lat, 0)
    if geom.projection in CYLINDERS:
        return _nearest_turn(geom, x, y)
    return x, y


def _traced(geom: Any, lon: Any, lat: Any) -> Any:
    import jax.numpy as jnp

    from gammajax.maps.projection import SkyToPix

    return SkyToPix.from_geom(geom).sky_to_pix(jnp.deg2rad(lon), jnp.deg2rad(lat))


def _nearest_turn(geom: Any, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes of a cylinder repeat: take the turn that is nearest to the map's middle."""
    scale, (mid_x, mid_y) = geom.wcs.pixel_scale_matrix, geom.center_pix
    away = scale[0, 0] * (x - mid_x) + scale[0, 1] * (y - mid_y)
    turns = np.rint(away / 360)
    step_x, step_y = full_turn(geom)
    return x - turns * step_x, y - turns * step_y


def nearest(pix: np.ndarray, npix: int, clip: bool) -> np.ndarray:
    """The pixel in which each pixel coordinate lies; -1 outside."""
    outside = ~((pix >= -0.5) & (pix < npix - 0.5))
    index = np.floor(np.where(np.isnan(pix), 0, pix) + 0.5).astype(int)
    return np.clip(index, 0, npix - 1) if clip else np.where(outside, -1, index)


def shifted(geom: Any, shift: tuple[float, float], npix: tuple[int, int]) -> Any:
    """The same pixels with the first one ``shift`` further out."""
    if min(npix) < 1:
        raise ValueError(f"{geom!r}: nothing is left, npix would be {npix}")
    wcs = geom.wcs.deepcopy()
    wcs.wcs.crpix = np.asarray(geom.wcs.wcs.crpix) + shift
    return replace(geom, wcs=wcs, npix=npix)


def cropped(geom: Any, x: slice, y: slice) -> Any:
    """The pixels of two slices."""
    return shifted(geom, (-x.start, -y.start), (x.stop - x.start, y.stop - y.start))


def cutout_slices(geom: Any, position: Any, width: Any) -> tuple[slice, slice]:
    """The pixels at most half of ``width`` from a position, as slices in x and y.

    The number of pixels is rounded; the middle one is that of the position.
    """
    center = sky_position(position, geom.frame).spherical
    pix = sky_to_pix(geom, center.lon.deg, center.lat.deg)
    size = pair(width, "deg", "cutout: width")
    slices = []
    for place in range(2):
        number = max(1, round(size[place] / geom.pixel_scales[place]))
        if not np.isfinite(pix[place]):
            raise ValueError(f"cutout: {geom!r} does not show the position {position}")
        first = int(np.ceil(float(pix[place]) - number / 2 - 1e-9))
        start, stop = max(0, first), min(geom.npix[place], first + number)
        if stop <= start:
            raise ValueError(f"cutout: {geom!r} has no pixel around {position}")
        slices.append(slice(start, stop))
    return slices[0], slices[1]


def coarser(geom: Any, factor: int) -> Any:
    """Pixels joined; the factor has to divide their numbers."""
    check_factor(factor, "WcsGeom")
    if geom.npix[0] % factor or geom.npix[1] % factor:
        raise ValueError(
            f"{geom!r}: {geom.npix} pixels cannot be joined by {factor}; pad or crop first"
        )
    return _rescaled(geom, 1 / factor, (geom.npix[0] // factor, geom.npix[1] // factor))


def finer(geom: Any, factor: int) -> Any:
    """Pixels divided."""
    check_factor(factor, "WcsGeom")
    return _rescaled(geom, factor, (geom.npix[0] * factor, geom.npix[1] * factor))


def _rescaled(geom: Any, scale: float, npix: tuple[int, int]) -> Any:
    wcs = geom.wcs.deepcopy()
    wcs.wcs.crpix = (np.asarray(wcs.wcs.crpix) - 0.5) * scale + 0.5
    if wcs.wcs.has_cd():
        wcs.wcs.cd = np.asarray(wcs.wcs.cd) / scale
    else:
        wcs.wcs.cdelt = np.asarray(wcs.wcs.cdelt) / scale
    return replace(geom, wcs=wcs, npix=npix)


def offset(geom: Any, other: Any, tolerance: float = 1e-6) -> tuple[int, int] | None:
    """Pixel of ``geom`` on which the first pixel of ``other`` falls; None if not aligned."""
    if geom.frame != other.frame or geom.projection != other.projection:
        return None
    x = np.array([0.0, other.npix[0] - 1, 0.0])
    y = np.array([0.0, 0.0, other.npix[1] - 1])
    lon, lat = other.wcs.wcs_pix2world(x, y, 0)
    there = np.array(sky_to_pix(geom, lon, lat)) - np.array([x, y])
    first = np.rint(there[:, 0]) if np.all(np.isfinite(there)) else np.array([np.nan] * 2)
    if not np.all(np.abs(there - first[:, None]) < tolerance * max(*geom.npix, 100)):
        return None
    return int(first[0]), int(first[1])
