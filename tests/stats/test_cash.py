"""Cash statistics against scipy, by value and by derivative."""

from __future__ import annotations

import jax
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from gammajax.stats import cash, cash_curvature, cash_per_bin, cstat

counts = st.integers(0, 2000).map(float)
means = st.floats(1e-3, 3000)


@given(n=counts, mu=means, other=means)
def test_cash_is_minus_two_log_poisson_up_to_a_constant(
    n: float, mu: float, other: float
) -> None:
    expected = -2 * (scipy.stats.poisson.logpmf(n, mu) - scipy.stats.poisson.logpmf(n, other))
    found = float(cash(n, mu) - cash(n, other))
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-8)


@given(n=counts, mu=means)
def test_cstat_is_relative_to_the_saturated_model(n: float, mu: float) -> None:
    saturated = scipy.stats.poisson.logpmf(n, n)
    expected = -2 * (scipy.stats.poisson.logpmf(n, mu) - saturated)
    assert float(cstat(n, mu)) == pytest.approx(expected, rel=1e-9, abs=1e-8)
    assert float(cstat(n, mu)) >= -1e-9 * (1 + n)


@pytest.mark.parametrize("n", [0.0, 1.0, 30.0])
@pytest.mark.parametrize("mu", [1e-3, 0.7, 25.0])
def test_derivatives(n: float, mu: float) -> None:
    assert float(jax.grad(cash, 1)(n, mu)) == pytest.approx(2 * (1 - n / mu), rel=1e-13)
    assert float(jax.grad(jax.grad(cash, 1), 1)(n, mu)) == pytest.approx(
        2 * n / mu**2, rel=1e-13
    )


def test_at_zero_and_below() -> None:
    assert float(cash(0.0, 0.0)) == 0.0
    # A signal that leaves zero costs 2 for each predicted count, on either side.
    assert float(jax.grad(cash, 1)(0.0, 0.0)) == 2.0
    assert float(jax.grad(cash, 1)(0.0, -1.0)) == -2.0
    assert float(cash(3.0, -2.0)) == float(cash(3.0, -1.0)) + 2.0
    assert np.isfinite(float(cash(3.0, 0.0)))
    assert np.isfinite(float(jax.grad(cash, 1)(3.0, 0.0)))


@pytest.mark.parametrize("mu", [0.4, 3.0, 80.0])
def test_curvature_is_the_expected_second_derivative(mu: float) -> None:
    n = np.arange(400.0)
    weight = scipy.stats.poisson.pmf(n, mu)
    second = jax.vmap(lambda count: jax.grad(jax.grad(cash, 1), 1)(count, mu))(n)
    assert float(cash_curvature(mu)) == pytest.approx(float(weight @ second), rel=1e-10)


def test_curvature_of_no_prediction_is_zero() -> None:
    assert np.all(np.asarray(cash_curvature(np.array([0.0, -1.0]))) == 0.0)


@pytest.mark.parametrize("n_on", [0.0, 1.0, 12.0])
def test_per_bin_is_what_differentiation_gives(n_on: float) -> None:
    mu = np.array([-2.0, 0.3, 1.0, 40.0])
    found = cash_per_bin(n_on, mu)

    def one(value: float) -> jax.Array:
        return cash(n_on, value)

    np.testing.assert_allclose(found.stat, cash(n_on, mu))
    np.testing.assert_allclose(found.slope, jax.vmap(jax.grad(one))(mu), rtol=1e-12)
    np.testing.assert_allclose(found.bend, jax.vmap(jax.grad(jax.grad(one)))(mu), rtol=1e-12)
    np.testing.assert_allclose(found.expected, cash_curvature(mu))
