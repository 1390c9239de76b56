r"""Bessel functions of the first kind, which JAX does not have, and spherical ones.

J0 and J1 are Chebyshev series below `SPLIT` and the asymptotic form above it,

.. math:: J_n(x) = \sqrt{\frac{2}{\pi x}} \left[ P_n(x) \cos\chi - Q_n(x) \sin\chi \right],
          \quad \chi = x - \left( \tfrac{n}{2} + \tfrac{1}{4} \right) \pi

with Chebyshev series of :math:`(8/x)^2` for P and Q. The coefficients are made once, from
scipy's functions at Chebyshev nodes. Absolute error below 1e-14.

All derivatives follow from one rule, for :math:`J_n(x) / x^n` and for the spherical
:math:`j_n(x) / x^n` alike: the derivative is -x times the next of the family. The next ones
follow from the recurrences, or near 0 from their power series.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

SPLIT = 8.0
"""Where the series end and the asymptotic form begins."""

DEGREE = 24
"""Degree of the Chebyshev series as they are made; terms that are rounding are cut."""


@lru_cache(maxsize=2)
def coefficients(order: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chebyshev coefficients of the near series, of P and of x Q / 8, for order 0 or 1.

    The near series is J0(x), or J1(x) / x, of ``2 (x/8)^2 - 1``; the others are of
    ``2 (8/x)^2 - 1``.
    """
    from scipy import special

    regular, irregular = (special.j0, special.y0) if order == 0 else (special.j1, special.y1)
    t = np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))
    near = SPLIT * np.sqrt((t + 1) / 2)
    far = SPLIT / np.sqrt((t + 1) / 2)
    chi = far - (order / 2 + 0.25) * np.pi
    size = np.sqrt(np.pi * far / 2)
    p = size * (regular(far) * np.cos(chi) + irregular(far) * np.sin(chi))
    q = size * (irregular(far) * np.cos(chi) - regular(far) * np.sin(chi))
    values = (regular(near) / near**order, p, q * far / SPLIT)
    # the rows of the discrete cosine transform that turns values at nodes into a series
    place = np.arange(DEGREE + 1)
    transform = np.cos(np.pi * np.outer(place, place + 0.5) / (DEGREE + 1)) * 2 / (DEGREE + 1)
    transform[0] /= 2
    series = [transform @ value for value in values]
    # what is left after the last term that matters is rounding
    near, p, q = (part[: np.flatnonzero(np.abs(part) > 2e-15)[-1] + 1] for part in series)
    return near, p, q


def _clenshaw(series: np.ndarray, t: Any) -> Any:
    """The sum of a Chebyshev series."""
    ahead = after = jnp.zeros_like(t)
    for coefficient in series[:0:-1].tolist():
        ahead, after = 2 * t * ahead - after + coefficient, ahead
    return t * ahead - after + float(series[0])


def _bessel(order: int, x: Any) -> Any:
    """J_order of a number that is not negative."""
    near, p, q = coefficients(order)
    inner = jnp.minimum(x, SPLIT)
    low = _clenshaw(near, 2 * (inner / SPLIT) ** 2 - 1) * inner**order
    outer = jnp.maximum(x, SPLIT)
    t = 2 * (SPLIT / outer) ** 2 - 1
    chi = outer - (order / 2 + 0.25) * np.pi
    waves = _clenshaw(p, t) * jnp.cos(chi) - _clenshaw(q, t) * jnp.sin(chi) * SPLIT / outer
    return jnp.where(x < SPLIT, low, jnp.sqrt(2 / (np.pi * outer)) * waves)


SMALL = 2.0
"""Below, ratios of order 2 and more are power series: the recurrences cancel there."""

TERMS = 14


def _series(z: Any, first: float, step: Callable[[int], float]) -> Any:
    """The sum of a power series of which each term is ``-z / step(m)`` times the one before."""
    factors, factor = [], first
    for m in range(TERMS):
        factors.append(factor)
        factor /= -step(m + 1)
    total = jnp.zeros_like(z)
    for factor in factors[::-1]:
        total = total * z + factor
    return total


def _upward(order: int, x: Any, pair: tuple[Any, Any], odd: int) -> Any:
    """The ratio of an order from those of orders 0 and 1, by ``(2n + odd) b_n - b_(n-1)``."""
    before, here = pair
    for n in range(1, order):
        before, here = here, ((2 * n + odd) * here - before) / x**2
    return here


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def ratio(order: int, x: Any) -> Any:
    """J_n(x) / x^n for an order n, even in x and finite at 0."""
    x = jnp.abs(jnp.asarray(x, dtype=float))
    if order == 0:
        return _bessel(0, x)
    if order == 1:
        near, _, _ = coefficients(1)
        low = _clenshaw(near, 2 * (jnp.minimum(x, SPLIT) / SPLIT) ** 2 - 1)
        outer = jnp.maximum(x, SPLIT)
        return jnp.where(x < SPLIT, low, _bessel(1, outer) / outer)
    small = x < SMALL
    far = jnp.where(small, SMALL, x)
    high = _upward(order, far, (ratio(0, far), ratio(1, far)), 0)
    first = 1 / (2.0**order * math.factorial(order))
    low = _series(jnp.where(small, x, 0.0) ** 2, first, lambda m: 4.0 * m * (m + order))
    return jnp.where(small, low, high)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def spherical_ratio(order: int, x: Any) -> Any:
    """j_n(x) / x^n for an order n, with the spherical Bessel function; finite at 0."""
    x = jnp.abs(jnp.asarray(x, dtype=float))
    small = x < SMALL
    far = jnp.where(small, SMALL, x)
    zeroth = jnp.sin(far) / far
    first = (zeroth - jnp.cos(far)) / far**2
    high = zeroth if order == 0 else _upward(order, far, (zeroth, first), 1)
    begin = 1 / math.prod(range(1, 2 * order + 2, 2))
    low = _series(
        jnp.where(small, x, 0.0) ** 2, begin, lambda m: 2.0 * m * (2 * (m + order) + 1)
    )
    return jnp.where(small, low, high)


@ratio.defjvp
def _ratio_jvp(order: int, primals: Any, tangents: Any) -> Any:
    (x,), (dx,) = primals, tangents
    return ratio(order, x), -x * ratio(order + 1, x) * dx


@spherical_ratio.defjvp
def _spherical_ratio_jvp(order: int, primals: Any, tangents: Any) -> Any:
    (x,), (dx,) = primals, tangents
    return spherical_ratio(order, x), -x * spherical_ratio(order + 1, x) * dx


def j0(x: Any) -> Any:
    """Bessel function J0, for any array of real numbers.

    Examples
    --------
    >>> from gammajax.models.spatial.bessel import j0
    >>> print(round(float(j0(2.404825557695773)), 12) + 0.0)
    0.0
    """
    return ratio(0, x)


def j1(x: Any) -> Any:
    """Bessel function J1, for any array of real numbers."""
    return x * ratio(1, x)


def jinc(x: Any) -> Any:
    """2 J1(x) / x, which is 1 at 0: the transform of a disk."""
    return 2 * ratio(1, x)


def sinc(x: Any) -> Any:
    """sin(x) / x, which is 1 at 0."""
    return spherical_ratio(0, x)


def ball(x: Any) -> Any:
    """(sin x - x cos x) / x^3, which is 1/3 at 0: the transform of a ball."""
    return spherical_ratio(1, x)
