"""Pixel coordinates of sky positions in pure functions, for positions that are traced."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import equinox as eqx
import numpy as np

import gammajax.config  # noqa: F401 (turns on double precision)
from gammajax.maps.arrays import namespace
from gammajax.maps.frames import from_vector, to_vector
from gammajax.maps.native import PROJECTIONS, plane_of_vector, vector_of_plane
from gammajax.maps.wcs_geom import WcsGeom


class SkyToPix(eqx.Module):
    r"""The projection of a `WcsGeom` as a differentiable function.

    Unit vectors are turned into the projection's native frame, projected, and taken to pixels
    by a matrix:

    .. math:: p = p_0 + M^{-1} \, \mathrm{proj}(R \, n(\mathrm{lon}, \mathrm{lat}))

    It equals wcslib to 1e-9 pixels. Positions that the projection does not show are NaN, with
    derivatives that are finite. On a cylinder, where longitude repeats, it is the turn that
    is nearest to the middle of the map.

    Parameters
    ----------
    code : str
        The projection: one of ``PROJECTIONS``.
    rotation : array, shape (3, 3)
        From unit vectors in the geometry's frame to native ones.
    scale : array, shape (2, 2)
        From pixels to the plane's coordinates in rad.
    reference : array, shape (2,)
        The pixel of the plane's origin, counted from 0.
    middle : array
        x of the map's middle in the plane.

    Examples
    --------
    >>> import jax
    >>> import numpy as np
    >>> from gammajax.maps import SkyToPix, WcsGeom
    >>> geom = WcsGeom.create(skydir=(83.6, 22.0), npix=11, binsz=0.1, proj="TAN")
    >>> pixels = SkyToPix.from_geom(geom)
    >>> x, y = jax.jit(SkyToPix.sky_to_pix)(pixels, *np.radians([83.6, 22.1]))
    >>> x.round(6), y.round(5)
    (Array(5., dtype=float64), Array(6., dtype=float64))
    """

    rotation: Any
    scale: Any
    reference: Any
    middle: Any
    code: str = eqx.field(static=True)

    @staticmethod
    def from_geom(geom: WcsGeom) -> SkyToPix:
        """The projection of a geometry.

        Raises
        ------
        ValueError
            If there are no formulas for the projection, with those that there are, or if the
            header gives it parameters or distortions.
        """
        return _from_image(geom.to_image())

    def sky_to_pix(self, lon: Any, lat: Any) -> tuple[Any, Any]:
        """Pixel coordinates of positions.

        Parameters
        ----------
        lon, lat : array
            In rad, in the geometry's frame.

        Returns
        -------
        x, y : array
            0 at the centre of the first pixel; NaN where the projection shows no sky.
        """
        return self.vector_to_pix(to_vector(lon, lat))

    def vector_to_pix(self, vector: Any) -> tuple[Any, Any]:
        """Pixel coordinates of unit vectors, whose last axis has length 3."""
        xp = namespace(vector, self.rotation)
        native = xp.asarray(vector) @ xp.swapaxes(self.rotation, -1, -2)
        x, y, shown = plane_of_vector(xp, PROJECTIONS[self.code], native, self.middle)
        (a, b), (c, d) = self.scale
        one = (d * x - b * y) / (a * d - b * c) + self.reference[0]
        two = (a * y - c * x) / (a * d - b * c) + self.reference[1]
        return xp.where(shown, one, np.nan), xp.where(shown, two, np.nan)

    def pix_to_sky(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Longitude (0 to 2 pi) and latitude in rad; NaN where there is no sky."""
        vector, shown = self._vector(x, y)
        xp = namespace(vector)
        lon, lat = from_vector(vector)
        return xp.where(shown, lon, np.nan), xp.where(shown, lat, np.nan)

    def pix_to_vector(self, x: Any, y: Any) -> Any:
        """Unit vectors of pixel coordinates; NaN where there is no sky."""
        vector, shown = self._vector(x, y)
        return namespace(vector).where(shown[..., None], vector, np.nan)

    def _vector(self, x: Any, y: Any) -> tuple[Any, Any]:
        xp = namespace(x, y, self.scale)
        x, y = xp.broadcast_arrays(xp.asarray(x, dtype=float), xp.asarray(y, dtype=float))
        pixel = xp.stack([x, y], axis=-1) - self.reference
        plane = pixel @ xp.swapaxes(self.scale, -1, -2)
        native, shown = vector_of_plane(
            xp, PROJECTIONS[self.code], plane[..., 0], plane[..., 1], self.middle
        )
        return native @ self.rotation, shown


@lru_cache(maxsize=64)
def _from_image(geom: WcsGeom) -> SkyToPix:
    code, wcs = geom.projection, geom.wcs
    if code not in PROJECTIONS:
        raise ValueError(
            f"SkyToPix: {geom!r} has the projection {code!r}, and positions can be traced "
            f"through {', '.join(PROJECTIONS)}; reproject the map to one of them"
        )
    parameters = [value for *_, value in wcs.wcs.get_pv() if value != 0]
    distorted = [wcs.sip, wcs.cpdis1, wcs.cpdis2, wcs.det2im1, wcs.det2im2]
    if parameters or any(item is not None for item in distorted):
        raise ValueError(
            f"SkyToPix: the header of {geom!r} gives the projection parameters or distortions "
            "(PV, SIP, lookup tables), expected none; reproject the map"
        )
    scale = np.radians(wcs.pixel_scale_matrix)
    reference = np.asarray(wcs.wcs.crpix) - 1.0
    middle = (scale @ (np.array(geom.center_pix) - reference))[0]
    return SkyToPix(_native_rotation(wcs), scale, reference, np.float64(middle), code)


def _native_rotation(wcs: Any) -> np.ndarray:
    """From the sky's frame to the native one, by the three angles that wcslib found.

    They are the native pole's longitude and colatitude, and the native longitude of the
    frame's pole.
    """
    wcs.wcs.set()
    lon, colat, phi = np.radians(wcs.wcs.cel.euler[:3])
    first = np.array([[np.cos(lon), np.sin(lon), 0], [-np.sin(lon), np.cos(lon), 0], [0, 0, 1]])
    tilt = np.array(
        [
            [-np.cos(colat), 0, np.sin(colat)],
            [0, -1, 0],
            [np.sin(colat), 0, np.cos(colat)],
        ]
    )
    last = np.array([[np.cos(phi), -np.sin(phi), 0], [np.sin(phi), np.cos(phi), 0], [0, 0, 1]])
    return last @ tilt @ first
