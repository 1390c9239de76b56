"""The response of a simulated telescope."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from gammajax.plots.labels import ENERGY_LABEL, unit_text
from gammajax.plots.style import BACKGROUND, COLOURS, MODEL, styled


@styled
def plot_response(response: Any, *, energy_bounds: Any = (0.1, 50.0), ax: Any = None) -> Any:
    """Effective area, energy resolution and bias, and background rate.

    Parameters
    ----------
    response : `~gammajax.simulate.TelescopeResponse`
    energy_bounds : pair of float
        In TeV.
    ax : three axes, optional

    Returns
    -------
    ax : three axes
    """
    if ax is None:
        ax = plt.figure(figsize=(10.0, 3.2)).subplots(1, 3)
    area, dispersion, background = ax
    low, high = energy_bounds
    energy = np.geomspace(low, high, 200)
    area.plot(energy, response.effective_area(energy) * 1e-4, color=MODEL)
    area.set(yscale="log", ylabel="Effective area [" + unit_text("m2") + "]")
    area.set_title("Effective area")
    dispersion.plot(
        energy, 100 * response.energy_resolution(energy), color=MODEL, label="spread"
    )
    bias = 100 * response.energy_bias(energy)
    dispersion.plot(energy, bias, "--", color=COLOURS[1], label="bias")
    dispersion.set(ylabel=r"$\ln(E_{\mathrm{reco}} / E)$ [%]")
    dispersion.set_title("Energy measurement")
    dispersion.legend()
    rate = response.background_rate * energy**-response.background_index
    background.plot(energy, rate, color=BACKGROUND)
    background.set(yscale="log", ylabel="Background [" + unit_text("s-1 TeV-1") + "]")
    background.set_title("Background in the on region")
    for one in ax:
        one.set(xscale="log", xlabel=ENERGY_LABEL)
    return ax
