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

from gammajax.inference.problem import Derivatives, Problem, derivatives, owners

CONVERGED, RUNNING, STUCK, BAD_START, TOO_MANY, FLAT, LEFT = 0, 1, 2, 3, 4, 5, 6
"""Status of a fit, a number because traced code reports and never raises."""

NEAR = 0.5
"""Estimated distance (in the statistic) below which exact Hessians are used."""


class NewtonState(NamedTuple):
    """Where a fit stands; what `newton` returns.

    ``x`` is the best point so far, ``at`` the derivatives there; ``trial`` is where the next
    step looks, and ``gain`` the decrease that it expects.
    """

    x: Any
    at: Derivatives
    trial: Any
    gain: Any
    edm: Any
    damping: Any
    n_steps: Any
    n_rejected: Any
    status: Any


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
    number = problem.active.size
    none, zeros = jnp.zeros(number), jnp.zeros((number, number))
    state = NewtonState(
        x=x,
        at=Derivatives(jnp.asarray(jnp.inf), none, zeros, zeros, jnp.asarray(0)),
        trial=x,
        gain=jnp.asarray(1.0),
        edm=jnp.asarray(jnp.inf),
        damping=jnp.asarray(1e-3),
        n_steps=jnp.asarray(0),
        n_rejected=jnp.asarray(0),
        status=jnp.asarray(RUNNING),
    )

    def proceed(state: NewtonState) -> Any:
        return (state.status == RUNNING) & (state.n_steps < max_steps)

    def advance(state: NewtonState) -> NewtonState:
        return _advance(problem, state, tolerance)

    state = jax.lax.while_loop(proceed, advance, state)
    return state._replace(status=jnp.where(state.status == RUNNING, TOO_MANY, state.status))


def _advance(problem: Problem, state: NewtonState, tolerance: float) -> NewtonState:
    """Look at the trial point, keep it if it is better, and choose the next one."""
    first = state.n_steps == 0
    at = derivatives(problem, state.trial)
    finite = jnp.isfinite(at.stat) & jnp.all(jnp.isfinite(at.gradient))
    noise = 1e-13 * (jnp.abs(at.stat) + 1.0)
    drop = jnp.where(first, 1.0, state.at.stat - at.stat)
    # a total below 0 lowers the statistic without end, so no step may lead there
    allowed = first | (at.n_negative <= state.at.n_negative)
    better = finite & allowed & ((drop > 0) | ((drop >= -noise) & (state.edm < 1e3 * noise)))
    damping = jnp.where(
        first, state.damping, _damping(state.damping, better, drop / state.gain)
    )
    at = jax.tree_util.tree_map(lambda new, old: jnp.where(better, new, old), at, state.at)
    x = jnp.where(better, state.trial, state.x)

    moving = movable(problem, x, at.gradient)
    moving = moving & ~idle(problem, ~moving, jnp.diag(at.fisher))
    delta, edm, definite = newton_step(at, moving, damping)
    trial, taken = stepped(problem, x, delta)
    gain = -(at.gradient @ taken + 0.5 * taken @ at.hessian @ taken)
    status = jnp.where(
        edm < tolerance,
        jnp.where(definite, CONVERGED, FLAT),
        jnp.where(damping > 1e12, STUCK, RUNNING),
    )
    return NewtonState(
        x=x,
        at=at,
        trial=trial,
        gain=jnp.where(gain > 0, gain, jnp.inf),
        edm=edm,
        damping=damping,
        n_steps=state.n_steps + 1,
        n_rejected=state.n_rejected + ~better,
        status=jnp.where(first & ~finite, BAD_START, status),
    )


def _damping(damping: Any, better: Any, quality: Any) -> Any:
    """The damping after a step that did ``quality`` times what it promised."""
    smaller = jnp.where(damping < 1e-8, 0.0, damping / 10)
    kept = jnp.where(quality > 0.5, smaller, jnp.where(quality < 0.1, 3 * damping, damping))
    return jnp.where(better, kept, jnp.maximum(10 * damping, 1e-3))


def movable(problem: Problem, x: Any, gradient: Any) -> Any:
    """The active entries that are free and not held at a bound by the gradient."""
    space, active = problem.space, problem.active
    at = x[active]
    held = (at <= space.min[active]) & (gradient > 0)
    held = held | ((at >= space.max[active]) & (gradient < 0))
    return space.free[active] & ~held


@jax.jit
def idle(problem: Problem, held: Any, diagonal: Any) -> Any:
    """The active entries that do nothing, because another one of their component is at a bound.

    The index of a source whose amplitude rests at 0 is one. Entries that do nothing for no
    such reason are not: the data do not determine them, and a fit says so.

    Parameters
    ----------
    held : array of bool, shape (active,)
    diagonal : array, shape (active,)
        Of the Fisher matrix.
    """
    owner = owners(problem)
    absent = jnp.zeros(held.shape, dtype=bool).at[owner].max(held)[owner]
    return absent & ~held & (diagonal == 0)


def stepped(problem: Problem, x: Any, delta: Any) -> tuple[Any, Any]:
    """x after a step of the active entries, cut to the box, and the step that is left."""
    space, active = problem.space, problem.active
    old = x[active]
    new = jnp.where(
        delta == 0, old, jnp.clip(old + delta, space.min[active], space.max[active])
    )
    return x.at[active].set(new), new - old


def newton_step(at: Derivatives, moving: Any, damping: Any) -> tuple[Any, Any, Any]:
    """The step to try, the estimated distance, and whether the Hessian is definite."""
    diagonal = jnp.diag(at.fisher)
    usable = moving & (diagonal > 0)
    scale = jnp.where(usable, 1 / jnp.sqrt(jnp.where(usable, diagonal, 1.0)), 1.0)
    gradient = jnp.where(moving, at.gradient * scale, 0.0)
    both = moving[:, None] & moving[None, :]
    rest = jnp.diag(jnp.where(moving, 0.0, 1.0))
    hessian, fisher = (
        jnp.where(both, matrix * scale[:, None] * scale[None, :], 0.0) + rest
        for matrix in (at.hessian, at.fisher)
    )
    extra = jnp.stack([0 * damping, 1e-12 + 0 * damping, damping, damping + 1e-12])
    matrices = jnp.stack([hessian, fisher, hessian, fisher])
    matrices = matrices + extra[:, None, None] * jnp.eye(moving.size)
    factors = jnp.linalg.cholesky(matrices)
    definite = jnp.all(jnp.isfinite(factors), axis=(1, 2))
    factors = jnp.where(definite[:, None, None], factors, jnp.eye(moving.size))
    right = jnp.broadcast_to(gradient, (4, gradient.size))[..., None]
    lower = jax.lax.linalg.triangular_solve(factors, right, left_side=True, lower=True)
    upper = jax.lax.linalg.triangular_solve(
        factors, lower, left_side=True, lower=True, transpose_a=True
    )
    steps = -upper[..., 0]
    distance = -0.5 * steps @ gradient
    exact = definite[0] & definite[2] & (distance[1] < NEAR)
    direction = jnp.where(exact, steps[2], steps[3])
    edm = jnp.where(definite[0], distance[0], distance[1])
    return jnp.where(moving, direction * scale, 0.0), edm, definite[0]
