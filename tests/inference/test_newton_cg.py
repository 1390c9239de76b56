"""Newton steps without matrices go where those with matrices go."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from gammajax.datasets import MapDataset
from gammajax.inference import Fit, Likelihood
from gammajax.inference import fit as fits
from gammajax.inference.cg_step import LEAST, definite
from gammajax.inference.newton import newton
from gammajax.inference.newton_cg import newton_cg
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

PLACES = [(83.5, 22.0), (83.55, 22.1), (83.7, 21.9), (83.8, 22.2), (83.6, 22.25)]


def cube(nbin=4, width=1.2, binsz=0.06) -> MapDataset:
    energy = MapAxis.from_energy_bounds("1 TeV", "30 TeV", nbin=nbin)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(skydir=(83.63, 22.01), width=width, binsz=binsz, axes=[energy])
    return MapDataset(
        name="sim",
        counts=Map.from_geom(geom, data=np.zeros(geom.data_shape)),
        exposure=Map.from_geom(geom.to_image().to_cube([true]), data=3e13, unit="cm2 s"),
        background=Map.from_geom(geom, data=0.2 * np.ones(geom.data_shape)),
        psf=PSFMap.from_gauss(true, sigma=0.08),
    )


def models(amplitudes) -> Models:
    parts = [
        SkyModel(PowerLawSpectralModel(amplitude=a), PointSpatialModel(*p), name=f"s{i}")
        for i, (a, p) in enumerate(zip(amplitudes, PLACES, strict=True))
    ]
    found = Models([*parts, FoVBackgroundModel(datasets_names="sim")])
    return found.freeze("*.spatial.*").set("s*.amplitude", min=0).set("s*.index", min=0, max=6)


@pytest.fixture(scope="module")
def likelihood() -> Likelihood:
    truth = models([1e-11, 2e-11, 5e-12, 3e-11, 8e-12])
    start = models([3e-11] * 5).link("s4.spectral.index", to="s0.spectral.index")
    start = start.set("s1.spectral.index", prior=GaussianPrior(2.0, 0.3))
    return Likelihood([cube().fake(truth, seed=4)], start)


def test_both_find_the_same_minimum(likelihood) -> None:
    problem, x = likelihood.problem, np.asarray(likelihood.problem.space.value)
    plain = jax.jit(newton)(problem, x)
    found = jax.jit(newton_cg, static_argnums=3)(problem, x, 1e-10, 100)
    assert int(plain.status) == int(found.status) == 0
    error = np.sqrt(2 / np.diag(np.asarray(plain.at.fisher)))
    active = likelihood._index
    moved = np.asarray(found.x - plain.x)[active] / error
    np.testing.assert_allclose(moved, 0, atol=1e-4)
    assert float(found.stat) == pytest.approx(float(plain.at.stat), abs=1e-8)
    assert float(found.edm) < 1e-10
    assert int(found.n_steps) < 15
    assert int(found.n_products) < 150


def test_a_fit_of_many_parameters_takes_it_and_has_the_same_errors(
    likelihood, monkeypatch
) -> None:
    plain = Fit().run(likelihood)
    monkeypatch.setattr(fits, "MANY_OF_CUBES", 3)
    found = Fit().run(likelihood)
    assert plain.success
    assert found.success
    np.testing.assert_allclose((found.theta - plain.theta) / plain.errors, 0, atol=1e-3)
    np.testing.assert_allclose(found.errors, plain.errors, rtol=1e-5)


def hole(truth: Models) -> MapDataset:
    """A cube with a hole where the third source would be: its amplitude would be negative."""
    data = cube().asimov(truth)
    distance = data.geom.to_image().separation(truth["s2"].spatial_model.position)
    depth = 1 - 0.5 * np.exp(-0.5 * (distance / 0.1) ** 2)
    return data.replace(counts=data.counts.with_data(np.asarray(data.counts.data) * depth))


def test_a_source_that_is_not_there_rests_at_its_bound(monkeypatch) -> None:
    monkeypatch.setattr(fits, "MANY_OF_CUBES", 3)
    data = hole(models([1e-11, 2e-11, 0.0, 3e-11, 8e-12]))
    result = Fit().run(Likelihood([data], models([1e-11] * 5).freeze("s*.index")))
    assert result.success
    assert result.n_evaluations < 20
    assert result.at_bounds == ("s2.spectral.amplitude",)


@pytest.mark.parametrize("most", [3, 30])
def test_the_index_of_a_source_that_is_not_there_rests(monkeypatch, most) -> None:
    monkeypatch.setattr(fits, "MANY_OF_CUBES", most)
    data = hole(models([1e-11, 2e-11, 0.0, 3e-11, 8e-12]))
    result = Fit().run(Likelihood([data], models([1e-11] * 5)))
    assert result.success
    assert result.at_bounds == ("s2.spectral.amplitude",)
    assert "without effect" in result.message
    assert "s2.spectral.index" in result.message
    absent = [name.startswith("s2.") for name in result.names]
    np.testing.assert_array_equal(result.errors == 0, absent)


def test_too_few_steps_and_a_bad_start_are_reported(likelihood, monkeypatch) -> None:
    monkeypatch.setattr(fits, "MANY_OF_CUBES", 3)
    short = Fit(max_steps=2).run(likelihood)
    assert not short.success
    assert "largest number of steps" in short.message
    assert "(look at " in short.message
    bad = likelihood.models.set("s0.spectral.amplitude", value=1e300)
    result = Fit().run(likelihood.with_models(bad.set("s0.spectral.index", value=6)))
    assert not result.success


def test_what_two_parameters_share_is_kept_and_what_curves_down_is_mended() -> None:
    nearly = np.array([[1.0, 0.9995], [0.9995, 1.0]])
    found = definite(nearly[None], 1e-5 * np.eye(2)[None])[0]
    np.testing.assert_allclose(found, nearly + 1e-5 * np.eye(2), atol=1e-12)
    # the Fisher matrix says much along what the Hessian does not, or turns down
    for down in (-0.995, -1.5):
        values = np.linalg.eigvalsh(definite(np.eye(2)[None], np.diag([0.0, down])[None])[0])
        np.testing.assert_allclose(values, sorted([1.0, max(abs(1 + down), LEAST)]), rtol=1e-9)
