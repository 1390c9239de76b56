"""The look that all plots share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
import matplotlib.pyplot as plt

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#333333")
"""Colours that colour-blind readers can tell apart (Okabe and Ito)."""

DATA = "#222222"
MODEL = COLOURS[0]
BACKGROUND = COLOURS[4]
TRUTH = COLOURS[1]
FAINT = "#9a9a9a"

SETTINGS = {
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,
    "axes.titlesize": "medium",
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": "small",
    "font.size": 10.0,
    "savefig.dpi": 130,
    "figure.constrained_layout.use": True,
}


@contextmanager
def settings(**changed: Any) -> Iterator[None]:
    """matplotlib's settings changed for a while, and only those put back.

    `matplotlib.rc_context` puts all of them back, also those that a notebook's backend
    sets when the first figure loads it; figures would then not be shown.
    """
    current: Any = matplotlib.rcParams
    before = {name: current[name] for name in changed}
    current.update(changed)
    try:
        yield
    finally:
        current.update(before)


def styled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run a plot function with the common settings, and leave the user's as they are."""

    @functools.wraps(function)
    def wrapper(*args: Any, **options: Any) -> Any:
        with settings(**SETTINGS):
            return function(*args, **options)

    return wrapper


def axes_or_new(ax: Any, size: tuple[float, float] = (6.4, 4.4)) -> Any:
    """The axes given, or those of a new figure."""
    if ax is not None:
        return ax
    return plt.figure(figsize=size).add_subplot()


def sky_labels(ax: Any, frame: str) -> None:
    """Name the axes of a picture of the sky."""
    names = {"galactic": ("Galactic longitude", "Galactic latitude")}
    lon, lat = names.get(frame, ("Right ascension", "Declination"))
    ax.set(xlabel=lon, ylabel=lat)


def main_and_residual(ax: Any, size: tuple[float, float] = (6.8, 5.4)) -> tuple[Any, Any]:
    """Two axes with one energy axis, the lower one for residuals.

    ``ax`` may be a pair of axes; single axes are split in two.
    """
    if ax is None:
        figure = plt.figure(figsize=size)
        grid = figure.add_gridspec(2, 1, height_ratios=[3, 1.1], hspace=0.04)
    elif hasattr(ax, "get_subplotspec"):
        figure, spec = ax.figure, ax.get_subplotspec()
        if spec is None:
            raise ValueError("ax has no place in a grid to split; give a pair of axes instead")
        grid = spec.subgridspec(2, 1, height_ratios=[3, 1.1], hspace=0.04)
        ax.remove()
    else:
        main, residual = ax
        return main, residual
    main = figure.add_subplot(grid[0])
    residual = figure.add_subplot(grid[1], sharex=main)
    main.tick_params(labelbottom=False, which="both")
    return main, residual


def draw_without_display() -> None:
    """Draw into files only, as the command line does: no screen is needed."""
    plt.switch_backend("Agg")


def save(axes: Any, path: Any) -> None:
    """Write the figure that holds the axes to a file, and close it."""
    first = axes
    while not hasattr(first, "figure"):
        first = first[0]
    figure = first.figure
    figure.savefig(path, dpi=SETTINGS["savefig.dpi"])
    plt.close(figure)
