"""How many nodes a pixel needs, found by trying.

A spread is integrated over pixels at several distances with more and more Gauss-Legendre
nodes, until each is right to `TOLERANCE` of the brightest pixel, and until all together are
right to `TOTAL` of the whole. The numbers depend on the dataset alone and
on no parameter: the statistic stays smooth.
"""

from __future__ import annotations

import numpy as np

from gammajax.fold.radial import RadialGrid

TOLERANCE = 3e-4
"""Error of a pixel's integral, in units of the integral of the pixel at the centre."""

TOTAL, TOTAL_OF_POINTS = 3e-5, 2e-6
"""Error of the sum over all pixels beyond a distance, in units of the whole spread.

The second is for points, and for the narrowest spread: extended sources and other spreads are
smoother.
"""

ORDERS = (1, 2, 3, 4, 5, 6, 8, 10, 12)
REFERENCE = 24

SAMPLES = 60
ANGLES = np.array([0.0, 0.3, 0.6, np.pi / 4])
"""Pixels tried: at these many distances, and in these directions from the source, in rad."""

RINGS = (0.0, 3.0, 8.0)
"""Distances in pixels from which on another number of nodes may serve."""


def node_orders(
    grid: RadialGrid, values: np.ndarray, size: float, extended: bool
) -> tuple[tuple[float, int], ...]:
    """Numbers of nodes along the side of a pixel, by distance from the source.

    Parameters
    ----------
    grid : `~gammajax.fold.radial.RadialGrid`
    values : array, shape (number, n)
        Spreads at the nodes of the grid, the narrowest one first. One that is some pixels wide
        has most where the narrowest one has nothing any more, so each of them counts.
    size : float
        Side of a pixel, in rad.
    extended : bool
        Whether the sources are extended; they have two nodes to a side everywhere, because
        their tails are steep where the spread has ended.

    Returns
    -------
    orders : tuple of (distance, order)
        The order holds from the distance (in rad) on; the first distance is 0.
    """
    found: list[tuple[float, int]] = []
    for ring in RINGS:
        order = 2 if extended else 1
        for number, row in enumerate(values if ring else values[:1]):
            total = TOTAL if extended or number else TOTAL_OF_POINTS
            order = _needed(grid, row, size, ring, total, order)
        if not found or order < found[-1][1]:
            found.append((ring * size, order))
    return tuple(found)


def _needed(
    grid: RadialGrid, values: np.ndarray, size: float, ring: float, total: float, least: int
) -> int:
    """The first of `ORDERS` from ``least`` on that does for one spread."""
    from scipy.interpolate import CubicSpline

    theta = np.asarray(grid.theta)
    smooth = CubicSpline(grid.place(theta), values)

    def integral(order: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        place, share = np.polynomial.legendre.leggauss(order)
        dx = x[:, None, None] + place[:, None] / 2
        dy = y[:, None, None] + place[None, :] / 2
        distance = size * np.hypot(dx, dy)
        value = smooth(grid.place(np.minimum(distance, theta[-1])))
        value = np.where(distance < theta[-1], value, 0.0)
        return np.einsum("nij,i,j->n", value, share, share) / 4

    last = max(theta[-1] / size, ring + 2)
    distance = ring + np.linspace(0, np.sqrt(last - ring), SAMPLES) ** 2
    x, y = (np.outer(distance, f(ANGLES)) for f in (np.cos, np.sin))
    exact = integral(REFERENCE, x.ravel(), y.ravel())
    peak = integral(REFERENCE, np.zeros(1), np.zeros(1))[0]
    whole = 2 * np.pi * np.trapezoid(values * theta, theta) / size**2
    for order in (order for order in ORDERS if order >= least):
        error = (integral(order, x.ravel(), y.ravel()) - exact).reshape(x.shape)
        ring_error = 2 * np.pi * np.trapezoid(distance * error.mean(axis=1), distance)
        if np.abs(error).max() <= TOLERANCE * peak and abs(ring_error) <= total * whole:
            return order
    return ORDERS[-1]
