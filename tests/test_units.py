"""Units go on and come off in one place."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest

from gammajax.units import conversion_factor, is_quantity, to_quantity, to_value


@pytest.mark.parametrize(
    ("given", "unit", "expected"),
    [
        (2, "TeV", 2.0),
        ("300 GeV", "TeV", 0.3),
        (1 * u.erg, "TeV", 0.6241509),
        (3 * u.m**2 * u.h, "cm2 s", 1.08e8),
        ("1e-12 cm-2 s-1 TeV-1", "cm-2 s-1 TeV-1", 1e-12),
        ("1e-5 m-2 s-1 GeV-1", "cm-2 s-1 TeV-1", 1e-6),
        (u.Quantity(50, "percent"), "", 0.5),
        ("2.5", "", 2.5),
    ],
)
def test_to_value(given: object, unit: str, expected: float) -> None:
    value = to_value(given, unit, where="x")
    assert value.dtype == np.float64
    assert float(value) == pytest.approx(expected, rel=1e-7)


def test_to_value_keeps_shape_and_makes_float64() -> None:
    value = to_value(np.array([[1, 2]], dtype=np.int32), "TeV", where="x")
    assert value.dtype == np.float64
    assert value.shape == (1, 2)


@pytest.mark.parametrize(
    ("given", "unit", "message"),
    [
        (1 * u.s, "TeV", r"crab\.index: got the unit 's', which does not convert to 'TeV'"),
        ("1 TeV", "", "which does not convert to 'a dimensionless number'"),
        ("abc", "", r"crab\.index: got 'abc', expected a dimensionless number"),
        ("1 parsnip", "TeV", "expected a number or Quantity in TeV"),
        (True, "", "got True, expected a dimensionless number"),
        (None, "TeV", "got None, expected a number or Quantity in TeV"),
        ([1, [2, 3]], "", "expected a dimensionless number"),
    ],
)
def test_to_value_names_place_value_and_expectation(
    given: object, unit: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        to_value(given, unit, where="crab.index")


def test_quantities_round_trip() -> None:
    quantity = to_quantity([1.0, 2.0], "TeV")
    assert is_quantity(quantity)
    assert not is_quantity(1.0)
    np.testing.assert_array_equal(to_value(quantity.to("erg"), "TeV", where="x"), [1.0, 2.0])


def test_conversion_factor() -> None:
    assert conversion_factor("TeV", "TeV", where="x") == 1.0
    assert conversion_factor("m2", "cm2", where="x") == 1e4
    with pytest.raises(
        ValueError, match="row: got the unit 'm', which does not convert to 's'"
    ):
        conversion_factor("m", "s", where="row")
    with pytest.raises(ValueError, match="'parsnip' is not a unit"):
        conversion_factor("parsnip", "s", where="row")
