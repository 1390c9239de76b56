"""Positions and solid angles of the pixels of a projection."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from gammajax.maps.frames import to_vector
from gammajax.maps.native import PROJECTIONS, vector_of_plane

CYLINDERS = {"CAR": 90.0, "CEA": np.degrees(1.0), "MER": np.inf}
"""Projections in which longitude goes on for ever, and the plane's y (deg) at their poles."""

SLACK = 1e-9
"""Points beyond the edge by so much (deg) are on it: they were rounded."""

EQUAL_AREA = ("ZEA", "CEA", "SFL", "AIT", "MOL")
"""Projections in whose plane all areas are solid angles."""

BORDER = 64
"""A pixel that the edge of the sky cuts is divided in so many by so many parts."""

FINE = 1.0
"""Pixels up to this size, in deg, are taken in one piece by one of two estimates."""


def unit_vectors(lon: Any, lat: Any) -> np.ndarray:
    """Unit vectors of positions in deg, with a last axis of length 3."""
    return to_vector(np.radians(lon), np.radians(lat))


def pix_to_sky(geom: Any, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Positions in deg of pixel coordinates; NaN where the projection shows no sky.

    A cylinder goes on for ever; the turn of longitude around the map's middle counts.
    """
    x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
    wcs, code = geom.wcs, geom.projection
    if code not in CYLINDERS:
        lon, lat = wcs.wcs_pix2world(x, y, 0)
        # beyond the edge of an all-sky projection, positions do not lead back to the pixel
        back_x, back_y = wcs.wcs_world2pix(lon, lat, 0)
        shown = np.hypot(back_x - x, back_y - y) < 1e-3
    else:
        scale, turn = wcs.pixel_scale_matrix, full_turn(geom)
        shift = (x - geom.center_pix[0], y - geom.center_pix[1])
        first = np.array(geom.center_pix) + 1 - wcs.wcs.crpix
        plane = [row[0] * shift[0] + row[1] * shift[1] + row @ first for row in scale]
        turns = np.rint(plane[0] / 360)  # wcslib knows one turn around the reference
        lon, lat = wcs.wcs_pix2world(x - turns * turn[0], y - turns * turn[1], 0)
        away = np.abs(plane[0] - scale[0] @ first)
        shown = (np.abs(plane[1]) <= CYLINDERS[code] + SLACK) & (away <= 180 + SLACK)
    shown &= np.isfinite(lat)
    return np.where(shown, lon, np.nan), np.where(shown, lat, np.nan)


def full_turn(geom: Any) -> np.ndarray:
    """How many pixels in x and y a full turn of native longitude is on a cylinder."""
    return np.linalg.solve(geom.wcs.pixel_scale_matrix, [360.0, 0.0])


def pixel_grid(geom: Any, *, corners: bool = False, parts: int = 1) -> tuple[Any, Any]:
    """Positions of all pixel centres, or of the corners of pixels divided in ``parts``."""
    if corners:
        axes = [np.arange(n * parts + 1) / parts - 0.5 for n in geom.npix]
    else:
        axes = [np.arange(n, dtype=float) for n in geom.npix]
    return pix_to_sky(geom, axes[0][None, :], axes[1][:, None])


@lru_cache(maxsize=8)
def _image_solid_angle(geom: Any) -> np.ndarray:
    if geom.projection in EQUAL_AREA and not geom.wcs.wcs.get_pv():
        area = _plane_area(geom)
        area.setflags(write=False)
        return area
    parts = int(np.ceil(np.max(geom.pixel_scales) / FINE))
    coarse, fine = (_polygon_area(geom, parts * more) for more in (1, 2))
    # the borders of pixels are no great circles: the error falls with the square of the parts
    area = np.where(coarse > 0, (4 * fine - coarse) / 3, fine)
    area.setflags(write=False)
    return area


def solid_angle(geom: Any) -> np.ndarray:
    r"""Solid angle of each pixel in sr; 0 where the projection shows no sky.

    In projections of equal area it is the area in the plane, and pixels that the edge of the
    sky cuts have their share (counted, to 1e-3 of such a pixel). In others, the corners of
    each pixel, of its quarters and (above 1 deg) of further parts span spherical triangles,
    whose area is

    .. math:: \tan(A / 2) = \frac{|a \cdot (b \times c)|}{1 + ab + bc + ca}

    The sums of whole and divided pixels are extrapolated to infinitely many parts, and a part
    with a corner beyond the edge of the sky is left out.
    """
    return _image_solid_angle(geom.to_image())


def _plane_area(geom: Any) -> np.ndarray:
    nx, ny = geom.npix
    x, y = np.arange(4 * nx + 1) / 4 - 0.5, np.arange(4 * ny + 1) / 4 - 0.5
    shown = _shown(geom, x[None, :], y[:, None])
    number = np.zeros((ny, nx))
    for row in range(5):
        for column in range(5):
            number += shown[row : row + 4 * ny : 4, column : column + 4 * nx : 4]
    share = (number == 25).astype(float)
    cut_y, cut_x = np.nonzero((number > 0) & (number < 25))
    step = (np.arange(BORDER) + 0.5) / BORDER - 0.5
    inside = _shown(
        geom,
        cut_x[:, None, None] + step,
        cut_y[:, None, None] + step[:, None],
    )
    share[cut_y, cut_x] = inside.mean(axis=(1, 2))
    return share * abs(np.linalg.det(np.radians(geom.wcs.pixel_scale_matrix)))


def _shown(geom: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether points of the plane lie in the sky."""
    scale, center = np.radians(geom.wcs.pixel_scale_matrix), np.array(geom.wcs.wcs.crpix) - 1
    x, y = np.broadcast_arrays(x - center[0], y - center[1])
    across, up = (row[0] * x + row[1] * y for row in scale)
    middle = scale[0] @ (np.array(geom.center_pix) - center)
    return vector_of_plane(np, PROJECTIONS[geom.projection], across, up, middle)[1]


def _polygon_area(geom: Any, parts: int) -> np.ndarray:
    corner = unit_vectors(*pixel_grid(geom, corners=True, parts=parts))
    a, b, c, d = corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]
    area = _triangle(a, b, c) + _triangle(a, c, d)
    area = np.nan_to_num(area, nan=0.0)
    nx, ny = geom.npix
    return area.reshape(ny, parts, nx, parts).sum(axis=(1, 3))


def _triangle(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    # differences first: the product of three nearly equal vectors would lose its digits
    volume = np.abs(np.einsum("...i,...i", a, np.cross(b - a, c - a)))
    cosines = 1 + sum(np.einsum("...i,...i", u, v) for u, v in ((a, b), (b, c), (c, a)))
    return 2 * np.arctan2(volume, cosines)
