r"""Bessel functions of the first kind, which JAX does not have, and spherical ones.

J0 and J1 are Chebyshev series below `SPLIT` and the asymptotic form above it,

.. math:: J_n(x) = \sqrt{\frac{2}{\pi x}} \left[ P_n(x) \cos\chi - Q_n(x) \sin\chi \right],
          \quad \chi = x - \left( \tfrac{n}{2} + \tfrac{1}{4} \right) \pi

with Chebyshev series of :math:`(8/x)^2` for P and Q. The coefficients are made once, from
scipy's functions at Chebyshev nodes. Absolute error below 1e-14; derivatives of any order
are those of the functions, not of the series.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

SPLIT = 8.0
"""Where the series end and the asymptotic form begins."""

DEGREE = 24
"""Degree of the Chebyshev series; the last terms are below 1e-16."""


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
    return series[0], series[1], series[2]


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


@jax.custom_jvp
def j0(x: Any) -> Any:
    """Bessel function J0, for any array of real numbers.

    Examples
    --------
    >>> from gammajax.models.spatial.bessel import j0
    >>> print(round(float(j0(2.404825557695773)), 12) + 0.0)
    0.0
    """
    return _bessel(0, jnp.abs(jnp.asarray(x, dtype=float)))


@jax.custom_jvp
def j1(x: Any) -> Any:
    """Bessel function J1, for any array of real numbers."""
    x = jnp.asarray(x, dtype=float)
    return jnp.sign(x) * _bessel(1, jnp.abs(x))


@jax.custom_jvp
def jinc(x: Any) -> Any:
    """2 J1(x) / x, which is 1 at 0: the transform of a disk."""
    x = jnp.abs(jnp.asarray(x, dtype=float))
    near, _, _ = coefficients(1)
    inner = jnp.minimum(x, SPLIT)
    low = _clenshaw(near, 2 * (inner / SPLIT) ** 2 - 1)
    outer = jnp.maximum(x, SPLIT)
    return 2 * jnp.where(x < SPLIT, low, _bessel(1, outer) / outer)


@j0.defjvp
def _j0_jvp(primals: Any, tangents: Any) -> Any:
    (x,), (dx,) = primals, tangents
    return j0(x), -j1(x) * dx


@j1.defjvp
def _j1_jvp(primals: Any, tangents: Any) -> Any:
    (x,), (dx,) = primals, tangents
    return j1(x), (j0(x) - jinc(x) / 2) * dx


@jax.custom_jvp
def _j2_over_x(x: Any) -> Any:
    """J2(x) / x; by its power series where the recurrence cancels."""
    x = jnp.asarray(x, dtype=float)
    small = jnp.abs(x) < 0.5
    safe = jnp.where(small, 1.0, x)
    z = jnp.where(small, x, 0.0) ** 2 / 4
    series = x / 8 * (1 - z / 3 * (1 - z / 8 * (1 - z / 15 * (1 - z / 24 * (1 - z / 35)))))
    return jnp.where(small, series, (jinc(safe) - j0(safe)) / safe)


@_j2_over_x.defjvp
def _j2_over_x_jvp(primals: Any, tangents: Any) -> Any:
    (x,), (dx,) = primals, tangents
    # J2' = J1 - 2 J2 / x, so (J2 / x)' = J1 / x - 3 J2 / x^2
    value = _j2_over_x(x)
    small = jnp.abs(x) < 1e-4
    ratio = jnp.where(small, 0.125, value / jnp.where(small, 1.0, x))
    return value, (jinc(x) / 2 - 3 * ratio) * dx


@jinc.defjvp
def _jinc_jvp(primals: Any, tangents: Any) -> Any:
    (x,), (dx,) = primals, tangents
    return jinc(x), -2 * _j2_over_x(x) * dx


def sinc(x: Any) -> Any:
    """sin(x) / x, which is 1 at 0, with derivatives of all orders."""
    return jnp.cos(x) + x**2 * ball(x)


def ball(x: Any) -> Any:
    """(sin x - x cos x) / x^3, which is 1/3 at 0: the transform of a ball."""
    small = jnp.abs(x) < 1.0
    safe = jnp.where(small, 1.0, x)
    z = jnp.where(small, x, 0.0) ** 2
    series = jnp.zeros_like(z)
    for factor in _BALL[::-1]:
        series = series * z + factor
    return jnp.where(small, series, (jnp.sin(safe) - safe * jnp.cos(safe)) / safe**3)


def _ball_series(terms: int) -> list[float]:
    """Coefficients of x^2 powers: (-1)^n (2n + 2) / (2n + 3)!."""
    factorial, found = 6.0, []
    for n in range(terms):
        found.append((-1) ** n * (2 * n + 2) / factorial)
        factorial *= (2 * n + 4) * (2 * n + 5)
    return found


_BALL = _ball_series(11)
