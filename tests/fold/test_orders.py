"""The exposure before the spread, and after it."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.datasets import MapDataset
from gammajax.fold import FoldOptions, FourierFold
from gammajax.inference import Likelihood
from gammajax.irf.psf_map import PSFMap, RecoPSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    EnergyDependentSpatialModel,
    GaussianSpatialModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateSpatialModel,
)
from tests.fold.test_fourier import nd_template

CENTER = (83.63, 22.01)
LATE = FoldOptions(order="psf-first")
SUMMED = FoldOptions(order="psf-first", totals="sum")


def cube() -> MapDataset:
    """A cube with counts everywhere and an exposure with a steep slope to the north."""
    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(skydir=CENTER, width=1.6, binsz=0.08, proj="TAN", axes=[energy])
    image = geom.to_image()
    slope = 1 + 0.5 * (image.get_coord()["lat"] - CENTER[1])
    exposure = Map.from_geom(image.to_cube([true]), data=1e13 * slope * [[[1.0]], [[2.0]]])
    return MapDataset(
        name="slope",
        counts=Map.from_geom(geom, data=np.ones(geom.data_shape)),
        exposure=Map.from_geom(exposure.geom, data=exposure.data, unit="cm2 s"),
        psf=PSFMap.from_gauss(true, sigma=0.15),
    )


def predicted(data: MapDataset, spatial, free: bool, options: FoldOptions):
    models = Models([SkyModel(PowerLawSpectralModel(amplitude=1e-11), spatial, name="s")])
    names = [name for name in models.parameters.names if ".spatial." in name]
    if names and not free:
        models = models.freeze("s.spatial.*")
    likelihood = Likelihood([data], models, options)
    mu = np.asarray(likelihood.predict(likelihood.start)["slope"])
    return mu[:-1].reshape(data.counts.data.shape), mu[-1], likelihood


def flat(data: MapDataset) -> MapDataset:
    """The same with an exposure of 1 cm2 s everywhere."""
    return data.replace(exposure=data.exposure.with_data(np.ones(data.exposure.data.shape)))


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize(
    "spatial", [PointSpatialModel(83.7, 22.1), GaussianSpatialModel(83.7, 22.1, 0.1)]
)
def test_the_exposure_of_the_pixel_multiplies_what_is_spread(spatial, free) -> None:
    data = cube()
    spread, _, _ = predicted(flat(data), spatial, free, FoldOptions())
    found, total, _ = predicted(data, spatial, free, SUMMED)
    exposure = np.asarray(data.exposure.data)
    np.testing.assert_allclose(found, spread * exposure, rtol=1e-6, atol=1e-9 * found.max())
    assert total == pytest.approx(found.sum(), rel=1e-9)
    _, total, likelihood = predicted(data, spatial, free, LATE)
    assert total == pytest.approx(found.sum(), rel=1e-4)
    theta = likelihood.start
    step = 1e-5 / np.sqrt(np.diag(np.asarray(likelihood.fisher(theta))))
    gradient = np.asarray(likelihood.gradient(theta))
    for i in range(theta.size):
        up, down = theta.copy(), theta.copy()
        up[i] += step[i]
        down[i] -= step[i]
        slope = float(likelihood.stat(up) - likelihood.stat(down)) / 2
        assert slope == pytest.approx(gradient[i] * step[i], abs=1e-7)


def test_templates() -> None:
    data = cube()
    image = WcsGeom.create(skydir=CENTER, width=3.0, binsz=0.1)
    glow = np.exp(-0.5 * (image.separation(data.geom.center_skydir) / 0.4) ** 2)
    spatial = TemplateSpatialModel(Map.from_geom(image, data=glow, unit="sr-1"))
    spread, _, _ = predicted(flat(data), spatial, False, FoldOptions())
    found, total, _ = predicted(data, spatial, False, LATE)
    expected = spread * np.asarray(data.exposure.data)
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.max())
    assert total == pytest.approx(expected.sum(), rel=1e-4)


LAWS = EnergyDependentSpatialModel(
    GaussianSpatialModel(83.7, 22.1, 0.15, e=0.5, phi=30.0), ["sigma"], [-0.4]
)


@pytest.mark.parametrize(
    "kind",
    ["ellipse", *(pytest.param(k, marks=pytest.mark.long) for k in ("laws", "template"))],
)
def test_shapes_that_are_not_round(kind: str) -> None:
    """What is spread from a flat exposure, times that of each pixel; free and frozen."""
    data = cube()
    data = data.replace(background=data.counts.with_data(0.1 + 0 * data.counts.data))
    spatial = {
        "ellipse": GaussianSpatialModel(83.7, 22.1, 0.15, e=0.8, phi=30.0),
        "laws": LAWS,
        "template": nd_template(),
    }[kind]
    models = Models([SkyModel(PowerLawSpectralModel(amplitude=1e-11), spatial, name="s")])
    free = models.thaw("s.spatial.*")
    exposure = np.asarray(data.exposure.data)
    mu = {}
    for name, given, options in (("flat", flat(data), None), ("late", data, LATE)):
        likelihood = Likelihood([given], free, options or FoldOptions())
        assert isinstance(likelihood.problem.terms[0].folds[0], FourierFold)
        mu[name] = np.asarray(likelihood.predict(likelihood.start)["slope"])
    expected = mu["flat"][:-1].reshape(exposure.shape) * exposure
    found = mu["late"][:-1].reshape(exposure.shape)
    np.testing.assert_allclose(found, expected, atol=1e-5 * expected.max())
    assert mu["late"][-1] == pytest.approx(found.sum(), rel=1e-9)
    frozen, total, _ = predicted(data, spatial, False, LATE)
    tolerance = (1e-3 if kind == "template" else 1e-6) * found.max()
    np.testing.assert_allclose(frozen, found, atol=tolerance)
    assert total == pytest.approx(found.sum(), rel=1e-4)
    theta = np.array(likelihood.start)
    gradient = np.asarray(likelihood.gradient(theta))
    for i in np.nonzero(theta)[0]:
        step = np.zeros(theta.size)
        step[i] = 1e-5 * theta[i]
        change = float(likelihood.stat(theta + step) - likelihood.stat(theta - step))
        assert change == pytest.approx(2 * step[i] * gradient[i], rel=1e-4, abs=1e-7)


def test_a_slope_shifts_counts_towards_more_exposure_when_taken_late() -> None:
    """By the slope times the variance of the spread and of a pixel, to first order."""
    data = cube()
    spatial = PointSpatialModel(*CENTER)
    lat = data.geom.to_image().get_coord()["lat"]
    mean = {}
    for options in (FoldOptions(), LATE):
        mu, _, _ = predicted(data, spatial, False, options)
        image = mu.sum(axis=0)
        mean[options.order] = float((image * lat).sum() / image.sum())
    shift = 0.5 * (0.15**2 + 0.08**2 / 12)
    assert mean["psf-first"] - mean["exposure-first"] == pytest.approx(shift, rel=0.01)


def test_what_cannot_be_folded_late_is_an_error() -> None:
    data = cube()
    reco = data.replace(psf=RecoPSFMap.from_gauss(data.energy, sigma=0.15))
    for spatial in (PointSpatialModel(*CENTER), GaussianSpatialModel(*CENTER, 0.1, e=0.5)):
        with pytest.raises(ValueError, match="spread in reconstructed energy"):
            predicted(reco, spatial, False, LATE)
    with pytest.raises(ValueError, match="order is 'late', expected"):
        FoldOptions(order="late")
