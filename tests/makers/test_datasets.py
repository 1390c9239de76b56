"""Many runs: sums, names, processes, clusters, and runs that fail."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from regions import CircleSkyRegion

from gammajax.data import DataStore, Pointing, write_dl3
from gammajax.datasets import MapDataset, MapDatasetOnOff, SpectrumDataset
from gammajax.makers import (
    DatasetsMaker,
    MapDatasetMaker,
    ReflectedRegionsBackgroundMaker,
    RingBackgroundMaker,
    RunsFailedWarning,
    SafeMaskMaker,
    SpectrumDatasetMaker,
)
from gammajax.makers.parallel import AHEAD_OF_EXECUTOR, outcomes
from gammajax.maps import RegionGeom

from .conftest import CENTER, ENERGY, TRUE, make_run

COUNTS = MapDatasetMaker(selection=("counts", "exposure", "background"))
SAFE = SafeMaskMaker(methods=("offset-max",), offset_max=0.7)
POINTINGS = ((0.0, 0.5), (0.0, -0.5), (0.6, 0.0), (-0.6, 0.0))
KILLER = """
import os, signal

class Killer:
    def run(self, dataset, observation):
        if observation.obs_id == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return dataset
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four runs in files."""
    path = tmp_path_factory.mktemp("runs")
    runs = []
    for number, (lon, lat) in enumerate(POINTINGS):
        run = make_run(pointing=Pointing(ra=CENTER[0] + lon, dec=CENTER[1] + lat))
        runs.append(type(run)(number, {}, {}, run.parts))
    write_dl3(runs, path)
    return path


@pytest.fixture
def runs(folder):
    return DataStore.from_dir(folder).get_observations()


@pytest.fixture(scope="module")
def empty(geom) -> MapDataset:
    return MapDataset.create(geom, TRUE, name="field", binsz_irf=0.5)


def by_hand(makers, empty, runs):
    made = []
    for run in runs:
        dataset = empty.replace(name=f"run-{run.obs_id}")
        for maker in makers:
            dataset = maker.run(dataset, run)
        made.append(dataset)
    return made


def equal(one, other) -> None:
    for name in ("counts", "exposure", *one.maps):
        first, second = (np.asarray(getattr(d, name).data) for d in (one, other))
        np.testing.assert_allclose(first, second, rtol=1e-12, atol=0, err_msg=name)
    np.testing.assert_array_equal(one.mask, other.mask)
    for name in ("psf", "edisp"):
        if getattr(one, name) is not None:
            first, second = (getattr(d, name).values.data for d in (one, other))
            np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-12, err_msg=name)


def test_a_sum_of_cutouts_is_the_sum(empty, runs) -> None:
    makers = (MapDatasetMaker(), SAFE)
    parts = by_hand(makers, empty, runs)
    found = DatasetsMaker(makers).run(empty, runs)
    assert found.names == ("field",)
    assert found.failures == {}
    equal(found["field"], parts[0].stack(*parts[1:]))
    assert found["field"].meta["stacked"] == ["run-0", "run-1", "run-2", "run-3"]


def test_one_dataset_a_run(empty, runs) -> None:
    again = [*runs, runs[0]]
    found = DatasetsMaker((COUNTS, SAFE), stack_datasets=False).run(empty, again)
    assert found.names == ("run-0", "run-1", "run-2", "run-3", "run-0-2")
    parts = by_hand((COUNTS, SAFE), empty, runs)
    for one, part in zip(found, parts, strict=False):
        assert max(one.geom.npix) <= 19
        assert one.info_dict() == pytest.approx(part.info_dict())
    wide = DatasetsMaker((COUNTS,), stack_datasets=False, cutout_width="1 deg").run(empty, runs)
    assert wide[0].geom.npix == (10, 10)


def test_on_off_cubes_are_summed(empty, runs) -> None:
    makers = (COUNTS, SAFE, RingBackgroundMaker(r_in=0.2, width=0.2))
    found = DatasetsMaker(makers).run(empty, runs)["field"]
    assert isinstance(found, MapDatasetOnOff)
    parts = by_hand(makers, empty.replace(psf=empty.psf), runs)
    equal(found, parts[0].stack(*parts[1:]))


def test_spectra_are_summed(runs) -> None:
    on = CircleSkyRegion(SkyCoord(*CENTER, unit="deg"), 0.1 * u.deg)
    empty = SpectrumDataset.create(RegionGeom.create(on, axes=[ENERGY]), TRUE, name="source")
    makers = (SpectrumDatasetMaker(), ReflectedRegionsBackgroundMaker(), SAFE)
    found = DatasetsMaker(makers).run(empty, runs)["source"]
    parts = by_hand(makers, empty, runs)
    np.testing.assert_array_equal(found.counts_off, sum(part.counts_off for part in parts))


def test_processes_change_nothing(empty, runs) -> None:
    one = DatasetsMaker((COUNTS, SAFE)).run(empty, runs)["field"]
    two = DatasetsMaker((COUNTS, SAFE), n_jobs=2).run(empty, runs)["field"]
    with ThreadPoolExecutor(2) as executor:
        three = DatasetsMaker((COUNTS, SAFE), executor=executor).run(empty, runs)["field"]
    for other in (two, three):
        equal(one, other)


def test_a_killed_process_takes_no_other_run_with_it(
    empty, runs, tmp_path, monkeypatch
) -> None:
    (tmp_path / "killer_of_processes.py").write_text(KILLER)
    monkeypatch.syspath_prepend(tmp_path)
    from killer_of_processes import Killer  # pyright: ignore

    counts = MapDatasetMaker(selection=("counts",))
    maker = DatasetsMaker((counts, Killer()), n_jobs=2, stack_datasets=False)
    with pytest.warns(RunsFailedWarning, match="1 of 4 runs .* left out: run 2: the process"):
        found = maker.run(empty, runs)
    assert found.names == ("run-0", "run-1", "run-3")
    assert list(found.failures) == [2]


def test_results_do_not_pile_up() -> None:
    """An executor has only some of many tasks before their results are taken."""
    given = []

    def work(number):
        given.append(number)
        return number

    with ThreadPoolExecutor(1) as executor:
        tasks = [(number,) for number in range(200)]
        found = outcomes(work, (), tasks, n_jobs=1, executor=executor)
        assert [next(found).result for _ in range(3)] == [0, 1, 2]
        assert max(given) <= AHEAD_OF_EXECUTOR + 3
        assert [outcome.result for outcome in found] == list(range(3, 200))


def test_a_corrupt_run_is_named_and_the_others_finish(empty, folder, tmp_path) -> None:
    import shutil

    path = tmp_path / "damaged"
    shutil.copytree(folder, path)
    place = DataStore.from_dir(path).places[1]["events"].path
    place.write_bytes(place.read_bytes()[:6000])
    runs = DataStore.from_dir(path).get_observations()
    with pytest.warns(RunsFailedWarning, match="1 of 4 runs could not be reduced .*run 1: "):
        found = DatasetsMaker((COUNTS, SAFE)).run(empty, runs)
    assert list(found.failures) == [1]
    assert str(place) in found.failures[1]
    rest = [run for run in runs if run.obs_id != 1]
    equal(found["field"], DatasetsMaker((COUNTS, SAFE)).run(empty, rest)["field"])
    with pytest.raises(ValueError, match="none of 1 runs could be reduced: run 1: "):
        DatasetsMaker((COUNTS,)).run(empty, [runs[1]])


def test_a_run_that_looks_elsewhere_is_named(empty) -> None:
    far = make_run(pointing=Pointing(ra=10.0, dec=-40.0))
    with pytest.raises(ValueError, match=r"run 7: no pixel of .* within 0\.7 deg"):
        DatasetsMaker((COUNTS, SAFE)).run(empty, [far])


def test_runs_travel_without_what_they_read(runs) -> None:
    before = len(pickle.dumps(runs[0]))
    assert len(runs[0].events)
    assert len(pickle.dumps(runs[0])) == before
    made = make_run()
    again = pickle.loads(pickle.dumps(made))
    np.testing.assert_array_equal(again.events.columns["RA"], made.events.columns["RA"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"makers": ()}, "no makers"),
        ({"n_jobs": 0}, "n_jobs is 0"),
        ({"cutout_width": "1 TeV"}, "cutout_width"),
    ],
)
def test_choices_are_checked(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        DatasetsMaker(**{"makers": (COUNTS,), **options})
    with pytest.raises(ValueError, match="got no runs"):
        DatasetsMaker((COUNTS,)).run(None, [])
