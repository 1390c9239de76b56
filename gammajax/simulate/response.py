"""A Cherenkov telescope array given by a few formulas."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gammajax.datasets import SpectrumDatasetOnOff
from gammajax.irf import EDispKernel
from gammajax.maps import MapAxis
from gammajax.units import ENERGY, TIME, to_value

NODES = 5
"""Gauss-Legendre nodes over which a true-energy bin is averaged."""


def _number(default: float, unit: str, description: str) -> Any:
    return field(default=default, metadata={"unit": unit, "description": description})


@dataclass(frozen=True)
class TelescopeResponse:
    r"""The response of an imaging Cherenkov telescope, as smooth functions of energy.

    It is no instrument that exists. Its defaults are of the size of a five-telescope array
    that looks at a point source near the zenith. With energies in TeV:

    Effective area, which rises steeply up to the threshold and slowly beyond it:

    .. math:: A(E) = A_0 \, \frac{E^g}{1 + (E_t / E)^s}

    Energy dispersion, log-normal: :math:`\ln(E_{reco} / E)` is normal with

    .. math:: b(E) = \frac{b_0}{1 + (E / E_t)^2} \quad \text{(mean)}, \qquad
              \sigma(E) = \sqrt{\sigma_0^2 + \sigma_1^2 / E} \quad \text{(standard deviation)}

    Background events in the on region, in reconstructed energy:

    .. math:: \frac{dR}{dE_{reco}} = B \, E_{reco}^{-\Gamma}

    Parameters
    ----------
    area : float
        :math:`A_0`, in cm2.
    area_slope : float
        g.
    threshold : float or `~astropy.units.Quantity`
        :math:`E_t`, in TeV.
    steepness : float
        s.
    bias : float
        :math:`b_0`.
    resolution, resolution_low : float
        :math:`\sigma_0` and :math:`\sigma_1`.
    background_rate : float
        B, in s-1 TeV-1.
    background_index : float
        :math:`\Gamma`.

    Raises
    ------
    ValueError
        If area, threshold, resolution or background rate are not above 0, or a number is
        not finite.

    Examples
    --------
    >>> from gammajax.simulate import TelescopeResponse
    >>> response = TelescopeResponse(threshold="300 GeV")
    >>> response.threshold
    0.3
    >>> response.effective_area([1.0, 10.0]) / 1e9
    array([2.239..., 6.482...])
    """

    area: float = _number(2.3e9, "cm2", "area scale at 1 TeV")
    area_slope: float = _number(0.45, "", "growth of the area above the threshold")
    threshold: float = _number(0.25, ENERGY, "threshold energy")
    steepness: float = _number(3.0, "", "steepness of the area at the threshold")
    bias: float = _number(0.2, "", "energy bias far below the threshold")
    resolution: float = _number(0.08, "", "energy resolution at high energy")
    resolution_low: float = _number(0.08, "", "energy resolution added at 1 TeV")
    background_rate: float = _number(3.5e-3, "s-1 TeV-1", "background rate at 1 TeV")
    background_index: float = _number(2.7, "", "index of the background")

    def __post_init__(self) -> None:
        positive = ("area", "threshold", "steepness", "resolution", "background_rate")
        for item in dataclasses.fields(self):
            where = f"TelescopeResponse.{item.name}"
            value = to_value(getattr(self, item.name), item.metadata["unit"], where=where)
            low = "above 0" if item.name in positive else ""
            if value.ndim or not np.isfinite(value) or (low and value <= 0):
                raise ValueError(
                    f"{where}: got {value}, expected a finite number {low}".rstrip()
                )
            object.__setattr__(self, item.name, float(value))

    def effective_area(self, energy_true: Any) -> np.ndarray:
        """Effective area in cm2 at true energies (TeV)."""
        energy = to_value(energy_true, ENERGY, where="energy_true")
        rise = 1 + (self.threshold / energy) ** self.steepness
        return self.area * energy**self.area_slope / rise

    def energy_bias(self, energy_true: Any) -> np.ndarray:
        """Mean of ln(reconstructed / true energy) at true energies (TeV)."""
        energy = to_value(energy_true, ENERGY, where="energy_true")
        return self.bias / (1 + (energy / self.threshold) ** 2)

    def energy_resolution(self, energy_true: Any) -> np.ndarray:
        """Standard deviation of ln(reconstructed / true energy) at true energies (TeV)."""
        energy = to_value(energy_true, ENERGY, where="energy_true")
        return np.sqrt(self.resolution**2 + self.resolution_low**2 / energy)

    def background(self, energy: MapAxis, livetime: Any) -> np.ndarray:
        """Background counts expected in the on region in each bin, shape (energy,).

        The integral of the power law over the bin, in closed form; ``livetime`` in s.
        """
        seconds = to_value(livetime, TIME, where="livetime")
        slope = 1 - self.background_index
        log_width = np.log(energy.edges_max / energy.edges_min)
        grown = np.expm1(slope * log_width) / slope if slope else log_width
        return self.background_rate * seconds * energy.edges_min**slope * grown

    def edisp(self, energy_true: MapAxis, energy: MapAxis) -> EDispKernel:
        """The energy dispersion matrix, averaged over each true bin in ln E."""
        from scipy.special import ndtr

        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        half = np.log(energy_true.edges_max / energy_true.edges_min)[:, None] / 2
        true = energy_true.center[:, None] * np.exp(half * nodes)
        distance = np.log(energy.edges) - np.log(true)[..., None]
        bias, sigma = self.energy_bias(true), self.energy_resolution(true)
        below = ndtr((distance - bias[..., None]) / sigma[..., None])
        matrix = np.einsum("n,tne->te", weights / 2, np.diff(below, axis=-1))
        return EDispKernel(energy_true, energy, np.maximum(matrix, 0.0))

    def empty_dataset(
        self,
        name: str,
        *,
        livetime: Any,
        n_off_regions: int = 10,
        energy: MapAxis | None = None,
        energy_true: MapAxis | None = None,
    ) -> SpectrumDatasetOnOff:
        """A dataset without counts: the response for one observation.

        Parameters
        ----------
        name : str
        livetime : float or `~astropy.units.Quantity`
            In s.
        n_off_regions : int
            Off regions of the size of the on region; alpha is one over it.
        energy, energy_true : `~gammajax.maps.MapAxis`, optional
            The defaults run from 0.3 to 50 TeV with 10 bins per decade, and from 0.05 to
            200 TeV with 20.
        """
        seconds = float(to_value(livetime, TIME, where="livetime"))
        if not (np.isfinite(seconds) and seconds > 0):
            raise ValueError(f"livetime of {name!r}: got {seconds:g} s, expected more than 0")
        if n_off_regions < 1:
            raise ValueError(f"n_off_regions is {n_off_regions}, expected 1 or more")
        if energy is None:
            energy = MapAxis.from_energy_bounds(0.3, 50.0, 10, per_decade=True)
        if energy_true is None:
            energy_true = MapAxis.from_energy_bounds(
                0.05, 200.0, 20, per_decade=True, name="energy_true"
            )
        return SpectrumDatasetOnOff(
            name=name,
            energy=energy,
            energy_true=energy_true,
            counts=np.zeros(energy.nbin),
            counts_off=np.zeros(energy.nbin),
            acceptance=1.0,
            acceptance_off=float(n_off_regions),
            exposure=self.effective_area(energy_true.center) * seconds,
            edisp=self.edisp(energy_true, energy),
            livetime=seconds,
            meta={"telescope": "simulated"},
        )
