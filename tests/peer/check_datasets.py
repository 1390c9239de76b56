"""Check that gammapy and gammajax find the same in the datasets that the other one wrote.

Run by hand, three times, with ``GAMMAPY_DATA`` set:
``python tests/peer/check_datasets.py write FOLDER`` where gammajax is installed,
``... compare FOLDER`` where gammapy 2.1 is (it also writes datasets of its own), and
``... back FOLDER`` where gammajax is.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np

SPECTRA = Path(os.environ["GAMMAPY_DATA"]) / "joint-crab" / "spectra"
INDEX, AMPLITUDE = 2.3, 3e-11


def numbers(dataset) -> dict:
    from gammajax.models import Models, PowerLawSpectralModel, SkyModel

    spectrum = PowerLawSpectralModel(index=INDEX, amplitude=AMPLITUDE)
    models = Models(SkyModel(spectrum, name="x"))
    # gammapy's lists hold no fit range
    everything = dataset.replace(mask_fit=None)
    return {
        "stat": everything.stat_sum(models),
        "counts": dataset.counts.tolist(),
        "background": dataset.background.tolist(),
        "exposure": dataset.exposure.tolist(),
        "edisp": dataset.edisp.matrix.tolist(),
        "mask": dataset.mask_safe.tolist(),
    }


def close(found: dict, expected: dict) -> None:
    assert np.isclose(found["stat"], expected["stat"], rtol=1e-6, atol=0), (found, expected)
    assert found["mask"] == expected["mask"]
    for key, rtol in (
        ("counts", 0),
        ("background", 1e-12),
        ("exposure", 1e-12),
        ("edisp", 1e-6),
    ):
        np.testing.assert_allclose(found[key], expected[key], rtol=rtol, atol=0, err_msg=key)


def write(folder: Path) -> None:
    from gammajax.datasets import Datasets, SpectrumDataset, read_ogip

    hess = read_ogip(SPECTRA / "hess/pha_obs23523.fits", name="run 1")
    magic = read_ogip(SPECTRA / "magic/pha_obs5029747.fits", name="magic")
    fermi = read_ogip(SPECTRA / "fermi/pha_obs0.fits", name="fermi").replace(
        livetime=float("nan")
    )
    fields = ("energy", "energy_true", "counts", "exposure", "edisp", "background", "mask_safe")
    given = {field: getattr(magic, field) for field in fields}
    cash = SpectrumDataset(name="cash", **given)
    ranged = magic.with_energy_range("0.1 TeV", "10 TeV")
    datasets = Datasets([hess, ranged, fermi, cash])
    datasets.write(folder / "datasets.yaml", overwrite=True)
    text = (folder / "datasets.yaml").read_text()
    key = "  filename: pha_obsmagic.fits\n"
    (folder / "datasets.yaml").write_text(text.replace(key, key + "  energy_min: 0.1 TeV\n"))
    expected = {dataset.name: numbers(dataset) for dataset in datasets}
    (folder / "expected.json").write_text(json.dumps(expected))


def of_peer(dataset) -> dict:
    edisp = dataset.edisp.get_edisp_kernel().pdf_matrix
    background = (
        dataset.background if hasattr(dataset, "counts_off") else dataset.npred_background()
    )
    return {
        "stat": float(dataset.stat_sum()),
        "counts": dataset.counts.data.ravel().tolist(),
        "background": background.data.ravel().tolist(),
        "exposure": dataset.exposure.quantity.to_value("cm2 s").ravel().tolist(),
        "edisp": edisp.astype(float).tolist(),
        "mask": dataset.mask_safe.data.ravel().tolist(),
    }


def compare(folder: Path) -> None:
    import gammapy
    from gammapy.datasets import Datasets
    from gammapy.modeling.models import PowerLawSpectralModel, SkyModel

    expected = json.loads((folder / "expected.json").read_text())
    datasets = Datasets.read(folder / "datasets.yaml", checksum=False)
    amplitude = f"{AMPLITUDE} cm-2 s-1 TeV-1"
    model = SkyModel(PowerLawSpectralModel(index=INDEX, amplitude=amplitude), name="x")
    assert len(datasets) == len(expected)
    for dataset, wanted in zip(datasets, expected.values(), strict=True):
        dataset.models = [model]
        close(of_peer(dataset), wanted)
    (folder / "peer").mkdir(exist_ok=True)
    datasets.write(folder / "peer" / "datasets.yaml", overwrite=True)
    found = {dataset.name: of_peer(dataset) for dataset in datasets}
    (folder / "peer" / "expected.json").write_text(json.dumps(found))
    print(f"gammapy {gammapy.__version__}: {len(datasets)} datasets are equal")


def back(folder: Path) -> None:
    from gammajax.datasets import Datasets

    expected = json.loads((folder / "peer" / "expected.json").read_text())
    datasets = Datasets.read(folder / "peer" / "datasets.yaml")
    for dataset in datasets:
        close(numbers(dataset), expected[dataset.name])
    print(f"{len(datasets)} datasets that gammapy wrote are equal")


if __name__ == "__main__":
    {"write": write, "compare": compare, "back": back}[sys.argv[1]](Path(sys.argv[2]))
