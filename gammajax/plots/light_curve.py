"""Light curves."""

from __future__ import annotations

from typing import Any

import matplotlib.dates as dates
import numpy as np

from gammajax.data.flux_norms import REFERENCES
from gammajax.plots.labels import label_with_power
from gammajax.plots.style import COLOURS, axes_or_new, styled
from gammajax.plots.violins import density_of
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
    start, stop = _times(curve, time_format)
    ax = axes_or_new(ax, (8.0, 4.4))
    canonical = REFERENCES[sed_type]
    unit = unit or canonical
    factor = conversion_factor(canonical, unit, where="unit")
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
    _label(ax, curve, sed_type, unit, time_format)
    if several or label:
        ax.legend()
    return ax


@styled
def plot_light_curve_violins(
    curve: Any,
    ax: Any = None,
    *,
    sed_type: str = "flux",
    unit: str | None = None,
    time_format: str = "iso",
    energy_bin: int = 0,
    colour: str = COLOURS[2],
    label: str | None = None,
) -> Any:
    """The posterior of each flux of a light curve: the wider, the denser.

    Parameters
    ----------
    curve : `~gammajax.data.LightCurve`
        With samples, from `~gammajax.estimators.LightCurveEstimator.sample`.
    ax : axes, optional
    sed_type, unit, time_format
        As in `plot_light_curve`.
    energy_bin : int
    colour, label : str

    Raises
    ------
    ValueError
        If the curve has no samples.
    """
    if curve.norms.samples is None:
        raise ValueError(
            "plot_light_curve_violins: this curve has no samples; make it with "
            "LightCurveEstimator.sample"
        )
    ax = axes_or_new(ax, (8.0, 4.4))
    canonical = REFERENCES[sed_type]
    unit = unit or canonical
    factor = conversion_factor(canonical, unit, where="unit")
    start, stop = _times(curve, time_format)
    reference = np.asarray(getattr(curve.norms, f"ref_{sed_type}")) * factor
    for t in range(len(curve)):
        draws = curve.norms.samples[t, energy_bin] * reference[t, energy_bin]
        if not np.isfinite(draws).all():
            continue
        value, density = density_of(draws)
        middle, half = (start[t] + stop[t]) / 2, (stop[t] - start[t]) / 2 * density
        ax.fill_betweenx(value, middle - half, middle + half, color=colour, alpha=0.35,
                         linewidth=0, label=label)  # fmt: skip
        ax.plot(middle, np.median(draws), color=colour, marker="_", markersize=8)
        label = None
    _label(ax, curve, sed_type, unit, time_format)
    if ax.get_legend_handles_labels()[0]:
        ax.legend()
    return ax


def _times(curve: Any, time_format: str) -> tuple[np.ndarray, np.ndarray]:
    """Beginnings and ends, as the axis has them."""
    if time_format not in ("iso", "mjd"):
        raise ValueError(f"time_format is {time_format!r}, expected iso or mjd")
    if time_format == "mjd":
        return curve.time_min, curve.time_max
    return _dates(curve.time_min), _dates(curve.time_max)


def _label(ax: Any, curve: Any, sed_type: str, unit: str, time_format: str) -> None:
    """Name the axes; the energies are named here where there is one bin of them."""
    if time_format == "iso":
        locator = dates.AutoDateLocator()
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
        ax.set_xlabel("Time (UTC)")
    else:
        ax.set_xlabel("MJD (TT)")
    names = {"flux": "Flux", "eflux": "Energy flux", "dnde": "dN/dE", "e2dnde": r"$E^2\,dN/dE$"}
    name = names[sed_type]
    if curve.energy_min.size == 1:
        name += f", {curve.energy_min[0]:.3g} to {curve.energy_max[0]:.3g} TeV"
    factor = conversion_factor(REFERENCES[sed_type], unit, where="unit")
    label_with_power(ax, name, unit, _finite(curve.values("norm", sed_type)) * factor)


def _finite(values: Any) -> np.ndarray:
    return np.where(np.isfinite(values), values, 0.0)


def _dates(mjd: np.ndarray) -> np.ndarray:
    """MJD in TT as numbers of matplotlib's dates, in UTC."""
    from astropy.time import Time

    time: Any = Time(mjd, format="mjd", scale="tt").utc
    return np.asarray(dates.date2num(time.to_datetime()))
