"""Axes of binned data."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest

from gammajax.maps import MapAxis


def test_energy_bounds() -> None:
    axis = MapAxis.from_energy_bounds("10 GeV", 10 * u.TeV, 3)
    np.testing.assert_allclose(axis.edges, [0.01, 0.1, 1, 10])
    np.testing.assert_allclose(axis.center, np.sqrt(axis.edges[1:] * axis.edges[:-1]))
    np.testing.assert_allclose(axis.bin_width, [0.09, 0.9, 9])
    assert axis.nbin == 3
    assert str(axis.quantity().unit) == "TeV"


def test_bins_per_decade_are_rounded_up() -> None:
    assert MapAxis.from_energy_bounds(1, 100, 5, per_decade=True).nbin == 10
    assert MapAxis.from_energy_bounds(1, 101, 5, per_decade=True).nbin == 11


def test_linear_axis_has_arithmetic_centres() -> None:
    axis = MapAxis.from_edges([0, 1, 3], name="offset", unit="deg", interp="lin")
    np.testing.assert_array_equal(axis.center, [0.5, 2])


def test_edges_of_a_quantity_are_converted() -> None:
    axis = MapAxis.from_energy_edges([1, 2, 4] * u.GeV, name="energy_true")
    np.testing.assert_allclose(axis.edges, [1e-3, 2e-3, 4e-3])
    assert axis.name == "energy_true"


def test_mask_takes_whole_bins() -> None:
    axis = MapAxis.from_energy_edges([1, 2, 4, 8, 16])
    assert axis.mask("2 TeV", "8 TeV").tolist() == [False, True, True, False]
    assert axis.mask(1.5, 7.9).tolist() == [False, True, False, False]
    assert axis.mask(None, 4).tolist() == [True, True, False, False]
    assert axis.mask(100).tolist() == [False] * 4
    assert axis.mask().all()


def test_mask_forgives_rounding() -> None:
    edges = np.geomspace(0.01, 100, 73)
    axis = MapAxis.from_energy_edges(edges)
    single = edges.astype(np.float32).astype(float)
    expected = np.zeros(72, bool)
    expected[18:54] = True
    np.testing.assert_array_equal(axis.mask(single[18], single[54]), expected)


def test_is_close() -> None:
    axis = MapAxis.from_energy_edges([1, 2, 4])
    assert axis.is_close(MapAxis.from_energy_edges([1 + 1e-7, 2, 4]))
    assert not axis.is_close(MapAxis.from_energy_edges([1, 2.1, 4]))
    assert not axis.is_close(MapAxis.from_energy_edges([1, 2, 4, 8]))


@pytest.mark.parametrize(
    ("edges", "options", "message"),
    [
        ([1.0], {}, "expected at least two"),
        ([[1.0, 2.0]], {}, "expected at least two"),
        ([1.0, 1.0], {}, "edges have to increase"),
        ([1.0, np.nan], {}, "edges have to increase"),
        ([1.0, np.inf], {}, "edges have to increase"),
        ([0.0, 1.0], {}, "a logarithmic axis starts above 0"),
        ([1.0, 2.0], {"interp": "sqrt"}, "interp is 'sqrt', expected 'lin' or 'log'"),
        ([1, 2] * u.s, {}, "got the unit 's', which does not convert to 'TeV'"),
    ],
)
def test_bad_edges(edges: object, options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=f"MapAxis 'energy': .*{message}"):
        MapAxis.from_edges(edges, **options)


@pytest.mark.parametrize(
    ("arguments", "message"), [((2, 1, 3), "expected 0 < min < max"), ((1, 2, 0), "nbin is 0")]
)
def test_bad_bounds(arguments: tuple[float, float, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MapAxis.from_energy_bounds(*arguments)


def test_repr_says_what_it_is() -> None:
    axis = MapAxis.from_energy_bounds(0.1, 10, 4)
    assert repr(axis) == "MapAxis(energy: 4 bins, 0.1 to 10 TeV, log)"
