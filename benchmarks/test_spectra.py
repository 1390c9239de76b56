"""Benchmarks of spectral fits on the joint Crab data, beside gammapy in the same run.

Give the peer with ``GAMMAPY_PYTHON=/path/to/python`` and a place for the figures with
``GAMMAJAX_BENCHMARK_RESULTS=benchmarks/results/spectra.json``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest
from spectra import log_parabola, read

from conftest import run_json
from gammajax.datasets import SpectrumDatasetOnOff
from gammajax.inference import Fit, Likelihood, fit_toys, sample, stat_profile, svi
from gammajax.inference.fit import _newton

HERE = Path(__file__).resolve().parent


def median_seconds(function, repeats: int = 30) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - start)
    return float(np.median(times))


@pytest.fixture(scope="module")
def hess(folder):
    return Likelihood(read(folder, "hess"), log_parabola())


@pytest.fixture(scope="module")
def joint(folder):
    return Likelihood(read(folder, "fermi", "magic", "hess"), log_parabola())


def test_joint_fit_of_four_spectra(benchmark, hess, folder, peer, record):
    """Warm: data in memory, program compiled; the covariance is part of it."""
    first = Fit().run(hess)
    result = benchmark(lambda: Fit().run(hess))
    assert result.success
    ours = benchmark.stats.stats.median
    theirs = peer("peer_spectra.py", str(folder), "fit")
    record(
        "fit of 4 spectra, warm",
        seconds=ours,
        compile=first.seconds["compile"],
        peer_seconds=theirs and theirs["fit"],
        ratio=theirs and theirs["fit"] / ours,
        stat=result.stat,
        peer_stat=theirs and theirs["stat"],
    )


@pytest.mark.parametrize("cache", ["empty", "filled"])
def test_whole_process(benchmark, folder, peer, record, tmp_path, cache):
    """A new process: import, read, compile, fit."""
    command = [sys.executable, str(HERE / "spectra.py"), str(folder)]
    runs = []

    def once(number: int) -> float:
        place = tmp_path / (f"cache-{number}" if cache == "empty" else "cache")
        start = time.perf_counter()
        runs.append(run_json([*command, str(place)]))
        return time.perf_counter() - start

    once(-1)
    ours, theirs, details = [], [], None
    for number in range(5):
        ours.append(once(number))
        start = time.perf_counter()
        details = peer("peer_spectra.py", str(folder), "cold")
        theirs.append(time.perf_counter() - start)
    benchmark.pedantic(once, args=(99,), rounds=1)
    seconds, peer_seconds = float(np.median(ours)), float(np.median(theirs))
    record(
        f"whole process, {cache} cache",
        seconds=seconds,
        peer_seconds=details and peer_seconds,
        ratio=details and peer_seconds / seconds,
        **{key: float(np.median([run[key] for run in runs[1:]])) for key in
           ("import", "read", "compile", "fit", "peak_mb")},
        peer_peak_mb=details and details["peak_mb"],
    )  # fmt: skip


def test_gradient_against_value(benchmark, joint, record):
    """Seven spectra; inside one program, so that the call itself is not what is timed."""
    from gammajax.inference.problem import gradient, total_stat

    x = np.asarray(joint.problem.space.value)

    def loop(function):
        @jax.jit
        def many(problem, x):
            return jax.lax.fori_loop(0, 200, lambda _, y: y + 1e-18 * function(problem, y), x)

        many(joint.problem, x)
        return median_seconds(lambda: many(joint.problem, x)) / 200

    value = loop(total_stat)
    slope = loop(lambda problem, y: gradient(problem, y)[1])
    benchmark(lambda: joint.value_and_gradient(joint.start))
    calls = {
        "value_call": median_seconds(lambda: joint.stat(joint.start)),
        "gradient_call": median_seconds(lambda: joint.value_and_gradient(joint.start)),
    }
    record("gradient of 7 spectra", value=value, gradient=slope, ratio=slope / value, **calls)


def test_nuts(benchmark, joint, record):
    """Four chains of 1000 draws on the joint fit; effective draws of the worst parameter."""
    result = Fit().run(joint)
    first = sample(result, seed=1, progress=False)
    seeds = iter(range(2, 100))
    posterior = benchmark.pedantic(
        lambda: sample(result, seed=next(seeds), progress=False), rounds=5
    )
    seconds = benchmark.stats.stats.median
    record(
        "NUTS on 7 spectra",
        seconds=seconds,
        ess_worst=float(posterior.ess.min()),
        ess_per_second=float(posterior.ess.min() / seconds),
        r_hat=float(posterior.r_hat.max()),
        divergent=posterior.n_divergent,
        compile=first.settings["seconds"]["compile"],
    )


def test_svi(benchmark, joint, record):
    """The variational posterior of the joint fit."""
    result = Fit().run(joint)
    svi(result)
    posterior = benchmark(lambda: svi(result))
    record(
        "SVI on 7 spectra",
        seconds=benchmark.stats.stats.median,
        importance_efficiency=posterior.settings["importance_efficiency"],
    )


def test_profile(benchmark, hess, folder, peer, record):
    """1000 points of a profile in one call, against 20 of the peer."""
    result = Fit().run(hess)
    run = lambda: stat_profile(result, "*.alpha", n_values=1000)  # noqa: E731
    start = time.perf_counter()
    run()
    first = time.perf_counter() - start
    profile = benchmark(run)
    assert profile.converged.all()
    theirs = peer("peer_spectra.py", str(folder), "profile")
    ours = benchmark.stats.stats.median
    record(
        "profile of 1000 points",
        seconds=ours,
        first_call=first,
        peer_seconds_for_20=theirs and theirs["profile_20"],
        ratio=theirs and theirs["profile_20"] / ours,
    )


def test_toys(benchmark, hess, record):
    """1000 simulated sets of four spectra, each fitted."""
    likelihood = hess.with_models(Fit().run(hess).models)
    fit_toys(likelihood, n_toys=1000)
    toys = benchmark.pedantic(lambda: fit_toys(likelihood, n_toys=1000), rounds=5)
    record(
        "1000 toys of 4 spectra",
        seconds=benchmark.stats.stats.median,
        converged=float(toys.converged.mean()),
    )


@pytest.mark.parametrize("n_runs", [4, 40, 400])
def test_compile_time_against_runs(benchmark, folder, record, n_runs):
    """The four H.E.S.S. runs again and again, with fit ranges that differ."""
    base = read(folder, "hess")
    datasets: list[SpectrumDatasetOnOff] = []
    for i in range(n_runs):
        dataset = base[i % 4].replace(name=f"run-{i}")
        datasets.append(dataset.with_energy_range(f"{0.5 + 0.05 * (i % 13)} TeV", "30 TeV"))
    start = time.perf_counter()
    likelihood = Likelihood(datasets, log_parabola())
    build = time.perf_counter() - start
    _newton.clear_cache()
    result = Fit().run(likelihood)
    assert result.success
    benchmark(lambda: Fit().run(likelihood))
    record(
        f"compile with {n_runs} runs",
        compile=result.seconds["compile"],
        build=build,
        fit_warm=benchmark.stats.stats.median,
        terms=len(likelihood.problem.terms),
    )
