"""What holds for every spatial model."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from gammajax.models import (
    SPATIAL_MODELS,
    DiskSpatialModel,
    GaussianSpatialModel,
    GeneralizedGaussianSpatialModel,
    Shell2SpatialModel,
    ShellSpatialModel,
)
from gammajax.parameters import get_values, slots, with_values

NODES = np.polynomial.legendre.leggauss(24)


def composite(edges, parts):
    """Nodes and weights of many short Gauss-Legendre rules between edges.

    The variable runs as sin^2 between two edges: roots at edges are no harm.
    """
    cuts = np.linspace(0, np.pi / 2, parts + 1)
    half = np.diff(cuts)[:, None] / 2
    s = (cuts[:-1, None] + half + half * NODES[0]).ravel()
    weight = (half * NODES[1]).ravel()
    nodes, weights = [], []
    for low, high in itertools.pairwise(edges):
        nodes.append(low + (high - low) * np.sin(s) ** 2)
        weights.append((high - low) * np.sin(2 * s) * weight)
    return np.concatenate(nodes), np.concatenate(weights)


def edges(model):
    """Distances between which a profile is smooth, in radians, up to where nothing is left."""
    if isinstance(model, ShellSpatialModel | Shell2SpatialModel):
        return [0.0, *np.deg2rad(model._degrees())]
    reach = float(model.outer_radius())
    if isinstance(model, GeneralizedGaussianSpatialModel):
        size, eta = np.deg2rad(float(model.r_0)), float(model.eta)
        found = [0.0, 0.5 * size, size, size * 3.0**eta, size * 30.0**eta]
    elif isinstance(model, DiskSpatialModel):
        size = np.deg2rad(float(model.r_0))
        found = [0.0, max(2 * size - 1.5 * reach, size / 2), size, 1.5 * reach]
    else:
        found = [0.0, 0.3 * reach, 1.8 * reach]
    return np.unique(np.minimum(found, np.pi))


@jax.jit
def density(model, vectors):
    return model.evaluate_on(vectors)


@jax.jit
def profile(model, theta):
    return model.radial(theta)


@jax.jit
def transform(model, k):
    return model.hankel(k)


def around(model, theta, angle):
    """Unit vectors at distances and position angles from the centre, by plain rotations."""
    lon, lat = np.deg2rad(float(model.lon_0)), np.deg2rad(float(model.lat_0))
    local = [np.sin(theta) * np.sin(angle), np.sin(theta) * np.cos(angle), np.cos(theta)]
    east = [-np.sin(lon), np.cos(lon), 0.0]
    north = [-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)]
    up = [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
    return np.einsum("i...,ij->...j", np.array(local), np.array([east, north, up]))


def test_every_class_has_a_sample(samples):
    assert {type(model) for model in samples.values()} == set(SPATIAL_MODELS)


def test_a_shape_integrates_to_1_on_the_sphere(radial):
    angles = (np.arange(96) + 0.5) * np.pi / 96
    theta, weight = composite(edges(radial), 8)
    vectors = around(radial, *np.meshgrid(theta, angles))
    values = np.asarray(density(radial, vectors)).mean(axis=0)
    assert np.sum(values * weight * 2 * np.pi * np.sin(theta)) == pytest.approx(1, abs=1e-6)


def test_the_round_profile_integrates_to_1_on_the_sphere(radial):
    theta, weight = composite(edges(radial), 8)
    values = np.asarray(profile(radial, theta))
    assert np.sum(values * weight * 2 * np.pi * np.sin(theta)) == pytest.approx(1, abs=1e-9)


def smaller(model):
    """The model a hundredth the size, where the sphere is flat to 1e-7."""
    size = next(name for name in ("sigma", "r_0", "radius") if hasattr(model, name))
    sizes = {size: getattr(model, size) * SMALL / max(float(getattr(model, size)), 1e-9)}
    if hasattr(model, "width"):
        sizes["width"] = model.width * SMALL / max(float(model.radius), 1e-9)
    return model.replace(**sizes)


SMALL = 5e-3
WAVES = np.array([0, 0.3, 1, 3, 10, 30, 39.9, 40.1, 75, 130, 200])


def test_hankel_is_the_transform_of_the_profile(radial):
    model = smaller(radial)
    k = WAVES / np.deg2rad(SMALL)
    theta, weight = composite(edges(model), 70)
    flux = np.asarray(profile(model, theta)) * weight * 2 * np.pi * theta
    expected = [np.sum(flux * special.j0(wave * theta)) for wave in k]
    np.testing.assert_allclose(transform(model, k), expected, rtol=0, atol=1e-8)


def test_little_flux_lies_beyond_the_outer_radius(radial):
    reach = float(radial.outer_radius())
    inner = [edge for edge in edges(radial) if edge < reach]
    theta, weight = composite([*inner, reach], 8)
    flux = np.asarray(profile(radial, theta)) * weight * 2 * np.pi * np.sin(theta)
    assert -1e-9 < 1 - flux.sum() < 1e-5


def test_an_ellipse_is_stretched_along_its_angle():
    model = GaussianSpatialModel(83.63, 22.01, sigma=0.1, e=0.8, phi=35)
    q, phi = (float(part) for part in model.stretch())
    assert (q, phi) == (pytest.approx(0.6), pytest.approx(np.deg2rad(35)))
    size = np.deg2rad(0.1)
    peak = density(model, around(model, np.array(0.0), np.array(0.0)))
    along = density(model, around(model, np.array(size), np.array(phi)))
    across = density(model, around(model, np.array(0.6 * size), np.array(phi + np.pi / 2)))
    np.testing.assert_allclose([along / peak, across / peak], np.exp(-0.5), rtol=1e-6)


def test_the_centre_is_a_point_like_any_other(radial):
    vector = np.asarray(radial.centre())
    exact = jax.jit(jax.grad(lambda v, m: m.evaluate_on(v)))(vector, radial)
    assert np.all(np.isfinite(exact))
    slope = jax.jit(jax.grad(lambda p: with_values(radial, p).evaluate_on(vector)))
    assert np.all(np.isfinite(slope(get_values(radial))))


def outputs(model, values, vectors, theta, k):
    moved = with_values(model, values)
    return jnp.concatenate(
        [
            moved.evaluate_on(vectors) / model.radial(0.3 * theta),
            moved.hankel(k),
            jnp.ravel(moved.outer_radius()) / model.outer_radius(),
        ]
    )


run = jax.jit(outputs)
slopes = jax.jit(jax.jacfwd(outputs, argnums=1))

SIZES = st.floats(0.05, 1.5)
ROUND = {"lon_0": st.floats(-180, 360), "lat_0": st.floats(-90, 90)}
ELLIPTICAL = {**ROUND, "e": st.floats(0.05, 0.95), "phi": st.floats(-180, 180)}


def drawn(cls, **ranges):
    return st.builds(partial(cls, frame="galactic"), **ranges)


@pytest.mark.parametrize(
    "shapes",
    [
        drawn(GaussianSpatialModel, **ELLIPTICAL, sigma=SIZES),
        drawn(
            GeneralizedGaussianSpatialModel, **ELLIPTICAL, r_0=SIZES, eta=st.floats(0.1, 0.95)
        ),
        drawn(DiskSpatialModel, **ELLIPTICAL, r_0=SIZES, edge_width=st.floats(0.05, 0.95)),
        drawn(ShellSpatialModel, **ROUND, radius=SIZES, width=st.floats(0.05, 1)),
        drawn(Shell2SpatialModel, **ROUND, r_0=SIZES, eta=st.floats(0.1, 0.9)),
    ],
    ids=["gauss", "gauss-general", "disk", "shell", "shell2"],
)
def test_gradients_are_those_of_finite_differences(shapes):
    @given(model=shapes, angle=st.floats(0, 6))
    @settings(max_examples=12, deadline=None, derandomize=True)
    def check(model, angle):
        reach = float(model.outer_radius())
        if hasattr(model, "walls"):  # away from the kinks of the density
            inner, outer = np.deg2rad(model._degrees())
            theta = np.array([0.4 * inner, 0.5 * inner + 0.5 * outer])
        else:
            theta = reach * np.array([0.15, 0.55])
        k = np.array([0.3, 2.0, 9.0]) / reach
        vectors = around(model, theta, np.array([angle, angle + 1]))
        places = (vectors, theta[0], k)
        values = get_values(model)
        exact = np.asarray(slopes(model, values, *places))
        for i, value in enumerate(values):
            # a step in degrees is short against the size, whatever the position
            short = 1e-4 * np.rad2deg(reach) / 4
            step = short if slots(model)[i].name in ("lon_0", "lat_0") else 1e-4 * abs(value)
            step = max(step, 1e-5)
            moves = [values + n * step * np.eye(values.size)[i] for n in (-2, -1, 1, 2)]
            ahead = [np.asarray(run(model, move, *places)) for move in moves]
            estimate = (ahead[0] - 8 * ahead[1] + 8 * ahead[2] - ahead[3]) / (12 * step)
            noise = 1e-12 / step + 1e-6 * np.abs(exact[:, i]).max()
            np.testing.assert_allclose(exact[:, i], estimate, rtol=1e-5, atol=noise)

    check()


def test_vmap_equals_loop(radial):
    values = get_values(radial) * np.array([[1.0], [1.001], [0.999]])
    theta = float(radial.outer_radius()) * np.array([0.1, 0.6])
    vectors = around(radial, theta, np.array([0.3, 2.0]))
    batch = jax.jit(jax.vmap(lambda row: with_values(radial, row).evaluate_on(vectors)))(values)
    loop = [density(with_values(radial, row), vectors) for row in values]
    np.testing.assert_allclose(batch, loop, rtol=1e-10)


def test_angles_and_vectors_and_frames_agree(radial):
    coords = radial.position.directional_offset_by(20 * u.deg, 0.3 * radial.evaluation_radius)
    found = radial(coords.transform_to("galactic"))
    assert found.unit == u.Unit("sr-1")
    assert found.value == pytest.approx(radial(coords.ra, coords.dec).value, rel=1e-6)
    vector = coords.cartesian.xyz.value
    assert found.value == pytest.approx(float(density(radial, vector)), rel=1e-6)


def test_a_full_turn_changes_nothing(radial):
    coords = radial.position.directional_offset_by(100 * u.deg, 0.4 * radial.evaluation_radius)
    turned = radial.replace(lon_0=radial.lon_0 - 360)
    assert turned(coords).value == pytest.approx(radial(coords).value, rel=1e-9)


def test_parameters_take_their_units_and_no_others(model):
    for name, spec in type(model).parameter_specs().items():
        value = getattr(model, name) * u.Unit(spec.unit)
        same = model.replace(**{name: value.si})
        np.testing.assert_allclose(get_values(same), get_values(model), rtol=1e-14)
        with pytest.raises(ValueError, match=f"{name}: got the unit"):
            model.replace(**{name: value * u.kg})


def test_names_and_regions(model):
    cls = type(model)
    assert model.parameter_names == tuple(slot.name for slot in slots(model))
    assert all(spec.description for spec in cls.parameter_specs().values())
    assert cls.tags[0] == cls.__name__
    assert set(model.eccentric_names) <= set(model.parameter_names)
    assert model.KIND in ("point", "radial", "template", "uniform")
    named = {"lon_0", "model.lon_0"} & set(model.parameter_names)
    assert cls.has_centre == bool(named)
    if model.KIND in ("point", "radial") and not model.has_energy:
        region = model.to_region()
        assert region.center.separation(SkyCoord(model.position)).deg == pytest.approx(
            0, abs=1e-9
        )
        assert cls.from_position(model.position).position == model.position
        return
    if model.KIND in ("uniform", "template") and not hasattr(model, "geom"):
        with pytest.raises(ValueError, match="no outline"):
            model.to_region()
    if not cls.has_centre:
        with pytest.raises(ValueError, match="no position"):
            model.position


def test_frames_that_are_no_rotation_are_errors():
    with pytest.raises(
        ValueError, match=r"GaussianSpatialModel\.frame: got 'altaz', expected one"
    ):
        GaussianSpatialModel(frame="altaz")
    with pytest.raises(ValueError, match="got no lat"):
        GaussianSpatialModel()(3.0)
