"""Chi-squared statistics."""

from __future__ import annotations

import jax
import numpy as np
import pytest
import scipy.stats

from gammajax.stats import chi2, chi2_asymmetric


def test_chi2_is_minus_two_log_normal_up_to_a_constant() -> None:
    mu = np.linspace(-3, 4, 9)
    log = scipy.stats.norm.logpdf(1.5, loc=mu, scale=0.7)
    at_value = scipy.stats.norm.logpdf(1.5, loc=1.5, scale=0.7)
    np.testing.assert_allclose(chi2(1.5, 0.7, mu), -2 * (log - at_value), rtol=1e-12)


def test_asymmetric_uses_the_error_on_the_side_of_the_prediction() -> None:
    below, above = chi2_asymmetric(2.0, 0.5, 1.0, np.array([1.0, 3.0]))
    assert (float(below), float(above)) == (4.0, 1.0)


@pytest.mark.parametrize("mu", [1.0, 2.0, 3.0])
def test_asymmetric_gradient(mu: float) -> None:
    slope = jax.grad(chi2_asymmetric, 3)(2.0, 0.5, 1.0, mu)
    error = 0.5 if mu < 2 else 1.0
    assert float(slope) == pytest.approx(2 * (mu - 2) / error**2, abs=1e-14)
