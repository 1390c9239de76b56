"""Posterior flux points and light curves: against quadrature, with priors, their faults."""

from __future__ import annotations

import jax
import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.time import Time, TimeDelta
from scipy.integrate import cumulative_trapezoid
from scipy.stats import norm

from gammajax.data import GTI
from gammajax.datasets import Datasets
from gammajax.estimators import FluxPointsEstimator, LightCurveEstimator
from gammajax.estimators.scaled import scaled_models
from gammajax.inference import Likelihood
from gammajax.parameters import GaussianPrior
from gammajax.plots import plot_light_curve_violins, plot_violins

EDGES = np.geomspace(0.5, 30, 5)
HOUR = TimeDelta(3600, format="sec")
OPTIONS = {"n_chains": 4, "n_samples": 1500, "seed": 2}


def quantiles(datasets, models, inside, levels, prior=None):
    """Quantiles of the posterior of a norm by quadrature."""
    parts = [d.replace(mask_fit=d.mask_fit & inside) for d in datasets]
    likelihood = Likelihood(parts, scaled_models(models, "crab"))
    value = np.linspace(0, 4, 2001)
    stat = np.asarray(jax.vmap(lambda v: likelihood.stat(v[None]))(value))
    if prior is not None:
        stat = stat + np.asarray(prior.stat(value))
    density = np.exp(-0.5 * (stat - stat.min()))
    total = cumulative_trapezoid(density, value, initial=0)
    return np.interp(levels, total / total[-1], value)


@pytest.fixture(scope="module")
def points(spectra, models):
    return FluxPointsEstimator(energy_edges=EDGES).sample(spectra, models, **OPTIONS)


def test_flat_prior_against_quadrature(points, spectra, models) -> None:
    """Medians, errors and limits to 3 Monte Carlo errors; test statistics of the likelihood."""
    norms = points.norms
    plain = FluxPointsEstimator(energy_edges=EDGES).run(spectra, models).norms
    np.testing.assert_array_equal(norms.ts, plain.ts)
    assert norms.confidence == pytest.approx(norm.cdf(2))
    center = spectra[0].energy.center
    for i in (0, 3):
        inside = (center > points.energy_min[i]) & (center < points.energy_max[i])
        levels = [norm.cdf(-1), 0.5, norm.cdf(1), norm.cdf(2)]
        low, middle, high, limit = quantiles(spectra, models, inside, levels)
        error = norms.norm_err[i] / np.sqrt(2000)
        assert norms.norm[i] == pytest.approx(middle, abs=4 * error)
        assert norms.norm_errn[i] == pytest.approx(middle - low, abs=6 * error)
        assert norms.norm_errp[i] == pytest.approx(high - middle, abs=6 * error)
        assert norms.norm_ul[i] == pytest.approx(limit, abs=12 * error)
    assert norms.success.all()
    assert points.limit[0] == pytest.approx(norms.norm_ul[0] * norms.ref_dnde[0])
    assert points.meta["posterior"].problems() == []


def test_a_prior_pulls(spectra, models) -> None:
    """A narrow Gaussian on a norm is what its posterior becomes."""
    prior = GaussianPrior(mu=0.5, sigma=0.01)
    found = FluxPointsEstimator(energy_edges=[0.5, 2, 30]).sample(
        spectra, models, prior=prior, n_samples=300, seed=1
    )
    center = spectra[0].energy.center
    inside = center < found.energy_max[0]
    value = np.linspace(0.4, 0.8, 400)
    likelihood = Likelihood(
        [d.replace(mask_fit=d.mask_fit & inside) for d in spectra],
        scaled_models(models, "crab"),
    )
    stat = [float(likelihood.stat(np.array([v]))) + float(prior.stat(v)) for v in value]
    assert found.norms.norm[0] == pytest.approx(value[np.argmin(stat)], abs=0.003)


def test_an_empty_bin_has_the_limit_of_an_empty_measurement(spectra, models) -> None:
    """Without counts on and off the density is e to the minus npred."""
    center = spectra[0].energy.center
    last = center > 10
    empty = [
        d.replace(
            counts=np.where(last, 0, d.counts), counts_off=np.where(last, 0, d.counts_off)
        )
        for d in spectra
    ]
    found = FluxPointsEstimator(energy_edges=[0.5, 10, 30]).sample(empty, models, **OPTIONS)
    unit = sum(d.npred_signal(models)[last].sum() for d in empty)
    expected = -np.log(1 - norm.cdf(2)) / unit
    assert found.norms.norm_ul[1] == pytest.approx(expected, rel=0.1)
    assert "no counts" in found.norms.notes[1]
    assert bool(found.is_limit[1])


def test_bins_without_exposure_have_no_samples(spectra, models) -> None:
    dark = [
        d.replace(exposure=np.where(d.energy_true.center > 3, 0.0, d.exposure)) for d in spectra
    ]
    found = FluxPointsEstimator(energy_edges=[0.5, 2, 5, 10, 30]).sample(
        dark, models, n_samples=200, seed=1
    )
    assert np.isnan(found.norms.samples[-1]).all()
    assert np.isfinite(found.norms.samples[0]).all()
    assert "no dataset has exposure" in found.norms.notes[-1]


def test_joint_points_have_the_covariance_of_the_fit(spectra, models) -> None:
    estimator = FluxPointsEstimator(energy_edges=[0.5, 1, 2, 4], method="joint")
    fit = estimator.run(spectra, models).norms
    found = estimator.sample(spectra, models, **OPTIONS).norms
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), fit.norm_err, rtol=0.1)
    correlation = found.covariance[0, 1] / np.prod(found.norm_err[:2])
    expected = fit.covariance[0, 1] / np.prod(fit.norm_err[:2])
    assert correlation == pytest.approx(expected, abs=0.08)


@pytest.mark.long
def test_light_curves_have_posteriors_too(spectra, models) -> None:
    start = Time("2020-01-01T00:00:00")
    runs = Datasets(
        [
            d.replace(gti=GTI.create(start + i * HOUR, start + (i + 0.3) * HOUR))
            for i, d in enumerate(spectra)
        ]
    )
    for method in ("independent", "joint"):
        curve = LightCurveEstimator(method=method).sample(runs, models, **OPTIONS)
        plain = LightCurveEstimator(method=method).run(runs, models)
        assert curve.norms.samples.shape == (3, 1, 6000)
        pull = (curve.norms.norm - plain.norms.norm) / plain.norms.norm_err
        assert np.abs(pull).max() < 0.3
        np.testing.assert_allclose(curve.norms.norm_err, plain.norms.norm_err, rtol=0.15)
        with pytest.raises(ValueError, match="no samples"):
            plot_light_curve_violins(plain)
    ax = plot_light_curve_violins(curve, label="posterior")
    assert len(ax.collections) == 3
    low, high = ax.get_ylim()
    assert low < curve.values("norm").min() < curve.values("norm").max() < high
    plt.close("all")


def test_violins(points, spectra, models) -> None:
    ax = plot_violins(points, label="posterior")
    assert len(ax.collections) == len(points)
    plt.close("all")
    plain = FluxPointsEstimator(energy_edges=EDGES).run(spectra, models)
    with pytest.raises(ValueError, match="no samples"):
        plot_violins(plain)
    with pytest.raises(ValueError, match="expected \\(4,\\) and two draws"):
        plain.with_samples(np.ones((3, 10)))
    same = plain.with_samples(points.norms.samples)
    np.testing.assert_array_equal(same.value, points.value)
