"""The Poisson statistic for counts with a known background."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

TRUNCATION = 1e-25
"""Predictions at or below this are treated as this in the logarithm, as gammapy does."""


def cash(n_on: Any, mu: Any) -> Any:
    r"""Cash statistic of each bin, -2 ln L without the terms in n alone.

    .. math:: C = 2 (\mu - n \ln \mu)

    Parameters
    ----------
    n_on : array
        Observed counts.
    mu : array
        Predicted counts, signal and background. A prediction below 1e-25 is floored there
        in the logarithm; below zero the first term keeps growing as ``2 |mu|``, so that a
        fit is not rewarded for negative counts.

    Returns
    -------
    stat : array

    References
    ----------
    Cash 1979, ApJ 228, 939.

    Examples
    --------
    >>> from gammajax.stats import cash
    >>> float(cash(0.0, 2.0))
    4.0
    """
    positive = mu > TRUNCATION
    log = jnp.log(jnp.where(positive, mu, TRUNCATION))
    return 2 * (jnp.abs(mu) - n_on * log)


def cash_curvature(mu: Any) -> Any:
    """Expected second derivative of `cash` by ``mu``: 2 / mu, and 0 where mu is not positive."""
    positive = mu > TRUNCATION
    return jnp.where(positive, 2 / jnp.where(positive, mu, 1.0), 0.0)
