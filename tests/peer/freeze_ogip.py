"""Write ``data/ogip.json``: what gammapy finds in the OGIP files of the public test data.

Run it by hand in an environment with gammapy 2.1 and ``GAMMAPY_DATA`` set:
``python tests/peer/freeze_ogip.py``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import gammapy
import numpy as np
from gammapy.datasets import SpectrumDatasetOnOff
from gammapy.modeling.models import PowerLawSpectralModel, SkyModel

ROOT = Path(os.environ["GAMMAPY_DATA"])
FILES = [
    *sorted(ROOT.glob("joint-crab/spectra/*/pha_*.fits")),
    *(
        ROOT / f"datasets/simulations/simulated_spectrum_dataset_{kind}.fits"
        for kind in ("PL", "ECPL")
    ),
]


def main() -> None:
    found = {"gammapy": gammapy.__version__, "files": {}}
    model = SkyModel(PowerLawSpectralModel(index=2, amplitude="1e-12 cm-2 s-1 TeV-1"), name="x")
    for path in FILES:
        dataset = SpectrumDatasetOnOff.read(path)
        dataset.models = [model]
        mask = dataset.mask_safe.data
        found["files"][str(path.relative_to(ROOT))] = {
            "counts": float(dataset.counts.data[mask].sum()),
            "counts_off": float(dataset.counts_off.data[mask].sum()),
            "background": float(dataset.background.data[mask].sum()),
            "bins": int(mask.sum()),
            "exposure": float(dataset.exposure.quantity.to_value("cm2 s").sum()),
            "edisp": float(dataset.edisp.get_edisp_kernel().pdf_matrix.astype(float).sum()),
            "npred": float(dataset.npred_signal().data[mask].astype(float).sum()),
            "stat": float(dataset.stat_sum()),
            "edges": [
                float(e)
                for e in dataset.counts.geom.axes["energy"].edges.to_value("TeV")[[0, -1]]
            ],
        }
    text = json.dumps(found, indent=1) + "\n"
    (Path(__file__).with_name("data") / "ogip.json").write_text(text)
    print(text[:1500], np.__version__)


if __name__ == "__main__":
    main()
