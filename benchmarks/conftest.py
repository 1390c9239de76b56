"""What the benchmarks share: the data folder, the peer, and a record of results."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import pytest

# The tests' cache of compiled programs would make every compile time here a reading time.
jax.config.update("jax_enable_compilation_cache", False)

EMITTERS = "--xla_cpu_use_fusion_emitters=false"
"""What tests set to compile faster: programs may run half as fast, and users lack it."""


def pytest_configure(config: pytest.Config) -> None:
    """Benchmarks measure the compiler as users have it."""
    if config.getoption("benchmark_only") and os.environ.get("XLA_FLAGS") == EMITTERS:
        del os.environ["XLA_FLAGS"]


HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


@pytest.fixture(scope="session")
def folder() -> Path:
    """The folder of real data."""
    given = os.environ.get("GAMMAPY_DATA")
    for path in [*([Path(given)] if given else []), HERE.parents[1] / "shared" / "data"]:
        if (path / "joint-crab").is_dir():
            return path
    pytest.skip("joint-crab is neither in $GAMMAPY_DATA nor in ../shared/data")


@pytest.fixture(scope="session")
def peer() -> Callable[..., dict[str, Any] | None]:
    """Runs a script with the Python that ``$GAMMAPY_PYTHON`` names; None without one."""
    python = os.environ.get("GAMMAPY_PYTHON")

    def run(script: str, *arguments: str) -> dict[str, Any] | None:
        if not python:
            return None
        return run_json([python, str(HERE / script), *arguments])

    return run


def run_json(command: list[str], **environment: str) -> dict[str, Any]:
    """The JSON that a command prints last."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="session")
def record() -> Any:
    """Collects figures, and writes them to ``benchmarks/results/<name>.json`` at the end."""
    found: dict[str, Any] = {
        "machine": {
            "cpus": os.cpu_count(),
            "python": platform.python_version(),
            "jax": jax.__version__,
            "device": jax.devices()[0].platform,
        }
    }

    def add(name: str, **figures: Any) -> None:
        found[name] = {
            key: round(value, 6) if isinstance(value, float) else value
            for key, value in figures.items()
        }
        print(f"\n{name}: {json.dumps(found[name])}")

    yield add
    target = os.environ.get("GAMMAJAX_BENCHMARK_RESULTS")
    if target:
        path = Path(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        old = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**old, **found}, indent=1) + "\n")
