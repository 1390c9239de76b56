"""The rules of integration themselves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gammajax.models.spectral.quadrature import (
    NODES,
    integrate,
    integrate_segments,
    nodes_for,
    power_integral,
    sinhc,
)


@pytest.mark.parametrize("x", [-30.0, -0.5, -0.499, -1e-9, 0.0, 1e-4, 0.4999, 0.5001, 3.0])
def test_sinhc_and_its_derivatives_are_smooth(x):
    exact = np.sinh(x) / x if x else 1.0
    np.testing.assert_allclose(sinhc(x), exact, rtol=1e-14)
    slope = (np.cosh(x) - exact) / x if abs(x) > 1e-3 else x / 3 + x**3 / 30
    np.testing.assert_allclose(jax.grad(sinhc)(x), slope, rtol=1e-11, atol=1e-300)
    curvature = exact - 2 * slope / x if abs(x) > 1e-3 else 1 / 3
    np.testing.assert_allclose(jax.grad(jax.grad(sinhc))(x), curvature, rtol=1e-7)


@pytest.mark.parametrize("slope", [-5.0, -1.0, -1 + 1e-13, -0.999, 0.0, 2.0])
def test_power_integral_in_wide_and_narrow_bins(slope):
    with np.errstate(invalid="ignore"):
        p = slope + 1
        wide = np.log(1e4) if abs(p) < 1e-9 else (100**p - 0.01**p) / p
    np.testing.assert_allclose(power_integral(slope, 0.01, 100), wide, rtol=1e-9)
    np.testing.assert_allclose(
        power_integral(slope, 2, 2 * (1 + 1e-12)), 2**slope * 2e-12, rtol=1e-4
    )


def jump(energy):
    return jnp.where(energy < 2.0, 1.0, 5.0)


@pytest.mark.parametrize("size", [1, 300])
def test_breaks_make_jumps_exact(size):
    low = np.linspace(0.5, 1.5, size)
    found = integrate(jump, low, np.full(size, 4.0), breaks=np.array([7.0, 2.0]))
    np.testing.assert_allclose(found, (2 - low) + 10, rtol=1e-12)


def test_both_ways_to_cut_agree():
    breaks = np.geomspace(0.1, 10, 30)

    def log_table(log):
        return jnp.interp(log, np.log(breaks), np.cos(np.arange(30.0)))

    edges = np.geomspace(0.05, 20, 120)
    many = integrate_segments(log_table, edges[:-1], edges[1:], breaks)
    one_by_one = [
        integrate_segments(log_table, *pair, breaks)
        for pair in zip(edges[:-1:20], edges[1::20], strict=True)
    ]
    np.testing.assert_allclose(many[::20], one_by_one, rtol=1e-12)
    by_nodes = integrate(
        lambda e: jnp.exp(log_table(jnp.log(e))), edges[:-1], edges[1:], breaks, nodes=16
    )
    np.testing.assert_allclose(many, by_nodes, rtol=1e-11)


def test_shapes_are_those_of_the_edges():
    low = np.ones((2, 3))
    assert integrate(jnp.ones_like, low, 2.0).shape == (2, 3)
    assert integrate(jnp.ones_like, low, 2.0, np.array([1.5])).shape == (2, 3)
    assert integrate(jnp.ones_like, low, 2.0, np.geomspace(1, 2, 90)).shape == (2, 3)


def test_bins_of_no_width_hold_nothing():
    low = np.array([1.0, 2.0, 2.0])
    high = np.array([2.0, 2.0, 2.0])
    for breaks in (None, np.array([1.5]), np.geomspace(0.1, 9, 50)):
        found = integrate(jnp.ones_like, low, high, breaks, nodes=6)
        np.testing.assert_allclose(found, [1, 0, 0], atol=1e-15)


def test_wider_bins_get_more_nodes():
    assert nodes_for(1.1) < nodes_for(1.9) < nodes_for(10.0) == NODES
