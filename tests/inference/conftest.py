"""A small joint likelihood that the tests of this folder share."""

import pytest

from gammajax.inference import Fit, Likelihood
from gammajax.maps import MapAxis
from gammajax.models import LogParabolaSpectralModel, Models, SkyModel
from gammajax.simulate import simulate_on_off

ENERGY = MapAxis.from_energy_bounds("0.3 TeV", "30 TeV", nbin=12)
ENERGY_TRUE = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=30, name="energy_true")


@pytest.fixture(scope="session")
def truth():
    spectrum = LogParabolaSpectralModel(
        amplitude="4e-11 cm-2 s-1 TeV-1", reference="1 TeV", alpha=2.4, beta=0.15
    )
    return Models([SkyModel(spectrum, name="crab")])


@pytest.fixture(scope="session")
def datasets(truth):
    return simulate_on_off(
        truth,
        n_observations=3,
        livetime="40 min",
        energy=ENERGY,
        energy_true=ENERGY_TRUE,
        seed=3,
    )


@pytest.fixture(scope="session")
def likelihood(datasets, truth):
    return Likelihood(datasets, truth.set("*.amplitude", value=1e-11).set("*.beta", value=0.0))


@pytest.fixture(scope="session")
def result(likelihood):
    return Fit().run(likelihood)
