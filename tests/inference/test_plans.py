"""Fits that go where a source cannot be folded end at the last point that can be."""

import numpy as np
import pytest

from gammajax.datasets import MapDataset
from gammajax.inference import Fit, Likelihood, ShardedLikelihood
from gammajax.inference import plans as planning
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    GaussianSpatialModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)


def flat(name: str = "flat") -> MapDataset:
    """A field with more of its flat background than expected."""
    energy = MapAxis.from_energy_bounds("1 TeV", "30 TeV", nbin=1)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(skydir=(83.63, 22.05), width=4, binsz=0.5, axes=[energy])
    return MapDataset(
        name=name,
        counts=Map.from_geom(geom, data=2.4 * np.ones(geom.data_shape)),
        exposure=Map.from_geom(geom.to_image().to_cube([true]), data=2e14, unit="cm2 s"),
        background=Map.from_geom(geom, data=2.0 * np.ones(geom.data_shape)),
        psf=PSFMap.from_gauss(true, sigma=0.1),
    )


def wide(**size) -> Models:
    spectrum = PowerLawSpectralModel(amplitude=5e-12)
    models = Models([SkyModel(spectrum, GaussianSpatialModel(83.63, 22.05, **size), name="w")])
    return models.freeze("*.index").freeze("*.l??_0")


def check(result) -> None:
    """The point is one that can be folded, and the best one of that size."""
    assert not result.success
    sigma = result.models.parameters["w.spatial.sigma"].value
    assert 2.4 <= sigma < 5.1
    assert "w.spatial.sigma = " in result.message
    assert "reaches" in result.message
    assert "bound these parameters" in result.message
    held = Fit().run(Likelihood([flat()], wide(sigma=sigma).freeze("*.sigma")))
    assert held.success
    assert result.stat == pytest.approx(held.stat, abs=1e-4)
    assert np.isfinite(result.errors).all()


@pytest.fixture(scope="module")
def grown():
    return Fit().run(Likelihood([flat()], wide(sigma=1.2)))


def test_a_gaussian_that_grows_without_end_ends_where_it_can_be_folded(grown) -> None:
    check(grown)
    assert "planned anew for w" in grown.message


@pytest.mark.long
@pytest.mark.parametrize("method", ["lbfgs", "checkpoint", "sharded"])
def test_however_it_is_fitted(method, grown, tmp_path) -> None:
    likelihood = Likelihood([flat()], wide(sigma=1.2))
    if method == "lbfgs":
        result = Fit(method="lbfgs").run(likelihood)
    elif method == "sharded":
        result = Fit().run(ShardedLikelihood([flat()], wide(sigma=1.2)))
    else:
        path = tmp_path / "fit.npz"
        result = Fit().run(likelihood, checkpoint=path)
        again = Fit().run(likelihood, checkpoint=path)
        np.testing.assert_array_equal(again.theta, result.theta)
    check(result)
    assert result.stat == pytest.approx(grown.stat, abs=1e-4)


@pytest.mark.long
def test_an_ellipse_too() -> None:
    result = Fit().run(Likelihood([flat()], wide(sigma=1.2, e=0.5, phi=20).freeze("*.[ep]*")))
    assert not result.success
    assert "w.spatial.sigma = " in result.message
    assert 2 < result.models.parameters["w.spatial.sigma"].value < 5


def test_a_bound_that_the_user_gives_is_the_cure() -> None:
    models = wide(sigma=1.2).set("w.spatial.sigma", max=2.0)
    result = Fit().run(Likelihood([flat()], models))
    assert result.success
    assert result.at_bounds == ("w.spatial.sigma",)


def test_a_source_that_moves_on_and_on_ends_at_its_last_plan(monkeypatch) -> None:
    spectrum = PowerLawSpectralModel(amplitude=1e-11)
    truth = Models([SkyModel(spectrum, PointSpatialModel(84.6, 22.05), name="p")])
    data = flat().asimov(truth)
    start = truth.freeze("*.index").set("p.spatial.lon_0", value=83.6)
    monkeypatch.setattr(planning, "MOST_PLANS", 1)
    result = Fit().run(Likelihood([data], start))
    assert not result.success
    assert "p.spatial.lon_0 = " in result.message
    assert "planned 1 times before" in result.message
    stat = result.likelihood.stat(result.theta)
    assert result.stat == pytest.approx(float(stat), abs=1e-6)
    assert result.likelihood.outgrown(result.theta) == ()
