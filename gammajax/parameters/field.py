"""How a model declares its parameters, and how they are found again.

A model is an `equinox.Module` whose fields are declared once, with `parameter`:
the default, the unit, the bounds, whether it starts frozen, and one line that says what
it is. Every leaf of a model is a float64 array. On the host it is a NumPy array, which
costs nothing to make; under `jax.jit` it is a tracer.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

import gammajax.config  # noqa: F401  (64-bit floats before the first array)
from gammajax.units import to_value


@dataclass
class ParameterSpec:
    """What a model says about one parameter; shared by all its instances.

    ``name`` and ``owner`` are filled in when the class is made.
    """

    default: Any
    unit: str
    min: float
    max: float
    frozen: bool
    description: str
    vector: bool = False
    names_from: str = ""
    name: str = ""
    owner: str = ""

    @property
    def where(self) -> str:
        """The name that error messages start with."""
        return f"{self.owner}.{self.name}"

    def convert(self, value: Any) -> Any:
        """``value`` as a float64 array in this parameter's unit; traced values pass."""
        if isinstance(value, Tracer):
            return value
        array = to_value(value, self.unit, where=self.where)
        if array.ndim != int(self.vector):
            expected = "a list of numbers" if self.vector else "one number"
            raise ValueError(
                f"{self.where}: got an array of shape {array.shape}, expected {expected}"
            )
        if np.isnan(array).any():
            raise ValueError(f"{self.where}: got {value!r}, which is not a number")
        return array


def parameter(
    default: Any = dataclasses.MISSING,
    unit: str = "",
    *,
    min: float = -np.inf,
    max: float = np.inf,
    frozen: bool = False,
    vector: bool = False,
    names_from: str = "",
    description: str = "",
) -> Any:
    """Declare a field of a model to be a parameter.

    Parameters
    ----------
    default : float, optional
        The default value, in ``unit``. Without one, the field must be given.
    unit : str
        The canonical unit; values with another unit are converted to it.
    min, max : float
        Bounds that a fit respects.
    frozen : bool
        Whether the parameter starts frozen.
    vector : bool
        Whether the field is a list of parameters (``norm_0``, ``norm_1``, ...).
    names_from : str
        For a vector, the static field that holds the names of its members.
    description : str
        One line for tables and documentation.
    """
    spec = ParameterSpec(default, unit, min, max, frozen, description, vector, names_from)
    options: dict[str, Any] = {"converter": spec.convert, "metadata": {"parameter": spec}}
    if default is not dataclasses.MISSING:
        options["default"] = default
    return eqx.field(**options)


def table(unit: str = "", **options: Any) -> Any:
    """Declare a field to be a table of fixed numbers: an array, but not a parameter."""
    spec = ParameterSpec(dataclasses.MISSING, unit, -np.inf, np.inf, True, "")

    def convert(value: Any) -> Any:
        if isinstance(value, jax.Array):
            return value
        return to_value(value, unit, where=spec.where)

    return eqx.field(converter=convert, metadata={"table": spec}, **options)


def name_specs(cls: type) -> None:
    """Tell each parameter declared in the body of ``cls`` its name and its owner."""
    for name, value in list(vars(cls).items()):
        if isinstance(value, dataclasses.Field):
            for spec in (value.metadata.get("parameter"), value.metadata.get("table")):
                if spec is not None:
                    spec.name, spec.owner = name, cls.__name__


@dataclass(frozen=True)
class Slot:
    """One scalar parameter of a model: its name, and where it stands among the leaves."""

    name: str
    spec: ParameterSpec
    leaf: int
    item: int


def slots(model: eqx.Module) -> list[Slot]:
    """The scalar parameters of a model, in the order of their declaration.

    Names are paths: ``index``, and ``model1.index`` for a part of a compound; the parts
    of a `~gammajax.models.SkyModel` are called ``spectral``, ``spatial`` and ``temporal``.
    """
    leaves, _ = jax.tree_util.tree_flatten_with_path(model)
    found: list[Slot] = []
    for number, (path, leaf) in enumerate(leaves):
        owner: Any = model
        names: list[str] = []
        spec = None
        for key in path:
            field = _field(owner, key)
            if field is None:
                break
            spec = field.metadata.get("parameter")
            names.append(field.metadata.get("prefix", field.name))
            container, owner = owner, getattr(owner, field.name)
        if spec is None:
            continue
        stem = ".".join([*names[:-1], ""]) if len(names) > 1 else ""
        if not spec.vector:
            found.append(Slot(stem + names[-1], spec, number, -1))
            continue
        size = np.shape(leaf)[-1]
        if spec.names_from:
            members = getattr(container, spec.names_from)
        else:
            members = [f"{names[-1].removesuffix('s')}_{i}" for i in range(size)]
        found += [Slot(stem + str(members[i]), spec, number, i) for i in range(size)]
    return found


def _field(owner: Any, key: Any) -> dataclasses.Field | None:
    if not dataclasses.is_dataclass(owner) or not hasattr(key, "name"):
        return None
    return _fields(type(owner)).get(key.name)


@lru_cache
def _fields(cls: type) -> dict[str, dataclasses.Field]:
    """The fields of a class by name: asked for at every parameter of every source."""
    return {field.name: field for field in dataclasses.fields(cls)}


def get_values(model: eqx.Module, found: list[Slot] | None = None) -> np.ndarray:
    """The parameter values of a model, one vector in the order of its `slots`."""
    leaves = jax.tree_util.tree_leaves(model)
    values = []
    for slot in slots(model) if found is None else found:
        leaf = leaves[slot.leaf]
        values.append(leaf if slot.item < 0 else leaf[slot.item])
    return np.array(values, dtype=np.float64)


def parameter_values(model: eqx.Module) -> Any:
    """`get_values` of a model whose values may be traced."""
    leaves = jax.tree_util.tree_leaves(model)
    found = [
        jnp.asarray(leaves[slot.leaf] if slot.item < 0 else leaves[slot.leaf][slot.item])
        for slot in slots(model)
    ]
    return jnp.stack(found) if found else jnp.zeros(0)


def with_values(model: eqx.Module, values: Any, found: list[Slot] | None = None) -> Any:
    """The model with its parameters replaced by ``values`` (last axis: order of `slots`).

    Works on traced values; leading axes of ``values`` become leading axes of the leaves.
    ``found`` are the slots, if they are known.
    """
    leaves, structure = jax.tree_util.tree_flatten(model)
    columns: dict[int, list[int]] = {}
    found = slots(model) if found is None else found
    for position, slot in enumerate(found):
        columns.setdefault(slot.leaf, []).append(position)
    for position, slot in enumerate(found):
        places = columns[slot.leaf]
        if slot.item < 0:
            leaves[slot.leaf] = values[..., position]
        elif slot.item == 0:
            leaves[slot.leaf] = values[..., places[0] : places[0] + len(places)]
    return jax.tree_util.tree_unflatten(structure, leaves)
