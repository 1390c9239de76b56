"""Pictures of event lists."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from gammajax.data import EventList
from gammajax.plots.labels import ENERGY_LABEL
from gammajax.plots.style import DATA, styled


@styled
def peek_events(events: EventList, ax: Any = None) -> Any:
    """Where, at what energies and when events were seen.

    Parameters
    ----------
    events : `~gammajax.data.EventList`
    ax : three axes, optional

    Returns
    -------
    ax : three axes
    """
    if ax is None:
        ax = plt.figure(figsize=(10.0, 3.2)).subplots(1, 3)
    sky, spectrum, rate = ax
    columns = events.columns
    sky.plot(columns["RA"], columns["DEC"], ",", color=DATA)
    sky.set(xlabel="Right ascension [deg]", ylabel="Declination [deg]", title="Directions")
    if len(events):
        # to the east is to the left; degrees of both axes are of one size
        sky.set_aspect(1 / np.cos(np.deg2rad(np.mean(columns["DEC"]))), adjustable="datalim")
        energy = columns["ENERGY"]
        bins = np.geomspace(energy.min(), 1.001 * energy.max(), 31)
        spectrum.hist(energy, bins, histtype="step", color=DATA)
        minutes = (columns["TIME"] - columns["TIME"].min()) / 60
        rate.hist(minutes, 30, histtype="step", color=DATA)
    sky.invert_xaxis()
    spectrum.set(xscale="log", yscale="log", xlabel=ENERGY_LABEL, ylabel="Events")
    spectrum.set_title("Energies")
    rate.set(xlabel="Time since the first event [min]", ylabel="Events", title="Times")
    return ax
