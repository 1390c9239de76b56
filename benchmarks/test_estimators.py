"""Benchmarks of estimators on simulated runs and the H.E.S.S. Crab, beside gammapy.

Give the peer with ``GAMMAPY_PYTHON=/path/to/python`` and a place for the figures with
``GAMMAJAX_BENCHMARK_RESULTS=benchmarks/results/estimators.json``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.time import Time, TimeDelta

from gammajax.data import GTI, DataStore
from gammajax.datasets import Datasets, MapDataset, write_gadf
from gammajax.estimators import FluxPointsEstimator, LightCurveEstimator, TSMapEstimator
from gammajax.inference import Fit, Likelihood, fit_toys
from gammajax.makers import FoVBackgroundMaker, MapDatasetMaker, SafeMaskMaker
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    LogParabolaSpectralModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)
from gammajax.simulate import simulate_on_off

CRAB = SkyCoord(83.633, 22.014, unit="deg")


def crab() -> Models:
    spectrum = LogParabolaSpectralModel(amplitude=4e-11, reference=1.0, alpha=2.4, beta=0.1)
    return Models([SkyModel(spectrum, name="crab")])


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Fifteen simulated runs of half an hour, and their files."""
    energy = MapAxis.from_energy_bounds("0.5 TeV", "30 TeV", nbin=12)
    true = MapAxis.from_energy_bounds("0.3 TeV", "60 TeV", nbin=24, name="energy_true")
    made = simulate_on_off(
        crab(), n_observations=15, livetime="30 min", energy=energy, energy_true=true, seed=1
    )
    folder, start, timed, files = tmp_path_factory.mktemp("runs"), Time("2020-01-01"), [], []
    for i, dataset in enumerate(made):
        low = start + TimeDelta(i * 3600.0, format="sec")
        gti = GTI.create(low, low + TimeDelta(1800.0, format="sec"))
        timed.append(dataset.replace(gti=gti))
        files.append(str(folder / f"{dataset.name}.fits"))
        write_gadf(timed[-1], files[-1])
    return Datasets(timed), files


def first_and_warm(benchmark, run) -> tuple[float, float]:
    start = time.perf_counter()
    run()
    first = time.perf_counter() - start
    benchmark.pedantic(run, rounds=5)
    return first, benchmark.stats.stats.median


def test_flux_points_of_four_runs(benchmark, runs, peer, record):
    """Cold is the first call, with all compilation."""
    datasets, files = Datasets(list(runs[0])[:4]), runs[1][:4]
    models = Fit().run(Likelihood(datasets, crab())).models
    estimator = FluxPointsEstimator(energy_edges=np.geomspace(0.7, 30, 7))
    cold, warm = first_and_warm(benchmark, lambda: estimator.run(datasets, models))
    theirs = peer("peer_estimators.py", "points", *files)
    record(
        "six flux points of 4 runs",
        warm=warm,
        cold=cold,
        peer_seconds=theirs and theirs["run"],
        ratio_warm=theirs and theirs["run"] / warm,
        ratio_cold=theirs and theirs["run"] / cold,
    )


def test_light_curve_of_fifteen_runs(benchmark, runs, peer, record):
    datasets, files = runs
    models = Fit().run(Likelihood(datasets, crab())).models
    estimator = LightCurveEstimator(energy_edges=[0.7, 30])
    cold, warm = first_and_warm(benchmark, lambda: estimator.run(datasets, models))
    theirs = peer("peer_estimators.py", "curve", *files)
    record(
        "light curve of 15 runs",
        warm=warm,
        cold=cold,
        peer_seconds=theirs and theirs["run"],
        ratio_warm=theirs and theirs["run"] / warm,
        ratio_cold=theirs and theirs["run"] / cold,
    )


def test_toys_against_five_of_the_peer(benchmark, runs, peer, record):
    """A thousand simulated sets of four runs, fitted; five fits of the peer are its time."""
    datasets, files = Datasets(list(runs[0])[:4]), runs[1][:4]
    likelihood = Likelihood(datasets, crab())
    cold, warm = first_and_warm(benchmark, lambda: fit_toys(likelihood, n_toys=1000))
    theirs = peer("peer_estimators.py", "fits", *files)
    record(
        "1000 toys of 4 runs",
        warm=warm,
        cold=cold,
        peer_five_fits=theirs and theirs["run"],
        ratio_warm=theirs and theirs["run"] / warm,
    )


def test_map_of_significance(benchmark, folder, peer, record, tmp_path):
    """200 x 200 pixels, 12 energies; the peer fits these, and adds them up to one image."""
    energy = MapAxis.from_energy_bounds("0.5 TeV", "30 TeV", nbin=12)
    true = MapAxis.from_energy_bounds("0.3 TeV", "60 TeV", nbin=24, name="energy_true")
    geom = WcsGeom.create(skydir=CRAB, width=4, binsz=0.02, proj="TAN", axes=[energy])
    image = geom.to_image()
    makers = (
        MapDatasetMaker(),
        SafeMaskMaker(methods=("offset-max", "aeff-default"), offset_max="2.5 deg"),
        FoVBackgroundMaker(
            exclusion_mask=Map.from_geom(image, data=image.separation(CRAB) > 0.4)
        ),
    )
    store, made = DataStore.from_dir(folder / "hess-dl3-dr1"), []
    for number in (23523, 23526, 23559, 23592):
        dataset = MapDataset.create(geom, true, name=f"run-{number}")
        for maker in makers:
            dataset = maker.run(dataset, store.obs(number))
        made.append(dataset)
    cube = Datasets(made).stack_reduce(name="crab")
    cube.write(tmp_path / "crab.fits")
    source = SkyModel(
        PowerLawSpectralModel(index=2.3, amplitude=1e-12), PointSpatialModel(), name="point"
    )
    estimator = TSMapEstimator(model=source, kernel_width=0.5)
    cold, warm = first_and_warm(benchmark, lambda: estimator.run(cube))
    image_only, theirs = (
        peer("peer_estimators.py", what, str(tmp_path / "crab.fits"))
        for what in ("map", "cube")
    )
    record(
        "map of significance, 200 x 200",
        warm=warm,
        cold=cold,
        peer_seconds=theirs and theirs["run"],
        peer_seconds_one_image=image_only and image_only["run"],
        ratio_warm=theirs and theirs["run"] / warm,
        ratio_cold=theirs and theirs["run"] / cold,
        ratio_warm_one_image=image_only and image_only["run"] / warm,
    )
