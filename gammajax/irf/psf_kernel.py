"""Point spread functions integrated over the pixels of a map."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.maps import Map, WcsGeom
from gammajax.units import to_value

SPLIT = 8
"""Points along the side of a pixel over which a spread is averaged."""


class PSFKernel:
    """The share of a point source's events in each pixel around it, by energy.

    Parameters
    ----------
    psf_kernel_map : `~gammajax.maps.WcsNDMap`
        With an odd number of pixels on each side; each image sums to 1, or is 0.

    Raises
    ------
    ValueError
        If a side is even, or a value is negative or not finite.
    """

    def __init__(self, psf_kernel_map: Map) -> None:
        data = np.asarray(psf_kernel_map.data)
        ny, nx = data.shape[-2:]
        if ny % 2 == 0 or nx % 2 == 0:
            raise ValueError(f"PSFKernel: has {nx} x {ny} pixels, expected odd numbers")
        if not np.isfinite(data).all() or (data < 0).any():
            raise ValueError("PSFKernel: values have to be finite, and 0 or more")
        self.psf_kernel_map = psf_kernel_map

    @property
    def data(self) -> np.ndarray:
        """The values, shape (energy, y, x)."""
        return np.asarray(self.psf_kernel_map.data)

    @classmethod
    def from_psf(
        cls, psf: Any, geom: WcsGeom, *, position: Any = None, max_radius: Any = None
    ) -> PSFKernel:
        """The kernel of a `~gammajax.irf.PSFMap` for pixels of the size of a geometry.

        A pixel has the mean over 8 x 8 points in it.

        Parameters
        ----------
        psf : `~gammajax.irf.PSFMap`
        geom : `~gammajax.maps.WcsGeom`
            Gives the size of the pixels, at its middle.
        position : `~astropy.coordinates.SkyCoord`, optional
            Where the spread is taken; by default at the middle of its map.
        max_radius : float or `~astropy.units.Quantity`, optional
            In deg; by default what contains 99.9 % of the events.
        """
        if max_radius is None:
            radii = psf.containment_radius(0.999, position).value
            radius = float(np.nanmax(radii))
        else:
            radius = float(to_value(max_radius, "deg", where="max_radius"))
        if radius <= 0:
            raise ValueError(f"PSFKernel: max_radius is {radius} deg, expected more than 0")
        size_x, size_y = geom.pixel_scales
        half = [int(np.ceil(radius / size)) for size in (size_x, size_y)]
        inner = (np.arange(SPLIT) + 0.5) / SPLIT - 0.5
        x, y = (
            (np.arange(-n, n + 1)[:, None] + inner).ravel() * size
            for n, size in zip(half, (size_x, size_y), strict=True)
        )
        distance = np.hypot(x, y[:, None])
        table = psf.profile(position)
        rows = []
        for row in table:
            fine = np.interp(distance, psf.rad.center, row, right=0.0)
            fine = np.where(distance <= radius, fine, 0.0)
            image = fine.reshape(y.size // SPLIT, SPLIT, x.size // SPLIT, SPLIT).sum((1, 3))
            rows.append(image / image.sum() if image.sum() > 0 else image)
        shape = (2 * half[0] + 1, 2 * half[1] + 1)
        small = WcsGeom.create(
            skydir=(0.0, 0.0), npix=shape, binsz=(size_x, size_y), proj="TAN", axes=[psf.energy]
        )
        return cls(Map.from_geom(small, data=np.stack(rows)))

    def __repr__(self) -> str:
        return f"PSFKernel({self.psf_kernel_map.geom!r})"
