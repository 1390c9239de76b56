"""Drawn observations."""

import numpy as np
import pytest

from gammajax.models import Models, PowerLawSpectralModel, SkyModel
from gammajax.simulate import TelescopeResponse, simulate_on_off

MODELS = Models(
    SkyModel(PowerLawSpectralModel(index=2.6, amplitude="3.5e-11 cm-2 s-1 TeV-1"), name="crab")
)


def counts(datasets):
    return np.array([[dataset.counts, dataset.counts_off] for dataset in datasets])


def test_the_seed_decides_and_more_observations_leave_the_first_ones():
    first = counts(simulate_on_off(MODELS, n_observations=2, seed=5))
    again = counts(simulate_on_off(MODELS, n_observations=3, seed=5))
    other = counts(simulate_on_off(MODELS, n_observations=2, seed=6))
    np.testing.assert_array_equal(first, again[:2])
    assert np.any(first != other)
    assert np.any(first[0] != first[1])


def test_counts_scatter_like_poisson_around_the_prediction():
    datasets = simulate_on_off(MODELS, n_observations=400, livetime="1 h", seed=1)
    response, dataset = TelescopeResponse(), datasets[0]
    background = response.background(dataset.energy, "1 h")
    expected = np.array([dataset.npred_signal(MODELS) + background, 10 * background])
    drawn = counts(datasets)
    pull = (drawn.sum(axis=0) - 400 * expected) / np.sqrt(400 * expected)
    assert np.abs(pull).max() < 4
    assert pull.std() == pytest.approx(1, abs=0.35)
    seen = expected > 1
    spread = drawn.var(axis=0)[seen] / expected[seen]
    assert spread.mean() == pytest.approx(1, abs=0.05)


def test_each_observation_can_have_its_livetime():
    datasets = simulate_on_off(MODELS, n_observations=2, livetime=[600.0, 1200.0], seed=1)
    assert [dataset.livetime for dataset in datasets] == [600, 1200]
    np.testing.assert_allclose(datasets[1].exposure, 2 * datasets[0].exposure)
    with pytest.raises(ValueError, match="got 2 values for 3 observations"):
        simulate_on_off(MODELS, n_observations=3, livetime=[600.0, 1200.0])
    with pytest.raises(ValueError, match="n_observations is 0"):
        simulate_on_off(MODELS, n_observations=0)
