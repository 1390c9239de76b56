"""Templates and piecewise norms."""

import numpy as np
import pytest
from astropy import units as u

from gammajax.models import (
    PiecewiseNormSpectralModel,
    PowerLawSpectralModel,
    TemplateNDSpectralModel,
    TemplateSpectralModel,
)

ENERGY = np.array([0.1, 1.0, 10.0])
GRID = np.array([0.01, 0.05, 0.1, 0.5, 1.0, 3.0, 10.0, 200.0])


def power_law_table(**options):
    values = PowerLawSpectralModel(index=2.3)(ENERGY * u.TeV)
    return TemplateSpectralModel(ENERGY * 1e3 * u.GeV, values, **options)


def test_a_table_of_a_power_law_is_that_power_law_inside_and_outside():
    exact, model = PowerLawSpectralModel(index=2.3), power_law_table()
    np.testing.assert_allclose(model(GRID), exact(GRID), rtol=1e-12)
    np.testing.assert_allclose(model.integral(0.02, 90), exact.integral(0.02, 90), rtol=1e-12)


def test_zeros_in_a_table_are_tiny():
    model = TemplateSpectralModel(ENERGY, [1e-12, 1e-14, 0.0])
    assert 0 < float(model(10.0)) < 1e-37
    assert np.isfinite(model.integral(1, 20))


def test_dimensionless_values_make_a_norm():
    model = TemplateSpectralModel(ENERGY, [1, 2, 3] * u.one)
    assert model.is_norm
    assert (model * PowerLawSpectralModel()).unit == PowerLawSpectralModel().unit
    assert model.replace(interp="lin").is_norm


def test_values_have_other_units_converted():
    model = TemplateSpectralModel(ENERGY, [1e-16, 1e-17, 1e-18] * u.Unit("cm-2 s-1 MeV-1"))
    np.testing.assert_allclose(model.values, [1e-10, 1e-11, 1e-12], rtol=1e-14)


def test_linear_values_are_not_below_zero():
    model = TemplateSpectralModel(ENERGY, [3e-12, 2e-12, 1e-12], interp="lin")
    np.testing.assert_allclose(model(1000.0), 0.0)
    np.testing.assert_allclose(model(np.sqrt(10)), 1.5e-12, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 1, 2], [1, 1, 1]), "energy: got .* expected at least two ascending positive"),
        (([1], [1]), "energy: got"),
        (([0, 1], [1, 1]), "energy: got"),
        (([1, 2], [1, 1, 1]), r"values: got the shape \(3,\), expected \(2,\)"),
        (([1, 2], [1, -1]), "values: .* none below 0 for interp='log'; the smallest is -1"),
        (([1, 2], [1, np.nan]), "values: expected finite numbers"),
        (([1, 2], [1, 2], None, "cubic"), "interp: got 'cubic', expected 'log' or 'lin'"),
        (([1, 2], [1, 2] * u.TeV), "values: got the unit 'TeV'"),
    ],
)
def test_bad_templates_are_errors(arguments, message):
    with pytest.raises(ValueError, match=f"TemplateSpectralModel.{message}"):
        TemplateSpectralModel(*arguments)


class TestTemplateND:
    def model(self, **options):
        index = np.array([1.5, 2.0, 2.5, 3.0])
        scale = np.array([1.0, 10.0])
        values = 1e-12 * scale[:, None, None] * ENERGY ** -index[:, None]
        return TemplateNDSpectralModel(
            ENERGY,
            values,
            axes=[scale, index],
            names=["scale", "index"],
            **{"axes_interp": ["log", "lin"]} | options,
        )

    @pytest.mark.parametrize("coordinates", [(1.0, 1.5), (3.0, 2.2), (10.0, 3.0), (20.0, 3.3)])
    def test_power_laws_are_found_between_and_beyond_the_nodes(self, coordinates):
        model = self.model(coordinates=coordinates)
        exact = PowerLawSpectralModel(index=coordinates[1], amplitude=1e-12 * coordinates[0])
        np.testing.assert_allclose(model(GRID), exact(GRID), rtol=1e-11)
        np.testing.assert_allclose(
            model.integral(0.02, 90), exact.integral(0.02, 90), rtol=1e-11
        )

    def test_parameters_are_the_axes(self):
        assert self.model().parameter_names == ("scale", "index")
        assert repr(self.model()) == "TemplateNDSpectralModel(scale=5.5, index=2.25)"

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"names": ["scale"]}, "got 2 axes, 1 names"),
            (
                {"coordinates": [1.0]},
                "coordinates: got .* expected one of each of scale, index",
            ),
            ({"axes_interp": ["log", "cubic"]}, "axes_interp of index: got 'cubic'"),
            ({"axes": [[0.0, 1.0], [1, 2, 3, 4]]}, "axes of scale: got"),
        ],
    )
    def test_bad_axes_are_errors(self, options, message):
        with pytest.raises(ValueError, match=message):
            self.model().replace(**options)


class TestPiecewise:
    def test_norms_are_one_by_default_and_constant_outside(self):
        model = PiecewiseNormSpectralModel(ENERGY * u.TeV)
        np.testing.assert_allclose(model(GRID), 1.0)
        model = PiecewiseNormSpectralModel(ENERGY, [2, 1, 3])
        np.testing.assert_allclose(model([0.001, 1000]), [2, 3], rtol=1e-14)

    def test_names_are_numbered(self):
        model = PiecewiseNormSpectralModel(ENERGY)
        assert model.parameter_names == ("norm_0", "norm_1", "norm_2")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (([1.0, 2.0], [1.0]), "norms: got 1, expected one for each of the 2 energies"),
            (([2.0, 1.0], [1.0, 1.0]), "energy: got"),
            (([1.0, 2.0], [1.0, 1.0], "sqrt"), "interp: got 'sqrt'"),
        ],
    )
    def test_bad_norms_are_errors(self, arguments, message):
        with pytest.raises(ValueError, match=f"PiecewiseNormSpectralModel.{message}"):
            PiecewiseNormSpectralModel(*arguments)
