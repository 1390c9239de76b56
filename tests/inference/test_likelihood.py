"""The likelihood object: its statistic, derivatives, prediction and checks."""

import jax
import numpy as np
import pytest

from gammajax.datasets import Datasets, SpectrumDataset
from gammajax.inference import Likelihood
from gammajax.inference.likelihood import _stat
from gammajax.models import Models, PowerLawSpectralModel, SkyModel
from gammajax.parameters import GaussianPrior, LogNormalPrior, NumpyroPrior


def scaled(likelihood, theta):
    return np.where(theta != 0, np.abs(theta), 1.0)


def finite_gradient(likelihood, theta, step=1e-5):
    scale = scaled(likelihood, theta)
    found = []
    for i in range(theta.size):
        shift = np.zeros(theta.size)
        shift[i] = step * scale[i]
        rise = float(likelihood.stat(theta + shift)) - float(likelihood.stat(theta - shift))
        found.append(rise / (2 * shift[i]))
    return np.array(found)


def test_statistic_is_the_sum_over_datasets(likelihood):
    models = likelihood.models
    expected = sum(dataset.stat_sum(models) for dataset in likelihood.datasets)
    assert float(likelihood.stat(likelihood.start)) == pytest.approx(expected, rel=1e-12)


def test_gradient_agrees_with_finite_differences(likelihood):
    theta = likelihood.start * [1.3, 1.1, 1.0] + [0, 0, 0.07]
    expected = finite_gradient(likelihood, theta)
    np.testing.assert_allclose(likelihood.gradient(theta), expected, rtol=1e-6)


def test_hessian_agrees_with_finite_differences_of_the_gradient(likelihood):
    theta = likelihood.start * [1.3, 1.1, 1.0] + [0, 0, 0.07]
    scale = scaled(likelihood, theta)
    rows = []
    for i in range(theta.size):
        shift = np.zeros(theta.size)
        shift[i] = 1e-5 * scale[i]
        up, down = likelihood.gradient(theta + shift), likelihood.gradient(theta - shift)
        rows.append((np.asarray(up) - np.asarray(down)) / (2 * shift[i]))
    expected = np.array(rows) * np.outer(scale, scale)
    found = np.asarray(likelihood.hessian(theta)) * np.outer(scale, scale)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


def test_hessian_vector_product_is_the_hessian_times_the_vector(likelihood):
    theta, vector = likelihood.start, np.array([1e-12, 0.3, -0.2])
    expected = np.asarray(likelihood.hessian(theta)) @ vector
    np.testing.assert_allclose(likelihood.hvp(theta, vector), expected, rtol=1e-9)


def test_fisher_matrix_is_the_mean_hessian_of_simulated_data(datasets, truth):
    likelihood = Likelihood(datasets, truth)
    rng = np.random.default_rng(5)
    hessians, fishers = [], []
    for _ in range(200):
        drawn = []
        for dataset in datasets:
            background = np.maximum(dataset.background, 0.5)
            drawn.append(dataset.fake(truth, background, seed=int(rng.integers(2**31))))
        toy = Likelihood(Datasets(drawn), truth)
        hessians.append(np.asarray(toy.hessian(toy.start)))
        fishers.append(np.asarray(toy.fisher(toy.start)))
    scale = 1 / np.sqrt(np.diag(fishers[0]))
    mean_hessian = np.mean(hessians, axis=0) * np.outer(scale, scale)
    mean_fisher = np.mean(fishers, axis=0) * np.outer(scale, scale)
    spread = np.std(hessians, axis=0) * np.outer(scale, scale) / np.sqrt(200)
    # The profiled background is estimated from few off counts: 2 % is that bias.
    assert np.all(np.abs(mean_hessian - mean_fisher) < 4 * spread + 0.02)
    assert likelihood.n_free == 3


def test_prediction_equals_each_datasets_own(likelihood):
    predicted = likelihood.predict(likelihood.start)
    for dataset in likelihood.datasets:
        expected = dataset.npred_signal(likelihood.models)[dataset.mask]
        np.testing.assert_allclose(predicted[dataset.name], expected, rtol=1e-12)


def test_statistics_of_bins_are_those_of_the_datasets(likelihood):
    arrays = likelihood.stat_arrays(likelihood.start)
    for dataset in likelihood.datasets:
        expected = dataset.stat_array(likelihood.models)[dataset.mask]
        np.testing.assert_allclose(arrays[dataset.name], expected, rtol=1e-12)


def test_other_free_parameters_and_data_compile_nothing(datasets, truth):
    first = Likelihood(datasets, truth.freeze("*.beta"))
    first.stat(first.start)
    compiled = _stat._cache_size()
    second = Likelihood(datasets, truth.freeze("*.alpha").set("*.amplitude", max=1e-9))
    other = [d.replace(counts=d.counts + 1, name=f"other-{d.name}") for d in datasets]
    third = Likelihood(other, Models([*truth]).freeze("*.beta"))
    for likelihood in (second, third):
        likelihood.stat(likelihood.start)
    assert _stat._cache_size() == compiled


def test_statistic_can_be_differentiated_and_mapped_from_outside(likelihood):
    theta = likelihood.start
    np.testing.assert_allclose(
        jax.grad(likelihood.stat)(theta), likelihood.gradient(theta), rtol=1e-10
    )
    several = np.stack([theta, theta * 1.01])
    single = [float(likelihood.stat(row)) for row in several]
    np.testing.assert_allclose(jax.vmap(likelihood.stat)(several), single, rtol=1e-12)


@pytest.mark.parametrize("kind", [GaussianPrior, LogNormalPrior])
def test_priors_add_minus_two_log_density(datasets, truth, kind):
    prior = kind(mu=0.7, sigma=0.2)
    plain, with_prior = (
        Likelihood(datasets, models) for models in (truth, truth.set("*.alpha", prior=prior))
    )
    added = float(with_prior.stat(plain.start)) - float(plain.stat(plain.start))
    assert added == pytest.approx(float(prior.stat(2.4)), rel=1e-9)


def test_prior_from_numpyro_moves_the_statistic(datasets, truth):
    import numpyro.distributions as dist

    prior = NumpyroPrior(dist.Normal(2.0, 0.1))
    likelihood = Likelihood(datasets, truth.set("*.alpha", prior=prior))
    plain = Likelihood(datasets, truth)
    added = float(likelihood.stat(plain.start)) - float(plain.stat(plain.start))
    assert added == pytest.approx(-2 * float(dist.Normal(2.0, 0.1).log_prob(2.4)), rel=1e-9)


def test_linked_parameters_move_together(datasets, truth):
    other = SkyModel(PowerLawSpectralModel(amplitude=1e-12), name="other")
    models = (truth + other).link("other.spectral.index", to="crab.spectral.alpha", offset=0.1)
    likelihood = Likelihood(datasets, models)
    assert "other.spectral.index" not in likelihood.names
    step = np.array([0, 0.2, 0, 0])
    moved = likelihood.models_at(likelihood.start + step, np.eye(4))
    rows = moved.parameters
    assert rows["other.spectral.index"].value == pytest.approx(2.4 + 0.2 + 0.1)
    assert rows["other.spectral.index"].error == pytest.approx(1.0)
    expected = finite_gradient(likelihood, likelihood.start)
    np.testing.assert_allclose(likelihood.gradient(likelihood.start), expected, rtol=1e-5)


def test_components_reach_only_the_datasets_they_name(datasets, truth):
    other = SkyModel(PowerLawSpectralModel(), name="other", datasets_names=["sim-2"])
    likelihood = Likelihood(datasets, truth + other)
    with_other = likelihood.predict(likelihood.start)
    without = Likelihood(datasets, truth)
    alone = without.predict(without.start)
    np.testing.assert_allclose(with_other["sim-1"], alone["sim-1"], rtol=1e-12)
    assert np.all(np.asarray(with_other["sim-2"]) > np.asarray(alone["sim-2"]))


def test_cash_and_wstat_datasets_fit_jointly(datasets, truth):
    first = datasets[0]
    cash = SpectrumDataset(
        name="cash",
        energy=first.energy,
        energy_true=first.energy_true,
        counts=first.counts,
        exposure=first.exposure,
        edisp=first.edisp,
        background=first.background + 0.1,
    )
    both = Likelihood([cash, datasets[1]], truth)
    parts = [float(Likelihood(d, truth).stat(both.start)) for d in (cash, datasets[1])]
    assert float(both.stat(both.start)) == pytest.approx(sum(parts), rel=1e-12)


def test_alpha_zero_in_the_fit_range_names_dataset_and_bins(datasets, truth):
    off = np.ones(12)
    off[3:5] = 0
    broken = datasets[0].replace(acceptance_off=off)
    with pytest.raises(ValueError, match=r"dataset 'sim-1': alpha is 0 in bins 3, 4"):
        Likelihood([broken], truth)
    outside = broken.replace(mask_fit=off > 0)
    assert Likelihood([outside], truth).n_bins == 10


def test_an_empty_fit_range_is_an_error(datasets, truth):
    empty = datasets[0].with_energy_range("50 TeV", "90 TeV")
    with pytest.raises(ValueError, match=r"no bin of sim-1 is left in the fit range"):
        Likelihood([empty], truth)


def test_a_start_outside_the_bounds_is_an_error(datasets, truth):
    with pytest.raises(ValueError, match=r"crab.spectral.alpha: starts at 2.4, outside"):
        Likelihood(datasets, truth.set("*.alpha", max=2))


def test_nothing_free_is_an_error(datasets, truth):
    with pytest.raises(ValueError, match="thaw one to fit"):
        Likelihood(datasets, truth.freeze())


def test_an_unknown_dataset_name_is_an_error(datasets, truth):
    lost = SkyModel(PowerLawSpectralModel(), name="lost", datasets_names=["sim-9"])
    with pytest.raises(ValueError, match=r"component 'lost': datasets_names has sim-9"):
        Likelihood(datasets, truth + lost)


def test_32_bits_are_refused(datasets, truth):
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(ValueError, match="JAX is set to 32-bit floats"):
            Likelihood(datasets, truth)
    finally:
        jax.config.update("jax_enable_x64", True)
