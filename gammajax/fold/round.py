r"""Folding of round sources: points, and shapes that a disk, a Gaussian or a shell have.

For a source at :math:`n_0` the expected counts per solid angle in reconstructed bin r are a
function of the distance alone,

.. math:: Q_r(\theta) = \sum_t D_{t r}(n_0) \, \epsilon_t(n_0) \, F_t \, (P_t * M)(\theta),

with dispersion D, exposure :math:`\epsilon`, flux F in true bin t, spread P and shape M. It is
made once for a source, as a spline, and integrated over each pixel at fixed nodes. Where the
source is extended, the exposure is that of where the photons arrive, to second order in the
distance :math:`\delta` from the centre. Its slope adds a part of order one, and its curvature
a round one,

.. math:: (\nabla \ln \epsilon \cdot \delta) \, Q^1_r(\theta) / \theta + Q^2_r(\theta),
          \qquad M^2(\delta) = \frac{\nabla^2 \epsilon}{4 \epsilon} \, \delta^2 M(\delta) .

What is left of the second order changes the shape, and not the counts. Around a source the
exposure is a parabola in each of two tangents.

The expected total is the sum of all that reaches the plane less what falls outside of the
mask; where little of the source is inside, it is summed over the inside.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.fold.local import Local, at_points, curves, weights
from gammajax.fold.picked import dots, offsets, picked
from gammajax.fold.radial import SpreadTransform
from gammajax.fold.rows import Counts, Fold
from gammajax.fold.totals import Gathered, far_totals
from gammajax.parameters import parameter_values, with_values

MOST_NODES = 2_000_000
"""Nodes that are taken side by side, to bound the memory."""


class Ring(eqx.Module):
    """Entries of the same number of nodes: pixels, or nodes of gathered sky.

    Attributes
    ----------
    index : array of int, shape (row, entry, node)
        Into the nodes of the fold.
    energy : array of int, shape (row, entry)
        Reconstructed bin.
    to_bins, to_total : array, shape (row, entry)
        What an entry counts as in its bin, and in the expected total.
    key : array of int, shape (row, entry), or None
        The pixel of an entry.
    exposure : array, shape (row, entry, band), or None
        That of the pixel, where it is taken after the spread.
    border : bool
        Whether the nodes are on the borders of pixels.
    """

    index: Any
    energy: Any
    to_bins: Any
    to_total: Any
    key: Any
    exposure: Any
    border: bool = eqx.field(static=True)


class RoundFold(Fold):
    """A stack of round sources, folded into the datasets of a term.

    Attributes
    ----------
    dataset, source, target
        See `~gammajax.fold.rows.Fold`.
    local : `~gammajax.fold.local.Local`
    transform : `SpreadTransform`, or None without a spread
    rotation : array, shape (3, 3)
        From the frame of the models to that of the pixels.
    energy_min, energy_max : array, shape (axis, energy_true)
        The different axes of true energy.
    axis : array of int, shape (row,)
    vectors : array, shape (n, 3)
        Unit vectors of the nodes of all rows.
    weights : array, shape (n,), in sr
    normals : array, shape (n, 3)
        Of the nodes on the borders of pixels, which have no weight.
    rings : tuple of `Ring`
    covered : array, shape (row, energy)
        1 where the whole disk around the source counts into the total.
    gathered : `~gammajax.fold.totals.Gathered`, or None
        The far sky in totals.
    disk : array, shape (node,)
        Integrals of the splines over the sky.
    bare : a spatial model, or None
        Of the kind of the sources, where there is no spread.
    first : array of int, shape (row, energy), or None
        The first true bin of the band that reaches each bin, where the exposure is taken
        after the spread: then each bin of the band has tables of its own.
    room : array
        How far a source may move from its start before the plan is too small, in rad.
    extent : array, shape (row,)
        How far a source may extend, in rad.
    band : int
        True bins in a band; 0 where the exposure is taken first.
    quadrature : int
        Nodes for spectra without a closed integral.
    extended : bool
    """

    dataset: Any
    source: Any
    target: Any
    local: Local
    transform: SpreadTransform | None
    rotation: Any
    energy_min: Any
    energy_max: Any
    axis: Any
    vectors: Any
    weights: Any
    normals: Any
    rings: tuple[Ring, ...]
    covered: Any
    gathered: Gathered | None
    disk: Any
    bare: Any
    first: Any
    room: Any
    extent: Any
    band: int = eqx.field(static=True)
    quadrature: int = eqx.field(static=True)
    extended: bool = eqx.field(static=True)

    @property
    def batch(self) -> int:
        """Rows that are folded side by side."""
        nodes = sum(ring.index[0].size for ring in self.rings)
        return int(np.clip(MOST_NODES // max(nodes, 1), 1, 64))

    def rows(self) -> Any:
        """What goes by row."""
        own = self.local.own()
        return own, self.axis, self.rings, self.covered, self.gathered, self.extent, self.first

    def prepare(self, component: Any, here: Any) -> tuple[Any, Any]:
        """Splines of distance, and the offset of the source from its start in rad.

        Without a spread, the tables are counts, and the place is the shape itself.
        """
        own, axis, *_, first = here
        local, spatial = self.local.at(own), component.spatial_model
        offset = local.frame[1:] @ (jnp.asarray(self.rotation) @ spatial.centre())
        flux = flux_in_bins(component, self, axis)
        place = offset / local.step
        if self.band:
            tables = jax.vmap(
                lambda b: self.profile(spatial, flux, in_band(local, first + b, True), place)
            )(jnp.arange(self.band))
        else:
            tables = self.profile(spatial, flux, local, place)
        if self.transform is None:
            return tables, parameter_values(spatial)
        return tables, offset

    def apply(self, tables: Any, place: Any, here: Any) -> Counts:
        """Predicted counts of a source in its entries, and its total."""
        own, _, rings, *far, _, _ = here
        if self.transform is None:
            spatial = with_values(self.bare, place)
            direction = jnp.asarray(self.rotation) @ spatial.centre()
        else:
            spatial = None
            along = jnp.sqrt(jnp.maximum(1 - jnp.sum(place**2), 0.0))
            direction = jnp.concatenate([along[None], place]) @ own["frame"]
        tangents = own["frame"][1:]
        if self.band:
            total = jnp.zeros(())
            found = self._exposed(spatial, tables, direction, tangents, rings)
        else:
            total = jnp.sum(self.far(spatial, tables, direction, tangents, *far))
            found = self.integrate(spatial, tables, direction, tangents, rings)
        bins = [jnp.zeros(0)]
        for ring, entries in zip(rings, found, strict=True):
            total = total + jnp.sum(entries * ring.to_total)
            bins.append(entries * ring.to_bins)
        return Counts(jnp.concatenate(bins), total)

    def outgrown(self, component: Any, here: Any) -> Any:
        """Whether a source has moved or grown beyond what was planned."""
        own, *_, extent, _ = here
        direction = jnp.asarray(self.rotation) @ component.spatial_model.centre()
        moved = jnp.sum((direction - own["frame"][0]) ** 2) > self.room**2
        if not self.extended:
            return moved
        return moved | (component.spatial_model.outer_radius() > extent)

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
        shape, slope, bend = with_derivatives(spatial.hankel, k)
        wide = -(bend + slope / k)
        sloped = (slopes @ local.exposure) * flux / local.step
        curved = curves(local.exposure.shape[0], place)[:2].sum(axis=0) @ local.exposure
        curved = curved * flux / (4 * local.step**2)
        parts = jnp.stack([counts, *(s[:, None] * edisp for s in (*sloped, curved))])
        spread = jax.vmap(lambda c: self._spread(c, psf))(parts) @ self.transform.to_hankel.T
        even = (spread[:1] * shape + spread[3:] * wide) @ self.transform.from_hankel.T
        odd = (spread[1:3] * -slope) @ self.transform.dipole.T
        return jnp.moveaxis(jnp.concatenate([even, odd]), 0, -1)

    def _spread(self, counts: Any, psf: Any) -> Any:
        """Density tables of counts by true and reconstructed bin, shape (energy, node)."""
        if self.local.spread_last:
            return counts.sum(axis=0)[:, None] * psf
        return counts.T @ psf

    def _exposed(
        self, spatial: Any, tables: Any, direction: Any, tangents: Any, rings: tuple[Ring, ...]
    ) -> list[Any]:
        """Counts in the entries, the exposure of their pixels after the spread."""
        spread = jax.vmap(lambda t: self.integrate(spatial, t, direction, tangents, rings))
        parts = zip(rings, spread(tables), strict=True)
        return [jnp.sum(ring.exposure.T * part, axis=0) for ring, part in parts]

    def far(
        self, spatial: Any, table: Any, direction: Any, tangents: Any, covered: Any, sky: Any
    ) -> Any:
        """What counts into the total of a source beside single pixels, shape (energy,)."""
        found = covered * (table[: covered.size, :, 0] @ jnp.asarray(self.disk))
        if sky is None:
            return found
        return found + far_totals(self, spatial, table, direction, tangents, sky)

    def integrate(
        self, spatial: Any, table: Any, direction: Any, tangents: Any, rings: tuple[Ring, ...]
    ) -> list[Any]:
        """Counts of a source in the entries of each ring.

        The nodes of all rings are taken at once.
        """
        if not rings:
            return []
        # nodes of an entry stand an entry's number apart: sums over them are sums of rows
        index = jnp.concatenate([ring.index.T.ravel() for ring in rings])
        line = jnp.concatenate([jnp.tile(r.energy, r.index.shape[1]) for r in rings])
        offset = offsets(jnp.asarray(self.vectors), index, direction)
        q: Any = sum(x * x for x in offset)
        if self.transform is None:
            theta = 2 * jnp.arcsin(jnp.sqrt(q + 1e-24) / 2)
            share = picked(self.weights, index)
            return _by_ring(table[line, 0, 0] * spatial.radial(theta) * share, rings)
        grid = self.transform.grid
        share, q = self._shares(index, q, direction, rings)
        lines = table.shape[0] // 2
        border = np.concatenate([np.full(r.index.size, lines * r.border) for r in rings])
        share, q, line = jax.lax.optimization_barrier((share, q, line + border))
        value = grid.read(table[..., 0], line, q)
        if self.extended:
            for part, tangent in enumerate(tangents):
                along = sum(x * t for x, t in zip(offset, tangent, strict=True))
                value = value + along * grid.read(table[..., part + 1], line, q)
        return _by_ring(value * share, rings)

    def _shares(
        self, index: Any, q: Any, direction: Any, rings: tuple[Ring, ...]
    ) -> tuple[Any, Any]:
        """What the functions are multiplied with at nodes, and the squares they are read at."""
        grid: Any = self.transform.grid if self.transform else None
        shares, squares, first = [], [], 0
        for ring in rings:
            some = slice(first, first + ring.index.size)
            first, own = some.stop, q[some]
            if ring.border:
                # beyond the grid, the flux is that of all that is inside
                flux = dots(jnp.asarray(self.normals), index[some], direction)
                end = jnp.where(own > grid.end, grid.end / jnp.maximum(own, grid.end), 1.0)
                shares.append(flux * end)
                squares.append(jnp.minimum(own, grid.end))
            else:
                shares.append(picked(self.weights, index[some]))
                squares.append(own)
        return jnp.concatenate(shares), jnp.concatenate(squares)


def in_band(local: Local, chosen: Any, bare: bool) -> Local:
    """Responses with one true bin for each reconstructed one; ``bare`` of exposure or not."""
    true = jnp.arange(local.edisp.shape[-2])[:, None]
    edisp = jnp.where(true == chosen, local.edisp, 0.0)
    exposure = jnp.ones_like(local.exposure) if bare else local.exposure
    return dataclasses.replace(local, exposure=exposure, edisp=edisp)


def with_derivatives(function: Any, k: Any) -> tuple[Any, Any, Any]:
    """A function of many places, and its first two derivatives there."""
    one = jnp.ones_like(k)

    def sloped(k: Any) -> tuple[Any, Any]:
        return jax.jvp(function, (k,), (one,))

    (value, slope), (_, bend) = jax.jvp(sloped, (k,), (one,))
    return value, slope, bend


def _by_ring(nodes: Any, rings: tuple[Ring, ...]) -> list[Any]:
    """Values of nodes summed over those of each entry, ring by ring."""
    # made once, and not anew inside of each sum
    nodes = jax.lax.optimization_barrier(nodes)
    first, found = 0, []
    for ring in rings:
        here = nodes[first : first + ring.index.size]
        found.append(jnp.sum(here.reshape(ring.index.shape[::-1]), axis=0))
        first += ring.index.size
    return found


def flux_in_bins(component: Any, fold: Any, axis: Any) -> Any:
    """Flux of a component in the true bins of an axis, shape (energy_true,)."""
    low, high = (jnp.asarray(edges)[axis] for edges in (fold.energy_min, fold.energy_max))
    return component.spectral_model.evaluate_integral(low, high, nodes=fold.quadrature)
