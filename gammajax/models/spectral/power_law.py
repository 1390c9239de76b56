"""Power laws."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from gammajax.models.spectral.base import SpectralModel
from gammajax.parameters import parameter
from gammajax.units import DNDE


def expm1_over_x(x: Any) -> Any:
    """(exp(x) - 1) / x, smooth through x = 0, and so are its derivatives."""
    small = jnp.abs(x) < 1e-2
    safe = jnp.where(small, 1.0, x)
    series = 1 + x / 2 * (1 + x / 3 * (1 + x / 4 * (1 + x / 5 * (1 + x / 6 * (1 + x / 7)))))
    return jnp.where(small, series, jnp.expm1(safe) / safe)


def power_integral(slope: Any, low: Any, high: Any) -> Any:
    r"""The integral of :math:`E^{slope}` from low to high, finite at slope -1."""
    log_width = jnp.log(high / low)
    exponent = slope + 1
    return low**exponent * log_width * expm1_over_x(exponent * log_width)


class PowerLawSpectralModel(SpectralModel):
    r"""Power law.

    .. math:: \phi(E) = \phi_0 \left( \frac{E}{E_0} \right)^{-\Gamma}

    The integrals are closed forms, with the finite limit at index 1 (and 2, for the
    energy flux).

    Examples
    --------
    >>> from gammajax.models import PowerLawSpectralModel
    >>> crab = PowerLawSpectralModel(index=2.6, amplitude="3.5e-11 cm-2 s-1 TeV-1")
    >>> crab.integral("1 TeV", "10 TeV")
    <Quantity 2.13255...e-11 1 / (s cm2)>
    """

    index: Any = parameter(2.0, description="spectral index")
    amplitude: Any = parameter(1e-12, DNDE, description="flux at the reference energy")
    reference: Any = parameter(1.0, "TeV", frozen=True, description="reference energy")

    def evaluate(self, energy: Any) -> Any:
        return self.amplitude * (energy / self.reference) ** -self.index

    def evaluate_integral(self, energy_min: Any, energy_max: Any, nodes: int = 0) -> Any:
        low, high = energy_min / self.reference, energy_max / self.reference
        return self.amplitude * self.reference * power_integral(-self.index, low, high)

    def evaluate_energy_flux(self, energy_min: Any, energy_max: Any, nodes: int = 0) -> Any:
        low, high = energy_min / self.reference, energy_max / self.reference
        return self.amplitude * self.reference**2 * power_integral(1 - self.index, low, high)
