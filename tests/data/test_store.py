"""Folders of observations: real ones, and broken ones."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import AltAz, EarthLocation, SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time

from gammajax import fits as fits_room
from gammajax.data import (
    GTI,
    DataStore,
    EventList,
    Observation,
    Place,
    Pointing,
    TimeReference,
    fov_coordinates,
    write_dl3,
)
from gammajax.fits import FitsFile, table, write_tables
from gammajax.irf import PSF3D, EffectiveAreaTable2D, formula_irfs
from gammajax.irf.gadf import irf_hdu

CRAB = SkyCoord(83.633, 22.014, unit="deg")
REFERENCE = TimeReference(55000.0, 0.0, "tt")


def write_run(path, number: int, gti: GTI | None = None, **changed) -> None:
    """A run of three events, its good times and an effective area."""
    columns = {"RA": [83.0, 83.5, 84.0], "DEC": [22.0, 22.0, 21.5], "ENERGY": [0.5, 1.0, 2.0]}
    columns = {name: np.array(values) for name, values in columns.items()}
    columns["TIME"] = np.array([10.0, 20.0, 90.0])
    columns |= {name: np.array(x) for name, x in changed.items() if name in columns}
    header = {key: value for key, value in changed.items() if key not in columns}
    meta = {"OBS_ID": number, "RA_PNT": 83.6 + number, "DEC_PNT": 22.0, "DEADC": 0.9, **header}
    events = EventList(columns, {}, REFERENCE, meta)
    area = EffectiveAreaTable2D.from_parametrization("HESS", [0.1, 1.0, 10.0])
    gti = gti or GTI([0.0], [100.0], REFERENCE)
    hdus = [events.to_hdu(), gti.to_hdu(), irf_hdu(area, "AEFF")]
    write_tables({path: hdus}, overwrite=True)


@pytest.fixture
def folder(tmp_path):
    """An index of three runs; the file of the last is absent."""
    for number in (1, 2):
        write_run(tmp_path / f"run{number}.fits", number)
    kinds = {"events": "EVENTS", "gti": "GTI", "aeff": "AEFF"}
    rows = [(n, part, f"run{n}.fits", hdu) for n in (1, 2, 3) for part, hdu in kinds.items()]
    number, part, name, hdu = (np.array(column) for column in zip(*rows, strict=True))
    index = {
        "OBS_ID": ("K", None, number),
        "HDU_TYPE": ("8A", None, part),
        "HDU_CLASS": ("8A", None, np.where(part == "aeff", "aeff_2d", part)),
        "FILE_DIR": ("2A", None, np.full(len(rows), ".")),
        "FILE_NAME": ("16A", None, name),
        "HDU_NAME": ("8A", None, hdu),
    }
    runs = {
        "OBS_ID": ("K", None, np.array([1, 2, 3])),
        "RA_PNT": ("D", "deg", np.array([84.6, 85.6, 86.6])),
        "DEC_PNT": ("D", "deg", np.full(3, 22.0)),
        "ZEN_PNT": ("D", "deg", np.array([10.0, 30.0, 50.0])),
    }
    write_tables({tmp_path / "hdu-index.fits": [table("HDU_INDEX", index)]}, overwrite=False)
    write_tables({tmp_path / "obs-index.fits": [table("OBS_INDEX", runs)]}, overwrite=False)
    return tmp_path


def test_runs_are_listed_selected_and_read(folder) -> None:
    store = DataStore.from_dir(folder)
    assert store.obs_ids == [1, 2, 3]
    assert store.missing == [3]
    assert store.select_range("ZEN_PNT", 20, 60).obs_ids == [2, 3]
    assert store.select_sky_circle(SkyCoord(84.6, 22.0, unit="deg"), "1.2 deg").obs_ids == [
        1,
        2,
    ]
    runs = store.get_observations(missing="skip")
    assert runs.ids == [1, 2]
    run = runs["2"]
    assert len(run.events) == 3
    np.testing.assert_allclose(run.livetime.to_value("s"), 90)
    np.testing.assert_allclose(runs.livetime.to_value("s"), 180)
    assert run.pointing.icrs().ra.deg == 85.6
    assert isinstance(run.aeff, EffectiveAreaTable2D)
    assert run.available_irfs == ["aeff"]
    assert store.check([1, 2]) == []
    assert store.check() == ["run 3: files are absent"]
    assert [len(x) for x in (store, runs, runs[:1])] == [3, 2, 1]


def test_parts_of_runs_in_time(folder) -> None:
    runs = DataStore.from_dir(folder).get_observations([1, 2])
    start = REFERENCE.time(0.0)
    parts = runs.select_time(start + 15 * u.s, start + 50 * u.s)
    assert [len(run.events) for run in parts] == [1, 1]
    np.testing.assert_allclose(parts[0].gti.time_sum.value, 35, atol=1e-6)
    assert len(runs.select_time(start + 500 * u.s, start + 600 * u.s)) == 0
    np.testing.assert_allclose((parts[0].tmid - start).to_value("s"), 32.5, atol=1e-6)


def test_numbers_may_be_text_and_runs_without_files_are_skipped(folder) -> None:
    for name in ("hdu-index.fits", "obs-index.fits"):
        rows = Table.read(folder / name)
        if name.startswith("obs"):
            rows.add_row([4, 87.6, 22.0, 60.0])
        rows.replace_column("OBS_ID", rows["OBS_ID"].astype(str))
        rows.write(folder / name, overwrite=True)
    store = DataStore.from_dir(folder)
    assert store.obs_ids == [1, 2, 3, 4]
    assert store.get_observations(missing="skip").ids == [1, 2]


def test_from_events_files(folder) -> None:
    store = DataStore.from_events_files([folder / "run1.fits", folder / "run2.fits"])
    assert store.obs_ids == [1, 2]
    assert store.column("RA_PNT")[1] == 85.6
    assert store.obs(2).aeff.shape == (2, 2)
    with fits.open(folder / "run2.fits", mode="append") as hdus:
        psf = irf_hdu(formula_irfs()["psf"], "PSF_2D_GAUSS")
        del psf.header["HDUCLAS2"], psf.header["HDUCLAS4"]
        hdus.append(psf)
    run = DataStore.from_events_files([folder / "run2.fits"]).obs(2)
    assert run.available_irfs == ["aeff", "psf"]
    with pytest.raises(ValueError, match=r"run1\.fits: run 1 is in another file"):
        DataStore.from_events_files([folder / "run1.fits"] * 2)


def test_what_is_absent_is_named(folder) -> None:
    store = DataStore.from_dir(folder)
    with pytest.raises(ValueError, match=r"run 3: the index names .*run3\.fits for events"):
        store.obs(3)
    with pytest.raises(ValueError, match="run 3"):
        store.get_observations()
    with pytest.raises(ValueError, match="lists no run 9"):
        store.obs(9)
    with pytest.raises(ValueError, match=r"run 1: has no psf \(it has events, gti, aeff"):
        _ = store.obs(1).psf
    with pytest.raises(ValueError, match="there is no run '7'"):
        _ = store.get_observations([1])["7"]
    with pytest.raises(ValueError, match="no column 'ZENITH'"):
        store.select_range("ZENITH", 0, 1)
    with pytest.raises(ValueError, match=r"shape \(1,\), for 3 runs"):
        store.select([True])
    with pytest.raises(ValueError, match="missing is 'maybe'"):
        store.get_observations(missing="maybe")
    with pytest.raises(ValueError, match=r"no index file hdu-index\.fits\.gz or"):
        DataStore.from_dir(folder / "nowhere")
    (folder / "hdu-index.fits").rename(folder / "other.fits")
    with pytest.raises(ValueError, match=r"obs-index\.fits: has no index table"):
        DataStore.from_file(folder / "obs-index.fits")


def test_check_names_what_is_broken(folder) -> None:
    write_run(folder / "run1.fits", 1, OBS_MODE="DRIFT")
    path = folder / "run2.fits"
    path.write_bytes(path.read_bytes()[:5000])
    store = DataStore.from_dir(folder)
    problems = store.check([1, 2])
    assert len(problems) == 2
    assert "Pointing: a drift scan needs" in problems[0]
    assert "run2.fits: is damaged" in problems[1]
    with pytest.raises(ValueError, match=r"run1\.fits\[EVENTS\]: Pointing: a drift scan needs"):
        _ = store.obs(1).pointing


def test_check_compares(folder) -> None:
    write_run(folder / "run1.fits", 1, RA_PNT=84.7)
    gti = GTI([15.0, 30.0], [25.0, 80.0], REFERENCE)
    write_run(folder / "run2.fits", 2, gti=gti, ENERGY=[0.5, -1.0, np.nan], DEC=[95, 2, 3])
    psf = formula_irfs()["psf"].to_psf3d()
    store = DataStore.from_dir(folder)
    store.runs[1]["EVENT_COUNT"] = 5
    for number, factor in ((1, 1.0), (2, 0.5)):
        store.places[number]["psf"] = Place(folder / f"psf{number}.fits", "PSF")
        table = PSF3D(psf.axes, factor * psf.values)
        table.write(folder / f"psf{number}.fits", hdu="PSF")
    assert store.check([1]) == [
        "run 1: the index counts 5 events, the list has 3",
        "run 1: the index has the pointing 0.0927 deg from where the events have it",
    ]
    energy, place, outside, leak = store.check([2])
    assert energy == "run 2: 2 events have no energy above 0"
    assert place == "run 2: 1 events have no direction on the sky"
    assert outside == "run 2: 2 of 3 events lie outside of the good times, up to 10 s"
    assert leak.startswith("run 2: psf integrates to 0.")
    assert "at 378 of 378 nodes" in leak


def test_runs_are_selected_by_time(folder) -> None:
    store = DataStore.from_dir(folder)
    with pytest.raises(ValueError, match="the index does not say MJDREFI"):
        store.select_time(0, 1)
    runs = {
        "OBS_ID": ("K", None, np.array([1, 2, 3])),
        "TSTART": ("D", "s", np.array([0.0, 100.0, 200.0])),
        "TSTOP": ("D", "s", np.array([90.0, 190.0, 290.0])),
    }
    index = table("OBS_INDEX", runs, **REFERENCE.header)
    write_tables({folder / "obs-index.fits": [index]}, overwrite=True)
    store = DataStore.from_dir(folder)
    start = REFERENCE.time(50.0)
    assert store.select_time(start, start + 60 * u.s).obs_ids == [1, 2]
    assert store.select_time(95.0, 99.0).obs_ids == []
    assert store.select_time(start, start + 1 * u.h).select_range("OBS_ID", 2, 3).obs_ids == [
        2,
        3,
    ]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"DEADC": 0.0}, "DEADC is 0"),
        ({"DEADC": "x"}, "DEADC is 'x'"),
    ],
)
def test_broken_dead_time(folder, header, message) -> None:
    write_run(folder / "run1.fits", 1, **header)
    with pytest.raises(ValueError, match=rf"run1\.fits\[EVENTS\]: {message}"):
        _ = DataStore.from_dir(folder).obs(1).livetime


def test_pointing_fixed_and_drifting() -> None:
    place = EarthLocation.from_geodetic(16.5, -23.27, 1835)
    time = Time(53300.0, format="mjd")
    drift = Pointing(alt=90.0, az=0.0, location=place, drift=True)
    # an hour later the zenith is 15 deg further east
    moved = drift.icrs(time + 1 * u.h).ra.deg - drift.icrs(time).ra.deg
    np.testing.assert_allclose(moved % 360, 15.04, atol=0.05)
    fixed = Pointing(ra=83.6, dec=22.0, location=place)
    back = fixed.altaz(time).icrs
    np.testing.assert_allclose([back.ra.deg, back.dec.deg], [83.6, 22.0], atol=1e-6)
    assert drift.altaz(time).alt.deg == 90
    meridian = SkyCoord(drift.icrs(time).ra, 10 * u.deg)
    np.testing.assert_allclose(abs(drift.parallactic_angle(meridian, time)), 180, atol=1)
    with pytest.raises(ValueError, match="give a time"):
        drift.icrs()
    with pytest.raises(ValueError, match="a fixed pointing needs dec"):
        Pointing(ra=1.0)
    with pytest.raises(ValueError, match="where the telescope stands"):
        Pointing(ra=1.0, dec=2.0).altaz(time)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"OBS_MODE": "DANCE"}, "OBS_MODE is 'DANCE'"),
        ({"GEOLON": "far", "GEOLAT": 1, "ALTITUDE": 2}, "GEOLON, GEOLAT, ALTITUDE are"),
    ],
)
def test_broken_pointing(tmp_path, header, message) -> None:
    write_run(tmp_path / "x.fits", 1, **header)
    file = FitsFile(tmp_path / "x.fits")
    with pytest.raises(ValueError, match=rf"x\.fits\[EVENTS\]: {message}"):
        Pointing.read(file, file.table("EVENTS"))


def test_the_first_hess_release_means_the_reverse_of_what_it_says(tmp_path) -> None:
    """As gammapy has it; its backgrounds lie along right ascension, and events say so."""
    bkg = formula_irfs()["bkg"]
    for creator, found in (("SASH FITS::EventListWriter", "REVERSE_LON_RADEC"), ("x", "RADEC")):
        write_run(tmp_path / "x.fits", 1, CREATOR=creator, HDUVERS="0.2")
        with fits.open(tmp_path / "x.fits", mode="append") as hdus:
            hdus.append(irf_hdu(bkg, "BKG"))
        run = DataStore.from_events_files([tmp_path / "x.fits"]).obs(1)
        assert run.bkg.fov_alignment == found
        np.testing.assert_allclose(run.bkg.values, bkg.values, rtol=1e-12)


def test_field_of_view_in_all_alignments() -> None:
    north, east = (CRAB.directional_offset_by(a * u.deg, 1 * u.deg) for a in (0, 90))
    for alignment, sign in (("RADEC", -1), ("REVERSE_LON_RADEC", 1)):
        np.testing.assert_allclose(fov_coordinates(north, CRAB, alignment), [0, 1], atol=1e-9)
        np.testing.assert_allclose(fov_coordinates(east, CRAB, alignment), [sign, 0], atol=1e-3)
    place = EarthLocation.from_geodetic(16.5, -23.27, 1835)
    frame = AltAz(obstime=Time(53300.0, format="mjd"), location=place)
    pointing = CRAB.transform_to(frame)
    higher = SkyCoord(pointing.az, pointing.alt + 1 * u.deg, frame=frame)
    found = fov_coordinates(higher, CRAB, "ALTAZ", frame)
    np.testing.assert_allclose(found, [0, 1], atol=1e-6)
    beside = SkyCoord(pointing.az + 1e-3 * u.deg, pointing.alt, frame=frame)
    assert fov_coordinates(beside, CRAB, "ALTAZ", frame)[0] < 0
    with pytest.raises(ValueError, match="the alignment ALTAZ needs the frame"):
        fov_coordinates(CRAB, CRAB, "ALTAZ")
    with pytest.raises(ValueError, match="alignment is 'UP'"):
        fov_coordinates(CRAB, CRAB, "UP")


@pytest.mark.data
def test_listing_runs_opens_two_files(data_path, monkeypatch) -> None:
    opened, read = [], []
    open_file, read_hdu = FitsFile.__init__, fits_room._hdu

    def opening(self, path) -> None:
        opened.append(path.name)
        open_file(self, path)

    def reading(content, kind):
        hdu = read_hdu(content, kind)
        read.append(hdu.name)
        return hdu

    monkeypatch.setattr(FitsFile, "__init__", opening)
    monkeypatch.setattr(fits_room, "_hdu", reading)
    store = DataStore.from_dir(data_path("hess-dl3-dr1"))
    assert len(store) == 105
    assert len(store.missing) == 84
    assert len(store.select_sky_circle(CRAB, "2 deg")) == 4
    assert opened == ["hdu-index.fits.gz", "obs-index.fits.gz"]
    assert read == ["HDU_INDEX", "OBS_INDEX"]
    run = store.obs(23523)
    assert len(run.events) == 7613
    assert read[2:] == ["EVENTS"]
    assert (len(run.events), len(run.gti), run.aeff.shape) == (7613, 1, (96, 6))
    np.testing.assert_allclose(run.livetime.to_value("s"), 1581.7367, rtol=1e-6)
    assert len(opened) == 3


@pytest.mark.data
@pytest.mark.parametrize(
    ("folder", "present"),
    [
        ("hess-dl3-dr1", 21),
        ("cta-1dc/index/gps", 2),
        ("magic/rad_max/data", 2),
        ("joint-crab/dl3/magic", 1),
    ],
)
def test_every_part_of_every_run_opens(data_path, folder, present) -> None:
    runs = DataStore.from_dir(data_path(folder)).get_observations(missing="skip")
    assert len(runs) == present
    for run in runs:
        assert isinstance(run, Observation)
        assert len(run.events) > 1000
        assert 0 < run.livetime.to_value("s") <= run.gti.time_sum.to_value("s")
        assert run.pointing.icrs().ra.deg > 0
        for part in run.available_irfs:
            assert np.max(getattr(run, part).values) > 0


@pytest.mark.data
def test_directional_cut_of_a_header(data_path) -> None:
    run = DataStore.from_dir(data_path("joint-crab/dl3/magic")).obs(5029748)
    assert run.rad_max.is_fixed
    np.testing.assert_allclose(run.rad_max.evaluate(energy=1, offset=0.4).value, 0.1414213)


@pytest.mark.data
def test_drift_scan_with_responses_as_maps(data_path) -> None:
    run = DataStore.from_dir(data_path("tests/format/swgo")).obs(0)
    assert len(run.events) == 0
    assert run.pointing.drift
    assert run.pointing.icrs(Time(55000.0, format="mjd")).dec.deg < 0
    assert run.aeff.unit == "m2 s"
    assert run.aeff.geom.axes.names == ("energy_true",)
    # the public files have zeros for values
    assert run.aeff.data.shape == (140, 180, 1)
    assert run.bkg.unit == "1 / (TeV sr)"
    assert run.edisp.geom.axes.names == ("energy", "energy_true")


@pytest.mark.data
def test_check_of_a_folder_with_maps(data_path) -> None:
    store = DataStore.from_dir(data_path("tests/format/swgo"))
    gti, dead_time = store.check([0])
    assert gti.endswith("DummyEvents.fits.gz: has no table GTI (tables: EVENTS)")
    assert dead_time.endswith("[EVENTS]: the header has no DEADC")
    for name, runs in (("multi", 12), ("irf-name", 6)):
        names = [f"{kind}-index-{name}.fits.gz" for kind in ("hdu", "obs")]
        other = DataStore.from_dir(data_path("tests/format/swgo"), *names)
        assert (len(other), other.missing) == (runs, [])


@pytest.mark.data
def test_responses_as_maps_are_written(data_path, tmp_path) -> None:
    store = DataStore.from_dir(data_path("tests/format/swgo"))
    run = store.obs(0)
    gti = GTI([0.0], [1000.0])
    irfs = {"aeff": run.aeff, "bkg": run.bkg}
    made = Observation.create(5, pointing=run.pointing, gti=gti, irfs=irfs)
    made.places["bkg"] = run.places["bkg"]
    write_dl3([made], tmp_path)
    back = DataStore.from_dir(tmp_path).obs(5)
    for part in ("aeff", "bkg"):
        assert getattr(back, part).is_allclose(getattr(run, part))
