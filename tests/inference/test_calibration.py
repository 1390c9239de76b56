"""Do the errors mean what they say? Thousands of simulated datasets in one batch."""

import jax
import numpy as np
import pytest
from scipy.stats import kstest

from gammajax.inference import Fit, Likelihood, fit_toys, nuts
from gammajax.inference.toys import draw_counts
from gammajax.inference.whitening import Whitening
from gammajax.parameters import GaussianPrior


def background(likelihood, value):
    return {d.name: np.full(int(d.mask.sum()), value) for d in likelihood.datasets}


@pytest.mark.long
def test_pulls_are_a_unit_normal_at_high_counts(datasets, truth):
    strong = truth.set("*.amplitude", value=1.2e-10)
    likelihood = Likelihood(datasets, strong)
    excess = [float(np.sum(mu)) for mu in likelihood.predict(likelihood.start).values()]
    assert min(excess) > 1000
    toys = fit_toys(
        likelihood, n_toys=1000, seed=11, background=background(likelihood, 3.0), held=True
    )
    assert toys.converged.all()
    for i, name in enumerate(toys.names):
        pulls = toys.root_pulls[:, i]
        assert kstest(pulls, "norm").pvalue > 1e-3, name
        assert abs(pulls.mean()) < 4 / np.sqrt(1000), name
        assert pulls.std() == pytest.approx(1, abs=0.08), name
        assert toys.coverage()[i] == pytest.approx(0.683, abs=0.05), name


def test_coverage_at_low_counts(datasets, truth):
    """About ten excess counts in each dataset: intervals cover, within a few per cent."""
    weak = truth.set("*.amplitude", value=1.5e-12).freeze("*.beta")
    likelihood = Likelihood(datasets, weak)
    excess = [float(np.sum(mu)) for mu in likelihood.predict(likelihood.start).values()]
    assert max(excess) < 60
    toys = fit_toys(
        likelihood, n_toys=1000, seed=12, background=background(likelihood, 0.5), held=True
    )
    good = toys.converged
    assert good.mean() > 0.97
    covered = np.abs(toys.root_pulls[good]) <= 1
    assert np.all(np.abs(covered.mean(axis=0) - 0.683) < 0.06)


@pytest.mark.long
def test_nuts_ranks_are_uniform(datasets, truth):
    """Simulation-based calibration (Talts et al. 2018): truths drawn from the prior."""
    priors = {
        "amplitude": GaussianPrior(mu=4e-11, sigma=4e-12),
        "alpha": GaussianPrior(mu=2.4, sigma=0.2),
        "beta": GaussianPrior(mu=0.15, sigma=0.1),
    }
    models = truth
    for name, prior in priors.items():
        models = models.set(f"*.{name}", prior=prior)
    likelihood = Likelihood(datasets, models)
    problem, index = likelihood.problem, likelihood._index
    n_sets, n_draws, thin = 256, 63, 4
    rng = np.random.default_rng(8)
    drawn = np.stack([rng.normal(p.mu, p.sigma, n_sets) for p in priors.values()], axis=1)
    whitening = Whitening.from_fit(Fit().run(likelihood))
    options = {"n_warmup": 150, "target": 0.8, "depth": 7}

    @jax.jit
    def ranks(theta, key, z):
        from gammajax.inference.problem import predictions

        key_data, key_chain = jax.random.split(key)
        mu = predictions(problem, problem.space.insert(theta, index))
        means = [t.expected(m, 2.0) for t, m in zip(problem.terms, mu, strict=True)]
        toy = draw_counts(problem, means, key_data)
        state = nuts.begin(toy, whitening, z[None], key_chain[None], **options)
        steps = options["n_warmup"] + n_draws * thin
        _, draws = nuts.advance(toy, whitening, state, n_steps=steps, **options)
        kept = draws.theta[0, options["n_warmup"] :: thin]
        return (kept < theta).sum(axis=0), draws.diverging[0, options["n_warmup"] :].sum()

    keys = jax.random.split(jax.random.key(1), n_sets)
    z = rng.normal(size=(n_sets, 3))
    found, divergent = jax.lax.map(lambda a: ranks(*a), (drawn, keys, z), batch_size=64)
    assert int(divergent.sum()) == 0
    uniform = (np.asarray(found) + rng.uniform(size=found.shape)) / (n_draws + 1)
    for i, name in enumerate(priors):
        assert kstest(uniform[:, i], "uniform").pvalue > 1e-3, name


def test_toys_start_from_the_profiled_background_by_default(likelihood):
    toys = fit_toys(likelihood.with_models(Fit().run(likelihood).models), n_toys=64, seed=2)
    assert toys.converged.all()
    assert np.all(np.isnan(toys.stat_held))
    assert np.all(np.abs(toys.pulls.mean(axis=0)) < 0.7)
    assert "64 simulated, 64 converged" in repr(toys)


def test_backgrounds_are_checked(likelihood):
    with pytest.raises(ValueError, match="no background for sim-2, sim-3"):
        fit_toys(likelihood, n_toys=2, background={"sim-1": 1.0})
    wrong = {name: np.ones(5) for name in likelihood.datasets.names}
    with pytest.raises(ValueError, match=r"background of 'sim-1' has shape \(5,\)"):
        fit_toys(likelihood, n_toys=2, background=wrong)


def test_equal_seeds_give_equal_toys(likelihood):
    first, second = (fit_toys(likelihood, n_toys=10, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.theta, second.theta)
