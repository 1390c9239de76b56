"""Directions that depend on energy: mixtures of those at a few energies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gammajax.models.spatial.template_map import DENSITY, energies
from gammajax.simulate.cells import MOST, cells_of, density, span_of
from gammajax.simulate.directions import Tabulated, place_of
from gammajax.simulate.field import Vectors
from gammajax.simulate.laws import locate, pick, shares

NODES = 256
"""Energies at which a shape that changes with energy is worked out."""


@dataclass(frozen=True, eq=False)
class Fixed:
    """Directions that do not depend on energy."""

    place: Any

    def factor(self, log_energy: np.ndarray) -> np.ndarray:
        """The integral of the density over directions, at ln(energy / TeV)."""
        return np.full(log_energy.shape, self.place.total)

    def span(self, pointing: np.ndarray) -> tuple[float, float]:
        """Least and largest distance from a direction, in deg."""
        return self.place.span(pointing)

    def draw(
        self, rng: np.random.Generator, log_energy: np.ndarray
    ) -> tuple[Vectors, np.ndarray | None]:
        """A direction for each energy, and which of them to keep (None: all)."""
        return self.place.draw(rng, log_energy.size), None


@dataclass(frozen=True, eq=False)
class Mixture:
    """Directions whose density is linear in ln(energy) between nodes."""

    nodes: np.ndarray
    places: tuple[Any, ...]

    def factor(self, log_energy: np.ndarray) -> np.ndarray:
        """See `Fixed`."""
        return np.interp(log_energy, self.nodes, [place.total for place in self.places])

    def span(self, pointing: np.ndarray) -> tuple[float, float]:
        """See `Fixed`."""
        least, most = zip(*(place.span(pointing) for place in self.places), strict=True)
        return min(least), max(most)

    def draw(
        self, rng: np.random.Generator, log_energy: np.ndarray
    ) -> tuple[Vectors, np.ndarray | None]:
        """See `Fixed`."""
        node, up = locate(self.nodes, log_energy)
        totals = np.array([place.total for place in self.places])
        low, high = (1 - up) * totals[node], up * totals[node + 1]
        node = node + (rng.random(node.size) * (low + high) >= low)
        vectors = np.empty((3, node.size))
        for k in np.unique(node):
            here = np.flatnonzero(node == k)
            vectors[:, here] = self.places[k].draw(rng, here.size)
        return vectors, None


@dataclass(frozen=True, eq=False)
class Brightness:
    """A brightness in cells of the sky, a power law between energies in each.

    Cells are drawn from lines between the energies, which lie above the power laws, and kept
    as often as the ratio of the two says.
    """

    nodes: np.ndarray
    cells: Any
    values: np.ndarray

    @cached_property
    def _totals(self) -> np.ndarray:
        return self.values @ self.cells.areas

    @cached_property
    def _below(self) -> list[np.ndarray]:
        return [shares(row * self.cells.areas) for row in self.values]

    def factor(self, log_energy: np.ndarray) -> np.ndarray:
        """See `Fixed`."""
        return np.interp(log_energy, self.nodes, self._totals)

    def span(self, pointing: np.ndarray) -> tuple[float, float]:
        """See `Fixed`."""
        return span_of(self.cells, pointing)

    def draw(
        self, rng: np.random.Generator, log_energy: np.ndarray
    ) -> tuple[Vectors, np.ndarray | None]:
        """See `Fixed`."""
        below, up = locate(self.nodes, log_energy)
        low, high = (1 - up) * self._totals[below], up * self._totals[below + 1]
        node = below + (rng.random(below.size) * (low + high) >= low)
        cell = np.empty(node.size, dtype=np.int64)
        for k in np.unique(node):
            here = np.flatnonzero(node == k)
            cell[here] = pick(rng, self._below[k], here.size)
        first, last = self.values[below, cell], self.values[below + 1, cell]
        line = (1 - up) * first + up * last
        law = np.where((first > 0) & (last > 0), first, 1.0) ** (1 - up)
        law = np.where((first > 0) & (last > 0), law * last**up, 0.0)
        kept = rng.random(node.size) * line < law
        return self.cells.draw(rng, cell), kept


def directions(
    model: Any, centre: np.ndarray, radius: float, bounds: tuple[float, float]
) -> Any:
    """What draws directions from a model.

    Parameters
    ----------
    model : `~gammajax.models.SpatialModel`
    centre, radius
        A circle (ICRS, radians) that holds everything that the telescope sees.
    bounds : tuple of float
        Energies in TeV between which directions are drawn.
    """
    if model.KIND == "template":
        known = energies(model.geom) if model.has_energy else np.zeros(0)
        inner = known[(known > bounds[0]) & (known < bounds[1])]
        return _template(model, centre, radius, np.array([bounds[0], *inner, bounds[1]]))
    if not model.has_energy:
        return Fixed(place_of(model, centre, radius))
    at = np.geomspace(*bounds, NODES)
    return Mixture(
        np.log(at), tuple(place_of(model.at_energy(energy), centre, radius) for energy in at)
    )


def _template(model: Any, centre: np.ndarray, radius: float, at: np.ndarray) -> Any:
    if not model.has_energy:
        return Fixed(place_of(model, centre, radius))
    cells = cells_of(model, centre, radius, MOST // at.size)
    vectors = cells.vectors
    values = np.stack([density(model, vectors, energy) for energy in at])
    if model.unit != DENSITY:
        return Brightness(np.log(at), cells, values)
    return Mixture(np.log(at), tuple(Tabulated(cells, row) for row in values))
