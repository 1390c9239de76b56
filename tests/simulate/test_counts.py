"""Counts of datasets, drawn many times."""

import numpy as np
import pytest
from scipy import stats

from gammajax.datasets import MapDataset
from gammajax.maps import MapAxis, WcsGeom
from gammajax.models import FoVBackgroundModel
from gammajax.simulate import TelescopeResponse, fake_counts

GEOM = WcsGeom.create(npix=5, axes=[MapAxis(np.geomspace(1, 10, 3))])


def cube(name, seed):
    empty = MapDataset.create(GEOM, name=name)
    mean = np.random.default_rng(seed).uniform(0.2, 30, GEOM.data_shape)
    return empty.replace(background=empty.counts.with_data(mean))


def test_counts_are_poisson_numbers_of_the_prediction():
    one, two = cube("one", 1), cube("two", 2)
    norm = FoVBackgroundModel(datasets_names="two")
    found = fake_counts([one, two], [norm], 500, seed=3)
    for dataset in (one, two):
        counts, mu = np.asarray(found[dataset.name]), np.asarray(dataset.background.data)
        assert counts.shape == (500, *GEOM.data_shape)
        chi2 = np.sum((counts.sum(axis=0) - 500 * mu) ** 2 / (500 * mu))
        assert 1e-3 < stats.chi2.sf(chi2, mu.size) < 1 - 1e-3
        np.testing.assert_allclose(counts.var(axis=0) / mu, 1, atol=0.35)
    alone = fake_counts([one], None, 500, seed=3)
    np.testing.assert_array_equal(alone["one"], found["one"])


def test_a_measured_background_and_no_realisation_are_errors():
    on_off = TelescopeResponse().empty_dataset("run", livetime=100.0)
    with pytest.raises(ValueError, match="'run' is a SpectrumDatasetOnOff"):
        fake_counts([on_off], None, 3)
    with pytest.raises(ValueError, match="n is 0"):
        fake_counts([cube("one", 1)], None, 0)
