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

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from gammajax.fold import Stack
from gammajax.parameters import ParameterSpace, Prior


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
    """The statistic at a point with its derivatives by all parameters.

    ``n_negative`` is the number of bins whose total prediction is negative.
    """

    stat: Any
    gradient: Any
    hessian: Any
    fisher: Any
    n_negative: Any


def predictions(problem: Problem, x: Any) -> tuple[Any, ...]:
    """The predicted signal of each term."""
    values = problem.space.expand(x)
    return tuple(term.predict(problem.stacks, values) for term in problem.terms)


def prior_stat(problem: Problem, x: Any) -> Any:
    """The sum of -2 ln p of all priors."""
    values = problem.space.expand(x)
    return sum((prior.stat(values) for prior in problem.priors), jnp.zeros(()))


def data_stat(problem: Problem, mu: tuple[Any, ...]) -> Any:
    """The statistic of the data for a prediction."""
    parts = zip(problem.terms, mu, strict=True)
    return sum((jnp.sum(term.stat_array(m)) for term, m in parts), jnp.zeros(()))


def total_stat(problem: Problem, x: Any) -> Any:
    """The statistic: data and priors."""
    return data_stat(problem, predictions(problem, x)) + prior_stat(problem, x)


def gradient(problem: Problem, x: Any) -> tuple[Any, Any]:
    """The statistic and its gradient, by reverse differentiation."""
    stat, grad = jax.value_and_grad(total_stat, argnums=1)(problem, x)
    return stat, jnp.where(problem.space.free, grad, 0.0)


def derivatives(problem: Problem, x: Any) -> Derivatives:
    """The statistic, its gradient, exact Hessian and Fisher matrix."""
    free, active = problem.space.free, problem.active
    mu, jacobian = _linear(problem, x)
    bins = [term.per_bin(m) for term, m in zip(problem.terms, mu, strict=True)]

    def weighted(y: Any) -> Any:
        moved = predictions(problem, y)
        return sum(jnp.sum(b.slope * m) for b, m in zip(bins, moved, strict=True))

    def bent(direction: Any) -> Any:
        return jax.jvp(jax.grad(weighted), (x,), (direction,))[1][active]

    stat, grad = jnp.zeros(()), jnp.zeros(active.size)
    hess, fisher = jax.vmap(bent)(_directions(problem, x)), jnp.zeros((active.size,) * 2)
    for part, slopes in zip(bins, jacobian, strict=True):
        stat = stat + jnp.sum(part.stat)
        grad = grad + _contract(slopes, part.slope)
        hess = hess + _gram(slopes, part.bend)
        fisher = fisher + _gram(slopes, part.expected)
    block = jnp.ix_(active, active)
    zeros = jnp.zeros((x.size, x.size))
    grad = jnp.zeros(x.size).at[active].set(grad)
    hess, fisher = zeros.at[block].set((hess + hess.T) / 2), zeros.at[block].set(fisher)
    if problem.priors:
        p_stat, p_grad = jax.value_and_grad(prior_stat, argnums=1)(problem, x)
        p_hess = jax.hessian(prior_stat, argnums=1)(problem, x)
        stat, grad, hess, fisher = stat + p_stat, grad + p_grad, hess + p_hess, fisher + p_hess
    both = free[:, None] & free[None, :]
    parts = zip(problem.terms, mu, strict=True)
    return Derivatives(
        stat=stat,
        gradient=jnp.where(free, grad, 0.0),
        hessian=jnp.where(both, hess, 0.0),
        fisher=jnp.where(both, fisher, 0.0),
        n_negative=sum((term.negative_bins(m) for term, m in parts), jnp.zeros((), dtype=int)),
    )


def _directions(problem: Problem, x: Any) -> Any:
    """Unit vectors along the active entries, shape (active, x)."""
    return (problem.active[:, None] == jnp.arange(x.size)).astype(x.dtype)


def _linear(problem: Problem, x: Any) -> tuple[Any, Any]:
    """The predictions, and their derivatives by the active parameters on a first axis."""
    mu, push = jax.linearize(lambda y: predictions(problem, y), x)
    jacobian = jax.vmap(push)(_directions(problem, x))
    free = problem.space.free[problem.active]
    return mu, tuple(jnp.where(_column(free, j), j, 0.0) for j in jacobian)


def score_products(problem: Problem, x: Any) -> Any:
    """The sum over bins of the outer product of each bin's gradient."""
    mu, jacobian = _linear(problem, x)
    slopes = [term.per_bin(m).slope for term, m in zip(problem.terms, mu, strict=True)]
    found = sum(_gram(j, s**2) for j, s in zip(jacobian, slopes, strict=True))
    return jnp.zeros((x.size,) * 2).at[jnp.ix_(problem.active, problem.active)].set(found)


def _column(free: Any, jacobian: Any) -> Any:
    return free.reshape((-1,) + (1,) * (jacobian.ndim - 1))


def _contract(jacobian: Any, slope: Any) -> Any:
    return jacobian.reshape(jacobian.shape[0], -1) @ slope.ravel()


def _gram(jacobian: Any, weight: Any) -> Any:
    flat = jacobian.reshape(jacobian.shape[0], -1)
    return (flat * weight.ravel()) @ flat.T
