"""Spectra read off a table."""

from __future__ import annotations

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from gammajax.models.spectral import quadrature
from gammajax.models.spectral.base import SpectralModel
from gammajax.models.spectral.interpolation import TINY, interpolate
from gammajax.models.spectral.quadrature import integrate_segments
from gammajax.parameters import parameter, table
from gammajax.units import DNDE, is_quantity, to_value

SCALES = ("log", "lin")


def check_nodes(nodes: np.ndarray, where: str, *, positive: bool = True) -> None:
    """Raise unless ``nodes`` is an ascending list of at least two (positive) numbers."""
    kind = "positive numbers" if positive else "numbers"
    good = nodes.ndim == 1 and nodes.size >= 2 and np.all(np.isfinite(nodes))
    if not good or np.any(np.diff(nodes) <= 0) or (positive and nodes[0] <= 0):
        raise ValueError(f"{where}: got {nodes}, expected at least two ascending {kind}")


def check_scale(scale: str, where: str) -> None:
    """Raise unless ``scale`` is log or lin."""
    if scale not in SCALES:
        raise ValueError(f"{where}: got {scale!r}, expected 'log' or 'lin'")


class TemplateBase(SpectralModel):
    """What the templates share: a flux on nodes of energy, and its unit."""

    energy: eqx.AbstractVar[Any]
    values_unit: eqx.AbstractVar[str]
    interp: eqx.AbstractVar[str]

    @property
    def unit(self) -> str:
        """The unit of the values."""
        return self.values_unit

    def row(self) -> Any:
        """The values at the nodes of energy, in the scale of the interpolation, pure."""
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    def _line(self, log_energy: Any) -> Any:
        return interpolate([jnp.log(self.energy)], self.row(), [log_energy])

    def evaluate(self, energy: Any) -> Any:
        value = self._line(jnp.log(energy))
        return jnp.exp(value) if self.interp == "log" else jnp.maximum(value, 0.0)

    def breaks(self) -> Any:
        if self.interp == "log":
            return self.energy
        # Beyond the table a line may fall to 0, where it is cut.
        energy, row = jnp.asarray(self.energy), self.row()
        first = _crossing(jnp.log(energy[:2]), row[:2])
        last = _crossing(jnp.log(energy[:-3:-1]), row[:-3:-1])
        return jnp.concatenate([first[None], energy, last[None]])

    def evaluate_integral(
        self, energy_min: Any, energy_max: Any, nodes: int = quadrature.NODES
    ) -> Any:
        if self.interp == "lin":
            return super().evaluate_integral(energy_min, energy_max, min(nodes, 16))
        return integrate_segments(self._line, energy_min, energy_max, self.energy)

    def evaluate_energy_flux(
        self, energy_min: Any, energy_max: Any, nodes: int = quadrature.NODES
    ) -> Any:
        if self.interp == "lin":
            return super().evaluate_energy_flux(energy_min, energy_max, min(nodes, 16))

        def log_weighted(log_energy: Any) -> Any:
            return self._line(log_energy) + log_energy

        return integrate_segments(log_weighted, energy_min, energy_max, self.energy)


class TemplateSpectralModel(TemplateBase):
    """A table of fluxes, a power law between any two nodes.

    Straight lines in log-log; beyond the table the last two nodes go on as a power law.
    The integrals are exact. Zeros are read as 1e-38. With ``interp="lin"`` the flux is a
    straight line against the logarithm of energy, and not below zero.

    Parameters
    ----------
    energy : `~astropy.units.Quantity` or array in TeV
        At least two, ascending.
    values : `~astropy.units.Quantity` or array
        Fluxes in cm-2 s-1 TeV-1; dimensionless quantities make a norm.
    values_unit : str, optional
        The unit of bare ``values``: ``"cm-2 s-1 TeV-1"`` (the default) or ``""``.
    interp : {"log", "lin"}
        Scale of the values.
    filename : str
        Where the table came from, for model files.

    Examples
    --------
    >>> from gammajax.models import TemplateSpectralModel
    >>> model = TemplateSpectralModel([1, 10], [1e-11, 1e-13])
    >>> print(model.spectral_index("3 TeV").round(12), model("20 TeV").round(18))
    2.0 2.5e-14 1 / (TeV s cm2)
    """

    tags: ClassVar[tuple[str, ...]] = ("TemplateSpectralModel", "template")

    values: Any = eqx.field()
    values_unit: str = eqx.field(static=True)
    interp: str = eqx.field(static=True)
    filename: str = eqx.field(static=True)
    energy: Any = table("TeV")

    def __init__(
        self,
        energy: Any,
        values: Any,
        values_unit: str | None = None,
        interp: str = "log",
        filename: str = "",
    ) -> None:
        self.energy = energy
        self.values_unit = unit_of(values) if values_unit is None else values_unit
        self.values = to_value(values, self.values_unit, where="TemplateSpectralModel.values")
        self.interp = interp
        self.filename = str(filename)

    def __check_init__(self) -> None:
        check_nodes(np.asarray(self.energy), "TemplateSpectralModel.energy")
        check_scale(self.interp, "TemplateSpectralModel.interp")
        check_values("TemplateSpectralModel", self.values, np.shape(self.energy), self.interp)

    def row(self) -> Any:
        return scaled(self.values, self.interp)


class TemplateNDSpectralModel(TemplateBase):
    """A table of fluxes over energy and further axes, whose coordinates are parameters.

    Log-log in energy, linear in the coordinates of the other axes (or in their logarithm);
    lines go on beyond the table. The integrals over energy are exact.

    Parameters
    ----------
    energy : `~astropy.units.Quantity` or array in TeV
        At least two, ascending.
    values : `~astropy.units.Quantity` or array, shape (len(axes[0]), ..., len(energy))
        Fluxes in cm-2 s-1 TeV-1; dimensionless quantities make a norm.
    axes : sequence of arrays
        Ascending nodes of the other axes, in the unit in which the parameters are given.
    names : sequence of str
        Names of the axes, which are those of the parameters.
    coordinates : array, optional
        Parameter values; the middle of each axis by default.
    axes_interp : sequence of {"lin", "log"}, optional
        Scales of the axes; linear by default.
    values_unit, interp, filename
        As in `TemplateSpectralModel`.

    Examples
    --------
    >>> import numpy as np
    >>> from gammajax.models import TemplateNDSpectralModel
    >>> values = np.array([[1e-11, 1e-13], [1e-11, 1e-15]])
    >>> model = TemplateNDSpectralModel([1, 10], values, axes=[[0, 1]], names=["steep"])
    >>> print(model, model.spectral_index("2 TeV").round(12))
    TemplateNDSpectralModel(steep=0.5) 3.0
    """

    tags: ClassVar[tuple[str, ...]] = ("TemplateNDSpectralModel", "templateND")

    values: Any = eqx.field()
    axes: tuple[Any, ...] = eqx.field()
    names: tuple[str, ...] = eqx.field(static=True)
    axes_interp: tuple[str, ...] = eqx.field(static=True)
    values_unit: str = eqx.field(static=True)
    interp: str = eqx.field(static=True)
    filename: str = eqx.field(static=True)
    energy: Any = table("TeV")
    coordinates: Any = parameter(vector=True, names_from="names", description="coordinate")

    def __init__(
        self,
        energy: Any,
        values: Any,
        axes: Any,
        names: Any,
        coordinates: Any = None,
        axes_interp: Any = None,
        values_unit: str | None = None,
        interp: str = "log",
        filename: str = "",
    ) -> None:
        self.energy = energy
        self.values_unit = unit_of(values) if values_unit is None else values_unit
        self.values = to_value(values, self.values_unit, where="TemplateNDSpectralModel.values")
        self.axes = tuple(np.asarray(axis, dtype=np.float64) for axis in axes)
        self.names = tuple(str(name) for name in names)
        middles = [(axis[0] + axis[-1]) / 2 for axis in self.axes]
        self.coordinates = middles if coordinates is None else coordinates
        self.axes_interp = tuple(axes_interp or ["lin"] * len(self.axes))
        self.interp = interp
        self.filename = str(filename)

    def __check_init__(self) -> None:
        kind = "TemplateNDSpectralModel"
        check_nodes(np.asarray(self.energy), f"{kind}.energy")
        if not len(self.axes) == len(self.names) == len(self.axes_interp) > 0:
            raise ValueError(
                f"{kind}: got {len(self.axes)} axes, {len(self.names)} names and "
                f"{len(self.axes_interp)} axes_interp, expected as many of each, at least one"
            )
        for name, axis, scale in zip(self.names, self.axes, self.axes_interp, strict=True):
            check_scale(scale, f"{kind}.axes_interp of {name}")
            check_nodes(axis, f"{kind}.axes of {name}", positive=scale == "log")
        if np.shape(self.coordinates) != (len(self.names),):
            raise ValueError(
                f"{kind}.coordinates: got {self.coordinates}, expected one of each of "
                f"{', '.join(self.names)}"
            )
        shape = (*(axis.size for axis in self.axes), np.size(self.energy))
        check_values(kind, self.values, shape, self.interp)

    def row(self) -> Any:
        places = [
            jnp.log(self.coordinates[i]) if scale == "log" else self.coordinates[i]
            for i, scale in enumerate(self.axes_interp)
        ]
        nodes = [
            jnp.log(axis) if scale == "log" else axis
            for axis, scale in zip(self.axes, self.axes_interp, strict=True)
        ]
        values = scaled(self.values, self.interp)
        # The parameters first: what is left is one row over energy.
        for axis, place in zip(nodes, places, strict=True):
            values = interpolate([axis], values, [place])
        return values


def _crossing(u: Any, values: Any) -> Any:
    """Where the line through the first two nodes is 0 beyond the first; else that node."""
    slope = (values[1] - values[0]) / (u[1] - u[0])
    step = values[0] / jnp.where(slope == 0, 1.0, slope)
    outside = (slope != 0) & (step * (u[1] - u[0]) > 0)
    return jnp.exp(u[0] - jnp.clip(jnp.where(outside, step, 0.0), -50.0, 50.0))


def unit_of(values: Any) -> str:
    """No unit for dimensionless quantities, that of a differential flux otherwise."""
    return "" if is_quantity(values) and str(values.unit) == "" else DNDE


def scaled(values: Any, interp: str) -> Any:
    """The values in the scale in which they are interpolated."""
    return jnp.log(jnp.maximum(jnp.asarray(values), TINY)) if interp == "log" else values


def check_values(kind: str, values: Any, shape: tuple[int, ...], interp: str) -> None:
    """Raise unless a table of values has a shape and can be interpolated."""
    if np.shape(values) != shape:
        raise ValueError(f"{kind}.values: got the shape {np.shape(values)}, expected {shape}")
    values = np.asarray(values)
    if not np.all(np.isfinite(values)) or (interp == "log" and np.any(values < 0)):
        raise ValueError(
            f"{kind}.values: expected finite numbers, and none below 0 for interp='log'; "
            f"the smallest is {np.min(values)}"
        )
