"""The joint fit of ``hess_fit.py`` with gammapy, run by the Python that has it.

python benchmarks/peer_hess.py DATASETS MODELS
"""

import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")
STARTED = time.perf_counter()


def main(datasets, models):
    """Time one fit from the start in the file."""
    from gammapy.datasets import Datasets
    from gammapy.modeling import Fit
    from gammapy.modeling.models import Models

    imported = time.perf_counter()
    runs = Datasets.read(datasets)
    runs.models = Models.read(models)
    read = time.perf_counter()
    result = Fit().run(runs)
    done = time.perf_counter()
    print(
        json.dumps(
            {
                "import": imported - STARTED,
                "read": read - imported,
                "fit": done - read,
                "cold": done - STARTED,
                "stat": float(result.total_stat),
                "evaluations": int(result.nfev),
                "success": bool(result.success),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
