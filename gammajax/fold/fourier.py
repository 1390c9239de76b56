r"""Folding of shapes that are not round, and of shapes that change with energy.

In the plane around the start of a source, its expected counts per solid angle have the
spectrum

.. math:: \hat Q_r(k) = e^{-i k c} \sum_t D_{t r} F_t \, \hat P_t(|k|) \,
          \left[ \epsilon_t + i \nabla \epsilon_t \cdot \nabla_k \right] \hat M_t(k)

with dispersion D, flux F, spread P, the exposure :math:`\epsilon` with its slope, and the
spectrum M of the shape around its centre c. That of an ellipse is a closed form, the
transform of the round shape at :math:`\sqrt{k_{major}^2 + (q k_{minor})^2}`: nothing is
sampled, and the counts are smooth in every parameter, also where the shape is much smaller
than a pixel. A template is sampled on the grid, times the exposure.

One inverse transform for each reconstructed energy gives a spline in the plane. What a pixel
gets of it is linear in its coefficients, with weights made once on the host for pixels
of any geometry; so is the expected total in the mask.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from gammajax.fold.fourier_grid import FourierGrid
from gammajax.fold.local import at_points, weights
from gammajax.fold.rows import Counts, Fold

CHUNK = 16384
"""Entries that are gathered at once, to bound the memory."""


class Tile(NamedTuple):
    """What goes by row and level: pixels on a grid.

    Its arrays have a further axis of levels, the first one after that of rows.

    Attributes
    ----------
    images : array, shape (image, number, number), or None
        Exposure on the grid.
    start : array of int, shape (pixel, 2)
        The first place of the grid that reaches a pixel.
    share : array, shape (pixel, side, side)
        Its weights, in sr.
    pixel, energy : array of int, shape (entry,)
        The energy is that among the bins of the level.
    cover : array, shape (mask, energy)
        1 for the reconstructed bins that have this mask.
    inside : array, shape (mask, number, number)
        Weights of the whole mask, in sr; by image where the exposure is taken last, shape
        (mask, image, number, number).
    arrived : array, shape (image, pixel), or None
        Exposure of the pixels, where it is taken last.
    """

    images: Any
    start: Any
    share: Any
    pixel: Any
    energy: Any
    cover: Any
    inside: Any
    arrived: Any


class Here(NamedTuple):
    """What goes by row: a component in a dataset.

    Attributes
    ----------
    low, high : array, shape (part,), in TeV
        Edges of the parts of true bins in which the shape is taken.
    exposure : array, shape (point or image, energy_true)
        At points around the start, or of each of some images.
    edisp, psf : int
        Which table.
    frame : array, shape (3, 3)
    extent : float
        How far the source may extend, in rad.
    tile : `Tile`
    """

    low: Any
    high: Any
    exposure: Any
    edisp: Any
    psf: Any
    frame: Any
    extent: Any
    tile: Tile


class Level(NamedTuple):
    """Reconstructed bins that share a step of the grid.

    Attributes
    ----------
    step : array, in rad
    start, taps : array
        See `~gammajax.fold.fourier_grid.radial_taps`.
    bins : array of int, shape (energy,)
    psf : array, shape (table, point, energy_true or energy, node)
        Spline coefficients of radial spectra.
    """

    step: Any
    start: Any
    taps: Any
    bins: Any
    psf: Any


class FourierFold(Fold):
    """Base of the folds on a grid.

    Attributes
    ----------
    dataset, source, target
        See `~gammajax.fold.rows.Fold`.
    grid : `~gammajax.fold.fourier_grid.FourierGrid`
    level : `Level`
        With a first axis of levels: steps as fine as the spread in their bins needs.
    here : `Here`
        With a first axis of rows.
    edisp : array, shape (table, point, energy_true, energy)
    rotation : array, shape (3, 3)
        From the frame of the models to that of the pixels.
    step : array
        Distance of the points of responses, in rad.
    room : array
        How far a source may move from its start before the plan is too small, in rad.
    quadrature : int
        Nodes for spectra without a closed integral.
    parts : int
        Of each true bin, in which the shape is taken anew; 0 for shapes without energy.
    spread_last : bool
        Whether the spread is one of reconstructed energy.
    late : bool
        Whether the exposure is that of the pixels, and taken last.
    """

    dataset: Any
    source: Any
    target: Any
    grid: FourierGrid
    level: Level
    here: Here
    edisp: Any
    rotation: Any
    step: Any
    room: Any
    quadrature: int = eqx.field(static=True)
    parts: int = eqx.field(static=True)
    spread_last: bool = eqx.field(static=True)
    late: bool = eqx.field(static=True)

    @property
    def batch(self) -> int:
        """Rows that are folded side by side, to bound the memory."""
        return 4

    def rows(self) -> Here:
        """What goes by row."""
        return self.here

    def prepare(self, component: Any, here: Here) -> tuple[Any, Any]:
        """Spectra of a component in each level, real and imaginary parts; it has no place."""
        flux = component.spectral_model.evaluate_integral(
            here.low, here.high, nodes=self.quadrature
        )
        return self.tables(component.spatial_model, flux, here), jnp.zeros(0)

    def tables(self, spatial: Any, flux: Any, here: Here) -> Any:
        """Spectra for fluxes in each part of the true bins, with a last axis of two parts."""

        def one(level: Level, tile: Tile) -> Any:
            found = self.spectra(spatial, flux, here, level, tile)
            return jnp.stack([found.real, found.imag], axis=-1)

        level = jax.tree_util.tree_map(jnp.asarray, self.level)
        return jax.vmap(one)(level, here.tile)

    def apply(self, tables: Any, reading: Any, here: Here) -> Counts:
        """Predicted counts in the entries of a row, and its total."""
        entries, totals = self.by_level(tables, here)
        return Counts(entries.ravel(), jnp.sum(totals))

    def by_level(self, tables: Any, here: Here) -> tuple[Any, Any]:
        """Entries (level, entry), and totals of the bins of each level (level, energy)."""

        def one(parts: Any, tile: Tile) -> tuple[Any, Any]:
            spectra = jax.lax.complex(parts[..., 0], parts[..., 1])
            table = self.grid.coefficients(spectra)
            if self.late:
                masks = jnp.einsum("mixy,iexy->me", tile.inside, table)
                found = jax.vmap(_entries, in_axes=(0, None))(table, tile)
                entries = jnp.sum(found * tile.arrived[:, tile.pixel], axis=0)
                return entries, jnp.sum(masks * tile.cover, axis=0)
            masks = jnp.tensordot(tile.inside, table, axes=((1, 2), (1, 2)))
            return _entries(table, tile), jnp.sum(masks * tile.cover, axis=0)

        return jax.vmap(one)(tables, here.tile)

    def spectra(self, spatial: Any, flux: Any, here: Here, level: Level, tile: Tile) -> Any:
        """Of the counts per solid angle, shape (energy, number, number / 2 + 1).

        Where the exposure is taken last, of what each of its images is multiplied with, with
        a first axis of images.
        """
        raise TypeError(f"{type(self).__name__} is abstract")

    def outgrown(self, component: Any, here: Here) -> Any:
        """Whether a component has moved or grown beyond what was planned."""
        spatial = component.spatial_model
        if not spatial.has_centre:
            return jnp.zeros((), dtype=bool)
        direction = jnp.asarray(self.rotation) @ spatial.centre()
        moved = jnp.sum((direction - here.frame[0]) ** 2) > self.room**2
        return moved | (self.reach(spatial, here) > here.extent)

    def reach(self, spatial: Any, here: Here) -> Any:
        """How far a shape extends from its position, in rad."""
        return jnp.zeros(())

    def _responses(self, here: Here, level: Level, place: Any) -> tuple[Any, Any]:
        """Dispersion (energy_true, energy) and spread (row, node) at a place, in steps."""
        found = []
        for table, which in ((self.edisp, here.edisp), (level.psf, here.psf)):
            own = jnp.asarray(table)[which]
            found.append(at_points(own, weights(own.shape[0], place)[0]))
        return found[0][:, level.bins], found[1]

    def _kernels(self, level: Level, coef: Any, edisp: Any, psf: Any) -> Any:
        """Spectra of what images become that have a share in each true bin.

        Parameters
        ----------
        coef : array, shape (image, energy_true)

        Returns
        -------
        kernels : array, shape (image, energy, number, number / 2 + 1)
        """
        counts = coef[:, :, None] * edisp
        if self.spread_last:
            return self._on_waves(counts.sum(axis=1)[..., None] * psf, level)
        return self._on_waves(jnp.swapaxes(counts, 1, 2) @ psf, level)

    def _on_waves(self, lines: Any, level: Level) -> Any:
        return self.grid.on_waves(lines, level.start, level.taps)

    def _by_energy(self, level: Level, images: Any, edisp: Any, psf: Any, late: Any) -> Any:
        """The spectra of counts from those of photons in each part of the true bins.

        ``late`` is the exposure of images (image, energy_true) where it is taken last.
        """
        images = images.reshape(edisp.shape[0], -1, *images.shape[1:]).sum(axis=1)
        if self.late:
            counts = jnp.swapaxes(late[:, :, None] * edisp, 1, 2)
            return jnp.tensordot(counts, images * self._on_waves(psf, level), axes=1)
        if self.spread_last:
            return jnp.tensordot(edisp.T, images, axes=1) * self._on_waves(psf, level)
        return jnp.tensordot(edisp.T, images * self._on_waves(psf, level), axes=1)


def _entries(table: Any, tile: Tile) -> Any:
    """Counts of entries from spline coefficients (energy, number, number)."""
    side = tile.share.shape[-1]

    def one(entry: Any) -> Any:
        energy, pixel = entry
        x, y = tile.start[pixel]
        part = jax.lax.dynamic_slice(table, (energy, x, y), (1, side, side))
        return jnp.sum(part[0] * tile.share[pixel])

    entries = (tile.energy, tile.pixel)
    if tile.energy.shape[0] <= CHUNK:
        return jax.vmap(one)(entries)
    return jax.lax.map(one, entries, batch_size=CHUNK)
