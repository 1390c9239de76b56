"""Populations: mean and width are found, and members are drawn together."""

from __future__ import annotations

import numpy as np
import numpyro.distributions as dist
import pytest

from gammajax.datasets import Datasets
from gammajax.inference import Fit, Likelihood, Population, sample, svi
from gammajax.maps import MapAxis
from gammajax.models import Models, PowerLawSpectralModel, SkyModel
from gammajax.parameters import GaussianPrior
from gammajax.simulate import simulate_on_off

NUMBER, MEAN, WIDTH = 16, 2.3, 0.25
INDICES = Population("*.spectral.index", mean=dist.Normal(2.0, 1.0), width=dist.HalfNormal(1.0))


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return np.random.default_rng(5).normal(MEAN, WIDTH, size=NUMBER)


@pytest.fixture(scope="module")
def result(truth):
    """Sources from strong to weak, each with a spectrum of its own."""
    energy = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=6)
    true = MapAxis.from_energy_bounds("0.2 TeV", "50 TeV", nbin=15, name="energy_true")
    components, datasets = [], []
    for i, index in enumerate(truth):
        spectrum = PowerLawSpectralModel(index=index, amplitude=4e-11 * 0.85**i)
        source = SkyModel(spectrum, name=f"s{i}", datasets_names=f"d{i}")
        alone = Models([SkyModel(spectrum, name="s")])
        made = simulate_on_off(alone, n_observations=1, energy=energy, energy_true=true, seed=i)
        components.append(source)
        datasets.append(made[0].replace(name=f"d{i}"))
    models = Models(components).set("*.amplitude", min=0).set("*.index", min=-1, max=7)
    return Fit().run(Likelihood(Datasets(datasets), models))


@pytest.fixture(scope="module")
def posterior(result):
    return sample(result, population=INDICES, n_samples=500, progress=False)


def test_mean_and_width_are_those_that_were_simulated(posterior, truth) -> None:
    assert posterior.names[-2:] == ("population.mean", "population.width")
    assert np.all(posterior.r_hat < 1.02)
    assert posterior.n_divergent < 0.01 * posterior.flat.shape[0]
    mean, width = (posterior[name] for name in posterior.names[-2:])
    assert abs(mean.mean() - truth.mean()) < 3 * mean.std()
    assert abs(width.mean() - truth.std()) < 3 * width.std()
    assert mean.std() < 0.1
    assert width.std() < 0.1


def test_weak_members_are_drawn_to_the_mean_and_strong_ones_stay(posterior, result) -> None:
    mean = posterior["population.mean"].mean()
    place = [i for i, name in enumerate(result.names) if name.endswith("index")]
    alone, error = result.theta[place], result.errors[place]
    together = posterior.mean[: result.theta.size][place]
    assert abs(together[0] - alone[0]) < 0.5 * error[0]
    weak = error > 0.13
    assert weak.sum() > 3
    assert np.std(together[weak] - mean) < 0.9 * np.std(alone[weak] - mean)


def test_it_is_the_marginal_of_a_normal_model(posterior, result) -> None:
    """Members of normal likelihoods: the posterior of mean and width on a grid."""
    place = [i for i, name in enumerate(result.names) if name.endswith("index")]
    t, e = result.theta[place], result.errors[place]
    m, w = np.meshgrid(np.linspace(1.8, 2.8, 101), np.linspace(0.005, 0.8, 120))
    square = w[..., None] ** 2 + e**2
    log = -0.5 * np.sum((t - m[..., None]) ** 2 / square + np.log(square), axis=-1)
    log += -0.5 * (m - 2.0) ** 2 - 0.5 * w**2
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    for name, grid in (("population.mean", m), ("population.width", w)):
        expected = np.sum(weight * grid)
        spread = np.sqrt(np.sum(weight * (grid - expected) ** 2))
        # the likelihoods of weak members are not normal, so not exactly
        assert abs(posterior[name].mean() - expected) < 0.5 * spread
        assert posterior[name].std() == pytest.approx(spread, rel=0.25)


def test_a_guide_of_low_rank_finds_the_same(posterior, result) -> None:
    guide = svi(result, population=INDICES, rank=4)
    for name in INDICES.names:
        chain = posterior[name]
        assert abs(guide[name].mean() - chain.mean()) < 0.5 * chain.std()
        assert guide[name].std() == pytest.approx(chain.std(), rel=0.35)


def test_models_and_draws_leave_the_hyper_parameters_out(posterior, result) -> None:
    assert posterior.theta.shape[1] == result.theta.size
    models = posterior.models()
    assert models.parameters["s0.spectral.index"].value == pytest.approx(
        posterior["s0.spectral.index"].mean()
    )


def test_what_cannot_be_is_said(result) -> None:
    with pytest.raises(ValueError, match=r"mean is 2\.3, expected a distribution"):
        Population("*.index", mean=2.3, width=dist.HalfNormal(1.0))
    few = Population("s0.spectral.index", mean=dist.Normal(), width=dist.HalfNormal())
    with pytest.raises(ValueError, match="1 of the 1 parameters that match are free"):
        sample(result, population=few)
    with pytest.raises(ValueError, match="share the names"):
        sample(result, population=[INDICES, INDICES])
    with pytest.raises(ValueError, match="a population needs 'blocks'"):
        sample(result, population=INDICES, mass="dense")
    with pytest.raises(ValueError, match="give a rank"):
        svi(result, population=INDICES)
    models = result.models.set("s3.spectral.index", prior=GaussianPrior(2.0, 0.5))
    own = Fit().run(result.likelihood.with_models(models))
    with pytest.raises(ValueError, match=r"s3\.spectral\.index have priors of their own"):
        sample(own, population=INDICES)
