r"""Folding of shapes that are not round into datasets without a spread.

Photons are found where they come from, with the exposure that is there. What a pixel gets of
an ellipse is an integral over its border: in the plane in which the shape is round, with the
distance :math:`\rho` from its centre and the angle :math:`\varphi` around it,

.. math:: \int_\mathrm{pixel} M \, d\Omega = \frac{1}{2 \pi} \oint m(\rho) \, d\varphi

with the part m of the source within a distance. It is continuous also where the shape has an
edge, so that counts are smooth in every parameter. The first moments of M in a pixel are
integrals of m along the same border, and with them the exposure is linear in a pixel.
Templates are read at nodes in each pixel.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.fold.fourier_shapes import reach
from gammajax.fold.local import Local, at_points, weights
from gammajax.fold.plane import axes_in_plane
from gammajax.fold.rows import Counts, Fold
from gammajax.models.spatial.radial import rule

PANELS = 512
"""Steps of distance in which the part of a source within them is known."""

SHRUNK = 0.5
"""What part of its start width a source may have before the fold is planned anew."""

NODES = rule(4)

AT_ONCE = 2_000_000
"""Nodes that are taken side by side, to bound the memory."""


class BareRow(eqx.Module):
    """What goes by row: a component in a dataset.

    Attributes
    ----------
    low, high : array, shape (part,), in TeV
        Edges of the parts of true bins in which the shape is taken.
    exposure : array, shape (image, energy_true)
        What each image counts in a true bin.
    images : array, shape (image, pixel, part)
        What a pixel counts the integral of the shape and its two moments with; or at each
        node, the exposure times the solid angle.
    places : array, shape (pixel, 4, 2) or (pixel, node, 3)
        Corners in the plane, in rad, or unit vectors of nodes.
    inside : array, shape (energy, pixel)
        1 in the mask.
    pixel, energy : array of int, shape (entry,)
    extent, width : array
        How far the source may extend, and how wide it is at its start, in rad.
    local : dict of array
        See `~gammajax.fold.local.Local`.
    """

    low: Any
    high: Any
    exposure: Any
    images: Any
    places: Any
    inside: Any
    pixel: Any
    energy: Any
    extent: Any
    width: Any
    local: dict[str, Any]


class BareFold(Fold):
    """Base of the folds without a spread.

    Attributes
    ----------
    dataset, source, target
        See `~gammajax.fold.rows.Fold`.
    row : `BareRow`
        With a first axis of rows.
    local : `~gammajax.fold.local.Local`
    rotation : array, shape (3, 3)
        From the frame of the models to that of the pixels.
    room : array
        How far a source may move from its start before the plan is too small, in rad.
    quadrature : int
        Nodes for spectra without a closed integral.
    parts : int
        Of each true bin, in which the shape is taken anew; 0 for shapes without energy.
    """

    dataset: Any
    source: Any
    target: Any
    row: BareRow
    local: Local
    rotation: Any
    room: Any
    quadrature: int = eqx.field(static=True)
    parts: int = eqx.field(static=True)

    @property
    def batch(self) -> int:
        """Rows that are folded side by side, to bound the memory."""
        return 4

    def rows(self) -> BareRow:
        """What goes by row."""
        return self.row

    def prepare(self, component: Any, here: BareRow) -> tuple[Any, Any]:
        """Counts of a component by energy and pixel; it has no place."""
        spatial = component.spatial_model
        flux = component.spectral_model.evaluate_integral(
            here.low, here.high, nodes=self.quadrature
        )
        local = self.local.at(here.local)
        place = jnp.zeros(2)
        if spatial.has_centre:
            direction = jnp.asarray(self.rotation) @ spatial.centre()
            place = local.frame[1:] @ direction / local.step
        edisp = at_points(local.edisp, weights(local.edisp.shape[0], place)[0])
        if not self.parts:
            counts = (here.exposure * flux) @ edisp
            return counts.T @ self.shares(spatial, None, here), jnp.zeros(0)

        def photons(item: Any) -> Any:
            energy, exposed, flux = item
            return flux * (exposed @ self.shares(spatial, energy, here))

        energies = jnp.sqrt(here.low * here.high)
        exposed = jnp.repeat(here.exposure, self.parts, axis=1).T
        images = jax.lax.map(photons, (energies, exposed, flux))
        images = images.reshape(edisp.shape[0], self.parts, -1).sum(axis=1)
        return edisp.T @ images, jnp.zeros(0)

    def apply(self, tables: Any, reading: Any, here: BareRow) -> Counts:
        """Predicted counts in the entries of a row, and its total."""
        return Counts(tables[here.energy, here.pixel], jnp.sum(tables * here.inside))

    def shares(self, spatial: Any, energy: Any, here: BareRow) -> Any:
        """What each pixel gets of the shape times each image, shape (image, pixel)."""
        raise TypeError(f"{type(self).__name__} is abstract")

    def _in_pixels(self, function: Any, here: BareRow, nodes: int) -> Any:
        """``function`` of the places of each pixel, times the images, (image, pixel)."""
        number, size = here.places.shape[0], max(AT_ONCE // nodes, 1)

        def one(item: Any) -> Any:
            places, images = item
            return images @ function(places)

        items = (here.places, jnp.moveaxis(here.images, 1, 0))
        if number <= size:
            return jax.vmap(one)(items).T
        return jax.lax.map(one, items, batch_size=size).T

    def outgrown(self, component: Any, here: BareRow) -> Any:
        """Whether a component has moved, grown or shrunk beyond what was planned."""
        spatial = component.spatial_model
        if not spatial.has_centre:
            return jnp.zeros((), dtype=bool)
        direction = jnp.asarray(self.rotation) @ spatial.centre()
        moved = jnp.sum((direction - here.local["frame"][0]) ** 2) > self.room**2
        if spatial.KIND == "template":
            return moved
        large = reach(spatial, here.low, here.high) > here.extent
        return moved | large | (width(spatial, here.low, here.high) < SHRUNK * here.width)


class BareShapeFold(BareFold):
    """A stack of ellipses, or of shapes that are functions of energy.

    Attributes
    ----------
    order : int
        Nodes on each side of a pixel.
    """

    order: int = eqx.field(static=True, default=12)

    def shares(self, spatial: Any, energy: Any, here: BareRow) -> Any:
        shape = spatial if energy is None else spatial.at_energy(energy)
        centre, major, minor = axes_in_plane(shape, self.rotation, here.local["frame"])
        ratio, _ = shape.stretch()
        to_plane = jnp.stack([major, ratio * minor], axis=-1)
        (a, b), (c, d) = to_plane
        area = a * d - b * c
        to_round = jnp.stack([jnp.stack([d, -b]), jnp.stack([-c, a])]) / area
        sign = jnp.sign(area) / (2 * np.pi)
        table = within_distance(shape)
        x, share = rule(self.order)

        def integrals(corners: Any) -> Any:
            """Of the shape over a pixel, and of it times the offset from its middle."""
            middle = jnp.mean(corners, axis=0) - centre
            corners = (corners - centre) @ to_round.T
            step = jnp.roll(corners, -1, axis=0) - corners
            at = corners[:, None] + x[:, None] * step[:, None]
            square, over = enclosed(table, at)
            turned = at[..., 0] * step[:, None, 1] - at[..., 1] * step[:, None, 0]
            whole = jnp.sum(over * turned @ share)
            sides = square * over @ share
            moments = to_plane @ jnp.stack([sides @ step[:, 1], -(sides @ step[:, 0])])
            return sign * jnp.concatenate([whole[None], moments - middle * whole])

        return self._in_pixels(integrals, here, 4 * self.order)


class BareTemplateFold(BareFold):
    """A stack of templates with free parameters, read at nodes in each pixel."""

    def shares(self, spatial: Any, energy: Any, here: BareRow) -> Any:
        def nodes(vectors: Any) -> Any:
            return spatial.evaluate_on(vectors @ jnp.asarray(self.rotation), energy)

        return self._in_pixels(nodes, here, here.places.shape[1])


def within_distance(shape: Any) -> tuple[Any, Any, Any]:
    """The last distance of a table, and values and slopes (by a step) of what lies within.

    Of the round shape: at `PANELS` even steps of the chord, 1 at the end.
    """
    last = 2 * jnp.sin(shape.outer_radius() / 2)
    x, share = NODES
    step = last / PANELS
    rho = step * (np.arange(PANELS)[:, None] + x)
    density = shape.shape(2 * jnp.arcsin(rho / 2), 1.0) * rho
    inside = jnp.cumsum(density @ share)
    ends = step * np.arange(PANELS + 1)
    slopes = shape.shape(2 * jnp.arcsin(ends / 2), 1.0) * ends
    zero = jnp.zeros(1)
    return step, jnp.concatenate([zero, inside / inside[-1]]), slopes / inside[-1]


def enclosed(table: tuple[Any, Any, Any], at: Any) -> tuple[Any, Any]:
    """The squared distance of places, and what lies within the distance over it."""
    step, values, slopes = table
    square = jnp.maximum(jnp.sum(at**2, axis=-1), 1e-12 * step**2)
    place = jnp.sqrt(square) / step
    first = jnp.clip(place.astype(int), 0, PANELS - 1)
    u = jnp.minimum(place - first, 1.0)
    low, high = values[first], values[first + 1]
    left, right = slopes[first], slopes[first + 1]
    v = 1 - u
    found = (1 + 2 * u) * v**2 * low + u**2 * (3 - 2 * u) * high
    return square, (found + u * v**2 * left - u**2 * v * right) / square


def width(spatial: Any, low: Any, high: Any) -> Any:
    """The least radius of half of a shape, along its minor axis, at any energy, in rad."""

    def one(energy: Any) -> Any:
        shape = spatial.at_energy(energy)
        step, values, _ = within_distance(shape)
        return shape.stretch()[0] * step * jnp.interp(0.5, values, np.arange(PANELS + 1.0))

    if not spatial.has_energy:
        return one(1.0)
    return jnp.min(jax.vmap(one)(jnp.sqrt(low * high).ravel()))
