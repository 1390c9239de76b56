"""Sources of one kind, stacked into one batched model.

A list of a thousand models would be traced a thousand times. Here components with the same
structure become one pytree whose leaves have a leading axis, and the folding is written once
and mapped over it: the compiled program does not grow with the number of sources.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np

from gammajax.models import Models, SkyModel, SpectralModel
from gammajax.parameters import slots, with_values


class Stack(eqx.Module):
    """Components of the same structure.

    Attributes
    ----------
    spectra : `~gammajax.models.SpectralModel`
        With leaves of shape (n_components, ...).
    places : array of int, shape (n_components, n_parameters)
        Where the parameters of each component stand in the vector of all values.
    """

    spectra: SpectralModel
    places: Any

    def at(self, values: Any) -> SpectralModel:
        """The stacked spectra at a vector of all parameter values."""
        return with_values(self.spectra, values[self.places])

    def map(self, values: Any, function: Callable[[SpectralModel], Any]) -> Any:
        """``function`` of each spectrum, stacked on the first axis."""
        return jax.vmap(function)(self.at(values))


def stack_components(models: Models) -> list[tuple[Stack, list[SkyModel]]]:
    """The stacks of a set of models, each with the components in it."""
    groups: dict[Any, list[tuple[SkyModel, np.ndarray]]] = {}
    first = 0
    for component in models:
        size = len(slots(component))
        places = np.arange(first, first + size)
        first += size
        leaves, structure = jax.tree_util.tree_flatten(component.spectral_model)
        shapes = tuple(np.shape(leaf) for leaf in leaves)
        key = (structure, shapes, component.apply_irf)
        groups.setdefault(key, []).append((component, places))
    return [_stack(members) for members in groups.values()]


def _stack(members: Sequence[tuple[SkyModel, np.ndarray]]) -> tuple[Stack, list[SkyModel]]:
    components = [component for component, _ in members]
    spectra = jax.tree_util.tree_map(
        lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]),
        *(component.spectral_model for component in components),
    )
    return Stack(spectra, np.stack([places for _, places in members])), components
