"""Between models and the vectors of a fit: values and covariances back, priors stacked."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import numpy as np
from scipy import sparse

from gammajax.inference.curvature import DENSE
from gammajax.inference.problem import PriorStack, Problem
from gammajax.models import Models
from gammajax.parameters import ParameterSpace, ParameterTable


def models_with(
    models: Models, space: ParameterSpace, index: np.ndarray, theta: Any, covariance: Any
) -> Models:
    """Models with the free parameters (at ``index``) at ``theta``, links followed."""
    x = np.array(space.value)
    x[index] = np.asarray(theta)
    if covariance is not None:
        if x.size > DENSE:
            covariance = sparse.csr_array(covariance)
        covariance = _expanded(space, index, covariance)
    return models.with_values(space.offset + space.factor * x[space.source], covariance)


def _expanded(space: ParameterSpace, index: np.ndarray, covariance: Any) -> Any:
    """The covariance of all parameters, from that of the free ones."""
    # in NumPy: `ParameterSpace.columns` would be forty small programs here
    position = np.full(len(space.value), index.size)
    position[index] = np.arange(index.size)
    column, factor = position[np.asarray(space.source)], np.asarray(space.factor)
    moves = np.nonzero(column < index.size)[0]
    own, factor = column[moves], factor[moves]
    if sparse.issparse(covariance):
        spread = sparse.csr_array((factor, (moves, own)), shape=(column.size, index.size))
        return (spread @ covariance @ spread.T).tocsr()
    found = np.asarray(covariance)
    if not np.array_equal(own, np.arange(index.size)):
        found = found[np.ix_(own, own)]
    if np.any(factor != 1):
        found = found * np.outer(factor, factor)
    if moves.size == column.size:
        return found
    full = np.zeros((column.size, column.size))
    full[np.ix_(moves, moves)] = found
    return full


def bounded(problem: Problem, index: Any, low: Any, high: Any) -> Problem:
    """A problem with other bounds of some parameters."""
    space = problem.space
    ends = [np.array(space.min), np.array(space.max)]
    for end, given in zip(ends, (low, high), strict=True):
        end[index] = given
    return eqx.tree_at(lambda p: (p.space.min, p.space.max), problem, tuple(ends))


def stack_priors(table: ParameterTable) -> tuple[PriorStack, ...]:
    """The priors of a table, by kind."""
    groups: dict[Any, list[tuple[Any, int]]] = {}
    for place, row in enumerate(table):
        if row.prior is not None:
            structure = jax.tree_util.tree_structure(row.prior)
            groups.setdefault(structure, []).append((row.prior, place))
    stacks = []
    for members in groups.values():
        prior = jax.tree_util.tree_map(
            lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]),
            *(prior for prior, _ in members),
        )
        stacks.append(PriorStack(prior, np.array([place for _, place in members])))
    return tuple(stacks)
