r"""Newton steps without matrices: fits of hundreds to thousands of parameters.

Each step solves :math:`M d = -g` by conjugate gradients, where M is known as an operator: the
slopes of each component times weights of the bins, and back. One product costs as much as a
gradient, whatever the number of parameters. The preconditioner inverts the block of each
component, which takes away what its own parameters do to each other; what is left is the
overlap of sources, and the norms of diffuse emission.

Far from the minimum M is the Fisher matrix, near it the exact Hessian. A step that does not
decrease the statistic is cut to a quarter. Bounds are respected as in
`gammajax.inference.newton`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gammajax.fold.slopes import MapSlopes, gathered
from gammajax.inference.newton import CONVERGED, NEAR, RUNNING, STUCK, movable, stepped
from gammajax.inference.problem import Expansion, Problem, expand

MOST_PRODUCTS = 200
"""Products with the matrix in one step."""

FORCING_FAR, FORCING_NEAR = 0.1, 0.01
"""How far the residual of a step is driven down, relative to the gradient."""

CUT = 0.25
"""What is left of a step that did not decrease the statistic."""


class State(NamedTuple):
    """Where a fit stands: the best point, the next one to look at, and what was found."""

    x: Any
    stat: Any
    trial: Any
    delta: Any
    edm: Any
    n_steps: Any
    n_products: Any
    n_cuts: Any
    n_negative: Any
    status: Any


def newton_cg(problem: Problem, x: Any, tolerance: float, max_steps: int) -> State:
    """Minimise the statistic of a problem from ``x``; pure.

    Parameters
    ----------
    problem : `~gammajax.inference.problem.Problem`
    x : array, shape (n_parameters,)
    tolerance : float
        Estimated distance to the minimum, in units of the statistic, at which to stop.
    max_steps : int

    Returns
    -------
    state : `State`
        ``status`` is still "running" if the steps were used up; whether the Hessian is
        definite is for the caller to see.
    """
    space = problem.space
    x = jnp.where(space.free, jnp.clip(x, space.min, space.max), x)
    infinite = jnp.asarray(jnp.inf)
    zero = jnp.asarray(0)
    state = State(
        x=x,
        stat=infinite,
        trial=x,
        delta=jnp.zeros(problem.active.size),
        edm=infinite,
        n_steps=zero,
        n_products=zero,
        n_cuts=zero,
        n_negative=jnp.asarray(2**30),
        status=jnp.asarray(RUNNING),
    )

    def proceed(state: State) -> Any:
        return (state.status == RUNNING) & (state.n_steps < max_steps)

    def advance(state: State) -> State:
        at = expand(problem, state.trial)
        finite = jnp.isfinite(at.stat) & jnp.all(jnp.isfinite(at.gradient))
        noise = 1e-13 * (jnp.abs(at.stat) + 1.0)
        # a total below 0 lowers the statistic without end, so no step may lead there
        allowed = at.n_negative <= state.n_negative
        better = (
            finite
            & allowed
            & (at.stat < state.stat + jnp.where(state.edm < 1e3 * noise, noise, 0))
        )
        return jax.lax.cond(better, _accept, _cut, problem, state, at, tolerance)

    return jax.lax.while_loop(proceed, advance, state)


def _accept(problem: Problem, state: State, at: Expansion, tolerance: Any) -> State:
    x = state.trial
    delta, edm, products = cg_step(problem, x, at, state.edm < NEAR)
    trial, taken = stepped(problem, x, delta)
    return State(
        x=x,
        stat=at.stat,
        trial=trial,
        delta=taken,
        edm=edm,
        n_steps=state.n_steps + 1,
        n_products=state.n_products + products,
        n_cuts=jnp.asarray(0),
        n_negative=at.n_negative,
        status=jnp.where(edm < tolerance, CONVERGED, RUNNING),
    )


def _cut(problem: Problem, state: State, at: Expansion, tolerance: Any) -> State:
    trial, taken = stepped(problem, state.x, CUT * state.delta)
    # at a start that is not finite, or where steps have become nothing, there is no way on
    over = ~jnp.isfinite(state.stat) | (state.n_cuts > 20)
    return state._replace(
        trial=trial,
        delta=taken,
        n_steps=state.n_steps + 1,
        n_cuts=state.n_cuts + 1,
        status=jnp.where(over, STUCK, RUNNING),
    )


def cg_step(problem: Problem, x: Any, at: Expansion, near: Any) -> tuple[Any, Any, Any]:
    """The step from x, the estimated distance to the minimum, and the products it took."""
    gradient = at.gradient
    diagonal, precondition = _preconditioner(problem, at)
    moving = movable(problem, x, gradient) & (diagonal > 0)
    residual = jnp.where(moving, -gradient, 0.0)
    goal = jnp.where(near, FORCING_NEAR, FORCING_FAR) ** 2

    def product(direction: Any) -> Any:
        found = at.prior * direction
        for slopes, part in zip(at.slopes, at.bins, strict=True):
            weight = jnp.where(near, part.bend, part.expected)
            found = found + slopes.transposed(weight * slopes.times(direction))
        for bend in at.bends:
            found = found + jnp.where(near, bend.times(direction), 0.0)
        return jnp.where(moving, found, 0.0)

    def proceed(carry: Any) -> Any:
        _, _, _, size, first, number, up = carry
        return up & (size > goal * first) & (number < MOST_PRODUCTS)

    def advance(carry: Any) -> Any:
        step, rest, direction, size, first, number, _ = carry
        moved = product(direction)
        bend = direction @ moved
        up = bend > 0
        length = jnp.where(up, size / jnp.where(up, bend, 1.0), 0.0)
        # a direction that curves down ends the search; as the first one it is followed
        length = jnp.where(~up & (number == 0), 1.0, length)
        step = step + length * direction
        rest = rest - length * moved
        pre = jnp.where(moving, precondition(rest), 0.0)
        new = rest @ pre
        direction = pre + (new / size) * direction
        return step, rest, direction, new, first, number + 1, up

    pre = jnp.where(moving, precondition(residual), 0.0)
    size = residual @ pre
    start = (jnp.zeros_like(residual), residual, pre, size, size, jnp.asarray(0), size > 0)
    step, _, _, _, _, number, _ = jax.lax.while_loop(proceed, advance, start)
    return step, -0.5 * step @ gradient, number


def _preconditioner(problem: Problem, at: Expansion) -> tuple[Any, Any]:
    """The diagonal of the Fisher matrix, and a function that applies the inverse blocks."""
    number = problem.active.size
    diagonal = at.prior
    blocks = []
    for slopes, part in zip(at.slopes, at.bins, strict=True):
        if not isinstance(slopes, MapSlopes):
            diagonal = diagonal + slopes.squares(part.expected)
            continue
        for rows in slopes.parts:
            found = rows.blocks(part.expected)
            on_diagonal = jnp.diagonal(found, axis1=1, axis2=2)
            diagonal = diagonal + gathered(on_diagonal, rows.column, number)
            blocks.append((found, rows.column))
    count = sum((gathered(jnp.ones_like(c, float), c, number) for _, c in blocks), 0.0)
    inverses = [(_inverse(found, column, diagonal), column) for found, column in blocks]
    share = 1 / jnp.sqrt(jnp.maximum(count, 1.0))
    alone = (jnp.asarray(count) == 0) & (diagonal > 0)
    single = jnp.where(alone, 1 / jnp.where(alone, diagonal, 1.0), 0.0)

    def apply(vector: Any) -> Any:
        found = single * vector
        shared = jnp.append(share * vector, 0.0)
        for inverse, column in inverses:
            parts = jnp.einsum("rst,rt->rs", inverse, shared[column])
            found = found + share * gathered(parts, column, number)
        return found

    return diagonal, apply


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
