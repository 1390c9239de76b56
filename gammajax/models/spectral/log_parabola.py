"""Log-parabolas."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from gammajax.models.spectral.base import SpectralModel
from gammajax.parameters import parameter
from gammajax.units import DNDE, ENERGY, to_quantity


class LogParabolaSpectralModel(SpectralModel):
    r"""Log-parabola, with the natural logarithm.

    .. math:: \phi(E) = \phi_0 \left( \frac{E}{E_0} \right)^{-\alpha - \beta \ln(E / E_0)}

    A beta given for a base-10 logarithm has to be divided by ln 10; `from_log10` does.
    Massaro et al. 2004, A&A 413, 489.

    Examples
    --------
    >>> from gammajax.models import LogParabolaSpectralModel
    >>> model = LogParabolaSpectralModel(reference="1 TeV", alpha=2.4, beta=0.2)
    >>> print(model.spectral_index("1 TeV"), model.e_peak.round(4))
    2.4 0.3679 TeV
    """

    tags: ClassVar[tuple[str, ...]] = ("LogParabolaSpectralModel", "lp")

    amplitude: Any = parameter(1e-12, DNDE, description="flux at the reference energy")
    reference: Any = parameter(10.0, "TeV", frozen=True, description="reference energy")
    alpha: Any = parameter(2.0, description="index at the reference energy")
    beta: Any = parameter(1.0, description="curvature")

    @classmethod
    def from_log10(cls, *, beta: Any, **parameters: Any) -> LogParabolaSpectralModel:
        """The model for a curvature that was given for a base-10 logarithm."""
        return cls(beta=beta / np.log(10), **parameters)

    def evaluate(self, energy: Any) -> Any:
        log = jnp.log(energy / self.reference)
        return self.amplitude * jnp.exp(-log * (self.alpha + self.beta * log))

    @property
    def e_peak(self) -> Any:
        r"""The peak of :math:`E^2 \phi`; NaN where the SED has none (beta not above 0)."""
        return _peak(self.reference, self.alpha, self.beta)


class LogParabola2SpectralModel(SpectralModel):
    r"""Log-parabola with an energy scale of its own in the exponent.

    .. math:: \phi(E) = \phi_0 \left( \frac{E}{E_0} \right)^{-\alpha - \beta \ln(E / E_s)}

    Examples
    --------
    >>> from gammajax.models import LogParabola2SpectralModel
    >>> print(LogParabola2SpectralModel()("10 TeV"))
    1e-12 1 / (TeV s cm2)
    """

    tags: ClassVar[tuple[str, ...]] = ("LogParabola2SpectralModel", "lp2")

    amplitude: Any = parameter(1e-12, DNDE, description="flux at the reference energy")
    reference: Any = parameter(10.0, "TeV", frozen=True, description="reference energy")
    alpha: Any = parameter(2.0, description="index of the power law at the energy scale")
    beta: Any = parameter(1.0, description="curvature")
    escale: Any = parameter(1.0, "TeV", frozen=True, description="scale of the exponent")

    @classmethod
    def from_log10(cls, *, beta: Any, **parameters: Any) -> LogParabola2SpectralModel:
        """The model for a curvature that was given for a base-10 logarithm."""
        return cls(beta=beta / np.log(10), **parameters)

    def evaluate(self, energy: Any) -> Any:
        log = jnp.log(energy / self.reference)
        exponent = self.alpha + self.beta * jnp.log(energy / self.escale)
        return self.amplitude * jnp.exp(-log * exponent)

    @property
    def e_peak(self) -> Any:
        r"""The peak of :math:`E^2 \phi`; NaN where the SED has none (beta not above 0)."""
        middle = np.sqrt(self.reference * self.escale)
        return _peak(middle, self.alpha, self.beta)


def _peak(centre: Any, alpha: Any, beta: Any) -> Any:
    if beta <= 0:
        return to_quantity(np.nan, ENERGY)
    return to_quantity(centre * np.exp((2 - alpha) / (2 * beta)), ENERGY)
