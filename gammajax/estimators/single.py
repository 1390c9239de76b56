r"""Newton steps of one parameter: what fits of a norm are.

The same steps as `gammajax.inference.newton`, without matrices to factorise: it compiles
in a fifth of the time, and a batch of it is a few sums over bins.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gammajax.inference.newton import (
    BAD_START,
    CONVERGED,
    FLAT,
    NEAR,
    RUNNING,
    STUCK,
    TOO_MANY,
)
from gammajax.inference.problem import Problem, derivatives


class SingleState(NamedTuple):
    """Where a fit of one parameter stands."""

    value: Any
    stat: Any
    gradient: Any
    hessian: Any
    negative: Any
    step: Any
    cut: Any
    n_steps: Any
    status: Any


def newton_single(problem: Problem, x: Any, tolerance: float, max_steps: int) -> SingleState:
    """Minimise the statistic of a problem with one active parameter; pure, can be mapped.

    Where the parameter is not free, the statistic is evaluated there.
    """
    (place,) = problem.active
    low, high = problem.space.min[place], problem.space.max[place]
    free = problem.space.free[place]
    value = jnp.where(free, jnp.clip(x[place], low, high), x[place])
    infinite, zero = jnp.asarray(jnp.inf), jnp.zeros(())
    state = SingleState(value, infinite, zero, zero, jnp.asarray(0), zero, jnp.ones(()),
                        jnp.asarray(0), jnp.asarray(RUNNING))  # fmt: skip

    def proceed(state: SingleState) -> Any:
        return (state.status == RUNNING) & (state.n_steps < max_steps)

    def advance(state: SingleState) -> SingleState:
        first = state.n_steps == 0
        trial = jnp.where(first, state.value, jnp.clip(state.value + state.step, low, high))
        at = derivatives(problem, x.at[place].set(trial))
        gradient, hessian, fisher = at.gradient[0], at.hessian[0, 0], at.fisher[0, 0]
        finite = jnp.isfinite(at.stat) & jnp.isfinite(gradient)
        noise = 1e-13 * (jnp.abs(at.stat) + 1.0)
        small = jnp.abs(state.step * state.gradient) < 1e3 * noise
        lower = (at.stat < state.stat) | ((at.stat <= state.stat + noise) & small)
        better = finite & (first | (lower & (at.n_negative <= state.negative)))

        def kept(new: Any, old: Any) -> Any:
            return jnp.where(better, new, old)

        value = kept(trial, state.value)
        gradient, hessian = kept(gradient, state.gradient), kept(hessian, state.hessian)
        held = ((value <= low) & (gradient > 0)) | ((value >= high) & (gradient < 0))
        rests = held | ~free
        expected = jnp.where(better, fisher, 0.0)
        by_hessian = 0.5 * gradient**2 / jnp.where(hessian > 0, hessian, 1.0)
        exact = (hessian > 0) & ((by_hessian < NEAR) | (expected <= 0))
        curvature = jnp.where(exact, hessian, expected)
        whole = -gradient / jnp.where(curvature > 0, curvature, 1.0)
        # at a kink whole steps fail again and again: grow back slowly
        cut = jnp.where(better, jnp.minimum(4 * state.cut, 1.0), state.cut / 8)
        cut = jnp.where(first, 1.0, cut)
        step = jnp.where(better, whole * cut, state.step / 8)
        edm = jnp.where(rests, 0.0, jnp.where(hessian > 0, by_hessian, jnp.inf))
        flat = ~rests & better & (curvature <= 0)
        status = jnp.where(edm < tolerance, CONVERGED, jnp.where(flat, FLAT, RUNNING))
        # what a step promises is small, the curvature says otherwise: this is a kink
        idle = jnp.abs(gradient * step) < tolerance
        status = jnp.where((status == RUNNING) & idle & ~first, STUCK, status)
        status = jnp.where(first & ~finite, BAD_START, status)
        return SingleState(value, kept(at.stat, state.stat), gradient, hessian,
                           kept(at.n_negative, state.negative), step, cut,
                           state.n_steps + 1, status)  # fmt: skip

    state = jax.lax.while_loop(proceed, advance, state)
    return state._replace(status=jnp.where(state.status == RUNNING, TOO_MANY, state.status))
