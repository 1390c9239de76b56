"""Profiles, contours and correlations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gammajax.plots.labels import exponent, parameter_label, short_names
from gammajax.plots.style import COLOURS, FAINT, MODEL, TRUTH, axes_or_new, styled


def _axis(result: Any, name: str) -> tuple[float, str]:
    """The factor to divide a parameter by, and its label."""
    row = result.parameters[name]
    power = exponent(row.value)
    short = short_names(result.names)[result.names.index(name)]
    return 10.0**power, parameter_label(short, row.unit, power)


@styled
def plot_profile(
    profile: Any, result: Any = None, *, ax: Any = None, label: str = "profile"
) -> Any:
    """The profile of the statistic above its minimum.

    Parameters
    ----------
    profile : `~gammajax.inference.Profile`
    result : `~gammajax.inference.FitResult`, optional
        The fit that it belongs to; adds the best fit and the parabola of the covariance.
    ax : axes, optional
    label : str
        For the legend.
    """
    ax = axes_or_new(ax)
    power = exponent(profile.values)
    factor = 10.0**power
    label_x = parameter_label(
        short_names([profile.name])[0].split(" ")[-1], profile.unit, power
    )
    ax.plot(profile.values / factor, profile.delta, color=MODEL, label=label)
    if not np.all(profile.converged):
        bad = ~np.asarray(profile.converged)
        ax.plot(
            profile.values[bad] / factor, profile.delta[bad], "x", color=TRUTH, label="no fit"
        )
    if result is not None:
        row = result.parameters[profile.name]
        ax.axvline(row.value / factor, color=FAINT, linewidth=1)
        if row.error > 0:
            parabola = ((profile.values - row.value) / row.error) ** 2
            ax.plot(profile.values / factor, parabola, "--", color=COLOURS[4], label="parabola")
    top = float(np.nanmax(profile.delta[np.isfinite(profile.delta)], initial=1.0)) * 1.1
    for sigma in (1, 2, 3):
        if sigma**2 < top:
            ax.axhline(sigma**2, color=FAINT, linewidth=0.8, linestyle=":")
            ax.annotate(
                rf"{sigma}$\sigma$",
                (0.995, sigma**2),
                xycoords=("axes fraction", "data"),
                ha="right",
                va="bottom",
                fontsize="small",
                color="#666666",
            )
    ax.set(xlabel=label_x, ylabel=r"$\Delta(-2 \ln L)$")
    ax.set_ylim(0, top)
    ax.legend(loc="upper center")
    return ax


@styled
def plot_contours(
    contours: Any,
    result: Any,
    *,
    ax: Any = None,
    label: str | None = None,
    colour: str = MODEL,
    truth: Sequence[float] | None = None,
) -> Any:
    """Confidence contours of two parameters.

    Parameters
    ----------
    contours : `~gammajax.inference.Contour` or a list of them
        Of one pair of parameters, at any number of sigma.
    result : `~gammajax.inference.FitResult`
        The fit that they belong to.
    ax : axes, optional
        Call again with the same axes to compare fits.
    label : str, optional
        For the legend.
    colour : str
    truth : pair of float, optional
        A point to mark, in canonical units.
    """
    ax = axes_or_new(ax, (5.4, 4.6))
    contours = list(contours) if isinstance(contours, Sequence) else [contours]
    x_name, y_name = contours[0].x_name, contours[0].y_name
    x_factor, x_label = _axis(result, x_name)
    y_factor, y_label = _axis(result, y_name)
    for i, contour in enumerate(sorted(contours, key=lambda c: c.sigma)):
        if (contour.x_name, contour.y_name) != (x_name, y_name):
            raise ValueError(
                f"plot_contours: got contours of {x_name}, {y_name} and of {contour.x_name}, "
                f"{contour.y_name}; draw them on axes of their own"
            )
        x, y = (np.append(v, v[0]) for v in (contour.x, contour.y))
        style = ("-", "--", ":")[i % 3]
        text = rf"{contour.sigma:g}$\sigma$"
        text = f"{label}, {text}" if label else text
        ax.plot(x / x_factor, y / y_factor, style, color=colour, label=text)
    best = (
        result.parameters[x_name].value / x_factor,
        result.parameters[y_name].value / y_factor,
    )
    ax.plot(*best, "+", color=colour, ms=9)
    if truth is not None:
        ax.plot(
            truth[0] / x_factor, truth[1] / y_factor, "*", color=TRUTH, ms=10, label="truth"
        )
    ax.set(xlabel=x_label, ylabel=y_label)
    ax.legend()
    return ax


@styled
def plot_correlation(result: Any, *, ax: Any = None) -> Any:
    """The correlations of the free parameters of a fit.

    Parameters
    ----------
    result : `~gammajax.inference.FitResult`
    ax : axes, optional
    """
    matrix = np.asarray(result.correlation)
    n = len(matrix)
    side = float(np.clip(0.75 * n + 2.2, 4.0, 14.0))
    ax = axes_or_new(ax, (side + 0.8, side))
    image = ax.imshow(matrix, vmin=-1, vmax=1, cmap="RdBu_r")
    names = [parameter_label(name, "") for name in short_names(result.names)]
    ax.set_xticks(range(n), names, rotation=40, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(n), names)
    ax.grid(False)
    for i in range(n if n <= 16 else 0):
        for j in range(n):
            dark = abs(matrix[i, j]) > 0.6
            text = f"{matrix[i, j]:z.2f}" if np.isfinite(matrix[i, j]) else "none"
            ax.text(
                j,
                i,
                text,
                ha="center",
                va="center",
                color="white" if dark else "black",
                fontsize="small",
            )
    ax.figure.colorbar(image, ax=ax, label="Correlation", shrink=0.85)
    return ax
