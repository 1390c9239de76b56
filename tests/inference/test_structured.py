"""A square root of the covariance from blocks of components, and what is drawn with it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gammajax.datasets import MapDataset
from gammajax.inference import Fit, Likelihood, laplace, sample, svi
from gammajax.inference.blocks import groups_of
from gammajax.inference.laplace import inverse_root
from gammajax.inference.products import expansion, hessian_times
from gammajax.inference.structured import structured_half
from gammajax.inference.whitening import Whitening
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    FoVBackgroundModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)
from gammajax.parameters import GaussianPrior

PLACES = [(83.5, 22.0), (83.55, 22.1), (83.7, 21.9), (83.8, 22.2)]


def cube() -> MapDataset:
    energy = MapAxis.from_energy_bounds("1 TeV", "30 TeV", nbin=3)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(skydir=(83.63, 22.05), width=1.0, binsz=0.1, axes=[energy])
    return MapDataset(
        name="sim",
        counts=Map.from_geom(geom, data=np.zeros(geom.data_shape)),
        exposure=Map.from_geom(geom.to_image().to_cube([true]), data=2e14, unit="cm2 s"),
        background=Map.from_geom(geom, data=2.0 * np.ones(geom.data_shape)),
        psf=PSFMap.from_gauss(true, sigma=0.1),
    )


@pytest.fixture(scope="module")
def result():
    """Four sources that overlap, two of which share an index, one with a prior."""
    spectrum = PowerLawSpectralModel(amplitude=2e-11)
    parts = [
        SkyModel(spectrum, PointSpatialModel(*place), name=f"s{i}")
        for i, place in enumerate(PLACES)
    ]
    models = Models([*parts, FoVBackgroundModel(datasets_names="sim")])
    models = models.freeze("*.spatial.*").set("s*.amplitude", min=0).set("s*.index", max=6)
    models = models.link("s3.spectral.index", to="s0.spectral.index")
    models = models.set("s1.spectral.index", prior=GaussianPrior(2.0, 0.3))
    return Fit().run(Likelihood([cube().fake(models, seed=4)], models))


@pytest.fixture(scope="module")
def exact(result):
    """Moments by importance sampling with a wide normal in the coordinates of the fit."""
    import jax

    from gammajax.inference.whitening import potential

    whitening = Whitening.from_fit(result)
    problem = result.likelihood.problem
    z = np.random.default_rng(0).standard_t(8, size=(100_000, result.theta.size))
    density = -0.5 * 9 * np.sum(np.log1p(z**2 / 8), axis=1)

    @jax.jit
    def energies(z):
        return jax.lax.map(lambda one: potential(problem, whitening, one), z, batch_size=512)

    log = -np.asarray(energies(z)) - density
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    assert 1 / np.sum(weight**2) > 5000
    theta = np.asarray(jax.vmap(lambda one: whitening.theta(one)[0])(z))
    mean = weight @ theta
    return mean, np.sqrt(weight @ (theta - mean) ** 2)


def test_each_parameter_is_in_one_group(result) -> None:
    groups = groups_of(result.likelihood.problem)
    number = result.theta.size
    members = groups.members[groups.members < number]
    assert sorted(members) == list(range(number))
    np.testing.assert_array_equal(
        groups.members[groups.group[:-1], groups.slot[:-1]], np.arange(number)
    )
    assert groups.members.shape == (5, 2)


def test_products_are_those_of_the_matrix(result) -> None:
    likelihood = result.likelihood
    x = np.asarray(likelihood.problem.space.insert(result.theta, likelihood._index))
    at = expansion(likelihood.problem, x)
    v = np.random.default_rng(1).normal(size=result.theta.size) * result.errors
    expected = np.asarray(likelihood.hessian(result.theta)) @ v
    np.testing.assert_allclose(hessian_times(at, v), expected, rtol=1e-9)


@pytest.mark.parametrize(("rank", "largest"), [(0, 12.0), (2, 7.0), (32, 1.06)])
def test_more_rank_brings_the_precision_nearer_to_one(result, rank, largest) -> None:
    likelihood = result.likelihood
    x = np.asarray(likelihood.problem.space.insert(result.theta, likelihood._index))
    half = structured_half(likelihood.problem, expansion(likelihood.problem, x), rank)
    eye = np.eye(result.theta.size)
    matrix = np.stack([np.asarray(half @ unit) for unit in eye], axis=1)
    turned = np.stack([np.asarray(half.transposed(unit)) for unit in eye], axis=1)
    tolerance = 1e-12 * np.abs(matrix).max()
    np.testing.assert_allclose(turned, matrix.T, rtol=1e-12, atol=tolerance)
    np.testing.assert_allclose(half.errors(), np.sqrt(np.sum(matrix**2, axis=1)), rtol=1e-12)
    hessian = np.asarray(likelihood.hessian(result.theta))
    values = np.linalg.eigvalsh(matrix.T @ hessian @ matrix)
    assert values[-1] / values[0] < largest
    if rank == 32:
        np.testing.assert_allclose(half.errors(), result.errors, rtol=0.03)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), size=st.integers(1, 12), spread=st.floats(0.0, 2.0))
def test_the_inverse_root_is_that_of_the_matrix(seed, size, spread) -> None:
    rng = np.random.default_rng(seed)
    vectors, _ = np.linalg.qr(rng.normal(size=(size, size)))
    values = np.exp(spread * rng.normal(size=size))
    matrix, v = vectors * values @ vectors.T, rng.normal(size=size)
    found, _, least = inverse_root(lambda z: matrix @ z, v, 16)
    assert float(least) > 0
    expected = vectors / np.sqrt(values) @ vectors.T @ v
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.linalg.norm(expected))


def test_draws_of_a_laplace_approximation_have_the_covariance_of_the_fit(result) -> None:
    inside = result.theta / result.errors > 5  # so that bounds do not matter
    few, many = laplace(result, n_samples=4000, rank=0), laplace(result, n_samples=4000, seed=1)
    assert few.settings["krylov"] > many.settings["krylov"]
    for draws in (few, many):
        assert draws.settings["lanczos_error"] < 1e-4
        assert inside.sum() >= 6
        spread = draws.flat.std(axis=0)
        np.testing.assert_allclose(spread[inside], result.errors[inside], rtol=0.05)
        correlation = np.corrcoef(draws.flat.T)
        np.testing.assert_allclose(correlation, result.correlation, atol=0.08)


@pytest.mark.long
def test_chains_of_both_masses_and_guides_agree_with_the_exact_moments(result, exact) -> None:
    mean, spread = exact
    chains = [sample(result, mass=mass, progress=False) for mass in ("dense", "blocks")]
    for found in chains:
        assert found.problems() == []
        assert np.all(
            np.abs(found.mean - mean) < 4.5 * spread / np.sqrt(found.ess) + 0.02 * spread
        )
        np.testing.assert_allclose(found.flat.std(axis=0), spread, rtol=0.08)
    assert [found.settings["mass"] for found in chains] == ["dense", "blocks"]
    guide = svi(result, rank=4, n_steps=600)
    assert np.all(np.abs(guide.mean - mean) < 0.12 * spread)
    np.testing.assert_allclose(guide.flat.std(axis=0), spread, rtol=0.12)
    assert guide.settings["importance_efficiency"] > 0.9


def test_a_source_at_its_bound_has_draws_above_it(result) -> None:
    """Half an error inside its Hessian may curve down; its block is mended there."""
    models = result.models.set("s2.spectral.amplitude", value=0.0, min=0)
    dataset = cube().fake(models, seed=3)
    fit = Fit().run(Likelihood([dataset], models.set("s*.index", min=0)))
    draws = laplace(fit, n_samples=300)
    assert np.all(np.isfinite(draws.flat))
    assert np.all(draws["s2.spectral.amplitude"] > 0)
    assert draws.settings["importance_efficiency"] > 0


def test_what_cannot_be_is_said(result) -> None:
    with pytest.raises(ValueError, match="mass is 'round', expected one of auto"):
        sample(result, mass="round")
    with pytest.raises(ValueError, match="rank is 0, expected 1 or more"):
        svi(result, rank=0)
    with pytest.raises(ValueError, match="n_samples is 0, expected 1 or more"):
        laplace(result, n_samples=0)
    stopped = Fit(max_steps=1).run(
        result.likelihood.with_models(result.models.set("s0.spectral.amplitude", value=1e-9))
    )
    with pytest.raises(ValueError, match="has not converged"):
        laplace(stopped)
