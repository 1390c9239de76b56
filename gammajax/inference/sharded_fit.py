"""Newton steps of a likelihood that is shared out, driven from the host.

The steps are those of `gammajax.inference.newton_cg`. Only the products with the matrix are
different: they are sums over devices. All processes come to the same decisions, because each
goes through `Collectives.agreed`.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.fold.slopes import RowBends, gathered
from gammajax.inference import newton_cg as steps
from gammajax.inference.cg_step import Matrix, definite, step_of
from gammajax.inference.collectives import LostProcess
from gammajax.inference.curvature import Curvature
from gammajax.inference.many import settled
from gammajax.inference.newton import RUNNING, NewtonState
from gammajax.inference.problem import owners
from gammajax.inference.sharded import ShardedLikelihood, Spread
from gammajax.inference.verdict import looked, rejected
from gammajax.inference.watched import Line, Watched, stand_of


def minimise_sharded(
    likelihood: ShardedLikelihood, tolerance: float, max_steps: int, watched: Watched | None
) -> NewtonState:
    """The minimum of a likelihood that is shared out, with the matrices there.

    Raises
    ------
    LostProcess
        If another process has ended; the message says whether a checkpoint is there.
    """
    state = steps.begin(likelihood.frame, likelihood.frame.space.value)
    watched = watched or Watched(None, False)
    if watched._state is not None:
        state, watched._state = watched._state, None
    try:
        state = _searched(likelihood, state, tolerance, max_steps, watched)
        return _settled(likelihood, state, tolerance)
    except LostProcess as error:
        raise LostProcess(f"the fit has stopped: {error}{_kept(watched)}") from None


def look_sharded(likelihood: ShardedLikelihood, theta: Any, tolerance: float) -> NewtonState:
    """The state at a vector of the free parameters, without a step."""
    x = likelihood.frame.space.insert(np.asarray(theta), likelihood._index)
    return _settled(likelihood, steps.begin(likelihood.frame, x), tolerance)


def _settled(likelihood: ShardedLikelihood, state: Any, tolerance: float) -> NewtonState:
    at = likelihood.derivatives(likelihood.spread(state.x))
    state = state._replace(gradient=at.gradient, stat=at.stat, n_negative=at.n_negative)
    known = Curvature(at.hessian, at.fisher)
    return settled(likelihood.frame, state, tolerance, known)


def resumed_together(watched: Watched, likelihood: ShardedLikelihood) -> ShardedLikelihood:
    """The likelihood as it was planned for the checkpoint of the first process, if any.

    All processes go on from its state; only the first one needs to see the file.
    """
    frame, gang = likelihood.frame, likelihood.collectives
    found = None
    if gang.leads and watched.checkpoint is not None:
        found = watched.checkpoint.read(likelihood)
    if not bool(gang.agreed(found is not None)):
        return likelihood
    empty = steps.begin(frame, frame.space.value)
    planned, state = found or (np.zeros(np.shape(frame.space.value)), empty)
    planned = gang.agreed(planned)
    kinds = {key: value for key, value in empty._asdict().items() if hasattr(value, "dtype")}
    together = {
        key: jnp.asarray(gang.agreed(getattr(state, key))).astype(kind.dtype)
        for key, kind in kinds.items()
    }
    watched._state = empty._replace(**together)
    if np.array_equal(planned, frame.space.value):
        return likelihood
    return likelihood.with_models(likelihood.models_at(planned[likelihood._index]))


def _kept(watched: Watched) -> str:
    if watched.checkpoint is None or not watched.checkpoint.path.exists():
        return "; no checkpoint was kept"
    return (
        f"; its state is kept in {watched.checkpoint.path}: start all processes again to go on "
        "from there"
    )


def _searched(
    likelihood: ShardedLikelihood,
    state: Any,
    tolerance: float,
    max_steps: int,
    watched: Watched,
) -> Any:
    frame, gang = likelihood.frame, likelihood.collectives
    owner = np.asarray(owners(frame))
    with Line(watched.progress and gang.leads) as line:
        while bool(gang.agreed((state.status == RUNNING) & (state.n_steps < max_steps))):
            at = likelihood.spread(state.trial, np.any(state.near))
            seen = SimpleNamespace(stat=at.stat, gradient=at.gradient, n_negative=at.n_negative)
            state, better = _looked(state, at.stat, at.gradient, at.n_negative, owner)
            if bool(gang.agreed(better)):
                matrix = matrix_of(likelihood, at, np.asarray(state.near))
                step = step_of(
                    frame, state.trial, jnp.asarray(at.gradient), matrix, state.damping,
                    state.near, gang.loop,
                )  # fmt: skip
                state = steps.accepted(frame, state, seen, step, owner, tolerance)
            else:
                state = _rejected(likelihood, state, at, owner)
            line.show(stand_of(state, owner))
            if gang.leads:
                watched.keep(likelihood, state)
    return state


def _rejected(likelihood: ShardedLikelihood, state: Any, at: Spread, owner: Any) -> Any:
    def product(direction: Any) -> Any:
        return likelihood.times(at, np.asarray(direction)[None], exact=False)[0]

    loop = likelihood.collectives.loop
    return rejected(likelihood.frame, state, owner, product, loop)


@jax.jit
def _looked(state: Any, stat: Any, gradient: Any, n_negative: Any, owner: Any) -> Any:
    seen = SimpleNamespace(stat=stat, gradient=gradient, n_negative=n_negative)
    # second derivatives are made in each look
    state = state._replace(n_kept=jnp.zeros_like(state.n_kept))
    return looked(state._replace(excess=state.stat), seen, owner, stat)


def matrix_of(likelihood: ShardedLikelihood, at: Spread, near: np.ndarray) -> Matrix:
    """The matrix of a step, as products: see `gammajax.inference.cg_step`.

    Once all components are near their minimum it is the exact Hessian; before, the Fisher
    matrix with the exact blocks of the components that are.
    """
    members, number = likelihood.groups.members, likelihood.n_free
    exact = bool(near.all())
    close = np.all(np.append(near, True)[members], axis=1).reshape(-1, 1, 1)
    bent = definite(at.fisher, at.hessian - at.fisher)
    wanted = jnp.where(close, bent, at.fisher)
    curved = RowBends(wanted - (at.hessian if exact else at.fisher), members, number)

    def product(direction: Any) -> Any:
        spread = likelihood.times(at, np.asarray(direction)[None], exact=exact)[0]
        return spread + curved.times(direction)

    def diagonal(blocks: Any) -> Any:
        return gathered(jnp.diagonal(blocks, axis1=1, axis2=2), members, number)

    return Matrix(
        product, diagonal(jnp.asarray(at.fisher)), diagonal(wanted), [(wanted, members)]
    )
