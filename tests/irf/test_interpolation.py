"""N-linear interpolation against scipy, and its derivatives against finite differences."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator

from gammajax.irf import GridAxis, interpolate

SIZES = (5, 7, 3, 4)
FORWARD = {"lin": lambda x: x, "log": np.log, "sqrt": np.sqrt}


def nodes(scale: str, size: int, spacing: str) -> np.ndarray:
    """Nodes from 0.5 to 20, even in the scale, nearly so, or not at all."""
    even = np.linspace(0, 1, size)
    place = {
        "even": even,
        "nearly": even + 0.3 / size * np.sin(np.pi * even * 2),
        "uneven": even**3,
    }[spacing]
    low, high = FORWARD[scale](0.5), FORWARD[scale](20.0)
    inverse = {"lin": lambda x: x, "log": np.exp, "sqrt": np.square}[scale]
    return inverse(low + (high - low) * place)


def grid(scale: str, spacing: str, outside: str, dimensions: int) -> list[GridAxis]:
    return [
        GridAxis.from_nodes(nodes(scale, size, spacing), f"x{size}", "TeV", scale, outside)
        for size in SIZES[:dimensions]
    ]


def scipy_value(axes, values, points):
    """The same by scipy; ``extrapolate`` or values inside."""
    forward = FORWARD[axes[0].scale]
    table = RegularGridInterpolator(
        [forward(axis.center) for axis in axes], values, bounds_error=False, fill_value=None
    )
    return table(np.stack([forward(x) for x in points], axis=-1))


@pytest.mark.parametrize("dimensions", [1, 2, 3, 4])
@pytest.mark.parametrize("spacing", ["even", "nearly", "uneven"])
@pytest.mark.parametrize("scale", ["lin", "log", "sqrt"])
def test_equals_scipy(scale, spacing, dimensions, rng) -> None:
    axes = grid(scale, spacing, "extrapolate", dimensions)
    assert [axis.even for axis in axes] == [spacing != "uneven"] * dimensions
    values = rng.random(SIZES[:dimensions])
    points = [rng.uniform(0.2, 25, 300) for _ in axes]
    found = interpolate(axes, values, points)
    expected = scipy_value(axes, values, points)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("spacing", ["even", "nearly", "uneven"])
def test_nodes_are_met(spacing, rng) -> None:
    axes = grid("log", spacing, "nearest", 3)
    values = rng.random(SIZES[:3])
    points = np.meshgrid(*[axis.center for axis in axes], indexing="ij")
    np.testing.assert_allclose(interpolate(axes, values, points), values, rtol=1e-12)


@given(st.integers(2, 30), st.integers(0, 2**31))
def test_any_nodes_equal_scipy(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    axis = GridAxis.from_nodes(np.cumsum(rng.uniform(0.01, 1, size)), "x", outside="nearest")
    values = rng.normal(size=size)
    # one shape for all sizes of table: nothing but the table is compiled anew
    points = rng.uniform(axis.center[0], axis.center[-1], 50)
    expected = np.interp(points, axis.center, values)
    np.testing.assert_allclose(interpolate([axis], values, [points]), expected, atol=1e-12)


def test_logarithm_of_values_is_linear() -> None:
    axis = GridAxis.from_nodes([1.0, 100.0], "energy", "TeV", "log", "extrapolate")
    values = np.array([1e-3, 1e-7])
    found = interpolate([axis], values, [np.array([10.0, 1000.0])], values_scale="log")
    np.testing.assert_allclose(found, [1e-5, 1e-9], rtol=1e-12)


def test_zeros_in_the_logarithm_are_tiny() -> None:
    axis = GridAxis.from_nodes([1.0, 2.0], "x")
    found = interpolate(
        [axis], np.array([0.0, 1.0]), [np.array([1.0, 1.5])], values_scale="log"
    )
    np.testing.assert_allclose(found, [1e-38, 1e-19])


def test_outside_nearest_extrapolate_fill_hold() -> None:
    points = np.array([-1.0, 0.2, 1.5, 2.8, 4.0])
    expected = {
        "nearest": [10, 10, 20, 30, 30],
        "extrapolate": 10 * points + 5,
        "fill": [-7, 7, 20, 33, -7],
        "hold": [-7, 10, 20, 30, -7],
    }
    for outside, values in expected.items():
        axis = GridAxis.from_edges([0.0, 1.0, 2.0, 3.0], "x", outside=outside)
        found = interpolate([axis], np.array([10.0, 20.0, 30.0]), [points], fill_value=-7.0)
        np.testing.assert_allclose(found, values, rtol=1e-13)


def test_an_axis_of_one_node_is_constant() -> None:
    axes = [
        GridAxis.from_edges([0.0, 0.8], "offset", "deg"),
        GridAxis.from_nodes([1.0, 2.0], "energy", "TeV"),
    ]
    points = [np.array([0.0, 5.0]), np.array([1.5, 1.0])]
    found = interpolate(axes, np.array([[1.0, 3.0]]), points)
    np.testing.assert_allclose(found, [2.0, 1.0])
    assert interpolate(axes[:1], np.array([4.0]), [np.zeros((2, 3))]).shape == (2, 3)


def test_coordinates_broadcast(rng) -> None:
    axes = grid("lin", "even", "nearest", 2)
    values = rng.random(SIZES[:2])
    first, second = rng.uniform(1, 19, (2, 6))
    found = interpolate(axes, values, [first[:, None], second])
    assert found.shape == (6, 6)
    np.testing.assert_allclose(found[2, 4], interpolate(axes, values, [first[2], second[4]]))


@pytest.mark.parametrize("spacing", ["even", "uneven"])
@pytest.mark.parametrize("values_scale", ["lin", "log"])
def test_gradient_by_coordinates_is_the_finite_difference(spacing, values_scale, rng) -> None:
    axes = grid("log", spacing, "extrapolate", 4)
    values = rng.uniform(1, 2, SIZES)

    @jax.jit
    def total(points):
        return jnp.sum(interpolate(axes, values, points, values_scale=values_scale))

    points = [rng.uniform(0.3, 24, 20) for _ in axes]
    gradient = jax.grad(total)(points)
    step = 1e-6
    for axis in range(4):
        for i in range(20):
            up, down = ([np.array(x) for x in points] for _ in range(2))
            up[axis][i] += step
            down[axis][i] -= step
            slope = (total(up) - total(down)) / (2 * step)
            np.testing.assert_allclose(gradient[axis][i], slope, rtol=1e-5, atol=1e-7)


def test_gradient_by_the_table_are_the_weights(rng) -> None:
    axes = grid("lin", "even", "nearest", 3)
    values, points = rng.random(SIZES[:3]), [rng.uniform(1, 19, 40) for _ in range(3)]

    def total(table):
        return jnp.sum(interpolate(axes, table, points))

    weights = jax.grad(total)(values)
    np.testing.assert_allclose(np.sum(weights), 40, rtol=1e-12)
    np.testing.assert_allclose(np.sum(weights * values), total(values), rtol=1e-12)


def test_forward_and_reverse_derivatives_agree(rng) -> None:
    axes, values = grid("log", "even", "nearest", 3), rng.random(SIZES[:3])

    def value(point):
        return interpolate(axes, values, list(point))

    point = jnp.array([2.0, 3.0, 4.0])
    np.testing.assert_allclose(jax.jacfwd(value)(point), jax.jacrev(value)(point), rtol=1e-12)
    np.testing.assert_allclose(
        jax.hessian(value)(point), jax.jacrev(jax.jacfwd(value))(point), rtol=1e-10
    )


def test_gradient_is_zero_outside_where_the_table_is_flat() -> None:
    axis = GridAxis.from_nodes([1.0, 2.0], "x", outside="nearest")
    slope = jax.grad(lambda x: interpolate([axis], np.array([1.0, 3.0]), [x]))
    assert [float(slope(x)) for x in (0.5, 1.5, 2.5)] == [0.0, 2.0, 0.0]


def test_jit_takes_axes_and_table_as_arguments(rng) -> None:
    axes, values = grid("lin", "even", "nearest", 2), rng.random(SIZES[:2])
    points = [rng.uniform(1, 19, 5)] * 2
    np.testing.assert_allclose(
        jax.jit(interpolate)(axes, values, points),
        interpolate(axes, values, points),
        rtol=1e-13,
    )


def test_shapes_that_do_not_fit() -> None:
    axis = GridAxis.from_nodes([1.0, 2.0], "energy")
    with pytest.raises(ValueError, match=r"shape \(3,\) and 1 .*energy\) want \(2,\) and 1"):
        interpolate([axis], np.ones(3), [1.5])
    with pytest.raises(ValueError, match="and 2 coordinates"):
        interpolate([axis], np.ones(2), [1.5, 1.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0], [2.0]), r"shapes \(2,\) and \(1,\)"),
        (([2.0, 1.0], [3.0, 2.0]), "have to increase"),
        (([1.0, np.nan], [2.0, 3.0]), "not finite"),
        (([0.0, 1.0], [1.0, 2.0], "x", "", "log"), "starts above 0"),
        (([-3.0, 1.0], [1.0, 2.0], "x", "", "sqrt"), "first bin is negative"),
        (([0.0, 1.0], [1.0, 2.0], "x", "", "cubic"), "scale 'cubic'"),
        (([0.0, 1.0], [1.0, 2.0], "x", "", "lin", "error"), "outside 'error'"),
    ],
)
def test_bad_axes(arguments, message) -> None:
    arguments = arguments if len(arguments) > 2 else (*arguments, "x")
    with pytest.raises(ValueError, match=f"axis 'x'.*{message}"):
        GridAxis(*arguments)


def test_axis_converts_selects_and_compares() -> None:
    axis = GridAxis.from_edges([0.0, 60.0, 120.0], "offset", "arcmin")
    assert axis.to_value("1 deg") == 60
    np.testing.assert_array_equal(axis.edges, [0, 60, 120])
    assert axis.select(slice(1, 2)).edges_min[0] == 60
    assert axis.is_close(axis)
    assert not axis.is_close(axis.select(slice(0, 1)))
    assert axis.quantity().unit == "arcmin"
    assert not axis.is_nodes
    assert GridAxis.from_nodes([1.0, 2.0], "x").is_nodes
    assert repr(axis) == "GridAxis(offset: 2 nodes, 0 to 120 arcmin)"
