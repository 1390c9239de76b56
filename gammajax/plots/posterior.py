"""Posteriors: corner plot and traces."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from gammajax.plots.labels import exponent, parameter_label, short_names
from gammajax.plots.style import COLOURS, FAINT, MODEL, TRUTH, settings, styled

MOST_DIGITS = 3e4
"""Where values are larger than their spread by this factor, a round number is taken off."""


class Shown(NamedTuple):
    """Samples (chain, draw, parameter) as drawn: less an origin, over powers of ten."""

    samples: np.ndarray
    labels: list[str]
    powers: np.ndarray
    origins: np.ndarray


def _shown(posterior: Any, places: list[int]) -> Shown:
    samples = np.asarray(posterior.samples)[..., places]
    origins = np.array([_origin(samples[..., i]) for i in range(len(places))])
    samples = samples - origins
    powers = np.array([exponent(samples[..., i]) for i in range(len(places))])
    names = short_names(posterior.names)
    labels = []
    for place, power, origin in zip(places, powers, origins, strict=True):
        less = f" {'-' if origin > 0 else '+'} {abs(origin):g}" if origin else ""
        labels.append(parameter_label(names[place] + less, posterior.units[place], int(power)))
    return Shown(samples / 10.0**powers, labels, powers, origins)


def _origin(values: np.ndarray) -> float:
    """A round number near values, if their spread is tiny beside them; else 0."""
    middle, spread = float(np.median(values)), float(np.std(values))
    if exponent(middle) or not abs(middle) > MOST_DIGITS * spread > 0:
        return 0.0
    return round(middle, int(np.floor(-np.log10(spread))) - 1)


def _places(posterior: Any, names: Sequence[str] | None) -> list[int]:
    """The parameters that names or globs stand for; all of them for None."""
    if names is None:
        return list(range(len(posterior.names)))
    found: list[int] = []
    for pattern in names:
        matched = [i for i, name in enumerate(posterior.names) if fnmatchcase(name, pattern)]
        if not matched:
            known = ", ".join(posterior.names)
            raise ValueError(f"the posterior has no parameter {pattern!r} (it has {known})")
        found += [i for i in matched if i not in found]
    return found


@styled
def plot_corner(
    posterior: Any,
    *,
    names: Sequence[str] | None = None,
    truths: Mapping[str, float] | None = None,
    figure: Any = None,
) -> Any:
    """One- and two-dimensional marginals of a posterior.

    Parameters
    ----------
    posterior : `~gammajax.inference.Posterior`
    names : list of str, optional
        Parameters to show, or globs of them.
    truths : dict, optional
        True values in canonical units, by parameter name.
    figure : `~matplotlib.figure.Figure`, optional

    Returns
    -------
    axes : array of axes, shape (parameter, parameter)
        Contours hold 39 % and 86 % (1 and 2 sigma in two dimensions); dashed lines are the
        quantiles at 16, 50 and 84 %.
    """
    corner = _corner()
    places = _places(posterior, names)
    samples, labels, powers, origins = _shown(posterior, places)
    flat = samples.reshape(-1, samples.shape[-1])
    n = flat.shape[-1]
    marks = None
    if truths is not None:
        known = [truths.get(posterior.names[place]) for place in places]
        marks = [
            None if value is None else (value - origin) / 10.0**power
            for value, power, origin in zip(known, powers, origins, strict=True)
        ]
    with settings(**{"figure.constrained_layout.use": False, "axes.grid": False}):
        figure = corner.corner(
            flat,
            labels=[label.replace(" [", "\n[") for label in labels],
            truths=marks,
            truth_color=TRUTH,
            color=MODEL,
            bins=30,
            smooth=0.8,
            levels=(0.393, 0.865),
            quantiles=(0.16, 0.5, 0.84),
            show_titles=False,
            plot_datapoints=n <= 3,
            max_n_ticks=4,
            label_kwargs={"fontsize": 10},
            labelpad=-0.04,
            fig=figure if figure is not None else plt.figure(figsize=(2.3 * n + 0.9,) * 2),
            data_kwargs={"alpha": 0.05},
        )
    axes = np.array(figure.axes[: n * n]).reshape(n, n)
    _corner_titles(axes, np.where(origins, flat * 10.0**powers + origins, flat))
    return axes


def _corner() -> Any:
    with warnings.catch_warnings():  # it imports ArviZ 0.x, which announces its own future
        warnings.simplefilter("ignore")
        import corner
    return corner


def _corner_titles(axes: np.ndarray, flat: np.ndarray) -> None:
    """Median and 68 % interval over each histogram, with as many digits as the errors."""
    for i in range(len(axes)):
        low, middle, high = np.quantile(flat[:, i], (0.16, 0.5, 0.84))
        width = max(min(middle - low, high - middle), 1e-300)
        digits = int(np.clip(1 - np.floor(np.log10(width)), 0, 8))
        text = (
            f"${middle:.{digits}f}_{{-{middle - low:.{digits}f}}}"
            f"^{{+{high - middle:.{digits}f}}}$"
        )
        axes[i, i].set_title(text, fontsize=10)


@styled
def plot_trace(
    posterior: Any, *, names: Sequence[str] | None = None, figure: Any = None
) -> Any:
    """The path of every chain, and its histogram, one row a parameter.

    Parameters
    ----------
    posterior : `~gammajax.inference.Posterior`
    names : list of str, optional
        Parameters to show, or globs of them.
    figure : `~matplotlib.figure.Figure`, optional

    Returns
    -------
    axes : array of axes, shape (parameter, 2)
        Chains that agree look alike; R-hat and the effective sample size are in the title.
    """
    places = _places(posterior, names)
    samples, labels, *_ = _shown(posterior, places)
    n_chains, n_draws, n = samples.shape
    figure = figure if figure is not None else plt.figure(figsize=(8.0, 1.7 * n + 0.6))
    axes = figure.subplots(n, 2, squeeze=False, gridspec_kw={"width_ratios": [3, 1]})
    r_hat, ess = (np.asarray(quality)[places] for quality in (posterior.r_hat, posterior.ess))
    for i, (path, histogram) in enumerate(axes):
        edges = np.histogram_bin_edges(samples[..., i], bins=30)
        for chain in range(n_chains):
            colour = COLOURS[chain % len(COLOURS)]
            path.plot(samples[chain, :, i], color=colour, linewidth=0.4, alpha=0.8)
            height, _ = np.histogram(samples[chain, :, i], bins=edges)
            histogram.stairs(height, edges, color=colour, linewidth=1.0)
        path.set_title(f"R-hat {r_hat[i]:.4f}, effective sample size {ess[i]:.0f}", fontsize=9)
        path.set_xlim(0, n_draws)
        path.set_ylabel(labels[i].replace(" [", "\n["))
        histogram.set_yticks([])
        histogram.xaxis.set_major_locator(MaxNLocator(3))
    axes[-1, 0].set_xlabel("Draw")
    axes[-1, 1].set_xlabel("Value")
    _mark_divergent(axes[:, 0], posterior)
    return axes


def _mark_divergent(axes: Any, posterior: Any) -> None:
    if posterior.n_divergent:
        axes[0].annotate(
            f"{posterior.n_divergent} divergent steps",
            (0.99, 0.95),
            xycoords="axes fraction",
            ha="right",
            va="top",
            color=TRUTH,
            bbox={"facecolor": "white", "edgecolor": FAINT, "alpha": 0.9},
        )
