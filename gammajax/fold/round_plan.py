"""The plan of a round fold: which pixels each source reaches, made once on the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gammajax.fold.nodes import reading_of
from gammajax.fold.occupied import Occupied
from gammajax.fold.options import FoldOptions
from gammajax.fold.radial import DENSITY, FLUX
from gammajax.fold.round import Ring
from gammajax.fold.rows import NOWHERE


class Entries:
    """Entries as they are collected; each is a pixel, or a node of gathered sky.

    Parameters
    ----------
    orders : sequence of (distance, order)
        Nodes along the side of a pixel, from a distance on.
    number : int
        Of rows.
    borders : bool
        Integrate the nearest pixels over their borders.
    keys : bool
        Keep the pixel of each entry.
    """

    def __init__(
        self,
        orders: Sequence[tuple[float, int]],
        number: int,
        borders: bool,
        keys: bool = False,
    ) -> None:
        self.distances = np.array([distance for distance, _ in orders])
        self.orders = [order for _, order in orders]
        self.number, self.borders, self.keys = number, borders, keys
        self.vectors: list[np.ndarray] = []
        self.weights: list[np.ndarray] = []
        self.normals: list[np.ndarray] = []
        self.stored = 0
        self.known: dict[tuple[int, int], np.ndarray] = {}
        self.found: dict[tuple[int, int], dict[int, list[Any]]] = {}
        self.far: list[list[Any]] = [[] for _ in range(number)]

    def add(
        self,
        row: int,
        dataset: int,
        pixels: Any,
        distance: np.ndarray,
        key: np.ndarray,
        energy: np.ndarray,
        target: np.ndarray,
        factor: float = 0.0,
    ) -> None:
        """Entries of a row, by pixel; nodes by the distance from the source.

        ``target`` is a bin, or `NOWHERE` for entries that count ``factor`` into the total.
        """
        ring = np.searchsorted(self.distances[1:], distance, side="right")
        for number in np.unique(ring):
            kept = ring == number
            _, spline = self._reading(int(number))
            first, count = self._nodes(dataset, pixels, int(number), key[kept])
            index = first[:, None] + np.arange(count)
            self._append(row, index, spline, energy[kept], target[kept], factor, key[kept])

    def add_nodes(
        self,
        row: int,
        vectors: np.ndarray,
        weights: np.ndarray,
        pairs: tuple[np.ndarray, np.ndarray],
        factor: float,
    ) -> None:
        """Nodes of gathered sky, which go into totals, for some energies each.

        That is needed where the exposure is taken at the nodes, after the spread.
        """
        energy, node = pairs
        first = self._store(vectors, weights, np.zeros_like(vectors))
        nowhere, key = np.full(node.size, NOWHERE), np.full(node.size, -1)
        self._append(row, (first + node)[:, None], DENSITY, energy, nowhere, factor, key)

    def add_far(
        self, row: int, vectors: np.ndarray, weights: np.ndarray, part: int, factor: float
    ) -> None:
        """Nodes of gathered sky that count into totals, at all energies of a part."""
        first = self._store(vectors, weights, np.zeros_like(vectors))
        self.far[row].append((first + np.arange(weights.size), part, factor))

    def _append(
        self, row: int, index: np.ndarray, spline: int, energy: Any, target: Any, *rest: Any
    ) -> None:
        small = [array.astype(np.int32) for array in (index, energy, target)]
        ring = self.found.setdefault((index.shape[1], spline), {})
        ring.setdefault(row, []).append((*small, *rest))

    def _reading(self, ring: int) -> tuple[int, int]:
        """Nodes along the side of the pixels of a ring, and the spline that they read."""
        if self.borders and ring == 0:
            return self.orders[ring], FLUX
        return reading_of(self.orders[ring])

    def _store(self, vectors: np.ndarray, weights: np.ndarray, normals: np.ndarray) -> int:
        start = self.stored
        self.vectors.append(vectors.reshape(-1, 3))
        self.weights.append(weights.ravel())
        self.normals.append(normals.reshape(-1, 3))
        self.stored += weights.size
        return start

    def _nodes(
        self, dataset: int, pixels: Any, ring: int, keys: np.ndarray
    ) -> tuple[np.ndarray, int]:
        """The first node of each pixel, and how many it has; new ones are made."""
        order, spline = self._reading(ring)
        border = spline == FLUX
        make = pixels.borders_of if border else pixels.nodes_of
        count = 4 * order if border else pixels.count_of(order)
        if (dataset, ring) not in self.known:
            self.known[dataset, ring] = np.full(pixels.n_keys, -1, dtype=np.int64)
        starts = self.known[dataset, ring]
        new = np.unique(keys[starts[keys] < 0])
        if new.size:
            vectors, weights = make(new, order)
            if border:
                first = self._store(vectors, np.zeros(vectors.shape[:-1]), weights)
            else:
                first = self._store(vectors, weights, np.zeros_like(vectors))
            starts[new] = first + count * np.arange(new.size)
        return starts[keys], count

    def nodes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All nodes with weights and normals; those at the end have neither."""
        lacking = rounded(self.stored + 1) - self.stored
        last = np.tile([[1.0, 0.0, 0.0]], (lacking, 1))
        return (
            np.concatenate([*self.vectors, last]),
            np.concatenate([*self.weights, np.zeros(lacking)]),
            np.concatenate([*self.normals, 0 * last]),
        )

    def rings(self) -> tuple[tuple[Ring, ...], np.ndarray]:
        """The entries of all rows, padded, and their targets, shape (row, entry)."""
        rings, targets = [], []
        for (count, spline), rows in sorted(self.found.items()):
            joined = {row: joined_parts(parts) for row, parts in rows.items()}
            most = rounded(max(index.shape[0] for index, *_ in joined.values()))
            shape = (self.number, most)
            ring = Ring(
                index=np.full((*shape, count), self.stored, dtype=np.int32),
                energy=np.zeros(shape, dtype=np.int32),
                to_total=np.zeros(shape, dtype=np.float32),
                key=np.zeros(shape, dtype=np.int64) if self.keys else None,
                exposure=None,
                spline=spline,
            )
            target = np.full(shape, NOWHERE, dtype=np.int32)
            for row, (index, energy, place, factor, key) in joined.items():
                used = index.shape[0]
                ring.index[row, :used] = index
                ring.energy[row, :used] = energy
                ring.to_total[row, :used] = factor
                if self.keys:
                    ring.key[row, :used] = key
                target[row, :used] = place
            rings.append(ring)
            targets.append(target)
        if not rings:
            return (), np.zeros((self.number, 0), dtype=np.int32)
        return tuple(rings), np.concatenate(targets, axis=1)


def joined_parts(parts: Sequence[Any]) -> tuple[np.ndarray, ...]:
    """Index, energy, target, factor and key of the entries of a row and kind."""
    index, energy, target, key = (
        np.concatenate([part[i] for part in parts]) for i in (0, 1, 2, 4)
    )
    factor = np.concatenate([np.broadcast_to(part[3], part[0].shape[0]) for part in parts])
    return index, energy, target, factor, key


def rounded(number: int) -> int:
    """A number rounded up by at most a quarter, so that few shapes are compiled for."""
    step = 1 << max(number.bit_length() - 3, 0)
    return -(-number // step) * step


def occupied_entries(
    entries: Entries,
    row: int,
    dataset: int,
    bins: Occupied,
    pixels: Any,
    direction: np.ndarray,
    radii: np.ndarray,
    extent: float,
) -> None:
    """Add the occupied bins that a source reaches.

    Parameters
    ----------
    radii : array, shape (energy,)
        How far the source is followed in each reconstructed bin, in rad.
    extent : float
        Radius within which the source may have edges, in rad.
    """
    found, cosine = bins.within(direction, radii)
    distance = np.arccos(np.clip(cosine, -1, 1)) - extent
    key = pixels.key_of[bins.pixel[found]]
    entries.add(row, dataset, pixels, distance, key, bins.energy[found], found)


def total_entries(
    entries: Entries,
    row: int,
    dataset: int,
    item: Any,
    direction: np.ndarray,
    radii: np.ndarray,
    extent: float,
    options: FoldOptions,
) -> np.ndarray:
    """Add what makes up the total of a source; whether the whole plane counts, (energy,).

    Parameters
    ----------
    entries : `Entries`
    row, dataset : int
    item : `~gammajax.fold.map_data.MapData`
    direction : array, shape (3,)
    radii : array, shape (energy,)
        How far the source is followed in each reconstructed bin, in rad.
    extent : float
        Radius within which the source may have edges, in rad.
    options : `~gammajax.fold.options.FoldOptions`
        Totals are summed over the inside if it says so, at the nodes of single pixels; and if
        the exposure is taken after the spread, in blocks.
    """
    summed = options.totals == "sum"
    covered = np.zeros(item.mask.shape[0])
    pixels = item.pixels
    radius = float(radii.max())
    around = pixels.around(direction, radius)
    if around.index.size == 0:
        return covered
    distance = np.arccos(np.clip(around.vectors @ direction, -1, 1))
    # the source's own pixel has to be one of the map, so that the disk is complete
    known = around.index[np.argmin(distance)] >= 0
    for number, (energies, mask) in enumerate(item.masks):
        inside = np.where(around.index >= 0, mask[around.index], False)
        if not inside.any():
            continue
        lacking = bool(known and not summed and (~inside).sum() <= inside.sum())
        lacking = lacking and not options.psf_first
        covered[energies] = float(lacking)
        chosen = ~inside if lacking else inside
        if not chosen.any():
            continue
        factor, keys = (-1.0 if lacking else 1.0), around.key[chosen]
        tree = None if summed else item.gathered(number, not lacking)
        if tree is not None:
            nodes, weights, keys = tree.seen_from(direction, radius)
            if options.psf_first:
                pairs, _ = _reached(nodes, direction, energies, radii)
                entries.add_nodes(row, nodes, weights, pairs, factor)
            else:
                near = nodes @ direction >= np.cos(min(radius, np.pi))
                entries.add_far(row, nodes[near], weights[near], number, factor)
        vectors = pixels.vectors_of(keys)
        (energy, single), distance = _reached(vectors, direction, energies, radii)
        nowhere = np.full(single.size, NOWHERE)
        far = distance[single] - extent
        entries.add(row, dataset, pixels, far, keys[single], energy, nowhere, factor)
    return covered


def _reached(
    vectors: np.ndarray, direction: np.ndarray, energies: np.ndarray, radii: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Pairs of energy and place within the radius of the energy, and the distances."""
    distance = np.arccos(np.clip(vectors @ direction, -1, 1))
    energy, place = np.nonzero(distance <= radii[energies][:, None])
    return (energies[energy], place), distance
