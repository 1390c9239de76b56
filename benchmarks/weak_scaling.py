"""One dataset for each process: how the time of a look and of a product grows with processes.

    python benchmarks/weak_scaling.py NUMBER_OF_SOURCES 1 2

starts that many processes, each on a core of its own, that share out a likelihood with one
counts cube for each of them and the sources of `bandwidth.py` in all, and prints JSON: seconds
of wall (the least of several rounds) and of the processor (their mean).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

ROUNDS = 40


def measured(function: Callable[[], Any]) -> dict[str, float]:
    """Milliseconds of wall and of the processor, after a round that compiles."""
    function()
    walls, began = [], time.process_time()
    for _ in range(ROUNDS):
        start = time.perf_counter()
        function()
        walls.append(time.perf_counter() - start)
    spent = time.process_time() - began
    return {"wall_ms": 1e3 * min(walls), "processor_ms": 1e3 * spent / ROUNDS}


def one(sources: int, coordinator: str, number: int, process: int) -> None:
    """What each process does; the first one prints."""
    os.sched_setaffinity(0, {process % (os.cpu_count() or 1)})
    import numpy as np
    from bandwidth import likelihood_of

    from gammajax.inference import ShardedLikelihood, start_distributed

    if number > 1:
        start_distributed(coordinator, number, process)
    alone = likelihood_of(sources)
    (dataset,) = alone.datasets
    names = [f"d{i}" for i in range(number)]
    datasets = {name: lambda own=name: dataset.replace(name=own) for name in names}
    likelihood = ShardedLikelihood(datasets, alone.models)
    theta, direction = likelihood.start, np.ones((1, likelihood.n_free))
    at = likelihood.at(theta)
    found = {
        "look": measured(lambda: likelihood.at(theta)),
        "product": measured(lambda: likelihood.times(at, direction, exact=True)),
    }
    stat = float(at.stat) / number - float(alone.stat(theta))
    if process == 0:
        print(
            json.dumps({"processes": number, "sources": sources, "difference": stat, **found})
        )


def main(sources: str, *numbers: str) -> None:
    for number in map(int, numbers):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            address = f"localhost:{free.getsockname()[1]}"
        command = [sys.executable, __file__, "--one", sources, address, str(number)]
        runs = [
            subprocess.Popen([*command, str(process)], stdout=subprocess.PIPE, text=True)
            for process in range(number)
        ]
        outputs = [run.communicate()[0] for run in runs]
        print(outputs[0].strip().splitlines()[-1])


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        one(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    else:
        main(*sys.argv[1:])
