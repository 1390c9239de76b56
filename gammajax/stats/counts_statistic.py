r"""Excess and significance of single counts: Li and Ma, and Cash.

The likelihood of one bin has a closed form at its maximum. Errors and limits are roots of
the statistic, found for all bins at once.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.stats.cash import cash
from gammajax.stats.wstat import wstat

ROUNDS = 60


class CountsStatistic:
    """What both statistics share; arrays of any one shape."""

    n_on: Any

    @property
    def n_bkg(self) -> np.ndarray:
        """The expected background."""
        raise TypeError(f"{type(self).__name__} is abstract")

    def stat(self, n_sig: Any) -> np.ndarray:
        """-2 ln L for a number of signal counts, background profiled out."""
        raise TypeError(f"{type(self).__name__} is abstract")

    @property
    def n_sig(self) -> np.ndarray:
        """The excess: counts minus background."""
        return np.asarray(self.n_on) - self.n_bkg

    @property
    def stat_null(self) -> np.ndarray:
        """-2 ln L without a signal."""
        return self.stat(np.zeros(np.shape(self.n_on)))

    @property
    def stat_max(self) -> np.ndarray:
        """-2 ln L at the excess."""
        return self.stat(self.n_sig)

    @property
    def ts(self) -> np.ndarray:
        """-2 ln L without a signal, minus that at the excess."""
        return np.maximum(self.stat_null - self.stat_max, 0.0)

    @property
    def sqrt_ts(self) -> np.ndarray:
        """The significance, with the sign of the excess."""
        return np.sign(self.n_sig) * np.sqrt(self.ts)

    @property
    def p_value(self) -> np.ndarray:
        """The probability of at least this excess without a signal."""
        from scipy.special import ndtr

        return np.asarray(ndtr(-self.sqrt_ts))

    def compute_errn(self, n_sigma: float = 1.0) -> np.ndarray:
        """Distance down to where the statistic has risen by ``n_sigma`` squared.

        NaN where it does not rise so much: with few counts no signal at all is as likely.
        """
        least = np.where(np.asarray(self.n_on) > 0, self.n_bkg, np.maximum(self.n_sig, 0.0))
        return self._distance(-1.0, n_sigma, np.maximum(self.n_sig + least, 0.0))

    def compute_errp(self, n_sigma: float = 1.0) -> np.ndarray:
        """Distance up to where the statistic has risen by ``n_sigma`` squared."""
        return self._distance(1.0, n_sigma, np.full(np.shape(self.n_on), np.inf))

    def compute_upper_limit(self, n_sigma: float = 3.0) -> np.ndarray:
        """The signal at which the statistic has risen by ``n_sigma`` squared.

        Above that of the excess, or of no signal where the excess is negative.
        """
        best = np.maximum(self.n_sig, 0.0)
        return best + self._distance(1.0, n_sigma, np.full(best.shape, np.inf), best)

    def n_sig_matching_significance(self, significance: float) -> np.ndarray:
        """The signal that, with the expected background, has a given significance."""
        self_any: Any = self
        background = self.n_bkg

        def root(n_sig: np.ndarray) -> np.ndarray:
            return dataclasses.replace(self_any, n_on=background + n_sig).sqrt_ts

        low, high = np.zeros_like(background), np.maximum(np.sqrt(background), 1.0)
        for _ in range(ROUNDS):
            short = root(high) < significance
            if not short.any():
                break
            low, high = np.where(short, high, low), np.where(short, 2 * high, high)
        for _ in range(ROUNDS):
            middle = (low + high) / 2
            below = root(middle) < significance
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2

    def _distance(
        self, sign: float, n_sigma: float, reach: np.ndarray, best: Any = None
    ) -> np.ndarray:
        """Roots of the rise above the excess, or above another signal, by bisection."""
        best = self.n_sig if best is None else best
        base = self.stat(best)
        width = np.sqrt(np.maximum(np.asarray(self.n_on), 1.0)) * n_sigma

        def root(distance: np.ndarray) -> np.ndarray:
            return np.sqrt(np.maximum(self.stat(best + sign * distance) - base, 0.0))

        low, high = np.zeros_like(best), np.minimum(width, reach)
        for _ in range(ROUNDS):
            short = (root(high) < n_sigma) & (high < reach)
            if not short.any():
                break
            low = np.where(short, high, low)
            high = np.where(short, np.minimum(2 * high, reach), high)
        missing = root(high) < n_sigma
        for _ in range(ROUNDS):
            middle = (low + high) / 2
            below = root(middle) < n_sigma
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.where(missing, np.nan, (low + high) / 2)


@dataclass(frozen=True, eq=False)
class CashCountsStatistic(CountsStatistic):
    """Counts with a background that is known.

    Parameters
    ----------
    n_on : array
    mu_bkg : array
        Of the same shape.

    Examples
    --------
    >>> print(CashCountsStatistic(13.0, 5.5).sqrt_ts.round(4))
    2.7139
    """

    n_on: Any
    mu_bkg: Any

    @property
    def n_bkg(self) -> np.ndarray:
        """The known background."""
        return np.asarray(self.mu_bkg, dtype=float)

    @property
    def error(self) -> np.ndarray:
        """Approximate error of the excess: the root of the counts."""
        return np.sqrt(np.asarray(self.n_on, dtype=float))

    def stat(self, n_sig: Any) -> np.ndarray:
        """-2 ln L for a number of signal counts."""
        return _padded_call(_cash, self.n_on, self.n_bkg + n_sig)


@dataclass(frozen=True, eq=False)
class WStatCountsStatistic(CountsStatistic):
    """Counts with a background that is measured in off regions (Li and Ma 1983, eq. 17).

    Parameters
    ----------
    n_on, n_off : array
    alpha : array
        Ratio of on to off acceptance.

    Examples
    --------
    >>> print(WStatCountsStatistic(13.0, 11.0, 0.5).sqrt_ts.round(4))
    2.0928
    """

    n_on: Any
    n_off: Any
    alpha: Any

    @property
    def n_bkg(self) -> np.ndarray:
        """alpha times the off counts."""
        return np.asarray(self.alpha) * np.asarray(self.n_off, dtype=float)

    @property
    def error(self) -> np.ndarray:
        """Approximate error of the excess."""
        off = np.asarray(self.n_off, dtype=float)
        return np.sqrt(np.asarray(self.n_on) + np.asarray(self.alpha) ** 2 * off)

    def stat(self, n_sig: Any) -> np.ndarray:
        """-2 ln L for a number of signal counts, relative to the saturated model."""
        return _padded_call(_wstat, self.n_on, self.n_off, self.alpha, n_sig)


def _padded_call(function: Any, *arrays: Any) -> np.ndarray:
    """A compiled function of arrays, padded to a power of two so that few are compiled."""
    broadcast = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in arrays))
    shape, size = broadcast[0].shape, broadcast[0].size
    room = 1 << max(size - 1, 15).bit_length()
    flat = [np.concatenate([a.ravel(), np.ones(room - size)]) for a in broadcast]
    return np.asarray(function(*flat))[:size].reshape(shape)


@jax.jit
def _cash(n_on: Any, mu: Any) -> Any:
    return cash(n_on, mu)


@jax.jit
def _wstat(n_on: Any, n_off: Any, alpha: Any, n_sig: Any) -> Any:
    return wstat(n_on, n_off, jnp.where(alpha > 0, alpha, 1.0), n_sig)
