"""A likelihood that is shared out over the devices of a mesh, in one process or in many."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh

from gammajax.config import require_x64
from gammajax.fold import FoldOptions, stack_components
from gammajax.inference.at_values import bounded, models_with, stack_priors
from gammajax.inference.blocks import Groups, groups_of
from gammajax.inference.checks import check_models
from gammajax.inference.collectives import Collectives, default_mesh
from gammajax.inference.curvature import DENSE, curvature, pieces_of
from gammajax.inference.likelihood import outgrown_components
from gammajax.inference.problem import Derivatives, Problem
from gammajax.inference.products import expansion
from gammajax.inference.shards import (
    FACTS,
    Elsewhere,
    back,
    expanded,
    forward,
    made_on_demand,
    own_shards,
    predicted,
)
from gammajax.models import Models
from gammajax.parameters import ParameterSpace

AT_ONCE = 16
"""Directions of products that travel together when a matrix is made."""


class Spread(NamedTuple):
    """The statistic at a point: sums that all processes know, and parts on the devices.

    Attributes
    ----------
    stat, n_negative : float
    gradient : array, shape (active,)
    fisher, hessian : array, shape (group, slot, slot)
        Blocks of components.
    prior : array, shape (active,)
        The second derivatives of the priors.
    parts : list of `~gammajax.inference.problem.Expansion`
    """

    stat: Any
    n_negative: Any
    gradient: Any
    fisher: Any
    hessian: Any
    prior: Any
    parts: list[Any]


class ShardedLikelihood:
    r"""-2 ln L of datasets for models, shared out over devices by datasets and by sources.

    Each device plans and holds the folds of its sources into its datasets, and nothing else.
    The counts of sources are summed over the devices that have the same datasets; the
    statistic, its gradient and products with its Hessian are summed over all devices. So
    the answers are those of a `Likelihood`, to rounding. ``Fit().run`` takes it like one.

    In many processes, each of them calls the same functions in the same order, after
    `start_distributed`.

    Parameters
    ----------
    datasets : `~gammajax.datasets.Datasets`, or mapping
        A mapping goes from names to functions without arguments that make the dataset: a
        process calls those of its own datasets only, so it reads no others.
    models : `~gammajax.models.Models`, or an iterable of components
        All of them, in each process.
    mesh : `jax.sharding.Mesh`, optional
        With the axes ``datasets`` and ``sources``. By default all devices, shared out by
        datasets as far as these go, and then by sources.
    options : `~gammajax.fold.FoldOptions`, optional

    Attributes
    ----------
    frame : `~gammajax.inference.problem.Problem`
        Parameters, links and priors, without data.
    datasets : tuple of `~gammajax.inference.shards.Elsewhere`
        Names and numbers of all datasets.

    Raises
    ------
    ValueError
        As `Likelihood`; or if a share of the mesh would be empty.

    Examples
    --------
    >>> from gammajax.inference import Likelihood, ShardedLikelihood
    >>> from gammajax.maps import MapAxis
    >>> from gammajax.models import Models, PowerLawSpectralModel, SkyModel
    >>> from gammajax.simulate import simulate_on_off
    >>> models = Models([SkyModel(PowerLawSpectralModel(amplitude=4e-11), name="a")])
    >>> energy = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=8)
    >>> datasets = simulate_on_off(models, n_observations=2, energy=energy, seed=0)
    >>> likelihood = ShardedLikelihood(datasets, models)
    >>> alone = Likelihood(datasets, models)
    >>> round(likelihood.stat(likelihood.start) / float(alone.stat(alone.start)), 12)
    1.0
    """

    def __init__(
        self,
        datasets: Any,
        models: Any,
        mesh: Mesh | None = None,
        options: FoldOptions | None = None,
    ) -> None:
        require_x64("ShardedLikelihood")
        self._sources = made_on_demand(datasets)
        self._names = tuple(self._sources)
        self.models = models if isinstance(models, Models) else Models(models)
        self.options = options or FoldOptions()
        check_models(self.models, self._names)
        self.collectives = Collectives(mesh or default_mesh(len(self._names)))
        space = ParameterSpace.from_table(self.models.parameters)
        self._index = np.nonzero(space.free)[0]
        stacks = tuple(stack for stack, _ in stack_components(self.models))
        priors = stack_priors(self.models.parameters)
        self.frame = Problem(space, stacks, (), priors, self._index)
        self.groups: Groups = groups_of(self.frame)
        self._build(space)

    def _build(self, space: ParameterSpace) -> None:
        names, (rows, columns) = self._names, self.collectives.shape
        if rows > len(names) or columns > len(self.models):
            raise ValueError(
                f"a mesh of {rows} x {columns} devices shares out {len(names)} datasets and "
                f"{len(self.models)} components, so a share would be empty; use less devices"
            )
        gang, failure = self.collectives, None
        facts = np.zeros(rows + len(names) * FACTS)
        try:
            self._shards, facts = own_shards(
                self._sources, self.models, space, self._index, self.options, gang
            )
        except ValueError as error:
            failure = error
        # what one process cannot plan ends it in all, and none waits for it
        failed, *found = self._summed([np.append(failure is not None, facts)])
        if failure is not None:
            raise failure
        if failed:
            raise ValueError("another process cannot plan its share: see its own message")
        self._width = int(max(found[:rows]))
        self.datasets = tuple(map(Elsewhere, names, np.reshape(found[rows:], (-1, FACTS))))

    @property
    def n_bins(self) -> int:
        """The number of bins in the fit range of all datasets."""
        return sum(dataset.n_bins for dataset in self.datasets)

    def _summed(self, values: list[Any]) -> np.ndarray:
        """The sum over processes of one array of each."""
        own = [*values, *(np.zeros_like(values[0]) for _ in self.collectives.places[1:])]
        put = self.collectives.put
        return self.collectives.total([put(part[None], i) for i, part in enumerate(own)])

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the free parameters, in the order of ``theta``."""
        return tuple(self.models.parameters.names[i] for i in self._index)

    @property
    def start(self) -> np.ndarray:
        """The models' own values of the free parameters."""
        return np.asarray(self.frame.space.value)[self._index]

    @property
    def n_free(self) -> int:
        """The number of free parameters."""
        return len(self._index)

    @property
    def problem(self) -> Problem:
        """Not there: raises."""
        raise ValueError(
            "a sharded likelihood is on many devices, and this needs it on one: build "
            "Likelihood(datasets, result.models) where memory allows"
        )

    def stat(self, theta: Any) -> float:
        """The statistic, priors included."""
        return float(self.at(theta).stat)

    def gradient(self, theta: Any) -> np.ndarray:
        """The gradient of the statistic, shape (n_free,)."""
        return self.at(theta).gradient

    def value_and_gradient(self, theta: Any) -> tuple[float, np.ndarray]:
        """The statistic and its gradient."""
        at = self.at(theta)
        return float(at.stat), at.gradient

    def hvp(self, theta: Any, vector: Any) -> np.ndarray:
        """The Hessian times a vector, without forming the Hessian."""
        return self.times(self.at(theta), np.asarray(vector)[None], exact=True)[0]

    def hessian(self, theta: Any) -> np.ndarray:
        """The exact matrix of second derivatives, shape (n_free, n_free)."""
        return self.derivatives(self.at(theta)).hessian

    def fisher(self, theta: Any) -> np.ndarray:
        """The expected matrix of second derivatives, shape (n_free, n_free)."""
        return self.derivatives(self.at(theta)).fisher

    def at(self, theta: Any) -> Spread:
        """The statistic at a point, with its derivatives."""
        return self.spread(np.asarray(self.frame.space.insert(np.asarray(theta), self._index)))

    def spread(self, x: Any, curved: Any = True) -> Spread:
        """The statistic at a vector of all parameters, shared out."""
        gang = self.collectives
        x = gang.agreed(x)
        own = [gang.put(x, number) for number in range(len(self._shards))]
        made = [
            predicted(shard.problem, x, self._width)
            for shard, x in zip(self._shards, own, strict=True)
        ]
        counts = gang.over_sources([flat for flat, _ in made])
        curved = np.asarray(bool(curved))
        found = [
            expanded(shard.problem, x, slopes, flat, curved, shard.first, self.groups)
            for shard, x, (_, slopes), flat in zip(self._shards, own, made, counts, strict=True)
        ]
        numbers = gang.total([part for _, part in found])
        prior = expansion(self.frame, x)
        count, size = self.groups.members.shape
        ends = np.cumsum([2, self.n_free, count * size**2])
        sums, gradient, fisher, hessian = np.split(numbers, ends)
        blocks = np.append(prior.prior, 0.0)[self.groups.members][:, :, None] * np.eye(size)
        return Spread(
            stat=sums[0] + float(prior.stat),
            n_negative=int(sums[1]),
            gradient=gradient + np.asarray(prior.gradient),
            fisher=fisher.reshape(blocks.shape) + blocks,
            hessian=hessian.reshape(blocks.shape) + blocks,
            prior=np.asarray(prior.prior),
            parts=[at for at, _ in found],
        )

    def times(self, at: Spread, directions: Any, *, exact: bool) -> np.ndarray:
        """Products of vectors with the Hessian, or with the Fisher matrix.

        Parameters
        ----------
        at : `Spread`
        directions : array, shape (direction, n_free)
        exact : bool
            Whether the matrix is the Hessian.
        """
        gang, directions = self.collectives, np.asarray(directions)
        own = [gang.put(directions, number) for number in range(len(self._shards))]
        moved = gang.over_sources(
            [forward(part, v, self._width) for part, v in zip(at.parts, own, strict=True)]
        )
        parts = zip(self._shards, at.parts, moved, own, strict=True)
        found = [back(shard.problem, part, m, v, exact) for shard, part, m, v in parts]
        return gang.total(found) + at.prior * directions

    def derivatives(self, at: Spread) -> Derivatives:
        """The matrices of an expansion.

        With one share of sources they are the sum of those of the datasets; with more, or
        more parameters than `~gammajax.inference.curvature.DENSE`, they are made by
        products with unit vectors.
        """
        if self.collectives.shape[1] == 1 and self.n_free <= DENSE:
            own = [
                curvature(shard.problem, pieces_of(part))
                for shard, part in zip(self._shards, at.parts, strict=True)
            ]
            put = self.collectives.put
            both = [put(np.stack(matrices)[None], i) for i, matrices in enumerate(own)]
            hessian, fisher = self.collectives.total(both) + np.diag(at.prior)
        else:
            hessian, fisher = self._by_products(at, True), self._by_products(at, False)
        return Derivatives(at.stat, at.gradient, hessian, fisher, at.n_negative)

    def _by_products(self, at: Spread, exact: bool) -> np.ndarray:
        """The Hessian, or the Fisher matrix, by products with unit vectors."""
        number = self.n_free
        padded = np.concatenate([np.eye(number), np.zeros((-number % AT_ONCE, number))])
        chunks = padded.reshape(-1, AT_ONCE, number)
        found = np.concatenate([self.times(at, chunk, exact=exact) for chunk in chunks])
        return (found[:number] + found[:number].T) / 2

    def outgrown(self, theta: Any) -> tuple[str, ...]:
        """Names of the sources that the folds were not planned for at ``theta``."""
        names = self.models.names
        found = np.zeros(len(names))
        for number, shard in enumerate(self._shards):
            where = self.collectives.put(np.asarray(theta), number)
            out = outgrown_components(shard.problem, self._index, where, shard.members)
            found[[names.index(name) for name in out]] = 1
        total = self._summed([found])
        return tuple(name for name, out in zip(names, total, strict=True) if out)

    def models_at(self, theta: Any, covariance: Any = None) -> Models:
        """The models with the free parameters at ``theta``; see `Likelihood.models_at`."""
        return models_with(self.models, self.frame.space, self._index, theta, covariance)

    def with_models(self, models: Models) -> ShardedLikelihood:
        """The likelihood of the same datasets for other models."""
        mesh = self.collectives.mesh
        return ShardedLikelihood(self._sources, models, mesh, self.options)

    def within(self, low: Any, high: Any) -> ShardedLikelihood:
        """The same with other bounds; see `Likelihood.within`."""
        found = copy.copy(self)
        found.frame = bounded(self.frame, self._index, low, high)
        return found

    def require_every_bin(self, what: str, *, counts: bool = False) -> None:
        """Raise: what needs each bin needs it on one device."""
        raise ValueError(f"{what} is not there for a sharded likelihood")

    def __repr__(self) -> str:
        rows, columns = self.collectives.shape
        return (
            f"ShardedLikelihood({len(self.datasets)} datasets, {self.n_bins} bins, "
            f"{self.n_free} free parameters, on {rows} x {columns} devices of "
            f"{jax.process_count()} processes)"
        )
