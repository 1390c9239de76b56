"""Write ``data/asmooth.json``: gammapy's adaptive smoothing of the Crab seen by Fermi-LAT.

Run it by hand in an environment with gammapy 2.1 and ``GAMMAPY_DATA`` set:
``python tests/peer/freeze_asmooth.py``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import astropy.units as u
import gammapy
import numpy as np
from astropy.convolution import Gaussian2DKernel, Tophat2DKernel
from gammapy.datasets import MapDataset
from gammapy.estimators import ASmoothMapEstimator

CASES = {
    "gauss-lima": {"kernel": Gaussian2DKernel, "method": "lima", "threshold": 3},
    "gauss-asmooth": {"kernel": Gaussian2DKernel, "method": "asmooth", "threshold": 2},
    "disk-lima": {"kernel": Tophat2DKernel, "method": "lima", "threshold": 3},
}
SCALES = {"gauss": (0.2, 0.3, 0.4), "disk": (0.06, 0.1, 0.17, 0.3, 0.5)}
EDGES = (0.01, 0.1, 2.0)
STEP = 7


def main() -> None:
    folder = Path(os.environ["GAMMAPY_DATA"]) / "fermi-3fhl-crab"
    dataset = MapDataset.read(folder / "Fermi-LAT-3FHL_data_Fermi-LAT.fits", name="fermi")
    inside = dataset.mask_safe.data.any(axis=0)
    found = {"gammapy": gammapy.__version__, "scales": SCALES, "edges": EDGES, "step": STEP,
             "cases": {}}  # fmt: skip
    for name, options in CASES.items():
        estimator = ASmoothMapEstimator(
            scales=SCALES[name.split("-")[0]] * u.deg, energy_edges=EDGES * u.TeV, **options
        )
        maps = estimator.run(dataset)
        case = {key: np.round(m.data[:, ::STEP, ::STEP], 9).tolist() for key, m in maps.items()}
        case["flux"] = maps["flux"].quantity.to_value("cm-2 s-1")[:, ::STEP, ::STEP].tolist()
        case["edges"] = maps["flux"].geom.axes["energy"].edges.to_value("TeV").tolist()
        case["significant"] = (
            (np.isfinite(maps["sqrt_ts"].data) & inside).sum(axis=(1, 2)).tolist()
        )
        found["cases"][name] = case
        print(name, case["significant"], maps["flux"].unit, maps["flux"].data.shape)
    text = json.dumps(found).replace("NaN", "null") + "\n"
    (Path(__file__).with_name("data") / "asmooth.json").write_text(text)


if __name__ == "__main__":
    main()
