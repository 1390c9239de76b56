"""Spectral models as lines, and their errors as bands."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.models import SpectralModel
from gammajax.plots.labels import ENERGY_LABEL, unit_text
from gammajax.plots.style import axes_or_new, styled
from gammajax.units import ENERGY, conversion_factor, to_value

N_ENERGIES = 200
N_BINS = 30

SED_TYPES = {
    "dnde": (-1, r"$dN/dE$"),
    "e2dnde": (1, r"$E^2\,dN/dE$"),
    "flux": (0, "Flux in a bin"),
    "eflux": (1, "Energy flux in a bin"),
}
"""What can be drawn: the power of TeV in its unit, beside cm-2 s-1, and its label."""


@styled
def plot_spectrum(
    model: SpectralModel,
    energy_bounds: Any,
    ax: Any = None,
    *,
    energy_power: int = 0,
    sed_type: str = "dnde",
    unit: str | None = None,
    **options: Any,
) -> Any:
    """A spectral model as a line.

    Parameters
    ----------
    model : `~gammajax.models.SpectralModel`
    energy_bounds : pair of `~astropy.units.Quantity` or numbers in TeV
    ax : axes, optional
    energy_power : int
        The flux is multiplied by energy (in TeV) to this power.
    sed_type : {"dnde", "e2dnde", "flux", "eflux"}
        ``flux`` and ``eflux`` are integrals over 30 bins.
    unit : str, optional
        Of the vertical axis, ``"erg cm-2 s-1"`` for an SED, for example.
    **options
        For `matplotlib.axes.Axes.plot`.

    Returns
    -------
    ax : axes
    """
    curve = _Curve(model, energy_bounds, energy_power, sed_type, unit)
    ax = axes_or_new(ax)
    ax.plot(curve.energy, curve.scale * np.asarray(curve.value()), **options)
    return curve.label(ax)


@styled
def plot_spectrum_error(
    model: SpectralModel,
    energy_bounds: Any,
    covariance: Any,
    ax: Any = None,
    *,
    energy_power: int = 0,
    sed_type: str = "dnde",
    unit: str | None = None,
    n_sigma: float = 1.0,
    **options: Any,
) -> Any:
    r"""The error of a spectral model as a band, a "butterfly".

    The error of :math:`\ln f`, propagated by the exact Jacobian, on both sides of the flux f:
    the band is even on a logarithmic axis, and never reaches down to zero.

    Parameters
    ----------
    covariance : array, shape (n, n)
        Of the parameters in the order of ``model.parameter_names``.
    n_sigma : float
        Half the width, in standard deviations.
    model, energy_bounds, ax, energy_power, sed_type, unit
        As in `plot_spectrum`.
    **options
        For `matplotlib.axes.Axes.fill_between`.

    Returns
    -------
    ax : axes
    """
    curve = _Curve(model, energy_bounds, energy_power, sed_type, unit)
    ax = axes_or_new(ax)
    value, error = (np.asarray(part) for part in curve.value_and_error(covariance))
    # A flux of 0 has no logarithm; it gets a band of no width.
    relative = np.divide(error, np.abs(value), out=np.zeros_like(error), where=value != 0)
    factor = np.exp(n_sigma * relative)
    middle = curve.scale * value
    style = {"alpha": 0.3, "linewidth": 0, **options}
    ax.fill_between(curve.energy, middle / factor, middle * factor, **style)
    return curve.label(ax)


class _Curve:
    """What the two plots share: energies, values, the factor to the unit, and the labels."""

    def __init__(
        self, model: SpectralModel, bounds: Any, power: int, sed_type: str, unit: str | None
    ) -> None:
        if sed_type not in SED_TYPES:
            raise ValueError(
                f"sed_type: got {sed_type!r}, expected one of {', '.join(SED_TYPES)}"
            )
        low, high = (float(to_value(edge, ENERGY, where="energy_bounds")) for edge in bounds)
        if not 0 < low < high:
            raise ValueError(
                f"energy_bounds: got {low:g} to {high:g} TeV, expected 0 < min < max"
            )
        self.model, self.sed_type = model, sed_type
        self.edges = np.geomspace(low, high, N_BINS + 1)
        self.energy = np.geomspace(low, high, N_ENERGIES)
        if self._binned:
            self.energy = np.sqrt(self.edges[1:] * self.edges[:-1])
        tev, name = SED_TYPES[sed_type]
        canonical = _unit(tev + power, model.is_norm)
        self.name = rf"$E^{{{power}}}\times$ {name}" if power else name
        self.unit = canonical if unit is None else unit
        squared = self.energy**2 if sed_type == "e2dnde" else 1.0
        factor = conversion_factor(canonical, self.unit, where="unit")
        self.scale = squared * self.energy**power * factor

    @property
    def _binned(self) -> bool:
        return self.sed_type in ("flux", "eflux")

    def value(self) -> Any:
        if self.sed_type == "flux":
            return self.model.integral(self.edges[:-1], self.edges[1:])
        if self.sed_type == "eflux":
            return self.model.energy_flux(self.edges[:-1], self.edges[1:])
        return self.model(self.energy)

    def value_and_error(self, covariance: Any) -> tuple[Any, Any]:
        if self.sed_type == "flux":
            return self.model.integral_error(self.edges[:-1], self.edges[1:], covariance)
        if self.sed_type == "eflux":
            return self.model.energy_flux_error(self.edges[:-1], self.edges[1:], covariance)
        return self.model.evaluate_error(self.energy, covariance)

    def label(self, ax: Any) -> Any:
        unit = f" [{unit_text(self.unit)}]" if self.unit else ""
        ax.set(xscale="log", yscale="log", xlabel=ENERGY_LABEL, ylabel=self.name + unit)
        return ax


def _unit(tev: int, is_norm: bool) -> str:
    """The canonical unit with a power of TeV; norms have one more, and no area and time."""
    power = tev + 1 if is_norm else tev
    energy = {0: "", 1: "TeV"}.get(power, f"TeV{power}")
    return energy if is_norm else f"{energy} cm-2 s-1".strip()
