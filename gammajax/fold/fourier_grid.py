"""The grid of a Fourier fold: places, waves, and splines between them."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np


class FourierGrid(eqx.Module):
    r"""An even grid in the plane, periodic, and its waves; of any step.

    A function is kept as the coefficients of cubic B-splines at the places of the grid,
    :math:`f(x) = \sum_m c_m \beta(x / h - m)`. They follow from the spectrum of the function
    divided by that of the spline, which makes the spline exact at all waves of the grid;
    its errors are the images at shorter ones.

    Attributes
    ----------
    number : int
        Places along each side; even.
    waves : tuple of array of int
        Numbers of the waves along each side.
    sharpen : array, shape (number, number / 2 + 1)
        One over the spectrum of the spline; 0 beyond the largest circle of waves.
    ring : array of int, shape (number, number / 2 + 1)
        Which of the different wavenumbers each wave has.
    """

    number: int = eqx.field(static=True)
    waves: tuple[Any, Any]
    sharpen: Any
    ring: Any

    @classmethod
    def create(cls, number: int) -> FourierGrid:
        """The grid with so many places along each side."""
        i, j, square = _squares(number)
        spline = [np.sinc(index / number) ** 4 for index in (i, j)]
        _, ring = np.unique(square, return_inverse=True)
        inside = (square > 0) | ((i[:, None] == 0) & (j == 0))
        ring = ring.reshape(square.shape).astype(np.int32)
        return cls(number, (i, j), inside / np.outer(*spline), ring)

    def wavenumbers(self, step: Any) -> tuple[Any, Any]:
        """Along each side, in 1/rad, for a step in rad."""
        unit = 2 * np.pi / (self.number * step)
        i, j = self.waves
        return unit * jnp.asarray(i), unit * jnp.asarray(j)

    def places(self, step: Any) -> Any:
        """Places along a side, in rad from the origin."""
        return (np.arange(self.number) - self.number // 2) * step

    def on_waves(self, lines: Any, start: Any, taps: Any) -> Any:
        """Radial spectra at the waves.

        Parameters
        ----------
        lines : array, shape (..., node)
            Spline coefficients, from one node before 0 on.
        start, taps : array
            See `radial_taps`.

        Returns
        -------
        spectra : array, shape (..., number, number / 2 + 1)
        """
        near = jnp.asarray(start)[:, None] + np.arange(4)
        rings = jnp.sum(lines[..., near] * taps, axis=-1)
        return rings[..., jnp.asarray(self.ring)]

    def coefficients(self, spectra: Any) -> Any:
        """Spline coefficients (..., number, number) of spectra of the discrete transform."""
        shape = (self.number, self.number)
        return jnp.fft.irfft2(spectra * self.sharpen, s=shape)

    def phase(self, place: Any, step: Any) -> Any:
        """The spectrum of a unit of counts at a place, shape (number, number / 2 + 1).

        That of the discrete transform of its density.
        """
        origin = step * (self.number // 2)
        x, y = (
            jnp.exp(-1j * k * (at + origin))
            for k, at in zip(self.wavenumbers(step), place, strict=True)
        )
        return x[:, None] * y / step**2


def _squares(number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of the waves along each side, and the squares of both; 0 beyond the circle."""
    i = np.fft.fftfreq(number, 1 / number).astype(int)
    j = np.arange(number // 2 + 1)
    square = i[:, None] ** 2 + j**2
    return i, j, np.where(square < (number // 2) ** 2, square, 0)


def radial_taps(number: int, step: float, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """The first of four nodes of a radial spectrum around each wavenumber, and their weights.

    Parameters
    ----------
    number : int
        Places along each side of the grid.
    step : float
        In rad.
    spacing : float
        Distance of the nodes, in 1/rad.

    Returns
    -------
    start : array of int, shape (wavenumber,)
    taps : array, shape (wavenumber, 4)
    """
    lengths = np.unique(_squares(number)[2])
    place = np.sqrt(lengths) * 2 * np.pi / (number * step) / spacing
    # the coefficients begin one node before 0
    start = place.astype(np.int32)
    return start, cubic(place - start)


def cubic(u: Any) -> Any:
    """Weights of the four cubic B-splines at fractions of a step, shape (..., 4).

    For NumPy and traced arrays.
    """
    v = 1 - u
    parts = [v**3, (3 * u - 6) * u**2 + 4, (3 * v - 6) * v**2 + 4, u**3]
    stack: Any = np.stack if isinstance(u, np.ndarray) else jnp.stack
    return stack(parts, axis=-1) / 6
