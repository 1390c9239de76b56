"""Folders of DL3 data: read back by us, and the numbers that gammapy read from the same."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from gammajax.data import GTI, DataStore, Observation, Observations, PointingTable, write_dl3
from gammajax.fits import FitsFile

HERE = Path(__file__).resolve().parents[1] / "peer"
UNITS = {"aeff": "m2", "edisp": "", "bkg": "s-1 TeV-1 sr-1", "psf": "sr-1", "rad_max": "deg"}


@pytest.fixture(scope="module")
def runs() -> list[Observation]:
    """The runs of tests/peer/freeze_dl3.py."""
    spec = importlib.util.spec_from_file_location("freeze_dl3", HERE / "freeze_dl3.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.example_runs()


@pytest.fixture(scope="module")
def frozen() -> dict:
    """What gammapy 2.1 read from the folder."""
    return json.loads((HERE / "data" / "dl3.json").read_text())


@pytest.fixture(scope="module", params=["run", "parts"])
def store(request, runs, tmp_path_factory) -> DataStore:
    folder = tmp_path_factory.mktemp(request.param)
    write_dl3(runs, folder, layout=request.param)
    return DataStore.from_dir(folder)


def test_runs_come_back(runs, store) -> None:
    assert store.obs_ids == [1, 2, 3]
    assert store.check() == []
    assert list(store.column("QUALITY")) == [1, 2, 3]
    assert set(store.column("OBJECT")) == {"Crab"}
    for run in runs:
        back = store.obs(run.obs_id)
        for name, values in run.events.columns.items():
            np.testing.assert_array_equal(back.events.columns[name], values)
        np.testing.assert_array_equal(back.gti.start, run.gti.start)
        assert back.gti.reference == run.gti.reference
        np.testing.assert_allclose(back.livetime.value, run.livetime.value, rtol=1e-12)
        assert back.pointing.header["OBS_MODE"] == run.pointing.header["OBS_MODE"]
        assert back.available_irfs == run.available_irfs
        for part in run.available_irfs:
            irf, again = getattr(run, part), getattr(back, part)
            assert (type(again), again.point_like) == (type(irf), irf.point_like)
            np.testing.assert_allclose(again.values, irf.values, rtol=1e-13)


def test_index_says_what_the_runs_are(runs, store) -> None:
    for run in runs:
        row = store.runs[run.obs_id]
        here = run.pointing.icrs(run.tmid)
        np.testing.assert_allclose([row["RA_PNT"], row["DEC_PNT"]], [here.ra.deg, here.dec.deg])
        assert row["EVENT_COUNT"] == len(run.events)
        assert row["TSTOP"] - row["TSTART"] == 1800
        assert row["ONTIME"] == 1700
        np.testing.assert_allclose(row["ALT_PNT"] + row["ZEN_PNT"], 90)
    np.testing.assert_allclose(store.runs[3]["ALT_PNT"], 41.0)
    np.testing.assert_allclose(store.runs[2]["ALT_PNT"], 80.0)


def test_gammapy_reads_the_same(runs, frozen) -> None:
    for run in runs:
        peer = frozen["runs"][str(run.obs_id)]
        assert peer["events"]["n"] == len(run.events)
        np.testing.assert_allclose(peer["events"]["sum"], run.events.energy.value.sum())
        np.testing.assert_allclose(
            peer["events"]["mjd"], run.events.time[[0, -1]].utc.mjd, rtol=0, atol=1e-9
        )
        mjd = [run.gti.time_start.utc.mjd, run.gti.time_stop.utc.mjd]
        np.testing.assert_allclose(peer["gti"], mjd, rtol=0, atol=1e-9)
        np.testing.assert_allclose(peer["livetime"], run.livetime.value)
        here = run.pointing.icrs(run.gti.time_start[0])
        np.testing.assert_allclose(peer["pointing"], [here.ra.deg, here.dec.deg], rtol=1e-8)
        assert list(peer["irfs"]) == [
            part for part in ("aeff", "edisp", "psf", "bkg", "rad_max") if part in run.available
        ]
        for part, there in peer["irfs"].items():
            irf = getattr(run, part)
            assert there["kind"] == type(irf).__name__
            assert there["point_like"] == irf.point_like
            assert there["alignment"] == irf.fov_alignment
            found = irf.evaluate(**there["coords"]).to_value(UNITS[part])
            np.testing.assert_allclose(found, there["values"], rtol=2e-6, err_msg=part)


def test_pointing_tables_are_those_that_gammapy_reads(store, frozen) -> None:
    for number in store.obs_ids:
        run = store.obs(number)
        table, peer = run.pointing_table, frozen["runs"][str(number)]["table"]
        ends = [0, -1]
        found = [table.ra[ends], table.dec[ends], table.altaz(run.gti.reference.time(
            table.seconds[ends])).alt.deg]  # fmt: skip
        np.testing.assert_allclose(found, peer, atol=1e-6)


def test_a_pointing_that_moves_is_read_from_its_table(tmp_path, runs) -> None:
    moving = PointingTable([4000.0, 5000.0, 5800.0], [350.0, 10.0, 20.0], [0.0, 0.0, 5.0],
                           runs[2].gti.reference, runs[2].pointing.location)  # fmt: skip
    made = Observation.create(9, pointing=moving, gti=runs[2].gti)
    write_dl3([made], tmp_path)
    run = DataStore.from_dir(tmp_path).obs(9)
    assert isinstance(run.pointing, PointingTable)
    assert len(run.events) == 0
    middle = run.pointing.icrs(4500.0)
    np.testing.assert_allclose([middle.ra.wrap_at("180d").deg, middle.dec.deg], 0, atol=1e-9)
    altitude = run.pointing.altaz(run.tmid).alt.deg
    np.testing.assert_allclose(DataStore.from_dir(tmp_path).column("ALT_PNT"), altitude)
    with pytest.raises(
        ValueError, match="covers 4000 to 5800 s, and the times asked for are 1"
    ):
        run.pointing.icrs(1.0)
    with pytest.raises(ValueError, match="give a time"):
        run.pointing.icrs()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([0.0, 1.0], [1.0], [2.0]), "expected as many of each"),
        (([0.0, 0.0], [1.0, 2.0], [2.0, 3.0]), "row 1 is at 0 s, after 0 s"),
        (([0.0, 1.0], [1.0, np.nan], [2.0, 3.0]), "ra has values that are not finite"),
    ],
)
def test_pointing_tables_are_checked(columns, message) -> None:
    with pytest.raises(ValueError, match=f"PointingTable: .*{message}"):
        PointingTable(*columns)


def test_broken_pointing_tables_name_file_and_extension(tmp_path) -> None:
    from gammajax.fits import table, write_tables

    columns = {name: ("D", "deg", np.array([1.0, 0.0])) for name in ("RA_PNT", "DEC_PNT")}
    columns["TIME"] = ("D", "s", np.array([1.0, 0.0]))
    hdus = [table("POINTING", columns, MJDREFI=5000)]
    write_tables({tmp_path / "x.fits": hdus}, overwrite=False)
    with pytest.raises(ValueError, match=r"x\.fits\[POINTING\]: PointingTable: times have to"):
        PointingTable.read(tmp_path / "x.fits")


def test_what_cannot_be_written(tmp_path, runs) -> None:
    with pytest.raises(ValueError, match=r"different numbers, got \[1, 1\]"):
        write_dl3([runs[0], runs[0]], tmp_path)
    with pytest.raises(ValueError, match=r"different numbers, got \[\]"):
        write_dl3([], tmp_path)
    with pytest.raises(ValueError, match="layout is 'heap'"):
        write_dl3(runs, tmp_path, layout="heap")
    write_dl3(runs[:1], tmp_path)
    with pytest.raises(ValueError, match=r"obs-index\.fits\.gz: exists already"):
        write_dl3(runs, tmp_path)
    write_dl3(runs, tmp_path, overwrite=True)
    assert DataStore.from_dir(tmp_path).obs_ids == [1, 2, 3]


def test_created_runs_are_checked(runs) -> None:
    run = runs[0]
    parts = {"pointing": run.pointing, "gti": run.gti}
    with pytest.raises(ValueError, match=r"run 4: dead_time_fraction is 1, expected"):
        Observation.create(4, **parts, dead_time_fraction=1.0)
    with pytest.raises(ValueError, match=r"run 4: unknown response 'area' \(known: aeff"):
        Observation.create(4, **parts, irfs={"area": run.aeff})
    with pytest.raises(ValueError, match=r"run 4: has no psf \(it has events, gti, aeff\)"):
        _ = Observation.create(4, **parts, irfs={"aeff": run.aeff}).psf


@pytest.mark.data
def test_real_runs_are_written_and_their_responses_shared(data_path, tmp_path) -> None:
    runs = DataStore.from_dir(data_path("cta-1dc/index/gps")).get_observations(missing="skip")
    minutes = [GTI(run.gti.start, run.gti.start + 60, run.gti.reference) for run in runs]
    parts = [run.select_gti(gti) for run, gti in zip(runs, minutes, strict=True)]
    Observations(parts).write(tmp_path, layout="parts")
    files = sorted(path.name for path in (tmp_path / "data").iterdir())
    assert [name for name in files if name.startswith("psf")] == ["psf_110380.fits.gz"]
    store = DataStore.from_dir(tmp_path)
    assert store.check() == []
    back, psf = store.obs(111140), runs["111140"].psf
    np.testing.assert_allclose(back.psf.values, psf.values, rtol=1e-6)
    header = FitsFile(tmp_path / "data" / "events_110380.fits.gz").block("EVENTS").header
    assert header["OBJECT"] == "Galactic Plane Survey"
