"""The second derivatives of a statistic by component: small dense blocks.

Each free parameter belongs to one component (the first one that has it), so the parameters
fall into groups, and the matrix of second derivatives has a block for each. What is outside
of the blocks is the overlap of sources.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.fold.slopes import MapSlopes, RowBends
from gammajax.inference.problem import Expansion, Problem, owners


class Groups(NamedTuple):
    """Which free parameters belong together.

    Attributes
    ----------
    members : array of int, shape (group, slot)
        Places among the active parameters; their number where padded.
    group, slot : array of int, shape (active + 1,)
        Where each active parameter is among the members; the last entry is for none, and
        has the group -1.
    """

    members: Any
    group: Any
    slot: Any


def groups_of(problem: Problem) -> Groups:
    """The active parameters by component (host)."""
    owner = np.asarray(owners(problem))
    number = owner.size
    _, group, sizes = np.unique(owner, return_inverse=True, return_counts=True)
    order = np.argsort(group, kind="stable")
    first = np.cumsum(sizes) - sizes
    slot = np.zeros(number, dtype=np.int64)
    slot[order] = np.arange(number) - np.repeat(first, sizes)
    members = np.full((sizes.size, int(sizes.max())), number)
    members[group, slot] = np.arange(number)
    return Groups(members, np.append(group, -1), np.append(slot, 0))


@jax.jit
def block_matrices(at: Expansion, groups: Groups) -> tuple[Any, Any]:
    """Blocks of the Fisher matrix and of the Hessian.

    Parameters
    ----------
    at : `~gammajax.inference.problem.Expansion`
    groups : `Groups`

    Returns
    -------
    fisher, hessian : array, shape (group, slot, slot)
        0 where a slot is padded. Of components that share a parameter, what each of them
        gives is added up, and what they give together is left out.
    """
    fisher, observed = _of_slopes(at, groups)
    bends = jnp.zeros_like(fisher)
    for bend in at.bends:
        if isinstance(bend, RowBends):
            bends = bends + _gathered(bend.blocks, bend.column, groups)
        else:
            rows, columns = groups.members[:, :, None], groups.members[:, None, :]
            bends = bends + bend.dense().at[rows, columns].get(mode="fill", fill_value=0.0)
    prior = jnp.append(at.prior, 0.0)[groups.members][:, :, None] * jnp.eye(fisher.shape[-1])
    return fisher + prior, observed + bends + prior


def _of_slopes(at: Expansion, groups: Groups) -> tuple[Any, Any]:
    count, size = groups.members.shape
    fisher = observed = jnp.zeros((count, size, size))
    for slopes, part in zip(at.slopes, at.bins, strict=True):
        if isinstance(slopes, MapSlopes):
            for one in slopes.parts:
                found = _gathered(one.blocks(part.expected), one.column, groups)
                same = part.expected is part.bend
                bent = found if same else _gathered(one.blocks(part.bend), one.column, groups)
                fisher, observed = fisher + found, observed + bent
            continue
        matrix = slopes.matrix.reshape(slopes.matrix.shape[0], -1)
        matrix = matrix.at[groups.members].get(mode="fill", fill_value=0.0)
        for_fisher = jnp.einsum("gsb,b,gtb->gst", matrix, part.expected.ravel(), matrix)
        fisher = fisher + for_fisher
        observed = observed + jnp.einsum("gsb,b,gtb->gst", matrix, part.bend.ravel(), matrix)
    return fisher, observed


def _gathered(blocks: Any, column: Any, groups: Groups) -> Any:
    """Blocks of rows (row, slot, slot), summed into those of groups."""
    count, size = groups.members.shape
    group, slot = jnp.asarray(groups.group)[column], jnp.asarray(groups.slot)[column]
    same = (group[:, :, None] == group[:, None, :]) & (group[:, :, None] >= 0)
    where = jnp.where(same, group[:, :, None], count)
    found = jnp.zeros((count, size, size))
    place = where, slot[:, :, None], slot[:, None, :]
    return found.at[place].add(blocks, mode="drop")
