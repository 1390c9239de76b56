r"""Damped Newton steps in a box: the default way to fit.

Each step solves :math:`(M + \lambda) d = -g` in coordinates scaled by the Fisher diagonal.
Far from the minimum, M is the Fisher matrix: it is never indefinite, and because expected
counts are linear in amplitudes it finds those in one step from any start. Near the minimum,
M is the exact Hessian wherever that is positive definite, and the convergence is quadratic.
The damping follows the ratio of actual to predicted decrease (Levenberg and Marquardt).

Bounds are respected at the bound: an entry that sits there with the gradient pushing outward
rests, the others move on; a step that would leave the box is cut to it. Nothing is
transformed, so a minimum at the bound is found exactly there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gammajax.inference.problem import Derivatives, Problem, derivatives

CONVERGED, RUNNING, STUCK, BAD_START, TOO_MANY, FLAT = 0, 1, 2, 3, 4, 5
"""Status of a fit, a number because traced code reports and never raises."""

NEAR = 0.5
"""Estimated distance (in the statistic) below which exact Hessians are used."""


class NewtonState(NamedTuple):
    """Where a fit stands; what `newton` returns."""

    x: Any
    at: Derivatives
    edm: Any
    damping: Any
    n_steps: Any
    n_rejected: Any
    status: Any


class _Step(NamedTuple):
    delta: Any
    predicted: Any
    edm: Any
    definite: Any


def newton(
    problem: Problem, x: Any, tolerance: float = 1e-8, max_steps: int = 200
) -> NewtonState:
    """Minimise the statistic of a problem from ``x``; pure, and can be mapped.

    Parameters
    ----------
    problem : `~gammajax.inference.problem.Problem`
    x : array, shape (n_parameters,)
        Start; entries that are not free stay as they are.
    tolerance : float
        The fit has converged when the estimated distance to the minimum, in units of the
        statistic, is below this and the Hessian is positive definite.
    max_steps : int
        Most trial steps.

    Returns
    -------
    state : `NewtonState`
        ``status`` is 0 if it converged.
    """
    space = problem.space
    x = jnp.where(space.free, jnp.clip(x, space.min, space.max), x)
    start = derivatives(problem, x)
    status = jnp.where(_finite(start), RUNNING, BAD_START)
    state = NewtonState(
        x, start, jnp.asarray(jnp.inf), jnp.asarray(1e-3), jnp.asarray(0), jnp.asarray(0), status
    )

    def proceed(state: NewtonState) -> Any:
        return (state.status == RUNNING) & (state.n_steps < max_steps)

    def advance(state: NewtonState) -> NewtonState:
        return _advance(problem, state, tolerance)

    state = jax.lax.while_loop(proceed, advance, state)
    return state._replace(status=jnp.where(state.status == RUNNING, TOO_MANY, state.status))


def _finite(at: Derivatives) -> Any:
    return jnp.isfinite(at.stat) & jnp.all(jnp.isfinite(at.gradient))


def _advance(problem: Problem, state: NewtonState, tolerance: float) -> NewtonState:
    space = problem.space
    moving = movable(problem, state.x, state.at.gradient)
    step = _solve(state.at, moving, state.damping)
    trial = jnp.clip(state.x + step.delta, space.min, space.max)
    trial = jnp.where(moving, trial, state.x)
    taken = trial - state.x
    gain = -(state.at.gradient @ taken + 0.5 * taken @ state.at.hessian @ taken)
    at = derivatives(problem, trial)
    noise = 1e-13 * (jnp.abs(state.at.stat) + 1.0)
    drop = state.at.stat - at.stat
    better = _finite(at) & (drop >= -noise) & ((drop > 0) | (step.edm < 1e3 * noise))
    quality = drop / jnp.where(gain > 0, gain, jnp.inf)
    damping = jnp.where(
        better,
        jnp.where(quality > 0.5, state.damping / 10, jnp.where(quality < 0.1, 3 * state.damping,
                  state.damping)),
        jnp.maximum(10 * state.damping, 1e-3),
    )
    damping = jnp.where(damping < 1e-9, 0.0, damping)

    # The distance belongs to the point the step started from: it decides before the step
    # is looked at, but the point reached is kept if it is no worse.
    close = step.edm < tolerance
    status = jnp.where(
        close,
        jnp.where(step.definite, CONVERGED, FLAT),
        jnp.where(damping > 1e12, STUCK, RUNNING),
    )
    pick = lambda new, old: jnp.where(better, new, old)  # noqa: E731
    return NewtonState(
        x=pick(trial, state.x),
        at=jax.tree_util.tree_map(pick, at, state.at),
        edm=step.edm,
        damping=damping,
        n_steps=state.n_steps + 1,
        n_rejected=state.n_rejected + ~better,
        status=status,
    )


def movable(problem: Problem, x: Any, gradient: Any) -> Any:
    """The free entries that are not held at a bound by the gradient."""
    space = problem.space
    held = ((x <= space.min) & (gradient > 0)) | ((x >= space.max) & (gradient < 0))
    return space.free & ~held


def _solve(at: Derivatives, moving: Any, damping: Any) -> _Step:
    diagonal = jnp.diag(at.fisher)
    usable = moving & (diagonal > 0)
    scale = jnp.where(usable, 1 / jnp.sqrt(jnp.where(usable, diagonal, 1.0)), 1.0)
    gradient = jnp.where(moving, at.gradient * scale, 0.0)
    hessian = _scaled(at.hessian, scale, moving)
    fisher = _scaled(at.fisher, scale, moving)
    identity = jnp.eye(scale.size)

    exact, definite = _downhill(hessian, gradient)
    expected, _ = _downhill(fisher + 1e-12 * identity, gradient)
    edm = jnp.where(definite, -0.5 * gradient @ exact, -0.5 * gradient @ expected)
    near = -0.5 * gradient @ expected < NEAR
    damped, ok = _downhill(hessian + damping * identity, gradient)
    safe, _ = _downhill(fisher + (damping + 1e-12) * identity, gradient)
    direction = jnp.where(near & ok & definite, damped, safe)
    return _Step(
        delta=jnp.where(moving, direction * scale, 0.0),
        predicted=-0.5 * gradient @ direction,
        edm=edm,
        definite=definite,
    )


def _scaled(matrix: Any, scale: Any, moving: Any) -> Any:
    both = moving[:, None] & moving[None, :]
    scaled = jnp.where(both, matrix * scale[:, None] * scale[None, :], 0.0)
    return scaled + jnp.diag(jnp.where(moving, 0.0, 1.0))


def _downhill(matrix: Any, gradient: Any) -> tuple[Any, Any]:
    """-matrix^-1 gradient and whether the matrix is positive definite (else steepest)."""
    factor = jnp.linalg.cholesky(matrix)
    definite = jnp.all(jnp.isfinite(factor))
    safe = jnp.where(definite, factor, jnp.eye(gradient.size))
    return -jax.scipy.linalg.cho_solve((safe, True), gradient), definite
