"""Fitting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from gammajax.config import program
from gammajax.fold import MapTerm
from gammajax.inference import newton as second_order
from gammajax.inference.covariance import (
    KINDS,
    as_array,
    covariance_matrix,
    least_eigenvalue,
    of_places,
    without_nan,
)
from gammajax.inference.factor import Factor
from gammajax.inference.first_order import first_order, report
from gammajax.inference.many import minimise_many, settled
from gammajax.inference.newton import NewtonState, idle, movable, newton
from gammajax.inference.plans import searched
from gammajax.inference.problem import Problem
from gammajax.inference.result import FitResult
from gammajax.inference.sharded import ShardedLikelihood
from gammajax.inference.sharded_fit import look_sharded, minimise_sharded, resumed_together
from gammajax.inference.timing import Stopwatch
from gammajax.inference.watched import Watched

METHODS = ("newton", "lbfgs", "adam", "minuit")

MANY, MANY_OF_CUBES = 300, 30
"""Free parameters above which Newton steps are taken without matrices.

The second is for counts cubes: there a matrix costs more than the products with it.
"""

DEGENERATE = 1e-11
"""Least eigenvalue of the Fisher matrix, scaled to a unit diagonal, that counts as one."""

FAR = 0.1
"""Distance, relative to the largest one, of parameters that a message names."""

MESSAGES = {
    second_order.CONVERGED: "distance to the minimum below tolerance",
    second_order.STUCK: "no step decreases the statistic any more",
    second_order.BAD_START: "the statistic is not finite at the start values",
    second_order.TOO_MANY: "the largest number of steps was reached",
    second_order.FLAT: (
        "the Hessian is not positive definite: the data do not determine all free parameters"
    ),
    second_order.LEFT: "the search went to ",
}


@dataclass(frozen=True)
class Fit:
    """How to minimise a likelihood.

    Parameters
    ----------
    method : {"newton", "lbfgs", "adam", "minuit"}
        ``newton`` uses exact second derivatives (see `gammajax.inference.newton`); ``lbfgs``
        and ``adam`` come from optax and use gradients; ``minuit`` is Minuit's MIGRAD with
        our gradient (needs the iminuit package).
    tolerance : float
        Estimated distance to the minimum, in units of the statistic, at which to stop.
    max_steps : int, optional
        Most steps; the default depends on the method.
    covariance : {"hessian", "fisher", "sandwich"}
        See `gammajax.inference.covariance`.

    Examples
    --------
    >>> from gammajax.inference import Fit
    >>> Fit(method="lbfgs")
    Fit(method='lbfgs', tolerance=1e-08, max_steps=None, covariance='hessian')
    """

    method: str = "newton"
    tolerance: float = 1e-8
    max_steps: int | None = None
    covariance: str = "hessian"

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(
                f"Fit: method is {self.method!r}, expected one of {', '.join(METHODS)}"
            )
        if self.covariance not in KINDS:
            raise ValueError(
                f"Fit: covariance is {self.covariance!r}, expected one of {', '.join(KINDS)}"
            )
        if not self.tolerance > 0:
            raise ValueError(f"Fit: tolerance is {self.tolerance}, expected a number above 0")

    def run(
        self, likelihood: Any, *, progress: bool = False, checkpoint: Any = None
    ) -> FitResult:
        """Minimise, from the values that the likelihood's models have.

        A source of a counts cube that moves or grows out of what its fold was planned for is
        planned anew where it is, and the fit goes on; the message says so. Where it cannot be,
        the fit ends at the last point that can be folded, without success.

        Parameters
        ----------
        likelihood : `Likelihood` or `ShardedLikelihood`
        progress : bool
            Show steps, statistic, gradient and the number of sources that are not near
            their minimum yet, on the standard error stream.
        checkpoint : path-like or `~gammajax.inference.Checkpoint`, optional
            File in which the state of the search is kept. If it is there, the fit goes on
            from it, and comes to the same numbers as one that was not interrupted.

        Raises
        ------
        ValueError
            If progress or checkpoint is given and the method is not ``newton``, or the file
            belongs to another fit.
        """
        if self.covariance == "sandwich":
            likelihood.require_every_bin("Fit(covariance='sandwich')")
        watched = Watched.create(progress, checkpoint, self.method)
        if watched is not None:
            shared = isinstance(likelihood, ShardedLikelihood)
            resumed: Any = resumed_together if shared else Watched.resumed
            likelihood = resumed(watched, likelihood)
        with Stopwatch() as watch:
            ended = searched(
                likelihood,
                lambda own, held: self._minimise(own, None if held else watched),
                self._look,
            )
        result = self._result(ended.likelihood, ended.state, watch, ended.left)
        if not ended.planned:
            return result
        text = f"{result.message}; folds planned anew for {', '.join(ended.planned)}"
        return replace(result, message=text)

    def _minimise(self, likelihood: Any, watched: Watched | None) -> NewtonState:
        if isinstance(likelihood, ShardedLikelihood):
            if self.method != "newton":
                raise ValueError(
                    f"Fit: a sharded likelihood needs the method 'newton', got {self.method!r}"
                )
            steps = self.max_steps or 200
            return minimise_sharded(likelihood, self.tolerance, steps, watched)
        problem = likelihood.problem
        x = np.asarray(problem.space.value)
        if watched is not None:
            steps = self.max_steps or 200
            state = watched.search(likelihood, self.tolerance, steps)
            return settled(problem, state, self.tolerance)
        if self.method == "newton" and problem.active.size > _most_in_matrices(problem):
            return minimise_many(problem, x, self.tolerance, self.max_steps or 200)
        if self.method == "newton":
            wide = likelihood.widest
            state = _newton(wide, x, self.tolerance, self.max_steps or 200)
            return state if wide is problem else _narrowed(state, wide, problem)
        if self.method == "minuit":
            from gammajax.inference.minuit import minuit

            return minuit(problem, x, self.tolerance, self.max_steps or 10_000)
        steps = self.max_steps or (2000 if self.method == "lbfgs" else 20_000)
        return first_order(problem, x, self.tolerance, steps, self.method)

    def _look(self, likelihood: Any, theta: np.ndarray) -> NewtonState:
        """The state at a point, without a step."""
        if isinstance(likelihood, ShardedLikelihood):
            return look_sharded(likelihood, theta, self.tolerance)
        problem = likelihood.problem
        x = np.asarray(problem.space.insert(theta, likelihood._index))
        if problem.active.size > _most_in_matrices(problem):
            return minimise_many(problem, x, self.tolerance, 1)
        return report(problem, x, 0, self.tolerance)

    def _result(
        self, likelihood: Any, state: NewtonState, watch: Stopwatch, left: str
    ) -> FitResult:
        problem, index = likelihood.frame, likelihood._index
        x, status = np.asarray(state.x), int(state.status)
        low, high = np.asarray(problem.space.min), np.asarray(problem.space.max)
        at_bound = (x[index] <= low[index]) | (x[index] >= high[index])
        resting = np.zeros(at_bound.shape, dtype=bool)
        if at_bound.any():
            diagonal = as_array(state.at.fisher).diagonal()
            resting = np.asarray(idle(problem, at_bound, diagonal))
        moving = ~at_bound & ~resting
        block = covariance_matrix(problem, x, state.at, moving, self.covariance)
        names = likelihood.names
        finite = bool(np.all(np.isfinite(block.diagonal())))
        if status == second_order.CONVERGED and _degenerate(state, moving):
            status = second_order.FLAT
        n_negative = int(state.at.n_negative)
        success = status == second_order.CONVERGED and finite and n_negative == 0
        return FitResult(
            success=success,
            message=_message(likelihood, state, status, finite, n_negative, resting, left),
            stat=float(state.at.stat),
            theta=x[index],
            covariance=block,
            fisher=as_array(state.at.fisher),
            models=likelihood.models_at(x[index], without_nan(block)),
            likelihood=likelihood,
            edm=float(state.edm),
            gradient=np.asarray(state.at.gradient),
            n_evaluations=int(state.n_steps),
            method=self.method,
            at_bounds=tuple(names[i] for i in np.nonzero(at_bound)[0]),
            n_negative=n_negative,
            seconds={"compile": watch.compile, "fit": watch.run},
        )


def _narrowed(state: NewtonState, wide: Problem, problem: Problem) -> NewtonState:
    """The state with derivatives by the active parameters of a problem that has fewer."""
    some = np.searchsorted(np.asarray(wide.active), np.asarray(problem.active))
    at = state.at
    return state._replace(
        at=at._replace(
            gradient=np.asarray(at.gradient)[some],
            hessian=np.asarray(at.hessian)[np.ix_(some, some)],
            fisher=np.asarray(at.fisher)[np.ix_(some, some)],
        )
    )


def _most_in_matrices(problem: Problem) -> int:
    """The most free parameters of which Newton steps make matrices."""
    cubes = any(isinstance(term, MapTerm) for term in problem.terms)
    return MANY_OF_CUBES if cubes else MANY


def _degenerate(state: NewtonState, moving: np.ndarray) -> bool:
    """Whether a direction of the moving parameters leaves every prediction as it is.

    Of a sparse matrix, only single parameters are looked at.
    """
    fisher = state.at.fisher
    diagonal = np.asarray(fisher.diagonal())[moving]
    if diagonal.size == 0 or not np.all(np.isfinite(diagonal)):
        return False
    if np.any(diagonal <= 0):
        return True
    if sparse.issparse(fisher):
        return False
    fisher = of_places(fisher, np.nonzero(moving)[0])
    if not bool(abs(fisher).max() < np.inf):
        return False
    return Factor(fisher).is_below(DEGENERATE)


def _message(
    likelihood: Any,
    state: NewtonState,
    status: int,
    finite: bool,
    n_negative: int,
    resting: np.ndarray,
    left: str,
) -> str:
    text = MESSAGES[status] + left
    if status == second_order.FLAT or (status == second_order.CONVERGED and not finite):
        text = MESSAGES[second_order.FLAT] + _undetermined(likelihood, state)
    if status == second_order.BAD_START:
        text += _not_finite(likelihood)
    if status in (second_order.STUCK, second_order.TOO_MANY):
        text += f"; the distance to the minimum is estimated as {float(state.edm):.1e}"
        text += _farthest(likelihood, state)
    if resting.any():
        some = [likelihood.names[i] for i in np.nonzero(resting)[0]]
        text += (
            f"; without effect, because another parameter of the component is at its bound: "
            f"{', '.join(some[:8])}{' and others' if len(some) > 8 else ''}"
        )
    if n_negative:
        text += (
            f"; the total prediction is negative in {n_negative} bins: bound the amplitudes "
            "of the components from below"
        )
    return text


def _farthest(likelihood: Any, state: NewtonState) -> str:
    """The components that have most of the distance, as far as each parameter alone knows."""
    gradient, bend = np.asarray(state.at.gradient), as_array(state.at.hessian).diagonal()
    moving = np.asarray(movable(likelihood.frame, state.x, gradient)) & (bend > 0)
    share = np.where(moving, gradient**2 / np.where(moving, bend, 1.0), 0.0)
    most = [i for i in np.argsort(-share)[:20] if share[i] > FAR * share.max()]
    names = dict.fromkeys(likelihood.names[i].split(".")[0] for i in most)
    return f" (look at {', '.join(list(names)[:8])})" if names else ""


def _undetermined(likelihood: Any, state: NewtonState) -> str:
    """The parameters along which the statistic curves least, or upward."""
    matrix = as_array(state.at.hessian)
    fisher = as_array(state.at.fisher).diagonal()
    known = (fisher > 0) & ~(sparse.issparse(matrix) & (matrix.diagonal() <= 0))
    flat = [likelihood.names[i] for i in np.nonzero(~known)[0]]
    if flat:
        return f" (look at {', '.join(flat[:8])}{' and others' if len(flat) > 8 else ''})"
    if sparse.issparse(matrix):
        return ""
    scale = 1 / np.sqrt(fisher)
    scaled = matrix * np.outer(scale, scale)
    if not np.all(np.isfinite(scaled)):
        return ""
    share = np.abs(least_eigenvalue(scaled)[1])
    worst = [likelihood.names[i] for i in np.argsort(-share) if share[i] > 0.3]
    return f" (look at {', '.join(worst)})"


def _not_finite(likelihood: Any) -> str:
    """The datasets whose statistic is not finite at the start."""
    if isinstance(likelihood, ShardedLikelihood):
        return ""
    arrays = likelihood.stat_arrays(likelihood.start)
    bad = [name for name, array in arrays.items() if not np.all(np.isfinite(array))]
    return f" (in {', '.join(bad)})" if bad else " (in the priors or in a derivative)"


@partial(program, static_argnames=("max_steps",))
def _newton(problem: Problem, x: Any, tolerance: float, max_steps: int) -> NewtonState:
    return newton(problem, x, tolerance, max_steps)
