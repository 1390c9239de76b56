"""Likelihoods that are shared out over devices and processes give the same answers."""

from __future__ import annotations

import os
import runpy
import socket
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from gammajax.inference import Fit, ShardedLikelihood, sample
from gammajax.inference.collectives import Collectives

SCRIPT = Path(__file__).with_name("shared_sky.py")


@pytest.fixture(scope="module")
def sky():
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def expected(sky):
    return sky["alone"]()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("localhost", 0))
        return found.getsockname()[1]


def start(*arguments: str, devices: int = 1) -> subprocess.Popen:
    environment = {
        **os.environ,
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(processes: list[subprocess.Popen], seconds: float = 500) -> list[str]:
    """Wait for processes, and end them if they do not come to an end."""
    ends = time.monotonic() + seconds
    try:
        return [one.communicate(timeout=ends - time.monotonic())[0] for one in processes]
    finally:
        for one in processes:
            one.kill()


def same(found, expected) -> None:
    scale = 1 / np.sqrt(np.diag(expected["fisher"]))
    assert found["success"]
    assert found["n_bins"] == expected["n_bins"]
    np.testing.assert_allclose(found["stat"], expected["stat"], rtol=1e-12)
    np.testing.assert_allclose(found["best"], expected["best"], rtol=1e-12)
    for what in ("gradient", "product"):
        largest = np.abs(scale * expected[what]).max()
        np.testing.assert_allclose(
            scale * found[what], scale * expected[what], atol=1e-11 * largest
        )
    for what in ("hessian", "fisher"):
        matrices = (np.outer(scale, scale) * one[what] for one in (found, expected))
        np.testing.assert_allclose(*matrices, atol=1e-10)
    moved = (found["theta"] - expected["theta"]) / expected["errors"]
    np.testing.assert_allclose(moved, 0, atol=2e-8)
    np.testing.assert_allclose(found["theta"], expected["theta"], rtol=1e-9)
    np.testing.assert_allclose(found["errors"], expected["errors"], rtol=1e-9)


def test_one_device_gives_the_same(sky, expected) -> None:
    same(sky["found"](ShardedLikelihood(*sky["scene"]())), expected)


@pytest.mark.long
@pytest.mark.parametrize(("rows", "columns"), [(4, 2), (2, 1)])
def test_devices_of_one_process_give_the_same(expected, tmp_path, rows, columns) -> None:
    run = start(str(SCRIPT), str(tmp_path), str(rows), str(columns), devices=8)
    (output,) = finished([run])
    assert run.returncode == 0, output
    same(np.load(tmp_path / "0.npz"), expected)


@pytest.mark.long
@pytest.mark.parametrize(("rows", "columns"), [(2, 1), (2, 2)])
def test_processes_give_the_same_and_make_their_own_datasets_only(
    expected, tmp_path, rows, columns
) -> None:
    number, address = rows * columns, f"localhost:{free_port()}"
    mesh = str(tmp_path), str(rows), str(columns)
    runs = [start(str(SCRIPT), *mesh, address, str(number), str(i)) for i in range(number)]
    outputs = finished(runs)
    assert [run.returncode for run in runs] == [0] * number, outputs
    found = [np.load(tmp_path / f"{i}.npz") for i in range(number)]
    for one in found:
        same(one, expected)
        np.testing.assert_array_equal(one["theta"], found[0]["theta"])
    made = [list(one["made"]) for one in found]
    assert made[0] == ["a", "sim-1"]
    assert made[-1] == ["b", "sim-2"]


BROKEN = """
import runpy, sys
from gammajax.inference import ShardedLikelihood, start_distributed
script, address, process = sys.argv[1:]
start_distributed(address, 2, int(process), timeout=120)
(a, *_), models = runpy.run_path(script)["scene"]()
def broken():
    raise ValueError("b is broken")
ShardedLikelihood({"a": lambda: a, "b": broken}, models)
"""


@pytest.mark.long
def test_what_one_process_cannot_plan_is_an_error_in_all() -> None:
    address = f"localhost:{free_port()}"
    runs = [start("-c", BROKEN, str(SCRIPT), address, str(i)) for i in range(2)]
    outputs = finished(runs, 200)
    assert all(run.returncode for run in runs)
    assert "ValueError: another process cannot plan its share" in outputs[0]
    assert "ValueError: b is broken" in outputs[1]


def test_what_cannot_be_is_said(sky) -> None:
    datasets, models = sky["scene"]()
    devices = np.array(jax.devices()[:1]).reshape(1, 1)
    with pytest.raises(ValueError, match="expected datasets and sources"):
        Collectives(jax.sharding.Mesh(devices, ("x", "y")))
    likelihood = ShardedLikelihood(datasets, models)
    with pytest.raises(ValueError, match="needs the method 'newton', got 'lbfgs'"):
        Fit(method="lbfgs").run(likelihood)
    with pytest.raises(ValueError, match="is not there for a sharded likelihood"):
        Fit(covariance="sandwich").run(likelihood)
    with pytest.raises(ValueError, match="needs it on one: build"):
        sample(Fit().run(likelihood))
    with pytest.raises(ValueError, match="is none of b"):
        ShardedLikelihood({"b": lambda: datasets[1]}, models)


def test_a_fit_goes_on_from_a_checkpoint(sky, expected, tmp_path) -> None:
    likelihood = ShardedLikelihood(*sky["scene"]())
    path = tmp_path / "fit.npz"
    stopped = Fit(max_steps=3).run(likelihood, checkpoint=path)
    assert not stopped.success
    assert path.exists()
    result = sky["FIT"].run(ShardedLikelihood(*sky["scene"]()), checkpoint=path)
    assert result.success
    np.testing.assert_allclose(result.theta, expected["theta"], rtol=1e-9)
    other = ShardedLikelihood(sky["scene"]()[0], sky["scene"]()[1].freeze("s0.*"))
    with pytest.raises(ValueError, match="belongs to a fit of other data or models"):
        Fit().run(other, checkpoint=path)
