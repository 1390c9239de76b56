"""Flux points with their errors and limits."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.plots.labels import ENERGY_LABEL, label_energies, unit_text
from gammajax.plots.style import DATA, axes_or_new, styled
from gammajax.units import EFLUX, conversion_factor

ARROW = 0.4
"""Length of the arrow of a limit, as a part of the limit."""


@styled
def plot_flux_points(
    points: Any,
    ax: Any = None,
    *,
    unit: str = "erg cm-2 s-1",
    label: str | None = None,
    colour: str = DATA,
    where: Any = None,
) -> Any:
    r"""Flux points as :math:`E^2\,dN/dE`, limits as arrows.

    Integrals over bins become the value at the reference energy of a spectrum that falls with
    the square of the energy and has the same integral.

    Parameters
    ----------
    points : `~gammajax.data.FluxPoints`
    ax : axes, optional
    unit : str
    label, colour : str
    where : array of bool, optional
        The points to draw; others are drawn faint. All by default.
    """
    ax = axes_or_new(ax)
    scale = _scale(points) * conversion_factor(EFLUX, unit, where="unit")
    used = np.ones(len(points), bool) if where is None else np.asarray(where)
    for chosen, alpha in ((used, 1.0), (~used, 0.3)):
        style = {"color": colour, "alpha": alpha, "linestyle": "none"}
        known = chosen & points.is_measured
        value, low, high = (
            (array * scale)[known]
            for array in (points.value, points.error_low, points.error_high)
        )
        if known.any():
            ax.errorbar(
                points.energy_ref[known],
                value,
                yerr=[low, high],
                xerr=_widths(points, known),
                marker="o",
                markersize=4,
                label=label if alpha == 1 else None,
                **style,
            )
        known = chosen & points.is_limit & points.is_usable
        if known.any():
            limit = (points.limit * scale)[known]
            ax.errorbar(
                points.energy_ref[known],
                limit,
                yerr=ARROW * limit,
                xerr=_widths(points, known),
                uplims=True,
                **style,
            )
    label_energies(ax)
    ax.set(yscale="log", xlabel=ENERGY_LABEL)
    ax.set_ylabel(rf"$E^2\,dN/dE$ [{unit_text(unit)}]")
    if label is not None:
        ax.legend(loc="lower left")
    return ax


def _scale(points: Any) -> Any:
    """What turns the quantity into energy squared times differential flux, in TeV cm-2 s-1."""
    low, high = points.energy_min, points.energy_max
    if points.sed_type == "dnde":
        return points.energy_ref**2
    if points.sed_type == "flux":
        return 1 / (1 / low - 1 / high)
    return np.ones(len(points)) if points.sed_type == "e2dnde" else 1 / np.log(high / low)


def _widths(points: Any, known: np.ndarray) -> Any:
    """Distances to the edges of the bins, 0 where there are none."""
    sides = (points.energy_ref - points.energy_min, points.energy_max - points.energy_ref)
    return [np.maximum(np.nan_to_num(side[known]), 0.0) for side in sides]
