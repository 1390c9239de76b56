"""Spectra for tests: an on-off and a Cash dataset with a real shape and few bins."""

import numpy as np
import pytest

from gammajax.datasets import SpectrumDataset, SpectrumDatasetOnOff
from gammajax.irf import EDispKernel
from gammajax.maps import MapAxis

ENERGY = MapAxis(np.geomspace(0.1, 100, 10))
ENERGY_TRUE = MapAxis(np.geomspace(0.05, 200, 15), "energy_true")


def edisp():
    """A dispersion with an empty row, and one row in two pieces."""
    matrix = np.array(EDispKernel.from_gauss(ENERGY_TRUE, ENERGY, 0.3).matrix)
    matrix[matrix < 1e-4] = 0
    matrix[0] = 0
    matrix[5, 3] = 0
    return EDispKernel(ENERGY_TRUE, ENERGY, matrix)


def common(fields):
    area = 1e9 * (ENERGY_TRUE.center / 0.3) ** 0.4
    numbers = np.random.default_rng(0)
    given = {
        "name": "run 7",
        "energy": ENERGY,
        "energy_true": ENERGY_TRUE,
        "counts": numbers.poisson(20.0, ENERGY.nbin).astype(float),
        "exposure": area * 1800.0,
        "edisp": edisp(),
        "mask_safe": np.arange(ENERGY.nbin) > 1,
        "livetime": 1800.0,
    }
    return {**given, **fields}


@pytest.fixture(scope="session")
def on_off():
    def make(**fields):
        given = {
            "counts_off": np.arange(ENERGY.nbin) * 3.0,
            "acceptance": 1.0,
            "acceptance_off": np.linspace(5, 8, ENERGY.nbin),
        }
        return SpectrumDatasetOnOff(**common({**given, **fields}))

    return make


@pytest.fixture(scope="session")
def cash():
    def make(**fields):
        return SpectrumDataset(**common({"background": np.linspace(9, 1, 9), **fields}))

    return make


@pytest.fixture(scope="session")
def same():
    """Whether two datasets agree in everything that a fit needs."""

    def check(one, other, *, rtol=0.0):
        assert type(one) is type(other)
        names = ["counts", "exposure", "mask_safe", "mask_fit", "background"]
        if isinstance(one, SpectrumDatasetOnOff):
            names += ["counts_off", "alpha"]
        for name in names:
            found, expected = getattr(one, name), getattr(other, name)
            np.testing.assert_allclose(found, expected, rtol=4e-16, err_msg=name)
        for axis in ("energy", "energy_true"):
            np.testing.assert_array_equal(getattr(one, axis).edges, getattr(other, axis).edges)
        np.testing.assert_allclose(one.edisp.matrix, other.edisp.matrix, rtol=rtol, atol=0)
        return True

    return check
