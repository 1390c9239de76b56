"""Fits of many sources on a GPU, all in one process; prints a line of JSON for each.

    python benchmarks/accelerator.py FOLDER ROW... [--skies FOLDER]

A ROW is ``gc:N`` (N point sources in the Galactic centre cube below FOLDER, positions frozen),
``gc:N:positions`` or ``sky:N`` (N sources with free positions on the whole sky): those of
``many_sources.py`` and ``sky_sources.py``, with the same seeds, starts and bounds. With
``--skies`` simulated skies are kept in a folder, and read from it if they are there.

Each row has the seconds of the plan, of compiling, of the first fit (compiling in it) and of
the same fit once more, errors of all parameters in both; of that the seconds of the search on
the device; the memory of the device at its peak, over all rows so far; and for 100 and 1000
sources the time of value and gradient in a loop of one program, and of reading once all that
the folds were planned with.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from bandwidth import both, read_speed, seconds
from many_sources import cube
from many_sources import sources as in_the_cube
from sky_sources import emission, inputs
from sky_sources import sources as on_the_sky

from gammajax.inference import Fit, Likelihood
from gammajax.simulate import lat_like_datasets
from gammajax.simulate.lat_sky import COMPONENTS

READ = (100, 1000)
"""Numbers of sources for which value and gradient are timed by themselves."""


def field(folder: Path, number: int, positions: bool) -> tuple[Any, Any, Any]:
    """Dataset, true models and those of the start, in the Galactic centre."""
    folder = folder / "fermi-3fhl-gc"
    truth, start = in_the_cube(number, positions, folder)
    return cube(folder).fake(truth, seed=1), truth, start


def sky(skies: Path | None, number: int) -> tuple[Any, Any, Any]:
    """Dataset, true models and those of the start, on the whole sky."""
    truth, start = on_the_sky(number, frozen=False)
    dataset, templates = inputs(lat_like_datasets(COMPONENTS[-1:])[0], truth, skies)
    diffuse = emission(templates, dataset.name)
    return dataset, truth + diffuse, start + diffuse


def fitted(dataset: Any, truth: Any, start: Any) -> tuple[dict[str, Any], Likelihood]:
    """The figures of two fits."""
    began = time.perf_counter()
    likelihood = Likelihood([dataset], start)
    planned = time.perf_counter()
    result = Fit().run(likelihood)
    first = time.perf_counter()
    again = Fit().run(likelihood)
    second = time.perf_counter()
    values = np.array([truth.parameters[name].value for name in result.names])
    free = result.errors > 0
    pulls = (result.theta - values)[free] / result.errors[free]
    memory = jax.local_devices()[0].memory_stats() or {}
    return {
        "free": len(result.theta),
        "success": bool(result.success),
        "message": result.message[:200],
        "stat": float(result.stat),
        "edm": float(result.edm),
        "steps": int(result.n_evaluations),
        "plan": planned - began,
        "compile": result.seconds["compile"],
        "first": first - planned,
        "warm": second - first,
        "search": again.seconds["fit"],
        "same": bool(abs(again.stat - result.stat) < 1e-6),
        "pull_mean": float(pulls.mean()),
        "pull_std": float(pulls.std()),
        "device_mb": memory.get("peak_bytes_in_use", 0) / 1e6,
        "host_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }, likelihood


def reading(likelihood: Likelihood, speed: float) -> dict[str, float]:
    """How long value and gradient take beside one reading of the plans of all folds."""
    problem = jax.device_put(likelihood.problem)
    size = sum(leaf.nbytes for leaf in jax.tree_util.tree_leaves(problem.terms))
    took = seconds(both, jnp.asarray(problem.space.value), problem)
    return {
        "plans_mb": size / 1e6,
        "gradient_ms": 1e3 * took,
        "gradient_over_floor": took * speed / size,
        "part_of_bandwidth": size / took / speed,
    }


def main() -> None:
    """Fit all that was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("rows", nargs="+")
    parser.add_argument("--skies", type=Path)
    given = parser.parse_args()
    speed = read_speed()
    device = str(jax.local_devices()[0].device_kind)
    print(json.dumps({"device": device, "jax": jax.__version__, "read_gb_s": speed / 1e9}))
    for row in given.rows:
        kind, number, *how = row.split(":")
        if kind == "sky":
            made = sky(given.skies, int(number))
        else:
            made = field(given.folder, int(number), bool(how))
        found, likelihood = fitted(*made)
        found = {"row": row, "sources": int(number), **found}
        if int(number) in READ:
            found |= reading(likelihood, speed)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
