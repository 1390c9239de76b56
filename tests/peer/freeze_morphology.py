"""Write ``data/morphology.json``: gammapy's test of a source that shrinks with energy.

The counts are drawn here by a formula and written, so that both packages have the same. Run it
by hand in an environment with gammapy 2.1: ``python tests/peer/freeze_morphology.py``.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import astropy.units as u
import gammapy
import numpy as np
from gammapy.datasets import Datasets, MapDataset
from gammapy.estimators import EnergyDependentMorphologyEstimator
from gammapy.irf import PSFMap
from gammapy.maps import Map, MapAxis, WcsGeom
from gammapy.modeling.models import GaussianSpatialModel, PowerLawSpectralModel, SkyModel

EDGES = (1.0, 4.0, 16.0)
CENTER = (83.63, 22.01)
EXPOSURE, PSF, SIGMA, BACKGROUND = 2e12, 0.07, (0.25, 0.22, 0.18, 0.14), 0.3


def cube() -> MapDataset:
    """Four bins of energy, Gaussians of different sizes on a flat background."""
    energy = MapAxis.from_energy_bounds("1 TeV", "16 TeV", nbin=4)
    true = MapAxis.from_energy_bounds("1 TeV", "16 TeV", nbin=4, name="energy_true")
    geom = WcsGeom.create(skydir=CENTER, npix=40, binsz=0.05, proj="TAN", axes=[energy])
    distance = geom.to_image().separation(geom.center_skydir).deg
    rng = np.random.default_rng(4)
    counts = []
    for sigma, number in zip(SIGMA, (800, 400, 200, 100), strict=True):
        width = sigma**2 + PSF**2
        shape = 0.05**2 * np.exp(-(distance**2) / (2 * width)) / (2 * np.pi * width)
        counts.append(rng.poisson(number * shape + BACKGROUND * number / 800))
    level = np.array([BACKGROUND * number / 800 for number in (800, 400, 200, 100)])
    flat = np.broadcast_to(level[:, None, None], geom.data_shape).copy()
    response = geom.to_image().to_cube([true])
    one = np.full(response.data_shape, EXPOSURE)
    dataset = MapDataset(
        counts=Map.from_geom(geom, data=np.array(counts, dtype=float)),
        background=Map.from_geom(geom, data=flat),
        exposure=Map.from_geom(response, data=one, unit="cm2 s"),
        psf=PSFMap.from_gauss(true, sigma=PSF * u.deg),
        name="one",
    )
    dataset.mask_safe = Map.from_geom(geom, data=np.ones(geom.data_shape, dtype=bool))
    return dataset


def main() -> None:
    dataset = cube()
    shape = GaussianSpatialModel(lon_0=f"{CENTER[0]} deg", lat_0=f"{CENTER[1]} deg",
                                 sigma="0.2 deg", frame="icrs")  # fmt: skip
    spectrum = PowerLawSpectralModel(index=2.0, amplitude="5e-10 cm-2 s-1 TeV-1")
    spectrum.index.frozen = True
    dataset.models = [SkyModel(spectrum, shape, name="crab")]
    estimator = EnergyDependentMorphologyEstimator(EDGES * u.TeV, source="crab")
    before = time.perf_counter()
    found = estimator.run(Datasets([dataset]))
    seconds = time.perf_counter() - before
    test, source = found["energy_dependence"], found["src_above_bkg"]
    names = ("lon_0", "lat_0", "sigma")
    columns = [n + end for n in names for end in ("", "_err")]
    numbers = {
        "gammapy": gammapy.__version__,
        "seconds": seconds,
        "counts": dataset.counts.data.astype(int).tolist(),
        "delta_ts": float(test["delta_ts"]),
        "df": int(test["df"]),
        **{n: u.Quantity(test["result"][n]).to_value("deg").tolist() for n in columns},
        "source_ts": np.asarray(source["delta_ts"], dtype=float).tolist(),
        "source_df": [int(x) for x in source["df"]],
    }
    path = Path(__file__).with_name("data") / "morphology.json"
    path.write_text(json.dumps(numbers) + "\n")
    print({key: value for key, value in numbers.items() if key != "counts"})


if __name__ == "__main__":
    main()
