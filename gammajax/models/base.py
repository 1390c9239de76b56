"""What every model is: an immutable pytree of float64 arrays, with declared parameters."""

from __future__ import annotations

import dataclasses
from typing import Any

import equinox as eqx
import numpy as np

from gammajax.parameters import ParameterSpec, get_values, name_specs, slots


class Model(eqx.Module):
    """Base of all models: fields declared with `~gammajax.parameters.parameter`.

    Models are values. ``model.replace(index=2.3)`` gives a new model.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        name_specs(cls)

    @classmethod
    def parameter_specs(cls) -> dict[str, ParameterSpec]:
        """The parameters that the class declares, by name."""
        fields = dataclasses.fields(cls)
        return {f.name: f.metadata["parameter"] for f in fields if "parameter" in f.metadata}

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The names of the scalar parameters, in order, parts of compounds included."""
        return tuple(slot.name for slot in slots(self))

    def replace(self, **values: Any) -> Any:
        """A new model with the given fields; units are converted as in the constructor.

        Raises
        ------
        ValueError
            If a field does not exist, or a value does not fit it.
        """
        known = [f.name for f in dataclasses.fields(self) if f.init]
        for name in values:
            if name not in known:
                raise ValueError(
                    f"{type(self).__name__}: has no field {name!r}; it has {', '.join(known)}"
                )
        return dataclasses.replace(self, **values)

    def __repr__(self) -> str:
        parts = []
        for slot, value in zip(slots(self), _values_or_traced(self), strict=True):
            unit = f" {slot.spec.unit}" if slot.spec.unit else ""
            parts.append(f"{slot.name}={value}{unit}")
        return f"{type(self).__name__}({', '.join(parts)})"


def _values_or_traced(model: Model) -> list[str]:
    try:
        return [f"{value:.6g}" for value in np.atleast_1d(get_values(model))]
    except Exception:  # a traced or batched model has no plain numbers to show
        return ["traced"] * len(slots(model))
