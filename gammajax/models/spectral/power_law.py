"""Power laws."""

from __future__ import annotations

from typing import Any, ClassVar

from gammajax.models.spectral.base import SpectralModel
from gammajax.models.spectral.quadrature import power_integral
from gammajax.parameters import parameter
from gammajax.units import DNDE, FLUX


class PowerLawSpectralModel(SpectralModel):
    r"""Power law.

    .. math:: \phi(E) = \phi_0 \left( \frac{E}{E_0} \right)^{-\Gamma}

    The integrals are closed forms, with the finite limit at index 1 (and 2, for the
    energy flux).

    Examples
    --------
    >>> from gammajax.models import PowerLawSpectralModel
    >>> crab = PowerLawSpectralModel(index=2.6, amplitude="3.5e-11 cm-2 s-1 TeV-1")
    >>> print(crab.integral("1 TeV", "10 TeV").round(15))
    2.1326e-11 1 / (s cm2)
    """

    tags: ClassVar[tuple[str, ...]] = ("PowerLawSpectralModel", "pl")

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


class PowerLaw2SpectralModel(SpectralModel):
    r"""Power law whose amplitude is the flux between two energies.

    .. math::
        \phi(E) = F \, \frac{1 - \Gamma}{E_{max}^{1 - \Gamma} - E_{min}^{1 - \Gamma}}
                  \, E^{-\Gamma}

    with the limit :math:`F / (E \ln(E_{max} / E_{min}))` at index 1. The integrals are
    closed forms. The form of the Fermi-LAT tools (``PowerLaw2``).

    Examples
    --------
    >>> from gammajax.models import PowerLaw2SpectralModel
    >>> model = PowerLaw2SpectralModel(index=1.0, emin="1 TeV", emax="10 TeV")
    >>> print(model.integral("1 TeV", "10 TeV").round(20))
    1e-12 1 / (s cm2)
    """

    tags: ClassVar[tuple[str, ...]] = ("PowerLaw2SpectralModel", "pl-2")

    amplitude: Any = parameter(1e-12, FLUX, description="flux between emin and emax")
    index: Any = parameter(2.0, description="spectral index")
    emin: Any = parameter(0.1, "TeV", frozen=True, description="lower edge of the flux")
    emax: Any = parameter(100.0, "TeV", frozen=True, description="upper edge of the flux")

    def _shape(self) -> Any:
        """The integral of (E / emin)^-index from emin to emax, in TeV."""
        return self.emin * power_integral(-self.index, 1.0, self.emax / self.emin)

    def evaluate(self, energy: Any) -> Any:
        return self.amplitude * (energy / self.emin) ** -self.index / self._shape()

    def evaluate_integral(self, energy_min: Any, energy_max: Any, nodes: int = 0) -> Any:
        low, high = energy_min / self.emin, energy_max / self.emin
        part = self.emin * power_integral(-self.index, low, high)
        return self.amplitude * part / self._shape()

    def evaluate_energy_flux(self, energy_min: Any, energy_max: Any, nodes: int = 0) -> Any:
        low, high = energy_min / self.emin, energy_max / self.emin
        part = self.emin**2 * power_integral(1 - self.index, low, high)
        return self.amplitude * part / self._shape()
