"""Pictures of event lists."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import PowerNorm

from gammajax.data import GTI, EventList
from gammajax.plots.labels import ENERGY_LABEL
from gammajax.plots.style import DATA, styled

SHOWN = 0.98
"""The share of the events that the picture of directions reaches out to."""


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
    sky.set(xlabel="Right ascension [deg]", ylabel="Declination [deg]", title="Directions")
    if len(events):
        _directions(sky, columns["RA"], columns["DEC"])
        energy = columns["ENERGY"]
        bins = np.geomspace(energy.min(), 1.001 * energy.max(), 31)
        spectrum.hist(energy, bins, histtype="step", color=DATA)
        minutes = (columns["TIME"] - columns["TIME"].min()) / 60
        rate.hist(minutes, 30, histtype="step", color=DATA)
    spectrum.set(xscale="log", yscale="log", xlabel=ENERGY_LABEL, ylabel="Events")
    spectrum.set_title("Energies")
    rate.set(xlabel="Time since the first event [min]", ylabel="Events", title="Times")
    return ax


def _directions(ax: Any, ra: np.ndarray, dec: np.ndarray) -> None:
    """Numbers of events on the sky; the few that lie far out would make all others a dot."""
    middle = np.median(dec)
    angle = np.deg2rad(ra)
    mean = np.rad2deg(np.arctan2(np.mean(np.sin(angle)), np.mean(np.cos(angle)))) % 360
    stretch = np.cos(np.deg2rad(middle))
    x = (ra - mean + 180) % 360 - 180
    distance = np.hypot(x * stretch, dec - middle)
    radius = max(np.quantile(distance, SHOWN), 1e-3)
    half = radius / max(stretch, 0.05)
    box = [[mean - half, mean + half], [middle - radius, middle + radius]]
    bins = min(60, 4 + len(ra) // 20)
    ax.hist2d(mean + x, dec, bins=bins, range=box, cmap="inferno", norm=PowerNorm(0.5))
    ax.set_title(f"Directions ({SHOWN:.0%} of the events)")
    # to the east is to the left; degrees of both axes are of one size
    ax.set_aspect(1 / stretch)
    ax.invert_xaxis()
    ax.grid(visible=False)


@styled
def plot_gti(gti: GTI, ax: Any = None) -> Any:
    """Good time intervals as bars on a line of time.

    Gaps of more than a tenth of the time shown are hard to overlook, short ones hard to see:
    the title says how many intervals there are, and their sum.

    Parameters
    ----------
    gti : `~gammajax.data.GTI`
    ax : axes, optional

    Returns
    -------
    ax : axes
    """
    if ax is None:
        ax = plt.figure(figsize=(8.0, 1.6)).subplots()
    begin = gti.start[0] if len(gti) else 0.0
    unit, name = (60.0, "min") if np.ptp([begin, *gti.stop]) < 4 * 3600 else (3600.0, "h")
    bars = [
        ((a - begin) / unit, (b - a) / unit) for a, b in zip(gti.start, gti.stop, strict=True)
    ]
    ax.broken_barh(bars, (0, 1), color=DATA, alpha=0.6, edgecolor=DATA, linewidth=1)
    since = f" since {gti.time_start[0].isot} {gti.reference.scale.upper()}" if len(gti) else ""
    ax.set(xlabel=f"Time{since} [{name}]", ylim=(-0.3, 1.3), yticks=[])
    plural = "" if len(gti) == 1 else "s"
    ax.set_title(
        f"{len(gti)} good time interval{plural}, {gti.time_sum.value / unit:.4g} {name}"
    )
    ax.grid(visible=False, axis="y")
    return ax
