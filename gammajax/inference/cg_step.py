r"""One Newton step of many parameters, by conjugate gradients.

Solves :math:`(M + \lambda D) d = -g`, where M is known as an operator: the slopes of each
component times weights of the bins, and back. One product costs as much as a gradient,
whatever the number of parameters. The preconditioner inverts the block of each component,
which takes away what its own parameters do to each other; what is left is the overlap of
sources, and the norms of diffuse emission.

M is the Fisher matrix, and the exact Hessian for components that are near their minimum. The
block of each such component is made positive definite first: where its eigenvalues (in
coordinates with a unit Fisher diagonal) are below `LEAST`, their magnitudes are used, or
`LEAST`. An eigenvalue that is small because the Fisher matrix is small along its vector is
kept: amplitude and index of a source go together where the reference energy is far from that
of its photons, and a search would crawl along what they share.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gammajax.fold.slopes import MapSlopes, RowBends, gathered
from gammajax.inference.newton import movable
from gammajax.inference.problem import (
    Expansion,
    Problem,
    by_owner,
    owners,
    weighted_product,
)

MOST_PRODUCTS = 200
"""Products with the matrix in one pass."""

MOST_PASSES = 8
"""How often a step is made again because it leads out of the box at a bound."""

FORCING_FAR, FORCING_NEAR = 0.03, 1e-3
"""How far the residual of a step is driven down, relative to the gradient."""

LEAST = 1e-2
"""Least eigenvalue of the block of a component that is kept as it is in any case."""

ENOUGH = 0.1
"""Smaller ones are kept if they are this part of what the Fisher matrix has along them."""


Loop = Callable[[Callable[[Any], Any], Callable[[Any], Any], Any], Any]
"""Condition, body and start to the result, as `jax.lax.while_loop`."""


class Matrix(NamedTuple):
    """M as a product, the diagonals of Fisher and of M, and blocks of rows with columns."""

    product: Callable[[Any], Any]
    fisher: Any
    diagonal: Any
    blocks: list[tuple[Any, Any]]


class Step(NamedTuple):
    """A step, the decrease of half the gradient along it, and the products it took.

    ``fisher`` is the diagonal of the Fisher matrix.
    """

    delta: Any
    edm: Any
    n_products: Any
    fisher: Any


class Bent(NamedTuple):
    """A direction along which a matrix curves down, and its product; zeros if there is none."""

    direction: Any
    moved: Any


def cg_step(problem: Problem, x: Any, at: Expansion, damping: Any, near: Any) -> Step:
    """The step from x.

    Parameters
    ----------
    problem : `~gammajax.inference.problem.Problem`
    x : array, shape (n_parameters,)
    at : `~gammajax.inference.problem.Expansion`
        At x.
    damping : array, shape (active,)
        In units of the Fisher diagonal.
    near : array of bool, shape (active,)
        For which parameters M is the exact Hessian.
    """
    return step_of(problem, x, at.gradient, _matrix(problem, at, near), damping, near)


def step_of(
    problem: Problem,
    x: Any,
    gradient: Any,
    matrix: Matrix,
    damping: Any,
    near: Any,
    loop: Loop = jax.lax.while_loop,
) -> Step:
    """The step for a gradient and a matrix; see `cg_step`.

    ``loop`` is what runs the iterations: a loop on the host lets the product be anything.
    """
    extra = damping * matrix.fisher
    goal = jnp.where(jnp.all(near), FORCING_NEAR, FORCING_FAR) ** 2
    space, active, owner = problem.space, problem.active, owners(problem)
    low, high = space.min[active] - x[active], space.max[active] - x[active]

    def solve(carry: Any) -> Any:
        _, held, moving, extra, number, passes, _ = carry
        precondition = _preconditioner(matrix, extra)

        def whole(direction: Any) -> Any:
            return matrix.product(direction) + extra * direction

        def product(direction: Any) -> Any:
            return jnp.where(moving, whole(direction), 0.0)

        def inverse(rest: Any) -> Any:
            return jnp.where(moving, precondition(rest), 0.0)

        right = jnp.where(moving, -gradient - whole(held), 0.0)
        step, products, bent = conjugate_gradients(product, inverse, right, goal, loop)
        # components along which it curves down are stiffened, and all move anew
        down = by_owner(bent.direction * bent.moved, owner)
        size = by_owner(matrix.fisher * bent.direction**2, owner)
        less = (down < 0) & (size > 0)
        stiff = jnp.where(less, -2 * down / jnp.where(less, size, 1.0), 0.0)
        # what would leave the box goes to its bound, and the others move anew
        out = moving & ((step < low) | (step > high)) & ~jnp.any(less)
        held = jnp.where(out, jnp.clip(step, low, high), held)
        step = jnp.where(out, 0.0, step)
        anew = jnp.any(out) | jnp.any(less)
        extra = extra + stiff * matrix.fisher
        return step + held, held, moving & ~out, extra, number + products, passes + 1, anew

    def again(carry: Any) -> Any:
        return carry[-1] & (carry[-2] < MOST_PASSES)

    moving = movable(problem, x, gradient) & (matrix.fisher > 0)
    zero, none = jnp.asarray(0), jnp.zeros_like(gradient)
    start = (none, none, moving, extra, zero, zero, jnp.asarray(True))
    step, _, _, _, number, _, _ = loop(again, solve, start)
    return Step(step, -0.5 * step @ gradient, number, matrix.fisher)


def conjugate_gradients(
    product: Callable[[Any], Any],
    precondition: Callable[[Any], Any],
    right: Any,
    goal: Any,
    loop: Loop = jax.lax.while_loop,
) -> tuple[Any, Any, Bent]:
    """The solution of a system to a squared relative residual, and the products it took.

    A direction that curves down ends the search, and is given back; as the first one it is
    followed.
    """

    def proceed(carry: Any) -> Any:
        _, _, _, size, number, up, _ = carry
        return up & (size > goal * first) & (number < MOST_PRODUCTS)

    def advance(carry: Any) -> Any:
        step, rest, direction, size, number, _, _ = carry
        moved = product(direction)
        bend = direction @ moved
        up = bend > 0
        length = jnp.where(up, size / jnp.where(up, bend, 1.0), 0.0)
        length = jnp.where(~up & (number == 0), 1.0, length)
        step = step + length * direction
        rest = rest - length * moved
        pre = precondition(rest)
        new = rest @ pre
        bent = Bent(jnp.where(up, 0.0, direction), jnp.where(up, 0.0, moved))
        return step, rest, pre + (new / size) * direction, new, number + 1, up, bent

    pre = precondition(right)
    first, none = right @ pre, jnp.zeros_like(right)
    bent = Bent(none, none)
    start = (none, right, pre, first, jnp.asarray(0), first > 0, bent)
    step, _, _, _, number, _, bent = loop(proceed, advance, start)
    return step, number, bent


def fisher_product(at: Expansion, direction: Any) -> Any:
    """The Fisher matrix times a vector."""
    return weighted_product(at, (part.expected for part in at.bins), direction)


def _matrix(problem: Problem, at: Expansion, near: Any) -> Matrix:
    number, all_near = problem.active.size, jnp.all(near)
    weights = [jnp.where(all_near, part.bend, part.expected) for part in at.bins]
    fisher = at.prior
    for slopes, part in zip(at.slopes, at.bins, strict=True):
        if not isinstance(slopes, MapSlopes):
            fisher = fisher + slopes.squares(part.expected)
    parts = of_components(problem, at)
    for found, _, column in parts:
        fisher = fisher + _on_diagonal(found, column, number)
    others = [bend for bend in at.bends if not isinstance(bend, RowBends)]
    curved, blocks, diagonal = [], [], fisher
    for found, bend, column in parts:
        close = jnp.append(near, True)[column].all(axis=1)[:, None, None]
        wanted = jnp.where(close, definite(found, bend), found)
        curved.append(RowBends(wanted - found, column, number))
        diagonal = diagonal + _on_diagonal(wanted - found, column, number)
        blocks.append((wanted, column))

    def product(direction: Any) -> Any:
        found = weighted_product(at, weights, direction)
        for bend in curved:
            found = found + bend.times(direction)
        for bend in others:
            found = found + jnp.where(all_near, bend.times(direction), 0.0)
        return found

    return Matrix(product, fisher, diagonal, blocks)


def of_components(problem: Problem, at: Expansion) -> list[tuple[Any, Any, Any]]:
    """Fisher blocks, second derivatives and columns of the components of each stack.

    They are summed over rows: one dataset, or a piece of a row, may say nothing of what all
    together determine well.
    """
    number = problem.active.size
    bends = (bend for bend in at.bends if isinstance(bend, RowBends))
    found: dict[int, tuple[Any, Any, Any]] = {}
    for term, slopes, part in zip(problem.terms, at.slopes, at.bins, strict=True):
        if not isinstance(slopes, MapSlopes):
            continue
        moving = [i for i in term.which if problem.stacks[i].slots.size]
        for place, one in zip(moving, slopes.parts, strict=True):
            source, shape = jnp.asarray(one.fold.source), one.column.shape[1:]
            size = problem.stacks[place].places.shape[0]
            empty = jnp.zeros((size, *shape, *shape))
            none = empty, empty, jnp.full((size, *shape), number)
            sums, bent, column = found.get(place, none)
            found[place] = (
                sums.at[source].add(one.blocks(part.expected)),
                bent.at[source].add(next(bends).blocks),
                column.at[source].set(one.column),
            )
    return list(found.values())


def _on_diagonal(blocks: Any, column: Any, number: int) -> Any:
    """The diagonals of the blocks of rows, by parameter, shape (number,)."""
    return gathered(jnp.diagonal(blocks, axis1=1, axis2=2), column, number)


def definite(fisher: Any, bends: Any) -> Any:
    """Blocks of the Hessian, with their small and negative eigenvalues made positive."""
    diagonal = jnp.diagonal(fisher, axis1=1, axis2=2)
    used = diagonal > 0
    scale = jnp.where(used, 1 / jnp.sqrt(jnp.where(used, diagonal, 1.0)), 0.0)
    both = scale[:, :, None] * scale[:, None, :]
    eye = jnp.eye(scale.shape[1])
    rest = jnp.where(used, 0.0, 1.0)[:, :, None] * eye
    values, vectors = jnp.linalg.eigh((fisher + bends) * both + rest)
    # what the data say along each vector: little, where two parameters do nearly the same
    known = jnp.einsum("rik,rij,rjk->rk", vectors, fisher * both + rest, vectors)
    mended = values < jnp.minimum(LEAST, ENOUGH * known)
    values = jnp.where(mended | (values <= 0), jnp.maximum(jnp.abs(values), LEAST), values)
    found = jnp.einsum("rik,rk,rjk->rij", vectors, values, vectors) - rest
    size = jnp.where(used, jnp.sqrt(jnp.where(used, diagonal, 0.0)), 0.0)
    return found * size[:, :, None] * size[:, None, :]


def _preconditioner(matrix: Matrix, extra: Any) -> Callable[[Any], Any]:
    """A function that applies the inverse blocks of components."""
    whole = matrix.diagonal + extra
    number = whole.size
    count = jnp.zeros(number)
    for _, column in matrix.blocks:
        count = count + gathered(jnp.ones(column.shape), column, number)
    inverses = [(_inverse(found, column, whole), column) for found, column in matrix.blocks]
    share = 1 / jnp.sqrt(jnp.maximum(count, 1.0))
    alone = (count == 0) & (whole > 0)
    single = jnp.where(alone, 1 / jnp.where(alone, whole, 1.0), 0.0)

    def apply(vector: Any) -> Any:
        found = single * vector
        shared = jnp.append(share * vector, 0.0)
        for inverse, column in inverses:
            parts = jnp.einsum("rst,rt->rs", inverse, shared[column])
            found = found + share * gathered(parts, column, number)
        return found

    return apply


def _inverse(blocks: Any, column: Any, diagonal: Any) -> Any:
    """Inverses of the blocks of rows, with the whole diagonal; 0 for slots of no parameter."""
    whole = jnp.append(diagonal, 0.0)[column]
    used = whole > 0
    scale = jnp.where(used, 1 / jnp.sqrt(jnp.where(used, whole, 1.0)), 0.0)
    eye = jnp.eye(blocks.shape[-1])
    scaled = blocks * scale[:, :, None] * scale[:, None, :]
    # a little more than the diagonal: rows of the same component may share all of it
    scaled = jnp.where(eye > 0, 1 + 1e-6, scaled)
    return jnp.linalg.inv(scaled) * scale[:, :, None] * scale[:, None, :]
