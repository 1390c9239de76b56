"""Axes of binned data."""

from __future__ import annotations

import astropy.units as u
import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ([1.0, 2.0], {"interp": "cos"}, "interp is 'cos', expected 'lin', 'log' or 'sqrt'"),
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


SCALES = st.sampled_from(["lin", "log", "sqrt"])


@st.composite
def axes(draw: st.DrawFn) -> MapAxis:
    """Any axis of 1 to 20 bins or nodes."""
    steps = draw(st.lists(st.floats(0.01, 10), min_size=2, max_size=20))
    values = draw(st.floats(0.1, 10)) + np.cumsum(steps)
    make = draw(st.sampled_from([MapAxis.from_edges, MapAxis.from_nodes]))
    return make(values, name="x", unit="deg", interp=draw(SCALES))


@given(axes())
def test_pixels_and_coordinates_are_inverse(axis: MapAxis) -> None:
    np.testing.assert_allclose(axis.coord_to_pix(axis.center), np.arange(axis.nbin), atol=1e-9)
    pix = np.linspace(-0.5, axis.nbin - 0.5, 23)
    np.testing.assert_allclose(axis.coord_to_pix(axis.pix_to_coord(pix)), pix, atol=1e-7)
    assert np.all(np.diff(axis.pix_to_coord(pix)) > 0)


@given(axes())
def test_index_finds_the_bin_of_its_centre(axis: MapAxis) -> None:
    np.testing.assert_array_equal(axis.coord_to_idx(axis.center), np.arange(axis.nbin))
    np.testing.assert_array_equal(axis.coord_to_idx(axis.edges_min), np.arange(axis.nbin))
    ends = axis.edges[[0, -1]] + [-1e-3, 0]
    np.testing.assert_array_equal(axis.coord_to_idx(ends), [-1, -1])
    np.testing.assert_array_equal(axis.coord_to_idx(ends, clip=True), [0, axis.nbin - 1])


@given(axes(), st.integers(1, 5))
def test_upsampled_axis_downsamples_to_itself(axis: MapAxis, factor: int) -> None:
    fine = axis.upsample(factor)
    back = fine.downsample(factor)
    assert back.is_close(axis)
    assert back.node_type == axis.node_type
    np.testing.assert_array_equal(back.squash().edges, back.edges[[0, -1]])


@given(axes(), st.integers(1, 19))
def test_slices_join_to_the_whole(axis: MapAxis, place: int) -> None:
    if axis.nbin < 4:
        return
    place = 2 + place % (axis.nbin - 3)
    joined = axis.slice(slice(0, place)).concatenate(axis.slice(slice(place, None)))
    assert joined == axis
    assert hash(joined) == hash(axis)


def test_nodes_have_edges_halfway() -> None:
    linear = MapAxis.from_nodes([0, 1, 4], name="theta", unit="deg")
    np.testing.assert_allclose(linear.edges, [-0.5, 0.5, 2.5, 5.5])
    np.testing.assert_array_equal(linear.center, [0, 1, 4])
    logarithmic = MapAxis.from_nodes([1, 4, 16])
    np.testing.assert_allclose(logarithmic.edges, [0.5, 2, 8, 32])
    root = MapAxis.from_nodes([1, 4, 9], name="x", interp="sqrt")
    np.testing.assert_allclose(root.edges, [0.25, 2.25, 6.25, 12.25])
    np.testing.assert_allclose(MapAxis.from_nodes([10]).edges, [10**0.5, 10**1.5])
    np.testing.assert_allclose(MapAxis.from_nodes([10], name="x").edges, [9.5, 10.5])


def test_defaults_follow_the_name_and_the_unit() -> None:
    energy = MapAxis.from_edges([1, 10] * u.GeV, name="energy_true")
    assert (energy.unit, energy.interp) == ("TeV", "log")
    offset = MapAxis.from_bounds("0 deg", "4 deg", 2, name="offset")
    assert (offset.unit, offset.interp, offset.edges.tolist()) == ("deg", "lin", [0, 2, 4])
    root = MapAxis.from_bounds(0, 4, 2, name="x", interp="sqrt")
    np.testing.assert_allclose(root.edges, [0, 1, 4])
    nodes = MapAxis.from_bounds(1, 100, 3, node_type="center")
    np.testing.assert_allclose(nodes.center, [1, 10, 100])


def test_equal_axes_share_compiled_code() -> None:
    compiled = []

    @jax.jit
    def position(x: jax.Array) -> jax.Array:
        compiled.append(1)
        return axis.coord_to_pix(x)

    axis = MapAxis.from_energy_bounds(1, 100, 4)
    assert float(position(10.0)) == pytest.approx(1.5)
    slope = jax.grad(axis.coord_to_pix)(10.0)
    assert float(slope) == pytest.approx(2 / np.log(10) / 10)
    with pytest.raises(ValueError, match="read-only"):
        axis.edges[0] = 3


def test_resample_takes_the_nearest_edges() -> None:
    axis = MapAxis.from_energy_edges([1, 2, 4, 8, 16])
    assert axis.resample(MapAxis.from_energy_edges([1.9, 9])).edges.tolist() == [2, 8]
    with pytest.raises(ValueError, match="nothing to resample"):
        axis.resample(MapAxis.from_energy_edges([1.1, 1.2]))


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda axis: axis.downsample(3), "4 bins cannot be joined by 3"),
        (lambda axis: axis.downsample(0), "the factor is 0"),
        (lambda axis: axis.upsample(1.5), "the factor is 1.5"),
        (lambda axis: axis.slice(7), "expected at least one bin"),
        (lambda axis: axis.slice(slice(0, 4, 2)), "step 1"),
        (lambda axis: axis.concatenate(axis), "joined axes have to touch"),
        (lambda axis: axis.concatenate(axis.rename("x")), "has another name"),
        (lambda axis: axis.coord_to_pix("1 s"), "unit 's', which does not convert to 'TeV'"),
        (lambda axis: MapAxis.from_nodes([2, 1]), "nodes have to increase"),
        (lambda axis: MapAxis.from_nodes([-1, 1]), "starts above 0"),
        (lambda axis: MapAxis.from_bounds(1, 1, 3), "expected them to increase"),
        (lambda axis: MapAxis.from_bounds(1, 2, 0), "nbin is 0"),
        (lambda axis: MapAxis.from_bounds(1, 2, 1, node_type="x"), "node_type is 'x'"),
        (lambda axis: MapAxis(axis.edges, nodes=[1.0]), "1 nodes for 4 bins"),
    ],
)
def test_what_an_axis_refuses(action, message: str) -> None:
    with pytest.raises(ValueError, match=f"MapAxis 'energy': .*{message}"):
        action(MapAxis.from_energy_edges([1, 2, 4, 8, 16]))
