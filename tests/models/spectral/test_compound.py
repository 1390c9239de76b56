"""Arithmetic on models."""

import operator

import numpy as np
import pytest

from gammajax.models import (
    CompoundSpectralModel,
    ConstantSpectralModel,
    LogParabolaSpectralModel,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    ScaleSpectralModel,
)
from gammajax.models.spectral.compound import compound

PL = PowerLawSpectralModel(index=2.2)
LP = LogParabolaSpectralModel(reference=1.0)
NORM = PowerLawNormSpectralModel(tilt=0.3, norm=2.0)
E = np.array([0.3, 1.0, 8.0])


@pytest.mark.parametrize("how", [operator.add, operator.sub])
def test_sums_and_differences(how):
    model = how(PL, LP)
    np.testing.assert_allclose(model(E), how(PL(E), LP(E)), rtol=1e-13)
    np.testing.assert_allclose(
        model.integral(1, 10), how(PL.integral(1, 10), LP.integral(1, 10)), rtol=1e-13
    )
    np.testing.assert_allclose(
        model.energy_flux(1, 10), how(PL.energy_flux(1, 10), LP.energy_flux(1, 10)), rtol=1e-13
    )


def test_a_product_of_power_laws_is_one():
    expected = PowerLawSpectralModel(index=2.5, amplitude=2e-12)
    for model in (PL * NORM, NORM * PL):
        assert model.unit == PL.unit
        np.testing.assert_allclose(model(E), expected(E), rtol=1e-13)
        np.testing.assert_allclose(
            model.integral(0.1, 10), expected.integral(0.1, 10), rtol=1e-12
        )


def test_norms_times_norms_are_norms():
    assert (NORM * NORM).is_norm
    assert (NORM + NORM).is_norm


@pytest.mark.parametrize("number", [2, 2.0, np.float64(2), np.array(2.0)])
def test_numbers_scale(number):
    for model in (PL * number, number * PL):
        assert isinstance(model, ScaleSpectralModel)
        np.testing.assert_allclose(model(E), 2 * np.asarray(PL(E)), rtol=1e-14)
        np.testing.assert_allclose(model.integral(1, 10), 2 * PL.integral(1, 10), rtol=1e-14)


def test_names_say_which_part():
    nested = (PL + LP) * NORM
    assert nested.parameter_names[0] == "model1.model1.index"
    assert nested.parameter_names[-1] == "model2.reference"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PL * LP, "PowerLawSpectralModel and LogParabolaSpectralModel are both fluxes"),
        (lambda: PL + NORM, "are a flux and a norm, which can be multiplied only"),
        (lambda: PL + 3.0, "add with the number 3.0; make it a model"),
        (lambda: CompoundSpectralModel(PL, LP, "div"), "got 'div', expected one of add, sub"),
        (lambda: CompoundSpectralModel(PL, 2.0), "model2: got a float, expected"),
        (lambda: ScaleSpectralModel("pl"), "model is a str, expected a SpectralModel"),
    ],
)
def test_what_does_not_fit_is_an_error(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_other_things_are_left_to_python():
    assert compound(PL, "x", "add") is NotImplemented
    with pytest.raises(TypeError):
        PL + "x"


def test_constants_add():
    model = PL + ConstantSpectralModel(1e-12)
    np.testing.assert_allclose(model("1 TeV").value, 2e-12)
