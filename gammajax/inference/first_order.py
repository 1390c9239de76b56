"""Optax minimisers: L-BFGS and Adam, in decorrelated coordinates."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax

from gammajax.config import program
from gammajax.inference.closed_box import ClosedBox, closed_box, stat_of_z
from gammajax.inference.descent import descend
from gammajax.inference.newton import (
    BAD_START,
    CONVERGED,
    FLAT,
    TOO_MANY,
    NewtonState,
    idle,
    movable,
    newton_step,
)
from gammajax.inference.problem import Problem, derivatives

PASS_STEPS = {"lbfgs": 300, "adam": 2500}
"""Steps after which a run is taken up again, in coordinates made where it has come to.

The Fisher matrix at a far start says little about the scales at the minimum.
"""


def first_order(
    problem: Problem, x: np.ndarray, tolerance: float, max_steps: int, method: str
) -> NewtonState:
    """Minimise with gradients, until the exact estimated distance is below ``tolerance``."""
    goal, n_steps = tolerance / 4, 0
    state = report(problem, x, 0, tolerance)
    while int(state.status) == TOO_MANY and n_steps < max_steps:
        box = closed_box(problem, x)
        steps = min(PASS_STEPS[method], max_steps - n_steps)
        moved, taken = _run(problem, box, goal, steps, method)
        n_steps += int(taken)
        x, goal = np.asarray(moved), goal / 10
        state = report(problem, x, n_steps, tolerance)
    return state


@partial(program, static_argnames=("method",))
def _run(
    problem: Problem, box: ClosedBox, goal: float, max_steps: Any, method: str
) -> tuple[Any, Any]:
    """Step until |gradient|^2 / 4, the distance in these coordinates, is below ``goal``."""

    def stat(z: Any) -> Any:
        return stat_of_z(problem, box, z)

    if method == "lbfgs":
        solver = optax.lbfgs(memory_size=50)
    else:
        solver = optax.adam(optax.cosine_decay_schedule(0.1, 2000, alpha=1e-4))
        solver = optax.with_extra_args_support(solver)
    start = jnp.zeros(box.centre.size)
    z, step = descend(stat, start, solver, 2 * jnp.sqrt(goal), max_steps)
    return box.x(problem, z), step


@program
def report(problem: Problem, x: Any, n_steps: Any, tolerance: float) -> NewtonState:
    """Where a minimiser ended, with exact derivatives and the exact estimated distance."""
    at = derivatives(problem, x)
    moving = movable(problem, x, at.gradient)
    moving = moving & ~idle(problem, ~moving, jnp.diag(at.fisher))
    _, edm, definite = newton_step(at, moving, jnp.asarray(0.0))
    status = jnp.where(edm < tolerance, jnp.where(definite, CONVERGED, FLAT), TOO_MANY)
    finite = jnp.isfinite(at.stat) & jnp.all(jnp.isfinite(at.gradient))
    return NewtonState(
        x=jnp.asarray(x),
        at=at,
        trial=jnp.asarray(x),
        gain=jnp.asarray(0.0),
        edm=edm,
        damping=jnp.asarray(0.0),
        n_steps=jnp.asarray(n_steps),
        n_rejected=jnp.asarray(0),
        status=jnp.where(finite, status, BAD_START),
    )
