"""Drawing directions from spatial models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gammajax.maps import frame_rotation
from gammajax.models.spatial.base import SpatialModel
from gammajax.models.spectral.evaluation import call
from gammajax.simulate.cells import cells_of, density, span_of
from gammajax.simulate.field import Vectors, separation
from gammajax.simulate.laws import pick, shares

RADII = 1024
"""Cells along the radius of a round shape; they are narrow near its middle."""

ANGLES = 128
"""Cells around an ellipse."""


@dataclass(frozen=True, eq=False)
class Point:
    """A point."""

    vector: np.ndarray
    total: float = 1.0

    def span(self, pointing: np.ndarray) -> tuple[float, float]:
        """Least and largest distance from a direction, in deg."""
        return _span(self.vector, 0.0, pointing)

    def draw(self, rng: np.random.Generator, n: int) -> Vectors:
        """``n`` times the same direction."""
        return np.repeat(self.vector[:, None], n, axis=1)


@dataclass(frozen=True, eq=False)
class Cap:
    """The same brightness within a circle around a direction, in radians."""

    vector: np.ndarray
    radius: float
    value: float

    @property
    def total(self) -> float:
        """The integral over the circle."""
        return self.value * 4 * np.pi * np.sin(self.radius / 2) ** 2

    def span(self, pointing: np.ndarray) -> tuple[float, float]:
        """Least and largest distance from a direction, in deg."""
        return _span(self.vector, self.radius, pointing)

    def draw(self, rng: np.random.Generator, n: int) -> Vectors:
        """``n`` directions."""
        half = np.sqrt(rng.random(n)) * np.sin(self.radius / 2)
        return _around(self.vector, 2 * np.arcsin(half), 2 * np.pi * rng.random(n))


@dataclass(frozen=True, eq=False)
class Shape:
    """A round or elliptical shape, in cells of radius and of the eccentric anomaly.

    With the distance c(b) t at the anomaly b, and the axis ratio q,

    .. math:: dP = s(c t; c) \\, \\sin(c t) \\, \\frac{q}{c} \\, dt \\, db, \\quad
              c^2 = \\cos^2 b + q^2 \\sin^2 b
    """

    vector: np.ndarray
    ratio: float
    angle: float
    radii: np.ndarray
    weights: np.ndarray
    total: float = 1.0

    @classmethod
    def of(cls, model: Any, vector: np.ndarray, turn: float) -> Shape:
        """The cells of a model; ``turn`` is the angle from its north to that of ICRS."""
        ratio, angle = (float(x) for x in call(model, "stretch"))
        if not model.eccentric_names or ratio == 1:
            anomaly, ratio = np.zeros(1), 1.0
        else:
            anomaly = np.pi / 2 * (np.arange(ANGLES) + 0.5) / ANGLES
        size = np.sqrt(np.cos(anomaly) ** 2 + ratio**2 * np.sin(anomaly) ** 2)[:, None]
        reach = min(1.2 * float(np.asarray(call(model, "outer_radius"))), np.pi)
        radii = reach * np.linspace(0, 1, RADII + 1) ** 2
        middle = np.sqrt((radii[1:] ** 2 + radii[:-1] ** 2) / 2)
        theta = np.minimum(size * middle, np.pi)
        profile = np.asarray(call(model, "shape", theta, size + 0 * theta))
        weights = profile * np.sin(theta) / size * np.diff(radii)
        return cls(vector, ratio, angle + turn, radii, weights)

    def span(self, pointing: np.ndarray) -> tuple[float, float]:
        """Least and largest distance from a direction, in deg."""
        return _span(self.vector, self.radii[-1], pointing)

    @cached_property
    def _below(self) -> np.ndarray:
        return shares(self.weights.ravel())

    def draw(self, rng: np.random.Generator, n: int) -> Vectors:
        """``n`` directions."""
        row, cell = np.divmod(pick(rng, self._below, n), RADII)
        low, high = self.radii[cell] ** 2, self.radii[cell + 1] ** 2
        radius = np.sqrt(low + rng.random(n) * (high - low))
        if len(self.weights) == 1:
            return _around(self.vector, radius, 2 * np.pi * rng.random(n))
        anomaly = np.pi / 2 * (row + rng.random(n)) / ANGLES
        # the cells are those of one quarter, and the others are its mirror images
        right, up = 2 * rng.integers(0, 2, (2, n)) - 1
        along, across = up * np.cos(anomaly), right * self.ratio * np.sin(anomaly)
        return _around(
            self.vector, radius * np.hypot(along, across),
            self.angle + np.arctan2(across, along),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Tabulated:
    """Any density, constant over each of some cells."""

    cells: Any
    values: np.ndarray

    @cached_property
    def total(self) -> float:
        """The integral over the cells."""
        return float(np.sum(self.values * self.cells.areas))

    def span(self, pointing: np.ndarray) -> tuple[float, float]:
        """Least and largest distance from a direction, in deg."""
        return span_of(self.cells, pointing)

    @cached_property
    def _below(self) -> np.ndarray:
        return shares(self.values * self.cells.areas)

    def draw(self, rng: np.random.Generator, n: int) -> Vectors:
        """``n`` directions."""
        return self.cells.draw(rng, pick(rng, self._below, n))


def _span(vector: np.ndarray, radius: float, pointing: np.ndarray) -> tuple[float, float]:
    middle, size = float(separation(vector, pointing)), float(np.rad2deg(radius))
    return max(middle - size, 0.0), min(middle + size, 180.0)


def to_icrs(model: Any, vectors: np.ndarray) -> np.ndarray:
    """Vectors in the frame of a model, shape (3, ...), in ICRS."""
    return frame_rotation(model.frame, "icrs") @ vectors


def place_of(model: SpatialModel, centre: np.ndarray, radius: float) -> Any:
    """What draws directions from a model at one energy.

    Parameters
    ----------
    model : `~gammajax.models.SpatialModel`
    centre, radius
        A circle (ICRS, radians) that holds everything that the telescope sees. Shapes
        without a centre are drawn within it.
    """
    if model.KIND == "uniform":
        return Cap(centre, radius, float(np.asarray(call(model, "evaluate", 0.0, 0.0))))
    if model.KIND in ("point", "radial"):
        own = np.asarray(call(model, "centre"))
        if model.KIND == "point":
            return Point(to_icrs(model, own))
        return Shape.of(model, to_icrs(model, own), _turn(model, own))
    cells = cells_of(model, centre, radius)
    return Tabulated(cells, density(model, cells.vectors))


def _around(vector: np.ndarray, distance: np.ndarray, angle: np.ndarray) -> Vectors:
    """Directions at distances (radians) and position angles (east of north) from one."""
    east, north = _axes(vector)
    cos, sin = np.cos(distance), np.sin(distance)
    right, up = sin * np.sin(angle), sin * np.cos(angle)
    return np.stack([
        cos * v + right * e + up * n for v, e, n in zip(vector, east, north, strict=True)
    ])  # fmt: skip


def _axes(vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where east and north lie from a direction."""
    east = np.array([-vector[1], vector[0], 0.0])
    size = np.linalg.norm(east)
    east = east / size if size > 1e-12 else np.array([0.0, 1.0, 0.0])
    return east, np.cross(vector, east)


def _turn(model: SpatialModel, own: np.ndarray) -> float:
    """The position angle in ICRS of the north of a model's frame."""
    _, north = _axes(own)
    east_icrs, north_icrs = _axes(to_icrs(model, own))
    turned = to_icrs(model, north)
    return float(np.arctan2(turned @ east_icrs, turned @ north_icrs))
