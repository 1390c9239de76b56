"""Fitted fluxes of many sources against those of a catalogue."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from gammajax.plots.style import DATA, FAINT, styled

TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Of the scale of significances."""


@styled
def plot_catalog_fluxes(table: Any, axes: Any = None) -> Any:
    """Fluxes against those of the catalogue, and how far they are apart.

    Parameters
    ----------
    table : `~astropy.table.Table`
        Of `~gammajax.survey.CatalogResult`.
    axes : pair of axes, optional

    Returns
    -------
    axes : pair of axes
        The fluxes, in logarithms and coloured by the significance where it is known; and a
        histogram of the differences over the errors of both.
    """
    if axes is None:
        figure = plt.figure(figsize=(10.5, 4.4))
        grid = figure.add_gridspec(1, 2, width_ratios=[1.25, 1], wspace=0.28)
        axes = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
    left, right = axes
    columns = ("catalog_flux", "flux", "catalog_flux_err", "flux_err", "sqrt_ts")
    x, y, dx, dy, significance = (np.asarray(table[name], dtype=float) for name in columns)
    shown = (x > 0) & (y > 0)
    if shown.any():
        _scatter(left, x[shown], y[shown], dx[shown], dy[shown], significance[shown])
    left.set(
        xlabel="flux of the catalogue (cm$^{-2}$ s$^{-1}$)",
        ylabel="fitted flux (cm$^{-2}$ s$^{-1}$)",
    )
    energy = table.meta.get("energy")
    if energy:
        left.set_title(energy)
    if (~shown).any():
        text = f"{int((~shown).sum())} sources with no flux are not shown"
        left.text(0.97, 0.03, text, transform=left.transAxes, ha="right", fontsize="small")
    change = np.asarray(table["change"], dtype=float)
    change = change[np.isfinite(change)]
    right.hist(np.clip(change, -6, 6), bins=np.linspace(-6, 6, 25), color=DATA, alpha=0.8)
    right.axvline(0, color=FAINT)
    right.set(xlabel="(fitted - catalogue) / error of both", ylabel="sources")
    if change.size:
        right.set_title(f"median {np.median(change):+.2f}, mean {change.mean():+.2f}")
    return axes


def _scatter(ax: Any, x: Any, y: Any, dx: Any, dy: Any, significance: Any) -> None:
    known = np.isfinite(significance)
    style = {"fmt": "none", "ecolor": FAINT, "elinewidth": 0.8, "zorder": 1}
    ax.errorbar(x, y, yerr=np.minimum(dy, 0.95 * y), xerr=np.minimum(dx, 0.95 * x), **style)
    ax.scatter(x[~known], y[~known], color=FAINT, s=18, zorder=2)
    if known.any():
        from matplotlib.colors import LogNorm

        value = np.maximum(significance[known], 1.0)
        colours = {"norm": LogNorm(value.min(), max(value.max(), 1.01 * value.min()))}
        points = ax.scatter(x[known], y[known], c=value, s=18, zorder=3, **colours)
        bar = ax.figure.colorbar(points, ax=ax, label="square root of TS")
        ticks = [t for t in TICKS if value.min() <= t <= value.max()]
        bar.set_ticks(ticks, labels=[f"{t:g}" for t in ticks], minor=False)
        bar.minorticks_off()
    ends = np.array([min(x.min(), y.min()) / 1.5, max(x.max(), y.max()) * 1.5])
    ax.plot(ends, ends, color=FAINT, linestyle="--", zorder=0)
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
