"""Axes of times and names, and containers of axes."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.time import Time

from gammajax.maps import LabelMapAxis, MapAxes, MapAxis, TimeMapAxis

TIMES = TimeMapAxis([0, 2] * u.h, [1, 3] * u.h, Time("2020-01-01", scale="tt"), unit="h")
LABELS = LabelMapAxis(["a", "b", "c"], "dataset")
ENERGY = MapAxis.from_energy_edges([1, 10, 100])


def test_times_lie_in_intervals() -> None:
    start = Time("2020-01-01", scale="tt")
    np.testing.assert_array_equal(
        TIMES.coord_to_idx(start + [0.5, 1.5, 2.1, 3.1] * u.h), [0, -1, 1, -1]
    )
    np.testing.assert_array_equal(TIMES.coord_to_idx([-1, 1.5, 9], clip=True), [0, 0, 1])
    np.testing.assert_allclose(TIMES.coord_to_pix([0.5, 2.25]), [0, 0.75])
    assert np.isnan(TIMES.coord_to_pix(1.5))
    np.testing.assert_allclose(TIMES.pix_to_coord([0, 0.75]), [0.5, 2.25])
    assert np.isnan(TIMES.pix_to_coord(2))
    assert TIMES.reference_time == (58849, 0.0)
    assert TIMES.center.tolist() == [0.5, 2.5]
    assert not TIMES.is_contiguous


def test_times_keep_their_digits() -> None:
    start = Time([59000.1, 59001.3], format="mjd", scale="utc")
    axis = TimeMapAxis.from_time_edges(start, start + 1 * u.h, unit="s")
    assert np.abs((axis.time_min - start).to_value("s")).max() < 1e-8
    assert axis.scale == "utc"
    moved = TimeMapAxis(axis.edges_min + 60, axis.edges_max + 60, axis.reference - 60 * u.s)
    assert moved.is_close(axis)
    assert moved != axis
    assert not moved.is_close(axis.slice(0))
    assert axis.squash().nbin == 1
    assert axis.squash().bin_width == pytest.approx(1.2 * 86400 + 3600)


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        ([0, 1], [1], "2,. starts for .1,. stops"),
        ([1], [1], "stop after it starts"),
        ([0, 1], [2, 3], "overlap"),
        ([2, 0], [3, 1], "not in order"),
    ],
)
def test_bad_intervals(low: list, high: list, message: str) -> None:
    with pytest.raises(ValueError, match=f"TimeMapAxis 'time': .*{message}"):
        TimeMapAxis(low, high, (59000, 0.0))


def test_labels() -> None:
    assert LABELS.coord_to_idx("b") == 1
    assert LABELS.pix_to_coord([2, 0.1]).tolist() == ["c", "a"]
    assert np.isnan(LABELS.coord_to_pix("z"))
    assert LABELS.slice(slice(1, 3)).labels == ("b", "c")
    assert LABELS.squash().labels == ("a...c",)
    assert LABELS.is_close(LABELS.rename("x"))
    with pytest.raises(ValueError, match="got 'z', expected some of"):
        LABELS.coord_to_idx("z", clip=True)
    with pytest.raises(ValueError, match="no label at 3"):
        LABELS.pix_to_coord(3)
    with pytest.raises(ValueError, match="has a more than once"):
        LabelMapAxis(["a", "a"])


def test_container() -> None:
    axes = MapAxes([ENERGY, TIMES, LABELS])
    assert axes.names == ("energy", "time", "dataset")
    assert axes.shape == (3, 2, 2)
    assert axes.dim("energy") == 2
    assert axes[1] is axes["time"]
    assert axes[:2].names == ("energy", "time")
    assert axes.drop("time").names == ("energy", "dataset")
    assert axes.squash("energy").shape == (3, 2, 1)
    assert axes.slice_by_idx({"energy": 0, "dataset": slice(0, 2)}).shape == (2, 2)
    assert {name: c.shape for name, c in axes.coords().items()} == {
        "energy": (2,),
        "time": (2, 1),
        "dataset": (3, 1, 1),
    }
    np.testing.assert_allclose(axes.bin_volume()[2, 1], [9, 90])
    assert axes == MapAxes(axes)
    assert hash(axes) == hash(MapAxes(axes))
    assert axes.is_close(axes.replace(MapAxis.from_energy_edges([1 + 1e-8, 10, 100])))
    assert axes.rename({"energy": "energy_true"}).names[0] == "energy_true"
    assert repr(axes).startswith("MapAxes(MapAxis(energy: 2 bins")


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda axes: axes["enrgy"], "there is no axis 'enrgy' .axes: energy, dataset"),
        (lambda axes: axes.drop("time"), "there is no axis 'time'"),
        (lambda axes: MapAxes([ENERGY, ENERGY]), "'energy' is there twice"),
        (lambda axes: axes.slice_by_idx({"energy": 2}), "has no bin 2, only 2"),
    ],
)
def test_what_a_container_refuses(action, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        action(MapAxes([ENERGY, LABELS]))
