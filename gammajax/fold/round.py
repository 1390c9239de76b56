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

from gammajax.config import on_accelerator, room_on_device
from gammajax.fold.local import OFFSETS, Local, at_points, curves, weights
from gammajax.fold.radial import SpreadTransform
from gammajax.fold.reading import Nodes, far_nodes, read_at, read_rings, ring_nodes
from gammajax.fold.rows import Counts, Fold, Reading
from gammajax.fold.totals import Gathered, read_far
from gammajax.parameters import parameter_values, with_values

MOST_NODES, NODE_BYTES = 120_000, 600
"""Nodes that are taken side by side on a processor, and the memory that each takes where second
derivatives are made (a third of it for points): that bounds their number elsewhere."""

MOST_ROWS, MANY_ROWS = 64, 8192
"""Rows that are taken side by side on a processor, and elsewhere."""


class Ring(eqx.Module):
    """Entries of the same number of nodes: pixels, or nodes of gathered sky.

    Attributes
    ----------
    index : array of int, shape (row, entry, node)
        Into the nodes of the fold.
    energy : array of int, shape (row, entry)
        Reconstructed bin.
    to_total : array, shape (row, entry)
        What an entry counts as in the expected total.
    key : array of int, shape (row, entry), or None
        The pixel of an entry.
    exposure : array, shape (row, entry, band), or None
        That of the pixel, where it is taken after the spread.
    spline : int
        What the nodes read: `~gammajax.fold.radial.DENSITY`, ``FLUX`` on the borders of
        pixels, or ``MEAN``.
    """

    index: Any
    energy: Any
    to_total: Any
    key: Any
    exposure: Any
    spline: int = eqx.field(static=True)


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
    areas : array, shape (n,), in sr
        What each node counts as.
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
    areas: Any
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
        nodes = max(sum(ring.index[0].size for ring in self.rings), 1)
        if on_accelerator():
            return int(np.clip(room_on_device() // (NODE_BYTES * nodes), 1, MANY_ROWS))
        return int(np.clip(MOST_NODES // nodes, 1, MOST_ROWS))

    def rows(self) -> Any:
        """What goes by row."""
        own = self.local.own()
        return own, self.axis, self.rings, self.covered, self.gathered, self.extent, self.first

    def prepare(self, component: Any, here: Any) -> tuple[Any, Any]:
        """What splines of distance are made of, and the offset of the source in rad.

        Without a spread, the tables are counts, and the place is the shape itself.
        """
        own, axis, *_, first = here
        local, spatial = self.local.at(own), component.spatial_model
        offset = self.offset(spatial, here)
        place = offset / local.step
        flux = flux_in_bins(component, self, axis)
        if self.band:
            tables = jax.vmap(
                lambda b: self.profile(spatial, flux, in_band(local, first + b, True), place)
            )(jnp.arange(self.band))
        else:
            tables = self.profile(spatial, flux, local, place)
        return tables, self.place(spatial, offset)

    def offset(self, spatial: Any, here: Any) -> Any:
        """How far a source is from its start, along two tangents, in rad."""
        return here[0]["frame"][1:] @ (jnp.asarray(self.rotation) @ spatial.centre())

    def place(self, spatial: Any, offset: Any) -> Any:
        """The place of a shape: its offset, or without a spread the shape itself."""
        return parameter_values(spatial) if self.transform is None else offset

    def reading(self, place: Any, here: Any) -> Reading:
        """The coefficients that nodes read, and what they count them as.

        Of both there are those of rings, and those of gathered sky; a last weight is 1.
        """
        spatial, direction = self._seen(place, here)
        tangents = here[0]["frame"][1:]
        (near, near_weights), (far, far_weights) = (
            (None, None) if some is None else read_at(self, spatial, some, tangents)
            for some in self._nodes(direction, here)
        )
        return Reading((near, far), (near_weights, far_weights, jnp.ones(())))

    def _seen(self, place: Any, here: Any) -> tuple[Any, Any]:
        """The shape, where there is no spread, and the direction of the source."""
        if self.transform is None:
            spatial = with_values(self.bare, place)
            return spatial, jnp.asarray(self.rotation) @ spatial.centre()
        along = jnp.sqrt(jnp.maximum(1 - jnp.sum(place**2), 0.0))
        return None, jnp.concatenate([along[None], place]) @ here[0]["frame"]

    def _nodes(self, direction: Any, here: Any) -> tuple[Nodes | None, Nodes | None]:
        """Those of rings, and of gathered sky."""
        _, _, rings, _, sky, *_ = here
        return (
            ring_nodes(self, direction, rings) if rings else None,
            None if sky is None else far_nodes(self, direction, sky),
        )

    def apply(self, tables: Any, reading: Reading, here: Any) -> Counts:
        """Predicted counts of a source in its entries, and its total."""
        _, _, rings, covered, sky, *_ = here
        if self.band:
            total = jnp.zeros(())
            splines = jax.vmap(self.splines)(tables)
            spread = jax.vmap(lambda table: self.integrate(table, reading, rings))(splines)
            parts = zip(rings, spread, strict=True)
            found = [jnp.sum(ring.exposure.T * part, axis=0) for ring, part in parts]
        else:
            splines = self.splines(tables)
            total = jnp.sum(self.far(splines, reading, covered, sky))
            found = self.integrate(splines, reading, rings)
        bins = [jnp.zeros(0)]
        for ring, entries in zip(rings, found, strict=True):
            total = total + jnp.sum(entries * ring.to_total)
            bins.append(entries)
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
        """What the splines of distance are made of, by reconstructed bin.

        Values at the nodes of distance of a point, (energy, node), and waves of an extended
        source, (part, energy, wavenumber), whose parts are the even one and two slopes.
        """
        exposure = local.exposed(place) * flux
        share, slopes = weights(min(local.exposure.shape[0], len(OFFSETS)), place)
        edisp = at_points(local.edisp, share)
        counts = exposure[:, None] * edisp
        if self.transform is None:
            return counts.sum(axis=0)
        psf = at_points(local.psf, share)
        if not self.extended:
            return self._spread(counts, psf)
        k = jnp.asarray(self.transform.wavenumber)
        shape, slope, bend = with_derivatives(spatial.hankel, k)
        wide = -(bend + slope / k)
        sloped = (slopes @ local.exposure) * flux / local.step
        curved = curves(local.exposure.shape[0], place)[:2].sum(axis=0) @ local.exposure
        curved = curved * flux / (4 * local.step**2)
        parts = jnp.stack([counts, *(s[:, None] * edisp for s in (*sloped, curved))])
        spread = jax.vmap(lambda c: self._spread(c, psf))(parts)
        return jnp.stack([spread[0] * shape + spread[3] * wide, *(spread[1:3] * -slope)])

    def _spread(self, counts: Any, psf: Any) -> Any:
        """Density tables of counts by true and reconstructed bin, shape (energy, node)."""
        if self.local.spread_last:
            return counts.sum(axis=0)[:, None] * psf
        return counts.T @ psf

    def splines(self, table: Any) -> Any:
        """Splines of distance from a profile, linear in it, shape (line, node, part).

        The rows of a point are those of the density, of its flux through borders, and, where
        nodes read it, of its mean over a pixel.
        """
        if self.transform is None:
            return table[:, None, None]
        if not self.extended:
            grid = self.transform.grid
            spline = table @ grid.prefilter.T
            kinds = [spline, spline @ grid.to_flux.T]
            if grid.to_mean is not None:
                kinds.append(spline @ grid.to_mean.T)
            return jnp.concatenate(kinds)[..., None]
        even = table[0] @ self.transform.from_hankel.T
        odd = table[1:] @ self.transform.dipole.T
        return jnp.stack([even, *odd], axis=-1)

    def far(self, table: Any, reading: Reading, covered: Any, sky: Any) -> Any:
        """What counts into the total of a source beside single pixels, shape (energy,)."""
        whole = reading.weights[2] * covered
        found = whole * (table[: covered.size, :, 0] @ jnp.asarray(self.disk))
        if sky is None:
            return found
        return found + read_far(self, table, reading.cells[1], reading.weights[1], sky)

    def integrate(self, table: Any, reading: Reading, rings: tuple[Ring, ...]) -> list[Any]:
        """Counts of a source in the entries of each ring."""
        if not rings:
            return []
        return read_rings(self, table, reading.cells[0], reading.weights[0], rings)


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


def flux_in_bins(component: Any, fold: Any, axis: Any) -> Any:
    """Flux of a component in the true bins of an axis, shape (energy_true,)."""
    low, high = (jnp.asarray(edges)[axis] for edges in (fold.energy_min, fold.energy_max))
    return component.spectral_model.evaluate_integral(low, high, nodes=fold.quadrature)
