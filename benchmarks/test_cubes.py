"""Benchmarks of fits of counts cubes, beside gammapy in the same run.

Give the peer with ``GAMMAPY_PYTHON=/path/to/python`` and a place for the figures with
``GAMMAJAX_BENCHMARK_RESULTS=benchmarks/results/cubes.json``.
"""

from __future__ import annotations

import time

import pytest

from gammajax.datasets import MapDataset
from gammajax.inference import Fit, Likelihood
from gammajax.models import Models


@pytest.fixture(scope="module")
def crab(folder):
    place = folder / "fermi-3fhl-crab"
    dataset = MapDataset.read(place / "Fermi-LAT-3FHL_data_Fermi-LAT.fits", name="Fermi-LAT")
    return dataset, Models.read(place / "Fermi-LAT-3FHL_models.yaml")


@pytest.fixture(scope="module")
def theirs(peer, folder):
    return peer("peer_cubes.py", str(folder))


@pytest.mark.parametrize("position", ["frozen", "free"])
def test_fit_of_the_fermi_crab(benchmark, crab, theirs, record, position):
    """From the start of the file; the covariance is part of it."""
    dataset, models = crab
    if position == "free":
        models = models.thaw("*.spatial.l*")
    start = time.perf_counter()
    likelihood = Likelihood([dataset], models)
    planned = time.perf_counter() - start
    first = Fit().run(likelihood)
    result = benchmark(lambda: Fit().run(likelihood))
    assert result.success
    ours = benchmark.stats.stats.median
    record(
        f"fit of the Fermi-LAT Crab, position {position}, warm",
        seconds=ours,
        plan=planned,
        compile=first.seconds["compile"],
        stat=result.stat,
        evaluations=result.n_evaluations,
        peer_seconds=theirs and theirs["fit"],
        peer_stat=theirs and theirs["stat"],
        peer_evaluations=theirs and theirs["evaluations"],
        ratio=theirs and theirs["fit"] / ours,
    )
