"""Drawing from densities of one variable, on the host."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


def shares(weights: np.ndarray) -> np.ndarray:
    """The share of all weights up to each of them, 0 first; shape (n + 1,).

    Examples
    --------
    >>> print(shares(np.array([1.0, 3.0])))
    [0.   0.25 1.  ]
    """
    total = np.append(0.0, np.cumsum(weights, dtype=np.float64))
    return total / total[-1] if total[-1] > 0 else total


def pick(
    rng: np.random.Generator, below: np.ndarray, n: int, *, ordered: bool = False
) -> np.ndarray:
    """``n`` cells, each as often as its step in ``below``, see `shares`, says.

    Cells that come in order are found faster, here and in what is looked up for them. At most
    one property of an event may be drawn in order, or else two would go together.
    """
    u = rng.random(n)
    if ordered:
        u.sort()
    cell = np.searchsorted(below, u, side="right") - 1
    return np.minimum(cell, below.size - 2)


@dataclass(frozen=True, eq=False)
class Line:
    """A density that is linear between nodes, and not negative.

    Parameters
    ----------
    nodes, density : array, shape (n,)
    """

    nodes: np.ndarray
    density: np.ndarray

    @cached_property
    def parts(self) -> np.ndarray:
        """The integral of each cell."""
        return np.diff(self.nodes) * (self.density[1:] + self.density[:-1]) / 2

    @cached_property
    def _below(self) -> np.ndarray:
        return shares(self.parts)

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """``n`` values, by the inverse of the quadratic that each cell integrates to.

        They come in the order of their cells.
        """
        cell = pick(rng, self._below, n, ordered=True)
        place = along(rng, self.density[cell], self.density[cell + 1])
        start = self.nodes[cell]
        return start + place * (self.nodes[cell + 1] - start)


def along(rng: np.random.Generator, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Places from 0 to 1, drawn from densities that go from ``low`` to ``high``."""
    part = rng.random(low.size) * (low + high) / 2
    root = low + np.sqrt(np.maximum(low**2 + 2 * (high - low) * part, 0.0))
    return np.minimum(2 * part / np.where(root > 0, root, 1.0), 1.0)


def locate(nodes: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cell that each x lies in, and the place in it from 0 to 1; ends hold beyond."""
    cell = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, nodes.size - 2)
    place = (x - nodes[cell]) / (nodes[cell + 1] - nodes[cell])
    return cell, np.clip(place, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Grid:
    """Nodes of ln(energy / TeV) and of offset in deg; one offset alone stands for all.

    Parameters
    ----------
    log_energy : array, shape (n,), at least two
    offset : array, shape (m,)
    """

    log_energy: np.ndarray
    offset: np.ndarray

    def corners(self, log_energy: np.ndarray, offset: Any) -> tuple[np.ndarray, np.ndarray]:
        """Flat numbers of the nodes around points, and their weights; shape (corner, point)."""
        size = self.offset.size
        row, up = locate(self.log_energy, log_energy)
        if size == 1:
            return np.stack([row, row + 1]), np.stack([1 - up, up])
        column, right = locate(self.offset, offset)
        first = row * size + column
        nodes = np.stack([first, first + 1, first + size, first + size + 1])
        weights = [(1 - up) * (1 - right), (1 - up) * right, up * (1 - right), up * right]
        return nodes, np.stack(weights)

    def at(self, table: np.ndarray, log_energy: np.ndarray, offset: Any) -> np.ndarray:
        """A table on the grid, shape (n, m), interpolated."""
        nodes, weights = self.corners(log_energy, offset)
        return np.einsum("cp,cp->p", table.ravel()[nodes], weights)


@dataclass(frozen=True, eq=False)
class Laws:
    """Densities of one variable at the nodes of a grid, and mixtures of them between.

    A density that is linear between nodes is such a mixture. Each is constant over the
    variable, or over its square, in bins that all share.

    Parameters
    ----------
    grid : `Grid`
    edges : array, shape (bin + 1,)
    weights : array, shape (n, m, bin)
        What each bin holds; the sum may be 0, where there is no law.
    power : {1, 2}
        Whether a bin is drawn from evenly in the variable, or in its square.
    """

    grid: Grid
    edges: np.ndarray
    weights: np.ndarray
    power: int = 1

    @cached_property
    def _mass(self) -> np.ndarray:
        return self.weights.sum(axis=-1).ravel()

    @cached_property
    def _below(self) -> np.ndarray:
        """What lies below the end of each bin: one ascending list for the laws of all nodes.

        One search in it finds node and bin; the whole part is the number of the node.
        """
        rows = self.weights.reshape(-1, self.edges.size - 1)
        mass = np.where(self._mass > 0, self._mass, 1.0)[:, None]
        below = np.minimum(np.cumsum(rows, axis=1) / mass, 1.0)
        return (below + np.arange(len(rows))[:, None]).ravel()

    def draw(
        self, rng: np.random.Generator, log_energy: np.ndarray, offset: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """A value for each point, and whether there is a law at all."""
        nodes, weights = self.grid.corners(log_energy, offset)
        reached = np.cumsum(weights * self._mass[nodes], axis=0)
        chosen = (rng.random(reached.shape[1]) * reached[-1] >= reached[:-1]).sum(axis=0)
        row = np.take_along_axis(nodes, chosen[None], axis=0)[0]
        size = self.edges.size - 1
        found = np.searchsorted(self._below, row + rng.random(row.size), side="right")
        place = found - row * size
        place = np.clip(place, 0, size - 1)
        low, high = self.edges[place] ** self.power, self.edges[place + 1] ** self.power
        value = low + rng.random(row.size) * (high - low)
        return value if self.power == 1 else np.sqrt(value), reached[-1] > 0
