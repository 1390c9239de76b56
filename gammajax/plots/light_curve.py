"""Light curves."""

from __future__ import annotations

from typing import Any

import matplotlib.dates as dates
import numpy as np

from gammajax.data.flux_norms import REFERENCES
from gammajax.plots.labels import unit_text
from gammajax.plots.style import COLOURS, axes_or_new, styled
from gammajax.units import conversion_factor

ARROW = 0.3
"""Length of the arrow of a limit, as a part of the limit."""


@styled
def plot_light_curve(
    curve: Any,
    ax: Any = None,
    *,
    sed_type: str = "flux",
    unit: str | None = None,
    time_format: str = "iso",
    label: str | None = None,
) -> Any:
    """Fluxes against time, each bin of energy in a colour of its own; limits as arrows.

    Parameters
    ----------
    curve : `~gammajax.data.LightCurve`
    ax : axes, optional
    sed_type : {"flux", "eflux", "dnde", "e2dnde"}
    unit : str, optional
    time_format : {"iso", "mjd"}
        Dates in UTC, or MJD in TT.
    label : str, optional
        By default the energies, where there are several bins.
    """
    if time_format not in ("iso", "mjd"):
        raise ValueError(f"time_format is {time_format!r}, expected iso or mjd")
    ax = axes_or_new(ax, (8.0, 4.4))
    canonical = REFERENCES[sed_type]
    unit = unit or canonical
    factor = conversion_factor(canonical, unit, where="unit")
    start, stop = curve.time_min, curve.time_max
    if time_format == "iso":
        start, stop = (_dates(mjd) for mjd in (start, stop))
    middle, half = (start + stop) / 2, (stop - start) / 2
    is_limit = curve.is_limit
    several = curve.energy_min.size > 1
    for e in range(curve.energy_min.size):
        low, high = curve.energy_min[e], curve.energy_max[e]
        text = label or (f"{low:.3g} to {high:.3g} TeV" if several else None)
        value, err, errn, errp, limit = (
            curve.values(name, sed_type)[:, e] * factor
            for name in ("norm", "norm_err", "norm_errn", "norm_errp", "norm_ul")
        )
        errn, errp = (np.where(np.isfinite(side), side, err) for side in (errn, errp))
        shown = ~is_limit[:, e] & np.isfinite(value)
        style = {"color": COLOURS[e % len(COLOURS)], "linestyle": "none", "elinewidth": 1.2}
        ax.errorbar(
            middle[shown],
            value[shown],
            xerr=half[shown],
            yerr=np.nan_to_num([errn[shown], errp[shown]]),
            marker="o",
            markersize=3.5,
            label=text,
            **style,
        )
        quoted = is_limit[:, e]
        if quoted.any():
            at = limit[quoted]
            ax.errorbar(middle[quoted], at, xerr=half[quoted], yerr=ARROW * at, uplims=True,
                        **style)  # fmt: skip
    if time_format == "iso":
        locator = dates.AutoDateLocator()
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
        ax.set_xlabel("Time (UTC)")
    else:
        ax.set_xlabel("MJD (TT)")
    names = {"flux": "Flux", "eflux": "Energy flux", "dnde": "dN/dE", "e2dnde": r"$E^2\,dN/dE$"}
    ax.set_ylabel(f"{names[sed_type]} [{unit_text(unit)}]")
    if several or label:
        ax.legend()
    return ax


def _dates(mjd: np.ndarray) -> np.ndarray:
    """MJD in TT as numbers of matplotlib's dates, in UTC."""
    from astropy.time import Time

    time: Any = Time(mjd, format="mjd", scale="tt").utc
    return np.asarray(dates.date2num(time.to_datetime()))
