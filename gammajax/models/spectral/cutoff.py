"""Power laws with an exponential cutoff."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from gammajax.models.spectral.base import SpectralModel
from gammajax.parameters import parameter
from gammajax.units import DNDE, ENERGY, to_quantity


class ExpCutoffPowerLawSpectralModel(SpectralModel):
    r"""Power law with an exponential cutoff, in the inverse cutoff energy.

    .. math::
        \phi(E) = \phi_0 \left( \frac{E}{E_0} \right)^{-\Gamma}
                  \exp \left( -(\lambda E)^\alpha \right)

    At :math:`\lambda = 0` it is a plain power law; the flux is not defined below, except
    for an integer alpha.

    Examples
    --------
    >>> from gammajax.models import ExpCutoffPowerLawSpectralModel
    >>> model = ExpCutoffPowerLawSpectralModel(lambda_="0.1 TeV-1")
    >>> print(model("10 TeV").round(18))
    1.1633e-14 1 / (TeV s cm2)
    """

    tags: ClassVar[tuple[str, ...]] = ("ExpCutoffPowerLawSpectralModel", "ecpl")

    index: Any = parameter(1.5, description="spectral index")
    amplitude: Any = parameter(1e-12, DNDE, description="power law at the reference energy")
    reference: Any = parameter(1.0, "TeV", frozen=True, description="reference energy")
    lambda_: Any = parameter(0.1, "TeV-1", description="inverse of the cutoff energy")
    alpha: Any = parameter(1.0, frozen=True, description="sharpness of the cutoff")

    def evaluate(self, energy: Any) -> Any:
        power_law = self.amplitude * (energy / self.reference) ** -self.index
        return power_law * jnp.exp(-((self.lambda_ * energy) ** self.alpha))

    @property
    def e_peak(self) -> Any:
        r"""The peak of :math:`E^2 \phi`; NaN where the SED has none."""
        excess = (2 - self.index) / self.alpha
        if excess <= 0 or self.lambda_ <= 0:
            return to_quantity(np.nan, ENERGY)
        return to_quantity(excess ** (1 / self.alpha) / self.lambda_, ENERGY)


class ExpCutoffPowerLaw3FGLSpectralModel(SpectralModel):
    r"""Power law with an exponential cutoff, normalised at the reference energy.

    .. math::
        \phi(E) = \phi_0 \left( \frac{E}{E_0} \right)^{-\Gamma}
                  \exp \left( \frac{E_0 - E}{E_C} \right)

    The form of the third Fermi-LAT catalogue (Acero et al. 2015, ApJS 218, 23).

    Examples
    --------
    >>> from gammajax.models import ExpCutoffPowerLaw3FGLSpectralModel
    >>> print(ExpCutoffPowerLaw3FGLSpectralModel()("1 TeV"))
    1e-12 1 / (TeV s cm2)
    """

    tags: ClassVar[tuple[str, ...]] = ("ExpCutoffPowerLaw3FGLSpectralModel", "ecpl-3fgl")

    index: Any = parameter(1.5, description="spectral index")
    amplitude: Any = parameter(1e-12, DNDE, description="flux at the reference energy")
    reference: Any = parameter(1.0, "TeV", frozen=True, description="reference energy")
    ecut: Any = parameter(10.0, "TeV", description="cutoff energy")

    def evaluate(self, energy: Any) -> Any:
        power_law = self.amplitude * (energy / self.reference) ** -self.index
        return power_law * jnp.exp((self.reference - energy) / self.ecut)
