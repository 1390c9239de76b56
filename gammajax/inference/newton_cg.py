"""Newton steps without matrices: fits of hundreds to thousands of parameters.

Steps are those of `gammajax.inference.cg_step`, and `gammajax.inference.verdict` says what
becomes of them. What is different from a fit of few parameters is that with a thousand sources
there is always one whose step is too long, and it must not hold up the others. So each
component has a damping of its own, and is judged for its own part of a step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gammajax.inference.cg_step import Step, cg_step, fisher_product
from gammajax.inference.curvature import Pieces, pieces_of
from gammajax.inference.newton import CONVERGED, NEAR, RUNNING, stepped
from gammajax.inference.problem import (
    Expansion,
    Problem,
    by_owner,
    expand,
    owners,
    prior_stat,
)
from gammajax.inference.verdict import looked, rejected

START = 0.03
"""Damping of the first step."""

SURE = 0.5
"""Part of the tolerance at which a search ends, so that the exact distance is below it."""

KEPT = 3
"""Looks for which second derivatives of predictions are kept before they are made anew.

Those of shapes that move cost three times as much as all else in a look, and change little.
"""

CURVES = 1e-8, 1e3
"""Range of curvatures along a step, in units of the Fisher diagonal."""

FREE = 1e-3
"""Damping up to which a step knows the distance to the minimum, or a part of it.

What two parameters share may bend a thousandth as much as each of them.
"""


class State(NamedTuple):
    """Where a fit stands: the best point, the next one to look at, and what was found.

    ``excess`` is the statistic less what the counts alone add to it: points are compared by
    it. ``gradient`` is the one at ``origin``, ``taken`` the step from there to ``trial``;
    ``damping``, ``curve`` (what bends along the last step, in units of the Fisher diagonal)
    and ``near`` go by active parameter. ``origin`` is ``x``, or where ``lent`` a point with a
    statistic that is higher by little. ``again`` says that nothing is left of the last step,
    and that the next look is at ``x``, for a step with more damping. The last look is at
    ``x`` too, and gives ``pieces``, of which matrices are made: nothing is compiled for them
    alone.
    ``bends`` are the second derivatives of predictions that steps are made with, and
    ``n_kept`` says how many looks ago they were made.
    """

    x: Any
    stat: Any
    excess: Any
    gradient: Any
    origin: Any
    trial: Any
    taken: Any
    damping: Any
    curve: Any
    near: Any
    edm: Any
    again: Any
    lent: Any
    n_steps: Any
    n_products: Any
    n_rejected: Any
    n_in_a_row: Any
    n_negative: Any
    n_kept: Any
    bends: tuple[Any, ...]
    status: Any
    pieces: Pieces
    done: Any


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
        definite is for the caller to see, who makes it of ``pieces``.
    """
    owner = owners(problem)
    return jax.lax.while_loop(
        lambda state: ~state.done,
        lambda state: advance(problem, state, owner, tolerance, max_steps),
        begin(problem, x),
    )


@jax.jit
def _expanded(problem: Problem, x: Any, curved: Any) -> Expansion:
    """`expand`, traced once for the shapes of its results and for the search."""
    return expand(problem, x, curved)


def begin(problem: Problem, x: Any) -> State:
    """The state from which a search at ``x`` starts; pure."""
    space, number = problem.space, problem.active.size
    x = jnp.where(space.free, jnp.clip(x, space.min, space.max), x)
    infinite, none, zero = jnp.asarray(jnp.inf), jnp.zeros(number), jnp.asarray(0)
    shapes = jax.eval_shape(lambda: pieces_of(_expanded(problem, x, jnp.asarray(True))))
    pieces = jax.tree_util.tree_map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
    return State(
        x=x,
        stat=infinite,
        excess=infinite,
        gradient=none,
        origin=x,
        trial=x,
        taken=none,
        damping=jnp.full(number, START),
        curve=jnp.ones(number),
        near=jnp.zeros(number, dtype=bool),
        edm=infinite,
        again=jnp.asarray(False),
        lent=jnp.asarray(False),
        n_steps=zero,
        n_products=zero,
        n_rejected=zero,
        n_in_a_row=zero,
        n_negative=jnp.asarray(2**30),
        n_kept=jnp.asarray(KEPT),
        bends=pieces.bends,
        status=jnp.asarray(RUNNING),
        pieces=pieces,
        done=jnp.asarray(False),
    )


def advance(
    problem: Problem, state: State, owner: Any, tolerance: Any, max_steps: Any
) -> State:
    """One look and one step; the last one, at ``x``, makes the matrices; pure.

    ``owner`` is what `~gammajax.inference.problem.owners` says.
    """

    def finish(state: State, at: Expansion) -> State:
        return state._replace(
            gradient=at.gradient, pieces=pieces_of(at), done=jnp.asarray(True)
        )

    def look(state: State, at: Expansion) -> State:
        excess = excess_of(problem, x, at)
        state, go = looked(state, at, owner, excess)
        n_kept = jnp.where(curved, 0, state.n_kept + 1)
        state = state._replace(n_kept=jnp.where(go, n_kept, state.n_kept))
        at = at._replace(bends=latest(at.bends, state.bends, curved))
        return jax.lax.cond(go, _accept, _reject, problem, state, at, owner, tolerance)

    last = (state.status != RUNNING) | (state.n_steps >= max_steps)
    x = jnp.where(last, state.x, state.trial)
    curved = last | (jnp.any(state.near) & (state.n_kept >= KEPT))
    at = _expanded(problem, x, curved)
    return jax.lax.cond(last, finish, look, state, at)


def latest(new: tuple[Any, ...], old: tuple[Any, ...], curved: Any) -> tuple[Any, ...]:
    """The second derivatives that were made, and the old ones of what was left out as zeros."""

    def chosen(one: Any, other: Any) -> Any:
        return jnp.where(curved | jnp.any(one != 0), one, other)

    return jax.tree_util.tree_map(
        lambda one, other: chosen(one, other) if one.dtype == float else one, new, old
    )


def excess_of(problem: Problem, x: Any, at: Expansion) -> Any:
    """The statistic at x less what the counts alone add to it, bin by bin.

    The statistic of a whole sky is 1e9, and rounded at 1e-7 by each sum. This is a thousandth
    of it, and less.
    """
    parts = zip(problem.terms, at.bins, strict=True)
    found = sum((jnp.sum(own.stat - term.level()) for term, own in parts), jnp.zeros(()))
    return found + prior_stat(problem, x) if problem.priors else found


def _accept(problem: Problem, state: State, at: Expansion, owner: Any, tolerance: Any) -> State:
    step = cg_step(problem, state.trial, at, state.damping, state.near)
    state = state._replace(bends=at.bends)
    return accepted(problem, state, at, step, owner, tolerance)


def accepted(
    problem: Problem, state: State, at: Any, step: Step, owner: Any, tolerance: Any
) -> State:
    """The state at the trial point, with the next step from there."""
    trial, taken = stepped(problem, state.trial, step.delta)
    share = by_owner(-0.5 * step.delta * at.gradient, owner)
    size = by_owner(step.fisher * step.delta**2, owner)
    curve = jnp.where(size > 0, 2 * share / jnp.where(size > 0, size, 1.0), 1.0)
    # what is kept, or damped, may hide a part of the distance
    over = step.edm < SURE * tolerance
    fresh = (state.n_kept == 0) | (step.edm < 0.1 * SURE * tolerance)
    moves = by_owner(jnp.abs(step.delta), owner) > 0
    free = jnp.max(jnp.where(moves, state.damping, 0.0)) <= FREE
    sure = fresh & free & ~state.lent
    return state._replace(
        gradient=at.gradient,
        origin=state.trial,
        trial=trial,
        taken=taken,
        curve=jnp.clip(curve, *CURVES),
        near=share < NEAR,
        edm=step.edm,
        again=jnp.asarray(False),
        n_in_a_row=jnp.where(state.again, state.n_in_a_row, 0),
        n_products=state.n_products + step.n_products,
        # solved to a residual, a step knows the distance to a part of it only
        status=jnp.where(over & sure, CONVERGED, RUNNING),
        n_kept=jnp.where(over, KEPT, state.n_kept),
    )


def _reject(problem: Problem, state: State, at: Expansion, owner: Any, tolerance: Any) -> State:
    def product(direction: Any) -> Any:
        return fisher_product(at, direction)

    return rejected(problem, state, owner, product)
