"""Maps of HEALPix pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

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
