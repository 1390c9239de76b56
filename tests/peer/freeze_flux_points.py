"""Write ``data/flux_points.json``: gammapy's chi-squared of public flux points.

Run it by hand in an environment with gammapy 2.1 and ``GAMMAPY_DATA`` set:
``python tests/peer/freeze_flux_points.py``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import gammapy
import numpy as np
from gammapy.datasets import FluxPointsDataset
from gammapy.estimators import FluxPoints
from gammapy.modeling import Fit
from gammapy.modeling.models import PowerLawSpectralModel, SkyModel

ROOT = Path(os.environ["GAMMAPY_DATA"])
FILES = [
    "tests/spectrum/flux_points/diff_flux_points.fits",
    "tests/spectrum/flux_points/diff_flux_points.ecsv",
    "hawc/crab_flux/HAWC19_flux_points.fits",
    "estimators/crab_hess_fp/crab_hess_fp.fits",
]


def main() -> None:
    found = {"gammapy": gammapy.__version__, "files": {}}
    for name in FILES:
        points = FluxPoints.read(ROOT / name)
        model = SkyModel(PowerLawSpectralModel(index=2.3, amplitude="3e-11 cm-2 s-1 TeV-1"))
        if "tests" in name:
            model.spectral_model.amplitude.value = 2.2e-13
        dataset = FluxPointsDataset(data=points, models=[model])
        stat = float(dataset.stat_sum())
        numbers = {
            "points": int(np.sum(dataset.mask_safe)),
            "stat": stat,
            "dnde": float(np.nansum(points.dnde.quantity.to_value("cm-2 s-1 TeV-1"))),
        }
        fit = Fit().run([dataset])
        parameters = model.spectral_model.parameters
        numbers["fit"] = {
            "stat": float(fit.total_stat),
            **{
                key: [parameters[key].value, parameters[key].error]
                for key in ("index", "amplitude")
            },
        }
        found["files"][name] = numbers
    text = json.dumps(found, indent=1) + "\n"
    (Path(__file__).with_name("data") / "flux_points.json").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
