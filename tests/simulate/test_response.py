"""The formulas of the telescope."""

import numpy as np
import pytest
from scipy import integrate, stats

from gammajax.maps import MapAxis
from gammajax.simulate import TelescopeResponse

RESPONSE = TelescopeResponse()
ENERGY = MapAxis.from_energy_bounds(0.3, 50, 12)
ENERGY_TRUE = MapAxis.from_energy_bounds(0.05, 200, 30, name="energy_true")


def test_effective_area_is_its_formula():
    energy = np.array([0.1, 0.25, 3.0])
    expected = 2.3e9 * energy**0.45 / (1 + (0.25 / energy) ** 3)
    np.testing.assert_allclose(RESPONSE.effective_area(energy), expected, rtol=1e-14)


def test_background_is_the_integral_of_its_power_law():
    expected = [
        integrate.quad(lambda e: 3.5e-3 * e**-2.7, low, high, epsrel=1e-12)[0]
        for low, high in zip(ENERGY.edges_min, ENERGY.edges_max, strict=True)
    ]
    np.testing.assert_allclose(
        RESPONSE.background(ENERGY, "2 h"), np.array(expected) * 7200, rtol=1e-10
    )


def test_background_of_index_one_is_flat_in_log_energy():
    response = TelescopeResponse(background_index=1.0, background_rate=2.0)
    width = np.log(ENERGY.edges_max / ENERGY.edges_min)
    np.testing.assert_allclose(response.background(ENERGY, 3.0), 6.0 * width, rtol=1e-12)


def test_edisp_is_the_average_of_the_lognormal_over_the_true_bin():
    matrix = RESPONSE.edisp(ENERGY_TRUE, ENERGY).matrix
    for row in (6, 14, 22):
        low, high = np.log(ENERGY_TRUE.edges[row : row + 2])

        def inside(log_true, column=8):
            law = stats.norm(
                log_true + RESPONSE.energy_bias(np.exp(log_true)),
                RESPONSE.energy_resolution(np.exp(log_true)),
            )
            return law.cdf(np.log(ENERGY.edges[column + 1])) - law.cdf(
                np.log(ENERGY.edges[column])
            )

        expected = integrate.quad(inside, low, high, epsrel=1e-10)[0] / (high - low)
        assert matrix[row, 8] == pytest.approx(expected, abs=1e-4)


def test_edisp_rows_sum_to_one_inside_and_to_less_at_the_edges():
    total = RESPONSE.edisp(ENERGY_TRUE, ENERGY).matrix.sum(axis=1)
    inside = (ENERGY_TRUE.center > 1) & (ENERGY_TRUE.center < 20)
    np.testing.assert_allclose(total[inside], 1, atol=1e-6)
    assert total[0] < 0.01
    assert total[-1] < 0.01


@pytest.mark.parametrize("field", ["area", "threshold", "resolution", "background_rate"])
@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_a_number_out_of_range_is_named(field, value):
    with pytest.raises(ValueError, match=rf"TelescopeResponse\.{field}: got .* expected"):
        TelescopeResponse(**{field: value})


def test_a_wrong_unit_is_named():
    with pytest.raises(ValueError, match=r"TelescopeResponse\.threshold: got the unit 'm'"):
        TelescopeResponse(threshold="1 m")


def test_empty_dataset_takes_livetime_and_regions():
    dataset = RESPONSE.empty_dataset("run", livetime="30 min", n_off_regions=5)
    area = RESPONSE.effective_area(dataset.energy_true.center)
    np.testing.assert_allclose(dataset.exposure, area * 1800)
    np.testing.assert_allclose(dataset.alpha, 0.2)
    assert dataset.livetime == 1800
    with pytest.raises(ValueError, match="livetime of 'run'"):
        RESPONSE.empty_dataset("run", livetime=0)
    with pytest.raises(ValueError, match="n_off_regions is 0"):
        RESPONSE.empty_dataset("run", livetime=1, n_off_regions=0)
