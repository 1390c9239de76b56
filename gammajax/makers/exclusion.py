"""Where the background of a counts cube may be measured."""

from __future__ import annotations

from typing import Any

import numpy as np


def outside(geom: Any, exclusion_mask: Any) -> np.ndarray:
    """The pixels outside of sources, as an array that broadcasts over energy.

    Parameters
    ----------
    geom : geometry
        Its axes do not matter.
    exclusion_mask : `~gammajax.maps.Map` of bool or None
        An image that is false where there are sources. What it does not cover is outside.
    """
    if exclusion_mask is None:
        return np.array(True)
    image = geom.to_image()
    values = np.asarray(exclusion_mask.get_by_coord(image.get_coord()), dtype=float)
    return np.where(np.isnan(values), 1.0, values) != 0


def used_pixels(dataset: Any, exclusion_mask: Any) -> np.ndarray:
    """The bins of a cube in its safe mask and outside of sources, in its shape."""
    kept = np.broadcast_to(outside(dataset.geom, exclusion_mask), dataset.geom.data_shape)
    safe = dataset.mask_safe
    return kept if safe is None else kept & np.asarray(safe.data)
