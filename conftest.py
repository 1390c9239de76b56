"""What all tests and doctests share: numerical settings, data files, random numbers."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")
# XLA's older emitters compile in three quarters of the time. A version that does not know the
# flag would end the process.
if version("jaxlib").startswith("0.10."):
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false")

import hypothesis
import numpy as np
import pytest

from gammajax.config import enable_compilation_cache

ROOT = Path(__file__).resolve().parent

# Scripts that run the peer by hand, in its own environment: doctests would import them.
collect_ignore_glob = ["tests/peer/*", "benchmarks/peer_*"]

# Compiling is most of the time that the tests take. Tests keep a cache of their own.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
enable_compilation_cache(CACHE / "gammajax" / "xla-tests")

hypothesis.settings.register_profile("default", deadline=None, max_examples=50)
hypothesis.settings.register_profile(
    "ci", parent=hypothesis.settings.get_profile("default"), derandomize=True, database=None
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that makes missing data files a failure."""
    parser.addoption(
        "--require-data",
        action="store_true",
        help="fail, instead of skip, where a file of real telescope data is not found",
    )


def data_folders() -> list[Path]:
    """Where files of real telescope data are looked up."""
    given = os.environ.get("GAMMAPY_DATA")
    return [*([Path(given)] if given else []), ROOT.parent / "shared" / "data"]


@pytest.fixture(scope="session")
def data_path(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """A function from a name like ``joint-crab/spectra/hess/pha_obs23523.fits`` to a path.

    A test that asks for a file that is not there is skipped, or fails with
    ``--require-data``. Tests that use it carry the marker ``data``.
    """

    def find(name: str) -> Path:
        for folder in data_folders():
            if (folder / name).exists():
                return folder / name
        message = f"{name} is neither in $GAMMAPY_DATA nor in ../shared/data"
        if request.config.getoption("--require-data"):
            pytest.fail(f"{message}, and --require-data was given")
        pytest.skip(message)

    return find


MOST_MAPPINGS = 20_000
"""Mappings of memory after which compiled programs are dropped; Linux allows 65,530."""


@pytest.fixture(scope="module", autouse=True)
def few_programs() -> Iterator[None]:
    """Compiled programs do not pile up: a process that has thousands of them crashes."""
    yield
    mappings = Path("/proc/self/maps")
    if "jax" in sys.modules and mappings.exists():
        with mappings.open() as lines:
            number = sum(1 for _ in lines)
        if number > MOST_MAPPINGS:
            sys.modules["jax"].clear_caches()
            gc.collect()


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(20240229)
