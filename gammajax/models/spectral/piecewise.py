"""A correction with a free norm at each of a few energies."""

from __future__ import annotations

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from gammajax.models.spectral import quadrature
from gammajax.models.spectral.interpolation import interpolate
from gammajax.models.spectral.norm import NormSpectralModel
from gammajax.models.spectral.quadrature import integrate_segments
from gammajax.models.spectral.template import check_nodes, check_scale
from gammajax.parameters import parameter, table


class PiecewiseNormSpectralModel(NormSpectralModel):
    """A factor given by norms at fixed energies, constant beyond the first and the last.

    Between two nodes it is a power law (``interp="log"``; the norms have to stay positive),
    or a straight line in energy (``interp="lin"``). The integrals are exact for the power
    laws, quadrature between the nodes for the lines.

    Parameters
    ----------
    energy : `~astropy.units.Quantity` or array in TeV
        At least two, ascending.
    norms : array, optional
        One for each energy, the parameters ``norm_0``, ``norm_1``, ...; all 1 by default.
    interp : {"log", "lin"}

    Examples
    --------
    >>> from gammajax.models import PiecewiseNormSpectralModel
    >>> model = PiecewiseNormSpectralModel([1, 100], norms=[1, 4])
    >>> print(model, model("10 TeV").round(12))
    PiecewiseNormSpectralModel(norm_0=1, norm_1=4) 2.0
    """

    tags: ClassVar[tuple[str, ...]] = ("PiecewiseNormSpectralModel", "piecewise-norm")

    interp: str = eqx.field(static=True)
    energy: Any = table("TeV")
    norms: Any = parameter(vector=True, description="factor at a node")

    def __init__(self, energy: Any, norms: Any = None, interp: str = "log") -> None:
        self.energy = energy
        self.norms = np.ones(np.size(energy)) if norms is None else norms
        self.interp = interp

    def __check_init__(self) -> None:
        check_nodes(np.asarray(self.energy), "PiecewiseNormSpectralModel.energy")
        check_scale(self.interp, "PiecewiseNormSpectralModel.interp")
        if np.shape(self.norms) != np.shape(self.energy):
            raise ValueError(
                f"PiecewiseNormSpectralModel.norms: got {np.size(self.norms)}, expected one "
                f"for each of the {np.size(self.energy)} energies"
            )

    def _log_norm(self, log_energy: Any) -> Any:
        nodes = jnp.log(self.energy)
        inside = jnp.clip(log_energy, nodes[0], nodes[-1])
        return interpolate([nodes], jnp.log(self.norms), [inside])

    def evaluate(self, energy: Any) -> Any:
        if self.interp == "log":
            return jnp.exp(self._log_norm(jnp.log(energy)))
        inside = jnp.clip(energy, self.energy[0], self.energy[-1])
        return interpolate([self.energy], self.norms, [inside])

    def breaks(self) -> Any:
        return self.energy

    def evaluate_integral(
        self, energy_min: Any, energy_max: Any, nodes: int = quadrature.NODES
    ) -> Any:
        if self.interp == "lin":
            return super().evaluate_integral(energy_min, energy_max, nodes)
        return integrate_segments(self._log_norm, energy_min, energy_max, self.energy)

    def evaluate_energy_flux(
        self, energy_min: Any, energy_max: Any, nodes: int = quadrature.NODES
    ) -> Any:
        if self.interp == "lin":
            return super().evaluate_energy_flux(energy_min, energy_max, nodes)

        def log_weighted(log_energy: Any) -> Any:
            return self._log_norm(log_energy) + log_energy

        return integrate_segments(log_weighted, energy_min, energy_max, self.energy)
