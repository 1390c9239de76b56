"""Sources of one kind, stacked into one batched model.

A list of a thousand models would be traced a thousand times. Here components with the same
structure become one pytree whose leaves have a leading axis, and the folding is written once
and mapped over it: the compiled program does not grow with the number of sources.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np

from gammajax.models import Models, SpectralModel
from gammajax.parameters import ParameterSpace, slots, with_values


class Stack(eqx.Module):
    """Components of the same structure.

    Attributes
    ----------
    sources : a component
        With leaves of shape (n_components, ...), and without names.
    places : array of int, shape (n_components, n_parameters)
        Where the parameters of each component stand in the vector of all values.
    moves : bool
        Whether a parameter of the spatial models is free.
    is_round : bool
        Whether the spatial models are points or shapes that are round, and stay so.
    slots : array of int, shape (n_slots,)
        The parameters of a component that move in any of the components.
    """

    sources: Any
    places: Any
    slots: Any
    moves: bool = eqx.field(static=True, default=False)
    is_round: bool = eqx.field(static=True, default=False)

    @property
    def spectra(self) -> SpectralModel:
        """The stacked spectral models."""
        return self.sources.spectral_model

    def at(self, values: Any) -> Any:
        """The stacked components at a vector of all parameter values."""
        return with_values(self.sources, values[self.places])

    def part(self, some: slice) -> Stack:
        """The stack of some of the components."""
        sources = jax.tree_util.tree_map(lambda leaf: leaf[some], self.sources)
        return eqx.tree_at(lambda s: (s.sources, s.places), self, (sources, self.places[some]))

    def map(self, values: Any, function: Callable[[SpectralModel], Any]) -> Any:
        """``function`` of each spectrum, stacked on the first axis."""
        return jax.vmap(function)(self.at(values).spectral_model)


def stack_components(
    models: Models, only: Collection[str] | None = None
) -> list[tuple[Stack, list[Any]]]:
    """The stacks of a set of models, each with the components in it.

    ``only`` are the names of the components to stack; the others keep their places among the
    parameters.
    """
    space = ParameterSpace.from_table(models.parameters)
    free = np.asarray(space.free)[np.asarray(space.source)]
    groups: dict[Any, list[tuple[Any, Any, np.ndarray]]] = {}
    first = 0
    for component in models:
        parameters = slots(component)
        places = np.arange(first, first + len(parameters))
        first += len(parameters)
        if only is not None and component.name not in only:
            continue
        names = [
            slot.name for slot, is_free in zip(parameters, free[places], strict=True) if is_free
        ]
        nameless = _nameless(component)
        leaves, structure = jax.tree_util.tree_flatten(nameless)
        shapes = tuple(np.shape(leaf) for leaf in leaves)
        key = (structure, shapes, _moves(names), _is_round(component, names))
        groups.setdefault(key, []).append((component, nameless, places))
    return [_stack(members, free, key[2], key[3]) for key, members in groups.items()]


def _nameless(component: Any) -> Any:
    """The component without what tells it from others of its structure."""
    names = {"name": "", "datasets_names": None}
    copy = object.__new__(type(component))
    for field in dataclasses.fields(component):
        value = names.get(field.name, getattr(component, field.name))
        object.__setattr__(copy, field.name, value)
    return copy


def _moves(free: Sequence[str]) -> bool:
    return any(name.startswith("spatial.") for name in free)


def _is_round(component: Any, free: Sequence[str]) -> bool:
    spatial = getattr(component, "spatial_model", None)
    if spatial is None or spatial.KIND not in ("point", "radial"):
        return False
    bent = [f"spatial.{name}" in free for name in spatial.eccentric_names]
    return not any(bent) and float(getattr(spatial, "e", 0.0)) == 0


def _stack(
    members: Sequence[tuple[Any, Any, np.ndarray]],
    free: np.ndarray,
    moves: bool,
    is_round: bool,
) -> tuple[Stack, list[Any]]:
    sources = jax.tree_util.tree_map(
        lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]),
        *(nameless for _, nameless, _ in members),
    )
    places = np.stack([places for _, _, places in members])
    slots = np.nonzero(free[places].any(axis=0))[0]
    found = Stack(sources, places, slots, moves, is_round)
    return found, [component for component, _, _ in members]
