"""Numbers of HEALPix pixels: parents and children, the two orders, disks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gammajax.maps.arrays import namespace


def check_nside(nside: Any) -> int:
    """A power of 2, as an int."""
    if isinstance(nside, bool) or int(nside) != nside or nside < 1 or nside & (nside - 1):
        raise ValueError(f"HpxGeom: nside is {nside!r}, expected a power of 2")
    return int(nside)


def nside_of_size(size: float) -> int:
    """The nside of the largest pixels that are at most ``size`` deg wide."""
    if not size > 0:
        raise ValueError(f"HpxGeom: binsz is {size:g} deg, expected one above 0")
    return 2 ** max(0, int(np.ceil(np.log2(np.sqrt(np.pi / 3) / np.radians(size)))))


def in_disk(nside: int, nest: bool, disk: tuple[float, float, float]) -> np.ndarray:
    """Pixels whose centres are within a radius of a position (all in deg), increasing."""
    import healpy

    lon, lat, radius = disk
    vector = healpy.ang2vec(lon, lat, lonlat=True)
    found = healpy.query_disc(nside, vector, np.radians(min(radius, 180.0)), nest=nest)
    return np.sort(found)


def swapped(nside: int, pixels: np.ndarray, nest: bool) -> np.ndarray:
    """Numbers in the other order."""
    import healpy

    return np.asarray((healpy.nest2ring if nest else healpy.ring2nest)(nside, pixels))


def nested(nside: int, pixels: np.ndarray, nest: bool) -> np.ndarray:
    """Numbers in the nested order."""
    return pixels if nest else swapped(nside, pixels, False)


def parents(nside: int, pixels: np.ndarray, nest: bool, coarse: int) -> np.ndarray:
    """The pixels of a coarser map in which pixels lie."""
    found = nested(nside, pixels, nest) // (nside // coarse) ** 2
    return found if nest else swapped(coarse, found, True)


def family(
    nside: int, pixels: np.ndarray, nest: bool, other: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How pixels change to another nside.

    Returns
    -------
    new : array
        The new pixels, increasing.
    source, target : array
        Places in ``pixels`` and in ``new`` of every pair of an old and a new pixel that
        overlap.
    """
    if other <= nside:
        above = parents(nside, pixels, nest, other)
        new, target = np.unique(above, return_inverse=True)
        return new, np.arange(pixels.size), target
    number = (other // nside) ** 2
    below = (nested(nside, pixels, nest)[:, None] * number + np.arange(number)).ravel()
    below = below if nest else swapped(other, below, True)
    order = np.argsort(below)
    return below[order], np.repeat(np.arange(pixels.size), number)[order], np.arange(below.size)


def sliced(geom: Any, slices: dict[str, int | slice]) -> Any:
    """Some bins of the axes of a geometry, whose images may differ."""
    axes = geom.axes.slice_by_idx(slices)
    if geom.is_regular:
        return geom.with_axes(axes)
    parts = [slices.get(name, slice(None)) for name in reversed(geom.axes.names)]
    numbers = np.arange(geom.axes.size).reshape(geom.axes.shape)[tuple(parts)]
    images = [geom.images[number] for number in np.ravel(numbers)]
    if all(image == images[0] for image in images):
        return images[0].with_axes(axes)
    ipix = None if geom.ipix is None else tuple(image.ipix for image in images)
    return replace(geom, nside=tuple(image.nside for image in images), ipix=ipix, axes=axes)


def summed(values: Any, target: np.ndarray, size: int) -> Any:
    """Values of the last axis added into ``size`` places."""
    xp = namespace(values)
    if xp is not np:
        return xp.zeros((*values.shape[:-1], size), values.dtype).at[..., target].add(values)
    rows = values.reshape(-1, values.shape[-1])
    found = [np.bincount(target, row, size) for row in rows]
    return np.array(found).reshape(*values.shape[:-1], size)
