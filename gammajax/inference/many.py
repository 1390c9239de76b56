"""Fits of many parameters: steps without matrices, then the matrices of the minimum."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np
from scipy import sparse

from gammajax.config import program
from gammajax.inference.covariance import of_places
from gammajax.inference.curvature import Curvature, curvature
from gammajax.inference.factor import Factor
from gammajax.inference.newton import (
    BAD_START,
    CONVERGED,
    FLAT,
    RUNNING,
    TOO_MANY,
    NewtonState,
    idle,
    movable,
)
from gammajax.inference.newton_cg import State, newton_cg
from gammajax.inference.problem import Derivatives, Problem


def minimise_many(problem: Problem, x: Any, tolerance: float, max_steps: int) -> NewtonState:
    """Minimise by conjugate gradients; the state has the matrices, on the host.

    They are NumPy arrays, or sparse ones above `gammajax.inference.curvature.DENSE`
    parameters.
    """
    state = jax.block_until_ready(_search(problem, x, tolerance, max_steps))
    return settled(problem, state, tolerance)


def settled(
    problem: Problem, state: State, tolerance: float, known: Curvature | None = None
) -> NewtonState:
    """How a search ended, with the matrices where it did.

    They are made of the pieces of the state, unless they are known.
    """
    found = curvature(problem, state.pieces) if known is None else known
    gradient, last = np.asarray(state.gradient), np.asarray(state.x)
    at = Derivatives(
        np.asarray(state.stat), gradient, *found, n_negative=np.asarray(state.n_negative)
    )
    moving = np.asarray(movable(problem, last, gradient))
    moving = moving & ~np.asarray(idle(problem, ~moving, found.fisher.diagonal()))
    edm, definite = _distance(found.hessian, gradient, moving, float(state.edm))
    status = int(state.status)
    if not np.isfinite(state.stat):
        status = BAD_START
    elif edm < tolerance:
        status = CONVERGED if definite else FLAT
    elif status in (RUNNING, CONVERGED):
        status = TOO_MANY
    return NewtonState(
        x=last,
        at=at,
        trial=last,
        gain=np.asarray(0.0),
        edm=np.asarray(edm),
        damping=np.asarray(0.0),
        n_steps=np.asarray(state.n_steps),
        n_rejected=np.asarray(state.n_rejected),
        status=np.asarray(status),
    )


@partial(program, static_argnames="max_steps")
def _search(problem: Problem, x: Any, tolerance: float, max_steps: int) -> Any:
    return newton_cg(problem, x, tolerance, max_steps)


def _distance(
    hessian: Any, gradient: np.ndarray, moving: np.ndarray, estimate: float
) -> tuple[float, bool]:
    """The estimated distance to the minimum, and whether the Hessian is definite.

    Of a sparse Hessian, the distance is that of the last step.
    """
    places = np.nonzero(moving)[0]
    if sparse.issparse(hessian):
        diagonal = hessian.diagonal()[places]
        return estimate, bool(np.all(diagonal > 0) and np.all(np.isfinite(diagonal)))
    factor, slope = Factor(of_places(hessian, places)), gradient[places]
    if not factor.definite:
        return estimate, False
    return float(0.5 * slope @ factor.solve(slope)), True
