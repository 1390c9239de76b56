"""What Fourier folds take the spectra of: ellipses, shapes with energy, templates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.fold.fourier import FourierFold, Here, Level, Tile
from gammajax.fold.fourier_grid import cubic
from gammajax.fold.local import curves, weights
from gammajax.fold.plane import axes_in_plane, from_plane
from gammajax.fold.round import with_derivatives

TABLE_STEP = 0.5
"""Distance of the wavenumbers of a table, over one over the extent of the shape."""


class RadialTable(eqx.Module):
    """Wavenumbers at which a transform is taken that is costly, and splines between them.

    Attributes
    ----------
    spacing : array, in 1/rad
    prefilter : array, shape (node + 2, node)
        From values to spline coefficients.
    """

    spacing: Any
    prefilter: Any

    @classmethod
    def create(cls, largest: float, extent: float) -> RadialTable:
        """The table up to a wavenumber (1/rad), for shapes within an extent (rad)."""
        from scipy.ndimage import spline_filter1d

        spacing = TABLE_STEP / extent
        number = int(np.ceil(1.05 * largest / spacing)) + 3
        found = spline_filter1d(np.eye(number), order=3, axis=0, mode="mirror")
        return cls(np.float64(spacing), np.concatenate([found[1:2], found, found[-2:-1]]))

    def transform(self, hankel: Callable[[Any], Any], k: Any) -> tuple[Any, Any, Any]:
        """A transform and its first two derivatives at wavenumbers."""
        number = self.prefilter.shape[1]
        coef = jnp.asarray(self.prefilter) @ hankel(self.spacing * jnp.arange(number))
        place = k / self.spacing
        start = jnp.clip(place.astype(int), 0, number - 2)
        u = place - start
        near = coef[start[..., None] + np.arange(4)]
        v = 1 - u
        slopes = [-(v**2), (3 * u - 4) * u, -(3 * v - 4) * v, u**2]
        slope = jnp.sum(near * jnp.stack(slopes, axis=-1), axis=-1) / (2 * self.spacing)
        bends = jnp.stack([v, 3 * u - 2, 1 - 3 * u, u], axis=-1)
        bend = jnp.sum(near * bends, axis=-1) / self.spacing**2
        return jnp.sum(near * cubic(u), axis=-1), slope, bend


class ShapeFold(FourierFold):
    """A stack of ellipses, or of shapes that are functions of energy.

    Attributes
    ----------
    table : `RadialTable` or None
        For shapes whose transform is costly.
    """

    table: RadialTable | None = None

    def spectra(self, spatial: Any, flux: Any, here: Here, level: Level, tile: Tile) -> Any:
        frame = jnp.asarray(here.frame)
        direction = jnp.asarray(self.rotation) @ spatial.centre()
        place = (frame[1:] @ direction) / self.step
        edisp, psf = self._responses(here, level, place)
        if self.late and not self.parts:
            parts, phase = self.shape(spatial, frame, level.step)
            kernels = self._kernels(level, here.exposure * flux, edisp, psf)
            return kernels * parts[0] * phase
        if not self.parts:
            coef = jax.vmap(self._exposed, in_axes=(1, None), out_axes=1)(here.exposure, place)
            coef = coef * flux
            parts, phase = self.shape(spatial, frame, level.step)
            kernels = self._kernels(level, coef, edisp, psf)
            return jax.lax.complex(*_even_and_odd(kernels * parts[:, None])) * phase

        def photons(energy: Any, exposed: Any, flux: Any) -> Any:
            shape = spatial.at_energy(energy)
            at = (frame[1:] @ (jnp.asarray(self.rotation) @ shape.centre())) / self.step
            parts, phase = self.shape(shape, frame, level.step)
            if self.late:
                return flux * parts[0] * phase
            scaled = (self._exposed(exposed, at) * flux)[:, None, None] * parts
            return jax.lax.complex(*_even_and_odd(scaled)) * phase

        energies = jnp.sqrt(here.low * here.high)
        exposed = jnp.repeat(here.exposure, self.parts, axis=1)
        images = jax.vmap(photons, in_axes=(0, 1, 0))(energies, exposed, flux)
        return self._by_energy(level, images, edisp, psf, here.exposure)

    def _exposed(self, exposure: Any, place: Any) -> Any:
        """The exposure around a place to second order, by the parts of `shape`, (6,)."""
        share, slopes = weights(exposure.shape[0], place)
        found = jnp.maximum(share @ exposure, 0.0)
        bent = curves(exposure.shape[0], place) @ exposure / self.step**2
        half = bent * jnp.array([0.5, 0.5, 1.0])
        return jnp.concatenate([found[None], slopes @ exposure / self.step, half])

    def shape(self, spatial: Any, frame: Any, step: Any) -> tuple[Any, Any]:
        """Spectra of the shape, of it times each of two offsets, and times their products.

        Those of the offsets are imaginary; the products are the two squares and the one of
        both. The phase of the centre is apart.
        """
        waves = waves_of(self, spatial, frame, step)
        k, none, (along, across), axes = waves.k, waves.none, waves.parts, waves.axes
        if self.table is None:
            even, slope, bend = with_derivatives(spatial.hankel, k)
        else:
            even, slope, bend = self.table.transform(spatial.hankel, k)
        over = 1 / jnp.where(none, 1.0, k)
        slope = jnp.where(none, bend, slope * over)
        turn = jnp.where(none, 0.0, (bend - slope) * over**2)
        moved = [along * axes[0, i] + across * axes[1, i] for i in range(2)]
        odd = [slope * part for part in moved]
        metric = axes.T @ axes
        second = [
            -(turn * moved[i] * moved[j] + slope * metric[i, j])
            for i, j in ((0, 0), (1, 1), (0, 1))
        ]
        return jnp.stack([even, *odd, *second]), self.grid.phase(waves.centre, step)

    def reach(self, spatial: Any, here: Here) -> Any:
        return reach(spatial, here.low, here.high)


class Waves(NamedTuple):
    """The waves of a grid as an elliptical shape sees them.

    Attributes
    ----------
    k : array, shape (number, number / 2 + 1)
        Wavenumbers at which the transform of the round shape is that of the ellipse.
    none : array of bool
        Where they are 0.
    parts : tuple of array
        Those along both axes of the ellipse, the minor one times the ratio of both.
    axes : array, shape (2, 2)
        The axes in the plane, the minor one times the ratio.
    centre : array, shape (2,)
    """

    k: Any
    none: Any
    parts: tuple[Any, Any]
    axes: Any
    centre: Any


def waves_of(fold: FourierFold, spatial: Any, frame: Any, step: Any) -> Waves:
    """The waves of the grid of a fold for a shape."""
    centre, major, minor = axes_in_plane(spatial, fold.rotation, frame)
    ratio, _ = spatial.stretch()
    axes = jnp.stack([major, ratio * minor])
    kx, ky = fold.grid.wavenumbers(step)
    along, across = (kx[:, None] * axis[0] + ky * axis[1] for axis in axes)
    square = along**2 + across**2
    none = square == 0
    k = jnp.where(none, 0.0, jnp.sqrt(jnp.where(none, 1.0, square)))
    return Waves(k, none, (along, across), axes, centre)


def _even_and_odd(parts: Any) -> tuple[Any, Any]:
    """The real and the imaginary part of a spectrum."""
    return parts[0] + parts[3:].sum(axis=0), parts[1] + parts[2]


class TemplateFold(FourierFold):
    """A stack of templates with free parameters: sampled on the grid, times the exposure.

    Attributes
    ----------
    split : int
        A sample is the mean over so many points along each side of its place.
    """

    split: int = eqx.field(static=True, default=1)

    def spectra(self, spatial: Any, flux: Any, here: Here, level: Level, tile: Tile) -> Any:
        edisp, psf = self._responses(here, level, self.place(spatial, here))
        if self.late and not self.parts:
            kernels = self._kernels(level, here.exposure * flux, edisp, psf)
            image = self.sampled(spatial, None, here, level) * tile.images[0]
            return kernels * self._transformed(image)
        if not self.parts:
            image = self.sampled(spatial, None, here, level) * tile.images
            kernels = self._kernels(level, here.exposure * flux, edisp, psf)
            return jnp.sum(kernels * self._transformed(image)[:, None], axis=0)

        def photons(item: Any) -> Any:
            energy, exposed, flux = item
            image = self.sampled(spatial, energy, here, level) * flux
            if self.late:
                return self._transformed(image * tile.images[0])
            return self._transformed(image * jnp.tensordot(exposed, tile.images, axes=1))

        energies = jnp.sqrt(here.low * here.high)
        exposed = jnp.repeat(here.exposure, self.parts, axis=1).T
        images = jax.lax.map(photons, (energies, exposed, flux))
        return self._by_energy(level, images, edisp, psf, here.exposure)

    def place(self, spatial: Any, here: Here) -> Any:
        """Where the responses are taken, in steps."""
        return jnp.zeros(2)

    def sampled(self, spatial: Any, energy: Any, here: Here, level: Level) -> Any:
        """Densities on the grid, shape (number, number)."""
        side = self.grid.places(level.step)
        places = jnp.stack(jnp.meshgrid(side, side, indexing="ij"), axis=-1)
        own = points(self.split)
        offsets = np.stack(np.meshgrid(own, own), axis=-1).reshape(-1, 2)
        found: Any = 0.0
        for offset in offsets * level.step:
            vectors = from_plane(places + offset, jnp.asarray(here.frame))
            found = found + spatial.evaluate_on(vectors @ jnp.asarray(self.rotation), energy)
        return found / len(offsets)

    def _transformed(self, images: Any) -> Any:
        """Discrete spectra of samples, without the loss of taking means."""
        number = self.grid.number
        wave = 2 * np.pi / number * np.arange(number // 2 + 1)
        lost = np.cos(np.outer(wave, points(self.split))).mean(axis=1)
        rows = np.abs(np.fft.fftfreq(number, 1 / number)).astype(int)
        return jnp.fft.rfft2(images) / np.outer(lost[rows], lost)


class SampledFold(TemplateFold):
    """A stack of shapes with closed transforms, on the grid where the exposure has steps.

    A sample is that of the shape without the waves that the grid does not hold: it is smooth in
    every parameter, also where the shape is smaller than a step.

    Attributes
    ----------
    table : `RadialTable` or None
        For shapes whose transform is costly.
    least : float
        How small a shape may become before it is planned anew, over how far it may extend.
    """

    table: RadialTable | None = None
    least: float = eqx.field(static=True, default=0.0)

    def outgrown(self, component: Any, here: Here) -> Any:
        small = self.reach(component.spatial_model, here) < self.least * here.extent
        return small | super().outgrown(component, here)

    def place(self, spatial: Any, here: Here) -> Any:
        direction = jnp.asarray(self.rotation) @ spatial.centre()
        return (jnp.asarray(here.frame)[1:] @ direction) / self.step

    def sampled(self, spatial: Any, energy: Any, here: Here, level: Level) -> Any:
        shape = spatial if energy is None else spatial.at_energy(energy)
        waves = waves_of(self, shape, jnp.asarray(here.frame), level.step)
        if self.table is None:
            found = shape.hankel(waves.k)
        else:
            found = self.table.transform(shape.hankel, waves.k)[0]
        number = self.grid.number
        spectrum = found * self.grid.phase(waves.centre, level.step)
        return jnp.fft.irfft2(spectrum, s=(number, number))

    def reach(self, spatial: Any, here: Here) -> Any:
        return reach(spatial, here.low, here.high)


def points(split: int) -> np.ndarray:
    """The middles of equal parts of a place, in steps."""
    return (np.arange(split) + 0.5) / split - 0.5


def reach(spatial: Any, low: Any, high: Any) -> Any:
    """How far a shape extends from its position at any energy, in rad."""
    if not spatial.has_energy:
        return jnp.asarray(spatial.outer_radius())
    centre = spatial.centre()

    def one(energy: Any) -> Any:
        shape = spatial.at_energy(energy)
        moved = jnp.sum((shape.centre() - centre) ** 2)
        none = moved == 0
        moved = jnp.where(none, 0.0, jnp.sqrt(jnp.where(none, 1.0, moved)))
        return moved + shape.outer_radius()

    return jnp.max(jax.vmap(one)(jnp.sqrt(low * high).ravel()))
