"""Pictures of maps."""

from __future__ import annotations

import importlib
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patheffects import withStroke

from gammajax.plots.labels import unit_text
from gammajax.plots.style import sky_labels, styled

ELLIPSE = np.degrees([2 * np.sqrt(2), np.sqrt(2)])
"""Half axes of the sky in the plane of elliptical projections, in deg."""

NO_DATA = "#d9d9d9"
"""The colour of pixels without a value."""

LAYOUT = "compressed"
"""Of pictures of maps: their scales of colours are as high as they are."""

HEIGHTS = (2.4, 8.0)
"""The least and the largest height of a picture, in inches."""

STRETCHES = ("linear", "sqrt", "log")


def _norm(values: np.ndarray, stretch: str, vmin: Any, vmax: Any) -> Any:
    from matplotlib.colors import LogNorm, Normalize, PowerNorm

    if stretch not in STRETCHES:
        raise ValueError(f"plot: stretch is {stretch!r}, expected {', '.join(STRETCHES)}")
    finite = values[np.isfinite(values)]
    if stretch == "log":
        finite = finite[finite > 0]
    low = float(finite.min()) if vmin is None and finite.size else vmin
    high = float(finite.max()) if vmax is None and finite.size else vmax
    if stretch == "log":
        return LogNorm(low, high)
    return Normalize(low, high) if stretch == "linear" else PowerNorm(0.5, low, high)


@styled
def plot_map(
    found: Any,
    ax: Any = None,
    *,
    stretch: str = "linear",
    cmap: str = "inferno",
    vmin: float | None = None,
    vmax: float | None = None,
    add_cbar: bool = False,
    label: str | None = None,
) -> Any:
    """Draw an image with its coordinates.

    Parameters
    ----------
    found : `~gammajax.maps.WcsNDMap`
        One image: axes have one bin each. Use `plot_map_grid` for more.
    ax : `~astropy.visualization.wcsaxes.WCSAxes`, optional
    stretch : {"linear", "sqrt", "log"}
    cmap : str
    vmin, vmax : float, optional
    add_cbar : bool
        Whether to draw a scale of the colours.
    label : str, optional
        Of that scale; by default the unit.

    Returns
    -------
    ax : `~astropy.visualization.wcsaxes.WCSAxes`
    """
    values = np.asarray(found.data, dtype=float)
    if values.size != np.prod(values.shape[-2:]):
        raise ValueError(
            f"plot: {found!r} has {values.size // int(np.prod(values.shape[-2:]))} images; use "
            "plot_grid, or reduce its axes with sum_over_axes"
        )
    image = values.reshape(values.shape[-2:])
    made = ax is None
    ax = sky_axes(found.geom) if made else ax
    norm = _norm(image, stretch, vmin, vmax)
    ax.set_facecolor(NO_DATA)
    drawn = ax.imshow(image, origin="lower", cmap=cmap, norm=norm, interpolation="nearest")
    ax.grid(False)
    whole = is_whole_sky(found.geom)
    if made and whole:
        show_whole_sky(ax, found.geom)
    else:
        sky_labels(ax, found.geom.frame)
    if add_cbar:
        size = {"shrink": 0.6, "location": "bottom"} if whole else {}
        ax.figure.colorbar(drawn, ax=ax, label=label or unit_text(found.unit), **size)
    return ax


def is_whole_sky(geom: Any) -> bool:
    """Whether a map shows all of an elliptical projection."""
    return geom.projection in ("AIT", "MOL") and geom.width[0] >= 2 * ELLIPSE[0]


def sky_axes(geom: Any) -> Any:
    """Axes for a map in a new figure; for the whole sky, an ellipse."""
    if not is_whole_sky(geom):
        width, height = geom.width
        size = float(np.clip(5.0 * height / width + 0.6, *HEIGHTS))
        figure = plt.figure(figsize=(6.4, size), layout=LAYOUT)
        return figure.add_subplot(projection=geom.wcs)
    from astropy.visualization.wcsaxes.frame import EllipticalFrame

    figure = plt.figure(figsize=(8.0, 4.4))
    return figure.add_subplot(projection=geom.wcs, frame_class=EllipticalFrame)


def show_whole_sky(ax: Any, geom: Any) -> None:
    """Put the frame around the sky, and a net of coordinates on it."""
    middle, step = geom.wcs.wcs.crpix - 1, geom.pixel_scales
    for place, name in enumerate(("x", "y")):
        half = ELLIPSE[place] / step[place]
        ax.set(**{f"{name}lim": (middle[place] - half, middle[place] + half)})
    ax.coords.grid(color="white", alpha=0.35, linewidth=0.6)
    ax.coords[0].set_ticklabel(
        color="white", size=7, path_effects=[withStroke(linewidth=1.5, foreground="black")]
    )
    ax.coords[1].set_ticklabel(size=8)


@styled
def plot_map_grid(found: Any, *, ncols: int = 3, **options: Any) -> Any:
    """Draw every image of a cube; further options are those of `plot_map`.

    Returns
    -------
    axes : array of `~astropy.visualization.wcsaxes.WCSAxes`
    """
    axes = found.geom.axes
    number = axes.size
    rows = -(-number // ncols)
    figure = plt.figure(figsize=(3.6 * min(ncols, number), 3.2 * rows), layout=LAYOUT)
    panels = []
    for index, place in enumerate(np.ndindex(*axes.shape)):
        slices = dict(zip(reversed(axes.names), place, strict=True))
        panel = figure.add_subplot(rows, ncols, index + 1, projection=found.geom.wcs)
        plot_map(found.slice_by_idx(slices), panel, **options)
        panel.set_title(_title(axes, slices))
        panels.append(panel)
    return np.array(panels)


def plot_map_interactive(found: Any, **options: Any) -> Any:
    """A widget with a slider for every axis; needs ipywidgets.

    Returns
    -------
    widget : `ipywidgets.interactive`
    """
    try:
        widgets = importlib.import_module("ipywidgets")
    except ImportError:
        raise ValueError(
            "plot_interactive: needs the package ipywidgets, which is not installed; install "
            "it, or use plot_grid"
        ) from None

    def draw(**slices: int) -> None:
        plot_map(found.slice_by_idx(slices), **options).set_title(
            _title(found.geom.axes, slices)
        )
        plt.show()

    return widgets.interactive(
        draw, **{axis.name: (0, axis.nbin - 1) for axis in found.geom.axes}
    )


def _title(axes: Any, slices: dict[str, int]) -> str:
    """The bins that an image belongs to."""
    parts = []
    for name, index in slices.items():
        axis = axes[name]
        if axis.node_type == "edges":
            low, high = axis.edges_min[index], axis.edges_max[index]
            parts.append(f"{low:.3g} to {high:.3g} {axis.unit}".strip())
        else:
            center = axis.center[index]
            shown = str(center) if axis.node_type == "label" else f"{center:.3g} {axis.unit}"
            parts.append(shown.strip())
    return ", ".join(parts)
