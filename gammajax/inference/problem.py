r"""A likelihood as one pytree, and the pure functions of it.

The statistic is a sum over terms, each an elementwise statistic of a prediction,

.. math:: S(x) = \sum_i s_i(\mu_i(x)) + \sum_j p_j(x_j),

so that gradient, Fisher matrix and Hessian share one Jacobian of the prediction:

.. math:: \nabla S = J^T s', \quad F = J^T \mathrm{diag}(E[s'']) J, \quad
          H = J^T \mathrm{diag}(s'') J + \sum_i s'_i \nabla^2 \mu_i .

Vectors ``x`` have one entry for each parameter, frozen ones included; derivatives by
entries that are not free are zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from gammajax.fold import Stack
from gammajax.fold.slopes import gathered
from gammajax.parameters import ParameterSpace, Prior
from gammajax.stats import PerBin


class PriorStack(eqx.Module):
    """Priors of one kind, batched: ``places`` are the parameters they are on."""

    prior: Prior
    places: Any

    def stat(self, values: Any) -> Any:
        """The sum of -2 ln p."""
        return jnp.sum(
            jax.vmap(lambda prior, x: prior.stat(x))(self.prior, values[self.places])
        )


class Problem(eqx.Module):
    """Everything a fit needs, as data: parameter space, models, folded data, priors.

    ``active`` are the entries that were free when it was made: derivatives are taken by these,
    and are 0 by all others.
    """

    space: ParameterSpace
    stacks: tuple[Stack, ...]
    terms: tuple[Any, ...]
    priors: tuple[PriorStack, ...]
    active: Any


class Derivatives(NamedTuple):
    """The statistic at a point with its derivatives by the active parameters.

    ``gradient`` has the shape (active,), the matrices (active, active); they are 0 for
    parameters that are not free. ``n_negative`` is the number of bins whose total prediction
    is negative.
    """

    stat: Any
    gradient: Any
    hessian: Any
    fisher: Any
    n_negative: Any


class Expansion(NamedTuple):
    """What the second order of the statistic is made of, matrix-free.

    ``slopes`` and ``bins`` go by term; ``bends`` are all second derivatives of predictions;
    ``prior`` is the diagonal that priors add.
    """

    stat: Any
    gradient: Any
    slopes: tuple[Any, ...]
    bins: tuple[PerBin, ...]
    bends: tuple[Any, ...]
    prior: Any
    n_negative: Any


def predictions(problem: Problem, x: Any, in_reverse: bool = False) -> tuple[Any, ...]:
    """The predicted signal of each term."""
    values = problem.space.expand(x)
    return tuple(term.predict(problem.stacks, values, in_reverse) for term in problem.terms)


def prior_stat(problem: Problem, x: Any) -> Any:
    """The sum of -2 ln p of all priors."""
    return _stat_of_priors(problem, problem.space.expand(x))


def _stat_of_priors(problem: Problem, values: Any) -> Any:
    return sum((prior.stat(values) for prior in problem.priors), jnp.zeros(()))


def data_stat(problem: Problem, mu: tuple[Any, ...]) -> Any:
    """The statistic of the data for a prediction."""
    parts = zip(problem.terms, mu, strict=True)
    return sum((jnp.sum(term.stat_array(m)) for term, m in parts), jnp.zeros(()))


def total_stat(problem: Problem, x: Any) -> Any:
    """The statistic: data and priors."""
    return data_stat(problem, predictions(problem, x)) + prior_stat(problem, x)


def reverse_stat(problem: Problem, x: Any) -> Any:
    """The statistic for those who take its gradient: in half the time, for many sources.

    It has no forward derivatives, other than those of its gradient.
    """
    mu = predictions(problem, x, in_reverse=True)
    return data_stat(problem, mu) + prior_stat(problem, x)


def gradient(problem: Problem, x: Any) -> tuple[Any, Any]:
    """The statistic and its gradient, by reverse differentiation."""
    stat, grad = jax.value_and_grad(reverse_stat, argnums=1)(problem, x)
    return stat, jnp.where(problem.space.free, grad, 0.0)


def expand(problem: Problem, x: Any, curved: Any = True) -> Expansion:
    """The statistic and its derivatives as operators.

    Where ``curved`` is False (it may be traced), second derivatives of predictions that cost
    much are left out.
    """
    counts, slopes = linear(problem, x)
    at = at_counts(problem, x, counts, slopes, curved)
    if not problem.priors:
        return at
    stat, gradient, prior = _prior_derivatives(problem, x)
    return at._replace(stat=at.stat + stat, gradient=at.gradient + gradient, prior=prior)


def linear(problem: Problem, x: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The predicted signal of each term, and its slopes."""
    parts = [
        term.linear(problem.stacks, problem.space, x, problem.active) for term in problem.terms
    ]
    return tuple(mu for mu, _ in parts), tuple(slopes for _, slopes in parts)


def at_counts(problem: Problem, x: Any, counts: Any, slopes: Any, curved: Any) -> Expansion:
    """The expansion of the data alone, at predictions that others may have a part in.

    Parameters
    ----------
    counts, slopes : sequence
        By term: the whole prediction, and the slopes of the components of this problem.
    """
    space, active = problem.space, problem.active
    stat, gradient = jnp.zeros(()), jnp.zeros(active.size)
    number = jnp.zeros((), dtype=int)
    bins, bends = [], []
    for term, slope, mu in zip(problem.terms, slopes, counts, strict=True):
        part = term.per_bin(mu)
        back, bent = term.backward(problem.stacks, space, x, active, slope, part.slope, curved)
        bins.append(part)
        bends += bent
        stat = stat + jnp.sum(part.stat)
        gradient = gradient + back
        number = number + term.negative_bins(mu)
    gradient = jnp.where(space.free[active], gradient, 0.0)
    made = tuple(slopes), tuple(bins), tuple(bends)
    return Expansion(stat, gradient, *made, jnp.zeros(active.size), number)


def derivatives(problem: Problem, x: Any) -> Derivatives:
    """The statistic, its gradient, exact Hessian and Fisher matrix."""
    return assembled(expand(problem, x))


def assembled(at: Expansion) -> Derivatives:
    """The matrices of an expansion."""
    hessian = fisher = jnp.diag(at.prior)
    for slope, part in zip(at.slopes, at.bins, strict=True):
        matrix = slope.joined()
        bend = matrix.gram(part.bend)
        hessian = hessian + bend
        same = part.expected is part.bend
        fisher = fisher + (bend if same else matrix.gram(part.expected))
    for bend in at.bends:
        hessian = hessian + bend.dense()
    return Derivatives(at.stat, at.gradient, hessian, fisher, at.n_negative)


def _prior_derivatives(problem: Problem, x: Any) -> tuple[Any, Any, Any]:
    """The priors' statistic, its gradient, and its second derivatives, which are diagonal.

    Each prior is of one value, and each value moves with one parameter.
    """

    def stat(values: Any) -> Any:
        return _stat_of_priors(problem, values)

    values = problem.space.expand(x)
    slope, bend = jax.jvp(jax.grad(stat), (values,), (jnp.ones_like(values),))
    column, factor = problem.space.columns(problem.active, jnp.arange(values.size))
    number = problem.active.size
    return (
        stat(values),
        gathered(slope * factor, column, number),
        gathered(bend * factor**2, column, number),
    )


def owners(problem: Problem) -> Any:
    """For each active parameter the first one of its component; itself if it has none.

    A parameter that several components share is with the first of them.
    """
    number = problem.active.size
    sizes = [stack.places.shape[0] for stack in problem.stacks]
    own, start = jnp.arange(number), sum(sizes)
    component = start + own
    for stack, size in zip(reversed(problem.stacks), reversed(sizes), strict=True):
        start -= size
        column, _ = problem.space.columns(problem.active, jnp.asarray(stack.places))
        members = start + jnp.arange(size)
        component = component.at[column].min(members[:, None], mode="drop")
    first = jnp.full(sum(sizes) + number, number).at[component].min(own)
    return first[component]


def weighted_product(at: Expansion, weights: Iterable[Any], direction: Any) -> Any:
    """The sum over bins of weighted products of derivatives, with priors, times a vector."""
    found = at.prior * direction
    for slopes, weight in zip(at.slopes, weights, strict=True):
        found = found + slopes.transposed(weight * slopes.times(direction))
    return found


def by_owner(values: Any, owner: Any) -> Any:
    """Sums over the parameters of each component, given back to all of these."""
    return jnp.zeros_like(values).at[owner].add(values)[owner]


def score_products(problem: Problem, x: Any) -> Any:
    """The sum over bins of the outer product of each bin's gradient, (active, active)."""
    at = expand(problem, x)
    parts = zip(at.slopes, at.bins, strict=True)
    return sum(slope.joined().gram(part.slope**2) for slope, part in parts)
