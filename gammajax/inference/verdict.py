r"""What becomes of a step: each component answers for its own part of it.

With d the part of a component, g the gradient before and g' the one after the step,

.. math:: q = \frac{d \cdot g'}{-d \cdot g}

is 0 for a step to the minimum along d, above 0 where it went too far, and 1 where the slope
behind it is as steep as the one before; and (d g + d g') / 2 is what the part did to the
statistic, to third order.

A step is taken if it lowers the statistic, and no component raises it by more than `LOAN`.
Otherwise components that went too far are held, with those that go along with them, and the
next look is at the rest of the step. Where little is left, or that fails as well, the next
look is at the point before. A small rise of the whole is lent for one step: in a curved
valley a good step ends on its wall, and the next one on its floor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gammajax.inference.newton import NEAR, RUNNING, STUCK
from gammajax.inference.problem import Problem, by_owner

TOO_FAR, GOOD = 0.5, 0.25
"""Qualities of a step: above the first it is damped more next time, below the second less."""

NOTHING = 1e-9
"""Slopes along a step (in units of the statistic) that say nothing about its quality."""

MOST_EXCESS = 8.0
"""Largest quality that counts when damping is raised."""

MOST_DAMPING = 1e10
"""Damping at which steps have become nothing."""

LOAN = 3.0
"""Most by which a component, or the whole, may raise the statistic for one step."""

MOST_HELD = 10
"""Rounds in which those that go along with components that are held are held as well."""

PART = 0.1
"""Least part of what a step hoped for that is worth a look without those that are held."""


def looked(state: Any, at: Any, owner: Any, excess: Any) -> tuple[Any, Any]:
    """The state after a look at the trial point, and whether to go on from there.

    Of ``at``, the statistic, the gradient and ``n_negative`` are used. Where a step is not
    taken, ``taken`` has what is left of it.
    """
    finite = jnp.isfinite(at.stat) & jnp.all(jnp.isfinite(at.gradient))
    noise = 1e-13 * (jnp.abs(excess) + 1.0) + 1e-15 * jnp.abs(at.stat)
    room = jnp.where(state.edm < 1e3 * noise, noise, 0.0)
    did = 0.5 * state.taken * (state.gradient + at.gradient)
    rise = jnp.sum(jnp.where(by_owner(did, owner) > LOAN, did, 0.0))
    drop = jnp.maximum(state.excess - excess, 0.0)
    # a total below 0 lowers the statistic without end, so no step may lead there
    allowed = finite & (at.n_negative <= state.n_negative)
    allowed = allowed & ((rise <= PART * drop) | (state.n_in_a_row > 0))
    better = (allowed & (excess < state.excess + room)) | (finite & state.again)
    lent = allowed & ~better & ~state.lent & (excess < state.excess + LOAN)
    go = better | lent
    damping, held = _damping(state, at.gradient, owner, go)
    state = state._replace(
        x=jnp.where(better, state.trial, state.x),
        stat=jnp.where(better, at.stat, state.stat),
        excess=jnp.where(better, excess, state.excess),
        n_negative=jnp.where(better, at.n_negative, state.n_negative),
        damping=jnp.where(state.again, state.damping, damping),
        taken=jnp.where(held & ~go, 0.0, state.taken),
        lent=jnp.where(go, lent, state.lent),
        n_steps=state.n_steps + 1,
    )
    return state, go


def _damping(state: Any, gradient: Any, owner: Any, go: Any) -> tuple[Any, Any]:
    """The damping after a look at the trial point, and which parameters went too far."""
    before = -by_owner(state.taken * state.gradient, owner)
    after = by_owner(state.taken * gradient, owner)
    moved = by_owner(jnp.abs(state.taken), owner) > 0
    matters = before > NOTHING
    quality = jnp.where(matters, after / jnp.where(matters, before, 1.0), 0.0)
    # where the gradient is not finite, all that moved went too far
    far = matters & ~(quality <= TOO_FAR)
    # along a parabola, a step of the quality q is 1 + q times too long
    excess = jnp.where(jnp.isfinite(quality), quality, MOST_EXCESS)
    more = state.damping + 0.5 * jnp.clip(excess, TOO_FAR, MOST_EXCESS) * state.curve
    # where damping matters, steps grow by a part of their length, and not tenfold
    least = jnp.where(state.damping > 0.1 * state.curve, 1 / 3, 0.1)
    less = state.damping * jnp.clip(quality / GOOD, least, 1.0)
    less = jnp.where(state.damping < 1e-8, 0.0, less)
    kept = jnp.where(far, more, jnp.where(moved, less, state.damping))
    # a component that jumped over a ridge looks innocent: the second time, all that hoped for
    # much are damped
    far = far | ((state.n_in_a_row > 0) & (before > 2 * NEAR))
    far = jnp.where(jnp.any(far), far, True)
    more = jnp.where(far, jnp.maximum(more, 4 * state.damping), state.damping)
    return jnp.where(go, kept, more), far


def rejected(
    problem: Problem,
    state: Any,
    owner: Any,
    product: Callable[[Any], Any],
    loop: Any = jax.lax.while_loop,
) -> Any:
    """The state after a step that was not taken.

    What is held pulls at its neighbours: a component whose part of the step would go too far
    without theirs is held too.

    Parameters
    ----------
    product : callable
        The Fisher matrix times a vector.
    loop : callable
        As `jax.lax.while_loop`.
    """
    whole = (state.trial - state.origin)[problem.active]
    hope = -by_owner(whole * state.gradient, owner)

    def proceed(carry: Any) -> Any:
        return carry[1]

    def hold(carry: Any) -> Any:
        taken, _, number = carry
        pull = -by_owner(whole * product(whole - taken), owner)
        fewer = jnp.where(pull > TOO_FAR * jnp.abs(hope), 0.0, taken)
        return fewer, jnp.any(fewer != taken) & (number < MOST_HELD), number + 1

    some = jnp.any(state.taken != 0) & (state.n_in_a_row == 0) & ~state.lent
    taken, _, _ = loop(proceed, hold, (state.taken, some, jnp.asarray(0)))
    some = some & (-taken @ state.gradient > PART * (-whole @ state.gradient))
    taken = jnp.where(some, taken, 0.0)
    # at a start that is not finite, or where steps have become nothing, there is no way on
    over = ~jnp.isfinite(state.stat) | (jnp.max(state.damping) > MOST_DAMPING)
    return state._replace(
        origin=state.x,
        trial=state.x.at[problem.active].add(taken),
        taken=taken,
        again=~some,
        lent=jnp.asarray(False),
        n_rejected=state.n_rejected + 1,
        n_in_a_row=state.n_in_a_row + 1,
        status=jnp.where(over, STUCK, RUNNING),
    )
