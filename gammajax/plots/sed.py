"""Spectral energy distributions with their uncertainty."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from gammajax.models import Models
from gammajax.parameters import with_values
from gammajax.plots.counts import count_sums
from gammajax.plots.flux_points import plot_flux_points
from gammajax.plots.labels import ENERGY_LABEL, label_energies, unit_text
from gammajax.plots.style import (
    COLOURS,
    FAINT,
    MODEL,
    TRUTH,
    axes_or_new,
    main_and_residual,
    styled,
)
from gammajax.units import DNDE, ENERGY, conversion_factor, to_value

N_ENERGIES = 200
MAX_SAMPLES = 2000


@styled
def plot_sed(
    source: Any,
    component: str | None = None,
    *,
    posterior: Any = None,
    truth: Models | None = None,
    truth_label: str = "truth",
    residuals: bool = False,
    energy_bounds: Any = None,
    sigma: float = 1.0,
    unit: str = "erg cm-2 s-1",
    label: str | None = None,
    colour: str = MODEL,
    ax: Any = None,
) -> Any:
    r"""The spectral energy distribution :math:`E^2\,dN/dE` of a component, with its error.

    Parameters
    ----------
    source : `~gammajax.inference.FitResult` or `~gammajax.models.Models`
    component : str, optional
        Its name; needed where there are several.
    posterior : `~gammajax.inference.Posterior`, optional
        Adds the band that holds 68 % of the posterior at every energy.
    truth : `~gammajax.models.Models`, optional
        Adds the line of other models: those simulated, or published ones.
    truth_label : str
    residuals : bool
        Whether to show, beneath, observed over predicted excess counts minus one. This
        needs a fit.
    energy_bounds : pair, optional
        In TeV; by default the fit range of the datasets, or 0.1 to 100 TeV.
    sigma : float
        Width of the band of the fit, which is the exact linear propagation of the
        covariance to the logarithm of the flux.
    unit : str
    label, colour : str
    ax : axes, or a pair of axes with residuals, optional

    Returns
    -------
    ax : axes, or a pair of axes with residuals
    """
    is_fit = hasattr(source, "likelihood")
    models = source.models if is_fit else source
    name = _component(models, component)
    if residuals and not is_fit:
        raise ValueError("plot_sed: residuals need a fit result, and models have no data")
    main, lower = main_and_residual(ax) if residuals else (axes_or_new(ax), None)
    bounds = _bounds(source if is_fit else None, energy_bounds)
    energy = np.geomspace(*bounds, N_ENERGIES)
    scale = energy**2 * conversion_factor(f"TeV2 {DNDE}", unit, where="unit")
    if posterior is not None:
        low, high = _posterior_band(posterior, name, energy)
        main.fill_between(
            energy,
            low * scale,
            high * scale,
            color=COLOURS[2],
            alpha=0.3,
            linewidth=0,
            label="posterior, 68 %",
        )
    spectrum = models[name].spectral_model
    if models.covariance is None:
        value, error = np.asarray(spectrum(energy)), None
    else:
        covariance = models.covariance_of(f"{name}.spectral.*")
        value, error = (
            np.asarray(part) for part in spectrum.evaluate_error(energy, covariance)
        )
    label = label or ("fit" if is_fit else name)
    main.plot(energy, value * scale, color=colour, label=label)
    if error is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.exp(sigma * error / value)
        text = rf"{label}, {sigma:g}$\sigma$"
        low, high = value / ratio * scale, value * ratio * scale
        dashed = {"color": colour, "linewidth": 0.8, "linestyle": "--"}
        # of two bands on each other one could not tell the colours: with a posterior, edges
        main.plot(energy, low, label=None if posterior is None else text, **dashed)
        main.plot(energy, high, **dashed)
        if posterior is None:
            main.fill_between(
                energy, low, high, color=colour, alpha=0.15, linewidth=0, label=text
            )
    if truth is not None:
        known = truth[_component(truth, component or name)].spectral_model
        line = np.asarray(known(energy))
        main.plot(energy, line * scale, color=TRUTH, linestyle="-.", label=truth_label)
    if is_fit:
        _draw_points(source, name, main, unit)
    label_energies(main)
    main.set(yscale="log", ylabel=rf"$E^2\,dN/dE$ [{unit_text(unit)}]")
    main.legend(loc="lower left")
    if lower is None:
        main.set_xlabel(ENERGY_LABEL)
        return main
    _draw_excess_ratio(lower, source)
    return main, lower


def _draw_points(result: Any, name: str, ax: Any, unit: str) -> None:
    """The flux points that the component was fitted to."""
    for dataset in result.likelihood.datasets:
        if dataset.stat_type == "chi2" and result.models[name].folds_into(dataset.name):
            plot_flux_points(
                dataset.data, ax, unit=unit, label=dataset.name, where=dataset.mask
            )


def _component(models: Models, name: str | None) -> str:
    if name is None:
        if len(models) > 1:
            raise ValueError(
                f"plot_sed: there are {len(models)} components; name one of "
                f"{', '.join(models.names)}"
            )
        return models.names[0]
    return models[name].name


def _bounds(result: Any, given: Any) -> tuple[float, float]:
    if given is not None:
        low, high = (float(to_value(edge, ENERGY, where="energy_bounds")) for edge in given)
        if not 0 < low < high:
            raise ValueError(
                f"energy_bounds: got {low:g} to {high:g} TeV, expected 0 < min < max"
            )
        return low, high
    if result is None:
        return 0.1, 100.0
    infos = [dataset.info_dict() for dataset in result.likelihood.datasets]
    return (
        float(np.nanmin([info["energy_min"] for info in infos])),
        float(np.nanmax([info["energy_max"] for info in infos])),
    )


def _places(models: Models, name: str) -> list[int]:
    """Where the spectral parameters of a component stand in the table."""
    spectrum = models[name].spectral_model
    return [
        models.parameters.index(f"{name}.spectral.{parameter}")
        for parameter in spectrum.parameter_names
    ]


def _posterior_band(
    posterior: Any, name: str, energy: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The quantiles at 16 and 84 % of the flux over the samples."""
    likelihood = posterior.likelihood
    space = likelihood.problem.space
    flat = np.asarray(posterior.theta)
    flat = flat[:: max(1, -(-len(flat) // MAX_SAMPLES))]
    x = np.tile(np.asarray(space.value), (len(flat), 1))
    x[:, np.nonzero(space.free)[0]] = flat
    values = (
        np.asarray(space.offset) + np.asarray(space.factor) * x[:, np.asarray(space.source)]
    )
    spectrum = likelihood.models[name].spectral_model

    @jax.jit
    def fluxes(rows: Any) -> Any:
        return jax.vmap(lambda row: with_values(spectrum, row).evaluate(energy))(rows)

    drawn = np.asarray(fluxes(values[:, _places(likelihood.models, name)]))
    low, high = np.quantile(drawn, (0.16, 0.84), axis=0)
    return low, high


def _draw_excess_ratio(ax: Any, result: Any) -> None:
    """Excess over predicted signal, minus one; errors from the expected variance."""
    ax.axhline(0, color=FAINT, linewidth=1)
    largest = 0.5
    for i, sums in enumerate(count_sums(list(result.likelihood.datasets), result.models)):
        assert sums.signal is not None
        used = sums.used & (sums.signal >= 1)
        signal, centre = sums.signal[used], sums.energy.center[used]
        ratio = (sums.counts[used] - sums.background[used]) / signal - 1
        error = np.sqrt(signal + sums.background[used]) / signal
        colour = COLOURS[i % len(COLOURS)]
        ax.errorbar(
            centre,
            ratio,
            yerr=error,
            marker="o",
            ms=3,
            color=colour,
            linestyle="none",
            elinewidth=1.0,
            label=sums.label,
        )
        largest = max(largest, float(np.max(np.abs(ratio), initial=0)) + 0.2)
    ax.set(xlabel=ENERGY_LABEL, ylabel="Excess / model - 1")
    ax.set_ylim(-min(largest, 2.5), min(largest, 2.5))
    ax.legend(fontsize="x-small", ncols=3, loc="upper left")
