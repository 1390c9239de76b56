"""Arithmetic on spectral models."""

from __future__ import annotations

import operator as python_operator
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from gammajax.models.spectral import quadrature
from gammajax.models.spectral.base import SpectralModel
from gammajax.models.spectral.norm import ScaleSpectralModel

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": python_operator.add,
    "sub": python_operator.sub,
    "mul": python_operator.mul,
}


class CompoundSpectralModel(SpectralModel):
    """The sum, difference or product of two spectral models.

    Made by ``model1 + model2`` and so on. Sums and differences are of models with the same
    unit; in a product one at most is a flux, the other one a norm. The parameters keep
    their names, after ``model1.`` and ``model2.``. The integral of a sum is the sum of the
    integrals, closed forms included; a product is integrated by quadrature between the
    breaks of both.

    Parameters
    ----------
    model1, model2 : `SpectralModel`
    operator : {"add", "sub", "mul"}

    Examples
    --------
    >>> from gammajax.models import ConstantSpectralModel, PowerLawSpectralModel
    >>> model = PowerLawSpectralModel() + ConstantSpectralModel()
    >>> model.parameter_names[-1]
    'model2.const'
    >>> print(model("1 TeV"))
    2e-12 1 / (TeV s cm2)
    """

    tags: ClassVar[tuple[str, ...]] = ("CompoundSpectralModel", "compound")

    model1: SpectralModel = eqx.field()
    model2: SpectralModel = eqx.field()
    operator: str = eqx.field(static=True, default="add")

    def __check_init__(self) -> None:
        if self.operator not in OPERATORS:
            raise ValueError(
                f"CompoundSpectralModel.operator: got {self.operator!r}, expected one of "
                f"{', '.join(OPERATORS)}"
            )
        for name, model in (("model1", self.model1), ("model2", self.model2)):
            if not isinstance(model, SpectralModel):
                raise ValueError(
                    f"CompoundSpectralModel.{name}: got a {type(model).__name__}, expected a "
                    "SpectralModel"
                )
        norms = self.model1.is_norm + self.model2.is_norm
        if self.operator == "mul" and norms == 0:
            raise ValueError(
                f"CompoundSpectralModel: {_pair(self)} are both fluxes; one factor of a "
                "product has to be a norm"
            )
        if self.operator != "mul" and norms == 1:
            raise ValueError(
                f"CompoundSpectralModel: {_pair(self)} are a flux and a norm, which can be "
                "multiplied only"
            )

    @property
    def unit(self) -> str:
        """The unit of the flux among the two, or none."""
        return self.model2.unit if self.model1.is_norm else self.model1.unit

    def evaluate(self, energy: Any) -> Any:
        combine = OPERATORS[self.operator]
        return combine(self.model1.evaluate(energy), self.model2.evaluate(energy))

    def breaks(self) -> Any:
        found = [model.breaks() for model in (self.model1, self.model2)]
        known = [jnp.asarray(places) for places in found if places is not None]
        return jnp.concatenate(known) if known else None

    def evaluate_integral(
        self, energy_min: Any, energy_max: Any, nodes: int = quadrature.NODES
    ) -> Any:
        if self.operator == "mul":
            return super().evaluate_integral(energy_min, energy_max, nodes)
        return OPERATORS[self.operator](
            self.model1.evaluate_integral(energy_min, energy_max, nodes),
            self.model2.evaluate_integral(energy_min, energy_max, nodes),
        )

    def evaluate_energy_flux(
        self, energy_min: Any, energy_max: Any, nodes: int = quadrature.NODES
    ) -> Any:
        if self.operator == "mul":
            return super().evaluate_energy_flux(energy_min, energy_max, nodes)
        return OPERATORS[self.operator](
            self.model1.evaluate_energy_flux(energy_min, energy_max, nodes),
            self.model2.evaluate_energy_flux(energy_min, energy_max, nodes),
        )


def compound(left: SpectralModel, right: Any, how: str | Callable[..., Any]) -> Any:
    """``left`` and ``right`` combined: what ``+``, ``-`` and ``*`` of models call.

    Parameters
    ----------
    left : `SpectralModel`
    right : `SpectralModel` or float
        A product with a number is a `ScaleSpectralModel`.
    how : {"add", "sub", "mul"} or function of `operator`

    Raises
    ------
    ValueError
        If the units do not fit, or a number is added to a model.
    """
    name = how if isinstance(how, str) else how.__name__
    if isinstance(right, SpectralModel):
        return CompoundSpectralModel(left, right, name)
    number = isinstance(right, Real) or (np.ndim(right) == 0 and hasattr(right, "dtype"))
    if number and name == "mul":
        return ScaleSpectralModel(left, right)
    if number:
        raise ValueError(
            f"{type(left).__name__}: {name} with the number {right}; make it a model "
            "(ConstantSpectralModel for a flux, PowerLawNormSpectralModel for a norm)"
        )
    return NotImplemented


def _pair(model: CompoundSpectralModel) -> str:
    return f"{type(model.model1).__name__} and {type(model.model2).__name__}"
