"""Counts spectra with predictions and residuals."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.models import Models
from gammajax.plots.counts import CountsSum, count_sums, poisson_errors, sum_counts
from gammajax.plots.labels import ENERGY_LABEL, label_energies
from gammajax.plots.style import (
    BACKGROUND,
    COLOURS,
    DATA,
    FAINT,
    MODEL,
    axes_or_new,
    main_and_residual,
    styled,
)


@styled
def plot_spectrum_dataset(dataset: Any, models: Models | None = None, *, ax: Any = None) -> Any:
    """Counts with errors, background, prediction, and residuals beneath.

    Parameters
    ----------
    dataset : `~gammajax.datasets.SpectrumDataset` or `~gammajax.datasets.SpectrumDatasetOnOff`
    models : `~gammajax.models.Models`, optional
        Without models there is no prediction and no residual.
    ax : axes, or a pair of axes, optional

    Returns
    -------
    ax : axes, or with models a pair of axes
        Residuals are signed square roots of the statistic of each bin, in sigma.
    """
    sums = sum_counts([dataset], models)
    if models is None:
        main, residual = axes_or_new(ax), None
    else:
        main, residual = main_and_residual(ax)
    _draw_left_out(main, dataset, sums)
    _draw_counts(main, sums, DATA, "counts")
    _draw_steps(main, sums, sums.background, BACKGROUND, "background")
    if sums.signal is not None:
        _draw_steps(main, sums, sums.signal, MODEL, "source", linestyle="--")
        _draw_steps(main, sums, sums.signal + sums.background, MODEL, "source + background")
    _finish_counts(main, [sums], dataset.name, dataset.counts)
    if residual is None:
        main.set_xlabel(ENERGY_LABEL)
        return main
    _draw_residuals(residual, [sums], [DATA])
    return main, residual


@styled
def plot_fit(result: Any, *, ax: Any = None) -> Any:
    """Counts against the prediction of a fit, datasets with the same bins summed.

    Parameters
    ----------
    result : `~gammajax.inference.FitResult`
    ax : pair of axes, optional

    Returns
    -------
    ax : pair of axes
        Counts above, residuals in sigma beneath. For summed on-off data they use the
        mean alpha of the bin.
    """
    main, residual = main_and_residual(ax)
    groups = count_sums(list(result.likelihood.datasets), result.models)
    if not groups:
        raise ValueError("plot_fit: the fit has no dataset with counts")
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(groups))]
    for sums, colour in zip(groups, colours, strict=True):
        assert sums.signal is not None
        _draw_counts(main, sums, colour, sums.label)
        _draw_steps(main, sums, sums.signal + sums.background, colour, None)
        _draw_steps(main, sums, sums.background, colour, None, linestyle=":")
    main.plot([], [], color=FAINT, label="source + background, fitted")
    main.plot([], [], color=FAINT, linestyle=":", label="background")
    _finish_counts(
        main, groups, f"-2 ln L = {result.stat:.2f} in {result.likelihood.n_bins} bins"
    )
    _draw_residuals(residual, groups, colours)
    return main, residual


def _draw_counts(ax: Any, sums: CountsSum, colour: str, label: str) -> None:
    """Points with Poisson errors; empty bins show their upper error only."""
    used = sums.used
    counts, centre = sums.counts[used], sums.energy.center[used]
    half = [centre - sums.energy.edges_min[used], sums.energy.edges_max[used] - centre]
    errors = poisson_errors(counts)
    style = {"color": colour, "linestyle": "none", "elinewidth": 1.0, "zorder": 3}
    ax.errorbar(
        centre, counts, yerr=errors, xerr=half, marker="o", ms=3.5, label=label, **style
    )


def _draw_steps(
    ax: Any, sums: CountsSum, values: np.ndarray, colour: str, label: str | None, **style: Any
) -> None:
    shown = np.where(sums.used, values, np.nan)
    ax.stairs(shown, sums.energy.edges, color=colour, label=label, linewidth=1.4, **style)


def _draw_left_out(ax: Any, dataset: Any, sums: CountsSum) -> None:
    """Bins outside the fit range, faint."""
    out = ~sums.used & (dataset.counts > 0)
    if out.any():
        ax.plot(
            sums.energy.center[out],
            dataset.counts[out],
            marker="o",
            ms=3.5,
            mfc="none",
            color=FAINT,
            linestyle="none",
            label="counts, not fitted",
        )


def _finish_counts(ax: Any, groups: list[CountsSum], title: str, counts: Any = 0.0) -> None:
    """Scales and limits; ``counts`` are all that are drawn, those left out included."""
    heights = [sums.counts for sums in groups]
    heights += [sums.signal + sums.background for sums in groups if sums.signal is not None]
    top = max(float(np.max(height, initial=1.0)) for height in [*heights, counts])
    shown = [sums.used | (counts > 0) for sums in groups]
    low = min(s.energy.edges_min[use].min() for s, use in zip(groups, shown, strict=True))
    high = max(s.energy.edges_max[use].max() for s, use in zip(groups, shown, strict=True))
    label_energies(ax)
    ax.set(yscale="log", ylabel="Counts per bin", title=title)
    ax.set_ylim(0.2, top * 4)
    ax.set_xlim(low / 1.15, high * 1.15)
    ax.legend(loc="upper right", ncols=1 if len(groups) < 4 else 2)


def _draw_residuals(ax: Any, groups: list[CountsSum], colours: list[str]) -> None:
    ax.axhline(0, color=FAINT, linewidth=1)
    largest = 3.0
    for sums, colour in zip(groups, colours, strict=True):
        assert sums.residual is not None
        centre = sums.energy.center
        style = {"color": colour, "linestyle": "none", "elinewidth": 1.0}
        used = sums.used
        half = [(centre - sums.energy.edges_min)[used], (sums.energy.edges_max - centre)[used]]
        ax.errorbar(
            centre[used], sums.residual[used], xerr=half, yerr=1, marker="o", ms=3, **style
        )
        largest = max(largest, float(np.nanmax(np.abs(sums.residual[used]), initial=0)) + 1)
    ax.set(xlabel=ENERGY_LABEL, ylabel=r"Residual [$\sigma$]")
    ax.set_ylim(-1.1 * largest, 1.1 * largest)
