"""HEALPix maps on the pixels of a projection."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.maps.arrays import namespace
from gammajax.maps.geom import MapCoord
from gammajax.maps.wcs_geom import WcsGeom
from gammajax.maps.wcs_map import WcsNDMap

WIDEST = 60.0
"""Parts of the sky up to this width, in deg, are shown in the tangential plane."""


def to_wcs(found: Any, proj: str, binsz: Any, preserve_counts: bool) -> WcsNDMap:
    """See `HpxNDMap.to_wcs`."""
    target = _target(found.geom, proj, binsz)
    image = target.to_image()
    sky = image.get_image_coord()
    known = np.isfinite(sky["lat"])
    shown = MapCoord({key: value[known] for key, value in sky.items()}, sky.frame)
    data = found.data
    if preserve_counts:
        area = found.geom.solid_angle()
        data = data / np.where(area > 0, area, 1.0)
    values = _interpolated(found, data, shown)
    xp = namespace(values)
    place = np.zeros(known.shape, dtype=int)
    place[known] = np.arange(int(known.sum()))
    cube = xp.where(known, values[..., place], np.nan)
    if preserve_counts:
        cube = cube * image.solid_angle()
    return WcsNDMap(target, cube.reshape(target.data_shape), found.unit)


def _target(geom: Any, proj: str, binsz: Any) -> WcsGeom:
    size = np.degrees(np.sqrt(np.pi / 3)) / np.max(geom.nside)
    step = binsz if binsz is not None else size / 2
    center, options = geom.center_skydir, {"frame": geom.frame, "axes": geom.axes}
    if not geom.is_allsky:
        radius = max(image.separation(center).max() for image in geom.images) + size
        if 2 * radius <= WIDEST:
            width = 2 * np.degrees(np.tan(np.radians(radius)))
            return WcsGeom.create(skydir=center, width=width, binsz=step, proj="TAN", **options)
    return WcsGeom.create(binsz=step, proj=proj, **options)


def _interpolated(found: Any, data: Any, points: MapCoord) -> Any:
    """Values of every image at all points; the nearest pixel's at the border of a part."""
    rows = data.reshape(-1, found.geom.npix)
    images = []
    for image, row in zip(found.geom.images, rows, strict=True):
        one = type(found)(image, row[: image.npix])
        values, near = one.interp_by_coord(points), one.get_by_coord(points)
        xp = namespace(values, near)
        images.append(xp.where(xp.isnan(values), near, values))
    stacked = namespace(data).stack(images)
    return stacked.reshape(*found.geom.axes.shape, -1)
