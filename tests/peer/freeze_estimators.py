"""Write ``data/flux_points_hess.json``: gammapy's flux points of the four H.E.S.S. Crab runs.

Run it by hand in an environment with gammapy 2.1 and ``GAMMAPY_DATA`` set:
``python tests/peer/freeze_estimators.py [FOLDER]``. With a folder, the reduced spectra are
written into it as OGIP files.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from gammapy.data import DataStore
from gammapy.datasets import Datasets, SpectrumDataset
from gammapy.estimators import FluxPointsEstimator
from gammapy.makers import ReflectedRegionsBackgroundMaker, SafeMaskMaker, SpectrumDatasetMaker
from gammapy.maps import MapAxis, RegionGeom, WcsGeom
from gammapy.modeling import Fit
from gammapy.modeling.models import LogParabolaSpectralModel, SkyModel
from regions import CircleSkyRegion

RUNS = (23523, 23526, 23559, 23592)
SCALARS = ("norm", "norm_err", "norm_errn", "norm_errp", "norm_ul", "ts", "sqrt_ts", "stat",
           "stat_null")  # fmt: skip


def reduced() -> Datasets:
    """The four runs as in the reference table."""
    store = DataStore.from_dir(Path(os.environ["GAMMAPY_DATA"]) / "hess-dl3-dr1")
    center = SkyCoord(83.633, 22.014, unit="deg")
    energy = MapAxis.from_energy_bounds(0.5, 30, 12, unit="TeV")
    true = MapAxis.from_energy_bounds(0.3, 60, 24, unit="TeV", name="energy_true")
    geom = RegionGeom.create(CircleSkyRegion(center, 0.11 * u.deg), axes=[energy])
    exclusion = CircleSkyRegion(SkyCoord(183.604, -8.708, unit="deg", frame="galactic"),
                                0.5 * u.deg)  # fmt: skip
    sky = WcsGeom.create(npix=(150, 150), binsz=0.05, skydir=center, proj="TAN")
    mask = ~sky.region_mask([exclusion])
    makers = (
        SpectrumDatasetMaker(containment_correction=True,
                             selection=["counts", "exposure", "edisp"]),
        ReflectedRegionsBackgroundMaker(exclusion_mask=mask),
        SafeMaskMaker(methods=["aeff-max"], aeff_percent=10),
    )  # fmt: skip
    datasets = Datasets()
    for run in RUNS:
        dataset = SpectrumDataset.create(geom=geom, energy_axis_true=true, name=f"run-{run}")
        for maker in makers:
            dataset = maker.run(dataset, store.obs(run))
        datasets.append(dataset)
    return datasets


def main() -> None:
    datasets = reduced()
    if len(sys.argv) > 1:
        for dataset in datasets:
            path = Path(sys.argv[1]) / f"pha_{dataset.name}.fits"
            dataset.write(path, overwrite=True)
    spectrum = LogParabolaSpectralModel(
        amplitude="3e-11 cm-2 s-1 TeV-1", reference="1 TeV", alpha=2.3, beta=0.1
    )
    datasets.models = [SkyModel(spectrum, name="crab")]
    result = Fit(optimize_opts={"tol": 1e-4, "strategy": 2}).run(datasets)
    estimator = FluxPointsEstimator(
        energy_edges=np.geomspace(0.7, 30, 7) * u.TeV, source="crab", selection_optional="all"
    )
    before = time.perf_counter()
    points = estimator.run(datasets)
    seconds = time.perf_counter() - before
    table = points.to_table(sed_type="likelihood")
    found = {
        "stat": float(result.total_stat),
        "values": {p.name: float(p.value) for p in spectrum.parameters},
        "seconds": seconds,
        "e_min": table["e_min"].tolist(),
        "e_max": table["e_max"].tolist(),
        "ref_dnde": table["ref_dnde"].tolist(),
        "ref_flux": table["ref_flux"].tolist(),
        "ref_eflux": table["ref_eflux"].tolist(),
        "norm_scan": np.asarray(table["norm_scan"][0]).tolist(),
        "stat_scan": np.asarray(table["stat_scan"]).tolist(),
        "counts": np.asarray(table["counts"]).tolist(),
        "npred": np.asarray(table["npred"]).tolist(),
        "npred_excess": np.asarray(table["npred_excess"]).tolist(),
        **{name: table[name].tolist() for name in SCALARS},
    }
    text = json.dumps(found, indent=1) + "\n"
    (Path(__file__).with_name("data") / "flux_points_hess.json").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
