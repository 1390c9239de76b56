"""Parts of the sky: distances, regions and margins."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gammajax.maps.geom import pair, sky_position


def separation(coords: Any, center: Any, frame: str) -> np.ndarray:
    """Distance of each point from a position, in deg."""
    return coords.skycoord.separation(sky_position(center, frame)).deg


def parse_regions(regions: Any) -> list[Any]:
    """Regions from objects, text in DS9's language, or a list of either."""
    from regions import Regions

    if isinstance(regions, str):
        try:
            with warnings.catch_warnings():
                # what the parser would skip with a warning is an error here
                warnings.simplefilter("error")
                return list(Regions.parse(regions, format="ds9"))
        except Exception as error:  # the parser has errors of many kinds
            raise ValueError(f"region {regions!r} cannot be read ({error})") from None
    if isinstance(regions, list | tuple | Regions):
        return [region for item in regions for region in parse_regions(item)]
    return [regions]


def in_regions(geom: Any, regions: Any) -> np.ndarray:
    """Whether the centre of each pixel lies in any of the regions, shape (lat, lon)."""
    from regions import PixCoord, SkyRegion

    mask = np.zeros(geom.data_shape[-2:], dtype=bool)
    y, x = np.indices(mask.shape)
    sky = geom.get_image_coord().skycoord
    for region in parse_regions(regions):
        if is_circular(region):
            distance = sky.separation(region.center)
            if hasattr(region, "inner_radius"):
                mask |= (distance >= region.inner_radius) & (distance < region.outer_radius)
            else:
                mask |= distance < region.radius
        elif isinstance(region, SkyRegion):
            mask |= region.contains(sky, geom.wcs)
        else:
            mask |= region.contains(PixCoord(x, y))
    return mask & np.isfinite(geom.get_image_coord()["lat"])


def is_circular(region: Any) -> bool:
    """Whether a sky region is a circle or an annulus, which need no projection."""
    from regions import CircleAnnulusSkyRegion, CircleSkyRegion

    return isinstance(region, CircleSkyRegion | CircleAnnulusSkyRegion)


def boundary(geom: Any, width: Any) -> np.ndarray:
    """The image without a margin of ``width`` in deg."""
    size = pair(width, "deg", "boundary_mask: width")
    mask = np.zeros(geom.data_shape[-2:], dtype=bool)
    margin = np.ceil(np.array(size) / geom.pixel_scales - 1e-9).astype(int)
    stop = np.maximum(np.array(geom.npix) - margin, 0)
    mask[margin[1] : stop[1], margin[0] : stop[0]] = True
    return mask
