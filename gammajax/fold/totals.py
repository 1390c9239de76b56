r"""The far sky in expected totals: nodes that stand for blocks of it.

A total is a sum over nodes, and each node has the same distance at all energies. So the basis
functions of the splines are summed over the nodes first,

.. math:: H_j = \sum_n w_n B_j(\theta_n), \qquad T_e = \sum_j c_{e j} H_j,

once for each part of the sky that some energies share, and the energies cost a small product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np


class Gathered(eqx.Module):
    """Nodes of gathered sky.

    Attributes
    ----------
    index : array of int, shape (row, node)
        Into the nodes of the fold.
    group : array of int, shape (row, node)
        The part of the sky that a node belongs to; parts go with masks.
    factor : array, shape (row, node)
        1 or -1, and 0 for padding.
    part : array of int, shape (row, energy)
        The part of the sky that counts for each reconstructed bin.
    parts : int
        Their number; nothing is in the last one.
    """

    index: Any
    group: Any
    factor: Any
    part: Any
    parts: int = eqx.field(static=True)

    @classmethod
    def create(
        cls, found: Sequence[Sequence[Any]], part: np.ndarray, parts: int, size: Any
    ) -> Gathered | None:
        """The nodes of rows, padded; None if there are none.

        Parameters
        ----------
        found : sequence of sequence of (index, group, factor)
            By row: the indices of some nodes, with their part of the sky and their sign.
        part : array of int, shape (row, energy)
        parts : int
        size : function
            Rounds the number of nodes up.
        """
        numbers = [sum(index.size for index, *_ in row) for row in found]
        if not any(numbers):
            return None
        shape = len(found), size(max(numbers))
        index, group = np.zeros((2, *shape), dtype=np.int32)
        factor = np.zeros(shape)
        for row, pieces in enumerate(found):
            end = 0
            for own, number, sign in pieces:
                here = slice(end, end + own.size)
                index[row, here], group[row, here], factor[row, here] = own, number, sign
                end += own.size
        return cls(index, group, factor, part, parts)


def read_far(fold: Any, table: Any, start: Any, weights: Any, gathered: Gathered) -> Any:
    """What the nodes of one row add to its total, shape (energy,).

    Parameters
    ----------
    fold : `~gammajax.fold.round.RoundFold`
    table : array, shape (energy or more, node, part)
        Splines of distance.
    start, weights : array
        See `~gammajax.fold.reading.read_at`.
    gathered : `Gathered`
        One row of it.
    """
    table = table[: gathered.part.size]
    if fold.transform is None:
        sums = jnp.zeros(gathered.parts).at[gathered.group].add(weights)
        return table[:, 0, 0] * sums[gathered.part]
    sums = fold.transform.grid.sums(weights, start, gathered.group, gathered.parts)
    return jnp.einsum("ejp,pej->e", table, sums[:, gathered.part])
