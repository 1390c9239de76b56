"""Folding of shapes that do not move: counts are linear in the flux of each true bin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from gammajax.fold.round import flux_in_bins
from gammajax.fold.round_plan import rounded
from gammajax.fold.rows import NOWHERE, Counts, Fold

CACHED = 2**18
"""Numbers that a batch of rows may have."""


class LinearFold(Fold):
    """Responses of frozen shapes, made once.

    Attributes
    ----------
    dataset, source, target
        See `~gammajax.fold.rows.Fold`; targets are blocks of bins of one energy.
    energy_min, energy_max : array, shape (axis, energy_true)
    axis : array of int, shape (row,)
    response : array, shape (row, block, width, band)
        Counts of a bin for a unit flux in each of a band of true bins.
    first : array of int, shape (row, block)
        The first true bin of the band.
    total : array, shape (row, energy_true)
        Counts in the mask for a unit flux in each true bin.
    quadrature : int
        Nodes for spectra without a closed integral.
    """

    dataset: Any
    source: Any
    target: Any
    energy_min: Any
    energy_max: Any
    axis: Any
    response: Any
    first: Any
    total: Any
    quadrature: int = eqx.field(static=True)

    @property
    def width(self) -> int:
        """Bins of a block."""
        return self.response.shape[2]

    @property
    def batch(self) -> int:
        """Rows that are folded side by side: what stays in the cache."""
        return max(CACHED // int(np.prod(self.response.shape[1:3])), 1)

    @property
    def stays(self) -> bool:
        """Whether `apply` is a product with numbers that are kept."""
        return True

    def rows(self) -> Any:
        """What goes by row."""
        return self.axis, self.response, self.first, self.total

    def prepare(self, component: Any, here: Any) -> tuple[Any, Any]:
        """The flux in each true bin."""
        return flux_in_bins(component, self, here[0]), jnp.zeros(0)

    def apply(self, tables: Any, place: Any, here: Any) -> Counts:
        """Predicted counts for fluxes."""
        _, response, first, total = here
        share = tables[first[:, None] + jnp.arange(response.shape[-1])]
        return Counts(jnp.sum(response * share[:, None, :], axis=-1), total @ tables)


def in_blocks(
    places: Sequence[np.ndarray], values: Sequence[np.ndarray], width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Entries of rows gathered into the blocks of bins that they belong to.

    Parameters
    ----------
    places : sequence of array of int, shape (entry,)
        The bins of each row.
    values : sequence of array, shape (entry, band)
    width : int

    Returns
    -------
    target : array of int, shape (row, block)
    values : array, shape (row, block, width, band)
    """
    blocks = [np.unique(place // width) for place in places]
    most = rounded(max(max(block.size for block in blocks), 1))
    target = np.full((len(places), most), NOWHERE, dtype=np.int32)
    found = np.zeros((len(places), most, width, values[0].shape[-1]))
    for row, (place, block, value) in enumerate(zip(places, blocks, values, strict=True)):
        target[row, : block.size] = block
        found[row, np.searchsorted(block, place // width), place % width] = value
    return target, found
