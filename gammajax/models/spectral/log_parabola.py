"""Log-parabolas."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from gammajax.models.spectral.base import SpectralModel
from gammajax.parameters import parameter
from gammajax.units import DNDE


class LogParabolaSpectralModel(SpectralModel):
    r"""Log-parabola, with the natural logarithm.

    .. math:: \phi(E) = \phi_0 \left( \frac{E}{E_0} \right)^{-\alpha - \beta \ln(E / E_0)}

    A beta given for a base-10 logarithm has to be divided by ln 10.
    """

    amplitude: Any = parameter(1e-12, DNDE, description="flux at the reference energy")
    reference: Any = parameter(10.0, "TeV", frozen=True, description="reference energy")
    alpha: Any = parameter(2.0, description="index at the reference energy")
    beta: Any = parameter(1.0, description="curvature")

    def evaluate(self, energy: Any) -> Any:
        log = jnp.log(energy / self.reference)
        return self.amplitude * jnp.exp(-log * (self.alpha + self.beta * log))
