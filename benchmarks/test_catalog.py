"""Benchmarks of catalogues beside gammapy: read one, and make models of the whole sky.

The peer runs in the same session, with the Python that ``GAMMAPY_PYTHON`` names. Give a place
for the figures with ``GAMMAJAX_BENCHMARK_RESULTS=benchmarks/results/catalog.json``.
"""

from __future__ import annotations

import time

import pytest

from gammajax.catalog import load

FILES = {"3fgl": "gll_psc_v16.fit.gz", "3fhl": "gll_psch_v13.fit.gz"}


@pytest.mark.parametrize("tag", FILES)
def test_whole_sky(benchmark, record, folder, peer, tag):
    path = folder / "catalogs" / "fermi" / FILES[tag]
    start = time.perf_counter()
    catalog = load(tag, path)
    read = time.perf_counter() - start
    start = time.perf_counter()
    models = catalog.to_models(problems="leave out")
    first = time.perf_counter() - start

    def make():
        return load(tag, path).to_models(problems="leave out")

    benchmark.pedantic(make, rounds=3)
    start = time.perf_counter()
    models.freeze("*")
    freeze = time.perf_counter() - start
    theirs = peer("peer_catalog.py", tag, str(path))
    figures = {"sources": len(models), "parameters": len(models.parameters)}
    if theirs:
        figures |= {f"peer_{name}": value for name, value in theirs.items()}
        figures["ratio"] = (theirs["read"] + theirs["models"]) / (read + first)
        assert figures["ratio"] > 3
    record(f"{tag} as models", read=read, models=first, freeze=freeze, **figures)
