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
    energy : array of int, shape (row, block)
        Of each `~gammajax.fold.occupied.WIDTH` bins, which have one energy.
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
        blocks = bins.reshape(energy.size, -1) * tables[energy][:, None]
        return Counts(blocks.reshape(bins.shape), jnp.sum(totals * tables))

    def worth(self, tables: Any, weight: Any) -> Any:
        """As of `~gammajax.fold.staying.StayingFold`."""
        weight = jnp.asarray(weight)[jnp.asarray(self.dataset)]
        found = self._by_energy(jnp.asarray(self.bins)[:, 0] * weight[:, :-1])
        return found + jnp.asarray(self.totals) * weight[:, -1:]

    def products(self, slopes: Any, weight: Any) -> Any:
        """As of `~gammajax.fold.staying.StayingFold`."""
        weight = jnp.asarray(weight)[jnp.asarray(self.dataset)]
        squares = self._by_energy(jnp.asarray(self.bins)[:, 0] ** 2 * weight[:, :-1])
        total = jnp.einsum("rse,re->rs", slopes, jnp.asarray(self.totals))
        found = jnp.einsum("rs,r,rt->rst", total, weight[:, -1], total)
        return found + jnp.einsum("rse,re,rte->rst", slopes, squares, slopes)

    def _by_energy(self, bins: Any) -> Any:
        """Sums over the bins of each energy, shape (row, energy)."""
        energy = jnp.asarray(self.energy)
        blocks = bins.reshape(*energy.shape, -1).sum(axis=-1)
        own = energy[:, None] == jnp.arange(self.totals.shape[1])[:, None]
        return jnp.sum(jnp.where(own, blocks[:, None], 0.0), axis=-1)
