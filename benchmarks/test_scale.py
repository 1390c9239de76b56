"""Many sources: the gradient against the speed of the memory, and processes side by side."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from conftest import run_json

HERE = Path(__file__).resolve().parent


def load() -> float:
    """How many programs wanted a core in the last minute."""
    return os.getloadavg()[0]


@pytest.mark.parametrize("number", [300, 1000])
def test_value_and_gradient_read_memory(benchmark, record, number) -> None:
    command = [sys.executable, str(HERE / "bandwidth.py"), str(number)]
    found = benchmark.pedantic(run_json, args=(command,), rounds=1)
    record(f"memory read by {number} sources", **found, load=load())


@pytest.mark.parametrize("processes", [1, 2])
def test_weak_scaling(benchmark, record, processes) -> None:
    command = [sys.executable, str(HERE / "weak_scaling.py"), "300", str(processes)]
    found = benchmark.pedantic(run_json, args=(command,), rounds=1)
    record(f"300 sources and a cube for each of {processes} processes", **found, load=load())


@pytest.mark.parametrize("number", [10, 100, 1000])
def test_whole_sky_with_free_positions(benchmark, record, number, tmp_path) -> None:
    command = [sys.executable, str(HERE / "sky_sources.py"), str(number)]
    command += ["--inputs", os.environ.get("GAMMAJAX_BENCHMARK_SKY", str(tmp_path))]
    found = benchmark.pedantic(run_json, args=(command,), rounds=1)
    record(f"whole sky above 10 GeV, {number} sources, positions free", **found)
    assert found["success"]
    assert abs(found["pull_std"] - 1) < 0.2
