"""Power laws with a super-exponential cutoff, as the Fermi-LAT catalogues write them."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from gammajax.models.spectral.base import SpectralModel
from gammajax.parameters import parameter
from gammajax.units import DNDE

MEV_PER_TEV = 1e6


class SuperExpCutoffPowerLaw3FGLSpectralModel(SpectralModel):
    r"""Super-exponential cutoff of 3FGL.

    .. math::
        \phi(E) = \phi_0 \left( \frac{E}{E_0} \right)^{-\Gamma_1} \exp \left(
        \left( \frac{E_0}{E_C} \right)^{\Gamma_2} - \left( \frac{E}{E_C} \right)^{\Gamma_2}
        \right)

    Acero et al. 2015, ApJS 218, 23, equation 3.

    Examples
    --------
    >>> from gammajax.models import SuperExpCutoffPowerLaw3FGLSpectralModel
    >>> print(SuperExpCutoffPowerLaw3FGLSpectralModel()("1 TeV"))
    1e-12 1 / (TeV s cm2)
    """

    tags: ClassVar[tuple[str, ...]] = ("SuperExpCutoffPowerLaw3FGLSpectralModel", "secpl-3fgl")

    amplitude: Any = parameter(1e-12, DNDE, description="flux at the reference energy")
    reference: Any = parameter(1.0, "TeV", frozen=True, description="reference energy")
    ecut: Any = parameter(10.0, "TeV", description="cutoff energy")
    index_1: Any = parameter(1.5, description="spectral index")
    index_2: Any = parameter(2.0, description="sharpness of the cutoff")

    def evaluate(self, energy: Any) -> Any:
        power_law = self.amplitude * (energy / self.reference) ** -self.index_1
        start = (self.reference / self.ecut) ** self.index_2
        return power_law * jnp.exp(start - (energy / self.ecut) ** self.index_2)


class SuperExpCutoffPowerLaw4FGLSpectralModel(SpectralModel):
    r"""Super-exponential cutoff of 4FGL and 4FGL-DR2.

    .. math::
        \phi(E) = \phi_0 \left( \frac{E}{E_0} \right)^{-\Gamma_1}
                  \exp \left( a \, (E_0^{\Gamma_2} - E^{\Gamma_2}) \right)

    with energies in MeV in the exponent: the exponential factor a has the unit
    :math:`MeV^{-\Gamma_2}`, which changes with the parameter, and is given as a number.
    Abdollahi et al. 2020, ApJS 247, 33, equation 4.

    Examples
    --------
    >>> from gammajax.models import SuperExpCutoffPowerLaw4FGLSpectralModel
    >>> print(SuperExpCutoffPowerLaw4FGLSpectralModel()("1 TeV"))
    1e-12 1 / (TeV s cm2)
    """

    tags: ClassVar[tuple[str, ...]] = ("SuperExpCutoffPowerLaw4FGLSpectralModel", "secpl-4fgl")

    amplitude: Any = parameter(1e-12, DNDE, description="flux at the reference energy")
    reference: Any = parameter(1.0, "TeV", frozen=True, description="reference energy")
    expfactor: Any = parameter(1e-14, description="factor of the exponent, energies in MeV")
    index_1: Any = parameter(1.5, description="spectral index")
    index_2: Any = parameter(2.0, description="sharpness of the cutoff")

    def evaluate(self, energy: Any) -> Any:
        power_law = self.amplitude * (energy / self.reference) ** -self.index_1
        start = (self.reference * MEV_PER_TEV) ** self.index_2
        return power_law * jnp.exp(
            self.expfactor * (start - (energy * MEV_PER_TEV) ** self.index_2)
        )


class SuperExpCutoffPowerLaw4FGLDR3SpectralModel(SpectralModel):
    r"""Super-exponential cutoff of 4FGL-DR3 and later.

    .. math::
        \phi(E) = \phi_0 \left( \frac{E}{E_0} \right)^{-\Gamma_1 + d / b}
        \exp \left( \frac{d}{b^2} \left[ 1 - \left( \frac{E}{E_0} \right)^b \right] \right)

    with d the exponential factor and b the second index: :math:`\Gamma_1` is the local index
    and d the local curvature at the reference energy. It is evaluated as

    .. math::
        \phi(E) = \phi_0 \left( \frac{E}{E_0} \right)^{-\Gamma_1}
        \exp \left( -d \ln^2(E / E_0) \, g(b \ln(E / E_0)) \right), \quad
        g(t) = \frac{e^t - 1 - t}{t^2}

    which is smooth through b = 0, a log-parabola. Abdollahi et al. 2022, ApJS 260, 53,
    equations 2 and 3.

    Examples
    --------
    >>> from gammajax.models import SuperExpCutoffPowerLaw4FGLDR3SpectralModel
    >>> print(SuperExpCutoffPowerLaw4FGLDR3SpectralModel()("1 TeV"))
    1e-12 1 / (TeV s cm2)
    """

    tags: ClassVar[tuple[str, ...]] = (
        "SuperExpCutoffPowerLaw4FGLDR3SpectralModel",
        "secpl-4fgl-dr3",
    )

    amplitude: Any = parameter(1e-12, DNDE, description="flux at the reference energy")
    reference: Any = parameter(1.0, "TeV", frozen=True, description="reference energy")
    expfactor: Any = parameter(0.01, description="curvature at the reference energy")
    index_1: Any = parameter(1.5, description="spectral index at the reference energy")
    index_2: Any = parameter(2.0, description="sharpness of the cutoff")

    def evaluate(self, energy: Any) -> Any:
        log = jnp.log(energy / self.reference)
        curvature = self.expfactor * log * second_excess(self.index_2 * log)
        return self.amplitude * jnp.exp(-log * (self.index_1 + curvature))


def second_excess(t: Any) -> Any:
    """(exp(t) - 1 - t) / t^2, smooth through t = 0, and so are its derivatives."""
    small = jnp.abs(t) < 0.3
    safe = jnp.where(small, 1.0, t)
    near = jnp.where(small, t, 0.0)
    series = 1.0
    for k in range(13, 2, -1):
        series = 1 + near / k * series
    return jnp.where(small, series / 2, (jnp.expm1(safe) - safe) / safe**2)
