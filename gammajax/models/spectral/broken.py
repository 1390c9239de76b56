"""Broken power laws, sharp and smooth."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.models.spectral.base import SpectralModel
from gammajax.models.spectral.quadrature import power_integral
from gammajax.parameters import parameter
from gammajax.units import DNDE


class BrokenPowerLawSpectralModel(SpectralModel):
    r"""Two power laws that meet at a sharp break.

    .. math::
        \phi(E) = \phi_0 \left( \frac{E}{E_b} \right)^{-\Gamma}, \quad
        \Gamma = \Gamma_1 \text{ below } E_b, \ \Gamma_2 \text{ above}

    The integrals are closed forms, and smooth as the break moves through an edge. The form
    of the Fermi-LAT tools (``BrokenPowerLaw``).

    Examples
    --------
    >>> from gammajax.models import BrokenPowerLawSpectralModel
    >>> model = BrokenPowerLawSpectralModel(index1=1.5, index2=3, ebreak="2 TeV")
    >>> print(model.spectral_index([1, 5]))
    [1.5 3. ]
    """

    tags: ClassVar[tuple[str, ...]] = ("BrokenPowerLawSpectralModel", "bpl")

    index1: Any = parameter(2.0, description="spectral index below the break")
    index2: Any = parameter(2.0, description="spectral index above the break")
    amplitude: Any = parameter(1e-12, DNDE, description="flux at the break")
    ebreak: Any = parameter(1.0, "TeV", description="energy of the break")

    def evaluate(self, energy: Any) -> Any:
        ratio = energy / self.ebreak
        return self.amplitude * ratio ** -jnp.where(ratio < 1, self.index1, self.index2)

    def breaks(self) -> Any:
        return jnp.reshape(self.ebreak, (1,))

    def _moment(self, energy_min: Any, energy_max: Any, power: int) -> Any:
        low, high = energy_min / self.ebreak, energy_max / self.ebreak
        below = power_integral(power - self.index1, jnp.minimum(low, 1), jnp.minimum(high, 1))
        above = power_integral(power - self.index2, jnp.maximum(low, 1), jnp.maximum(high, 1))
        return self.amplitude * self.ebreak ** (power + 1) * (below + above)

    def evaluate_integral(self, energy_min: Any, energy_max: Any, nodes: int = 0) -> Any:
        return self._moment(energy_min, energy_max, 0)

    def evaluate_energy_flux(self, energy_min: Any, energy_max: Any, nodes: int = 0) -> Any:
        return self._moment(energy_min, energy_max, 1)


class SmoothBrokenPowerLawSpectralModel(SpectralModel):
    r"""Two power laws with a smooth passage between them.

    .. math::
        \phi(E) = \phi_0 \left( \frac{E}{E_0} \right)^{-\Gamma_1}
        \left[ 1 + \left( \frac{E}{E_b} \right)^{|\Gamma_2 - \Gamma_1| / \beta}
        \right]^{\mp \beta}

    with the upper sign where the spectrum gets steeper, :math:`\Gamma_2 \ge \Gamma_1`, so
    that :math:`\Gamma_1` is always the index at low energies. As :math:`\phi_0` belongs to
    the first power law alone, the flux jumps by a factor :math:`4^\beta` where
    :math:`\Gamma_2` passes :math:`\Gamma_1`: bound the indices on one side of each other
    in a fit. The form of the Fermi-LAT tools (``SmoothBrokenPowerLaw``).

    Examples
    --------
    >>> from gammajax.models import SmoothBrokenPowerLawSpectralModel
    >>> model = SmoothBrokenPowerLawSpectralModel(index1=1.5, index2=3, ebreak="2 TeV")
    >>> print(model.spectral_index([1e-3, 2, 1e3]).round(3))
    [1.5  2.25 3.  ]
    """

    tags: ClassVar[tuple[str, ...]] = ("SmoothBrokenPowerLawSpectralModel", "sbpl")

    index1: Any = parameter(2.0, description="spectral index far below the break")
    index2: Any = parameter(2.0, description="spectral index far above the break")
    amplitude: Any = parameter(1e-12, DNDE, description="first power law at the reference")
    ebreak: Any = parameter(1.0, "TeV", description="energy of the break")
    reference: Any = parameter(1.0, "TeV", frozen=True, description="reference energy")
    beta: Any = parameter(1.0, frozen=True, description="width of the passage")

    def evaluate(self, energy: Any) -> Any:
        step = self.index2 - self.index1
        sign = jnp.where(step >= 0, 1.0, -1.0)
        log = jnp.log(energy / self.ebreak) * sign * step / self.beta
        bend = -sign * self.beta * jnp.logaddexp(0.0, log)
        return self.amplitude * (energy / self.reference) ** -self.index1 * jnp.exp(bend)

    def breaks(self) -> Any:
        # The singularities lie at a distance of pi times this width from the break: panels
        # that grow with the distance to it keep the quadrature exact for sharp breaks.
        step = jnp.maximum(jnp.abs(self.index2 - self.index1), 1e-3)
        width = jax.lax.stop_gradient(jnp.clip(self.beta / step, 1e-6, 3.0))
        offsets = np.array([-125.0, -25.0, -5.0, -1.0, 1.0, 5.0, 25.0, 125.0])
        return self.ebreak * jnp.exp(width * offsets)
