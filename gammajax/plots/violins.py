"""Posteriors of fluxes as violins."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.plots.labels import ENERGY_LABEL, label_energies, unit_text
from gammajax.plots.style import COLOURS, axes_or_new, styled
from gammajax.units import EFLUX, conversion_factor

TAIL = 0.003
"""The share of draws that is cut off at both ends."""

N_VALUES = 120


@styled
def plot_violins(
    points: Any,
    ax: Any = None,
    *,
    unit: str = "erg cm-2 s-1",
    colour: str = COLOURS[2],
    label: str | None = None,
) -> Any:
    r"""The posterior of each flux point as :math:`E^2\,dN/dE`: the wider, the denser.

    Densities are of the logarithm of the flux, in arbitrary units.

    Parameters
    ----------
    points : `~gammajax.data.FluxPoints`
        With samples, from `~gammajax.estimators.FluxPointsEstimator.sample`.
    ax : axes, optional
    unit, colour, label : str

    Raises
    ------
    ValueError
        If the points have no samples.
    """
    norms = points.norms
    if norms is None or norms.samples is None:
        raise ValueError(
            "plot_violins: these points have no samples; make them with "
            "FluxPointsEstimator.sample"
        )
    ax = axes_or_new(ax)
    scale = norms.ref_e2dnde * conversion_factor(EFLUX, unit, where="unit")
    for i in range(len(points)):
        draws = norms.samples[i] * scale[i]
        if not np.isfinite(draws).all():
            continue
        value, density = density_of(np.log(draws[draws > 0]))
        half = np.log(points.energy_max[i] / points.energy_min[i]) / 2 * density
        middle = points.energy_ref[i]
        ax.fill_betweenx(
            np.exp(value), middle * np.exp(-half), middle * np.exp(half),
            color=colour, alpha=0.35, linewidth=0, label=label,
        )  # fmt: skip
        ax.plot(middle, np.median(draws), color=colour, marker="_", markersize=8)
        label = None
    label_energies(ax)
    ax.set(yscale="log", xlabel=ENERGY_LABEL)
    ax.set_ylabel(rf"$E^2\,dN/dE$ [{unit_text(unit)}]")
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="lower left")
    return ax


def density_of(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values between the tails of draws, and their density with a maximum of 1."""
    from scipy.stats import gaussian_kde

    low, high = np.quantile(draws, (TAIL, 1 - TAIL))
    value = np.linspace(low, high, N_VALUES)
    found = gaussian_kde(draws)(value)
    return value, found / found.max()
