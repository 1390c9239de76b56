"""``gammajax fit`` in two processes, and what happens when one of them is lost."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gammajax.maps import MapAxis
from gammajax.models import LogParabolaSpectralModel, Models, SkyModel
from gammajax.simulate import simulate_on_off

MAIN = "from gammajax.cli.app import main; main()"

KILLED = """
import os, signal
from gammajax.inference import newton_cg as steps
accepted, done = steps.accepted, []
def dying(*arguments):
    done.append(1)
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return accepted(*arguments)
steps.accepted = dying
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    spectrum = LogParabolaSpectralModel(amplitude=4e-11, alpha=2.4, beta=0.1)
    models = Models([SkyModel(spectrum, name="crab")])
    energy = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=6)
    datasets = simulate_on_off(models, n_observations=3, energy=energy, seed=2)
    datasets.write(folder / "datasets.yaml")
    models.set("*.amplitude", value=1e-11).write(folder / "models.yaml")
    return folder


@pytest.fixture(scope="module")
def expected(files, tmp_path_factory):
    output = tmp_path_factory.mktemp("alone") / "out"
    run = start(files, output)
    said = run.communicate(timeout=300)
    assert run.returncode == 0, said
    return parameters(output)


def start(files: Path, output: Path, *more: str, before: str = "") -> subprocess.Popen:
    arguments = ["fit", "-d", files / "datasets.yaml", "-m", files / "models.yaml"]
    return subprocess.Popen(
        [sys.executable, "-c", before + MAIN, *arguments, "-o", output, "--no-plots", *more],
        env={**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def together(files: Path, output: Path, checkpoint: Path, killed: str = "") -> list:
    """Run two processes to their ends: the status and the outputs of each."""
    with socket.socket() as found:
        found.bind(("localhost", 0))
        address = f"localhost:{found.getsockname()[1]}"
    more = "--coordinator", address, "--processes", "2", "--checkpoint", str(checkpoint)
    runs = [
        start(files, output, *more, "--process", str(i), before=killed if i else "")
        for i in range(2)
    ]
    try:
        outputs = [run.communicate(timeout=300) for run in runs]
    finally:
        for run in runs:
            run.kill()
    return [(run.returncode, *output) for run, output in zip(runs, outputs, strict=True)]


def parameters(output: Path) -> dict[str, tuple[float, float]]:
    rows = json.loads((output / "fit.json").read_text())["parameters"]
    return {row["name"]: (row["value"], row["error"]) for row in rows}


@pytest.mark.slow
def test_a_lost_process_ends_the_fit_and_the_checkpoint_goes_on(
    files, expected, tmp_path
) -> None:
    checkpoint, output = tmp_path / "fit.npz", tmp_path / "out"
    first, second = together(files, output, checkpoint, KILLED)
    assert second[0] == -9
    assert first[0] == 3, first
    assert "the fit has stopped: process 0 of 2 lost the connection" in first[2]
    assert f"its state is kept in {checkpoint}" in first[2]
    assert not output.exists()
    ends = together(files, output, checkpoint)
    assert [status for status, *_ in ends] == [0, 0], ends
    found = parameters(output)
    assert list(found) == list(expected)
    for name, numbers in expected.items():
        # both end within 1e-6 of the minimum, not at the same point
        np.testing.assert_allclose(found[name], numbers, rtol=1e-5)
    about = json.loads((output / "fit.json").read_text())
    assert [one["name"] for one in about["datasets"]] == ["sim-1", "sim-2", "sim-3"]


def test_bad_options_are_said(files, tmp_path) -> None:
    run = start(files, tmp_path / "out", "--processes", "2")
    _, said = run.communicate(timeout=300)
    assert run.returncode == 2
    assert "--processes and --process need --coordinator HOST:PORT" in said
    more = "--coordinator", "node1", "--processes", "2", "--process", "1"
    run = start(files, tmp_path / "out", *more)
    _, said = run.communicate(timeout=300)
    assert run.returncode == 2
    assert "coordinator is 'node1', expected a host and a port" in said
