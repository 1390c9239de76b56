"""Test statistics as numbers of standard deviations, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

LEAST_LOG = -690.0
"""Logarithms of probabilities below this are from the asymptotic series."""


def ts_to_sigma(ts: Any, df: int = 1) -> np.ndarray:
    r"""The two-sided significance of a test statistic with a :math:`\chi^2` law.

    .. math:: 2\,\Phi(-\sigma) = P(\chi^2_{df} > \mathrm{TS})

    Parameters
    ----------
    ts : array
    df : int
        Degrees of freedom. With one of them the significance is the root of TS.

    Notes
    -----
    Where the probability is less than the smallest number, its logarithm is that of the
    asymptotic series of the incomplete gamma function, good to 1e-5.

    Examples
    --------
    >>> ts_to_sigma([0, 9, 2000]).round(4).tolist()
    [0.0, 3.0, 44.7214]
    >>> print(ts_to_sigma(25, df=3).round(3))
    4.322
    """
    from scipy.special import chdtrc, gammaln, ndtri_exp

    ts = np.maximum(np.asarray(ts, dtype=float), 0.0)
    half, x = df / 2, np.maximum(ts / 2, 1.0)
    terms = 1 + (half - 1) / x * (1 + (half - 2) / x * (1 + (half - 3) / x))
    far = (half - 1) * np.log(x) - x - gammaln(half) + np.log(np.maximum(terms, 1e-300))
    with np.errstate(divide="ignore"):
        near = np.log(chdtrc(df, ts))
    sigma = -ndtri_exp(np.log(0.5) + np.where(near > LEAST_LOG, near, far))
    return np.maximum(sigma, 0.0)


def sigma_to_ts(n_sigma: Any, df: int = 1) -> np.ndarray:
    """The test statistic of a two-sided significance; see `ts_to_sigma`.

    Examples
    --------
    >>> print(sigma_to_ts(3.0), sigma_to_ts(3.0, df=2).round(3))
    9.0 11.829
    """
    from scipy.special import chdtri, ndtr

    if df == 1:
        return np.asarray(n_sigma, dtype=float) ** 2
    return np.asarray(chdtri(df, 2 * ndtr(-np.asarray(n_sigma, dtype=float))))
