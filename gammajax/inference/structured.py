r"""A square root of the covariance of many parameters, without a matrix of all of them.

The precision of a posterior is half the Hessian of the statistic, :math:`P = H / 2`. Its
blocks by component have factors, :math:`P_b = L L^T`. In the coordinates that these give, the
precision is near one:

.. math:: A = L^{-1} P L^{-T} \approx 1 + U (\Lambda - 1) U^T

with the few eigenvectors U whose eigenvalues are far from 1: the norms of diffuse emission
against all sources, and sources that overlap. So

.. math:: S = L^{-T} \left(1 + U (\Lambda^{-1/2} - 1) U^T\right), \qquad S S^T \approx P^{-1}.

Memory grows with parameters times slots, and parameters times the rank; the time is that of
some hundred products of the Hessian with a vector.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.inference.blocks import Groups, block_matrices, groups_of
from gammajax.inference.cg_step import definite
from gammajax.inference.problem import Expansion, Problem
from gammajax.inference.products import hessian_times

RANK = 32
"""Eigenvectors that are looked for by default."""

MATTERS = 0.05
"""Eigenvalues whose logarithm is nearer to 0 are taken as 1."""

TINY = 1e-6
"""Least eigenvalue of a block, scaled to a unit diagonal, that is positive."""

FLOOR = 1e-4
"""Least eigenvalue; smaller and negative ones are taken as this."""


class StructuredHalf(eqx.Module):
    """S as an operator: ``half @ z`` and ``half.transposed(v)``.

    Attributes
    ----------
    groups : `~gammajax.inference.blocks.Groups`
    blocks : array, shape (group, slot, slot)
        :math:`L^{-T}` of each block.
    vectors : array, shape (n, rank)
    stretch : array, shape (rank,)
        :math:`\\Lambda^{-1/2} - 1`.
    scale : array, shape (n,)
        Factors on the result.
    mended : array, shape (group, slot, slot)
        What is added to the blocks of the Hessian that are not positive definite: such are
        those of sources at a bound, which are taken half an error inside.
    """

    groups: Groups
    blocks: Any
    vectors: Any
    stretch: Any
    scale: Any
    mended: Any

    def __matmul__(self, z: Any) -> Any:
        return self.from_groups(self.in_groups(z))

    def in_groups(self, z: Any) -> Any:
        """The vector that the blocks are applied to, by component, shape (group, slot)."""
        bent = z + self.vectors @ (self.stretch * (self.vectors.T @ z))
        return _taken(self.groups, bent)

    def from_groups(self, parts: Any) -> Any:
        """The blocks applied to such vectors, and scaled, shape (n,)."""
        return self.scale * _placed(self.groups, _times(self.blocks, parts))

    def errors(self) -> np.ndarray:
        """Square roots of the diagonal of S S', without the scale (host)."""
        groups = self.groups
        unit = np.asarray(self.blocks)[groups.group[:-1], groups.slot[:-1]]
        vectors = np.concatenate([np.asarray(self.vectors), np.zeros((1, len(self.stretch)))])
        member = groups.members[groups.group[:-1]]
        bent = np.einsum("ns,nsk->nk", unit, vectors[member])
        # S S' = B (1 + U (stretch^2 + 2 stretch) U') B'
        more = bent**2 @ (np.asarray(self.stretch) ** 2 + 2 * np.asarray(self.stretch))
        return np.sqrt(np.sum(unit**2, axis=1) + more)

    def unscaled(self) -> StructuredHalf:
        """The same with a scale of 1."""
        return eqx.tree_at(lambda half: half.scale, self, np.ones(np.shape(self.scale)))

    def transposed(self, v: Any) -> Any:
        """The transposed operator."""
        turned = jnp.swapaxes(jnp.asarray(self.blocks), 1, 2)
        parts = _taken(self.groups, self.scale * v)
        bent = _placed(self.groups, _times(turned, parts))
        return bent + self.vectors @ (self.stretch * (self.vectors.T @ bent))


def structured_half(problem: Problem, at: Expansion, rank: int = RANK) -> StructuredHalf:
    """S at a point, with ``scale`` 1.

    Parameters
    ----------
    problem : `~gammajax.inference.problem.Problem`
    at : `~gammajax.inference.problem.Expansion`
        At, or near, a minimum.
    rank : int
        Eigenvectors to look for at both ends of the spectrum; 0 for the blocks alone.
    """
    groups = groups_of(problem)
    fisher, hessian = block_matrices(at, groups)
    whole = np.asarray(definite(fisher, hessian - fisher))
    mended = np.where(_indefinite(hessian, whole)[:, None, None], whole - hessian, 0.0)
    precision = whole / 2
    empty = np.diagonal(precision, axis1=1, axis2=2) == 0
    precision = precision + empty[:, :, None] * np.eye(precision.shape[-1])
    factor = np.linalg.cholesky(precision)
    blocks = np.swapaxes(np.linalg.inv(factor), 1, 2)
    number = groups.group.size - 1
    half = StructuredHalf(
        groups, blocks, np.zeros((number, 0)), np.zeros(0), np.ones(number), mended
    )
    rank = min(rank, number - 1)
    if rank < 1:
        return half
    values, vectors = _ends(at, half, rank)
    values = np.maximum(values, FLOOR)
    matters = np.abs(np.log(values)) > MATTERS
    return eqx.tree_at(
        lambda h: (h.vectors, h.stretch),
        half,
        (vectors[:, matters], 1 / np.sqrt(values[matters]) - 1),
    )


@jax.jit
def whitened_product(at: Expansion, half: StructuredHalf, z: Any) -> Any:
    """The precision in the coordinates of a square root, times a vector: S' H S z / 2."""
    direction = half @ z
    mended = _placed(half.groups, _times(half.mended, _taken(half.groups, direction)))
    return half.transposed(hessian_times(at, direction) + mended) / 2


def _indefinite(blocks: Any, positive: np.ndarray) -> np.ndarray:
    """Which blocks have a direction that curves down, by the diagonals of positive ones."""
    diagonal = np.diagonal(positive, axis1=1, axis2=2)
    scale = np.where(diagonal > 0, 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0)), 0.0)
    scaled = np.asarray(blocks) * scale[:, :, None] * scale[:, None, :]
    empty = np.eye(scale.shape[1]) * (diagonal == 0)[:, :, None]
    return np.linalg.eigvalsh(scaled + empty)[:, 0] < TINY


def _taken(groups: Groups, vector: Any) -> Any:
    return jnp.append(vector, 0.0)[jnp.asarray(groups.members)]


def _placed(groups: Groups, parts: Any) -> Any:
    return parts[jnp.asarray(groups.group)[:-1], jnp.asarray(groups.slot)[:-1]]


def _times(blocks: Any, parts: Any) -> Any:
    return jnp.einsum("gst,gt->gs", blocks, parts)


def _ends(at: Expansion, half: StructuredHalf, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and vectors from both ends of the spectrum (host)."""
    from scipy.sparse import linalg

    number = half.scale.size

    def product(z: np.ndarray) -> np.ndarray:
        return np.asarray(whitened_product(at, half, np.ravel(z)))

    solver: Any = linalg
    operator = solver.LinearOperator((number, number), matvec=product, dtype=np.float64)
    if number <= 2 * rank:
        dense = np.stack([product(unit) for unit in np.eye(number)])
        return np.linalg.eigh((dense + dense.T) / 2)
    start = np.random.default_rng(0).normal(size=number)
    try:
        return solver.eigsh(operator, rank, which="BE", tol=1e-2, v0=start, maxiter=20)
    except linalg.ArpackNoConvergence as partial:
        vectors, _ = np.linalg.qr(partial.eigenvectors)
        return partial.eigenvalues, vectors
