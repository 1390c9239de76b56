"""The base of all spectral models."""

from __future__ import annotations

import operator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.models.base import Model
from gammajax.models.spectral import quadrature
from gammajax.parameters import get_values, with_values
from gammajax.units import DNDE, EFLUX, ENERGY, FLUX, is_quantity, to_quantity, to_value


class SpectralModel(Model):
    """A differential flux as a function of energy; a subclass is its formula.

    A subclass declares its parameters and one pure function, `evaluate`, of energies in
    TeV. Where the energy integrals have a closed form it gives `evaluate_integral` and
    `evaluate_energy_flux` as well. The public methods take and return quantities; given
    bare arrays, they take energies in TeV and return bare arrays in canonical units.
    """

    @property
    def unit(self) -> str:
        """The unit of `evaluate`: of a differential flux, or none for a norm."""
        return DNDE

    @property
    def is_norm(self) -> bool:
        """Whether the model is a dimensionless factor for another spectrum."""
        return self.unit == ""

    def evaluate(self, energy: Any) -> Any:
        """The model at energies in TeV, pure and traceable; same shape as ``energy``."""
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    def breaks(self) -> Any:
        """Energies in TeV, shape (n,), at which `evaluate` is not smooth; None for none."""
        return None

    def evaluate_integral(
        self, energy_min: Any, energy_max: Any, nodes: int = quadrature.NODES
    ) -> Any:
        """The integral of `evaluate` over energy, pure; edges in TeV, of any shape.

        ``nodes`` is the number of quadrature nodes for spectra without a closed form.
        """
        return quadrature.integrate(
            self.evaluate, energy_min, energy_max, self.breaks(), nodes
        )

    def evaluate_energy_flux(
        self, energy_min: Any, energy_max: Any, nodes: int = quadrature.NODES
    ) -> Any:
        """The integral of energy times `evaluate`, pure; edges in TeV, of any shape."""
        return quadrature.integrate(
            lambda energy: energy * self.evaluate(energy),
            energy_min,
            energy_max,
            self.breaks(),
            nodes,
        )

    def __call__(self, energy: Any) -> Any:
        """The differential flux at ``energy``."""
        value = self.evaluate(_energy(energy, "energy"))
        return _as_given(value, self.unit, energy)

    def integral(self, energy_min: Any, energy_max: Any) -> Any:
        """The flux between two energies, in cm-2 s-1."""
        low, high = _energy(energy_min, "energy_min"), _energy(energy_max, "energy_max")
        unit = FLUX if not self.is_norm else ENERGY
        return _as_given(self.evaluate_integral(low, high), unit, energy_min)

    def energy_flux(self, energy_min: Any, energy_max: Any) -> Any:
        """The energy flux between two energies, in TeV cm-2 s-1."""
        low, high = _energy(energy_min, "energy_min"), _energy(energy_max, "energy_max")
        unit = EFLUX if not self.is_norm else "TeV2"
        return _as_given(self.evaluate_energy_flux(low, high), unit, energy_min)

    def spectral_index(self, energy: Any) -> Any:
        r"""The local index :math:`-d \ln f / d \ln E`, by exact differentiation."""
        energy = jnp.asarray(_energy(energy, "energy"))

        def log_flux(log_energy: Any) -> Any:
            return jnp.log(jnp.abs(self.evaluate(jnp.exp(log_energy))))

        log_energy = jnp.log(energy)
        _, slope = jax.jvp(log_flux, (log_energy,), (jnp.ones_like(log_energy),))
        return np.asarray(-slope)

    def __add__(self, other: Any) -> Any:
        return _compound(self, other, operator.add)

    def __sub__(self, other: Any) -> Any:
        return _compound(self, other, operator.sub)

    def __mul__(self, other: Any) -> Any:
        return _compound(self, other, operator.mul)

    __rmul__ = __mul__


def _compound(left: SpectralModel, right: Any, how: Any) -> Any:
    from gammajax.models.spectral.compound import compound

    return compound(left, right, how)


def _energy(value: Any, name: str) -> Any:
    if isinstance(value, jax.Array):
        return value
    return to_value(value, ENERGY, where=name)


def _as_given(value: Any, unit: str, given: Any) -> Any:
    if is_quantity(given) or isinstance(given, str):
        return to_quantity(value, unit)
    return value


def propagate(model: SpectralModel, covariance: Any, function: Any) -> tuple[Any, Any]:
    """A function of a model with its error, by the exact Jacobian.

    Parameters
    ----------
    model : `SpectralModel`
    covariance : array, shape (n, n)
        Of the model's parameters, in the order of ``model.parameter_names``.
    function : callable
        Takes a model and gives an array.

    Returns
    -------
    value, error : arrays
        ``error**2`` is the diagonal of ``J C J^T``.
    """
    values = jnp.asarray(get_values(model))
    covariance = jnp.asarray(covariance)
    if covariance.shape != (values.size, values.size):
        raise ValueError(
            f"{type(model).__name__}: got a covariance of shape {covariance.shape}, expected "
            f"{(values.size, values.size)} for {', '.join(model.parameter_names)}"
        )

    def of_values(vector: Any) -> Any:
        return function(with_values(model, vector))

    jacobian = jax.jacfwd(of_values)(values)
    moving = jnp.diag(covariance) > 0
    jacobian = jnp.where(moving, jacobian, 0.0)
    variance = jnp.einsum("...i,ij,...j->...", jacobian, covariance, jacobian)
    return of_values(values), jnp.sqrt(jnp.maximum(variance, 0.0))
