"""Processor time of the prediction of many sources in all bins of the Galactic centre cube.

    python benchmarks/npred_sources.py FOLDER NUMBER

makes the sources of ``many_sources.py``, without the diffuse template, predicts them twice with
`MapDataset.npred`, and prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path


def main() -> None:
    """Predict once from a cold start and once more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("number", type=int)
    given = parser.parse_args()
    from many_sources import cube, sources

    from gammajax.models import Models

    folder = given.folder / "fermi-3fhl-gc"
    dataset = cube(folder)
    truth, _ = sources(given.number, False, folder)
    models = Models([component for component in truth if component.name != "iem"])
    seconds = []
    for _ in range(2):
        start = time.process_time()
        total = float(dataset.npred(models).data.sum())
        seconds.append(time.process_time() - start)
    print(
        json.dumps(
            {
                "sources": given.number,
                "bins": int(dataset.counts.data.size),
                "cold_cpu_s": seconds[0],
                "warm_cpu_s": seconds[1],
                "total": total,
                "load": os.getloadavg()[0],
            }
        )
    )


if __name__ == "__main__":
    main()
