"""Sky gathered in blocks: what the total of a source needs of the far sky.

The total of a source is an integral over the mask, or over what is outside of it. Far from
the source its density is smooth, so pixels are joined in blocks with four nodes that have the
mean and the covariance of their sky. The blocks form a tree, made once for a mask; a source
takes a block where it is seen under a small angle, and opens it where it is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

OPENING = 12.0
"""A block is taken if its side is seen under less than one over this, in rad."""

SIDES = (32, 16, 8, 4, 2)
"""Sides of the blocks, in pixels."""


@dataclass
class Level:
    """The blocks of one size, in the order of the larger blocks that they are in.

    Attributes
    ----------
    nodes : array, shape (block, 4, 3)
    weights : array, shape (block,), in sr
    first : array of int, shape (block + 1,)
        Where the parts of each block begin, among the blocks of the next level or the pixels.
    """

    nodes: np.ndarray
    weights: np.ndarray
    first: np.ndarray


class GatheredSky:
    """The tree of some pixels of a projection.

    Parameters
    ----------
    pixels : `~gammajax.fold.pixels.WcsPixels`
    keys : array of int
        The pixels.
    """

    def __init__(self, pixels: Any, keys: np.ndarray) -> None:
        self.size = pixels.size
        column, row = pixels.column[keys], pixels.row[keys]
        column, row = column - column.min(), row - row.min()
        addresses = [
            row // side * (column.max() // side + 1) + column // side for side in SIDES
        ]
        order = np.lexsort(addresses[::-1])
        self.keys = keys[order]
        vectors, areas = pixels.vectors[self.keys], pixels.areas[self.keys]
        starts = [np.arange(keys.size + 1)]
        groups = []
        change = np.zeros(keys.size, dtype=bool)
        for address in addresses:
            ordered = address[order]
            change[1:] |= ordered[1:] != ordered[:-1]
            change[0] = True
            groups.append(np.cumsum(change) - 1)
            starts.append(np.append(np.nonzero(change)[0], keys.size))
        self.levels = []
        for number, group in enumerate(groups):
            nodes, weights = four_nodes(vectors, areas, group)
            finer = starts[number + 2] if number + 1 < len(groups) else starts[0]
            first = np.searchsorted(finer, starts[number + 1])
            self.levels.append(Level(nodes.reshape(-1, 4, 3), weights, first))

    def seen_from(
        self, direction: np.ndarray, radius: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Nodes and weights of the blocks, and the single pixels, within a radius (rad)."""
        nodes, weights = [], []
        block = np.arange(len(self.levels[0].weights))
        for side, level in zip(SIDES, self.levels, strict=True):
            middle = level.nodes[block].mean(axis=1) @ direction
            distance = np.arccos(np.clip(middle, -1, 1))
            near = distance < radius + side * self.size
            far = distance > side * self.size * OPENING
            taken = block[near & far]
            nodes.append(level.nodes[taken].reshape(-1, 3))
            weights.append(np.repeat(level.weights[taken] / 4, 4))
            block = _parts(level.first, block[near & ~far])
        return np.concatenate(nodes), np.concatenate(weights), self.keys[block]


def _parts(first: np.ndarray, block: np.ndarray) -> np.ndarray:
    """The parts of some blocks, one after the other."""
    count = first[block + 1] - first[block]
    offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(first[block], count) + offset


def four_nodes(
    vectors: np.ndarray, areas: np.ndarray, group: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Four nodes for each group of pixels, with the mean and the covariance of its sky.

    A function is then integrated to third order in the size of the group.

    Returns
    -------
    nodes : array, shape (group * 4, 3)
    weights : array, shape (group,), in sr
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
    return nodes.reshape(-1, 3), weight
