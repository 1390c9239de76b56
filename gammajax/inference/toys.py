"""Simulated data by the thousand, fitted in one compiled batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.config import on_accelerator, program
from gammajax.datasets import Datasets, FluxPointsDataset, MapDatasetBase, MapDatasetOnOff
from gammajax.fold import MapTerm
from gammajax.inference.covariance import invert
from gammajax.inference.likelihood import Likelihood
from gammajax.inference.newton import CONVERGED, newton
from gammajax.inference.problem import Problem, predictions, total_stat
from gammajax.inference.progress import Progress

BATCH = 128
"""Toys of spectra that are fitted side by side."""

CUBES = 16
"""Toys of counts cubes that one call fits: side by side on an accelerator, else in turn."""


@dataclass(frozen=True, eq=False)
class Toys:
    """Fits of simulated datasets.

    Attributes
    ----------
    names : tuple of str
    truth : array, shape (n_free,)
        What the data were simulated with.
    theta, errors : array, shape (n_toys, n_free)
        Best fits, and errors from the Hessian (NaN where it is not positive definite).
    stat, stat_truth : array, shape (n_toys,)
        The statistic at the best fit, and at the truth.
    stat_held : array, shape (n_toys, n_free)
        The statistic with one parameter at a time held at the truth; NaN if not asked for.
    converged : array of bool, shape (n_toys,)
        Whether the fit (and all conditional ones) converged.
    """

    names: tuple[str, ...]
    truth: np.ndarray
    theta: np.ndarray
    errors: np.ndarray
    stat: np.ndarray
    stat_truth: np.ndarray
    stat_held: np.ndarray
    converged: np.ndarray

    @property
    def pulls(self) -> np.ndarray:
        """(fit - truth) / error, shape (n_toys, n_free)."""
        return (self.theta - self.truth) / self.errors

    @property
    def root_pulls(self) -> np.ndarray:
        r"""Signed roots of the likelihood ratio, shape (n_toys, n_free).

        :math:`\mathrm{sign}(\hat\theta - \theta) \sqrt{S(\theta) - S(\hat\theta)}`, the
        others profiled: a unit normal for enough counts, whatever the parametrisation.
        """
        rise = np.maximum(self.stat_held - self.stat[:, None], 0.0)
        return np.sign(self.theta - self.truth) * np.sqrt(rise)

    def coverage(self, sigma: float = 1.0) -> np.ndarray:
        """The fraction of profile intervals that hold the truth, for each parameter."""
        return np.mean(np.abs(self.root_pulls) <= sigma, axis=0)

    def __repr__(self) -> str:
        good = int(self.converged.sum())
        lines = [f"Toys: {len(self.stat)} simulated, {good} converged"]
        for i, name in enumerate(self.names):
            mean, spread = (
                self.pulls[self.converged, i].mean(),
                self.pulls[self.converged, i].std(),
            )
            lines.append(f"  {name}: pull {mean:+.3f} +- {spread:.3f}")
        return "\n".join(lines)


def fit_toys(
    likelihood: Likelihood,
    theta: Any = None,
    *,
    n_toys: int = 1000,
    seed: int = 0,
    background: Mapping[str, Any] | None = None,
    held: bool = False,
    progress: bool = False,
) -> Toys:
    """Simulate counts for given parameters many times, and fit each.

    Parameters
    ----------
    likelihood : `~gammajax.inference.Likelihood`
        Its datasets give responses and exposures; their counts matter only for the
        background, if none is given. Counts cubes are predicted in all of their bins, which
        takes longer than a fit of the occupied ones.
    theta : array, shape (n_free,), optional
        The truth; the models' values by default. Fits start there.
    n_toys : int
    seed : int
    background : dict, optional
        For each dataset name of spectra, the background expected in the on region in the bins
        of the fit range. By default the known one (Cash) or the one profiled from the data
        (WStat).
    held : bool
        Whether to fit each toy with each parameter held at the truth as well, which gives
        ``root_pulls`` and ``coverage``.
    progress : bool

    Raises
    ------
    ValueError
        If a dataset has no counts, off counts on a map, or a background is missing.
    """
    cubes = any(isinstance(dataset, MapDatasetBase) for dataset in likelihood.datasets)
    likelihood = _with_every_bin(likelihood)
    truth = likelihood.start if theta is None else np.asarray(theta, dtype=np.float64)
    problem, index = likelihood.problem, likelihood._index
    means = _means(problem, index, truth, _packed(likelihood, background))
    x = np.array(problem.space.value)
    x[index] = truth
    free = _masks(np.asarray(problem.space.free), index, held)
    key, parts = jax.random.key(seed), []
    batch = CUBES if cubes else BATCH
    side = 1 if cubes and not on_accelerator() else batch
    with Progress("fitting toys", n_toys, progress) as bar:
        for first in range(0, n_toys, batch):
            keys = jax.random.split(jax.random.fold_in(key, first), batch)
            parts.append(
                jax.tree_util.tree_map(np.asarray, _fit(problem, means, x, free, keys, side))
            )
            bar.advance(min(batch, n_toys - first))
    moved, stat, hessian, status, at_truth = (
        np.concatenate(column)[:n_toys] for column in zip(*parts, strict=True)
    )
    errors = np.stack([np.sqrt(2 * np.diag(invert(matrix))) for matrix in hessian])
    return Toys(
        names=likelihood.names,
        truth=truth,
        theta=moved[:, index],
        errors=errors,
        stat=stat[:, 0],
        stat_truth=at_truth,
        stat_held=stat[:, 1:] if held else np.full((n_toys, index.size), np.nan),
        converged=np.all(status == CONVERGED, axis=1),
    )


def _with_every_bin(likelihood: Likelihood) -> Likelihood:
    """The likelihood with a count in each bin of its cubes, so that each is predicted."""
    cubes = [d for d in likelihood.datasets if isinstance(d, MapDatasetBase)]
    measured = [d.name for d in cubes if isinstance(d, MapDatasetOnOff)]
    if measured:
        raise ValueError(
            f"fit_toys: {', '.join(measured)} has its background from off counts on a map, of "
            "which no expectation is known; use dataset.fake(models, background, seed)"
        )
    if not cubes or any(isinstance(d, FluxPointsDataset) for d in likelihood.datasets):
        likelihood.require_every_bin("fit_toys", counts=True)
        return likelihood
    filled = [
        d.replace(counts=d.counts.with_data(np.ones(d.counts.data.shape))) if d in cubes else d
        for d in likelihood.datasets
    ]
    return Likelihood(Datasets(filled), likelihood.models, likelihood.options)


def _masks(free: np.ndarray, index: np.ndarray, held: bool) -> np.ndarray:
    """The free flags of the fit, and of the fits with one parameter held."""
    masks = [free]
    for place in index if held else ():
        mask = free.copy()
        mask[place] = False
        masks.append(mask)
    return np.stack(masks)


def _packed(likelihood: Likelihood, background: Mapping[str, Any] | None) -> Any:
    """Backgrounds in the layout of the terms, or None for each term."""
    if background is None:
        return tuple(None for _ in likelihood.problem.terms)
    terms = list(zip(likelihood._order, likelihood.problem.terms, strict=True))
    cubes = {name for names, term in terms if isinstance(term, MapTerm) for name in names}
    if cubes & set(background):
        raise ValueError(
            f"fit_toys: background is given for {', '.join(sorted(cubes & set(background)))}, "
            "whose own is that of its map; leave it out"
        )
    missing = set(likelihood.datasets.names) - set(background) - cubes
    if missing:
        raise ValueError(f"fit_toys: no background for {', '.join(sorted(missing))}")
    packed = []
    for names, term in terms:
        if isinstance(term, MapTerm):
            packed.append(None)
            continue
        rows = np.zeros(np.shape(term.mask))
        for row, name, mask in zip(rows, names, np.asarray(term.mask), strict=True):
            values = np.asarray(background[name], dtype=np.float64)
            if values.shape not in ((), (int(mask.sum()),)):
                raise ValueError(
                    f"fit_toys: background of {name!r} has shape {values.shape}, expected "
                    f"{(int(mask.sum()),)}, one number for each bin in the fit range"
                )
            row[: int(mask.sum())] = values
        packed.append(rows)
    return tuple(packed)


@program
def _means(problem: Problem, index: Any, theta: Any, background: Any) -> Any:
    mu = predictions(problem, problem.space.insert(theta, index))
    parts = zip(problem.terms, mu, background, strict=True)
    return tuple(term.expected(m, b) for term, m, b in parts)


def draw_counts(problem: Problem, means: Any, key: Any) -> Problem:
    """The problem with counts drawn from their means; pure."""
    terms = []
    for i, (term, (on, off)) in enumerate(zip(problem.terms, means, strict=True)):
        key_on, key_off = jax.random.split(jax.random.fold_in(key, i))
        counts = jax.random.poisson(key_on, jnp.maximum(on, 0.0)).astype(on.dtype)
        counts_off = jax.random.poisson(key_off, jnp.maximum(off, 0.0)).astype(on.dtype)
        terms.append(term.with_counts(counts, counts_off))
    return eqx.tree_at(lambda p: p.terms, problem, tuple(terms))


@partial(jax.jit, static_argnames=("side", "max_steps"))
def _fit(
    problem: Problem, means: Any, x: Any, free: Any, keys: Any, side: int, max_steps: int = 100
) -> tuple[Any, ...]:
    def one(key: Any) -> tuple[Any, ...]:
        toy = draw_counts(problem, means, key)

        def fit(mask: Any) -> Any:
            return newton(eqx.tree_at(lambda p: p.space.free, toy, mask), x, 1e-6, max_steps)

        states = jax.vmap(fit)(free)
        stat, status = states.at.stat, states.status
        return states.x[0], stat, states.at.hessian[0], status, total_stat(toy, x)

    return jax.lax.map(one, keys, batch_size=side)
