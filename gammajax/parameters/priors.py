"""Priors on parameters: each is a density p, and its statistic is -2 ln p(x).

The densities are normalised, so that the statistic of a model file with priors is the
same number here and in gammapy. In a posterior only their shape matters.
"""

from __future__ import annotations

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from gammajax.parameters.field import name_specs, parameter


class Prior(eqx.Module):
    """A probability density of one parameter, in the parameter's canonical unit."""

    def __init_subclass__(cls, **options: Any) -> None:
        name_specs(cls)

    def stat(self, value: Any) -> Any:
        """-2 ln p(value): infinite outside the support."""
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    @property
    def support(self) -> tuple[float, float]:
        """The interval outside of which the density is zero."""
        return (-math.inf, math.inf)


def _require(prior: Prior, condition: Any, message: str) -> None:
    leaves = jax.tree_util.tree_leaves(prior)
    if any(isinstance(leaf, Tracer) for leaf in leaves):
        return
    if not np.all(condition):
        raise ValueError(f"{type(prior).__name__}: {message}")


class GaussianPrior(Prior):
    r"""Normal density.

    .. math:: -2 \ln p = ((x - \mu) / \sigma)^2 + \ln(2 \pi \sigma^2)

    Examples
    --------
    >>> from gammajax.parameters import GaussianPrior
    >>> round(float(GaussianPrior(mu=1.0, sigma=0.5).stat(1.3)), 6)
    0.811583
    """

    mu: Any = parameter(0.0, description="mean")
    sigma: Any = parameter(1.0, description="standard deviation")

    def __check_init__(self) -> None:
        _require(self, self.sigma > 0, f"sigma is {self.sigma}, expected a number above 0")

    def stat(self, value: Any) -> Any:
        pull = (value - self.mu) / self.sigma
        return pull**2 + jnp.log(2 * jnp.pi * self.sigma**2)


class GeneralizedGaussianPrior(Prior):
    r"""Generalised normal density of shape 1/eta (eta 0.5 is a Gaussian).

    .. math:: p = \frac{1}{2 \eta s \Gamma(\eta)} e^{-|(x - \mu) / s|^{1/\eta}},
        \quad s = \sqrt 2 \sigma
    """

    mu: Any = parameter(0.0, description="mean")
    sigma: Any = parameter(1.0, description="width")
    eta: Any = parameter(0.5, description="inverse of the exponent")

    def __check_init__(self) -> None:
        _require(self, self.sigma > 0, f"sigma is {self.sigma}, expected a number above 0")
        _require(self, self.eta > 0, f"eta is {self.eta}, expected a number above 0")

    def stat(self, value: Any) -> Any:
        scale = math.sqrt(2.0) * self.sigma
        distance = jnp.abs(value - self.mu) / scale
        away = jnp.where(distance > 0, distance, 1.0)
        power = jnp.where(distance > 0, away ** (1 / self.eta), 0.0)
        gammaln = jax.scipy.special.gammaln(self.eta)
        return 2 * (power + jnp.log(2 * self.eta * scale) + gammaln)


class UniformPrior(Prior):
    """Constant density between ``min`` and ``max``, zero outside."""

    min: Any = parameter(0.0, description="lower edge")
    max: Any = parameter(1.0, description="upper edge")

    def __check_init__(self) -> None:
        _require(self, self.min < self.max, f"min {self.min} is not below max {self.max}")

    def stat(self, value: Any) -> Any:
        inside = (value >= self.min) & (value <= self.max)
        return jnp.where(inside, 2 * jnp.log(self.max - self.min), jnp.inf)

    @property
    def support(self) -> tuple[float, float]:
        return (float(self.min), float(self.max))


class LogUniformPrior(Prior):
    r"""Density constant in the logarithm, :math:`p = 1 / (x \ln(max / min))`."""

    min: Any = parameter(1e-14, description="lower edge")
    max: Any = parameter(1e-10, description="upper edge")

    def __check_init__(self) -> None:
        _require(self, self.min > 0, f"min is {self.min}, expected a number above 0")
        _require(self, self.min < self.max, f"min {self.min} is not below max {self.max}")

    def stat(self, value: Any) -> Any:
        inside = (value >= self.min) & (value <= self.max)
        safe = jnp.where(inside, value, self.min)
        density = 2 * jnp.log(safe) + 2 * jnp.log(jnp.log(self.max / self.min))
        return jnp.where(inside, density, jnp.inf)

    @property
    def support(self) -> tuple[float, float]:
        return (float(self.min), float(self.max))


class LogNormalPrior(Prior):
    r"""Normal density of :math:`\ln x`, with mean ``mu`` and standard deviation ``sigma``.

    .. math:: -2 \ln p = ((\ln x - \mu) / \sigma)^2 + \ln(2 \pi \sigma^2) + 2 \ln x
    """

    mu: Any = parameter(0.0, description="mean of ln x")
    sigma: Any = parameter(1.0, description="standard deviation of ln x")

    def __check_init__(self) -> None:
        _require(self, self.sigma > 0, f"sigma is {self.sigma}, expected a number above 0")

    def stat(self, value: Any) -> Any:
        inside = value > 0
        log = jnp.log(jnp.where(inside, value, 1.0))
        pull = (log - self.mu) / self.sigma
        density = pull**2 + jnp.log(2 * jnp.pi * self.sigma**2) + 2 * log
        return jnp.where(inside, density, jnp.inf)

    @property
    def support(self) -> tuple[float, float]:
        return (0.0, math.inf)


class NumpyroPrior(Prior):
    """Any scalar, continuous NumPyro distribution as a prior.

    Examples
    --------
    >>> import numpyro.distributions as dist
    >>> from gammajax.parameters import NumpyroPrior
    >>> round(float(NumpyroPrior(dist.Normal(1.0, 0.5)).stat(1.3)), 4)
    0.8116
    """

    distribution: Any

    def __check_init__(self) -> None:
        if not hasattr(self.distribution, "log_prob"):
            raise ValueError(
                f"NumpyroPrior: got {self.distribution!r}, expected a distribution of "
                "numpyro.distributions"
            )

    def stat(self, value: Any) -> Any:
        low, high = self._edges()
        inside = (value >= low) & (value <= high)
        safe = jnp.where(inside, value, self.distribution.support.feasible_like(value))
        return jnp.where(inside, -2 * self.distribution.log_prob(safe), jnp.inf)

    def _edges(self) -> tuple[Any, Any]:
        support = self.distribution.support
        return (
            getattr(support, "lower_bound", -math.inf),
            getattr(support, "upper_bound", math.inf),
        )

    @property
    def support(self) -> tuple[float, float]:
        low, high = self._edges()
        return (float(low), float(high))


class WeightedPrior(Prior):
    """Another prior whose statistic counts ``weight`` times, as model files may ask for."""

    prior: Prior
    weight: Any = parameter(1.0, description="factor on -2 ln p")

    def __check_init__(self) -> None:
        _require(self, self.weight > 0, f"weight is {self.weight}, expected a number above 0")

    def stat(self, value: Any) -> Any:
        return self.weight * self.prior.stat(value)

    @property
    def support(self) -> tuple[float, float]:
        return self.prior.support
