"""The Poisson statistic for counts with a known background."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from gammajax.stats.per_bin import PerBin

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
    # Not jnp.abs: its derivative at 0 is 0, and a fit would see no cost in leaving zero.
    size = jnp.where(mu < 0, -mu, mu)
    return 2 * (size - n_on * log)


def cstat(n_on: Any, mu: Any) -> Any:
    r"""Cash statistic relative to the saturated model, so that it is 0 for mu = n.

    .. math:: C = 2 (\mu - n + n \ln (n / \mu))

    It differs from `cash` by terms in the data alone, which no fit feels; its size is a
    measure of the goodness of the fit.

    Examples
    --------
    >>> from gammajax.stats import cstat
    >>> float(cstat(7.0, 7.0))
    0.0
    """
    return cash(n_on, mu) - cash_saturated(n_on)


def cash_saturated(n_on: Any) -> Any:
    """`cash` where every prediction is what was counted: the least that it can be.

    Examples
    --------
    >>> from gammajax.stats import cash, cash_saturated
    >>> float(cash_saturated(7.0) - cash(7.0, 7.0))
    0.0
    """
    some = n_on > 0
    log = jnp.log(jnp.where(some, n_on, 1.0))
    return 2 * (n_on - n_on * log)


def cash_curvature(mu: Any) -> Any:
    """Expected second derivative of `cash` by ``mu``: 2 / mu, 0 where mu is not positive."""
    positive = mu > TRUNCATION
    return jnp.where(positive, 2 / jnp.where(positive, mu, 1.0), 0.0)


def cash_per_bin(n_on: Any, mu: Any) -> PerBin:
    """`cash` with its derivatives by ``mu``; the same numbers as differentiation gives."""
    positive = mu > TRUNCATION
    pull = jnp.where(positive, n_on / jnp.where(positive, mu, 1.0), 0.0)
    bend = jnp.where(positive, pull / jnp.where(positive, mu, 1.0), 0.0)
    slope = jnp.where(mu < 0, -1.0, 1.0) - pull
    return PerBin(cash(n_on, mu), 2 * slope, 2 * bend, cash_curvature(mu))
