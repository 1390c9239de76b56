"""The plan of a round fold: which pixels each source reaches, made once on the host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.fold.pixels import Surroundings
from gammajax.fold.round import Nodes

OPENING = 12.0
"""Far pixels are gathered in blocks that are seen under less than one over this, in rad."""

SIDES = (32, 16, 8, 4, 2)
"""Sides of the blocks, in pixels."""


@dataclass
class Occupied:
    """The bins of a dataset that have counts: place in the map, and reconstructed bin."""

    pixel: np.ndarray
    energy: np.ndarray
    vectors: np.ndarray


@dataclass
class Reach:
    """The disk that a source is followed in: its direction and radius in rad.

    ``extent`` is the radius of the source itself, within which there may be edges.
    """

    direction: np.ndarray
    radius: float
    extent: float

    def distance(self, vectors: np.ndarray) -> np.ndarray:
        """Angle from the source's direction, in rad."""
        return np.arccos(np.clip(vectors @ self.direction, -1, 1))


class Entries:
    """Entries as they are collected; each is a pixel, or a node of gathered sky.

    Parameters
    ----------
    orders : sequence of (distance, order)
        Nodes along the side of a pixel, from a distance on.
    shape : tuple of int
        Numbers of datasets and sources.
    size : int
        Bins of a dataset; the target of totals.
    borders : bool
        Integrate the nearest pixels over their borders.
    """

    def __init__(
        self,
        orders: Sequence[tuple[float, int]],
        shape: tuple[int, int],
        size: int,
        borders: bool,
    ) -> None:
        self.distances = np.array([distance for distance, _ in orders])
        self.orders = [order for _, order in orders]
        self.shape, self.size, self.borders = shape, size, borders
        self.vectors: list[np.ndarray] = []
        self.weights: list[np.ndarray] = []
        self.normals: list[np.ndarray] = []
        self.number = 0
        self.known: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
        self.rows: dict[tuple[int, int], list[Any]] = {}

    def add(
        self,
        place: tuple[int, int],
        pixels: Any,
        distance: np.ndarray,
        key: np.ndarray,
        energy: np.ndarray,
        target: np.ndarray,
        factor: float,
    ) -> None:
        """Entries of a dataset and source, by pixel; nodes by the distance from the source."""
        ring = np.searchsorted(self.distances[1:], distance, side="right")
        for number in np.unique(ring):
            kept = ring == number
            first, count = self._nodes(place[0], pixels, int(number), key[kept])
            self._append(place, first, count, energy[kept], target[kept], factor)

    def add_nodes(
        self,
        place: tuple[int, int],
        vectors: np.ndarray,
        weights: np.ndarray,
        energies: np.ndarray,
        factor: float,
    ) -> None:
        """Nodes of gathered sky, which go into the total of each of some energies."""
        first = self._store(vectors, weights, np.zeros_like(vectors)) + np.arange(weights.size)
        energy = np.repeat(energies, weights.size)
        target = np.full(energy.size, self.size)
        self._append(place, np.tile(first, energies.size), 1, energy, target, factor)

    def _append(self, place: Any, first: np.ndarray, count: int, *rest: Any) -> None:
        self.rows.setdefault(place, []).append((first, count, *rest))

    def _store(self, vectors: np.ndarray, weights: np.ndarray, normals: np.ndarray) -> int:
        start = self.number
        self.vectors.append(vectors.reshape(-1, 3))
        self.weights.append(weights.ravel())
        self.normals.append(normals.reshape(-1, 3))
        self.number += weights.size
        return start

    def _nodes(
        self, dataset: int, pixels: Any, ring: int, keys: np.ndarray
    ) -> tuple[np.ndarray, int]:
        """The first node of each pixel, and how many it has; new ones are made."""
        order = self.orders[ring]
        border = self.borders and ring == 0
        have, starts = self.known.get((dataset, ring), (np.zeros(0, int), np.zeros(0, int)))
        new = np.setdiff1d(keys, have)
        make = pixels.borders_of if border else pixels.nodes_of
        count = 4 * order if border else pixels.count_of(order)
        if new.size:
            vectors, weights = make(new, order)
            if border:
                first = self._store(vectors, np.zeros(vectors.shape[:-1]), weights)
            else:
                first = self._store(vectors, weights, np.zeros_like(vectors))
            starts = np.append(starts, first + count * np.arange(new.size))
            have = np.append(have, new)
            order_of = np.argsort(have)
            have, starts = have[order_of], starts[order_of]
            self.known[dataset, ring] = have, starts
        return starts[np.searchsorted(have, keys)], count

    def nodes(self) -> Nodes:
        """The nodes and entries of all datasets and sources, padded."""
        made = {place: self._row(parts) for place, parts in self.rows.items()}
        most = max((row[0].size for row in made.values()), default=1)
        entries = max((row[2].size for row in made.values()), default=0) + 1
        index = np.full((*self.shape, most), self.number, dtype=np.int32)
        entry = np.full((*self.shape, most), entries - 1, dtype=np.int32)
        energy = np.zeros((*self.shape, entries), dtype=np.int32)
        target = np.full((*self.shape, entries), self.size, dtype=np.int32)
        factor = np.zeros((*self.shape, entries))
        for place, row in made.items():
            for array, values in zip((index, entry, energy, target, factor), row, strict=True):
                array[place][: values.size] = values
        last = np.array([[1.0, 0.0, 0.0]])
        vectors = np.concatenate([*self.vectors, last])
        weights = np.concatenate([*self.weights, [0.0]])
        normals = np.concatenate([*self.normals, 0 * last]) if self.borders else None
        return Nodes(vectors, weights, normals, index, entry, energy, target, factor)

    def _row(self, parts: list[Any]) -> tuple[np.ndarray, ...]:
        index, entry, energy, target, factor, number = [], [], [], [], [], 0
        for first, count, energies, targets, sign in parts:
            index.append((first[:, None] + np.arange(count)).ravel())
            entry.append(np.repeat(number + np.arange(first.size), count))
            energy.append(energies)
            target.append(targets)
            factor.append(np.full(first.size, sign))
            number += first.size
        columns = (index, entry, energy, target, factor)
        return tuple(np.concatenate(column) for column in columns)


def occupied_entries(
    entries: Entries, place: tuple[int, int], bins: Occupied, pixels: Any, reach: Reach
) -> None:
    """Add the occupied bins that a source reaches."""
    cosine = bins.vectors @ reach.direction
    found = np.nonzero(cosine >= np.cos(min(reach.radius, np.pi)))[0]
    distance = reach.distance(bins.vectors[found]) - reach.extent
    key = pixels.key_of[bins.pixel[found]]
    entries.add(place, pixels, distance, key, bins.energy[found], found, 1.0)


def outside_entries(
    entries: Entries,
    place: tuple[int, int],
    masks: Sequence[tuple[np.ndarray, np.ndarray]],
    pixels: Any,
    reach: Reach,
    number: int,
    summed: bool,
) -> np.ndarray:
    """Add what makes up the total of a source; whether the whole plane counts, (energy,).

    Parameters
    ----------
    entries : `Entries`
    place : tuple of int
        Dataset and source.
    masks : sequence of (energies, mask)
        The different masks of pixels, and the reconstructed bins that have them.
    pixels : `~gammajax.fold.pixels.WcsPixels` or `HpxPixels`
    reach : `Reach`
    number : int
        Of reconstructed bins.
    summed : bool
        Whether to sum over the inside in any case, at the nodes of single pixels.
    """
    covered = np.zeros(number)
    around = pixels.around(reach.direction, reach.radius)
    if around.index.size == 0:
        return covered
    distance = reach.distance(around.vectors)
    # the source's own pixel has to be one of the map, so that the disk is complete
    known = around.index[np.argmin(distance)] >= 0
    for energies, mask in masks:
        inside = np.where(around.index >= 0, mask[around.index], False)
        if not inside.any():
            continue
        lacking = bool(known and not summed and (~inside).sum() <= inside.sum())
        covered[energies] = float(lacking)
        chosen = ~inside if lacking else inside
        if chosen.any():
            factor = -1.0 if lacking else 1.0
            _add_sky(entries, place, around, distance, chosen, energies, factor, pixels, summed)
    return covered


def _add_sky(
    entries: Entries,
    place: tuple[int, int],
    around: Surroundings,
    distance: np.ndarray,
    chosen: np.ndarray,
    energies: np.ndarray,
    factor: float,
    pixels: Any,
    summed: bool,
) -> None:
    chosen = chosen.copy()
    if not summed and around.column is not None:
        for side in SIDES:
            gathered = _gather(around, distance, chosen, side, side * pixels.size * OPENING)
            if gathered is not None:
                entries.add_nodes(place, *gathered, energies, factor)
    single = np.nonzero(chosen)[0]
    if single.size:
        repeated = np.tile(single, energies.size)
        energy = np.repeat(energies, single.size)
        total = np.full(repeated.size, entries.size)
        key = around.key[repeated]
        entries.add(place, pixels, distance[repeated], key, energy, total, factor)


def _gather(
    around: Surroundings, distance: np.ndarray, chosen: np.ndarray, side: int, least: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """Join the chosen pixels of far blocks into their centroids, and unmark them."""
    assert around.column is not None
    assert around.row is not None
    found = np.nonzero(chosen)[0]
    if found.size == 0:
        return None
    row, column = around.row[found] // side, around.column[found] // side
    _, group = np.unique(np.stack([row, column]), axis=1, return_inverse=True)
    nearest = np.full(group.max() + 1, np.inf)
    np.minimum.at(nearest, group, distance[found])
    kept = nearest[group] > least
    if not kept.any():
        return None
    pixel = found[kept]
    _, group = np.unique(group[kept], return_inverse=True)
    chosen[pixel] = False
    return _four_nodes(around.vectors[pixel], around.areas[pixel], group)


def _four_nodes(
    vectors: np.ndarray, areas: np.ndarray, group: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Four nodes for each group of pixels, with the mean and the covariance of its sky.

    A function is then integrated to third order in the size of the group.
    """

    def summed(values: np.ndarray) -> np.ndarray:
        columns = (areas[:, None] * values).T
        return np.stack([np.bincount(group, column) for column in columns], axis=-1)

    weight = np.bincount(group, areas)
    mean = summed(vectors) / weight[:, None]
    offset = vectors - mean[group]
    outer = (offset[:, :, None] * offset[:, None, :]).reshape(-1, 9)
    spread = (summed(outer) / weight[:, None]).reshape(-1, 3, 3)
    # the largest two of the three axes lie in the sky; a pixel has an extension of its own
    values, axes = np.linalg.eigh(spread)
    own = np.bincount(group, areas**2) / weight / 12
    step = np.sqrt(2 * (np.maximum(values[:, 1:], 0) + own[:, None]))
    shift = step[:, None, :] * axes[:, :, 1:]
    nodes = np.stack([mean + s * shift[:, :, i] for s in (1, -1) for i in (0, 1)], axis=1)
    nodes /= np.linalg.norm(nodes, axis=-1, keepdims=True)
    return nodes.reshape(-1, 3), np.repeat(weight / 4, 4)
