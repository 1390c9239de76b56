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
    """Everything a fit needs, as data: parameter space, models, folded data, priors."""

    space: ParameterSpace
    stacks: tuple[Stack, ...]
    terms: tuple[Any, ...]
    priors: tuple[PriorStack, ...]


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
    free = problem.space.free
    mu, jacobian = _linear(problem, x)
    bins = [term.per_bin(m) for term, m in zip(problem.terms, mu, strict=True)]

    def weighted(y: Any) -> Any:
        moved = predictions(problem, y)
        return sum(jnp.sum(b.slope * m) for b, m in zip(bins, moved, strict=True))

    second = jax.jacfwd(jax.grad(weighted))(x)
    p_stat, p_grad = jnp.zeros(()), 0.0
    p_hess = jnp.zeros((x.size, x.size))
    if problem.priors:
        p_stat, p_grad = jax.value_and_grad(prior_stat, argnums=1)(problem, x)
        p_hess = jax.hessian(prior_stat, argnums=1)(problem, x)
    stat, grad, hess, fisher = p_stat, p_grad, second + p_hess, p_hess
    for part, slopes in zip(bins, jacobian, strict=True):
        stat = stat + jnp.sum(part.stat)
        grad = grad + _contract(slopes, part.slope)
        hess = hess + _gram(slopes, part.bend)
        fisher = fisher + _gram(slopes, part.expected)
    both = free[:, None] & free[None, :]
    parts = zip(problem.terms, mu, strict=True)
    return Derivatives(
        stat=stat,
        gradient=jnp.where(free, grad, 0.0),
        hessian=jnp.where(both, (hess + hess.T) / 2, 0.0),
        fisher=jnp.where(both, fisher, 0.0),
        n_negative=sum((term.negative_bins(m) for term, m in parts), jnp.zeros((), dtype=int)),
    )


def _linear(problem: Problem, x: Any) -> tuple[Any, Any]:
    """The predictions, and their derivatives by all parameters on a first axis."""
    mu, push = jax.linearize(lambda y: predictions(problem, y), x)
    jacobian = jax.vmap(push)(jnp.eye(x.size))
    free = problem.space.free
    return mu, tuple(jnp.where(_column(free, j), j, 0.0) for j in jacobian)


def score_products(problem: Problem, x: Any) -> Any:
    """The sum over bins of the outer product of each bin's gradient."""
    mu, jacobian = _linear(problem, x)
    slopes = [term.per_bin(m).slope for term, m in zip(problem.terms, mu, strict=True)]
    return sum(_gram(j, s**2) for j, s in zip(jacobian, slopes, strict=True))


def _column(free: Any, jacobian: Any) -> Any:
    return free.reshape((-1,) + (1,) * (jacobian.ndim - 1))


def _contract(jacobian: Any, slope: Any) -> Any:
    return jacobian.reshape(jacobian.shape[0], -1) @ slope.ravel()


def _gram(jacobian: Any, weight: Any) -> Any:
    flat = jacobian.reshape(jacobian.shape[0], -1)
    return (flat * weight.ravel()) @ flat.T
