"""Rows of folds: derivatives row by row are those of the whole prediction."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gammajax.datasets import MapDataset
from gammajax.fold import frozen, linear
from gammajax.fold.linear import in_blocks
from gammajax.fold.round_plan import rounded
from gammajax.fold.rows import NOWHERE, map_rows
from gammajax.inference import Likelihood
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    DiskSpatialModel,
    FoVBackgroundModel,
    GaussianSpatialModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)

CENTER = (83.63, 22.01)


def cube(name: str = "a", seed: int = 1) -> MapDataset:
    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(skydir=CENTER, width=1.2, binsz=0.1, proj="TAN", axes=[energy])
    counts = np.random.default_rng(seed).poisson(0.7, geom.data_shape).astype(float)
    return MapDataset(
        name=name,
        counts=Map.from_geom(geom, data=counts),
        exposure=Map.from_geom(geom.to_image().to_cube([true]), data=1e13, unit="cm2 s"),
        background=Map.from_geom(geom, data=0.3 * np.ones(geom.data_shape)),
        psf=PSFMap.from_gauss(true, sigma=0.1),
    )


def source(name: str, spatial, **options) -> SkyModel:
    return SkyModel(PowerLawSpectralModel(amplitude=1e-11), spatial, name=name, **options)


@pytest.fixture(scope="module")
def likelihood() -> Likelihood:
    """Two cubes, with rows of every kind, a link, and a source that is in one cube only."""
    models = Models(
        [
            source("moves", PointSpatialModel(83.7, 22.1)),
            source("grows", GaussianSpatialModel(83.5, 21.9, 0.1), datasets_names="a"),
            source("stays", DiskSpatialModel(83.6, 22.2, "0.2 deg")),
            source("bent", GaussianSpatialModel(83.7, 21.8, 0.2, e=0.6, phi="40 deg")),
            FoVBackgroundModel(datasets_names="a", name="bkg-a"),
            FoVBackgroundModel(datasets_names="b", name="bkg-b"),
        ]
    )
    models = models.freeze("stays.spatial.*").freeze("bent.spatial.l*")
    models = models.link("stays.spectral.index", to="moves.spectral.index")
    return Likelihood([cube("a"), cube("b", 2)], models)


@pytest.fixture(scope="module")
def parts(likelihood):
    """The term, the prediction as a function of the free parameters, and its slopes."""
    problem = likelihood.problem
    (term,) = problem.terms
    space, active = problem.space, jnp.asarray(problem.active)

    def predict(theta):
        return term.predict(problem.stacks, space.expand(space.insert(theta, active)))

    theta = jnp.asarray(likelihood.start)
    x = space.insert(theta, active)
    linear = jax.jit(lambda x: term.linear(problem.stacks, space, x, active))
    return problem, term, predict, theta, x, linear, *linear(x)


def test_slopes_are_the_jacobian_of_the_prediction(parts) -> None:
    _, _, predict, theta, _, _, mu, slopes = parts
    exact = np.asarray(jax.jit(jax.jacfwd(predict))(theta))
    np.testing.assert_allclose(mu, jax.jit(predict)(theta), rtol=1e-12)
    scale = np.abs(exact).max(axis=(0, 1))
    found = np.moveaxis(np.asarray(slopes.joined().matrix), 0, -1)
    np.testing.assert_allclose(found / scale, exact / scale, atol=1e-10)


def test_slopes_are_one_linear_map_and_its_transpose(parts) -> None:
    *_, mu, slopes = parts
    rng = np.random.default_rng(3)
    vector, weight = rng.normal(size=slopes.number), rng.normal(size=mu.shape)
    matrix = slopes.joined()
    np.testing.assert_allclose(slopes.times(vector), matrix.times(vector), rtol=1e-9)
    np.testing.assert_allclose(slopes.transposed(weight), matrix.transposed(weight), rtol=1e-9)
    left = float(jnp.sum(slopes.times(vector) * weight))
    assert left == pytest.approx(float(vector @ slopes.transposed(weight)), rel=1e-10)
    np.testing.assert_allclose(jnp.diag(matrix.gram(weight)), matrix.squares(weight))


@pytest.mark.long
def test_bends_are_the_hessian_of_a_weighted_sum(parts) -> None:
    problem, term, _, _, x, linear, mu, slopes = parts
    weight = np.random.default_rng(4).normal(size=mu.shape)
    active = jnp.asarray(problem.active)

    def back(x):
        at = term.linear(problem.stacks, problem.space, x, active)[1]
        return term.backward(problem.stacks, problem.space, x, active, at, weight)

    gradient = jax.jit(lambda x: back(x)[0])(x)
    np.testing.assert_allclose(gradient, slopes.transposed(weight), rtol=1e-9)
    bends = jax.jit(
        lambda x: [(bend.dense(), bend.times(jnp.ones(active.size))) for bend in back(x)[1]]
    )(x)
    found = sum(np.asarray(dense) for dense, _ in bends)
    scale = np.sqrt(np.asarray(slopes.joined().squares(np.ones(mu.shape))))
    unit = np.outer(scale, scale)
    exact = []
    for i, size in enumerate(scale):
        step = np.zeros(x.size)
        step[problem.active[i]] = 1e-4 / size
        up, down = (linear(x + s)[1].transposed(weight) for s in (step, -step))
        exact.append(np.asarray(up - down) / (2e-4 / size))
    np.testing.assert_allclose(found / unit, np.array(exact) / unit, atol=1e-5)
    along = sum(np.asarray(times) for _, times in bends)
    np.testing.assert_allclose(
        along, found.sum(axis=1), rtol=1e-9, atol=1e-12 * abs(along).max()
    )


def test_a_component_has_rows_only_in_its_datasets(likelihood) -> None:
    folds = likelihood.problem.terms[0].folds
    rows = {
        tuple(members): fold.dataset.tolist()
        for members, fold in zip(likelihood._members, folds, strict=True)
    }
    assert rows["grows",] == [0]
    assert rows["moves",] == [0, 1]
    assert rows["bkg-a", "bkg-b"] == [0, 1]


@pytest.mark.parametrize("number", [1, 5, 8, 9, 20])
def test_batches_of_rows_are_a_loop(number: int) -> None:
    values = np.arange(3.0 * number).reshape(number, 3)
    found = map_rows(lambda row: (row.sum(), row * 2), jnp.asarray(values), 8)
    np.testing.assert_array_equal(found[0], values.sum(axis=1))
    np.testing.assert_array_equal(found[1], values * 2)


def test_shapes_that_stay_are_planned_in_parts(monkeypatch) -> None:
    places = [(83.5, 22.0), (83.55, 22.1), (83.7, 21.9), (83.8, 22.2), (83.6, 22.25)]
    parts = [source(f"s{i}", PointSpatialModel(*place)) for i, place in enumerate(places)]
    models = Models(parts).freeze("*.spatial.*").set("s3.spectral.index", value=3.0)
    whole = Likelihood([cube("a"), cube("b", 2)], models)
    monkeypatch.setattr(frozen, "AT_ONCE", 3)
    found = Likelihood([cube("a"), cube("b", 2)], models)
    for name, bins in whole.predict(whole.start).items():
        np.testing.assert_allclose(found.predict(whole.start)[name], bins, atol=1e-12)


def test_entries_are_gathered_into_blocks() -> None:
    places = [np.array([0, 3, 9]), np.array([5])]
    values = [np.array([[1.0], [2.0], [3.0]]), np.array([[4.0]])]
    firsts = [np.array([7, 7, 8]), np.array([6])]
    found = in_blocks(places, values, firsts, 4)
    assert found.row.tolist() == [[0, 0, 1]]
    assert found.target.tolist() == [[0, 2, 1]]
    assert found.first.tolist() == [[7, 8, 6]]
    assert found.response[0, :, 0].tolist() == [[1, 0, 0, 2], [0, 3, 0, 0], [0, 4, 0, 0]]


@pytest.mark.parametrize("run", [1, 4])
def test_lists_for_accelerators_say_the_same(run, monkeypatch) -> None:
    monkeypatch.setattr(linear, "run_length", lambda number, places: run)
    monkeypatch.setattr(linear, "MANY", 2**9)
    places = [(83.5, 22.0), (83.55, 22.1), (83.7, 21.9), (83.8, 22.2)]
    parts = [source(f"s{i}", PointSpatialModel(*place)) for i, place in enumerate(places)]
    datasets, models = [cube("a"), cube("b", 2)], Models(parts).freeze("*.spatial.*")
    likelihood = Likelihood(datasets, models)
    stat, gradient = likelihood.value_and_gradient(likelihood.start)
    monkeypatch.setattr(linear, "on_accelerator", lambda: True)
    monkeypatch.setattr(frozen, "on_accelerator", lambda: True)
    other = Likelihood(datasets, models)
    fold = other.problem.terms[0].folds[0]
    target = fold.target.ravel().astype(np.int64)
    place = np.asarray(fold.dataset)[fold.row.ravel()] * 2**20 + target
    place = np.where(target == NOWHERE, 2**40, place)
    assert fold.run == run
    assert np.all(np.diff(place) >= 0)
    assert (place.reshape(-1, run) == place[::run, None]).all()
    found = other.value_and_gradient(likelihood.start)
    np.testing.assert_allclose(found[0], stat, rtol=1e-13)
    np.testing.assert_allclose(found[1], gradient, rtol=1e-10)
    np.testing.assert_allclose(
        other.hessian(other.start), likelihood.hessian(other.start), rtol=1e-9
    )


def test_runs_are_as_long_as_a_tenth_of_filling_allows() -> None:
    lengths = [linear.run_length(number, 10) for number in (0, 80, 170, 10**5)]
    assert lengths == [1, 1, 2, 16]


@pytest.mark.parametrize("number", [1, 3, 8, 9, 100, 1025, 99999])
def test_sizes_are_rounded_up_by_a_quarter_at_most(number: int) -> None:
    assert number <= rounded(number) <= 1.25 * number + 1
