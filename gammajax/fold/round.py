r"""Folding of round sources: points, and shapes that a disk, a Gaussian or a shell have.

For a source at :math:`n_0` the expected counts per solid angle in reconstructed bin r are a
function of the distance alone,

.. math:: Q_r(\theta) = \sum_t D_{t r}(n_0) \, \epsilon_t(n_0) \, F_t \, (P_t * M)(\theta),

with dispersion D, exposure :math:`\epsilon`, flux F in true bin t, spread P and shape M. It is
made once for a source, as a spline, and integrated over each pixel at fixed nodes. Where the
source is extended, the slope of the exposure adds a part of order one,

.. math:: (\nabla \ln \epsilon \cdot \delta) \, Q^1_r(\theta) / \theta,

so that the exposure holds where the photons arrive, to second order in the size.

The expected total is the sum of all that reaches the plane less what falls outside of the
mask; where little of the source is inside, it is summed over the inside.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from gammajax.fold.local import Local, at_points, weights
from gammajax.fold.radial import SpreadTransform
from gammajax.fold.stack import Stack

BATCH = 64
"""Sources that are folded at once, to bound the memory."""


class Nodes(eqx.Module):
    """Where sources are integrated: nodes, and the entries that they are summed into.

    Attributes
    ----------
    vectors : array, shape (n, 3)
        All nodes of all sources and datasets; the last one has no weight.
    weights : array, shape (n,), in sr
    normals : array, shape (n, 3), or None
        Of a node on the border of a pixel; its weight is 0.
    index : array of int, shape (dataset, source, node)
    entry : array of int, shape (dataset, source, node)
        The entry of each node, in order.
    energy, target : array of int, shape (dataset, source, entry)
        Reconstructed bin, and the place that the entry is added to; the last place is that
        of the total.
    factor : array, shape (dataset, source, entry)
    """

    vectors: Any
    weights: Any
    normals: Any
    index: Any
    entry: Any
    energy: Any
    target: Any
    factor: Any


class Row(NamedTuple):
    """What goes by dataset and source."""

    node: Any
    entry: Any
    energy: Any
    target: Any
    factor: Any
    covered: Any
    disk: Any
    weight: Any


class RoundFold(eqx.Module):
    """A stack of round sources, folded into the datasets of a term.

    Attributes
    ----------
    local : `~gammajax.fold.local.Local`
    transform : `SpreadTransform`, or None without a spread
    rotation : array, shape (3, 3)
        From the frame of the models to that of the pixels.
    energy_min, energy_max : array, shape (axis, energy_true)
        The different axes of true energy.
    axis : array of int, shape (dataset,)
    nodes : `Nodes`
    covered : array, shape (dataset, source, energy)
        1 where the whole disk around the source counts into the total.
    disk : array, shape (dataset, source, node)
        Integrals of the splines over that disk.
    weight : array, shape (dataset, source)
        1 where the source folds into the dataset.
    room : array
        How far a source may move from its start before the plan is too small, in rad.
    extent : array, shape (source,)
        How far a source may extend, in rad.
    size : int
        Number of bins of each dataset.
    quadrature : int
        Nodes for spectra without a closed integral.
    extended : bool
    """

    local: Local
    transform: SpreadTransform | None
    rotation: Any
    energy_min: Any
    energy_max: Any
    axis: Any
    nodes: Nodes
    covered: Any
    disk: Any
    weight: Any
    room: Any
    extent: Any
    size: int = eqx.field(static=True)
    quadrature: int = eqx.field(static=True)
    extended: bool = eqx.field(static=True)

    def __call__(self, stack: Stack, values: Any) -> Any:
        """Predicted counts in the bins, and the total as the last: (dataset, bin + 1)."""
        sources = stack.at(values)
        flux = fluxes(sources, self)

        def dataset(local: Any, axis: Any, row: Row) -> Any:
            entries, totals = self.sources(sources.spatial_model, flux[:, axis], local, row)
            bins = jnp.zeros(self.size + 1).at[row.target.ravel()].add(entries.ravel())
            return bins.at[-1].add(jnp.sum(totals))

        in_axes = (self.local.by_dataset(), 0, 0)
        return jax.vmap(dataset, in_axes=in_axes)(self.local, self.axis, self.rows())

    def outgrown(self, stack: Stack, values: Any) -> Any:
        """Which sources have moved or grown beyond what was planned, shape (source,)."""

        def one(source: Any, start: Any, extent: Any) -> Any:
            direction = jnp.asarray(self.rotation) @ source.spatial_model.centre()
            moved = jnp.sum((direction - start) ** 2) > self.room**2
            return moved | (self.extended & (source.spatial_model.outer_radius() > extent))

        return jax.vmap(one)(stack.at(values), self.local.frame[:, 0], self.extent)

    def rows(self) -> Row:
        """The arrays that go by dataset and source."""
        n = self.nodes
        arrays = n.index, n.entry, n.energy, n.target, n.factor
        made: Any = [jnp.asarray(array) for array in arrays]
        made += [self.covered, self.disk, self.weight]
        return Row(*made)

    def sources(self, spatial: Any, flux: Any, local: Local, row: Row) -> tuple[Any, Any]:
        """Entries (source, entry) and totals (source,) of all sources in one dataset."""
        tables = {"edisp": local.edisp, "psf": local.psf}
        common = {
            name: None if table is None else table[0]
            for name, table in tables.items()
            if table is None or table.shape[0] == 1
        }
        own = {name: table for name, table in tables.items() if name not in common}
        own |= {"exposure": local.exposure, "frame": local.frame, "step": local.step}

        def one(item: Any) -> Any:
            spatial, flux, own, row = item
            here: Any = Local(**own, **common, spread_last=local.spread_last)
            return self.source(spatial, flux, here, row)

        items = (spatial, flux, own, row)
        if flux.shape[0] <= BATCH:
            return jax.vmap(lambda *parts: one(parts))(*items)
        return jax.lax.map(one, items, batch_size=BATCH)

    def source(self, spatial: Any, flux: Any, local: Local, row: Row) -> tuple[Any, Any]:
        """Entries (entry,) and the total of one source in one dataset."""
        direction = jnp.asarray(self.rotation) @ spatial.centre()
        place = (local.frame[1:] @ direction) / local.step
        table = self.profile(spatial, flux * row.weight, local, place)
        entries = self.integrate(spatial, table, direction, local.frame[1:], row)
        number = row.covered.size
        total = row.covered @ (table[:number, :, 0] @ row.disk)
        return entries, total

    def profile(self, spatial: Any, flux: Any, local: Local, place: Any) -> Any:
        """Splines of distance by reconstructed bin, shape (row, node, part).

        The parts of an extended source are the even one and two slopes. The rows of a point
        are those of the density, and then those of its flux through borders.
        """
        share, slopes = weights(local.exposure.shape[0], place)
        exposure = jnp.maximum(at_points(local.exposure, share), 0.0) * flux
        edisp = at_points(local.edisp, weights(local.edisp.shape[0], place)[0])
        counts = exposure[:, None] * edisp
        if self.transform is None:
            return counts.sum(axis=0)[:, None, None]
        psf = at_points(local.psf, weights(local.psf.shape[0], place)[0])
        grid = self.transform.grid
        if not self.extended:
            spline = self._spread(counts, psf) @ grid.prefilter.T
            return jnp.concatenate([spline, spline @ grid.to_flux.T])[..., None]
        k = jnp.asarray(self.transform.wavenumber)
        shape, slope = jax.jvp(spatial.hankel, (k,), (jnp.ones_like(k),))
        sloped = (slopes @ local.exposure) * flux / local.step
        parts = jnp.stack([counts, *(s[:, None] * edisp for s in sloped)])
        spread = jax.vmap(lambda c: self._spread(c, psf))(parts) @ self.transform.to_hankel.T
        even = (spread[:1] * shape) @ self.transform.from_hankel.T
        odd = (spread[1:] * -slope) @ self.transform.dipole.T
        return jnp.moveaxis(jnp.concatenate([even, odd]), 0, -1)

    def _spread(self, counts: Any, psf: Any) -> Any:
        """Density tables of counts by true and reconstructed bin, shape (energy, node)."""
        if self.local.spread_last:
            return counts.sum(axis=0)[:, None] * psf
        return counts.T @ psf

    def integrate(
        self, spatial: Any, table: Any, direction: Any, tangents: Any, row: Row
    ) -> Any:
        """Counts of a source in its entries."""
        vectors = jnp.asarray(self.nodes.vectors)[row.node]
        share = jnp.asarray(self.nodes.weights)[row.node]
        offset = vectors - direction
        q = jnp.sum(offset * offset, axis=-1)
        line = row.energy[row.entry]
        if self.nodes.normals is not None:
            border = share == 0
            normal = jnp.asarray(self.nodes.normals)[row.node] @ direction
            line = line + jnp.where(border, table.shape[0] // 2, 0)
            # beyond the grid, the flux is that of all that is inside
            end = self.transform.grid.end if self.transform is not None else 1.0
            share = share + normal * jnp.where(q > end, end / jnp.maximum(q, end), 1.0)
            q = jnp.where(border, jnp.minimum(q, end), q)
        if self.transform is None:
            theta = 2 * jnp.arcsin(jnp.sqrt(q + 1e-24) / 2)
            value = table[line, 0, 0] * spatial.radial(theta)
        else:
            start, parts = self.transform.grid.cell(q)
            flat = table.reshape(-1, table.shape[-1])
            first = line * table.shape[1] + start
            found: Any = sum(parts[j][:, None] * flat[first + j] for j in range(4))
            value = found[:, 0]
            if self.extended:
                value = value + jnp.sum(found[:, 1:] * (offset @ tangents.T), axis=-1)
        summed = jax.ops.segment_sum(
            value * share, row.entry, row.energy.size, indices_are_sorted=True
        )
        return row.factor * summed


def fluxes(sources: Any, fold: Any) -> Any:
    """Flux in each true bin, shape (source, axis, energy_true)."""
    return jax.vmap(
        lambda source: source.spectral_model.evaluate_integral(
            fold.energy_min, fold.energy_max, nodes=fold.quadrature
        )
    )(sources)
