"""Fits of counts cubes with gammapy, run by the Python that has it.

    python benchmarks/peer_cubes.py FOLDER

fits the Fermi-LAT Crab from its own files and prints JSON.
"""

import json
import sys
import time
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")


def main(folder):
    """Time one fit from the start of the file."""
    start = time.perf_counter()
    from gammapy.datasets import MapDataset
    from gammapy.modeling import Fit
    from gammapy.modeling.models import Models

    imported = time.perf_counter()
    place = Path(folder) / "fermi-3fhl-crab"
    dataset = MapDataset.read(place / "Fermi-LAT-3FHL_data_Fermi-LAT.fits", name="Fermi-LAT")
    dataset.models = Models.read(place / "Fermi-LAT-3FHL_models.yaml")
    reading = time.perf_counter()
    result = Fit().run([dataset])
    done = time.perf_counter()
    print(
        json.dumps(
            {
                "import": imported - start,
                "read": reading - imported,
                "fit": done - reading,
                "stat": float(result.total_stat),
                "evaluations": int(result.nfev),
                "success": bool(result.success),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
