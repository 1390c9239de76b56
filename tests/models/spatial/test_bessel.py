"""Bessel functions against scipy and mpmath."""

import jax
import mpmath
import numpy as np
import pytest
from scipy import special

from gammajax.models.spatial import bessel

X = np.concatenate([np.linspace(0, 60, 4001), np.geomspace(1e-9, 1e4, 500)])


def derivative(function, order):
    for _ in range(order):
        function = jax.grad(function)
    return np.asarray(jax.jit(jax.vmap(function))(X))


@pytest.mark.parametrize("order", [0, 1, 2])
def test_j0_and_its_derivatives(order):
    np.testing.assert_allclose(
        derivative(bessel.j0, order), special.jvp(0, X, order), rtol=0, atol=3e-14
    )


@pytest.mark.parametrize("order", [0, 1, 2])
def test_j1_and_its_derivatives(order):
    np.testing.assert_allclose(
        derivative(bessel.j1, order), special.jvp(1, X, order), rtol=0, atol=3e-14
    )


def test_odd_and_even():
    assert float(bessel.j0(-3.0)) == float(bessel.j0(3.0))
    assert float(bessel.j1(-3.0)) == -float(bessel.j1(3.0))
    assert float(bessel.jinc(-3.0)) == float(bessel.jinc(3.0))


def exact(function, order):
    with mpmath.workdps(40):
        points = [mpmath.mpf(float(x)) for x in SPARSE]
        if order:
            return np.array([float(mpmath.diff(function, x, order)) for x in points])
        return np.array([float(function(x)) for x in points])


SPARSE = np.array([1e-6, 1e-3, 0.02, 0.4999, 0.51, 0.99, 1.01, 4.0, 7.99, 8.01, 33.0, 400.0])


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (bessel.jinc, lambda x: 2 * mpmath.besselj(1, x) / x),
        (bessel.ball, lambda x: (mpmath.sin(x) - x * mpmath.cos(x)) / x**3),
        (bessel.sinc, lambda x: mpmath.sin(x) / x),
    ],
    ids=["jinc", "ball", "sinc"],
)
def test_ratios_and_their_derivatives(ours, theirs, order):
    function = ours
    for _ in range(order):
        function = jax.grad(function)
    found = jax.jit(jax.vmap(function))(SPARSE)
    # a second derivative divides what is left of a cancellation by a small number once more
    np.testing.assert_allclose(
        found, exact(theirs, order), rtol=0, atol=10.0 ** (2 * order - 14)
    )


def test_limits_at_zero():
    assert float(bessel.jinc(0.0)) == pytest.approx(1.0, abs=1e-14)
    assert float(bessel.ball(0.0)) == pytest.approx(1 / 3, abs=1e-15)
    assert float(jax.grad(bessel.jinc)(0.0)) == 0.0
    assert float(jax.grad(jax.grad(bessel.jinc))(0.0)) == pytest.approx(-0.25, abs=1e-12)
