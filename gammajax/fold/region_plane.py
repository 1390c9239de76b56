r"""The part of a shape that is not round in the region of a spectrum.

In the plane around the region it is a sum over the waves of a grid,

.. math:: f_t = \int_\mathrm{region} (P_t * M) \, d\Omega
             = \sum_k \hat M(k) \, \hat P_t(k) \, \hat R^*(k)

with the spread P, the shape M and the region R. The spectra of ellipses are closed forms, so
that it is smooth in every parameter; what they are multiplied with is made once. Of templates
it is the sum of their densities on the grid times the region as seen through the spread.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.fold.fourier_shapes import RadialTable, reach
from gammajax.fold.plane import axes_in_plane


class Parts(eqx.Module):
    """Parts of true bins in which a shape is taken, and how they add up.

    Attributes
    ----------
    low, high : array, shape (dataset, energy_true, part), in TeV
    nodes : int
        Quadrature nodes for spectra without a closed integral.
    """

    low: Any
    high: Any
    nodes: int = eqx.field(static=True)

    @property
    def single(self) -> bool:
        """Whether shapes do not depend on energy."""
        return self.low.shape[-1] == 1

    def mean(self, values: Any, sources: Any) -> Any:
        """Means of (dataset, component, energy_true, part) over parts, by flux."""
        if self.single:
            return values[..., 0]

        def of_source(source: Any) -> Any:
            law = source.spectral_model
            return law.evaluate_integral(self.low, self.high, nodes=self.nodes)

        flux = jnp.moveaxis(jax.vmap(of_source)(sources), 0, 1)
        total = jnp.sum(flux, axis=-1)
        none = total == 0
        found = jnp.sum(values * flux, axis=-1) / jnp.where(none, 1.0, total)
        return jnp.where(none, jnp.mean(values, axis=-1), found)


class KnownFractions(eqx.Module):
    """Fractions of shapes that do not move.

    Attributes
    ----------
    values : array, shape (dataset, component, energy_true, part)
    parts : `Parts`
    """

    values: Any
    parts: Parts

    def at(self, sources: Any) -> Any:
        """The fractions of sources, shape (dataset, component, energy_true)."""
        return self.parts.mean(jnp.asarray(self.values), sources)


class Grids(eqx.Module):
    """What goes by dataset: how waves or places of the grids count.

    All but ``frame`` and ``known`` have a further axis of levels, the first one after that of
    datasets.

    Attributes
    ----------
    frame : array, shape (3, 3)
        Of the plane, in the frame of the models.
    known : array of bool
        False where the exposure counts what falls in the region: the fraction is 1.
    step : array
        Of a level, in rad.
    bins : array of int, shape (bin,)
        True bins; the number of all of them where padded.
    weights : array, shape (bin, wave or place)
    vectors : array, shape (place, point, 3), or None
        Where templates are read.
    """

    frame: Any
    known: Any
    step: Any
    bins: Any
    weights: Any
    vectors: Any


class PlaneFractions(eqx.Module):
    """How much of the sources of a stack falls in the regions of the datasets of a term.

    Attributes
    ----------
    grids : `Grids`
        With a first axis of datasets.
    waves : array, shape (2, wave)
        Wavenumbers times the step.
    start : array, shape (component, 3)
        Where the sources were.
    seen : array of bool, shape (dataset, component)
        False for sources that are too far away.
    extent : array, shape (component,)
        How far a source may extend, in rad.
    room : array
        How far a source may move from its start, in rad.
    parts : `Parts`
    table : `~gammajax.fold.fourier_shapes.RadialTable` or None
        For shapes whose transform is costly.
    """

    grids: Grids
    waves: Any
    start: Any
    seen: Any
    extent: Any
    room: Any
    parts: Parts
    table: RadialTable | None

    def at(self, sources: Any) -> Any:
        """The fractions of sources, shape (dataset, component, energy_true)."""
        return self.parts.mean(self.in_parts(sources), sources)

    def in_parts(self, sources: Any) -> Any:
        """By parts of true bins, shape (dataset, component, energy_true, part)."""

        def of_dataset(grids: Grids, low: Any, high: Any, seen: Any) -> Any:
            def one(source: Any) -> Any:
                return self._fractions(source.spatial_model, grids, jnp.sqrt(low * high))

            inside = jnp.where(seen[:, None, None], jax.vmap(one)(sources), 0.0)
            return jnp.where(grids.known, inside, 1.0)

        items = self.grids, self.parts.low, self.parts.high, self.seen
        return jax.vmap(of_dataset)(*jax.tree_util.tree_map(jnp.asarray, items))

    def _fractions(self, spatial: Any, grids: Grids, energies: Any) -> Any:
        """Of one source in one dataset, shape (energy_true, part)."""
        found = jnp.zeros((energies.shape[0] + 1, energies.shape[1]))
        for level in range(grids.step.shape[0]):
            step, bins, weights = (x[level] for x in (grids.step, grids.bins, grids.weights))
            vectors = None if grids.vectors is None else grids.vectors[level]
            where = grids.frame, step, vectors
            if self.parts.single:
                own = (weights @ self._shape(spatial, None, where))[:, None]
            else:
                own = self._by_energy(spatial, energies[bins], weights, where)
            found = found.at[bins].add(own)
        return found[:-1]

    def _by_energy(self, spatial: Any, energies: Any, weights: Any, where: Any) -> Any:
        def one(item: Any) -> Any:
            energies, weights = item
            return jax.lax.map(lambda e: weights @ self._shape(spatial, e, where), energies)

        return jax.lax.map(one, (energies, weights))

    def _shape(self, spatial: Any, energy: Any, where: Any) -> Any:
        """Spectrum of a shape, both parts one after the other; or densities at places."""
        frame, step, vectors = where
        if vectors is not None:
            return jnp.mean(spatial.evaluate_on(vectors, energy), axis=-1)
        shape = spatial if energy is None else spatial.at_energy(energy)
        centre, major, minor = axes_in_plane(shape, np.eye(3), frame)
        ratio, _ = shape.stretch()
        kx, ky = jnp.asarray(self.waves) / step
        along, across = (kx * axis[0] + ky * axis[1] for axis in (major, ratio * minor))
        square = along**2 + across**2
        none = square == 0
        k = jnp.where(none, 0.0, jnp.sqrt(jnp.where(none, 1.0, square)))
        round_shape = getattr(shape, "model", shape)
        if self.table is None:
            size = round_shape.hankel(k)
        else:
            size = self.table.transform(round_shape.hankel, k)[0]
        turned = kx * centre[0] + ky * centre[1]
        return jnp.concatenate([size * jnp.cos(turned), size * jnp.sin(turned)])

    def outgrown(self, sources: Any) -> Any:
        """Whether each component has moved or grown beyond what was planned."""
        low, high = (jnp.asarray(x)[0] for x in (self.parts.low, self.parts.high))

        def one(source: Any, start: Any, extent: Any) -> Any:
            spatial = source.spatial_model
            if not spatial.has_centre or self.grids.vectors is not None:
                return jnp.zeros((), dtype=bool)
            moved = jnp.sum((spatial.centre() - start) ** 2) > self.room**2
            return moved | (reach(spatial, low, high) > extent)

        return jax.vmap(one)(sources, jnp.asarray(self.start), jnp.asarray(self.extent))
