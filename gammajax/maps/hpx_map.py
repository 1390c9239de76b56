"""Maps of HEALPix pixels."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from gammajax.maps import resampling
from gammajax.maps.arrays import namespace
from gammajax.maps.core import Map
from gammajax.maps.geom import coordinates
from gammajax.maps.interpolation import linear


class HpxNDMap(Map):
    """Values on the pixels of a `HpxGeom`; see `Map`.

    Examples
    --------
    >>> from gammajax.maps import Map
    >>> found = Map.create(map_type="hpx", nside=4).fill_by_coord(([3, 3.1, 90], [2, 2, 45]))
    >>> float(found.data.max())
    2.0
    """

    def get_by_coord(self, coords: Any) -> Any:
        """The value of the bin of each point; NaN outside the map."""
        index = self.geom.coord_to_idx(coords)
        inside = np.array(True)
        for item in index:
            inside = inside & (item >= 0)
        place = tuple(np.where(inside, item, 0) for item in reversed(index))
        return namespace(self.data).where(inside, self.data[place], np.nan)

    def interp_by_coord(self, coords: Any) -> Any:
        """Values between the bin centres, differentiable in the map's values.

        Bilinear between the four pixels that HEALPix names, and linear in the scale of each
        axis; NaN where one of the pixels is not in the map.
        """
        import healpy

        found = coordinates(coords, self.geom)
        axes = [axis.coord_to_pix(found[axis.name]) for axis in self.geom.axes]
        lon, lat, *axes = np.broadcast_arrays(found["lon"], found["lat"], *axes)
        pixels, weights = healpy.get_interp_weights(
            self.geom.nside, lon, lat, nest=self.geom.nest, lonlat=True
        )
        result = 0.0
        for pixel, weight in zip(np.asarray(pixels), np.asarray(weights), strict=True):
            place = self.geom.local(pixel)
            known = np.where(place >= 0, place, np.nan)
            result = result + weight * linear(self.data, (*reversed(axes), known))
        return result

    def fill_by_coord(self, coords: Any, weights: Any = None) -> Self:
        """A map with the number (or weights) of points in each bin added."""
        index = self.geom.coord_to_idx(coords)
        return self.with_data(self.data + resampling.histogram(self.geom, index, weights))

    def reduce(self, axis_name: str, *, func: str = "add", keepdims: bool = False) -> Self:
        """One axis reduced by ``add``, ``multiply``, ``maximum``, ``minimum``, or logic."""
        return resampling.reduce(self, axis_name, func, keepdims)

    def sum_over_axes(self, axes_names: Any = None, *, keepdims: bool = True) -> Self:
        """The sum over axes, by default all, each kept as one bin unless told."""
        found = self
        for name in self.geom.axes.names if axes_names is None else axes_names:
            found = found.reduce(name, keepdims=keepdims)
        return found

    def resample_axis(self, axis: Any, *, weights: Any = None) -> Self:
        """Sum the bins of one axis into those of ``axis``, which follow its edges."""
        return resampling.resample_axis(self, axis, weights)
