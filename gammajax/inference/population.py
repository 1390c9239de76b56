r"""Populations: parameters of many sources that come from one distribution.

With members :math:`\theta_i \sim p(\theta | m, w)`, the mean m and the width w are drawn
together with all parameters of the sources. What makes this hard for a sampler is that a
member with little data of its own follows m and w closely, and one with much data does not.
So members are drawn in coordinates that know about both: where the data alone say
:math:`\theta_i = t_i + a^T y` with y near a unit normal, the data and a normal population
together say

.. math:: y = a \frac{m - t_i}{a^2 + w^2} + (1 - \beta a a^T) z, \quad
          \beta = \frac{1}{a^2} \left(1 - \frac{w}{\sqrt{a^2 + w^2}}\right) .

The z are near a unit normal for any m and w (each member is centred on its population as far
as its data are weak). The map is exact whatever the data are, by its Jacobian.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.inference.blocks import Groups
from gammajax.inference.likelihood import Likelihood
from gammajax.inference.whitening import Whitening, into_box


def _normal(mean: Any, width: Any) -> Any:
    from numpyro.distributions import Normal

    return Normal(mean, width)


def _onto(support: Any) -> Any:
    """The map from all numbers onto a support; NumPyro is loaded when it is needed first."""
    from numpyro.distributions import biject_to

    return biject_to(support)


class Population(eqx.Module):
    """A distribution that the values of a parameter come from, in many sources.

    Parameters
    ----------
    parameter : str
        Glob of names; those that are free are the members.
    mean, width : `numpyro.distributions.Distribution`
        What is known before about the first and the second argument of ``distribution``, in
        the canonical unit of the parameter.
    distribution : callable
        From mean and width to a NumPyro distribution, by default a normal one; of members
        with bounds it is truncated there, and needs a ``cdf``.
    name : str
        Of the hyper-parameters: ``name.mean`` and ``name.width``.

    Examples
    --------
    >>> import numpyro.distributions as dist
    >>> from gammajax.inference import Population
    >>> indices = Population(
    ...     "*.spectral.index", mean=dist.Normal(2.3, 0.5), width=dist.HalfNormal(0.5)
    ... )
    >>> indices.names
    ('population.mean', 'population.width')
    """

    parameter: str = eqx.field(static=True)
    mean: Any
    width: Any
    distribution: Callable[[Any, Any], Any] = eqx.field(static=True, default=_normal)
    name: str = eqx.field(static=True, default="population")

    def __check_init__(self) -> None:
        for what, found in (("mean", self.mean), ("width", self.width)):
            if not hasattr(found, "log_prob"):
                raise ValueError(
                    f"Population {self.parameter!r}: {what} is {found!r}, expected a "
                    "distribution of numpyro.distributions"
                )

    @property
    def names(self) -> tuple[str, str]:
        """Names of the hyper-parameters."""
        return f"{self.name}.mean", f"{self.name}.width"

    def members(self, likelihood: Likelihood) -> np.ndarray:
        """Places of the members among the free parameters.

        Raises
        ------
        ValueError
            If there are less than three, or one has a prior of its own.
        """
        rows = likelihood.models.parameters.rows
        index = likelihood._index.tolist()
        matched = likelihood.models.parameters.match(self.parameter)
        free = [place for place in matched if rows[place].free]
        if len(free) < 3:
            raise ValueError(
                f"Population {self.parameter!r}: {len(free)} of the {len(matched)} parameters "
                "that match are free, expected 3 or more to tell a mean and a width"
            )
        own = [rows[place].name for place in free if rows[place].prior is not None]
        if own:
            raise ValueError(
                f"Population {self.parameter!r}: {', '.join(own[:4])} have priors of their "
                "own; remove them, the population is their prior"
            )
        return np.array([index.index(place) for place in free])


class Drawn(eqx.Module):
    """A population as the sampler sees it.

    Attributes
    ----------
    population : `Population`
    members : array of int, shape (member,)
    along : array, shape (group, slot)
        a, by component; 0 where there is no member.
    centre : array, shape (group,)
        t.
    has : array of bool, shape (group,)
    bounded : bool
        Whether a member has a bound.
    start, step : array, shape (2,)
        Of the hyper-parameters on the real line.
    """

    population: Population
    members: Any
    along: Any
    centre: Any
    has: Any
    start: Any
    step: Any
    bounded: bool = eqx.field(static=True)

    def hyper(self, z: Any) -> tuple[Any, Any, Any]:
        """Mean, width, and the log of their density by z."""
        found, log = [], 0.0
        for prior, u in zip(
            (self.population.mean, self.population.width),
            self.start + self.step * z,
            strict=True,
        ):
            onto = _onto(prior.support)
            value = onto(u)
            log = log + prior.log_prob(value) + onto.log_abs_det_jacobian(u, value)
            found.append(value)
        return found[0], found[1], log

    def conditioned(self, parts: Any, mean: Any, width: Any) -> tuple[Any, Any]:
        """y of each component from its z, and the log of the Jacobian determinant."""
        square = jnp.sum(self.along**2, axis=1)
        both = square + width**2
        share = width / jnp.sqrt(both)
        beta = (1 - share) / jnp.where(self.has, square, 1.0)
        length = (mean - self.centre) / both - beta * jnp.sum(self.along * parts, axis=1)
        moved = parts + jnp.where(self.has, length, 0.0)[:, None] * self.along
        return moved, jnp.sum(jnp.where(self.has, jnp.log(share), 0.0))

    def log_density(self, theta: Any, low: Any, high: Any, mean: Any, width: Any) -> Any:
        """The sum of the logarithms of the members' densities."""
        made = self.population.distribution(mean, width)
        own = self.members
        log = jnp.sum(made.log_prob(theta[own]))
        if not self.bounded:
            return log
        inside = made.cdf(high[own]) - made.cdf(low[own])
        return log - jnp.sum(jnp.log(inside))


class PopulationWhitening(eqx.Module):
    """The map from z to the free parameters and the hyper-parameters of populations.

    It stands where a `~gammajax.inference.whitening.Whitening` does.

    Attributes
    ----------
    base : `~gammajax.inference.whitening.Whitening`
        By blocks.
    drawn : tuple of `Drawn`
    """

    base: Whitening
    drawn: tuple[Drawn, ...]

    @classmethod
    def create(
        cls, base: Whitening, likelihood: Likelihood, populations: Sequence[Population]
    ) -> PopulationWhitening:
        """From whitening by blocks (host)."""
        names = [name for one in populations for name in one.names]
        if len(set(names)) < len(names):
            raise ValueError(
                f"populations share the names {', '.join(sorted(set(names)))}; give each a name"
            )
        return cls(base, tuple(_drawn(base, likelihood, one) for one in populations))

    @property
    def index(self) -> Any:
        """Where the free parameters stand."""
        return self.base.index

    @property
    def dense(self) -> bool:
        """Whether the mass matrix is one: it is made of blocks."""
        return False

    @property
    def size(self) -> int:
        """The number of coordinates."""
        return self.base.size + 2 * len(self.drawn)

    def theta(self, z: Any) -> tuple[Any, Any]:
        """Free parameters with hyper-parameters at z, and the logarithm of a density.

        The density has the Jacobian determinant, and all that populations add.
        """
        base, number = self.base, self.base.size
        parts = base.half.in_groups(z[:number])
        kept, log, hypers = [], jnp.zeros(()), []
        for place, one in enumerate(self.drawn):
            mean, width, more = one.hyper(z[number + 2 * place : number + 2 * place + 2])
            parts, volume = one.conditioned(parts, mean, width)
            hypers.append((mean, width))
            kept += [mean, width]
            log = log + more + volume
        u = base.centre + base.half.from_groups(parts)
        value, slope = into_box(u, base.low, base.high)
        for one, (mean, width) in zip(self.drawn, hypers, strict=True):
            log = log + one.log_density(value, base.low, base.high, mean, width)
        return jnp.concatenate([value, jnp.stack(kept)]), log + jnp.sum(slope)


def _drawn(base: Whitening, likelihood: Likelihood, population: Population) -> Drawn:
    members = population.members(likelihood)
    groups: Groups = base.half.groups
    group = np.asarray(groups.group)[members]
    if len(set(group)) < group.size:
        raise ValueError(
            f"Population {population.parameter!r}: a component has more than one member; use "
            "a population for each of its parameters"
        )
    theta, slope = (np.asarray(part) for part in _centre(base))
    shrink = (np.asarray(base.half.scale) * slope)[members]
    along = np.zeros(np.shape(groups.members))
    along[group] = shrink[:, None] * base.half.blocks[group, np.asarray(groups.slot)[members]]
    centre, has = np.zeros(len(along)), np.zeros(len(along), dtype=bool)
    centre[group], has[group] = theta[members], True
    error = np.sqrt(np.sum(along[group] ** 2, axis=1))
    start, step = _first(population, theta[members], error)
    bounded = bool(np.isfinite([base.low[members], base.high[members]]).any())
    return Drawn(population, members, along, centre, has, start, step, bounded)


def _centre(base: Whitening) -> tuple[Any, Any]:
    """The values in the middle, and their derivatives by u."""
    ones = np.ones_like(base.centre)
    return jax.jvp(
        lambda u: into_box(u, base.low, base.high)[0], (jnp.asarray(base.centre),), (ones,)
    )


def _first(
    population: Population, theta: np.ndarray, error: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Hyper-parameters from moments, and their errors, on the real line."""
    weight = 1 / (error**2 + np.var(theta))
    mean = np.sum(weight * theta) / np.sum(weight)
    noise = np.median(error) ** 2
    square = max(np.median((theta - mean) ** 2) * 2.2 - noise, 0.1 * noise)
    width, total = np.sqrt(square), square + noise
    errors = np.sqrt(total / theta.size), total / width / np.sqrt(2 * theta.size)
    start, step = np.zeros(2), np.zeros(2)
    for place, (prior, value) in enumerate(
        zip((population.mean, population.width), (mean, width), strict=True)
    ):
        onto = _onto(prior.support)
        guess = jnp.where(prior.support(value), value, prior.mean)
        start[place] = onto.inv(guess)
        step[place] = errors[place] / abs(float(jax.grad(onto)(start[place])))
    return start, np.minimum(step, 1.0)


def described(
    likelihood: Likelihood, populations: Sequence[Population]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and units of what is drawn."""
    table, names = likelihood.models.parameters, likelihood.names
    units = [table[name].unit for name in names]
    for population in populations:
        own = table.rows[table.match(population.parameter)[0]].unit
        names, units = (*names, *population.names), [*units, own, own]
    return names, tuple(units)
