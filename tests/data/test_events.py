"""Event lists: selections, files, what is refused."""

from __future__ import annotations

import gzip

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from regions import CircleSkyRegion

from gammajax.data import GTI, EventList, TimeReference
from gammajax.maps import Map, MapAxis, TimeMapAxis

RUN = "hess-dl3-dr1/data/hess_dl3_dr1_obs_id_023523.fits.gz"
CENTRE = SkyCoord(83.6, 22.0, unit="deg")


@pytest.fixture
def events(rng):
    n = 200
    columns = {
        "EVENT_ID": np.arange(n),
        "RA": rng.normal(83.6, 0.5, n),
        "DEC": rng.normal(22.0, 0.5, n).astype(np.float32),
        "ENERGY": np.geomspace(0.1, 50, n),
        "TIME": np.linspace(0, 1000, n, endpoint=False),
        "PHASE": rng.random(n),
        "KIND": np.array(["on", "off"] * (n // 2)),
        "SHAPE": rng.random((n, 3)),
    }
    reference = TimeReference(55000.0, 0.0, "tt")
    meta = {"OBS_ID": 7, "DEADC": 0.9, "A LONG KEYWORD": "x" * 100}
    return EventList(columns, {"SHAPE": "cm"}, reference, meta)


def test_files_give_events_back(events, tmp_path) -> None:
    gti = GTI([0.0], [1000.0], events.reference)
    events.write(tmp_path / "events.fits", gti)
    back = EventList.read(tmp_path / "events.fits")
    for name, values in events.columns.items():
        np.testing.assert_array_equal(back.columns[name], values, err_msg=name)
    assert back.reference == events.reference
    assert back.units == {"SHAPE": "cm"}
    assert (back.meta["OBS_ID"], back.meta["DEADC"]) == (7, 0.9)
    assert back.meta["A LONG KEYWORD"] == "x" * 100
    assert not {"NAXIS2", "TFORM1", "TTYPE2"} & set(back.meta)
    assert GTI.read(tmp_path / "events.fits").time_sum.value == 1000
    back.write(tmp_path / "again.fits")
    assert len(EventList.read(tmp_path / "again.fits")) == 200


def test_selections(events) -> None:
    energy = events.select_energy("300 GeV", 10 * u.TeV).columns["ENERGY"]
    assert energy.min() >= 0.3
    assert energy.max() < 10
    assert len(events.select_time(100, 200)) == 20
    assert len(events.select_time(events.time[20], 200)) in (19, 20)
    assert len(events.select_gti(GTI([100.0, 500.0], [200.0, 550.0], events.reference))) == 30
    inner = events.select_offset(CENTRE, 0, "0.5 deg")
    assert events.radec.separation(CENTRE).deg[events.separation(CENTRE) < 0.5].max() < 0.5
    wcs = WCS({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 83.6, "CRVAL2": 22.0,
               "CDELT1": -0.02, "CDELT2": 0.02, "CRPIX1": 1, "CRPIX2": 1})  # fmt: skip
    region = CircleSkyRegion(CENTRE, 0.5 * u.deg)
    assert abs(len(events.select_region(region, wcs)) - len(inner)) <= 1
    assert len(events.select_parameter("EVENT_ID", 10, 15)) == 5
    low, rest = events.select_phase(0.2, 0.7), events.select_phase(0.7, 0.2)
    assert len(low) + len(rest) == 200
    with pytest.raises(ValueError, match="no column 'ENERGI'; did you mean 'ENERGY'"):
        events.select_parameter("ENERGI", 0, 1)
    with pytest.raises(ValueError, match=r"the mask has shape \(3,\)"):
        events.select_mask(np.ones(3, dtype=bool))


def test_maps_select_events(events) -> None:
    energy = MapAxis(np.geomspace(0.1, 100, 4))
    phase = MapAxis(np.linspace(0, 1, 3), "phase", "", "lin")
    for kind in ({"binsz": 0.1, "width": 4}, {"map_type": "hpx", "nside": 64}):
        geom = Map.create(skydir=CENTRE, axes=[energy, phase], **kind).geom
        coords = geom.get_coord()
        inside = coords.skycoord.separation(CENTRE).deg < 0.5
        inside = (
            inside & (np.asarray(coords["energy"]) > 1) & (np.asarray(coords["phase"]) < 0.5)
        )
        found = events.select_mask(Map.from_geom(geom, data=inside))
        by_hand = events.select_energy(1, 100).select_phase(0, 0.5)
        both = by_hand.select_offset(CENTRE, 0, 0.5)
        far = by_hand.select_offset(CENTRE, 0.6, 5)
        # pixels on the edge of the circle decide by their centres
        assert 5 < len(found) <= len(by_hand)
        assert abs(len(found) - len(both)) < 6
        assert not set(found.columns["EVENT_ID"]) & set(far.columns["EVENT_ID"])
    counts = Map.create(skydir=CENTRE, width=1, axes=[energy])
    with pytest.raises(ValueError, match="the map has values of no unit and type float"):
        events.select_mask(counts)
    with pytest.raises(ValueError, match="no column 'COLOUR'"):
        events.map_coord(Map.create(axes=[MapAxis([0, 1], "colour", "", "lin")]).geom)


def test_events_fill_maps(events) -> None:
    hours = TimeMapAxis.from_time_edges(events.time[[0, 100]], events.time[[100, -1]])
    image = Map.create(skydir=CENTRE, width=6, binsz=0.5, axes=[hours])
    filled = image.fill_by_coord(events.map_coord(image.geom))
    np.testing.assert_allclose(np.sum(filled.data, axis=(1, 2)), [100, 99], atol=1)


def test_columns_of_any_kind_select(events) -> None:
    assert set(events.select_values("KIND", "on").columns["KIND"]) == {"on"}
    assert list(events.select_values("EVENT_ID", 3, 7).columns["EVENT_ID"]) == [3, 7]
    assert len(events.select_values("KIND", "on", "off")) == 200


def test_stack_moves_times_to_one_reference(events) -> None:
    later = EventList(events.columns, {}, TimeReference(55001.0, 0.0, "tt"))
    both = EventList.stack([events, later])
    assert len(both) == 400
    np.testing.assert_allclose(both.columns["TIME"][200], 86400, atol=1e-5)
    with pytest.raises(ValueError, match="nothing to stack"):
        EventList.stack([])


def test_peek_draws(events) -> None:
    axes = events.peek()
    assert axes[0].get_title() == "Directions (98% of the events)"
    assert axes[0].xaxis_inverted()
    assert events.select_energy(1e5, 1e6).peek() is not None
    plt.close("all")


def test_columns_are_checked(events) -> None:
    columns = dict(events.columns)
    del columns["DEC"]
    with pytest.raises(ValueError, match="EventList: has no column DEC"):
        EventList(columns)
    with pytest.raises(ValueError, match="different lengths"):
        EventList({**events.columns, "RA": np.zeros(3)})


@pytest.mark.parametrize("cut", [0.3, 0.8])
@pytest.mark.parametrize("packed", [False, True])
def test_truncated_files_are_named(events, tmp_path, cut, packed) -> None:
    path = tmp_path / "events.fits"
    events.write(path)
    content = path.read_bytes()
    content = gzip.compress(content) if packed else content
    bad = tmp_path / "bad.fits"
    bad.write_bytes(content[: int(cut * len(content))])
    with pytest.raises(ValueError, match=r"bad\.fits"):
        EventList.read(bad)


def test_damaged_gzip_is_named(events, tmp_path) -> None:
    path = tmp_path / "events.fits"
    events.write(path)
    content = bytearray(gzip.compress(path.read_bytes()))
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(ValueError, match=r"events\.fits: is damaged"):
        EventList.read(path)


HEADERS = st.dictionaries(
    st.sampled_from(["TUNIT2", "TUNIT4", "MJDREFI", "MJDREFF", "TIMESYS", "TTYPE4", "TTYPE5"]),
    st.one_of(st.text("abcmsTeV/ -", max_size=8), st.integers(-5, 10**6), st.booleans()),
    max_size=3,
)


@given(HEADERS)
def test_any_header_reads_or_says_why(header) -> None:
    import tempfile
    from pathlib import Path

    columns = {
        name: np.arange(1.0, 4.0) for name in ("EVENT_ID", "RA", "DEC", "ENERGY", "TIME")
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.fits"
        EventList(columns).write(path.with_name("whole.fits"))
        with fits.open(path.with_name("whole.fits")) as hdus:
            hdus["EVENTS"].header.update(header)
            hdus.writeto(path, output_verify="ignore")
        try:
            found = EventList.read(path)
        except ValueError as error:
            message = str(error)
        else:
            message = "events.fits" if len(found) == 3 else "lost events"
    assert "events.fits" in message


@pytest.mark.data
def test_events_of_hess(data_path) -> None:
    events = EventList.read(data_path(RUN))
    assert len(events) == 7613
    with fits.open(data_path(RUN)) as hdus:
        np.testing.assert_array_equal(events.columns["ENERGY"], hdus["EVENTS"].data["ENERGY"])
    assert events.time[0].utc.isot.startswith("2004-12-04T22:0")


@pytest.mark.data
def test_an_event_list_without_columns_is_empty(data_path) -> None:
    assert len(EventList.read(data_path("tests/format/swgo/map_irfs/DummyEvents.fits.gz"))) == 0
