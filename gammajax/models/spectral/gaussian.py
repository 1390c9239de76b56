"""A Gaussian line."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf, erfc

from gammajax.models.spectral.base import SpectralModel
from gammajax.models.spectral.quadrature import gauss_legendre
from gammajax.parameters import parameter
from gammajax.units import FLUX

ROOT_PI = float(np.sqrt(np.pi))
ROOT_TWO = float(np.sqrt(2.0))


class GaussianSpectralModel(SpectralModel):
    r"""A Gaussian in energy; its amplitude is the integral over all energies.

    .. math::
        \phi(E) = \frac{N_0}{\sqrt{2 \pi} \sigma}
                  \exp \left( -\frac{(E - \bar{E})^2}{2 \sigma^2} \right)

    The integrals are closed forms, far out in the tails as well.

    Examples
    --------
    >>> from gammajax.models import GaussianSpectralModel
    >>> line = GaussianSpectralModel(mean="1 TeV", sigma="100 GeV")
    >>> print(line.integral("0.5 TeV", "1.5 TeV").round(18))
    9.99999e-13 1 / (s cm2)
    """

    tags: ClassVar[tuple[str, ...]] = ("GaussianSpectralModel", "gauss")

    amplitude: Any = parameter(1e-12, FLUX, description="flux over all energies")
    mean: Any = parameter(1.0, "TeV", description="mean energy")
    sigma: Any = parameter(2.0, "TeV", description="standard deviation")

    def evaluate(self, energy: Any) -> Any:
        pull = self._pull(energy)
        return self.amplitude * jnp.exp(-(pull**2)) / (ROOT_TWO * ROOT_PI * self.sigma)

    def _pull(self, energy: Any) -> Any:
        return (energy - self.mean) / (ROOT_TWO * self.sigma)

    def breaks(self) -> Any:
        # No kinks, but panels for a line that is narrow within the range of a product.
        steps = np.array([-10.0, -4.0, 0.0, 4.0, 10.0])
        places = self.mean + jnp.abs(self.sigma) * steps
        return jax.lax.stop_gradient(jnp.maximum(places, 1e-12))

    def evaluate_integral(self, energy_min: Any, energy_max: Any, nodes: int = 0) -> Any:
        return self.amplitude * normal_share(self._pull(energy_min), self._pull(energy_max))

    def evaluate_energy_flux(self, energy_min: Any, energy_max: Any, nodes: int = 0) -> Any:
        low, high = self._pull(energy_min), self._pull(energy_max)
        # E = mean + (E - mean); the second part integrates to a difference of Gaussians.
        fall = -jnp.expm1((low - high) * (low + high)) * jnp.exp(-(low**2))
        spread = self.sigma / (ROOT_TWO * ROOT_PI) * fall
        return self.amplitude * (self.mean * normal_share(low, high) + spread)


def normal_share(low: Any, high: Any) -> Any:
    r""":math:`\pi^{-1/2} \int e^{-t^2} dt` from low to high, to full relative accuracy.

    Differences of the error function lose digits where the interval is narrow (there the
    rule of Gauss-Legendre is exact) and in the tails (there its complement is used).
    """
    narrow = high - low < 1.0
    x, w = gauss_legendre(14)
    width = jnp.where(narrow, high - low, 0.0)
    t = low[..., None] + width[..., None] * x
    rule = width * jnp.sum(jnp.exp(-(t**2)) * w, axis=-1) / ROOT_PI
    above = jnp.where(low >= 0, erfc(low) - erfc(high), erfc(-high) - erfc(-low))
    wide = jnp.where((low < 0) & (high > 0), erf(high) - erf(low), above) / 2
    return jnp.where(narrow, rule, wide)
