"""Simulated runs on disk: the numbers that gammapy reads are those that were drawn."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

PEER = Path(__file__).resolve().parents[1] / "peer"


@pytest.fixture(scope="module")
def runs():
    """The runs of tests/peer/freeze_simulated.py."""
    spec = importlib.util.spec_from_file_location(
        "freeze_simulated", PEER / "freeze_simulated.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.simulated_runs()


def test_gammapy_reads_what_was_drawn(runs):
    frozen = json.loads((PEER / "data" / "simulated.json").read_text())
    for run in runs:
        peer, events = frozen[str(run.obs_id)], run.events
        assert peer["n_events"] == len(events)
        assert peer["by_source"] == np.bincount(events.column("MC_ID")).tolist()
        assert peer["names"] == [events.meta[f"MMN{i:05d}"] for i in range(3)]
        assert peer["irfs"] == sorted(run.available_irfs)
        sums = {
            "energy": events.energy.value.sum(),
            "true": np.nansum(events.column("ENERGY_TRUE")),
            "ra": events.radec.ra.deg.sum(),
            "time": (events.time - run.gti.time_start[0]).to_value("s").sum(),
            "livetime": run.livetime.value,
        }
        for name, value in sums.items():
            assert value == pytest.approx(peer[name], rel=1e-6), name
