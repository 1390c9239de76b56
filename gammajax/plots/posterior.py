"""Posteriors: corner plot and traces."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from gammajax.plots.labels import exponent, parameter_label, short_names
from gammajax.plots.style import COLOURS, FAINT, MODEL, TRUTH, styled


def _scaled(posterior: Any) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Samples (chain, draw, parameter) over their powers of ten, labels, and the powers."""
    samples = np.asarray(posterior.samples)
    powers = np.array([exponent(samples[..., i]) for i in range(samples.shape[-1])])
    labels = [
        parameter_label(name, unit, int(power))
        for name, unit, power in zip(
            short_names(posterior.names), posterior.units, powers, strict=True
        )
    ]
    return samples / 10.0**powers, labels, powers


@styled
def plot_corner(posterior: Any, *, truths: Any = None, figure: Any = None) -> Any:
    """One- and two-dimensional marginals of a posterior.

    Parameters
    ----------
    posterior : `~gammajax.inference.Posterior`
    truths : dict or sequence, optional
        True values in canonical units, by parameter name or in the order of ``names``.
    figure : `~matplotlib.figure.Figure`, optional

    Returns
    -------
    axes : array of axes, shape (parameter, parameter)
        Contours hold 39 % and 86 % (1 and 2 sigma in two dimensions); dashed lines are the
        quantiles at 16, 50 and 84 %.
    """
    import corner

    samples, labels, powers = _scaled(posterior)
    flat = samples.reshape(-1, samples.shape[-1])
    n = flat.shape[-1]
    if truths is not None:
        values = (
            [truths[name] for name in posterior.names] if hasattr(truths, "keys") else truths
        )
        truths = np.asarray(values, dtype=np.float64) / 10.0**powers
    with plt.rc_context({"figure.constrained_layout.use": False, "axes.grid": False}):
        figure = corner.corner(
            flat,
            labels=labels,
            truths=truths,
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
    _corner_titles(axes, flat)
    return axes


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
def plot_trace(posterior: Any, *, figure: Any = None) -> Any:
    """The path of every chain, and its histogram, one row a parameter.

    Parameters
    ----------
    posterior : `~gammajax.inference.Posterior`
    figure : `~matplotlib.figure.Figure`, optional

    Returns
    -------
    axes : array of axes, shape (parameter, 2)
        Chains that agree look alike; R-hat and the effective sample size are in the title.
    """
    samples, labels, _ = _scaled(posterior)
    n_chains, n_draws, n = samples.shape
    figure = figure if figure is not None else plt.figure(figsize=(8.0, 1.7 * n + 0.6))
    axes = figure.subplots(n, 2, squeeze=False, gridspec_kw={"width_ratios": [3, 1]})
    r_hat, ess = np.asarray(posterior.r_hat), np.asarray(posterior.ess)
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
