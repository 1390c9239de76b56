"""Maxima of maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.maps import Map
from gammajax.units import to_value


def find_peaks(image: Map, threshold: float, min_distance: Any = 1) -> Any:
    """Local maxima of an image above a threshold, the highest first.

    Parameters
    ----------
    image : `~gammajax.maps.WcsNDMap`
        One image, such as a map of significance. NaN are no maxima.
    threshold : float
    min_distance : int in pixels, or `~astropy.units.Quantity`
        Of two maxima that are nearer, the lower one is left out.

    Returns
    -------
    table : `~astropy.table.Table`
        ``value``, ``x``, ``y``, and the position: ``ra`` and ``dec``, or ``glon`` and ``glat``.

    Raises
    ------
    ValueError
        If the map has more than one image, or the distance is below a pixel.

    Examples
    --------
    >>> from gammajax.maps import WcsGeom
    >>> image = Map.from_geom(WcsGeom.create(npix=9, binsz=0.1))
    >>> data = image.data.copy()
    >>> data[3, 5] = 7.0
    >>> found = find_peaks(image.with_data(data), threshold=5)
    >>> found["value", "x", "y"].as_array().tolist()
    [(7.0, 5, 3)]
    """
    from astropy.table import Column, Table
    from scipy.ndimage import maximum_filter

    data = np.asarray(image.data, dtype=float)
    if data.size != np.prod(data.shape[-2:]):
        raise ValueError(
            f"find_peaks: {image!r} has {data.size // int(np.prod(data.shape[-2:]))} images; "
            "take one of them with slice_by_idx"
        )
    data = np.where(np.isfinite(data), data, -np.inf).reshape(data.shape[-2:])
    geom = image.geom.to_image()
    reach = min_distance
    if hasattr(min_distance, "unit") or isinstance(min_distance, str):
        size = to_value(min_distance, "deg", where="find_peaks: min_distance")
        reach = np.ceil(float(size) / float(np.min(geom.pixel_scales)))
    reach = int(reach)
    if reach < 1:
        raise ValueError(
            f"find_peaks: min_distance is {min_distance}, expected a pixel or more"
        )
    step = np.arange(-reach, reach + 1)
    disk = np.hypot(step, step[:, None]) <= reach
    highest = maximum_filter(data, footprint=disk, mode="constant", cval=-np.inf)
    y, x = np.nonzero((data == highest) & (data > threshold))
    order = np.argsort(-data[y, x], kind="stable")
    y, x = y[order], x[order]
    keep = _apart(x, y, reach)
    y, x = y[keep], x[keep]
    position = geom.pix_to_coord((x, y))
    names = ("glon", "glat") if geom.frame == "galactic" else ("ra", "dec")
    table = Table([data[y, x], x, y], names=("value", "x", "y"))
    for name, value in zip(names, position[:2], strict=True):
        degrees = np.asarray(getattr(value, "value", value), dtype=float)
        table[name] = Column(degrees, unit="deg")
    return table


def _apart(x: np.ndarray, y: np.ndarray, reach: int) -> np.ndarray:
    """Of maxima in falling order, those that have no higher one nearby: plateaus are one."""
    kept: list[int] = []
    for i in range(x.size):
        if all(np.hypot(x[i] - x[j], y[i] - y[j]) > max(reach, 1.5) for j in kept):
            kept.append(i)
    return np.array(kept, dtype=int)
