"""The same work as in `test_simulate.py` with gammapy, run by the Python that has it.

    python benchmarks/peer_simulate.py FOLDER RUN MODELS [MODELS ...]

simulates the run of a folder with each model file; prints seconds, and what was drawn, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

import numpy as np

warnings.simplefilter("ignore")


def main(folder: str, run: str, *files: str) -> None:
    from gammapy.data import DataStore
    from gammapy.datasets import ObservationEventSampler
    from gammapy.modeling.models import Models

    observation = DataStore.from_dir(folder).obs(int(run))
    for part in ("events", "gti", "aeff", "edisp", "psf", "bkg"):
        getattr(observation, part)
    found = []
    for file in files:
        models = Models.read(file)
        times = []
        for seed in range(2):
            start = time.perf_counter()
            drawn = ObservationEventSampler(random_state=seed).run(observation, models)
            times.append(time.perf_counter() - start)
        table = drawn.events.table
        found.append(
            {
                "seconds": min(times),
                "n_events": len(table),
                "by_source": np.bincount(table["MC_ID"], minlength=3).tolist(),
                "median_energy": float(np.median(table["ENERGY"])),
            }
        )
    print(json.dumps({"cases": found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
