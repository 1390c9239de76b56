"""Benchmarks of whole fits in three dimensions, each in a process of its own.

The joint fit of four H.E.S.S. runs beside gammapy, on the same files in the same run
(``GAMMAPY_PYTHON``); and the Galactic centre region with more and more sources
(``GAMMAJAX_BENCHMARK_SOURCES``, by default 1,5,10,100,1000).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import run_json

HERE = Path(__file__).resolve().parent
NUMBERS = [
    int(n) for n in os.environ.get("GAMMAJAX_BENCHMARK_SOURCES", "1,5,10,100,1000").split(",")
]


@pytest.fixture(scope="module")
def runs(folder, tmp_path_factory):
    """The four runs reduced and written, with the models that the fit starts from."""
    from astropy.coordinates import SkyCoord

    from gammajax.data import DataStore
    from gammajax.datasets import Datasets, MapDataset
    from gammajax.makers import FoVBackgroundMaker, MapDatasetMaker, SafeMaskMaker
    from gammajax.maps import Map, MapAxis, WcsGeom
    from gammajax.models import (
        FoVBackgroundModel,
        GaussianSpatialModel,
        LogParabolaSpectralModel,
        Models,
        SkyModel,
    )

    center = SkyCoord(83.633, 22.014, unit="deg")
    energy = MapAxis.from_energy_bounds("0.5 TeV", "30 TeV", nbin=12)
    true = MapAxis.from_energy_bounds("0.3 TeV", "60 TeV", nbin=24, name="energy_true")
    geom = WcsGeom.create(skydir=center, width=4, binsz=0.02, proj="TAN", axes=[energy])
    image = geom.to_image()
    safe = SafeMaskMaker(methods=("offset-max", "aeff-default"), offset_max="2.5 deg")
    scale = FoVBackgroundMaker(
        exclusion_mask=Map.from_geom(image, data=image.separation(center) > 0.4)
    )
    store, made = DataStore.from_dir(folder / "hess-dl3-dr1"), []
    for number in (23523, 23526, 23559, 23592):
        run = store.obs(number)
        empty = MapDataset.create(geom, true, name=f"run-{number}")
        made.append(scale.run(safe.run(MapDatasetMaker().run(empty, run), run)))
    spectrum = LogParabolaSpectralModel(amplitude=3e-11, reference=1.0, alpha=2.3, beta=0.1)
    source = SkyModel(spectrum, GaussianSpatialModel(83.63, 22.01, "0.03 deg"), name="crab")
    models = Models([source, *(FoVBackgroundModel(datasets_names=d.name) for d in made)])
    place = tmp_path_factory.mktemp("hess")
    Datasets(made).write(place / "datasets.yaml")
    models.write(place / "models.yaml")
    return str(place / "datasets.yaml"), str(place / "models.yaml")


def test_joint_fit_of_four_runs(benchmark, runs, peer, record, tmp_path):
    """From files to the covariance: an empty compilation cache, a full one, and warm."""
    command = [sys.executable, str(HERE / "hess_fit.py"), *runs]
    cache = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache")}
    cache |= {
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    ours = benchmark.pedantic(run_json, args=(command,), kwargs=cache, rounds=1)
    filled = run_json(command, **cache)
    theirs = peer("peer_hess.py", *runs)
    assert ours["success"]
    record(
        "joint fit of four H.E.S.S. runs",
        **{key: value for key, value in ours.items() if not isinstance(value, list)},
        cold_with_filled_cache=filled["cold"],
        peer_fit=theirs and theirs["fit"],
        peer_cold=theirs and theirs["cold"],
        peer_stat=theirs and theirs["stat"],
        peer_evaluations=theirs and theirs["evaluations"],
        ratio_warm=theirs and theirs["fit"] / ours["warm"],
        ratio_cold=theirs and theirs["cold"] / ours["cold"],
        ratio_filled=theirs and theirs["cold"] / filled["cold"],
    )


@pytest.mark.parametrize("positions", [False, True], ids=["frozen", "free"])
def test_many_sources(benchmark, folder, record, tmp_path_factory, positions):
    """Time against the number of sources, and its exponent (of processor time)."""
    place = tmp_path_factory.getbasetemp()
    numbers = [n for n in NUMBERS if n <= 100 or not positions]
    rows = []

    def run() -> None:
        for number in numbers:
            counts = place / f"counts-{number}.npy"
            command = [sys.executable, str(HERE / "many_sources.py"), str(folder), str(number)]
            command += ["--counts", str(counts), *(["--positions"] if positions else [])]
            row = run_json(command, JAX_ENABLE_COMPILATION_CACHE="0")
            record(f"{number} sources, positions {'free' if positions else 'frozen'}", **row)
            rows.append(row)

    benchmark.pedantic(run, rounds=1)
    assert all(row["success"] for row in rows)
    many = [row for row in rows if row["sources"] >= 10]
    if len(many) > 1:
        at = np.log([row["sources"] for row in many])
        record(
            f"exponents, positions {'free' if positions else 'frozen'}",
            **{
                key: float(np.polyfit(at, np.log([row[key] for row in many]), 1)[0])
                for key in ("warm_processor", "cold_processor", "plan_processor", "peak_mb")
            },
        )
