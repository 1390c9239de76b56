r"""Radial functions on the sky: splines of distance, and their transforms.

A round function is kept as the coefficients of a cubic B-spline in

.. math:: w = \tfrac12 \ln(1 + q / q_c), \qquad q = |n - n_0|^2,

with the squared chord q between two unit vectors. It is even and smooth at the centre,
where the distance itself is not, and its nodes are spaced by the distance far out: the tails
cost a few nodes. Values and first two derivatives are continuous everywhere.

Two round functions are convolved in Hankel space. The transform is a discrete one on
logarithmic grids of distance and wavenumber (FFTLog), which is exactly invertible: a source of
no size leaves the point spread function as it is. All transforms are matrices made once on
the host. They are those of flat space, good to 1e-4 while source and spread stay
within 1.3 deg.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.fold.splines import (
    CUBIC,
    STEP,
    flux_matrix,
    mean_matrix,
    nodes_of,
    number_of,
    place_of,
    prefilter_of,
    spline_areas,
)

CORE = 0.25
"""Scale at which the nodes of distance go from quadratic to even, in radii of 68 %."""

FAINT = 1e-100
"""Part of its largest value below which a spread is 0."""

LOG_STEP = 0.025
"""Distance of the nodes of the transform in the logarithm."""

WRAP = 1e-5
"""How far the logarithmic grids go beyond what is tabulated, so that their ends do not meet."""

DENSITY, FLUX, MEAN = 0, 1, 2
"""Splines of a point that nodes read: its density, what flows through borders, and the mean of
the density over a pixel around the node."""

LOW_END, HIGH_END = 0.002, 40.0
"""Wavenumbers kept, in units of one over the largest and over the smallest scale."""


class RadialGrid(eqx.Module):
    """Where a round function is tabulated.

    Attributes
    ----------
    core : float
        Square root of q_c, in rad.
    theta : array, shape (n,)
        Distances of the nodes, in rad.
    prefilter : array, shape (n + 2, n)
        From values at the nodes to spline coefficients.
    areas : array, shape (n + 2,)
        What each spline integrates to over the sphere, in sr.
    to_flux : array, shape (n + 2, n + 2)
        From coefficients of a density to those of its flux through borders.
    to_mean : array, shape (n + 2, n + 2), or None if no node reads it
        From coefficients of a density to those of its mean over a square pixel, which is turned
        all around its middle.
    """

    core: float = eqx.field(static=True, converter=float)
    theta: Any
    prefilter: Any
    areas: Any
    to_flux: Any
    to_mean: Any = None

    @classmethod
    def create(cls, core: float, largest: float) -> RadialGrid:
        """A grid from 0 to ``largest`` (rad); functions are 0 beyond.

        Parameters
        ----------
        core : float
            Distances much smaller than this are resolved by their squares, in rad.
        largest : float
        """
        n = number_of(core, largest)
        areas = spline_areas(core, n)
        return cls(core, nodes_of(core, n), prefilter_of(n), areas, flux_matrix(core, n))

    def with_means(self, side: float) -> RadialGrid:
        """The grid with means over pixels of a side (rad)."""
        return dataclasses.replace(self, to_mean=mean_matrix(self.core, self.theta.size, side))

    @property
    def end(self) -> float:
        """The last squared chord at which functions are not 0."""
        return (1 - 1e-9) * self.core**2 * float(np.expm1(2 * STEP * (self.theta.size - 1)))

    def place(self, theta: Any) -> np.ndarray:
        """The number of the node at a distance (rad), as a fraction; on the host."""
        return place_of(self.core, theta)

    def basis(self, q: Any) -> tuple[Any, Any]:
        """The first of the four coefficients that matter at ``q``, and their weights.

        Returns
        -------
        start : array of int, as ``q``
        weights : array, shape (4, ...)
            With derivatives as if ``start`` stayed.
        """
        last = self.theta.size - 2
        w = jnp.log1p(q / self.core**2) * (0.5 / STEP)
        start = jnp.clip(w.astype(jnp.int32), 0, last)
        u = jnp.clip(w - start, 0.0, 1.0)
        # taken once, and not anew for each of the four
        u, inside = jax.lax.optimization_barrier((u, w < last + 1))
        one, first, second, third = CUBIC.reshape(4, 4, *(1,) * u.ndim)
        cubic = one + u * (first + u * (second + u * third))
        return start, jnp.where(inside, cubic, 0.0)

    def sums(self, weights: Any, start: Any, group: Any = 0, groups: int = 1) -> Any:
        """Sums over points of their weights for each coefficient.

        Parameters
        ----------
        weights : array, shape (part, 4, point)
            Of `basis`, times what points count as.
        start : array of int, shape (point,)
        group : array of int, shape (point,)
            What each point is summed into.
        groups : int

        Returns
        -------
        sums : array, shape (part, groups, n + 2)
        """
        size = self.prefilter.shape[0]
        index = group * size + start + jnp.arange(4)[:, None]
        found = jnp.zeros((weights.shape[0], groups * size))
        found = found.at[:, index].add(weights, mode="promise_in_bounds")
        return found.reshape(-1, groups, size)


class SpreadTransform(eqx.Module):
    """The matrices that take tables of a spread to splines, and through a convolution.

    Tables are values at the nodes of the grid.

    Attributes
    ----------
    grid : `RadialGrid`
    wavenumber : array, shape (k,), or None without transforms
    to_hankel : array, shape (k, n)
        Of a table, to its transform.
    from_hankel : array, shape (n + 2, k)
        Of a transform, to the coefficients of the function.
    dipole : array, shape (n + 2, k)
        Of a transform, to the coefficients of its part of order 1, over the distance.
    """

    grid: RadialGrid
    wavenumber: Any = None
    to_hankel: Any = None
    from_hankel: Any = None
    dipole: Any = None

    @classmethod
    def create(cls, grid: RadialGrid, *, extended: bool) -> SpreadTransform:
        """The matrices for a grid.

        Parameters
        ----------
        grid : `RadialGrid`
        extended : bool
            Whether there are sources to convolve with; only then there are transforms.
        """
        if not extended:
            return cls(grid)
        theta, spline = np.asarray(grid.theta), np.asarray(grid.prefilter)
        core, largest = grid.core / CORE, float(theta[-1])
        log_theta, k, forward, inverse, first = _hankel(*_log_range(core, largest))
        used = (k > LOW_END / largest) & (k < HIGH_END / core)
        to_nodes = spline @ _spline_matrix(log_theta, np.log(np.maximum(theta, 1e-12)))
        inside = np.exp(log_theta) <= largest
        from_nodes = np.zeros((log_theta.size, theta.size))
        from_nodes[inside] = _spline_matrix(
            grid.place(theta), grid.place(np.exp(log_theta[inside]))
        )
        return cls(
            grid=grid,
            wavenumber=k[used],
            to_hankel=forward[used] @ from_nodes,
            from_hankel=to_nodes @ inverse[:, used],
            dipole=to_nodes @ first[:, used],
        )


def resampled(grid: RadialGrid, rad: np.ndarray, tables: np.ndarray) -> np.ndarray:
    """Tables at the nodes of a grid, normalised to 1 as splines; 0 where empty.

    Between the given distances a monotone cubic is taken: it neither overshoots, nor adds
    to the tails as straight lines do.

    Parameters
    ----------
    grid : `RadialGrid`
    rad : array, shape (rad,), in rad
    tables : array, shape (energy, rad, ...)

    Returns
    -------
    tables : array, shape (energy, n, ...)
    """
    from scipy.interpolate import PchipInterpolator

    whole = number_of(grid.core, float(rad[-1]))
    # ratios of fainter values overflow
    seen = tables > FAINT * tables.max(axis=1, keepdims=True)
    smooth = PchipInterpolator(rad, np.where(seen, tables, 0.0), axis=1)

    def at(theta: np.ndarray) -> np.ndarray:
        values = smooth(np.clip(theta, rad[0], rad[-1]))
        outside = (theta > rad[-1]).reshape(-1, *(1,) * (values.ndim - 2))
        return np.where(outside, 0.0, values)

    weights = prefilter_of(whole).T @ spline_areas(grid.core, whole)
    total = np.tensordot(weights, at(nodes_of(grid.core, whole)), axes=(0, 1))[:, None]
    found = at(np.asarray(grid.theta))
    return np.divide(found, total, out=np.zeros_like(found), where=total > 0)


def _log_range(core: float, largest: float) -> tuple[float, int]:
    """Logarithm of the first distance and number of nodes, a power of two or near one."""
    from scipy.fft import next_fast_len

    low, high = np.log(core * WRAP), np.log(largest / WRAP)
    number: Any = next_fast_len(int(np.ceil((high - low) / LOG_STEP)))
    return float(low), int(number)


@lru_cache(maxsize=16)
def _hankel(low: float, n: int) -> tuple[np.ndarray, ...]:
    r"""Distances, wavenumbers and the matrices of the transform on logarithmic grids.

    With :math:`F(k) = 2 \pi \int f(\theta) J_0(k \theta) \theta d\theta`, the function at
    distance :math:`\theta` is :math:`\int F(k) J_0(k\theta) k dk / 2 \pi`. The last matrix
    gives :math:`\int F(k) J_1(k \theta) k dk / (2 \pi \theta)`.
    """
    from scipy.fft import fht, fhtoffset, ifht

    log_theta = low + LOG_STEP * np.arange(n)
    theta = np.exp(log_theta)
    eye = np.eye(n)
    matrices = []
    for order in (0.0, 1.0):
        offset = fhtoffset(LOG_STEP, mu=order, initial=0.0)
        # k_j = exp(offset) / r_(n-1-j)
        k = np.exp(offset) / theta[::-1]
        matrices.append(
            (k, fht(eye, LOG_STEP, order, offset), ifht(eye, LOG_STEP, order, offset))
        )
    (k, first, back), (k_one, _, back_one) = matrices
    forward = 2 * np.pi * (theta[:, None] * first / k).T
    inverse = (k[:, None] * back / theta).T / (2 * np.pi)
    shift = _spline_matrix(np.log(k), np.log(k_one))
    one = ((k_one[:, None] * back_one / theta**2).T / (2 * np.pi)) @ shift
    return log_theta, k, forward, inverse, one


def _spline_matrix(nodes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The matrix of cubic spline interpolation, constant beyond the nodes."""
    from scipy.interpolate import CubicSpline

    return CubicSpline(nodes, np.eye(nodes.size))(np.clip(points, nodes[0], nodes[-1]))
