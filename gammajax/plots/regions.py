"""Pictures of regions of the sky, and of maps that have one region."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from astropy.units import Unit

from gammajax.maps import shapes
from gammajax.plots.labels import parameter_label
from gammajax.plots.style import DATA, TRUTH, axes_or_new, sky_labels, styled


@styled
def plot_region(geom: Any, ax: Any = None, **options: Any) -> Any:
    """Draw the outline of a region on the sky.

    Parameters
    ----------
    geom : `~gammajax.maps.RegionGeom`
        Every part of a compound is drawn; a point is a cross.
    ax : `~astropy.visualization.wcsaxes.WCSAxes`, optional
        By default a tangential picture a half wider than the region.
    **options
        For the lines: ``color``, ``linewidth``, ...

    Returns
    -------
    ax : `~astropy.visualization.wcsaxes.WCSAxes`
    """
    if ax is None:
        width = max(3 * geom.radius, 0.5)
        plane = geom.to_wcs_geom(binsz=width / 200, width_min=width)
        ax = plt.figure().add_subplot(projection=plane.wcs)
        ax.set(xlim=(-0.5, plane.npix[0] - 0.5), ylim=(-0.5, plane.npix[1] - 0.5))
        ax.set_aspect("equal")
        sky_labels(ax, geom.frame)
    style = {"color": TRUTH, "linewidth": 1.5, **options}
    for part in shapes.parts(geom.region):
        for lon, lat in shapes.outline(part, geom.frame):
            marker = {"marker": "+", "markersize": 10} if len(lon) == 1 else {}
            transform = ax.get_transform(geom.frame)
            ax.plot(lon, lat, transform=transform, **marker, **style)
    return ax


@styled
def plot_region_map(
    found: Any, ax: Any = None, *, axis_name: str | None = None, **options: Any
) -> Any:
    """Draw the values of one region over an axis, as steps or, at nodes, as a line.

    Parameters
    ----------
    found : `~gammajax.maps.RegionNDMap`
    ax : `~matplotlib.axes.Axes`, optional
    axis_name : str, optional
        The axis to draw over, if there is more than one; for each bin of the others there is
        a line.
    **options
        For the lines: ``color``, ``linewidth``, ``label``, ...

    Returns
    -------
    ax : `~matplotlib.axes.Axes`
    """
    axes = found.geom.axes
    if axis_name is None and len(axes) != 1:
        raise ValueError(
            f"plot: {found!r} has the axes {axes.names}; choose one with axis_name="
        )
    axis = axes[axis_name or 0]
    values = np.asarray(found.data, dtype=float)[..., 0, 0]
    lines = np.moveaxis(values, axes.dim(axis.name), -1).reshape(-1, axis.nbin)
    ax = axes_or_new(ax)
    style = {"color": DATA, **options} if len(lines) == 1 else options
    for line in lines:
        if axis.node_type == "edges":
            ax.stairs(line, axis.edges, **style)
        else:
            ax.plot(axis.center, line, marker="o", markersize=3, **style)
    if axis.interp == "log":
        ax.set_xscale("log")
        if np.all(values >= 0) and np.any(values > 0):
            ax.set_yscale("log")
    unit = Unit(found.unit).to_string("fits")
    name = axis.name.replace("_", " ").capitalize()
    ax.set(xlabel=parameter_label(name, axis.unit), ylabel=parameter_label("Value", unit))
    return ax
