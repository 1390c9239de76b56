"""Check that gammapy and gammajax find the same in lists of cubes and flux points.

Run by hand, three times, with ``GAMMAPY_DATA`` set:
``python tests/peer/check_map_datasets.py write FOLDER`` where gammajax is installed,
``... compare FOLDER`` where gammapy 2.1 is (it also writes the datasets anew), and
``... back FOLDER`` where gammajax is.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np

DATA = Path(os.environ["GAMMAPY_DATA"])
INDEX, AMPLITUDE = 2.3, 3e-11


def numbers(dataset) -> dict:
    """What is compared, of a dataset of gammajax."""
    from gammajax.models import Models, PowerLawSpectralModel, SkyModel

    if hasattr(dataset, "data"):
        models = Models(SkyModel(PowerLawSpectralModel(INDEX, AMPLITUDE), name="x"))
        usual = dataset.replace(limits=False)
        return {"stat": usual.stat_sum(models), "bins": int(usual.mask.sum())}
    return {
        "stat": dataset.stat_sum(None),
        "bins": int(dataset.mask.sum()),
        "counts": float(dataset.counts.data.sum()),
        "background": float(dataset.background_data.sum()),
        "exposure": float(dataset.exposure.data.sum()),
        "edisp": float(dataset.edisp.values.data.sum()),
        "psf": float(dataset.psf.values.data.sum()),
    }


def of_peer(dataset) -> dict:
    """The same of a dataset of gammapy."""
    from gammapy.modeling.models import PowerLawSpectralModel, SkyModel

    if not hasattr(dataset, "counts"):
        amplitude = f"{AMPLITUDE} cm-2 s-1 TeV-1"
        dataset.models = [SkyModel(PowerLawSpectralModel(index=INDEX, amplitude=amplitude))]
        return {"stat": float(dataset.stat_sum()), "bins": int(np.sum(dataset.mask))}
    return {
        "stat": float(dataset.stat_sum()),
        "bins": int(dataset.mask.data.sum()),
        "counts": float(dataset.counts.data.sum()),
        "background": float(dataset.background.data.sum()),
        "exposure": float(dataset.exposure.quantity.to_value("cm2 s").sum()),
        "edisp": float(dataset.edisp.edisp_map.data.sum()),
        "psf": float(dataset.psf.psf_map.quantity.to_value("sr-1").sum()),
    }


def close(found: dict, expected: dict) -> None:
    assert found.keys() == expected.keys()
    for key, value in found.items():
        assert np.isclose(value, expected[key], rtol=1e-5, atol=0), (key, found, expected)


def write(folder: Path) -> None:
    from gammajax.datasets import Datasets, FluxPointsDataset, MapDataset, MapDatasetOnOff

    path = DATA / "fermi-3fhl-crab/Fermi-LAT-3FHL_data_Fermi-LAT.fits"
    crab = MapDataset.read(path, name="crab")
    high = crab.slice_by_energy(0.05, None, name="high")
    acceptance_off = crab.counts.with_data(np.full(crab.counts.data.shape, 8.0))
    fields = ("counts", "exposure", "psf", "edisp", "mask_safe")
    rings = MapDatasetOnOff(
        name="rings",
        **{field: getattr(crab, field) for field in fields},
        counts_off=crab.counts.with_data(np.round(8 * crab.background.data)),
        acceptance=crab.counts.with_data(np.ones(crab.counts.data.shape)),
        acceptance_off=acceptance_off,
    )
    points = DATA / "tests/spectrum/flux_points/diff_flux_points.fits"
    parts = [
        crab,
        high.with_energy_range(0.15, None),
        crab.to_image(name="image"),
        crab.stack(crab, name="twice"),
        rings,
        rings.to_image(name="rings-image"),
        FluxPointsDataset.read(DATA / "hawc/crab_flux/HAWC19_flux_points.fits", name="hawc"),
        FluxPointsDataset.read(points, name="points"),
    ]
    datasets = Datasets(parts)
    datasets.write(folder / "datasets.yaml", overwrite=True)
    expected = {dataset.name: numbers(dataset) for dataset in datasets}
    (folder / "expected.json").write_text(json.dumps(expected))


def compare(folder: Path) -> None:
    import gammapy
    from gammapy.datasets import Datasets

    expected = json.loads((folder / "expected.json").read_text())
    datasets = Datasets.read(folder / "datasets.yaml", checksum=False, lazy=False)
    assert len(datasets) == len(expected)
    found = {dataset.name: of_peer(dataset) for dataset in datasets}
    for name, wanted in expected.items():
        close(found[name], wanted)
    (folder / "peer").mkdir(exist_ok=True)
    datasets.write(folder / "peer" / "datasets.yaml", overwrite=True)
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
