"""Benchmarks of event simulation beside gammapy: a run of H.E.S.S., real responses.

The peer runs in the same session, with the Python that ``GAMMAPY_PYTHON`` names. Give a place
for the figures with ``GAMMAJAX_BENCHMARK_RESULTS=benchmarks/results/simulate.json``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from gammajax.data import DataStore
from gammajax.models import (
    GaussianSpatialModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)
from gammajax.simulate import ObservationEventSampler

RUN = 23523
BRIGHTNESS = {"a run": 1.0, "a bright run": 300.0}


def source_models(factor: float) -> Models:
    """A point and an extended source beside it."""
    spectra = [
        PowerLawSpectralModel(index=index, amplitude=factor * amplitude)
        for index, amplitude in ((2.6, 3.5e-11), (2.2, 1e-11))
    ]
    shapes = [PointSpatialModel(83.63, 22.01), GaussianSpatialModel(84.0, 22.5, 0.2)]
    pairs = zip(spectra, shapes, ("crab", "neighbour"), strict=True)
    return Models([SkyModel(*parts, name=name) for *parts, name in pairs])


@pytest.fixture(scope="module")
def run(folder):
    found = DataStore.from_dir(folder / "hess-dl3-dr1").obs(RUN)
    _ = (found.events, found.gti, found.aeff, found.edisp, found.psf, found.bkg)
    return found


@pytest.fixture(scope="module")
def theirs(folder, peer, tmp_path_factory):
    """The peer's seconds and events, or nothing where there is no peer."""
    files = []
    for name, factor in BRIGHTNESS.items():
        files.append(tmp_path_factory.mktemp("models") / f"{name.replace(' ', '-')}.yaml")
        source_models(factor).write(files[-1])
    found = peer("peer_simulate.py", str(folder / "hess-dl3-dr1"), str(RUN), *map(str, files))
    return dict(zip(BRIGHTNESS, found["cases"], strict=True)) if found else {}


def best_of(function, repeats: int = 5) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.parametrize("name", BRIGHTNESS)
def test_events_of_a_run(benchmark, record, run, theirs, name):
    models, sampler = source_models(BRIGHTNESS[name]), ObservationEventSampler(seed=1)
    start = time.perf_counter()
    drawn = sampler.run(run, models)
    first = time.perf_counter() - start
    benchmark.pedantic(lambda: sampler.run(run, models), rounds=3)
    seconds = best_of(lambda: sampler.run(run, models))
    other = theirs.get(name, {})
    by_source = np.bincount(drawn.events.column("MC_ID"), minlength=3).tolist()
    figures = {"n_events": len(drawn.events), "by_source": by_source}
    if other:
        figures |= {
            "peer_seconds": other["seconds"],
            "peer_n_events": other["n_events"],
            "peer_by_source": other["by_source"],
            "ratio": other["seconds"] / seconds,
        }
        assert figures["ratio"] > 20
    record(f"events of {name}", seconds=seconds, first_seconds=first, **figures)


def test_ten_million_events(benchmark, record, run):
    models = source_models(3.7e4)
    sampler = ObservationEventSampler(seed=1, keep_truth=False)
    start, used = time.perf_counter(), time.process_time()
    drawn = benchmark.pedantic(lambda: sampler.run(run, models), rounds=1)
    seconds, used = time.perf_counter() - start, time.process_time() - used
    record("ten million events", seconds=seconds, cpu_seconds=used, n_events=len(drawn.events))
    assert len(drawn.events) > 1e7
