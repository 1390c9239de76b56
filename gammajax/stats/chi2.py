"""Statistics for measurements with Gaussian errors."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp


def chi2(value: Any, error: Any, mu: Any) -> Any:
    r"""Chi-squared of each point, -2 ln L without its constant.

    .. math:: \chi^2 = ((x - \mu) / \sigma)^2

    Examples
    --------
    >>> from gammajax.stats import chi2
    >>> float(chi2(3.0, 0.5, 2.0))
    4.0
    """
    return ((value - mu) / error) ** 2


def chi2_asymmetric(value: Any, error_low: Any, error_high: Any, mu: Any) -> Any:
    """Chi-squared with the lower error below the value and the upper one above it."""
    return chi2(value, jnp.where(mu < value, error_low, error_high), mu)
