"""A share of a likelihood: some datasets and some sources, on one device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.config import program
from gammajax.datasets import Datasets
from gammajax.fold import FoldOptions, MapTerm, build_terms, stack_components
from gammajax.inference.blocks import Groups, block_matrices
from gammajax.inference.checks import check_datasets
from gammajax.inference.collectives import Collectives
from gammajax.inference.problem import Expansion, Problem, at_counts, linear
from gammajax.models import FoVBackgroundModel, Models
from gammajax.parameters import ParameterSpace


def dealt(number: int, shares: int, share: int) -> list[int]:
    """The places of one of some shares, dealt out in turn.

    Examples
    --------
    >>> from gammajax.inference.shards import dealt
    >>> dealt(7, 3, 0), dealt(7, 3, 2)
    ([0, 3, 6], [2, 5])
    """
    return list(range(share, number, shares))


def shares_of_models(models: Models, shares: int) -> list[set[str]]:
    """Names of the components of each share: components of each kind are dealt out in turn."""
    found: list[set[str]] = [set() for _ in range(shares)]
    place = 0
    for _, members in stack_components(models):
        for component in members:
            found[place % shares].add(component.name)
            place += 1
    return found


FACTS = 5
"""Numbers that all processes know of a dataset."""


class Elsewhere(NamedTuple):
    """What all processes know of a dataset that only some of them hold.

    ``facts`` are the numbers of `facts_of`.
    """

    name: str
    facts: np.ndarray

    @property
    def n_bins(self) -> int:
        """Bins in the fit range."""
        return int(self.facts[0])

    @property
    def mask(self) -> np.ndarray:
        """Sums of the mask, by which a checkpoint knows the data again."""
        return self.facts[[0, 2, 3]]

    @property
    def counts(self) -> np.ndarray:
        """Sums of the counts, likewise."""
        return self.facts[[1, 4]]

    def info_dict(self) -> dict[str, Any]:
        """Name, bins and counts."""
        return {"name": self.name, "n_bins": self.n_bins, "counts": float(self.facts[1])}


def facts_of(dataset: Any) -> np.ndarray:
    """Bins and counts in the fit range, and sums that tell data apart, shape (FACTS,)."""
    mask = np.asarray(dataset.mask)
    counts = getattr(dataset, "counts", None)
    values = (
        np.zeros(mask.shape) if counts is None else np.asarray(getattr(counts, "data", counts))
    )
    weight = np.cos(np.arange(mask.size, dtype=np.float64)).reshape(mask.shape)
    used = np.where(mask, values, 0.0)
    sums = mask.sum(), used.sum(), mask.size, (mask * weight).sum(), (used * weight).sum()
    return np.array(sums, dtype=np.float64)


class Shard(NamedTuple):
    """What one device holds: a problem without priors, and the names of its components.

    ``first`` says that it is the one of its datasets that counts their statistic.
    """

    problem: Problem
    members: list[list[str]]
    first: bool


def build_shard(
    datasets: Sequence[Any],
    models: Models,
    only: set[str],
    space: ParameterSpace,
    active: np.ndarray,
    options: FoldOptions,
    first: bool,
) -> Shard:
    """Plan the folds of some components into some datasets (host)."""
    check_datasets(Datasets(datasets))
    groups = stack_components(models, only)
    scaled = {
        name
        for component in models
        if isinstance(component, FoVBackgroundModel)
        for name in component.datasets_names or ()
    }
    terms = tuple(
        _without_background(term, [d.name in scaled for d in batch])
        for term, batch in build_terms(list(datasets), groups, options)
    )
    problem = Problem(space, tuple(stack for stack, _ in groups), terms, (), active)
    return Shard(problem, [[c.name for c in members] for _, members in groups], first)


def own_shards(
    sources: Mapping[str, Any],
    models: Models,
    space: ParameterSpace,
    active: np.ndarray,
    options: FoldOptions,
    gang: Collectives,
) -> tuple[list[Shard], np.ndarray]:
    """The shares of this process, and what others are to know of them.

    That is the widths of rows of datasets, and then the facts of each dataset; zeros for
    what other processes hold.
    """
    names, (rows, columns) = tuple(sources), gang.shape
    widths, facts = np.zeros(rows), np.zeros((len(names), FACTS))
    shares = shares_of_models(models, columns)
    kept: dict[str, Any] = {}
    shards: list[Shard] = []
    for number, (row, column) in enumerate(gang.places):
        places = dealt(len(names), rows, row)
        own = [names[place] for place in places]
        kept.update({name: sources[name]() for name in own if name not in kept})
        batch = [kept[name] for name in own]
        shard = build_shard(batch, models, shares[column], space, active, options, column == 0)
        shards.append(shard._replace(problem=gang.put(shard.problem, number)))
        if column == 0:
            widths[row] = width_of(shard.problem)
            facts[places] = [facts_of(dataset) for dataset in batch]
    return shards, np.append(widths, facts)


def _without_background(term: Any, scaled: Sequence[bool]) -> Any:
    """A term without the backgrounds that a component of another share scales."""
    if not isinstance(term, MapTerm):
        return term
    kept = ~np.array(scaled)
    found = (
        np.asarray(term.background) * kept[:, None],
        np.asarray(term.background_total) * kept,
    )
    return eqx.tree_at(lambda t: (t.background, t.background_total), term, found)


def made_on_demand(datasets: Any) -> Mapping[str, Any]:
    """Datasets as a mapping from names to functions that give them."""
    if isinstance(datasets, Mapping):
        return datasets
    datasets = datasets if isinstance(datasets, Datasets) else Datasets(datasets)
    return {dataset.name: (lambda own=dataset: own) for dataset in datasets}


def width_of(problem: Problem) -> int:
    """The number of entries of the predictions of all terms."""
    return sum(int(np.size(term.mask)) for term in problem.terms)


@partial(program, static_argnames=("width",))
def predicted(problem: Problem, x: Any, width: int) -> tuple[Any, Any]:
    """The counts of the components of a shard, flat and padded, and their slopes."""
    counts, slopes = linear(problem, x)
    return _flat(counts, width)[None], slopes


@program
def expanded(
    problem: Problem, x: Any, slopes: Any, flat: Any, curved: Any, first: Any, groups: Groups
) -> tuple[Expansion, Any]:
    """The expansion of a shard at the counts of all components, and its numbers to be summed.

    These are the statistic, the number of negative bins, the gradient, and the blocks of the
    Fisher matrix and of the Hessian.
    """
    at = at_counts(problem, x, _parts(problem, flat), slopes, curved)
    fisher, hessian = block_matrices(at, groups)
    own = jnp.where(first, jnp.stack([at.stat, at.n_negative.astype(float)]), 0.0)
    numbers = [own, at.gradient, fisher.ravel(), hessian.ravel()]
    return at, jnp.concatenate(numbers)[None]


@partial(program, static_argnames=("width",))
def forward(at: Expansion, directions: Any, width: int) -> Any:
    """The change of the counts along directions, flat, shape (1, direction, width)."""

    def one(direction: Any) -> Any:
        return _flat([slopes.times(direction) for slopes in at.slopes], width)

    return jax.lax.map(one, directions)[None]


@program
def back(problem: Problem, at: Expansion, moved: Any, directions: Any, exact: Any) -> Any:
    """What a shard adds to products with the Hessian, or the Fisher matrix.

    Parameters
    ----------
    moved : array, shape (direction, bin)
        The change of the counts of all components.
    directions : array, shape (direction, active)
    exact : bool
        Whether the matrix is the Hessian.
    """

    def one(item: Any) -> Any:
        direction, flat = item
        found = jnp.zeros(direction.shape)
        changes = _parts(problem, flat)
        for slopes, part, change in zip(at.slopes, at.bins, changes, strict=True):
            weight = jnp.where(exact, part.bend, part.expected)
            found = found + slopes.transposed(weight * change)
        for bend in at.bends:
            found = found + jnp.where(exact, bend.times(direction), 0.0)
        return found

    return jax.lax.map(one, (directions, moved))[None]


def _flat(parts: Sequence[Any], width: int) -> Any:
    found = jnp.concatenate([part.ravel() for part in parts])
    return jnp.pad(found, (0, width - found.size))


def _parts(problem: Problem, flat: Any) -> list[Any]:
    """The arrays of terms in a flat and padded one."""
    found, end = [], 0
    for term in problem.terms:
        shape = jnp.shape(term.mask)
        size = int(np.prod(shape))
        found.append(flat[end : end + size].reshape(shape))
        end += size
    return found
