"""``gammajax reduce`` and ``analysis``: runs by formulas, faults, and typos in each section."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from gammajax.config import compilation_cache
from gammajax.data import (
    GTI,
    DataStore,
    EventList,
    LightCurve,
    Observation,
    Pointing,
    write_dl3,
)
from gammajax.datasets import Datasets
from gammajax.estimators import FluxMaps, find_peaks
from gammajax.irf import formula_irfs
from gammajax.models import Models

CENTER = (83.6, 22.0)

CONFIG = f"""
general: {{models_file: models.yaml}}
observations: {{datastore: runs}}
datasets:
  type: 1d
  stack: false
  geom:
    axes:
      energy: {{min: 1 TeV, max: 10 TeV, nbins: 4}}
      energy_true: {{min: 500 GeV, max: 20 TeV, nbins: 8}}
  on_region: {{frame: icrs, lon: {CENTER[0]}, lat: {CENTER[1]}, radius: 0.1 deg}}
  background: {{method: reflected}}
  safe_mask: {{methods: [aeff-max], parameters: {{aeff_percent: 5}}}}
sample: {{run: true, svi: true, chains: 1, samples: 2000}}
flux_points: {{energy: {{min: 1, max: 10, nbins: 2}}, source: source}}
light_curve: {{time_intervals: run}}
"""

CUBE = """
observations: {{datastore: runs}}
datasets:
  type: 3d
  geom:
    wcs:
      skydir: {{lon: {lon} deg, lat: {lat} deg}}
      binsize: 0.1 deg
      width: {{width: 2 deg, height: 2 deg}}
      binsize_irf: 1 deg
    axes:
      energy: {{edges: [1, 3, 10]}}
      energy_true: {{min: 0.5, max: 20, nbins: 5}}
  background:
    method: fov_background
    exclusion: "icrs;circle({lon},{lat},0.3)"
  safe_mask: {{methods: [offset-max], parameters: {{offset_max: 1 deg}}}}
excess_map: {{correlation_radius: 0.1 deg}}
""".format(lon=CENTER[0], lat=CENTER[1])

MODELS = """
components:
- name: star
  type: SkyModel
  spectral:
    type: PowerLawSpectralModel
    parameters:
    - {name: amplitude, value: 1.0e-11, unit: cm-2 s-1 TeV-1}
    - {name: index, value: 2.2}
    - {name: reference, value: 1.0, unit: TeV, frozen: true}
"""


def make_run(number: int) -> Observation:
    """A run with 60 events of a source and 300 of background."""
    rng = np.random.default_rng(number)
    spread = np.append(np.full(60, 0.03), np.full(300, 0.8))
    columns = {
        "RA": CENTER[0] + rng.normal(0, spread / 0.927),
        "DEC": CENTER[1] + rng.normal(0, spread),
        "ENERGY": 0.8 * rng.pareto(1.5, 360) + 0.8,
        "TIME": np.sort(rng.uniform(0, 1800, 360)) + 2000 * number,
    }
    return Observation.create(
        number,
        pointing=Pointing(ra=CENTER[0], dec=CENTER[1] + (0.5 if number % 2 else -0.5)),
        gti=GTI([2000.0 * number], [2000.0 * number + 1800]),
        events=EventList(columns),
        irfs=formula_irfs(psf="gauss", offset_max=3.0),
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    write_dl3([make_run(number) for number in (1, 2, 3)], folder / "runs")
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """A new folder with three runs, models and configurations."""
    shutil.copytree(made / "runs", tmp_path / "runs")
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "cube.yaml").write_text(CUBE)
    (tmp_path / "models.yaml").write_text(MODELS)
    return tmp_path


def test_a_dry_run_says_what_would_be_done(folder, gammajax) -> None:
    before = sorted(os.listdir(folder))
    run = gammajax("reduce", "cube.yaml", "--dry-run")
    assert run.exit_code == 0, run.output
    for words in ("3 runs: 1, 2, 3", "20x20 pixels", "SafeMaskMaker", "FoVBackgroundMaker",
                  "All runs are summed", "results/"):  # fmt: skip
        assert words in run.stdout
    run = gammajax("analysis", "config.yaml", "--dry-run")
    assert run.exit_code == 0, run.output
    for words in ("Fit of star by newton", "Posterior approximately", "Light curve"):
        assert words in run.stdout
    assert sorted(os.listdir(folder)) == before


def test_reduced_datasets_can_be_fitted(folder, gammajax) -> None:
    run = gammajax("reduce", "config.yaml", "-o", "made", "--no-cache")
    assert run.exit_code == 0, run.output
    datasets = Datasets.read(folder / "made" / "datasets.yaml")
    assert datasets.names == ("run-1", "run-2", "run-3")
    assert all(dataset.counts.sum() > 20 for dataset in datasets)
    told = json.loads((folder / "made" / "reduction.json").read_text())
    assert told["runs"] == [1, 2, 3]
    assert (folder / "made" / "config.yaml").read_text() == CONFIG
    assert gammajax("reduce", "config.yaml", "-o", "made").exit_code == 2
    files = ("-d", "made/datasets.yaml", "-m", "models.yaml", "--no-plots", "--no-cache")
    assert gammajax("fit", *files, "-o", "fitted").exit_code == 0


def test_a_cube_of_all_runs(folder, gammajax) -> None:
    run = gammajax("reduce", "cube.yaml", "--no-cache")
    assert run.exit_code == 0, run.output
    [dataset] = Datasets.read(folder / "results" / "datasets.yaml")
    assert dataset.name == "stacked"
    assert dataset.geom.data_shape == (2, 20, 20)
    assert dataset.counts.data.sum() > 100


def test_an_analysis_ends_in_a_page(folder, gammajax, request) -> None:
    run = gammajax("analysis", "config.yaml", "-q", "--no-cache")
    told = json.loads((folder / "results" / "analysis.json").read_text())
    assert run.exit_code == 0, (run.output, told["problems"])
    page = (folder / "results" / "index.html").read_text()
    pictures = re.findall(r'src="([^"]+)"', page)
    assert {"off_regions.png", "flux_points.png", "light_curve.png", "posterior/corner.png",
            "fit/counts.png"} <= set(pictures)  # fmt: skip
    assert "fit/sed.png" not in pictures, "the same curve as with the flux points"
    for name in [*pictures, "flux_points.fits", "light_curve.fits", "datasets/datasets.yaml",
                 "fit/models.yaml", "posterior/summary.json"]:  # fmt: skip
        assert (folder / "results" / name).exists(), name
    assert "star.spectral.index" in page
    assert "No problems found" in page
    browser = request.getfixturevalue("browser")  # where there is none, the rest is skipped
    browser.get((folder / "results" / "index.html").as_uri())
    widths = browser.execute_script("return [...document.images].map(i => i.naturalWidth)")
    assert len(widths) == len(pictures)
    assert min(widths) > 300
    assert [entry for entry in browser.get_log("browser") if entry["level"] != "INFO"] == []


def test_an_analysis_of_cubes_makes_maps_and_a_light_curve(folder, gammajax) -> None:
    """Excess and significance at the place of the source, on the whole map.

    Each run has a cube around its pointing, and a background that its light curve, too, keeps.
    """
    models = (
        MODELS
        + f"""  spatial:
    type: PointSpatialModel
    frame: icrs
    parameters:
    - {{name: lon_0, value: {CENTER[0]}, unit: deg, frozen: true}}
    - {{name: lat_0, value: {CENTER[1]}, unit: deg, frozen: true}}
"""
    )
    (folder / "models.yaml").write_text(models)
    text = (
        CUBE.replace("type: 3d", "type: 3d\n  stack: false")
        .replace("    wcs:", "    selection: {offset_max: 0.8 deg}\n    wcs:")
        .replace("datastore: runs", "datastore: runs, obs_ids: [1, 2]")
        + """
general: {models_file: models.yaml}
sample: {run: false}
light_curve: {time_intervals: run}
ts_map: {source: star, kernel_width: 0.6 deg, threshold: 5}
"""
    )
    (folder / "cube.yaml").write_text(text)
    plan = gammajax("analysis", "cube.yaml", "--dry-run")
    assert "Map of the excess" in plan.stdout
    assert "Map of significance" in plan.stdout
    run = gammajax("analysis", "cube.yaml", "-q", "--no-cache")
    told = json.loads((folder / "results" / "analysis.json").read_text())
    assert run.exit_code == 0, (run.output, told["problems"])
    assert {"excess map", "ts map"} <= set(told["seconds"])
    fitted = Models.read(folder / "results" / "fit" / "models.yaml").parameters
    assert fitted["star.spatial.lon_0"].frozen, "with a background beside it, too"
    page = (folder / "results" / "index.html").read_text()
    for name in ("excess_map.png", "ts_map.png"):
        assert f'src="{name}"' in page
    excess = FluxMaps.read(folder / "results" / "excess_map.fits")
    ts = FluxMaps.read(folder / "results" / "ts_map.fits")
    for maps in (excess, ts):
        image = maps["sqrt_ts"].slice_by_idx({"energy": 0})
        assert image.data.shape == (20, 20)
        peak = find_peaks(image, 5)[0]
        assert np.hypot((peak["ra"] - CENTER[0]) * 0.927, peak["dec"] - CENTER[1]) < 0.15
    place = folder / "results" / "datasets" / "datasets.yaml"
    sizes = {dataset.geom.npix for dataset in Datasets.read(place)}
    assert sizes == {(16, 13)}
    peaks = (folder / "results" / "peaks.ecsv").read_text()
    assert "value" in peaks
    assert "Peaks of the map of significance" in page
    curve = LightCurve.read(folder / "results" / "light_curve.fits")
    assert np.all(curve.norms.norm_err < 0.5 * curve.norms.norm)
    assert len(curve) == 2
    assert np.nanmin(excess["npred"].data) >= 0


def test_a_map_of_spectra_is_a_problem_in_words(folder, gammajax) -> None:
    (folder / "config.yaml").write_text(CONFIG + "ts_map: {kernel_width: 0.6 deg}\n")
    run = gammajax("analysis", "config.yaml", "-q", "--no-cache")
    assert run.exit_code == 1
    told = json.loads((folder / "results" / "analysis.json").read_text())
    assert told["problems"] == ["ts map: needs counts cubes (datasets.type: 3d)"]


def test_a_corrupt_run_is_named_and_the_others_are_there(folder, gammajax) -> None:
    place = DataStore.from_dir(folder / "runs").places[2]["aeff"].path
    place.write_bytes(place.read_bytes()[:5000])
    run = gammajax("reduce", "config.yaml", "--no-cache")
    assert run.exit_code == 1
    assert re.search(rf"left out: run 2: \S*{place.name}: is damaged", run.output)
    told = json.loads((folder / "results" / "reduction.json").read_text())
    assert list(told["failures"]) == ["2"]
    assert Datasets.read(folder / "results" / "datasets.yaml").names == ("run-1", "run-3")


def test_absent_runs(folder, gammajax) -> None:
    for place in DataStore.from_dir(folder / "runs").places[2].values():
        place.path.unlink(missing_ok=True)
    run = gammajax("reduce", "config.yaml", "--dry-run")
    assert run.exit_code == 2
    assert "observations: the files of 1 of 3 runs are absent (2)" in run.output
    changed = CONFIG.replace("datastore: runs", "datastore: runs, missing: skip")
    (folder / "config.yaml").write_text(changed)
    run = gammajax("reduce", "config.yaml", "--dry-run")
    assert "2 runs: 1, 3" in run.stdout
    assert "Left out, as their files are absent: 1 run" in run.stdout


def test_a_cluster_by_its_address(folder, gammajax, monkeypatch) -> None:
    """A scheduler and two workers, which share the tests' compiled programs."""
    from distributed import LocalCluster

    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(compilation_cache()))
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        run = gammajax("reduce", "config.yaml", "--cluster", address, "--no-cache")
    assert run.exit_code == 0, run.output
    names = Datasets.read(folder / "results" / "datasets.yaml").names
    assert names == ("run-1", "run-2", "run-3")


def test_a_full_disk_leaves_nothing(folder, gammajax) -> None:
    disk = folder / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.decode().strip()}")
    try:
        run = gammajax("reduce", "cube.yaml", "-o", disk / "made", "--no-cache")
        assert run.exit_code == 2
        assert "No space left" in run.output
        assert os.listdir(disk) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("general:", "genral:", r"unknown key genral.*'general'"),
        ("models_file", "model_file", r"unknown key general\.model_file.*'models_file'"),
        ("datastore:", "datastor:", r"unknown key observations\.datastor.*'datastore'"),
        ("type: 1d", "type: 2d", r"datasets\.type is '2d': input should be '1d' or '3d'"),
        ("nbins: 4", "nbin: 4", r"unknown key datasets\.geom\.axes\.energy\.nbin"),
        ("nbins: 4", "nbins: 0", r"datasets\.geom\.axes\.energy\.nbins is 0"),
        ("max: 10 TeV", "max: 10 deg", r"axes\.energy\.max: .*unit 'deg'"),
        ("max: 10 TeV", "max: 0.1", r"datasets\.geom: axes\.energy: energy bounds 1 to 0\.1"),
        ("frame: icrs", "frame: equator", r"datasets\.on_region\.frame is 'equator'"),
        (f"lon: {CENTER[0]}, ", "", r"on_region: has no lon or lat"),
        ("method: reflected", "method: ring", r"datasets\.background: method is 'ring'"),
        ("{method: reflected}", "{method: reflected, parameters: {binz: 1}}",
         r"datasets\.background: .*binz"),
        ("{method: reflected}", "{method: reflected, exclusion: 'icrs;circle(1,2'}",
         r"datasets\.background: region 'icrs;circle"),
        ("aeff-max", "aeff-maximum", r"datasets\.safe_mask: .*aeff-maximum"),
        ("aeff_percent: 5", "aef_percent: 5", r"unknown key parameters\.aef_.*'aeff_percent'"),
        ("source: source}", "parameters: {n_sgma: 2}}",
         r"flux_points: unknown key parameters\.n_sgma; did you mean 'n_sigma'"),
        ("source: source}", "source: stat}", r"flux_points: no component 'stat'; .*star"),
        ("light_curve:", "ts_map: {kernel_with: 1}\nlight_curve:",
         r"unknown key ts_map\.kernel_with; did you mean 'kernel_width'"),
        ("time_intervals: run", "time_intervals: runs",
         r"(?<=yaml: )light_curve\.time_intervals is 'runs': \D* 'run' or 'night'$"),
        ("radius: 0.1 deg", "radius: -1 deg", r"on_region\.radius is '-1 deg': .*than 0"),
        ("chains: 1", "chain: 1", r"unknown key sample\.chain.*'chains'"),
        ("svi: true", "svi: maybe", r"sample\.svi is 'maybe'"),
        ("source: source}", "sauce: source}", r"unknown key flux_points\.sauce.*'source'"),
        ("time_intervals", "time_interval", r"unknown key light_curve\.time_interval"),
        ("light_curve:", "fit: {fit_rnge: {}}\nlight_curve:", r"unknown key fit\.fit_rnge"),
        ("models.yaml", "nothing.yaml", r"general\.models_file: .*nothing\.yaml"),
        ("datastore: runs", "datastore: nothing", r"observations: .*nothing"),
        ("datastore: runs", "datastore: runs, obs_ids: [9]", r"observations: .*no run 9"),
    ],
)  # fmt: skip
def test_a_typo_is_named_with_its_section(folder, gammajax, old, new, words) -> None:
    assert CONFIG.count(old) >= 1
    (folder / "config.yaml").write_text(CONFIG.replace(old, new, 1))
    run = gammajax("analysis", "config.yaml", "--dry-run")
    assert run.exit_code == 2, run.output
    assert re.search(r"config\.yaml: .*" + words, run.output), run.output
    assert len(run.stderr.strip().splitlines()) == 1


def test_the_defaults_of_gammapy_are_understood(folder, gammajax) -> None:
    """A file as its ``AnalysisConfig`` writes it, all defaults included."""
    text = """
general:
  log: {level: info, filename: null, filemode: null, format: null, datefmt: null}
  outdir: .
  n_jobs: 1
  datasets_file: null
  models_file: models.yaml
observations:
  datastore: runs
  obs_ids: []
  obs_file: null
  obs_cone: {frame: null, lon: null, lat: null, radius: null}
  obs_time: {start: null, stop: null}
  required_irf: [aeff, edisp, psf, bkg]
datasets:
  type: 1d
  stack: true
  geom:
    wcs:
      skydir: {frame: null, lon: null, lat: null}
      binsize: 0.02 deg
      width: {width: 5.0 deg, height: 5.0 deg}
      binsize_irf: 0.2 deg
    selection: {offset_max: 2.5 deg}
    axes:
      energy: {min: 1.0 TeV, max: 10.0 TeV, nbins: 5}
      energy_true: {min: 0.5 TeV, max: 20.0 TeV, nbins: 16}
  map_selection: [counts, exposure, background, psf, edisp]
  background: {method: reflected, exclusion: null, parameters: {}}
  safe_mask: {methods: [aeff-default], parameters: {}}
  on_region: {frame: icrs, lon: 83.6 deg, lat: 22 deg, radius: 0.1 deg}
  containment_correction: true
fit:
  fit_range: {min: null, max: null}
flux_points:
  energy: {min: null, max: null, nbins: null}
  source: source
  parameters: {selection_optional: all}
excess_map:
  correlation_radius: 0.1 deg
  parameters: {}
  energy_edges: {min: null, max: null, nbins: null}
light_curve:
  time_intervals: {start: null, stop: null}
  energy_edges: {min: null, max: null, nbins: null}
  source: source
  parameters: {selection_optional: all}
metadata: {creator: Gammapy 2.1, date: '2026-11-26T16:20:34.032044', origin: null}
"""
    (folder / "theirs.yaml").write_text(text)
    run = gammajax("analysis", "theirs.yaml", "--dry-run")
    assert run.exit_code == 0, run.output
    for name in ("excess_map", "metadata", "general.log"):
        assert f"{name} is not used" in run.stdout
    assert "Flux points" not in run.stdout


@pytest.mark.data
def test_the_configuration_of_the_guide(folder, gammajax, data_path, monkeypatch) -> None:
    """The four H.E.S.S. runs on the Crab: on and off counts of another code."""
    monkeypatch.setenv("GAMMAPY_DATA", str(data_path("hess-dl3-dr1").parent))
    guide = Path(__file__).parents[2] / "docs" / "guide" / "analysis.md"
    text = guide.read_text().split("```yaml\n")[1].split("```")[0]
    (folder / "crab.yaml").write_text(text)
    run = gammajax("reduce", "crab.yaml", "--no-cache")
    assert run.exit_code == 0, run.output
    infos = [d.info_dict() for d in Datasets.read(folder / "results" / "datasets.yaml")]
    found = [(info["counts"], info["counts_off"], info["n_bins"]) for info in infos]
    assert found == [(155, 127, 11), (126, 117, 11), (118, 230, 11), (117, 291, 11)]
    np.testing.assert_allclose(
        [1 / info["alpha"] for info in infos], [12, 12, 41, 36], rtol=1e-9
    )
