"""Spatial parameters against energy."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.plots.labels import ENERGY_LABEL
from gammajax.plots.style import DATA, MODEL, axes_or_new, styled


@styled
def plot_energy_dependence(found: Any, parameter: str | None = None, ax: Any = None) -> Any:
    """A spatial parameter in bins of energy, and the same in all of them as a band.

    Parameters
    ----------
    found : `~gammajax.estimators.EnergyDependentMorphology`
    parameter : str, optional
        The first one by default.
    ax : axes, optional
    """
    parameter = parameter or found.parameters[0]
    if parameter not in found.parameters:
        raise ValueError(f"no parameter {parameter!r}; there are {', '.join(found.parameters)}")
    ax = axes_or_new(ax)
    column = found.parameters.index(parameter)
    low, high = found.energy_min, found.energy_max
    middle = np.sqrt(low * high)
    known = np.isfinite(found.errors[:, column])
    ax.errorbar(
        middle[known],
        found.values[known, column],
        yerr=found.errors[known, column],
        xerr=[(middle - low)[known], (high - middle)[known]],
        color=DATA,
        marker="o",
        markersize=4,
        linestyle="none",
        label="by bin",
    )
    value, error = found.joint[column], found.joint_errors[column]
    ax.axhspan(value - error, value + error, color=MODEL, alpha=0.2, linewidth=0)
    ax.axhline(value, color=MODEL, label=f"the same ({found.significance:.1f} sigma apart)")
    unit = f" [{found.units[column]}]" if found.units[column] else ""
    ax.set(xscale="log", xlabel=ENERGY_LABEL, ylabel=f"{parameter}{unit}")
    ax.legend()
    return ax
