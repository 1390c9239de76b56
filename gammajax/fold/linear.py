"""Folding of shapes that do not move: counts are linear in the flux of each true bin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.fold.round import fluxes
from gammajax.fold.stack import Stack

NARROW = 1e-9
"""Entries of the energy dispersion below this part of the largest are left out of bands."""


class LinearFold(eqx.Module):
    """Responses of frozen shapes, made once.

    Attributes
    ----------
    energy_min, energy_max : array, shape (axis, energy_true)
    axis : array of int, shape (dataset,)
    response : array, shape (dataset, source, entry, band)
        Counts of a bin for a unit flux in each of a band of true bins.
    first : array of int, shape (dataset, source, entry)
        The first true bin of the band.
    target : array of int, shape (dataset, source, entry)
    total : array, shape (dataset, source, energy_true)
        Counts in the mask for a unit flux in each true bin.
    size : int
        Number of bins of each dataset.
    quadrature : int
        Nodes for spectra without a closed integral.
    """

    energy_min: Any
    energy_max: Any
    axis: Any
    response: Any
    first: Any
    target: Any
    total: Any
    size: int = eqx.field(static=True)
    quadrature: int = eqx.field(static=True)

    def __call__(self, stack: Stack, values: Any) -> Any:
        """Predicted counts in the bins, and the total as the last: (dataset, bin + 1)."""
        flux = fluxes(stack.at(values), self)
        band = jnp.arange(self.response.shape[-1])

        def dataset(axis: Any, response: Any, first: Any, target: Any, total: Any) -> Any:
            sent = flux[:, axis]
            share = jax.vmap(lambda f, start: f[start[:, None] + band])(sent, first)
            parts = jnp.sum(jnp.asarray(response) * share, axis=-1)
            bins = jnp.zeros(self.size + 1).at[target.ravel()].add(parts.ravel())
            # what is padded has no response, and may go anywhere
            return bins.at[-1].add(jnp.sum(total * sent))

        return jax.vmap(dataset)(self.axis, self.response, self.first, self.target, self.total)


def bands(matrices: Sequence[np.ndarray]) -> tuple[np.ndarray, int]:
    """The first true bin that reaches each reconstructed one, and the widest band.

    Parameters
    ----------
    matrices : sequence of array, shape (energy_true, energy)

    Returns
    -------
    first : array of int, shape (matrix, energy)
    width : int
        No band of this width from ``first`` on ends beyond the last true bin.
    """
    number = len(matrices[0])
    reached = np.stack([matrix > NARROW * max(matrix.max(), 1e-300) for matrix in matrices])
    some = reached.any(axis=1)
    low = np.where(some, reached.argmax(axis=1), 0)
    high = np.where(some, number - 1 - reached[:, ::-1].argmax(axis=1), 0)
    width = int((high - low).max()) + 1
    return np.minimum(low, number - width), width
