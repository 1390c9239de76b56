"""Transforms of ellipses, and derivatives of transforms where they are delicate."""

import jax
import numpy as np
import pytest

from gammajax.models import (
    DiskSpatialModel,
    GaussianSpatialModel,
    GeneralizedGaussianSpatialModel,
    Shell2SpatialModel,
    ShellSpatialModel,
)
from gammajax.parameters import get_values, with_values

SIZE = 0.02
ELLIPSE = {"lon_0": 200.0, "lat_0": -40.0, "e": 0.8, "phi": 35.0}
ELLIPSES = [
    GaussianSpatialModel(sigma=SIZE / 3, **ELLIPSE),
    GeneralizedGaussianSpatialModel(r_0=SIZE / 2, eta=0.4, **ELLIPSE),
    DiskSpatialModel(r_0=SIZE, edge_width=0.3, **ELLIPSE),
]


@pytest.mark.parametrize("model", ELLIPSES, ids=lambda m: type(m).__name__)
def test_the_transform_of_an_ellipse_is_that_of_the_stretched_circle(model):
    """By a sum over a fine grid of the tangent plane, east and north."""
    lon, lat = np.deg2rad([200.0, -40.0])
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    north = np.array([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    line = np.deg2rad(SIZE) * np.linspace(-2.5, 2.5, 401)
    x, y = np.meshgrid(line, line)
    vectors = up + x[..., None] * east + y[..., None] * north
    vectors /= np.linalg.norm(vectors, axis=-1)[..., None]
    density = np.asarray(jax.jit(lambda m, v: m.evaluate_on(v))(model, vectors))
    cell = (line[1] - line[0]) ** 2
    q, phi = (float(part) for part in model.stretch())
    for angle in np.deg2rad([35.0, 125.0, 60.0, 0.0, 90.0]):  # east of north
        k = 1.7 / np.deg2rad(SIZE) * np.array([np.sin(angle), np.cos(angle)])
        expected = np.sum(density * np.cos(k[0] * x + k[1] * y)) * cell
        major = k @ [np.sin(phi), np.cos(phi)]
        minor = k @ [np.cos(phi), -np.sin(phi)]
        found = float(model.hankel(np.sqrt(major**2 + (q * minor) ** 2)))
        assert found == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize(
    "model",
    [
        ELLIPSES[0],
        pytest.param(ELLIPSES[1], marks=pytest.mark.slow),
        ELLIPSES[2],
        ShellSpatialModel(),
        Shell2SpatialModel(),
        ShellSpatialModel(width=0.0),
    ],
    ids=lambda m: type(m).__name__,
)
def test_second_derivatives_are_finite_from_the_origin_on(model):
    values = get_values(model)

    def slope(vector, k):
        moved = with_values(model, vector)
        return jax.jvp(moved.hankel, (k,), (1.0,))[1]

    both = jax.jit(jax.vmap(jax.hessian(slope, argnums=(0, 1)), in_axes=(None, 0)))
    k = np.array([0.0, 1e-9, 1e-3, 1.0, 50.0, 2e3, 1e5])
    for part in jax.tree_util.tree_leaves(both(values, k)):
        assert np.all(np.isfinite(part))


def test_a_gradient_at_the_origin_is_that_of_the_moments():
    """The curvature of a transform at 0 is half the mean square of the distance."""
    radius = np.deg2rad(0.3)
    cases = [
        (GaussianSpatialModel(sigma=0.3), 2.0),
        (DiskSpatialModel(r_0=0.3, edge_width=0.0), 0.5),
        (Shell2SpatialModel(r_0=0.3, eta=1.0), 0.4),
        (GeneralizedGaussianSpatialModel(r_0=0.3, eta=1.0), 6.0),
    ]
    for model, square in cases:
        curvature = jax.grad(jax.grad(lambda k, m=model: m.hankel(k)))(1e-3)
        assert float(curvature) == pytest.approx(-square * radius**2 / 2, rel=1e-5)
