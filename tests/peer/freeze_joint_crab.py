"""Write ``data/joint_crab.json``: gammapy's joint fit of the Crab spectra of three telescopes.

Run it by hand in an environment with gammapy 2.1 and ``GAMMAPY_DATA`` set:
``python tests/peer/freeze_joint_crab.py``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import astropy.units as u
import gammapy
from gammapy.datasets import Datasets, SpectrumDatasetOnOff
from gammapy.modeling import Fit
from gammapy.modeling.models import LogParabolaSpectralModel, SkyModel

SPECTRA = Path(os.environ["GAMMAPY_DATA"]) / "joint-crab" / "spectra"
RANGES = {"fermi": (0.03, 2), "magic": (0.08, 30), "hess": (0.5, 30)}


def main() -> None:
    datasets = Datasets()
    for telescope, (low, high) in RANGES.items():
        for path in sorted((SPECTRA / telescope).glob("pha_*.fits")):
            dataset = SpectrumDatasetOnOff.read(path, name=f"{telescope}-{path.stem}")
            dataset.mask_fit = dataset.counts.geom.energy_mask(low * u.TeV, high * u.TeV)
            datasets.append(dataset)
    spectrum = LogParabolaSpectralModel(
        amplitude="4e-11 cm-2 s-1 TeV-1", reference="1 TeV", alpha=2.5, beta=0.1
    )
    datasets.models = [SkyModel(spectrum, name="crab")]
    start = {dataset.name: dataset.stat_sum() for dataset in datasets}
    options = {"optimize_opts": {"tol": 1e-4, "strategy": 2}}
    result = Fit(**options).run(datasets)
    found = {
        "gammapy": gammapy.__version__,
        "start": start,
        "success": bool(result.success),
        "stat": float(datasets.stat_sum()),
        "values": {
            name: float(spectrum.parameters[name].value)
            for name in ("amplitude", "alpha", "beta")
        },
        "errors": {
            name: float(spectrum.parameters[name].error)
            for name in ("amplitude", "alpha", "beta")
        },
    }
    text = json.dumps(found, indent=1) + "\n"
    (Path(__file__).with_name("data") / "joint_crab.json").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
