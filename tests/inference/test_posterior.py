"""Posteriors: NUTS and variational inference against quadrature, files, checks."""

import numpy as np
import pytest

from gammajax.inference import Fit, Likelihood, posterior_predictive, sample, svi
from gammajax.inference.posterior import Posterior
from gammajax.parameters import GaussianPrior


@pytest.fixture(scope="module")
def posterior(result):
    return sample(result, n_warmup=200, n_samples=600, seed=4, progress=False)


@pytest.fixture(scope="module")
def exact(likelihood, result):
    """Moments of the posterior by summing the density on a grid."""
    import jax

    half = np.linalg.cholesky(result.covariance)
    nodes, weights = np.polynomial.hermite_e.hermegauss(13)
    grid = np.stack(np.meshgrid(nodes, nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 3)
    weight = np.prod(np.stack(np.meshgrid(weights, weights, weights), axis=-1), axis=-1).ravel()
    points = result.theta + grid @ half.T
    stat = np.asarray(jax.vmap(likelihood.stat)(points))
    density = weight * np.exp(-0.5 * (stat - result.stat) + 0.5 * np.sum(grid**2, axis=1))
    density /= density.sum()
    mean = density @ points
    return mean, np.sqrt(density @ (points - mean) ** 2)


def test_chains_agree_and_nothing_diverges(posterior):
    assert posterior.problems() == []
    assert posterior.samples.shape == (4, 600, 3)
    assert np.all(posterior.r_hat < 1.01)
    assert np.all(posterior.ess > 400)


def test_moments_are_those_of_the_exact_density(posterior, exact):
    mean, spread = exact
    noise = spread / np.sqrt(posterior.ess)
    assert np.all(np.abs(posterior.mean - mean) < 4 * noise)
    np.testing.assert_allclose(posterior.flat.std(axis=0), spread, rtol=0.1)


def test_variational_moments_are_those_of_the_exact_density(result, exact):
    approximate = svi(result, n_samples=20_000, seed=1)
    mean, spread = exact
    assert np.all(np.abs(approximate.mean - mean) < 0.05 * spread)
    np.testing.assert_allclose(approximate.flat.std(axis=0), spread, rtol=0.03)
    assert approximate.settings["importance_efficiency"] > 0.95


def test_the_same_seed_gives_the_same_draws(result, posterior):
    again = sample(result, n_warmup=200, n_samples=600, seed=4, progress=False)
    np.testing.assert_array_equal(again.samples, posterior.samples)


def test_bounds_are_respected_and_reached_for(likelihood, result):
    near = float(result.theta[2])
    bounded = Fit().run(likelihood.with_models(likelihood.models.set("*.beta", max=near)))
    draws = sample(bounded, n_warmup=200, n_samples=600, seed=1, progress=False)[
        "crab.spectral.beta"
    ]
    assert draws.max() <= near
    assert np.mean(draws > near - result.errors[2]) == pytest.approx(0.68, abs=0.08)


def test_a_prior_shapes_the_posterior(likelihood, result):
    tight = GaussianPrior(mu=float(result.theta[1]), sigma=0.01)
    models = likelihood.models.set("*.alpha", prior=tight)
    draws = sample(
        Likelihood(likelihood.datasets, models), n_warmup=200, n_samples=600, progress=False
    )
    assert draws["crab.spectral.alpha"].std() == pytest.approx(0.01, rel=0.1)


def test_files_keep_everything(posterior, tmp_path):
    path = posterior.save(tmp_path / "posterior.zarr")
    back = Posterior.load(path)
    np.testing.assert_array_equal(back.samples, posterior.samples)
    assert back.names == posterior.names
    assert back.units == posterior.units
    assert back.settings == posterior.settings
    np.testing.assert_array_equal(
        back.sample_stats["diverging"], posterior.sample_stats["diverging"]
    )
    with pytest.raises(ValueError, match="exists already"):
        posterior.save(path)
    with pytest.raises(ValueError, match="no group 'posterior'"):
        Posterior.load(tmp_path)
    with pytest.raises(ValueError, match="has no likelihood"):
        back.models()


def test_arviz_has_the_same_draws(posterior):
    data = posterior.to_arviz()
    found = np.asarray(data["posterior"]["crab.spectral.alpha"])
    np.testing.assert_array_equal(found, posterior["crab.spectral.alpha"])


def test_summary_and_tables(posterior):
    rows = posterior.summary()
    assert [row["name"] for row in rows] == list(posterior.names)
    inside = np.mean(
        (posterior.flat[:, 1] > rows[1]["hdi_low"])
        & (posterior.flat[:, 1] < rows[1]["hdi_high"])
    )
    assert inside == pytest.approx(0.68, abs=0.02)
    assert "no problems found" in repr(posterior)
    assert "<table" in posterior._repr_html_()


def test_models_at_the_posterior_mean(posterior):
    row = posterior.models().parameters["crab.spectral.alpha"]
    assert row.value == pytest.approx(posterior.mean[1])
    assert row.error == pytest.approx(posterior.flat[:, 1].std(), rel=1e-2)


def test_problems_are_put_in_words(posterior):
    split = np.concatenate([posterior.samples[:2], posterior.samples[2:] * 1.5])
    bad = Posterior(
        posterior.names,
        posterior.units,
        split,
        {"diverging": np.ones(split.shape[:2], dtype=bool)},
    )
    text = " ".join(bad.problems())
    assert "2400 divergent transitions" in text
    assert "R-hat of" in text


def test_predictive_check_accepts_the_right_model(posterior):
    check = posterior_predictive(posterior, n=200, seed=2)
    assert set(check.p_values) == {"sim-1", "sim-2", "sim-3"}
    assert all(0.01 < p < 0.99 for p in check.p_values.values())
    assert check.counts["sim-1"].shape == (200, 12)


def test_predictive_check_rejects_a_wrong_model(likelihood):
    wrong = likelihood.models.set("*.alpha", value=1.5, frozen=True)
    wrong = wrong.set("*.beta", value=0.0, frozen=True)
    fitted = Fit().run(likelihood.with_models(wrong))
    check = posterior_predictive(svi(fitted), n=200)
    assert all(p < 0.01 for p in check.p_values.values())


def test_a_sampler_without_a_covariance_says_what_to_do(likelihood):
    degenerate = Fit().run(likelihood.with_models(likelihood.models.thaw("*.reference")))
    broken = type(degenerate)(**{**vars(degenerate), "covariance": np.full((4, 4), np.nan)})
    with pytest.raises(ValueError, match="add priors"):
        sample(broken, progress=False)


def test_wrong_numbers_are_named(result):
    with pytest.raises(ValueError, match="n_chains is 0"):
        sample(result, n_chains=0)


def test_unknown_parameters_are_named(posterior):
    with pytest.raises(ValueError, match="no parameter 'gamma'"):
        posterior["gamma"]
