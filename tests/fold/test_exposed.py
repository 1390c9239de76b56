"""Sources at steps of the exposure, as stacked runs of cut fields have them."""

from __future__ import annotations

import dataclasses
import warnings

import jax
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from gammajax.datasets import MapDataset
from gammajax.fold import FoldOptions, fourier_build, map_plan, stack_components
from gammajax.fold.exposed import by_steps, parabolas_of
from gammajax.fold.fourier_shapes import SampledFold
from gammajax.fold.map_data import MapData
from gammajax.fold.round import RoundFold
from gammajax.fold.sky_response import make_table
from gammajax.inference import Fit, Likelihood
from gammajax.maps.frames import to_vector
from gammajax.models import (
    DiskSpatialModel,
    EnergyDependentSpatialModel,
    GaussianSpatialModel,
    GeneralizedGaussianSpatialModel,
    Models,
    PointSpatialModel,
    ShellSpatialModel,
)
from tests.fold.test_maps import CENTER, SIGMA, dataset, source

FLUX = 1e-11 * (1 - 0.1)

FIELD = 2.0
"""Radius of the field that is cut, in deg."""

EXTENDED = {
    "gauss": GaussianSpatialModel(*CENTER, 0.15),
    "disk": DiskSpatialModel(*CENTER, "0.3 deg"),
    "shell": ShellSpatialModel(*CENTER, "0.25 deg", "0.08 deg"),
    "generalized": GeneralizedGaussianSpatialModel(*CENTER, "0.12 deg", 0.7),
    "ellipse": GaussianSpatialModel(*CENTER, 0.2, e=0.8, phi="30 deg"),
}


def stepped(low: float, distance: float, **options) -> MapDataset:
    """A cube whose exposure drops to a part at a border, to the east of the middle."""
    data = dataset(width=3.0, **options)
    geom = data.exposure.geom.to_image()
    west = (distance - FIELD) / np.cos(np.deg2rad(CENTER[1]))
    middle = PointSpatialModel(CENTER[0] + west, CENTER[1]).position
    theta = geom.separation(middle)
    factor = low + np.exp(-0.5 * (theta / 2.5) ** 2) * (theta < FIELD)
    return data.replace(exposure=data.exposure.with_data(data.exposure.data * factor))


def exposure_at(data: MapDataset, lon, lat) -> np.ndarray:
    table = make_table(data.exposure.data, data.exposure.geom, data.geom.frame)
    vectors = to_vector(np.deg2rad(lon).ravel(), np.deg2rad(lat).ravel())
    return table.at(vectors)[:, 0].reshape(np.shape(lon))


def expected_image(data: MapDataset, spatial) -> np.ndarray:
    """Counts of a shape times the exposure, spread; on a fine grid."""
    fine = 8
    geom = data.geom.to_image().upsample(fine)
    coord = geom.get_coord()
    shape = np.asarray(spatial(coord.skycoord).value * geom.solid_angle())
    seen = exposure_at(data, coord["lon"], coord["lat"]) * shape / shape.sum()
    spread = gaussian_filter(seen, SIGMA * fine / 0.05, truncate=8)
    ny, nx = (size // fine for size in spread.shape)
    return FLUX * spread.reshape(ny, fine, nx, fine).sum(axis=(1, 3))


def total(data: MapDataset, models: Models, options: FoldOptions | None = None) -> float:
    likelihood = Likelihood([data], models, options or FoldOptions())
    return float(np.asarray(likelihood.predict(likelihood.start)["small"])[-1])


@pytest.mark.parametrize("low", [0.0, 1.0])
@pytest.mark.parametrize("distance", [0.02, 0.25])
@pytest.mark.parametrize(
    "kind",
    ["gauss", "disk", *(pytest.param(k, marks=pytest.mark.long) for k in list(EXTENDED)[2:])],
)
def test_a_shape_sees_the_exposure_as_it_is(kind: str, distance: float, low: float) -> None:
    data = stepped(low, distance)
    spatial = EXTENDED[kind]
    models = Models([source(spatial)]).freeze("*.spatial.*")
    expected = expected_image(data, spatial)
    dense = data.npred_signal(models).data.sum(axis=0)
    np.testing.assert_allclose(dense, expected, atol=5e-3 * expected.max(), rtol=0)
    assert dense.sum() == pytest.approx(expected.sum(), rel=1e-3)
    free = models.thaw("*.lon_0").thaw("*.lat_0")
    for given in (models, free):
        assert total(data, given) == pytest.approx(dense.sum(), rel=3e-4)
    assert dense.min() > -2e-3 * expected.max()
    seen = np.asarray(data.exposure.data) > 1.2e13 * low
    masked = data.replace(mask_fit=data.counts.with_data(seen))
    inside = np.where(seen[0], dense, 0.0).sum()
    assert total(masked, free) == pytest.approx(inside, rel=1e-3)


@pytest.mark.parametrize("kind", ["gauss", "disk"])
def test_small_steps_leave_totals_right(kind: str) -> None:
    """A step of a hundredth is no reason to leave the parabola, whose mean is exact."""
    data = stepped(60.0, 0.1)
    spatial = EXTENDED[kind]
    models = Models([source(spatial)])
    likelihood = Likelihood([data], models)
    assert isinstance(likelihood.problem.terms[0].folds[0], RoundFold)
    expected = expected_image(data, spatial).sum()
    assert total(data, models) == pytest.approx(expected, rel=2e-4)
    frozen = models.freeze("*.spatial.*")
    assert data.npred_signal(frozen).data.sum() == pytest.approx(expected, rel=2e-4)


def test_without_a_spread_totals_are_right() -> None:
    data = stepped(1.0, 0.2).replace(psf=None)
    models = Models([source(EXTENDED["gauss"])])
    expected = expected_image(data, EXTENDED["gauss"]).sum()
    assert total(data, models) == pytest.approx(expected, rel=1e-3)
    frozen = models.freeze("*.spatial.*")
    assert data.npred_signal(frozen).data.sum() == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("low", [0.0, 1.0])
def test_a_point_sees_the_exposure_where_it_is(low: float) -> None:
    data = stepped(low, 0.05)
    models = Models([source(PointSpatialModel(*CENTER))])
    likelihood = Likelihood([data], models)
    (place,) = (i for i, name in enumerate(likelihood.names) if name.endswith("lon_0"))
    theta = np.tile(likelihood.start, (41, 1))
    theta[:, place] += np.linspace(-0.13, 0.13, 41)
    found = np.array([float(np.asarray(likelihood.predict(t)["small"])[-1]) for t in theta])
    expected = FLUX * exposure_at(data, theta[:, place], np.full(41, CENTER[1]))
    step = FLUX * 1e13
    assert np.ptp(expected) > 0.7 * step
    # a smooth curve rounds the corners of the interpolation
    np.testing.assert_allclose(found, expected, atol=0.015 * step)
    assert np.median(np.abs(found - expected)) < 1e-3 * step
    assert found[20] == pytest.approx(expected[20], rel=1e-5)
    frozen = models.freeze("*.spatial.*")
    assert data.npred_signal(frozen).data.sum() == pytest.approx(found[20], rel=1e-4)


WAYS = {
    "point": (PointSpatialModel(*CENTER), {"lon_0": 0.06}),
    "gauss": (EXTENDED["gauss"], {"lon_0": 0.06, "sigma": 0.05}),
    "disk": (EXTENDED["disk"], {"lon_0": 0.06, "r_0": 0.05}),
    "small": (GaussianSpatialModel(*CENTER, 0.01), {"lon_0": 0.06, "sigma": 0.009}),
}


@pytest.mark.parametrize("kind", list(WAYS))
def test_profiles_over_a_step_are_smooth(kind: str) -> None:
    """A jump would stand out of the fourth differences, a kink of the third."""
    spatial, ways = WAYS[kind]
    models = Models([source(spatial)]).freeze("*.spectral.*").freeze("*.spatial.*")
    for name in ways:
        models = models.thaw(f"source.spatial.{name}")
    models = models.set("source.spectral.amplitude", value=1e-10)
    data = stepped(1.0, 0.03)
    data = data.fake(models, seed=3)
    likelihood = Likelihood([data], models)
    stat = jax.jit(jax.vmap(likelihood.stat))
    for place, name in enumerate(likelihood.names):
        way = ways[name.split(".")[-1]]
        moved = np.tile(likelihood.start, (241, 1))
        moved[:, place] += np.linspace(-way, way, 241)
        values = np.asarray(stat(moved))
        largest = np.ptp(values)
        assert largest > 5
        assert np.abs(np.diff(values, 2)).max() < 5e-3 * largest, name
        assert np.abs(np.diff(values, 4)).max() < 1e-3 * largest, name


def two(data_at: float = 0.2) -> tuple[MapDataset, Models]:
    """One source at the step, and one that is far from it."""
    data = stepped(1.0, data_at)
    near = source(EXTENDED["gauss"])
    far = dataclasses.replace(
        source(GaussianSpatialModel(CENTER[0] - 0.6, CENTER[1], 0.08)), name="far"
    )
    return data, Models([near, far])


@pytest.mark.long
def test_derivatives_of_both_ways_are_those_of_finite_differences() -> None:
    data, models = two()
    likelihood = Likelihood([data], models)
    theta = np.array(likelihood.start)
    gradient = np.asarray(likelihood.gradient(theta))
    error = 1 / np.sqrt(np.diag(np.asarray(likelihood.fisher(theta))))
    hessian = np.asarray(likelihood.hessian(theta))
    for i in range(theta.size):
        step = np.zeros(theta.size)
        step[i] = 1e-4 * error[i]
        change = float(likelihood.stat(theta + step) - likelihood.stat(theta - step))
        assert change == pytest.approx(2 * step[i] * gradient[i], rel=1e-4, abs=1e-6)
        bend = np.asarray(likelihood.gradient(theta + step)) - likelihood.gradient(theta - step)
        np.testing.assert_allclose(
            bend * error, 2 * step[i] * hessian[i] * error, rtol=1e-3, atol=1e-7
        )


def test_only_sources_at_a_step_go_another_way() -> None:
    data, models = two()
    likelihood = Likelihood([data], models)
    (term,) = likelihood.problem.terms
    assert len(likelihood.problem.stacks) == 1
    assert [type(fold) for fold in term.folds] == [RoundFold, SampledFold]
    assert term.which == (0, 0)
    parts = [expected_image(data, model.spatial_model).sum() for model in models]
    assert total(data, models) == pytest.approx(sum(parts), rel=1e-3)


@pytest.mark.long
def test_a_fit_finds_what_the_dense_prediction_has() -> None:
    data, models = two()
    models = models.set("*.amplitude", value=1e-10)
    data = data.asimov(models)
    start = models.set("source.spatial.lon_0", value=CENTER[0] + 0.02)
    start = start.set("source.spatial.sigma", value=0.12)
    result = Fit().run(Likelihood([data], start))
    assert result.success
    for row in result.models.parameters:
        if row.free:
            truth = models.parameters[row.name].value
            assert row.value == pytest.approx(truth, abs=0.03 * row.error)


def test_shapes_that_depend_on_energy_see_it_too() -> None:
    """A law that changes nothing leaves the counts of the shape."""
    data = stepped(0.0, 0.1)
    plain = Models([source(EXTENDED["gauss"])])
    law = EnergyDependentSpatialModel(EXTENDED["gauss"], ["sigma"], [0.0])
    found = total(data, Models([source(law)]))
    assert found == pytest.approx(total(data, plain), rel=5e-4)


def plan(data: MapDataset, models: Models):
    ((stack, parts),) = stack_components(models)
    own = MapData.create(data, 0.01)
    return map_plan.build_of([own], stack, parts, FoldOptions())


def test_the_parabola_is_right_on_average() -> None:
    data = stepped(1.0, 0.1)
    build = plan(data, Models([source(EXTENDED["disk"])]))
    found = parabolas_of(build)
    assert found.bent[0] > 0.05
    expected = expected_image(data, EXTENDED["disk"]).sum() / FLUX
    np.testing.assert_allclose(found.mean[0], expected, rtol=2e-3)
    assert by_steps(build)[0].stepped
    late = dataclasses.replace(build, options=FoldOptions(order="psf-first"))
    assert not by_steps(late)[0].stepped


def test_a_grid_that_is_too_large_is_told(monkeypatch) -> None:
    data = stepped(1.0, 0.2)
    models = Models([source(EXTENDED["gauss"])])
    monkeypatch.setattr(fourier_build, "MOST", 16)
    with pytest.warns(UserWarning, match="dataset 'small' has a step in component 'source'"):
        found = total(data, models)
    expected = expected_image(data, EXTENDED["gauss"]).sum()
    assert found == pytest.approx(expected, rel=1e-3)
    monkeypatch.undo()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        total(data, models)


def test_a_shape_that_shrinks_is_planned_anew() -> None:
    """The grid is as fine as half of the size needs it."""
    data = stepped(1.0, 0.2)
    likelihood = Likelihood([data], Models([source(EXTENDED["gauss"])]))
    (place,) = (i for i, name in enumerate(likelihood.names) if name.endswith("sigma"))
    found = []
    for size in (0.07, 0.08, 0.15, 0.22, 0.23):
        theta = np.array(likelihood.start)
        theta[place] = size
        found.append(bool(likelihood.outgrown(theta)))
    assert found == [True, False, False, False, True]
