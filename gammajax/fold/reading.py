r"""Reading splines of distance at nodes: linear in the splines, and linear in weights.

A node n at the distance q of a source takes four coefficients of the spline of its energy,

.. math:: \sum_k W_{n k}(p) \, c_{e_n, j_n + k},
          \qquad W_{n k} = \omega_n \, B_k(q_n(p)),

and, of a source with a size, those of the dipole along two tangents. The place p of the source
is in the weights alone; the cells j change only where the splines join, with two derivatives.
So derivatives by the place are those of a function of single nodes, and the coefficients are
looked up once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.fold.picked import dots, offsets, picked
from gammajax.fold.radial import FLUX


class Nodes(NamedTuple):
    """Nodes as seen from a source.

    ``offset`` has three components, ``q`` is their square, where splines are read, and
    ``share`` is what the nodes count as.
    """

    offset: Any
    q: Any
    share: Any


def ring_nodes(fold: Any, direction: Any, rings: Sequence[Any]) -> Nodes:
    """The nodes of all rings of a row, one ring after the other.

    Nodes of an entry stand an entry's number apart: sums over them are sums of rows.
    """
    index = jnp.concatenate([ring.index.T.ravel() for ring in rings])
    offset = offsets(jnp.asarray(fold.vectors), index, direction)
    q: Any = sum(x * x for x in offset)
    shares, squares, first = [], [], 0
    for ring in rings:
        some = slice(first, first + ring.index.size)
        first, own = some.stop, q[some]
        if ring.spline == FLUX and fold.transform is not None:
            # beyond the grid, the flux is that of all that is inside
            last = fold.transform.grid.end
            flux = dots(jnp.asarray(fold.normals), index[some], direction)
            shares.append(flux * jnp.where(own > last, last / jnp.maximum(own, last), 1.0))
            squares.append(jnp.minimum(own, last))
        else:
            shares.append(picked(fold.areas, index[some]))
            squares.append(own)
    return Nodes(offset, jnp.concatenate(squares), jnp.concatenate(shares))


def far_nodes(fold: Any, direction: Any, gathered: Any) -> Nodes:
    """The nodes of gathered sky of a row."""
    offset = offsets(jnp.asarray(fold.vectors), gathered.index, direction)
    share = picked(fold.areas, gathered.index) * gathered.factor
    return Nodes(offset, sum(x * x for x in offset), share)


def read_at(fold: Any, spatial: Any, nodes: Nodes, tangents: Any) -> tuple[Any, Any]:
    """The first coefficient that each node reads, and the weights of those from it on.

    These are what nodes count as times what they read, shape (part, 4, node). Without a spread
    the shape itself is there: no coefficients, and weights of the shape (node,).

    Parameters
    ----------
    fold : `~gammajax.fold.round.RoundFold`
    spatial : the shape, where there is no spread
    nodes : `Nodes`
    tangents : array, shape (2, 3)
    """
    if fold.transform is None:
        theta = 2 * jnp.arcsin(jnp.sqrt(nodes.q + 1e-24) / 2)
        return None, spatial.radial(theta) * nodes.share
    parts = [nodes.share]
    if fold.extended:
        for tangent in tangents:
            along = sum(x * t for x, t in zip(nodes.offset, tangent, strict=True))
            parts.append(nodes.share * along)
    start, basis = fold.transform.grid.basis(nodes.q)
    return start, jnp.stack([basis * part for part in parts])


def read_rings(
    fold: Any, table: Any, start: Any, weights: Any, rings: Sequence[Any]
) -> list[Any]:
    """Sums over the nodes of each entry, ring by ring.

    Parameters
    ----------
    fold : `~gammajax.fold.round.RoundFold`
    table : array, shape (line, n + 2, part)
        Splines of distance.
    start, weights : array
        See `read_at`.
    rings : sequence of `~gammajax.fold.round.Ring`
    """
    line = jnp.concatenate([jnp.tile(r.energy, r.index.shape[1]) for r in rings])
    if fold.transform is None:
        return _by_ring(table[line, 0, 0] * weights, rings)
    _, size, parts = table.shape
    energies = fold.covered.shape[1]
    kind = np.concatenate([np.full(r.index.size, energies * r.spline) for r in rings])
    first = (line + kind) * size + start
    found = jnp.zeros(first.shape)
    # one by one: a sum over an axis of products of what was looked up takes ten times as long
    for part in range(parts):
        flat = table[..., part].ravel()
        for k in range(4):
            found = found + picked(flat, first + k) * weights[part, k]
    return _by_ring(found, rings)


def _by_ring(nodes: Any, rings: Sequence[Any]) -> list[Any]:
    """Values of nodes summed over those of each entry, ring by ring."""
    # made once, and not anew inside of each sum
    nodes = jax.lax.optimization_barrier(nodes)
    first, found = 0, []
    for ring in rings:
        here = nodes[first : first + ring.index.size]
        found.append(jnp.sum(here.reshape(ring.index.shape[::-1]), axis=0))
        first += ring.index.size
    return found
