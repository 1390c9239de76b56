"""The base of all spectral models."""

from __future__ import annotations

import operator
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from gammajax.models.base import Model
from gammajax.models.spectral import quadrature
from gammajax.models.spectral.evaluation import call, call_with_error, propagate
from gammajax.models.spectral.solve import inverse_energies, pivot
from gammajax.units import DNDE, EFLUX, ENERGY, FLUX, is_quantity, to_quantity, to_value

__all__ = ["SpectralModel", "propagate"]


class SpectralModel(Model):
    """A differential flux as a function of energy; a subclass is its formula.

    A subclass declares its parameters, its ``tags`` (the names it has in model files) and
    one pure function, `evaluate`, of energies in TeV. Where the energy integrals have a
    closed form it gives `evaluate_integral` and `evaluate_energy_flux` as well.

    The methods that start with ``evaluate`` are pure, traceable, and know no units (the
    errors apart). The others take and return quantities, through one compiled program for
    all models of a structure; given bare arrays, they take energies in TeV and return bare
    arrays in canonical units.
    """

    tags: ClassVar[tuple[str, ...]] = ()

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

        ``nodes`` is the number of quadrature nodes for spectra without a closed form; see
        `~gammajax.models.spectral.quadrature.integrate` for the accuracy.
        """
        return quadrature.integrate(self.evaluate, energy_min, energy_max, self.breaks(), nodes)

    def evaluate_energy_flux(
        self, energy_min: Any, energy_max: Any, nodes: int = quadrature.NODES
    ) -> Any:
        """The integral of energy times `evaluate`, pure; edges in TeV, of any shape."""

        def weighted(energy: Any) -> Any:
            return energy * self.evaluate(energy)

        return quadrature.integrate(weighted, energy_min, energy_max, self.breaks(), nodes)

    def evaluate_spectral_index(self, energy: Any) -> Any:
        r"""The local index :math:`-d \ln f / d \ln E`, pure, by exact differentiation."""

        def log_flux(log_energy: Any) -> Any:
            return jnp.log(jnp.abs(self.evaluate(jnp.exp(log_energy))))

        log_energy = jnp.log(energy)
        _, slope = jax.jvp(log_flux, (log_energy,), (jnp.ones_like(log_energy),))
        return -slope

    def __call__(self, energy: Any) -> Any:
        """The differential flux at ``energy``."""
        return _as_given(call(self, "evaluate", _energy(energy, "energy")), self.unit, energy)

    def integral(self, energy_min: Any, energy_max: Any) -> Any:
        """The flux between two energies, in cm-2 s-1."""
        value = call(self, "evaluate_integral", *_edges(energy_min, energy_max))
        return _as_given(value, self._integral_unit, energy_min)

    def energy_flux(self, energy_min: Any, energy_max: Any) -> Any:
        """The energy flux between two energies, in TeV cm-2 s-1."""
        value = call(self, "evaluate_energy_flux", *_edges(energy_min, energy_max))
        return _as_given(value, self._energy_flux_unit, energy_min)

    def spectral_index(self, energy: Any) -> Any:
        """The local index at ``energy``; see `evaluate_spectral_index`."""
        return np.asarray(call(self, "evaluate_spectral_index", _energy(energy, "energy")))

    def evaluate_error(self, energy: Any, covariance: Any) -> tuple[Any, Any]:
        """The differential flux and its error.

        Parameters
        ----------
        energy : `~astropy.units.Quantity` or array in TeV
        covariance : array, shape (n, n)
            Of the parameters in the order of ``parameter_names``, in their canonical units;
            `~gammajax.models.Models.covariance_of` gives it after a fit.

        Returns
        -------
        value, error : `~astropy.units.Quantity` or array
            The error is linear and exact: the square root of the diagonal of J C J^T.
        """
        pair = call_with_error(self, covariance, "evaluate", _energy(energy, "energy"))
        return _pair(pair, self.unit, energy)

    def integral_error(
        self, energy_min: Any, energy_max: Any, covariance: Any
    ) -> tuple[Any, Any]:
        """The flux between two energies and its error; see `evaluate_error`."""
        edges = _edges(energy_min, energy_max)
        pair = call_with_error(self, covariance, "evaluate_integral", *edges)
        return _pair(pair, self._integral_unit, energy_min)

    def energy_flux_error(
        self, energy_min: Any, energy_max: Any, covariance: Any
    ) -> tuple[Any, Any]:
        """The energy flux between two energies and its error; see `evaluate_error`."""
        edges = _edges(energy_min, energy_max)
        pair = call_with_error(self, covariance, "evaluate_energy_flux", *edges)
        return _pair(pair, self._energy_flux_unit, energy_min)

    def spectral_index_error(self, energy: Any, covariance: Any) -> tuple[Any, Any]:
        """The local index and its error; see `evaluate_error`."""
        energy = _energy(energy, "energy")
        value, error = call_with_error(self, covariance, "evaluate_spectral_index", energy)
        return np.asarray(value), np.asarray(error)

    def inverse(
        self, value: Any, energy_min: Any = "0.001 TeV", energy_max: Any = "1000 TeV"
    ) -> Any:
        """The lowest energy between the two at which the flux has a value.

        NaN where there is none. Of two energies closer than a thousandth of the logarithmic
        range none may be found; give a narrower range then.

        Examples
        --------
        >>> from gammajax.models import PowerLawSpectralModel
        >>> print(PowerLawSpectralModel().inverse("2.5e-13 cm-2 s-1 TeV-1").round(6))
        2.0 TeV
        """
        found = self.inverse_all(value, energy_min, energy_max)
        return found[0] if len(found) else found.sum() * np.nan

    def inverse_all(
        self, value: Any, energy_min: Any = "0.001 TeV", energy_max: Any = "1000 TeV"
    ) -> Any:
        """All energies between the two at which the flux has a value, ascending.

        An empty array where there is none; see `inverse`.
        """
        wanted = to_value(value, self.unit, where=f"{type(self).__name__}.inverse: value")
        if wanted.ndim:
            raise ValueError(
                f"{type(self).__name__}.inverse: got {wanted.size} values, expected one"
            )
        low, high = _edges(energy_min, energy_max)
        return to_quantity(inverse_energies(self, float(wanted), low, high), ENERGY)

    def pivot_energy(
        self, covariance: Any, energy_min: Any = "0.001 TeV", energy_max: Any = "1000 TeV"
    ) -> Any:
        """The decorrelation energy, where the relative error of the flux is smallest.

        NaN where there is no such energy between the two; the deepest one of several.
        """
        low, high = _edges(energy_min, energy_max)
        return to_quantity(pivot(self, np.asarray(covariance), low, high), ENERGY)

    def plot(self, energy_bounds: Any, ax: Any = None, **options: Any) -> Any:
        """Draw the spectrum; see `gammajax.plots.plot_spectrum`."""
        from gammajax.plots.spectral import plot_spectrum

        return plot_spectrum(self, energy_bounds, ax, **options)

    def plot_error(
        self, energy_bounds: Any, covariance: Any, ax: Any = None, **options: Any
    ) -> Any:
        """Draw the band of one standard deviation; see `gammajax.plots.plot_spectrum_error`."""
        from gammajax.plots.spectral import plot_spectrum_error

        return plot_spectrum_error(self, energy_bounds, covariance, ax, **options)

    @property
    def _integral_unit(self) -> str:
        return ENERGY if self.is_norm else FLUX

    @property
    def _energy_flux_unit(self) -> str:
        return "TeV2" if self.is_norm else EFLUX

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


def _edges(energy_min: Any, energy_max: Any) -> tuple[Any, Any]:
    low, high = _energy(energy_min, "energy_min"), _energy(energy_max, "energy_max")
    traced = isinstance(low, Tracer) or isinstance(high, Tracer)
    if not traced and not (np.all(np.asarray(low) > 0) and np.all(np.asarray(low) <= high)):
        raise ValueError(
            f"energy range: got {energy_min} to {energy_max}, expected "
            "0 < energy_min <= energy_max"
        )
    return low, high


def _pair(pair: tuple[Any, Any], unit: str, given: Any) -> tuple[Any, Any]:
    return _as_given(pair[0], unit, given), _as_given(pair[1], unit, given)


def _as_given(value: Any, unit: str, given: Any) -> Any:
    if is_quantity(given) or isinstance(given, str):
        return to_quantity(value, unit)
    return value
