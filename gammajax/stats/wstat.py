r"""The Poisson statistic for counts with a measured background (on-off).

With :math:`a = \alpha` and the expected signal :math:`\mu_s` in a bin, the expected off
counts :math:`\mu_b` that maximise the likelihood solve the quadratic

.. math:: a (1 + a) \mu_b^2 - C \mu_b - n_{off} \mu_s = 0, \quad
          C = a (n_{on} + n_{off}) - (1 + a) \mu_s .

At that point the derivative of the likelihood by :math:`\mu_b` vanishes, so

.. math:: \frac{dW}{d\mu_s} = 2 \left(1 - \frac{n_{on}}{\mu_s + a \mu_b}\right), \quad
          \frac{d\mu_b}{d\mu_s} = \frac{n_{off} - (1 + a) \mu_b}{\sqrt{C^2 + 4 a (1 + a)
          n_{off} \mu_s}} .

These forms are the derivatives used here. They stay finite where differentiation through
the square root and the logarithms would divide zero by zero.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from gammajax.stats.per_bin import PerBin


def _ratio(numerator: Any, denominator: Any) -> Any:
    """numerator / denominator, 0 where the denominator is not positive."""
    positive = denominator > 0
    return jnp.where(positive, numerator / jnp.where(positive, denominator, 1.0), 0.0)


def _xlog(count: Any, value: Any) -> Any:
    """count ln(value), 0 where the count is 0."""
    used = count > 0
    return jnp.where(used, count * jnp.log(jnp.where(used, value, 1.0)), 0.0)


def _total_at_zero(n_on: Any, n_off: Any, alpha: Any, mu_signal: Any) -> Any:
    """Whether the background is held up by the demand that signal + background >= 0.

    That needs an empty on region: with counts in it the likelihood itself keeps the total
    above zero.
    """
    return (n_on <= 0) & (mu_signal < 0) & (mu_signal * (1 + alpha) <= -alpha * n_off)


def _root(n_on: Any, n_off: Any, alpha: Any, mu_signal: Any) -> tuple[Any, Any]:
    c = alpha * (n_on + n_off) - (1 + alpha) * mu_signal
    square = c**2 + 4 * alpha * (1 + alpha) * n_off * mu_signal
    return c, jnp.sqrt(jnp.maximum(square, 0.0))


@jax.custom_jvp
def wstat_background(n_on: Any, n_off: Any, alpha: Any, mu_signal: Any) -> Any:
    """The expected off counts that maximise the on-off likelihood at ``mu_signal``.

    Derivatives are taken by ``mu_signal`` and ``alpha``; the counts are data.
    """
    c, d = _root(n_on, n_off, alpha, mu_signal)
    direct = (c + d) / (2 * alpha * (1 + alpha))
    reduced = _ratio(2 * n_off * mu_signal, d - c)
    background = jnp.where(c > 0, direct, reduced)
    return jnp.maximum(background, jnp.maximum(-mu_signal / alpha, 0.0))


@wstat_background.defjvp
def _wstat_background_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    n_on, n_off, alpha, mu_signal = primals
    _, _, alpha_dot, mu_dot = tangents
    mu_background = wstat_background(n_on, n_off, alpha, mu_signal)
    by_mu = _background_slope(n_on, n_off, alpha, mu_signal, mu_background)
    _, d = _root(n_on, n_off, alpha, mu_signal)
    rest = n_on + n_off - mu_signal - (1 + 2 * alpha) * mu_background
    floored = _total_at_zero(n_on, n_off, alpha, mu_signal)
    by_alpha = jnp.where(floored, mu_signal / alpha**2, _ratio(rest * mu_background, d))
    return mu_background, by_mu * mu_dot + by_alpha * alpha_dot


def _background_slope(
    n_on: Any, n_off: Any, alpha: Any, mu_signal: Any, mu_background: Any
) -> Any:
    """The derivative of the profiled background by the signal."""
    _, d = _root(n_on, n_off, alpha, mu_signal)
    by_mu = _ratio(n_off - (1 + alpha) * mu_background, d)
    return jnp.where(_total_at_zero(n_on, n_off, alpha, mu_signal), -1 / alpha, by_mu)


def _at_background(
    n_on: Any, n_off: Any, alpha: Any, mu_signal: Any, mu_background: Any
) -> Any:
    """The statistic at a given background, relative to the saturated model."""
    mu_total = mu_signal + alpha * mu_background
    terms = mu_signal + (1 + alpha) * mu_background
    terms = terms - _xlog(n_on, mu_total) - _xlog(n_off, mu_background)
    saturated = n_on - _xlog(n_on, n_on) + n_off - _xlog(n_off, n_off)
    return 2 * (terms - saturated)


@jax.custom_jvp
def wstat(n_on: Any, n_off: Any, alpha: Any, mu_signal: Any) -> Any:
    r"""W statistic of each bin: -2 ln L relative to the saturated model.

    .. math:: W = 2 [\mu_s + (1 + a) \mu_b - n_{on} \ln(\mu_s + a \mu_b) - n_{off} \ln \mu_b]
              - 2 [n_{on} (1 - \ln n_{on}) + n_{off} (1 - \ln n_{off})]

    with each logarithmic term zero where its count is zero, and :math:`\mu_b` from
    `wstat_background`.

    Parameters
    ----------
    n_on, n_off : array
        Observed counts in the on and off regions.
    alpha : array
        Ratio of on to off acceptance, above 0.
    mu_signal : array
        Predicted signal counts. Slightly negative values are allowed as long as signal and
        background together are not negative; below that the background is raised to keep
        them at zero, and the statistic grows.

    Returns
    -------
    stat : array
        0 for a perfect prediction. Gradients by ``mu_signal`` and ``alpha`` are finite
        wherever the statistic is. For ``n_off = 0`` the second derivative jumps where
        the profiled background reaches zero (C = 0); there it is the one of the branch with
        no background, which is the larger curvature: a Newton step from that point is too
        short rather than too long.

    References
    ----------
    Cash 1979, ApJ 228, 939; the W statistic of the XSPEC manual, appendix B.

    Examples
    --------
    >>> from gammajax.stats import wstat
    >>> round(float(wstat(5.0, 0.0, 0.1, 1.0)), 3)
    8.094
    """
    mu_background = wstat_background(n_on, n_off, alpha, mu_signal)
    return _at_background(n_on, n_off, alpha, mu_signal, mu_background)


@wstat.defjvp
def _wstat_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    n_on, n_off, alpha, mu_signal = primals
    _, _, alpha_dot, mu_dot = tangents
    mu_background = wstat_background(n_on, n_off, alpha, mu_signal)
    mu_total = mu_signal + alpha * mu_background
    pull = jnp.where(n_on > 0, 1 - n_on / jnp.where(n_on > 0, mu_total, 1.0), 1.0)
    at_zero = _total_at_zero(n_on, n_off, alpha, mu_signal)
    by_mu = jnp.where(at_zero, _ratio(n_off, mu_background) / alpha - 1 / alpha, pull)
    by_alpha = jnp.where(at_zero, by_mu * -mu_signal / alpha, mu_background * pull)
    return wstat(*primals), 2 * (by_mu * mu_dot + by_alpha * alpha_dot)


def wstat_curvature(n_on: Any, n_off: Any, alpha: Any, mu_signal: Any) -> Any:
    r"""Expected second derivative of `wstat` by ``mu_signal``, background profiled out.

    .. math:: 2 / (\mu_s + a \mu_b + a^2 \mu_b)

    This is the inverse variance of the excess, times 2. It is 0 for an empty prediction.
    """
    mu_background = wstat_background(n_on, n_off, alpha, mu_signal)
    return _expected(alpha, mu_signal, mu_background)


def _expected(alpha: Any, mu_signal: Any, mu_background: Any) -> Any:
    return _ratio(2.0, mu_signal + alpha * (1 + alpha) * mu_background)


def wstat_per_bin(n_on: Any, n_off: Any, alpha: Any, mu_signal: Any) -> PerBin:
    """`wstat` with its derivatives by ``mu_signal``, from one profiled background.

    The same numbers as differentiation gives, in a third of the operations: what a Newton
    step needs of every bin.

    Returns
    -------
    per_bin : `~gammajax.stats.PerBin`
    """
    mu_background = wstat_background(n_on, n_off, alpha, mu_signal)
    mu_total = mu_signal + alpha * mu_background
    some = n_on > 0
    pull = jnp.where(some, n_on / jnp.where(some, mu_total, 1.0), 0.0)
    by_mu = _background_slope(n_on, n_off, alpha, mu_signal, mu_background)
    bend = pull * (1 + alpha * by_mu) / jnp.where(some, mu_total, 1.0)
    floored = _total_at_zero(n_on, n_off, alpha, mu_signal)
    away = jnp.where(floored, mu_signal, 1.0)
    slope = jnp.where(floored, -n_off / away - 1 / alpha, 1 - pull)
    return PerBin(
        stat=_at_background(n_on, n_off, alpha, mu_signal, mu_background),
        slope=2 * slope,
        bend=2 * jnp.where(floored, n_off / away**2, bend),
        expected=_expected(alpha, mu_signal, mu_background),
    )
