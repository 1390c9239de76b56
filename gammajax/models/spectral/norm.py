"""Norms: factors without a unit, to be multiplied with a spectrum."""

from __future__ import annotations

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from gammajax.models.spectral import quadrature
from gammajax.models.spectral.base import SpectralModel
from gammajax.models.spectral.quadrature import power_integral
from gammajax.parameters import parameter


class NormSpectralModel(SpectralModel):
    """Base of the dimensionless models."""

    @property
    def unit(self) -> str:
        """No unit."""
        return ""


class PowerLawNormSpectralModel(NormSpectralModel):
    r"""Power law without a unit.

    .. math:: \phi(E) = \phi_0 \left( \frac{E}{E_0} \right)^{-\Gamma}

    The integrals are closed forms. The index is called tilt.

    Examples
    --------
    >>> from gammajax.models import PowerLawNormSpectralModel, PowerLawSpectralModel
    >>> model = PowerLawSpectralModel() * PowerLawNormSpectralModel(tilt=0.1)
    >>> print(model.spectral_index("1 TeV").round(12))
    2.1
    """

    tags: ClassVar[tuple[str, ...]] = ("PowerLawNormSpectralModel", "pl-norm")

    tilt: Any = parameter(0.0, frozen=True, description="spectral index")
    norm: Any = parameter(1.0, description="factor at the reference energy")
    reference: Any = parameter(1.0, "TeV", frozen=True, description="reference energy")

    def evaluate(self, energy: Any) -> Any:
        return self.norm * (energy / self.reference) ** -self.tilt

    def evaluate_integral(self, energy_min: Any, energy_max: Any, nodes: int = 0) -> Any:
        low, high = energy_min / self.reference, energy_max / self.reference
        return self.norm * self.reference * power_integral(-self.tilt, low, high)

    def evaluate_energy_flux(self, energy_min: Any, energy_max: Any, nodes: int = 0) -> Any:
        low, high = energy_min / self.reference, energy_max / self.reference
        return self.norm * self.reference**2 * power_integral(1 - self.tilt, low, high)


class LogParabolaNormSpectralModel(NormSpectralModel):
    r"""Log-parabola without a unit, with the natural logarithm.

    .. math:: \phi(E) = \phi_0 \left( \frac{E}{E_0} \right)^{-\alpha - \beta \ln(E / E_0)}

    Examples
    --------
    >>> from gammajax.models import LogParabolaNormSpectralModel
    >>> print(LogParabolaNormSpectralModel(norm=2)("3 TeV"))
    2.0
    """

    tags: ClassVar[tuple[str, ...]] = ("LogParabolaNormSpectralModel", "lp-norm")

    norm: Any = parameter(1.0, description="factor at the reference energy")
    reference: Any = parameter(10.0, "TeV", frozen=True, description="reference energy")
    alpha: Any = parameter(0.0, description="index at the reference energy")
    beta: Any = parameter(0.0, description="curvature")

    @classmethod
    def from_log10(cls, *, beta: Any, **parameters: Any) -> LogParabolaNormSpectralModel:
        """The model for a curvature that was given for a base-10 logarithm."""
        return cls(beta=beta / np.log(10), **parameters)

    def evaluate(self, energy: Any) -> Any:
        log = jnp.log(energy / self.reference)
        return self.norm * jnp.exp(-log * (self.alpha + self.beta * log))


class ExpCutoffPowerLawNormSpectralModel(NormSpectralModel):
    r"""Power law with an exponential cutoff, without a unit.

    .. math::
        \phi(E) = \phi_0 \left( \frac{E}{E_0} \right)^{-\Gamma}
                  \exp \left( -(\lambda E)^\alpha \right)

    Examples
    --------
    >>> from gammajax.models import ExpCutoffPowerLawNormSpectralModel
    >>> print(ExpCutoffPowerLawNormSpectralModel()("10 TeV").round(6))
    0.367879
    """

    tags: ClassVar[tuple[str, ...]] = ("ExpCutoffPowerLawNormSpectralModel", "ecpl-norm")

    index: Any = parameter(0.0, description="spectral index")
    norm: Any = parameter(1.0, description="power law at the reference energy")
    reference: Any = parameter(1.0, "TeV", frozen=True, description="reference energy")
    lambda_: Any = parameter(0.1, "TeV-1", description="inverse of the cutoff energy")
    alpha: Any = parameter(1.0, frozen=True, description="sharpness of the cutoff")

    def evaluate(self, energy: Any) -> Any:
        power_law = self.norm * (energy / self.reference) ** -self.index
        return power_law * jnp.exp(-((self.lambda_ * energy) ** self.alpha))


class ScaleSpectralModel(SpectralModel):
    """Another spectral model times a norm.

    ``2 * model`` is one. The parameters of the model keep their names, after ``model.``;
    in a fit, freeze either the norm or the amplitude within.

    Examples
    --------
    >>> from gammajax.models import PowerLawSpectralModel
    >>> double = 2 * PowerLawSpectralModel()
    >>> double.parameter_names
    ('model.index', 'model.amplitude', 'model.reference', 'norm')
    >>> print(double("1 TeV"))
    2e-12 1 / (TeV s cm2)
    """

    tags: ClassVar[tuple[str, ...]] = ("ScaleSpectralModel", "scale")

    model: SpectralModel = eqx.field()
    norm: Any = parameter(1.0, description="factor")

    def __check_init__(self) -> None:
        if not isinstance(self.model, SpectralModel):
            raise ValueError(
                f"ScaleSpectralModel: model is a {type(self.model).__name__}, expected a "
                "SpectralModel"
            )

    @property
    def unit(self) -> str:
        """The unit of the scaled model."""
        return self.model.unit

    def evaluate(self, energy: Any) -> Any:
        return self.norm * self.model.evaluate(energy)

    def breaks(self) -> Any:
        return self.model.breaks()

    def evaluate_integral(
        self, energy_min: Any, energy_max: Any, nodes: int = quadrature.NODES
    ) -> Any:
        return self.norm * self.model.evaluate_integral(energy_min, energy_max, nodes)

    def evaluate_energy_flux(
        self, energy_min: Any, energy_max: Any, nodes: int = quadrature.NODES
    ) -> Any:
        return self.norm * self.model.evaluate_energy_flux(energy_min, energy_max, nodes)
