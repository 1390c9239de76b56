"""The joint fit of four H.E.S.S. runs of the Crab, in a process of its own.

    python benchmarks/hess_fit.py DATASETS MODELS

reads a list of counts cubes and a model file, as either code writes them, fits, and prints
JSON: the times of a cold process, and of the same fit once more.
"""

from __future__ import annotations

import json
import resource
import sys
import time

STARTED = time.perf_counter()


def main(datasets: str, models: str) -> None:
    """Fit from the start in the file, twice."""
    from gammajax.datasets import Datasets
    from gammajax.inference import Fit, Likelihood
    from gammajax.models import Models

    imported = time.perf_counter()
    runs, start = Datasets.read(datasets), Models.read(models)
    read = time.perf_counter()
    likelihood = Likelihood(runs, start)
    planned = time.perf_counter()
    result = Fit().run(likelihood)
    cold = time.perf_counter()
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        Fit().run(likelihood)
        times.append(time.perf_counter() - begun)
    names = ("crab.spectral.amplitude", "crab.spectral.alpha", "crab.spectral.beta")
    rows = [result.models.parameters[name] for name in names]
    print(
        json.dumps(
            {
                "import": imported - STARTED,
                "read": read - imported,
                "plan": planned - read,
                "compile": result.seconds["compile"],
                "cold": cold - STARTED,
                "warm": sorted(times)[2],
                "stat": result.stat,
                "success": result.success,
                "steps": result.n_evaluations,
                "values": [row.value for row in rows],
                "errors": [row.error for row in rows],
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
