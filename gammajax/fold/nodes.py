"""How many nodes a pixel needs, found by trying.

A spread is integrated over pixels at several distances with more and more Gauss-Legendre
nodes, until each is right to `TOLERANCE` of the brightest pixel, and until all together are
right to `TOTAL` of the whole. Near a point there are nodes on the borders of pixels instead.
Far from it one node does that reads the mean of the spread over a pixel, where pixels are
nearly squares of one size; it is tried with the sides that they have. All depends on the
dataset alone and on no parameter: the statistic stays smooth.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.fold.radial import DENSITY, MEAN, RadialGrid

TOLERANCE = 3e-4
"""Error of a pixel's integral, in units of the integral of the pixel at the centre."""

BORDERS = 1e-4
"""The same for nodes on the borders of pixels; what one pixel has too much, others lack."""

TOTAL, TOTAL_OF_POINTS = 3e-5, 2e-6
"""Error of the sum over all pixels beyond a distance, in units of the whole spread.

The second is for points, and for the narrowest spread: extended sources and other spreads are
smoother.
"""

ONE_OF_MEAN = 0
"""Stands for one node that reads the mean over a pixel."""

MEANS = 4e-6
"""The same for means over pixels, if all pixels were in one direction from the source."""

ORDERS = (1, 2, 3, 4, 5, 6, 8, 10, 12)
REFERENCE, COARSE_REFERENCE = 24, 8

SAMPLES = 60
ANGLES = np.linspace(0, np.pi / 2, 7)
"""Pixels tried: at these many distances, and in these directions from the source, in rad."""

RINGS, RINGS_OF_MEANS = (0.0, 3.0, 8.0), (3.0, 5.0, 8.0, 24.0)
"""Distances in pixels from which on another number of nodes may serve, or the mean."""

PIXELS = 24
"""Pixels of a map whose sides are looked at."""


def node_orders(
    grid: RadialGrid,
    values: np.ndarray,
    size: float,
    extended: bool,
    sides: np.ndarray,
    borders: bool,
) -> tuple[tuple[float, int], ...]:
    """Numbers of nodes along the side of a pixel, by distance from the source.

    Parameters
    ----------
    grid : `~gammajax.fold.radial.RadialGrid`
        With means over pixels, for points.
    values : array, shape (number, n)
        Spreads at the nodes of the grid, the narrowest one first. One that is some pixels wide
        has most where the narrowest one has nothing any more, so each of them counts.
    size : float
        Side of a pixel, in rad.
    extended : bool
        Whether the sources are extended; they have two nodes to a side everywhere, because
        their tails are steep where the spread has ended.
    sides : array, shape (pixel, 2), in rad
        Of some pixels, see `sides_of`.
    borders : bool
        Whether the nearest pixels are integrated over their borders.

    Returns
    -------
    orders : tuple of (distance, order)
        The order holds from the distance (in rad) on; the first distance is 0. The last one
        may be `ONE_OF_MEAN`.
    """

    def trials(ring: float) -> list[_Trial]:
        totals = [TOTAL if extended else TOTAL_OF_POINTS] + [TOTAL] * (len(values) - 1)
        pairs = list(zip(values, totals, strict=True))
        return [_Trial(grid, *pair, size, ring) for pair in (pairs if ring else pairs[:1])]

    found: list[tuple[float, int]] = []
    means = () if extended else RINGS_OF_MEANS
    kinds = np.unique(np.round(sides / size, 4), axis=0)
    served = (r for r in means if all(trial.mean_serves(kinds) for trial in trials(r)))
    last = next(served, np.inf)
    if borders:
        found.append((0.0, max(trial.border_order() for trial in trials(0.0))))
    # borders have fewer nodes than the area of a pixel has near them
    for ring in () if borders and last < RINGS[-1] else RINGS[int(borders) :]:
        if ring >= last:
            break
        order = max(trial.order() for trial in trials(ring))
        order = max(order, 2 if extended else 1)
        if not found or order < found[-1][1]:
            found.append((ring * size, order))
    return (*found, (last * size, ONE_OF_MEAN)) if np.isfinite(last) else tuple(found)


def reading_of(order: int) -> tuple[int, int]:
    """Nodes along the side of a pixel, and the spline that they read, for one of the orders."""
    return (1, MEAN) if order == ONE_OF_MEAN else (order, DENSITY)


def sides_of(pixels: Any) -> np.ndarray:
    """Lengths and widths of some of the pixels of a map, in rad, shape (pixel, 2).

    They are those of a rectangle with the same second moments; pixels beyond the sky of a
    projection are left out.
    """
    steps = np.arange(PIXELS) * (np.sqrt(5) - 1) / 2 % 1
    places = np.append((steps * pixels.number).astype(int), pixels.number - 1)
    corners = pixels.corners_of(pixels.key_of[places])
    first = (corners[:, 1] - corners[:, 0] + corners[:, 2] - corners[:, 3]) / 2
    other = (corners[:, 3] - corners[:, 0] + corners[:, 2] - corners[:, 1]) / 2
    moments = np.stack([first, other], axis=2) @ np.stack([first, other], axis=1)
    seen = np.isfinite(moments).all(axis=(1, 2))
    return np.sqrt(np.linalg.eigvalsh(moments[seen])[:, 1:])


class _Trial:
    """A spread in pixels from a distance on; lengths are in units of the side of a pixel.

    Parameters
    ----------
    grid, values
        See `node_orders`; one spread.
    total : float
        Error that the sum over all pixels may have.
    size : float
    ring : float
        The distance.
    """

    def __init__(
        self, grid: RadialGrid, values: np.ndarray, total: float, size: float, ring: float
    ) -> None:
        from scipy.interpolate import CubicSpline

        theta = np.asarray(grid.theta)
        self.grid, self.values, self.size, self.end = grid, values, size, theta[-1]
        self.smooth = CubicSpline(grid.place(theta), values)
        last = max(theta[-1] / size, ring + 2)
        self.distance = ring + np.linspace(0, np.sqrt(last - ring), SAMPLES) ** 2
        self.peak = self._integral(REFERENCE, (1.0, 1.0), np.zeros(1), np.zeros(1))[0]
        self.x, self.y = (np.outer(self.distance, f(ANGLES)) for f in (np.cos, np.sin))
        whole = 2 * np.pi * np.trapezoid(values * theta, theta) / size**2
        self.most, self.most_of_all, self.whole = TOLERANCE * self.peak, total * whole, whole

    def order(self) -> int:
        """The smallest number of nodes along a side that serves."""
        exact = self.mean(REFERENCE)
        for order in ORDERS:
            if self._is_right(self.mean(order) - exact):
                return order
        return ORDERS[-1]

    def mean_serves(self, sides: np.ndarray) -> bool:
        """Whether the mean of the grid serves for pixels of all these sides."""
        distance = self.size * self.distance
        found = np.where(distance < self.end, self._spline(self.grid.to_mean)(distance), 0.0)
        return all(
            self._serves(found[:, None] - self.mean(COARSE_REFERENCE, own)) for own in sides
        )

    def border_order(self) -> int:
        """The smallest number of nodes on each side of a border that serves."""
        grid = self.grid
        spline = self._spline(grid.to_flux)
        exact = self.mean(REFERENCE)
        x, y = self.x, self.y

        def over_border(order: int) -> np.ndarray:
            """By Gauss's theorem, of the flux g times the vector from the source."""
            place, share = np.polynomial.legendre.leggauss(order)
            found = np.zeros(x.shape)
            for across, along in ((x, y), (y, x)):
                for side in (0.5, -0.5):
                    radius = np.hypot((across + side)[..., None], along[..., None] + place / 2)
                    flux = spline(self.size * radius) @ share / 2
                    found += np.sign(side) * (across + side) * flux
            return found

        for order in ORDERS:
            if np.abs(over_border(order) - exact).max() <= BORDERS * self.peak:
                return order
        return ORDERS[-1]

    def mean(self, order: int, sides: Any = (1.0, 1.0)) -> np.ndarray:
        """Means over pixels at all distances and angles, shape (distance, angle)."""
        found = self._integral(order, sides, self.x.ravel(), self.y.ravel())
        return found.reshape(self.x.shape)

    def _integral(self, order: int, sides: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        place, share = np.polynomial.legendre.leggauss(order)
        dx = x[:, None, None] + sides[0] * place[:, None] / 2
        dy = y[:, None, None] + sides[1] * place[None, :] / 2
        distance = self.size * np.hypot(dx, dy)
        value = self.smooth(self.grid.place(np.minimum(distance, self.end)))
        value = np.where(distance < self.end, value, 0.0)
        return np.einsum("nij,i,j->n", value, share, share) / 4

    def _spline(self, kind: Any) -> Any:
        """A function of distance (rad) from the coefficients of the density."""
        from scipy.interpolate import BSpline

        grid = self.grid
        knots = np.arange(-3.0, grid.theta.size + 3)
        spline = BSpline(knots, np.asarray(kind) @ (grid.prefilter @ self.values), 3)
        return lambda theta: spline(grid.place(np.minimum(theta, self.end)))

    def _serves(self, error: np.ndarray) -> bool:
        """Whether errors are small in each direction: a mask may leave out the others."""
        of_all = 2 * np.pi * np.trapezoid(self.distance[:, None] * error, self.distance, axis=0)
        return self._is_right(error) and bool(np.abs(of_all).max() <= MEANS * self.whole)

    def _is_right(self, error: np.ndarray) -> bool:
        """Whether errors at all distances and angles are small enough."""
        distance = self.distance
        around = np.trapezoid(error, ANGLES, axis=1) / ANGLES[-1]
        of_all = 2 * np.pi * np.trapezoid(distance * around, distance)
        return bool(np.abs(error).max() <= self.most and abs(of_all) <= self.most_of_all)
