r"""Likelihoods whose predictions are straight lines in all that is free.

With only norms and amplitudes free, :math:`\mu(\theta) = \mu_0 + J \theta`: the folds are
needed once, and a fit of the norm is a few sums over bins. This is what makes scans cheap.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from gammajax.fold import MapTerm
from gammajax.fold.slopes import MatrixSlopes
from gammajax.inference import Likelihood
from gammajax.inference.likelihood import _predict
from gammajax.inference.problem import Problem

STRAIGHT = 1e-6
"""How far a prediction may be off the line, relative to the largest one.

Large frozen responses are in single precision, so that lines have a noise of 1e-7.
"""


class AffineTerm(eqx.Module):
    """A term whose prediction is ``base + values[places] @ unit``.

    Attributes
    ----------
    inner : term
        Its data and statistic; it predicts nothing.
    base : array, shape (dataset, bin)
    unit : array, shape (active, dataset, bin)
    places : array of int, shape (active,)
        Where the active parameters stand among all values.
    """

    inner: Any
    base: Any
    unit: Any
    places: Any

    def predict(self, stacks: Any, values: Any, in_reverse: bool = False) -> Any:
        """Predicted counts of all components, shape (dataset, bin)."""
        return self.base + jnp.tensordot(values[self.places], self.unit, axes=1)

    def linear(self, stacks: Any, space: Any, x: Any, active: Any) -> tuple[Any, MatrixSlopes]:
        """The prediction at x, and its derivatives by the active entries of x."""
        free = space.free[active]
        slopes = jnp.where(free[:, None, None], self.unit, 0.0)
        return self.predict(stacks, x), MatrixSlopes(slopes)

    def backward(
        self,
        stacks: Any,
        space: Any,
        x: Any,
        active: Any,
        slopes: MatrixSlopes,
        weight: Any,
        curved: Any = True,
    ) -> tuple[Any, list[Any]]:
        """The gradient of the weighted prediction, which has no second derivatives."""
        del curved
        return slopes.transposed(weight), []

    def per_bin(self, mu: Any) -> Any:
        """The statistic of each bin with its derivatives."""
        return self.inner.per_bin(mu)

    def stat_array(self, mu: Any) -> Any:
        """The statistic of each bin."""
        return self.inner.stat_array(mu)

    def negative_bins(self, mu: Any) -> Any:
        """The number of bins whose total prediction is negative."""
        return self.inner.negative_bins(mu)


def affine_problem(likelihood: Likelihood) -> Problem | None:
    """The problem with its predictions as lines; None if they are not straight."""
    problem, index = likelihood.problem, likelihood._index
    start = np.asarray(likelihood.start)
    steps = np.where(start == 0, 1.0, start)

    def predicted(theta: np.ndarray) -> list[np.ndarray]:
        return [np.asarray(mu) for mu in _predict(problem, index, theta)]

    at_start = predicted(start)
    moved = [predicted(start + steps * unit) for unit in np.eye(start.size)]
    probe = start + steps * np.linspace(-0.3, 0.7, start.size)
    terms = []
    for t, (term, found) in enumerate(zip(problem.terms, predicted(probe), strict=True)):
        unit = np.stack(
            [(there[t] - at_start[t]) / step for there, step in zip(moved, steps, strict=True)]
        )
        base = at_start[t] - np.tensordot(start, unit, axes=1)
        line = base + np.tensordot(probe, unit, axes=1)
        if not np.max(np.abs(line - found)) <= STRAIGHT * np.max(np.abs(line), initial=1e-30):
            return None
        terms.append(AffineTerm(_without_responses(term), base, unit, index))
    return Problem(problem.space, (), tuple(terms), problem.priors, problem.active)


def _without_responses(term: Any) -> Any:
    """The term with its data and without what folds models into it."""
    if isinstance(term, MapTerm):
        return dataclasses.replace(term, folds=(), which=(), place=np.zeros(0))
    empty = (np.zeros(0), np.zeros(0), np.zeros(0), ())
    return eqx.tree_at(lambda t: (t.energy_min, t.energy_max, t.axis, t.responses), term, empty)


def rows_of(term: AffineTerm, rows: np.ndarray, number: int) -> AffineTerm:
    """The term of some of its spectra, padded to a number of them."""
    filled = np.append(rows, np.zeros(number - rows.size, dtype=int))
    names = ("counts", "counts_off", "alpha", "background", "mask")
    fields = [np.asarray(getattr(term.inner, name))[filled] for name in names]
    fields[-1][rows.size :] = False
    inner = eqx.tree_at(
        lambda t: tuple(getattr(t, name) for name in names), term.inner, tuple(fields)
    )
    return AffineTerm(inner, term.base[filled], term.unit[:, filled], term.places)


def padded(term: AffineTerm, size: int) -> AffineTerm:
    """The term with its bins padded to a number; the last entry of a map is its total."""
    number = term.base.shape[-1]
    extra = size - number
    if extra == 0:
        return term
    last = 1 if isinstance(term.inner, MapTerm) else 0

    def wider(array: Any, width: int, fill: Any = 0) -> np.ndarray:
        array = np.asarray(array)
        shape = (*array.shape[:-1], extra)
        tail = array[..., width:]
        return np.concatenate([array[..., :width], np.full(shape, fill, array.dtype), tail], -1)

    bins = number - last
    inner = term.inner
    if isinstance(inner, MapTerm):
        fields = (wider(inner.counts, bins), wider(inner.background, bins),
                  wider(inner.mask, bins, False))  # fmt: skip
        inner = eqx.tree_at(lambda t: (t.counts, t.background, t.mask), inner, fields)
        if inner.off is not None:
            off = (wider(inner.off.counts, bins), wider(inner.off.alpha, bins, 1.0))
            inner = eqx.tree_at(lambda t: (t.off.counts, t.off.alpha), inner, off)
    else:
        names = ("counts", "counts_off", "alpha", "background", "mask")
        fills = (0, 0, 1.0, 0, False)
        fields = tuple(
            wider(getattr(inner, name), bins, fill)
            for name, fill in zip(names, fills, strict=True)
        )
        inner = eqx.tree_at(lambda t: tuple(getattr(t, name) for name in names), inner, fields)
    return AffineTerm(inner, wider(term.base, bins), wider(term.unit, bins), term.places)
