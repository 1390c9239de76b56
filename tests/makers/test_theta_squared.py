"""Theta-squared tables: by hand, their faults, and against gammapy."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammajax.data import GTI, DataStore, EventList, Observation, Pointing
from gammajax.makers import make_theta_squared_table
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.plots import plot_theta_squared_table
from gammajax.stats import WStatCountsStatistic

FROZEN = Path(__file__).parents[1] / "peer" / "data" / "theta_squared.json"
SOURCE = SkyCoord(10.0, 0.0, unit="deg")
EDGES = np.linspace(0, 0.04, 5)


def run_at(number, pointing, events=(), seconds=60.0):
    """A run with events at offsets (ra, dec) in deg from the source, of 1 TeV each."""
    offsets = np.reshape(events, (-1, 2)).astype(float)
    columns = {
        "RA": 10.0 + offsets[:, 0],
        "DEC": offsets[:, 1],
        "ENERGY": np.ones(len(offsets)),
        "TIME": np.linspace(1, 50, len(offsets)),
    }
    gti = GTI([0.0], [seconds])
    return Observation.create(
        number, pointing=Pointing(*pointing), gti=gti, events=EventList(columns)
    )


# two on the source, one mirrored at the pointing, one a quarter turn around it
EVENTS = [(0.05, 0), (0, 0.15), (1.0, 0.05), (0.5, 0.5)]


def test_a_table_by_hand() -> None:
    table = make_theta_squared_table([run_at(1, (10.5, 0.0), EVENTS)], EDGES, SOURCE)
    assert table["counts"].tolist() == [1, 0, 1, 0]
    assert table["counts_off"].tolist() == [1, 0, 0, 0]
    assert table["alpha"].tolist() == [1.0] * 4
    expected = WStatCountsStatistic(table["counts"], table["counts_off"], 1.0)
    assert table["sqrt_ts"] == pytest.approx(expected.sqrt_ts, abs=1e-12)
    assert table.meta["ON_RA"].deg == 10
    assert table.meta["notes"] == []


def test_runs_with_different_numbers_of_off_positions() -> None:
    """The background is the sum of those of the runs; three fit at 0.5 deg, one at 0.22."""
    far = run_at(1, (10.5, 0.0), EVENTS)
    near = run_at(2, (10.22, 0.0), [(0.5, 0.05), (0.0, 0.0)])
    table = make_theta_squared_table([far, near], EDGES, SOURCE, off_regions_number=3)
    assert table["acceptance"].tolist() == [2.0] * 4
    assert table["acceptance_off"].tolist() == [4.0] * 4
    # (1/3 of the mirrored and the turned event of the first run) + (1 of the second)
    assert table["counts_off"][0] == 3
    assert table["alpha"][0] == pytest.approx((2 / 3 + 1) / 3)
    assert table["alpha"][1] == pytest.approx(2 / 4)
    assert table["excess"][0] == pytest.approx(2 - 2 / 3 - 1)
    assert table.meta["notes"] == ["run 2 has room for 1 off positions"]


def test_off_positions_that_meet_a_mask_are_left_out() -> None:
    geom = WcsGeom.create(skydir=(10.5, 0.0), width=3.0, binsz=0.05)
    mirrored = SkyCoord(11.0, 0.0, unit="deg")
    mask = Map.from_geom(geom, data=geom.separation(mirrored) > 0.1)
    table = make_theta_squared_table(
        [run_at(1, (10.5, 0.0), EVENTS)], EDGES, SOURCE, off_regions_number=3,
        exclusion_mask=mask,
    )  # fmt: skip
    assert table["acceptance_off"].tolist() == [2.0] * 4
    assert table["counts_off"].tolist() == [1, 0, 0, 0]


def test_one_off_position_and_energies() -> None:
    runs = [run_at(1, (10.5, 0.0), EVENTS)]
    off = SkyCoord(10.5, 0.5, unit="deg")
    table = make_theta_squared_table(runs, EDGES, SOURCE, position_off=off)
    assert table["counts_off"].tolist() == [1, 0, 0, 0]
    table = make_theta_squared_table(runs, EDGES, SOURCE, energy_edges=[2, 3])
    assert table["counts"].sum() == 0
    assert table.meta["Energy_filter"].to_value("TeV").tolist() == [2, 3]
    assert table.meta["notes"] == ["there are no events in the bins"]
    assert table["sqrt_ts"].tolist() == [0.0] * 4


def test_runs_that_say_nothing_are_left_out_and_named() -> None:
    good = run_at(1, (10.5, 0.0), EVENTS)
    dark = run_at(2, (10.5, 0.0), EVENTS, seconds=60.0).select_gti(GTI([100.0], [200.0]))
    centred = run_at(3, (10.0, 0.1), EVENTS)
    table = make_theta_squared_table([good, dark, centred], EDGES, SOURCE)
    assert table["acceptance"].tolist() == [1.0] * 4
    assert table.meta["notes"] == [
        "run 2 has no live time, and is left out",
        "run 3 has no room for an off position, and is left out",
    ]
    with pytest.raises(ValueError, match="run 3 has no room"):
        make_theta_squared_table([centred], EDGES, SOURCE)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"theta_squared_axis": [0.1, 0.0]}, "ascend"),
        ({"theta_squared_axis": [-0.1, 0.1]}, "ascend"),
        ({"energy_edges": [1, 2, 3]}, "expected two"),
        ({"off_regions_number": 0}, "1 or more"),
        ({"off_regions_number": 2, "position_off": SkyCoord(12, 0, unit="deg")}, "one of them"),
        ({"position_off": SkyCoord(10.3, 0, unit="deg")}, "overlap"),
    ],
)
def test_bad_options(options, words) -> None:
    given = {"theta_squared_axis": EDGES, "position": SOURCE, **options}
    with pytest.raises(ValueError, match=words):
        make_theta_squared_table([run_at(1, (10.5, 0.0), EVENTS)], **given)


def test_the_picture_has_all_counts() -> None:
    table = make_theta_squared_table([run_at(1, (10.5, 0.0), EVENTS)], EDGES, SOURCE)
    main, lower = plot_theta_squared_table(table)
    assert {text.get_text() for text in main.get_legend().get_texts()} == {
        "on", "off, scaled", "excess",
    }  # fmt: skip
    assert "theta" in lower.get_xlabel()
    plt.close("all")


@pytest.mark.data
@pytest.mark.parametrize("case", ["mirror", "three", "fixed"])
def test_four_runs_of_the_crab_as_the_peer(data_path, case) -> None:
    options = {
        "mirror": {},
        "three": {"off_regions_number": 3, "energy_edges": [1, 10]},
        "fixed": {"position_off": SkyCoord(83.633, 21.0, unit="deg")},
    }[case]
    runs = DataStore.from_dir(data_path("hess-dl3-dr1")).get_observations(
        [23523, 23526, 23559, 23592]
    )
    axis = MapAxis(np.linspace(0, 0.1, 11), name="theta_squared", unit="deg2", interp="lin")
    table = make_theta_squared_table(
        runs, axis, SkyCoord(83.633, 22.014, unit="deg"), **options
    )
    expected = json.loads(FROZEN.read_text())["cases"][case]
    assert table["counts"].sum() > 500
    for name, values in expected.items():
        tolerance = 2e-3 if name.startswith("excess_err") else 1e-9
        np.testing.assert_allclose(table[name], values, rtol=tolerance, atol=1e-9)
