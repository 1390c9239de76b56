"""Declared parameters: conversion, names, order, and vectors of values."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gammajax.models.base import Model
from gammajax.parameters import get_values, parameter, slots, table, with_values


class Line(Model):
    """One number with a unit, one without, one table."""

    energy: Any = parameter(1.0, "TeV", min=0.1, max=10, frozen=True, description="position")
    slope: Any = parameter(2.0)
    grid: Any = table("TeV", default=(1.0, 2.0))


class Nodes(Model):
    """A vector of parameters named after the field."""

    norms: Any = parameter((1.0, 2.0, 3.0), vector=True)


class Named(Model):
    """A vector of parameters whose names are given."""

    values: Any = parameter(vector=True, names_from="labels")
    labels: tuple[str, ...] = eqx.field(static=True, default=("a", "b"))


class Pair(Model):
    """Two models in one, one of them under another name."""

    first: Any
    second: Any = eqx.field(metadata={"prefix": "other"})


def test_defaults_bounds_and_description() -> None:
    specs = Line.parameter_specs()
    assert list(specs) == ["energy", "slope"]
    spec = specs["energy"]
    assert (spec.min, spec.max, spec.frozen, spec.unit) == (0.1, 10, True, "TeV")
    assert spec.description == "position"
    assert spec.where == "Line.energy"
    assert (specs["slope"].min, specs["slope"].max) == (-np.inf, np.inf)


def test_values_are_converted_to_float64_arrays_on_the_host() -> None:
    line = Line(energy="300 GeV", slope=3)
    assert isinstance(line.energy, np.ndarray)
    assert line.energy.dtype == line.slope.dtype == np.float64
    assert float(line.energy) == pytest.approx(0.3)
    assert float(line.replace(energy=500 * u.GeV).energy) == pytest.approx(0.5)
    np.testing.assert_array_equal(Line(grid=[1, 2, 3] * u.GeV).grid, [1e-3, 2e-3, 3e-3])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"energy": "1 s"}, r"Line\.energy: got the unit 's'.* to 'TeV'"),
        ({"slope": "steep"}, r"Line\.slope: got 'steep', expected a dimensionless number"),
        ({"slope": [1, 2]}, r"Line\.slope: got an array of shape \(2,\), expected one number"),
        ({"slope": np.nan}, r"Line\.slope: got nan, which is not a number"),
        ({"slope": None}, r"Line\.slope: got None"),
        ({"slope": True}, r"Line\.slope: got True"),
    ],
)
def test_bad_values_name_class_and_field(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Line(**fields)


def test_a_vector_wants_a_list() -> None:
    with pytest.raises(ValueError, match=r"Nodes\.norms: .* expected a list of numbers"):
        Nodes(norms=1.0)


def test_replace_names_the_fields_that_there_are() -> None:
    with pytest.raises(
        ValueError, match="Line: has no field 'slop'; it has energy, slope, grid"
    ):
        Line().replace(slop=2)


def test_subclass_owns_its_own_parameters() -> None:
    class Steeper(Line):
        slope: Any = parameter(5.0)

    with pytest.raises(ValueError, match=r"Steeper\.slope"):
        Steeper(slope="x")
    with pytest.raises(ValueError, match=r"Line\.slope"):
        Line(slope="x")


def test_names_are_paths() -> None:
    pair = Pair(Line(), Pair(Nodes(), Named(values=[4.0, 5.0])))
    expected = ("energy", "slope", "norm_0", "norm_1", "norm_2", "a", "b")
    stems = ("first.", "first.", *["other.first."] * 3, *["other.other."] * 2)
    assert pair.parameter_names == tuple(s + n for s, n in zip(stems, expected, strict=True))
    np.testing.assert_array_equal(get_values(pair), [1, 2, 1, 2, 3, 4, 5])
    assert [slot.item for slot in slots(pair)] == [-1, -1, 0, 1, 2, 0, 1]


def test_values_round_trip() -> None:
    pair = Pair(Line(), Nodes())
    moved = with_values(pair, np.array([0.5, 1.5, 7.0, 8.0, 9.0]))
    np.testing.assert_array_equal(get_values(moved), [0.5, 1.5, 7, 8, 9])
    np.testing.assert_array_equal(moved.first.grid, pair.first.grid)
    assert jax.tree_util.tree_structure(moved) == jax.tree_util.tree_structure(pair)


def test_values_may_be_batched_and_traced() -> None:
    pair = Pair(Line(), Nodes())
    batch = np.arange(10.0).reshape(2, 5)
    moved = with_values(pair, batch)
    assert moved.first.slope.shape == (2,)
    assert moved.second.norms.shape == (2, 3)

    def total(values: Any) -> Any:
        at = with_values(pair, values)
        return at.first.slope**2 + jnp.sum(at.second.norms)

    np.testing.assert_array_equal(jax.jit(jax.grad(total))(batch[0]), [0, 2, 1, 1, 1])


def test_repr_shows_values_units_and_survives_tracing() -> None:
    assert repr(Line(slope=1.25)) == "Line(energy=1 TeV, slope=1.25)"
    seen = []

    @jax.jit
    def look(line: Line) -> Any:
        seen.append(repr(line))
        return line.slope

    look(Line())
    assert "traced" in seen[0]
