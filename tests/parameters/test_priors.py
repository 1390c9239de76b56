"""Priors against scipy, value and slope."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
import pytest
import scipy.stats

from gammajax.parameters import (
    GaussianPrior,
    GeneralizedGaussianPrior,
    LogNormalPrior,
    LogUniformPrior,
    NumpyroPrior,
    Prior,
    UniformPrior,
)

CASES = [
    (GaussianPrior(mu=1.0, sigma=0.4), scipy.stats.norm(1, 0.4)),
    (
        GeneralizedGaussianPrior(mu=1.0, sigma=0.4, eta=0.5),
        scipy.stats.norm(1, 0.4),
    ),
    (
        GeneralizedGaussianPrior(mu=1.0, sigma=0.4, eta=0.2),
        scipy.stats.gennorm(5.0, 1.0, math.sqrt(2) * 0.4),
    ),
    (UniformPrior(min=-1.0, max=3.0), scipy.stats.uniform(-1, 4)),
    (LogUniformPrior(min=0.1, max=10.0), scipy.stats.loguniform(0.1, 10)),
    (LogNormalPrior(mu=0.3, sigma=0.7), scipy.stats.lognorm(0.7, scale=math.exp(0.3))),
    (NumpyroPrior(dist.Gamma(3.0, 2.0)), scipy.stats.gamma(3, scale=0.5)),
    (NumpyroPrior(dist.Beta(2.0, 3.0)), scipy.stats.beta(2, 3)),
    (NumpyroPrior(dist.HalfCauchy(1.5)), scipy.stats.halfcauchy(scale=1.5)),
    (NumpyroPrior(dist.StudentT(4.0, 1.0, 0.5)), scipy.stats.t(4, 1, 0.5)),
]
INSIDE = np.array([0.2, 0.55, 0.93])

cases = pytest.mark.parametrize(("prior", "law"), CASES, ids=lambda c: type(c).__name__)


@cases
def test_density(prior: Prior, law: Any) -> None:
    stat = jax.vmap(prior.stat)(INSIDE)
    np.testing.assert_allclose(stat, -2 * law.logpdf(INSIDE), rtol=1e-10, atol=1e-12)


@cases
def test_slope(prior: Prior, law: Any) -> None:
    h = 1e-5
    expected = -(law.logpdf(INSIDE + h) - law.logpdf(INSIDE - h)) / h
    np.testing.assert_allclose(
        jax.vmap(jax.grad(prior.stat))(INSIDE), expected, rtol=1e-6, atol=1e-6
    )


@cases
def test_support(prior: Prior, law: Any) -> None:
    assert prior.support == pytest.approx(law.support())
    low, high = prior.support
    if np.isfinite(low):
        assert float(prior.stat(low - 0.1)) == np.inf
        assert np.isfinite(float(jax.grad(prior.stat)(low - 0.1)))
    if np.isfinite(high):
        assert float(prior.stat(high + 0.1)) == np.inf
        assert np.isfinite(float(jax.grad(prior.stat)(high + 0.1)))


def test_generalised_gaussian_has_a_finite_slope_at_its_centre() -> None:
    prior = GeneralizedGaussianPrior(mu=1.0, sigma=0.4, eta=0.2)
    assert float(jax.grad(prior.stat)(1.0)) == 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: GaussianPrior(sigma=0),
            "GaussianPrior: sigma is 0.0, expected a number above 0",
        ),
        (lambda: LogNormalPrior(sigma=-1), "LogNormalPrior: sigma is -1.0"),
        (lambda: GeneralizedGaussianPrior(eta=0), "GeneralizedGaussianPrior: eta is 0.0"),
        (lambda: UniformPrior(min=2, max=1), "UniformPrior: min 2.0 is not below max 1.0"),
        (lambda: LogUniformPrior(min=0), "LogUniformPrior: min is 0.0"),
        (lambda: LogUniformPrior(min=3, max=2), "LogUniformPrior: min 3.0 is not below"),
        (lambda: NumpyroPrior("normal"), "NumpyroPrior: got 'normal', expected a distribution"),
        (lambda: GaussianPrior(mu="x"), r"GaussianPrior\.mu: got 'x'"),
    ],
)
def test_bad_priors(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_the_base_is_abstract() -> None:
    with pytest.raises(TypeError, match="Prior is abstract"):
        Prior().stat(1.0)
