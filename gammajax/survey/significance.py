"""Test statistics of all sources of a fit, against the absence of each."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from gammajax.config import program
from gammajax.fold import MapTerm
from gammajax.fold.listed import listed
from gammajax.inference import Fit, FitResult
from gammajax.inference.covariance import as_dense
from gammajax.inference.curvature import pieces_of, slopes_of
from gammajax.inference.problem import expand, owners
from gammajax.inference.progress import Progress
from gammajax.parameters import ParameterTable
from gammajax.survey.footprint import Bins, footprint
from gammajax.survey.removal import Removal, solve
from gammajax.survey.rules import is_source, norm_parameter

METHODS = ("auto", "local", "refit")

NEIGHBOURS = 24
"""Parameters of other components that answer to the removal of a source."""

BATCH = 8
"""Sources that are solved at once."""


def source_ts(
    result: FitResult,
    names: Sequence[str] | None = None,
    *,
    method: str = "auto",
    neighbours: int = NEIGHBOURS,
    progress: bool = False,
) -> dict[str, float]:
    r"""The rise of -2 ln L when a source is taken away and the others are fitted again.

    The others keep their positions and sizes: one that may move would take the place of a
    brighter one that is gone.

    Parameters
    ----------
    result : `~gammajax.inference.FitResult`
        At a minimum.
    names : sequence of str, optional
        Of sources; by default all whose norm is free.
    method : {"auto", "local", "refit"}
        ``local`` takes all sources in batches: in the bins of a source the change of the
        statistic is exact, and the parameters that are most correlated with it follow to the
        new minimum, by formulas that are exact for amplitudes (`gammajax.survey.removal`).
        ``refit`` fits everything again without the source, one by one. ``auto`` is ``local``
        where all datasets are counts cubes with Cash, and ``refit`` otherwise.
    neighbours : int
        How many parameters follow.
    progress : bool

    Returns
    -------
    ts : dict of str to float
        A local value differs from that of a refit by what the formulas of shapes and the
        number of neighbours leave: in the tests by less than 2 % or 0.5 up to 1000, and by 6 %
        above, where neighbours are changed beyond recognition.

    Raises
    ------
    ValueError
        If a name is none of a source with a free norm, or the method does not fit to the data.
    """
    if method not in METHODS:
        raise ValueError(f"source_ts: method is {method!r}, expected {', '.join(METHODS)}")
    norms = _norms(result, names)
    terms = result.likelihood.problem.terms
    cash = all(isinstance(term, MapTerm) and term.off is None for term in terms)
    if method == "local" and not cash:
        raise ValueError(
            "source_ts: method 'local' is for counts cubes with Cash; take 'refit' for "
            "spectra, on-off cubes and flux points"
        )
    if method == "auto":
        method = "local" if cash else "refit"
    if method == "refit":
        with Progress("fits without a source", len(norms), progress) as bar:
            return {name: _refitted(result, name, bar) for name in norms}
    return _local(result, norms, neighbours, progress)


def _norms(result: FitResult, names: Sequence[str] | None) -> dict[str, str]:
    """Full names of the norms of sources."""
    free = set(result.names)
    known = {
        component.name: norm_parameter(component)
        for component in result.models
        if is_source(component)
    }
    norms = {name: norm for name, norm in known.items() if norm in free and norm}
    if names is None:
        return norms
    for name in names:
        if name not in norms:
            reason = "its norm is not free" if name in known else "there is no such source"
            raise ValueError(f"source_ts: {name!r}: {reason}")
    return {name: norms[name] for name in names}


def _refitted(result: FitResult, name: str, bar: Progress) -> float:
    """The rise when all is fitted again."""
    rows = []
    for row in result.models.parameters:
        if ".spatial." in row.name:
            row = dataclasses.replace(row, frozen=True)
        if row.name.startswith(f"{name}."):
            gone = row.name.split(".")[-1] in ("amplitude", "norm") and ".spectral." in row.name
            row = dataclasses.replace(
                row,
                value=0.0 if gone else row.value,
                min=min(row.min, 0.0) if gone else row.min,
                max=max(row.max, 0.0) if gone else row.max,
                frozen=True,
                link=None,
                prior=None,
            )
        rows.append(row)
    models = result.models.with_table(ParameterTable(tuple(rows)))
    if not models.parameters.free_names:
        likelihood = result.likelihood.with_models(result.models)
        stat = float(likelihood.stat(np.where(_of(name, result), 0.0, result.theta)))
    else:
        stat = Fit().run(result.likelihood.with_models(models)).stat
    bar.advance(1)
    return stat - result.stat


def _of(name: str, result: FitResult) -> np.ndarray:
    return np.array([parameter.startswith(f"{name}.") for parameter in result.names])


def _local(
    result: FitResult, norms: dict[str, str], number: int, progress: bool
) -> dict[str, float]:
    terms = _bins(result)
    places = {name: i for i, name in enumerate(result.names)}
    model = _Neighbours(result, number)
    found: dict[str, float] = {}
    waiting: list[tuple[str, float, Removal]] = []
    with Progress("significances of sources", len(norms), progress) as bar:

        def flush() -> None:
            rise, ended = solve([removal for *_, removal in waiting])
            for (name, first, _), value, good in zip(waiting, rise, ended, strict=True):
                found[name] = float(first + value) if good else np.nan
            bar.advance(len(waiting))
            waiting.clear()

        for name, norm in norms.items():
            column = places[norm]
            amplitude = float(result.theta[column])
            own = model.of(column)
            bins = footprint(terms, column, amplitude, own)
            first = -amplitude * float(result.gradient[column])
            waiting.append((name, first, model.removal(bins, own)))
            if len(waiting) == BATCH:
                flush()
        if waiting:
            flush()
    return {name: found[name] for name in norms}


class _Neighbours:
    """The parameters that follow when a source is taken away."""

    def __init__(self, result: FitResult, number: int) -> None:
        problem, index = result.likelihood.problem, result.likelihood._index
        self.result, self.number = result, number
        self.owner = np.asarray(owners(problem))
        self.fisher = result.fisher
        self.diagonal = self.fisher.diagonal()
        stays = np.array([".spatial." not in name for name in result.names])
        self.moving = (result.covariance.diagonal() > 0) & (self.diagonal > 0) & stays
        self.low = np.asarray(problem.space.min)[index] - result.theta
        self.high = np.asarray(problem.space.max)[index] - result.theta
        self.norm = self._norm_of(result)

    def _norm_of(self, result: FitResult) -> np.ndarray:
        """For each parameter the place of its component's norm; itself if it has none.

        A shape parameter that other components share follows for itself.
        """
        table, names = result.models.parameters, result.names
        places = {name: i for i, name in enumerate(names)}
        users = Counter(row.link.to for row in table if row.link is not None)
        found = np.arange(len(names))
        self.norms = [places[n] for n in map(norm_parameter, result.models) if n in places]
        for component in result.models:
            norm = norm_parameter(component)
            if norm not in places:
                continue
            for name in component.parameter_names:
                full = f"{component.name}.{name}"
                if full in places and users[full] == users[norm]:
                    found[places[full]] = places[norm]
        return found

    def of(self, column: int) -> np.ndarray:
        """Those that share most with a parameter of another component."""
        row = as_dense(self.fisher[[column]])[0]
        others = self.moving & (self.owner != self.owner[column])
        scale = np.sqrt(np.where(self.diagonal > 0, self.diagonal, 1.0))
        share = np.where(others, np.abs(row) / scale, 0.0)
        chosen = np.argsort(-share, kind="stable")[: self.number]
        return chosen[share[chosen] > 0]

    def removal(self, bins: Any, own: np.ndarray) -> Removal:
        """What is solved for, scaled to a unit diagonal."""
        scale = 1 / np.sqrt(self.diagonal[own])
        place = {int(j): i for i, j in enumerate(own)}
        owner = np.array([place.get(int(self.norm[j]), i) for i, j in enumerate(own)], int)
        known = np.isin(own[owner], self.norms) & (self.result.theta[own[owner]] > 0)
        owner = np.where(known, owner, np.arange(own.size))
        amplitude = np.where(known, (self.result.theta * np.sqrt(self.diagonal))[own[owner]], 0)
        block = as_dense(self.fisher[np.ix_(own, own)])
        return Removal(
            bins=bins._replace(others=bins.others * scale[:, None]),
            owner=owner,
            amplitude=amplitude,
            hessian=block * np.outer(scale, scale),
            gradient=np.asarray(self.result.gradient)[own] * scale,
            low=self.low[own] / scale,
            high=self.high[own] / scale,
        )


def _bins(result: FitResult) -> list[Bins]:
    """The occupied bins of all terms, and the derivatives of predictions as lists."""
    problem = result.likelihood.problem
    pieces = _pieces(problem, _whole(result))
    made = []
    for term, arrays, part in zip(problem.terms, pieces.slopes, pieces.bins, strict=True):
        slopes = slopes_of(term, problem.stacks, arrays, problem.active.size)
        lists = [listed(slope) for slope in slopes]
        made.append(Bins(lists, np.asarray(part.slope), np.asarray(part.bend)))
    return made


def predicted_counts(result: FitResult) -> dict[str, float]:
    """Counts in the fit range that are predicted of each source whose norm is free.

    Only those in counts cubes; sources of other data have none.
    """
    if not all(isinstance(term, MapTerm) for term in result.likelihood.problem.terms):
        return {}
    places = {name: i for i, name in enumerate(result.names)}
    totals = np.asarray(_totals(result.likelihood.problem, _whole(result)))
    return {
        name: float(result.theta[places[norm]] * totals[places[norm]])
        for name, norm in _norms(result, None).items()
    }


def _whole(result: FitResult) -> np.ndarray:
    """The vector of all parameters at the minimum."""
    likelihood = result.likelihood
    return np.asarray(likelihood.problem.space.insert(result.theta, likelihood._index))


@program
def _totals(problem: Any, x: Any) -> Any:
    """Derivatives of the totals of all cubes, summed, by active parameter."""
    found = jnp.zeros(problem.active.size)
    for term in problem.terms:
        _, slopes = term.linear(problem.stacks, problem.space, x, problem.active)
        found = found + slopes.transposed(jnp.zeros(term.shape).at[:, -1].set(1.0))
    return found


@program
def _pieces(problem: Any, x: Any) -> Any:
    return pieces_of(expand(problem, x))
