"""Pictures of spatial models."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.maps import Map, WcsGeom
from gammajax.plots.maps import plot_map

PIXELS = 200
"""Pixels across a picture whose geometry is not given."""


def plot_spatial(
    model: Any, geom: Any = None, ax: Any = None, *, energy: Any = None, **options: Any
) -> Any:
    """Draw the density of a spatial model.

    Parameters
    ----------
    model : `~gammajax.models.SpatialModel`
    geom : `~gammajax.maps.WcsGeom`, optional
        An image; by default one around the position that holds all of the model.
    ax : `~astropy.visualization.wcsaxes.WCSAxes`, optional
    energy : `~astropy.units.Quantity` or float in TeV, optional
        For models that depend on it.
    **options
        Those of `plot_map`.

    Returns
    -------
    ax : `~astropy.visualization.wcsaxes.WCSAxes`
    """
    if geom is None:
        if not model.has_centre:
            raise ValueError(
                f"plot_spatial: {type(model).__name__} has no position; give a geom to draw on"
            )
        width = min(2.2 * float(model.evaluation_radius.value), 170.0)
        if width == 0:
            raise ValueError(
                f"plot_spatial: {type(model).__name__} has no density; draw its to_region()"
            )
        geom = WcsGeom.create(
            skydir=model.position,
            width=width,
            binsz=width / PIXELS,
            proj="TAN",
            frame=model.frame,
        )
    geom = geom.to_image()
    coords = geom.get_coord().skycoord
    values = np.asarray(model(coords, energy=energy).value)
    return plot_map(Map.from_geom(geom, data=values, unit=model.unit), ax, **options)
