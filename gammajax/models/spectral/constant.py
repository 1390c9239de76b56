"""Constant spectra."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from gammajax.models.spectral.base import SpectralModel
from gammajax.parameters import parameter
from gammajax.units import DNDE


class ConstantSpectralModel(SpectralModel):
    r"""A flux that does not depend on energy.

    .. math:: \phi(E) = k

    The integrals are closed forms.

    Examples
    --------
    >>> from gammajax.models import ConstantSpectralModel
    >>> print(ConstantSpectralModel().integral("1 TeV", "3 TeV").round(18))
    2e-12 1 / (s cm2)
    """

    tags: ClassVar[tuple[str, ...]] = ("ConstantSpectralModel", "const")

    const: Any = parameter(1e-12, DNDE, description="flux at all energies")

    def evaluate(self, energy: Any) -> Any:
        return self.const * jnp.ones_like(energy)

    def evaluate_integral(self, energy_min: Any, energy_max: Any, nodes: int = 0) -> Any:
        return self.const * (energy_max - energy_min)

    def evaluate_energy_flux(self, energy_min: Any, energy_max: Any, nodes: int = 0) -> Any:
        return self.const * (energy_max - energy_min) * (energy_max + energy_min) / 2
