r"""Newton steps without matrices: fits of hundreds to thousands of parameters.

Steps are those of `gammajax.inference.cg_step`. What is different from a fit of few
parameters is that with a thousand sources there is always one whose step is too long, and it
must not hold up the others. So each component has a damping of its own, and a quality of its
own: with d its part of a step, g the gradient before and g' the one after it,

.. math:: q = \frac{d \cdot g'}{-d \cdot g}

is 0 for a step to the minimum along d, above 0 where it went too far, and 1 where the slope
behind it is as steep as the one before. A component that went too far is damped more, the
others less. A step that did not decrease the statistic is not taken, and is tried again with
more damping of those that went too far, and if that fails again of all that hoped for much.
Bounds are respected as in
`gammajax.inference.newton`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gammajax.inference.cg_step import Step, cg_step
from gammajax.inference.curvature import Pieces, pieces_of
from gammajax.inference.newton import CONVERGED, NEAR, RUNNING, STUCK, stepped
from gammajax.inference.problem import Expansion, Problem, expand, owners, prior_stat

TOO_FAR, GOOD = 0.5, 0.25
"""Qualities of a step: above the first it is damped more next time, below the second less."""

NOTHING = 1e-9
"""Slopes along a step (in units of the statistic) that say nothing about its quality."""

MOST_EXCESS = 30.0
"""Largest quality that counts when the damping is raised after a step that was not taken."""

START = 0.03
"""Damping of the first step."""

SURE = 0.5
"""Part of the tolerance at which a search ends, so that the exact distance is below it."""

KEPT = 3
"""Looks for which second derivatives of predictions are kept before they are made anew.

Those of shapes that move cost three times as much as all else in a look, and change little.
"""

FREE = 0.3
"""Damping up to which a step knows the distance to the minimum."""

MOST_DAMPING = 1e10
"""Damping at which steps have become nothing."""


class State(NamedTuple):
    """Where a fit stands: the best point, the next one to look at, and what was found.

    ``excess`` is the statistic less what the counts alone add to it: points are compared by
    it. ``gradient`` is the one at ``x``, ``taken`` the step from there to ``trial``;
    ``damping`` and ``near`` go by active parameter. ``again`` says that the last step was not
    taken, and that the next look is at ``x``, for a step with more damping. The last look is at
    ``x`` too, and gives ``pieces``, of which matrices are made: nothing is compiled for them
    alone.
    ``bends`` are the second derivatives of predictions that steps are made with, and
    ``n_kept`` says how many looks ago they were made.
    """

    x: Any
    stat: Any
    excess: Any
    gradient: Any
    trial: Any
    taken: Any
    damping: Any
    near: Any
    edm: Any
    again: Any
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
        trial=x,
        taken=none,
        damping=jnp.full(number, START),
        near=jnp.zeros(number, dtype=bool),
        edm=infinite,
        again=jnp.asarray(False),
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
        return state._replace(pieces=pieces_of(at), done=jnp.asarray(True))

    def look(state: State, at: Expansion) -> State:
        excess = excess_of(problem, x, at)
        state, better = looked(state, at, owner, excess)
        n_kept = jnp.where(curved, 0, state.n_kept + 1)
        state = state._replace(n_kept=jnp.where(better, n_kept, state.n_kept))
        at = at._replace(bends=latest(at.bends, state.bends, curved))
        state = state._replace(excess=jnp.where(better, excess, state.excess))
        return jax.lax.cond(better, _accept, _reject, problem, state, at, owner, tolerance)

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


def looked(state: State, at: Any, owner: Any, excess: Any) -> tuple[State, Any]:
    """The state with the damping after a look at the trial point, and whether to go there.

    Of ``at``, the statistic, the gradient and ``n_negative`` are used.
    """
    finite = jnp.isfinite(at.stat) & jnp.all(jnp.isfinite(at.gradient))
    noise = 1e-13 * (jnp.abs(excess) + 1.0) + 1e-15 * jnp.abs(at.stat)
    room = jnp.where(state.edm < 1e3 * noise, noise, 0.0)
    # a total below 0 lowers the statistic without end, so no step may lead there
    better = (at.n_negative <= state.n_negative) & (excess < state.excess + room)
    better = finite & (better | state.again)
    damping = _damping(state, at.gradient, owner, better)
    return state._replace(damping=damping, n_steps=state.n_steps + 1), better


def _by_owner(values: Any, owner: Any) -> Any:
    """Sums over the parameters of each component, given back to all of these."""
    return jnp.zeros_like(values).at[owner].add(values)[owner]


def _damping(state: State, gradient: Any, owner: Any, better: Any) -> Any:
    """The damping after a look at the trial point."""
    before = -_by_owner(state.taken * state.gradient, owner)
    after = _by_owner(state.taken * gradient, owner)
    matters = before > NOTHING
    quality = jnp.where(matters, after / jnp.where(matters, before, 1.0), 0.0)
    # where the gradient is not finite, all that moved went too far
    far = matters & ~(quality <= TOO_FAR)
    less = jnp.where(state.damping < 1e-8, 0.0, state.damping / 10)
    kept = jnp.where(quality < GOOD, less, state.damping)
    kept = jnp.where(far, jnp.maximum(4 * state.damping, 1e-3), kept)
    # a component that jumped over a ridge looks innocent: the second time, all that hoped for
    # much are damped
    far = far | ((state.n_in_a_row > 0) & (before > 2 * NEAR))
    guilty = jnp.where(jnp.any(far), far, True)
    # along a parabola, a step of the quality q is 1 + q times too long
    excess = jnp.where(jnp.isfinite(quality), jnp.clip(quality, 0.0, MOST_EXCESS), MOST_EXCESS)
    more = jnp.maximum(10 * state.damping, 0.5 * excess * (1 + state.damping))
    more = jnp.where(guilty, jnp.maximum(more, 1e-2), state.damping)
    return jnp.where(state.again, state.damping, jnp.where(better, kept, more))


def _accept(problem: Problem, state: State, at: Expansion, owner: Any, tolerance: Any) -> State:
    step = cg_step(problem, state.trial, at, state.damping, state.near)
    state = state._replace(bends=at.bends)
    return accepted(problem, state, at, step, owner, tolerance)


def accepted(
    problem: Problem, state: State, at: Any, step: Step, owner: Any, tolerance: Any
) -> State:
    """The state at the trial point, with the next step from there."""
    x = state.trial
    trial, taken = stepped(problem, x, step.delta)
    share = _by_owner(-0.5 * step.delta * at.gradient, owner)
    # what is kept, or damped, may hide a part of the distance
    over = step.edm < SURE * tolerance
    fresh = (state.n_kept == 0) | (step.edm < 0.1 * SURE * tolerance)
    sure = fresh & (jnp.max(state.damping) <= FREE)
    return state._replace(
        x=x,
        stat=at.stat,
        gradient=at.gradient,
        trial=trial,
        taken=taken,
        near=share < NEAR,
        edm=step.edm,
        again=jnp.asarray(False),
        n_in_a_row=jnp.where(state.again, state.n_in_a_row, 0),
        n_products=state.n_products + step.n_products,
        n_negative=at.n_negative,
        # solved to a residual, a step knows the distance to a part of it only
        status=jnp.where(over & sure, CONVERGED, RUNNING),
        n_kept=jnp.where(over, KEPT, state.n_kept),
    )


def _reject(problem: Problem, state: State, at: Expansion, owner: Any, tolerance: Any) -> State:
    return rejected(state)


def rejected(state: State) -> State:
    """The state after a step that was not taken."""
    # at a start that is not finite, or where steps have become nothing, there is no way on
    over = ~jnp.isfinite(state.stat) | (jnp.max(state.damping) > MOST_DAMPING)
    return state._replace(
        trial=state.x,
        again=jnp.asarray(True),
        n_rejected=state.n_rejected + 1,
        n_in_a_row=state.n_in_a_row + 1,
        status=jnp.where(over, STUCK, RUNNING),
    )
