"""Errors from a covariance, and energies that solve an equation."""

import jax
import numpy as np
import pytest
from astropy import units as u

from gammajax.models import (
    BrokenPowerLawSpectralModel,
    ConstantSpectralModel,
    ExpCutoffPowerLawSpectralModel,
    GaussianSpectralModel,
    LogParabolaSpectralModel,
    PowerLawSpectralModel,
)
from gammajax.models.spectral.evaluation import propagate
from gammajax.parameters import with_values

POWER_LAW = PowerLawSpectralModel(index=2.4, amplitude=3e-11)
# index, amplitude, reference; the last one is frozen
COVARIANCE = np.array([[0.01, 4e-14, 0], [4e-14, 1e-24, 0], [0, 0, 0]])


def test_error_of_a_power_law_is_the_textbook_one():
    value, error = POWER_LAW.evaluate_error("5 TeV", COVARIANCE)
    log = np.log(5.0)
    relative = 1e-24 / 3e-11**2 + log**2 * 0.01 - 2 * log * 4e-14 / 3e-11
    assert error.unit == u.Unit("TeV-1 cm-2 s-1")
    np.testing.assert_allclose((error / value).value, np.sqrt(relative), rtol=1e-12)


def test_error_of_the_index_is_that_of_the_parameter():
    value, error = POWER_LAW.spectral_index_error([1, 7] * u.TeV, COVARIANCE)
    np.testing.assert_allclose(value, 2.4, rtol=1e-12)
    np.testing.assert_allclose(error, 0.1, rtol=1e-12)


@pytest.mark.parametrize(
    ("method", "plain", "unit"),
    [
        ("integral_error", "evaluate_integral", "cm-2 s-1"),
        ("energy_flux_error", "evaluate_energy_flux", "TeV cm-2 s-1"),
    ],
)
def test_errors_of_integrals_are_those_of_samples(method, plain, unit):
    model = LogParabolaSpectralModel(amplitude=3e-11, reference=1, alpha=2.4, beta=0.2)
    covariance = np.diag([1e-12, 0, 0.01, 0.005]) ** 2
    value, error = getattr(model, method)("0.5 TeV", "20 TeV", covariance)
    assert value.unit == error.unit == u.Unit(unit)
    rng = np.random.default_rng(5)
    draws = rng.multivariate_normal([3e-11, 1, 2.4, 0.2], covariance, size=20000)

    def flux(row):
        return getattr(with_values(model, row), plain)(0.5, 20.0)

    many = jax.jit(jax.vmap(flux))(draws)
    np.testing.assert_allclose(error.value, np.std(many), rtol=0.03)


def test_a_covariance_of_other_parameters_is_an_error():
    with pytest.raises(
        ValueError, match=r"got a covariance of shape \(2, 2\), expected \(3, 3\)"
    ):
        POWER_LAW.evaluate_error(1 * u.TeV, np.eye(2))


def test_errors_at_the_edge_of_the_parameters_are_finite():
    only = np.diag([0.0, 1e-24, 0.0])
    _, error = propagate(POWER_LAW, only, lambda model: model.amplitude**2)
    np.testing.assert_allclose(error, 6e-23, rtol=1e-12)
    cutoff = ExpCutoffPowerLawSpectralModel(lambda_=0.0)
    value, error = cutoff.evaluate_error([1.0, 2.0], np.diag([0.1, 1e-13, 0, 0.01, 0]) ** 2)
    assert np.all(np.isfinite(error))
    np.testing.assert_allclose(value, POWER_LAW.replace(index=1.5, amplitude=1e-12)([1.0, 2.0]))


def test_pivot_of_a_power_law_is_the_textbook_one():
    pivot = POWER_LAW.pivot_energy(COVARIANCE)
    expected = np.exp(COVARIANCE[0, 1] / (3e-11 * COVARIANCE[0, 0]))
    np.testing.assert_allclose(pivot.to_value("TeV"), expected, rtol=1e-9)
    _, here = POWER_LAW.spectral_index_error(pivot, COVARIANCE)
    value, least = POWER_LAW.evaluate_error(pivot, COVARIANCE)
    value_2, other = POWER_LAW.evaluate_error(1.2 * pivot, COVARIANCE)
    assert least / value < other / value_2
    assert here > 0


def test_pivot_is_nan_where_the_error_has_no_minimum():
    assert np.isnan(ConstantSpectralModel().pivot_energy([[1e-26]]))
    outside = POWER_LAW.pivot_energy(COVARIANCE, "10 TeV", "100 TeV")
    assert np.isnan(outside)


class TestInverse:
    def test_is_the_inverse(self, samples):
        for name in ("pl", "sbpl", "ecpl", "lp", "template", "meyer", "ebl-norm"):
            model = samples[name]
            found = model.inverse(model(3 * u.TeV))
            np.testing.assert_allclose(found.to_value("TeV"), 3.0, rtol=1e-11)

    def test_finds_all_energies(self):
        line = GaussianSpectralModel(mean=2.0, sigma=0.1)
        energies = line.inverse_all(line("2.2 TeV"))
        np.testing.assert_allclose(energies.to_value("TeV"), [1.8, 2.2], rtol=1e-9)
        assert line.inverse(line("2.2 TeV")) == energies[0]

    def test_is_nan_where_there_is_none(self):
        line = GaussianSpectralModel(mean=2.0, sigma=0.1)
        assert np.isnan(line.inverse(1e-9))
        assert line.inverse_all(1e-9).size == 0
        assert np.isnan(POWER_LAW.inverse(3e-11, "2 TeV", "9 TeV"))

    def test_takes_units(self):
        model = BrokenPowerLawSpectralModel(index1=1.5, index2=3.0)
        value = model("500 GeV").to("MeV-1 m-2 h-1")
        found = model.inverse(value, 10 * u.GeV, 1e8 * u.MeV)
        np.testing.assert_allclose(found.to_value("GeV"), 500, rtol=1e-11)

    def test_wants_one_flux(self):
        with pytest.raises(ValueError, match="got 2 values, expected one"):
            POWER_LAW.inverse([1e-12, 1e-13])
        with pytest.raises(ValueError, match=r"inverse: value: got the unit 'TeV'"):
            POWER_LAW.inverse(1 * u.TeV)
