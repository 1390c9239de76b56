"""Good time intervals: set operations, files, what is refused."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from gammajax.data import GTI, TimeReference
from gammajax.fits import table, write_tables

REFERENCE = TimeReference(53000.0, 0.25, "utc")
NUMBERS = st.lists(st.integers(0, 40), min_size=2, max_size=12, unique=True)


def gti_of(numbers: list[int]) -> GTI:
    """Intervals between pairs of numbers."""
    even = sorted(numbers)[: len(numbers) // 2 * 2]
    return GTI(even[::2], even[1::2])


def covered(gti: GTI) -> np.ndarray:
    return gti.contains(np.arange(42) + 0.5)


@given(NUMBERS, NUMBERS)
def test_union_and_intersection_are_those_of_sets(one, other) -> None:
    first, second = gti_of(one), gti_of(other)
    union, both = first.union(second), first.intersection(second)
    np.testing.assert_array_equal(covered(union), covered(first) | covered(second))
    np.testing.assert_array_equal(covered(both), covered(first) & covered(second))
    total = first.time_sum + second.time_sum
    np.testing.assert_allclose((union.time_sum + both.time_sum).value, total.value)


@given(NUMBERS)
def test_files_give_intervals_back(numbers) -> None:
    import tempfile
    from pathlib import Path

    gti = GTI(gti_of(numbers).start, gti_of(numbers).stop, REFERENCE)
    with tempfile.TemporaryDirectory() as folder:
        gti.write(Path(folder) / "gti.fits")
        back = GTI.read(Path(folder) / "gti.fits")
    np.testing.assert_array_equal(back.start, gti.start)
    np.testing.assert_array_equal(back.stop, gti.stop)
    assert back.reference == REFERENCE


def test_plot_shows_every_interval() -> None:
    ax = GTI([0.0, 100.0], [50.0, 160.0], REFERENCE).plot()
    assert len(ax.collections[0].get_paths()) == 2
    assert ax.get_title() == "2 good time intervals, 1.833 min"
    assert ax.get_xlabel().endswith("UTC [min]")
    assert GTI([], []).plot().get_title() == "0 good time intervals, 0 min"
    assert GTI([0.0], [20000.0]).plot().get_xlabel().endswith("TT [h]")
    plt.close("all")


def test_select_and_times() -> None:
    gti = GTI([0.0, 100.0], [50.0, 150.0], REFERENCE)
    start = Time(53000.25, format="mjd", scale="utc")
    assert abs((gti.time_start[0] - start).to_value("s")) < 1e-6
    half = gti.time_start[0] + (gti.time_stop[0] - gti.time_start[0]) / 2
    part = gti.select(half, 120.0)
    np.testing.assert_allclose(part.start, [25, 100], atol=1e-6)
    np.testing.assert_allclose(part.stop, [50, 120], atol=1e-6)


def test_intervals_of_other_references_are_shifted() -> None:
    later = TimeReference(53000.0, 0.25 + 10 / 86400, "utc")
    shifted = GTI([0.0], [5.0], later)
    stacked = GTI.stack([shifted, GTI([0.0], [5.0], REFERENCE)])
    np.testing.assert_allclose(np.sort(stacked.start - stacked.start[0]), [0, 10], atol=1e-5)
    assert GTI([0.0], [5.0], REFERENCE).intersection(shifted).time_sum.value == 0
    with pytest.raises(ValueError, match="nothing to stack"):
        GTI.stack([])


@pytest.mark.parametrize(
    ("start", "stop", "message"),
    [
        ([5.0], [1.0], r"interval 0 starts at 5\.0 and stops at 1\.0"),
        ([10.0, 0.0], [20.0, 5.0], r"interval 1 starts at 0\.0 s, before interval 0 stops"),
        ([0.0, 5.0], [10.0, 20.0], "interval 1 starts"),
        ([0.0, np.nan], [1.0, 2.0], "not finite"),
        ([0.0, 1.0], [1.0], "expected as many"),
    ],
)
def test_bad_intervals(start, stop, message, tmp_path) -> None:
    with pytest.raises(ValueError, match=f"GTI: .*{message}"):
        GTI(start, stop)
    if len(start) == len(stop):
        columns = {
            "START": ("D", "s", np.array(start)),
            "STOP": ("D", None, np.array(stop)),
        }
        write_tables({tmp_path / "x.fits": [table("GTI", columns, MJDREFI=1)]}, overwrite=False)
        with pytest.raises(ValueError, match=rf"x\.fits\[GTI\]: GTI: .*{message}"):
            GTI.read(tmp_path / "x.fits")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({}, "has no MJDREFI"),
        ({"MJDREFI": "x"}, "MJDREFI is 'x', expected a finite number"),
        ({"MJDREFI": 1, "TIMESYS": "noon"}, "TIMESYS is 'noon'"),
        ({"MJDREF": 51910.5, "unit": "deg"}, "unit 'deg'"),
    ],
)
def test_broken_headers(header, message, tmp_path) -> None:
    unit = header.get("unit", "s")
    columns = {name: ("D", unit, np.array([1.0])) for name in ("START", "STOP")}
    keywords = {key: value for key, value in header.items() if key != "unit"}
    write_tables({tmp_path / "x.fits": [table("GTI", columns, **keywords)]}, overwrite=False)
    with pytest.raises(ValueError, match=rf"x\.fits\[GTI\].*{message}"):
        GTI.read(tmp_path / "x.fits")
