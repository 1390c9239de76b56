"""WStat: published values, a reference in 50 digits, brute force, and all the edges."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import jax
import mpmath
import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from gammajax.stats import cash, wstat, wstat_background, wstat_curvature, wstat_per_bin

PEER = json.loads((Path(__file__).parents[1] / "peer" / "stats.json").read_text())["rows"]

mpmath.mp.dps = 50

GRID = [
    (n_on, n_off, alpha, mu)
    for n_on, n_off, alpha, mu in itertools.product(
        (0.0, 1.0, 5.0, 300.0),
        (0.0, 1.0, 7.0, 2000.0),
        (0.02, 0.1, 1.0, 2.5),
        (1e-6, 0.4, 3.0, 290.0, 5e4),
    )
]
NEGATIVE = [
    (n_on, n_off, alpha, mu)
    for n_on, n_off, alpha, mu in itertools.product(
        (0.0, 1.0, 5.0, 300.0), (0.0, 1.0, 7.0, 2000.0), (0.02, 0.1, 1.0), (-1e-3, -0.3, -40.0)
    )
]

_value = jax.jit(wstat)
_slopes = jax.jit(jax.grad(wstat, argnums=(2, 3)))
_second = jax.jit(jax.grad(jax.grad(wstat, argnums=3), argnums=3))


def exact_background(n_on, n_off, alpha, mu):
    """The off counts of greatest likelihood, by the quadratic formula in 50 digits."""
    c = alpha * (n_on + n_off) - (1 + alpha) * mu
    square = c**2 + 4 * alpha * (1 + alpha) * n_off * mu
    root = (c + mpmath.sqrt(max(square, 0))) / (2 * alpha * (1 + alpha))
    return max(root, -mu / alpha, mpmath.mpf(0))


def exact(n_on, n_off, alpha, mu):
    """The statistic in 50 digits."""
    n_on, n_off, alpha, mu = (mpmath.mpf(x) for x in (n_on, n_off, alpha, mu))
    off = exact_background(n_on, n_off, alpha, mu)
    total = mu + (1 + alpha) * off
    for count, mean in ((n_on, mu + alpha * off), (n_off, off)):
        total -= count
        if count > 0:
            total += count * (mpmath.log(count) - mpmath.log(mean))
    return 2 * total


@pytest.mark.parametrize(
    ("n_on", "mu", "expected"), [(0, 1, 2.0), (5, 0, 23.979), (5, 1, 8.094), (5, 10, 3.0685)]
)
def test_published_values(n_on: float, mu: float, expected: float) -> None:
    assert float(wstat(float(n_on), 0.0, 0.1, float(mu))) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("row", PEER, ids=lambda r: f"{r['n_on']}-{r['n_off']}-{r['mu_sig']}")
def test_same_as_gammapy(row: dict[str, float]) -> None:
    arguments = [float(row[key]) for key in ("n_on", "n_off", "alpha", "mu_sig")]
    assert float(_value(*arguments)) == pytest.approx(row["wstat"], rel=1e-9, abs=1e-8)
    off = float(wstat_background(*arguments))
    assert off == pytest.approx(row["mu_bkg"], rel=1e-9, abs=1e-8)
    if row["mu_sig"] > 0:
        assert float(cash(arguments[0], arguments[3])) == pytest.approx(row["cash"], rel=1e-12)


def test_value_in_fifty_digits() -> None:
    for point in GRID + NEGATIVE:
        expected = exact(*point)
        size = 1 + abs(point[0]) + abs(point[1]) + abs(point[3]) + abs(point[3] / point[2])
        assert abs(mpmath.mpf(float(_value(*point))) - expected) < 4e-15 * size * 10, point


def test_background_keeps_its_digits_where_the_plain_formula_loses_them() -> None:
    for point in [(3.0, 2.0, 0.1, 1e7), (0.0, 1e-3, 0.5, 1e6), (5.0, 7.0, 1e-3, 1e9)]:
        expected = exact_background(*(mpmath.mpf(x) for x in point))
        assert float(wstat_background(*point)) == pytest.approx(float(expected), rel=1e-13)


def test_first_derivatives() -> None:
    for point in GRID + NEGATIVE:
        n_on, n_off, alpha, mu = point
        by_alpha, by_mu = _slopes(*point)
        expected = mpmath.diff(lambda m, p=point: exact(p[0], p[1], p[2], m), mu, h=1e-20)
        scale = 2 + abs(float(expected))
        assert float(by_mu) == pytest.approx(float(expected), abs=1e-12 * scale), point
        expected = mpmath.diff(lambda a, p=point: exact(p[0], p[1], a, p[3]), alpha, h=1e-20)
        scale = 2 + n_on + n_off + abs(mu / alpha) + abs(float(expected))
        assert float(by_alpha) == pytest.approx(float(expected), abs=1e-11 * scale), point


def test_second_derivative() -> None:
    for point in GRID + NEGATIVE:
        expected = float(
            mpmath.diff(lambda m, p=point: exact(p[0], p[1], p[2], m), point[3], n=2, h=1e-15)
        )
        assert float(_second(*point)) == pytest.approx(expected, rel=1e-7, abs=1e-9), point


@pytest.mark.parametrize("n_off", [0.0, 4.0])
@pytest.mark.parametrize("n_on", [0.0, 6.0])
@pytest.mark.parametrize("mu", [0.0, -0.0])
def test_derivatives_are_finite_at_no_signal(n_on: float, n_off: float, mu: float) -> None:
    by_alpha, by_mu = _slopes(n_on, n_off, 0.2, mu)
    one_sided = mpmath.diff(
        lambda m: exact(n_on, n_off, 0.2, m), mpmath.mpf(0), h=1e-20, direction=1
    )
    assert float(by_mu) == pytest.approx(float(one_sided), abs=1e-12)
    assert np.isfinite([float(by_alpha), float(_second(n_on, n_off, 0.2, mu))]).all()


def test_both_sides_of_the_point_where_the_background_vanishes() -> None:
    n_on, alpha = 5.0, 0.25
    corner = alpha * n_on / (1 + alpha)
    for shift, lower, upper in ((-1e-9, 0.0, 1e-6), (1e-9, 9.0, 11.0)):
        second = float(_second(n_on, 0.0, alpha, corner + shift))
        assert lower <= second <= upper
    at_corner = float(_second(n_on, 0.0, alpha, corner))
    assert at_corner == pytest.approx(2 * n_on / corner**2, rel=1e-12)
    slope = float(_slopes(n_on, 0.0, alpha, corner)[1])
    assert slope == pytest.approx(2 * (1 - n_on / corner), rel=1e-12)


def test_linear_without_on_counts() -> None:
    mu = np.array([0.0, 0.5, 30.0])
    for n_off, alpha in itertools.product((0.0, 3.0, 400.0), (0.1, 1.0)):
        expected = 2 * mu + 2 * n_off * np.log1p(alpha)
        np.testing.assert_allclose(
            wstat(0.0, n_off, alpha, mu), expected, rtol=1e-12, atol=1e-10
        )


counts = st.integers(0, 500).map(float)
ratios = st.floats(0.01, 3)


@given(n_on=counts, n_off=counts, alpha=ratios, mu=st.floats(-50, 800))
def test_never_negative(n_on: float, n_off: float, alpha: float, mu: float) -> None:
    assert float(_value(n_on, n_off, alpha, mu)) > -1e-9 * (1 + n_on + n_off)


@given(n_on=counts, n_off=counts, alpha=ratios, mu=st.floats(0.01, 800))
def test_equals_brute_force_minimum(n_on: float, n_off: float, alpha: float, mu: float) -> None:
    def joint(log_off: float) -> float:
        off = np.exp(log_off)
        pairs = ((n_on, mu + alpha * off), (n_off, off))
        return -2 * sum(
            scipy.stats.poisson.logpmf(n, mean) - scipy.stats.poisson.logpmf(n, n)
            for n, mean in pairs
        )

    best = scipy.optimize.minimize_scalar(
        joint, bounds=(-30, 12), method="bounded", options={"xatol": 1e-9}
    )
    assert float(_value(n_on, n_off, alpha, mu)) == pytest.approx(best.fun, abs=1e-6, rel=1e-8)


@given(n_on=counts, n_off=counts, alpha=ratios)
def test_zero_for_the_saturated_prediction(n_on: float, n_off: float, alpha: float) -> None:
    excess = n_on - alpha * n_off
    assert float(_value(n_on, n_off, alpha, excess)) == pytest.approx(0, abs=1e-8 * (1 + n_on))


@pytest.mark.parametrize(
    ("signal", "off", "alpha"), [(60.0, 300.0, 0.2), (200.0, 100.0, 1.0), (30.0, 900.0, 0.05)]
)
def test_curvature_is_near_the_mean_second_derivative(
    signal: float, off: float, alpha: float
) -> None:
    """Summed over all outcomes with their Poisson weights; equal up to terms of 1 / counts."""
    on = signal + alpha * off
    n_on = np.arange(scipy.stats.poisson.ppf(1e-9, on), scipy.stats.poisson.ppf(1 - 1e-9, on))
    n_off = np.arange(
        scipy.stats.poisson.ppf(1e-9, off), scipy.stats.poisson.ppf(1 - 1e-9, off)
    )
    weight = np.outer(scipy.stats.poisson.pmf(n_on, on), scipy.stats.poisson.pmf(n_off, off))
    second = jax.vmap(
        jax.vmap(jax.grad(jax.grad(wstat, 3), 3), (None, 0, None, None)), (0, None, None, None)
    )(n_on, n_off, alpha, signal)
    mean = float(np.sum(weight * np.asarray(second)))
    expected = float(wstat_curvature(on, off, alpha, signal))
    assert expected == pytest.approx(2 / (on + alpha**2 * off), rel=1e-12)
    assert mean == pytest.approx(expected, rel=0.02)


def test_curvature_of_nothing_is_zero() -> None:
    assert float(wstat_curvature(0.0, 0.0, 0.3, 0.0)) == 0.0


def test_array_is_the_loop_over_its_bins() -> None:
    points = np.array(GRID + NEGATIVE).T
    one_by_one = [float(_value(*point)) for point in points.T]
    np.testing.assert_allclose(wstat(*points), one_by_one, rtol=1e-14, atol=1e-10)


@pytest.mark.parametrize("n_on", [0.0, 1.0, 7.0])
@pytest.mark.parametrize("n_off", [0.0, 2.0, 30.0])
@pytest.mark.parametrize("alpha", [0.05, 1.0])
def test_per_bin_is_what_differentiation_gives(n_on: float, n_off: float, alpha: float) -> None:
    signal = np.array([-3.0, -0.2, 0.01, 0.4, 3.0, 60.0])
    found = wstat_per_bin(n_on, n_off, alpha, signal)

    def one(mu: float) -> jax.Array:
        return wstat(n_on, n_off, alpha, mu)

    np.testing.assert_allclose(found.stat, jax.vmap(one)(signal), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.slope, jax.vmap(jax.grad(one))(signal), rtol=1e-10)
    bend = jax.vmap(jax.grad(jax.grad(one)))(signal)
    np.testing.assert_allclose(found.bend, bend, rtol=1e-8, atol=1e-10)
    expected = wstat_curvature(n_on, n_off, alpha, signal)
    np.testing.assert_allclose(found.expected, expected, rtol=1e-12)
