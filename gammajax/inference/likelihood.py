"""The object that fits, covariances, profiles, posteriors and estimators share."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.config import program, require_x64
from gammajax.datasets import Datasets
from gammajax.fold import (
    FluxPointsTerm,
    FoldOptions,
    MapTerm,
    build_terms,
    outgrown_rows,
    stack_components,
)
from gammajax.fold.region_plane import PlaneFractions
from gammajax.inference import problem as pure
from gammajax.inference.at_values import bounded, models_with, stack_priors
from gammajax.inference.checks import check_datasets, check_models, check_restriction
from gammajax.inference.problem import Problem
from gammajax.models import Models
from gammajax.parameters import ParameterSpace


class Likelihood:
    r"""-2 ln L of datasets for models, compiled, with exact derivatives.

    Parameters
    ----------
    datasets : `~gammajax.datasets.Datasets`, or an iterable of datasets
    models : `~gammajax.models.Models`, or an iterable of components
    options : `~gammajax.fold.FoldOptions`, optional
        How counts cubes are folded.
    part_of : sequence of str
        Names of more datasets, of which these are a part: components may name them.

    Notes
    -----
    Functions take ``theta``, the free parameters in canonical units in the order of
    `names`. They are compiled once for each structure of the problem: data, bounds, start
    values and the choice of free parameters are arguments of the compiled program.

    Raises
    ------
    ValueError
        If a dataset has a bin in its fit range with alpha 0, if no bin or no free parameter
        is left, if a start value lies outside its bounds, if a component names a dataset
        that does not exist, or if JAX runs in 32 bits.
    """

    def __init__(
        self,
        datasets: Any,
        models: Any,
        options: FoldOptions | None = None,
        *,
        part_of: Sequence[str] = (),
    ) -> None:
        require_x64("Likelihood")
        self.options = options or FoldOptions()
        self.datasets = datasets if isinstance(datasets, Datasets) else Datasets(datasets)
        self.models = models if isinstance(models, Models) else Models(models)
        check_datasets(self.datasets)
        check_models(self.models, [*self.datasets.names, *part_of])
        self._whole: Likelihood | None = None
        self._part_of = tuple(part_of)
        groups = stack_components(self.models)
        parts = build_terms(list(self.datasets), groups, self.options)
        self._members = [[component.name for component in parts] for _, parts in groups]
        self._order = [[dataset.name for dataset in batch] for _, batch in parts]
        space = ParameterSpace.from_table(self.models.parameters)
        self._index = np.nonzero(space.free)[0]
        self.problem = Problem(
            space=space,
            stacks=tuple(stack for stack, _ in groups),
            terms=tuple(term for term, _ in parts),
            priors=stack_priors(self.models.parameters),
            active=self._index,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the free parameters, in the order of ``theta``."""
        return tuple(self.models.parameters.names[i] for i in self._index)

    @property
    def frame(self) -> Problem:
        """What is to be known of the parameters; here the problem itself."""
        return self.problem

    @property
    def start(self) -> np.ndarray:
        """The models' own values of the free parameters."""
        return np.asarray(self.problem.space.value)[self._index]

    @property
    def n_bins(self) -> int:
        """The number of bins in the fit range of all datasets."""
        return int(sum(dataset.mask.sum() for dataset in self.datasets))

    @property
    def n_free(self) -> int:
        """The number of free parameters."""
        return len(self._index)

    def stat(self, theta: Any) -> Any:
        """The statistic, priors included."""
        return _stat(self.problem, self._index, theta)

    def gradient(self, theta: Any) -> Any:
        """The gradient of the statistic, shape (n_free,)."""
        return _value_and_gradient(self.problem, self._index, theta)[1]

    def value_and_gradient(self, theta: Any) -> tuple[Any, Any]:
        """The statistic and its gradient."""
        return _value_and_gradient(self.problem, self._index, theta)

    def hessian(self, theta: Any) -> Any:
        """The exact matrix of second derivatives, shape (n_free, n_free)."""
        return _derivatives(self.problem, self._index, theta).hessian

    def fisher(self, theta: Any) -> Any:
        r"""The expected matrix of second derivatives of the statistic, (n_free, n_free).

        The statistic is -2 ln L, so this is twice the Fisher information, and the
        covariance is twice its inverse.
        """
        return _derivatives(self.problem, self._index, theta).fisher

    def hvp(self, theta: Any, vector: Any) -> Any:
        """The Hessian times a vector, without forming the Hessian."""
        return _hvp(self.problem, self._index, theta, vector)

    def predict(self, theta: Any) -> dict[str, Any]:
        """Predicted signal counts in the fit range, by dataset name.

        Of a counts cube these are the bins with counts, in the order of its map, and as the
        last entry the total.
        """
        predicted = _predict(self.problem, self._index, theta)
        return self._by_dataset(predicted)

    def stat_arrays(self, theta: Any) -> dict[str, Any]:
        """The statistic of each bin in the fit range, by dataset name."""
        return self._by_dataset(_stat_arrays(self.problem, self._index, theta))

    def _by_dataset(self, arrays: tuple[Any, ...]) -> dict[str, Any]:
        found = {}
        for names, array, term in zip(self._order, arrays, self.problem.terms, strict=True):
            for i, name in enumerate(names):
                found[name] = _in_order(term, i, np.asarray(array[i]))
        return {name: found[name] for name in self.datasets.names}

    def require_every_bin(self, what: str, *, counts: bool = False) -> None:
        """Raise if a dataset has bins that are predicted in their sum only.

        With ``counts`` also if it has no counts at all, as flux points.

        Raises
        ------
        ValueError
            That names ``what`` needs them, and the datasets.
        """
        terms = zip(self.problem.terms, self._order, strict=True)
        members = [(term, name) for term, names in terms for name in names]
        points = [name for term, name in members if isinstance(term, FluxPointsTerm)]
        cubes = [name for term, name in members if isinstance(term, MapTerm)]
        if points and counts:
            raise ValueError(
                f"{what} simulates counts, and {', '.join(points)} has flux points; leave them "
                "out"
            )
        if cubes:
            raise ValueError(
                f"{what} needs a prediction in every bin, and that of the counts cubes "
                f"{', '.join(cubes)} has the empty bins in their sum only; leave the cubes "
                "out, or simulate with dataset.fake(models, seed)"
            )

    def outgrown(self, theta: Any) -> tuple[str, ...]:
        """Names of the sources that the folds were not planned for at ``theta``.

        Sources fold within a disk around where they started. One that has moved or grown out
        of it needs a new plan: ``with_models(models_at(theta))``.
        """
        return outgrown_components(self.widest, self._index, theta, self._members)

    def models_at(self, theta: Any, covariance: Any = None) -> Models:
        """The models with the free parameters at ``theta``, links followed.

        ``covariance`` is of the free parameters; it is expanded to all of them.
        """
        return models_with(self.models, self.problem.space, self._index, theta, covariance)

    def with_models(self, models: Models) -> Likelihood:
        """The likelihood of the same datasets for other models."""
        if self._whole is not None:
            values = [row.value for row in models.parameters]
            whole = self._whole.models.with_values(values)
            return self._whole.with_models(whole).restricted(models)
        return Likelihood(self.datasets, models, self.options, part_of=self._part_of)

    def restricted(self, models: Models) -> Likelihood:
        """The likelihood with other values, links and priors, and no more that is free.

        Folds are not planned anew, and fits by Newton steps run in the same compiled program:
        for hypotheses that are nested in one.

        Parameters
        ----------
        models : `~gammajax.models.Models`
            The same components, with parameters frozen or linked that are free here.

        Raises
        ------
        ValueError
            If they have other parameters, or one is free that is not free here.
        """
        whole = self if self._whole is None else self._whole
        check_restriction(whole.models, models)
        space = ParameterSpace.from_table(models.parameters)
        found = copy.copy(self)
        found.models, found._whole = models, whole
        found._index = np.nonzero(space.free)[0]
        found.problem = Problem(
            space=space,
            stacks=whole.problem.stacks,
            terms=whole.problem.terms,
            priors=stack_priors(models.parameters),
            active=found._index,
        )
        return found

    def within(self, low: Any, high: Any) -> Likelihood:
        """The same with other bounds of the free parameters, for a search; pure data.

        The models keep their own.
        """
        found = copy.copy(self)
        found.problem = bounded(self.problem, self._index, low, high)
        return found

    @property
    def widest(self) -> Problem:
        """The problem with all that is free in the likelihood that this is a restriction of.

        Its derivatives by what is held are 0; see `restricted`.
        """
        if self._whole is None:
            return self.problem
        return eqx.tree_at(lambda p: p.active, self.problem, self._whole._index)

    def __repr__(self) -> str:
        return (
            f"Likelihood({len(self.datasets)} datasets, {self.n_bins} bins, "
            f"{self.n_free} free parameters: {', '.join(self.names)})"
        )


def outgrown_components(
    problem: Problem, index: Any, theta: Any, members: Sequence[Sequence[str]]
) -> tuple[str, ...]:
    """Names of the components (by stack) that have left what their folds were planned for."""
    names: list[str] = []
    x = np.array(problem.space.value)
    x[np.asarray(index)] = np.asarray(theta)
    for found, own in zip(_outgrown(problem, x), members, strict=True):
        names += [name for name, out in zip(own, np.asarray(found), strict=True) if out]
    return tuple(dict.fromkeys(names))


@jax.jit
def _stat(problem: Problem, index: Any, theta: Any) -> Any:
    return pure.total_stat(problem, problem.space.insert(theta, index))


@jax.jit
def _value_and_gradient(problem: Problem, index: Any, theta: Any) -> tuple[Any, Any]:
    stat, gradient = pure.gradient(problem, problem.space.insert(theta, index))
    return stat, gradient[index]


@jax.jit
def _derivatives(problem: Problem, index: Any, theta: Any) -> pure.Derivatives:
    return pure.derivatives(problem, problem.space.insert(theta, index))


@jax.jit
def _hvp(problem: Problem, index: Any, theta: Any, vector: Any) -> Any:
    def gradient(free: Any) -> Any:
        return jax.grad(lambda t: pure.reverse_stat(problem, problem.space.insert(t, index)))(
            free
        )

    return jax.jvp(gradient, (theta,), (vector,))[1]


@program
def _predict(problem: Problem, index: Any, theta: Any) -> tuple[Any, ...]:
    return pure.predictions(problem, problem.space.insert(theta, index))


@jax.jit
def _outgrown(problem: Problem, x: Any) -> list[Any]:
    values = problem.space.expand(x)
    found = [jnp.zeros(len(stack.places), dtype=bool) for stack in problem.stacks]
    for term in problem.terms:
        folds = zip(getattr(term, "which", ()), getattr(term, "folds", ()), strict=True)
        for place, fold in folds:
            if problem.stacks[place].moves:
                out = outgrown_rows(fold, problem.stacks[place], values)
                found[place] = found[place] | out
        for place, response in enumerate(getattr(term, "responses", ())):
            fractions = None if response is None else response.fractions
            if isinstance(fractions, PlaneFractions):
                out = fractions.outgrown(problem.stacks[place].at(values))
                found[place] = found[place] | out
    return found


@jax.jit
def _stat_arrays(problem: Problem, index: Any, theta: Any) -> tuple[Any, ...]:
    mu = pure.predictions(problem, problem.space.insert(theta, index))
    return tuple(term.stat_array(m) for term, m in zip(problem.terms, mu, strict=True))


def _in_order(term: Any, number: int, values: np.ndarray) -> np.ndarray:
    """The values of one dataset of a term that are not padding, in the order of its bins."""
    mask = np.asarray(term.mask[number])
    if not isinstance(term, MapTerm):
        return values[mask]
    order = np.argsort(np.asarray(term.place[number])[mask[:-1]])
    return np.append(values[:-1][mask[:-1]][order], values[-1])
