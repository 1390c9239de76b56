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

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from gammajax.fold.local import Local, at_points, weights
from gammajax.fold.radial import SpreadTransform
from gammajax.fold.rows import Counts, Fold


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
    border : bool
        Whether the nodes are on the borders of pixels.
    """

    index: Any
    energy: Any
    to_bins: Any
    to_total: Any
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
    disk : array, shape (node,)
        Integrals of the splines over the sky.
    room : array
        How far a source may move from its start before the plan is too small, in rad.
    extent : array, shape (row,)
        How far a source may extend, in rad.
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
    disk: Any
    room: Any
    extent: Any
    quadrature: int = eqx.field(static=True)
    extended: bool = eqx.field(static=True)

    def rows(self) -> Any:
        """What goes by row."""
        own = self.local.own()
        return own, self.axis, self.rings, self.covered, self.extent

    def row(self, component: Any, here: Any) -> Counts:
        """Predicted counts of a source in its entries, and its total."""
        own, axis, rings, covered, _ = here
        local, spatial = self.local.at(own), component.spatial_model
        direction, place = self.place(spatial, local)
        flux = flux_in_bins(component, self, axis)
        table = self.profile(spatial, flux, local, place)
        total = covered @ (table[: covered.size, :, 0] @ jnp.asarray(self.disk))
        bins = []
        for ring in rings:
            entries = self.integrate(spatial, table, direction, local.frame[1:], ring)
            total = total + jnp.sum(entries * ring.to_total)
            bins.append(entries * ring.to_bins)
        return Counts(jnp.concatenate(bins), total)

    def outgrown(self, component: Any, here: Any) -> Any:
        """Whether a source has moved or grown beyond what was planned."""
        own, *_, extent = here
        direction, _ = self.place(component.spatial_model, self.local.at(own))
        moved = jnp.sum((direction - own["frame"][0]) ** 2) > self.room**2
        if not self.extended:
            return moved
        return moved | (component.spatial_model.outer_radius() > extent)

    def place(self, spatial: Any, local: Local) -> tuple[Any, Any]:
        """The direction of a source, and its offset from the start in steps."""
        direction = jnp.asarray(self.rotation) @ spatial.centre()
        return direction, (local.frame[1:] @ direction) / local.step

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
        self, spatial: Any, table: Any, direction: Any, tangents: Any, ring: Any
    ) -> Any:
        """Counts of a source in the entries of a ring."""
        offset = jnp.asarray(self.vectors)[ring.index] - direction
        q = jnp.sum(offset * offset, axis=-1)
        line = ring.energy[:, None]
        if ring.border and self.transform is not None:
            line = line + table.shape[0] // 2
            # beyond the grid, the flux is that of all that is inside
            end = self.transform.grid.end
            normal = jnp.asarray(self.normals)[ring.index] @ direction
            share = normal * jnp.where(q > end, end / jnp.maximum(q, end), 1.0)
            q = jnp.minimum(q, end)
        else:
            share = jnp.asarray(self.weights)[ring.index]
        if self.transform is None:
            theta = 2 * jnp.arcsin(jnp.sqrt(q + 1e-24) / 2)
            return jnp.sum(table[line, 0, 0] * spatial.radial(theta) * share, axis=-1)
        start, parts = self.transform.grid.cell(q)
        flat = table.reshape(-1, table.shape[-1])
        first = line * table.shape[1] + start
        found: Any = sum(parts[j][..., None] * flat[first + j] for j in range(4))
        value = found[..., 0]
        if self.extended:
            value = value + jnp.sum(found[..., 1:] * (offset @ tangents.T), axis=-1)
        return jnp.sum(value * share, axis=-1)


def flux_in_bins(component: Any, fold: Any, axis: Any) -> Any:
    """Flux of a component in the true bins of an axis, shape (energy_true,)."""
    low, high = (jnp.asarray(edges)[axis] for edges in (fold.energy_min, fold.energy_max))
    return component.spectral_model.evaluate_integral(low, high, nodes=fold.quadrature)
