"""Folding of backgrounds: templates of counts, times a factor of reconstructed energy."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from gammajax.fold.rows import Counts
from gammajax.fold.staying import StayingFold


class BackgroundFold(StayingFold):
    """Templates of counts, scaled by a factor that depends on reconstructed energy.

    Attributes
    ----------
    dataset, source, target
        See `~gammajax.fold.rows.Fold`; all bins of a dataset are one block.
    centers : array, shape (row, energy), in TeV
        Where the factor is taken.
    bins : array, shape (row, 1, bin)
        Counts of the template in the occupied bins.
    energy : array of int, shape (row, bin)
    totals : array, shape (row, energy)
        Its sum over the mask.
    """

    dataset: Any
    source: Any
    target: Any
    centers: Any
    bins: Any
    energy: Any
    totals: Any

    @property
    def width(self) -> int:
        """Bins of a block."""
        return self.bins.shape[2]

    def rows(self) -> Any:
        """What goes by row."""
        return self.centers, self.bins, self.energy, self.totals

    def prepare(self, component: Any, here: Any) -> tuple[Any, Any]:
        """The factor in each reconstructed bin."""
        return component.spectral_model.evaluate(here[0]), jnp.zeros(0)

    def apply(self, tables: Any, reading: Any, here: Any) -> Counts:
        """Predicted counts of a template times factors."""
        _, bins, energy, totals = here
        return Counts(bins * tables[energy], jnp.sum(totals * tables))
