"""A small joint likelihood of cubes and spectra, alone or shared out; run by test_sharded.py.

    python shared_sky.py FOLDER DATASETS SOURCES [HOST:PORT PROCESSES PROCESS]

writes what a mesh of DATASETS x SOURCES devices finds to FOLDER/PROCESS.npz.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np

from gammajax.datasets import Datasets, MapDataset
from gammajax.inference import Fit, Likelihood, ShardedLikelihood, start_distributed
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    FoVBackgroundModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)
from gammajax.parameters import GaussianPrior
from gammajax.simulate import simulate_on_off

PLACES = [(83.5, 22.0), (83.55, 22.1), (83.7, 21.9)]
FIT = Fit(tolerance=1e-17)


def cube(name: str) -> MapDataset:
    energy = MapAxis.from_energy_bounds("1 TeV", "30 TeV", nbin=2)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(skydir=(83.63, 22.05), width=0.8, binsz=0.1, axes=[energy])
    return MapDataset(
        name=name,
        counts=Map.from_geom(geom, data=np.zeros(geom.data_shape)),
        exposure=Map.from_geom(geom.to_image().to_cube([true]), data=2e14, unit="cm2 s"),
        background=Map.from_geom(geom, data=2.0 * np.ones(geom.data_shape)),
        psf=PSFMap.from_gauss(true, sigma=0.1),
    )


def scene() -> tuple[Datasets, Models]:
    """Two cubes, of which one has a background that is scaled, and two spectra.

    A parameter is linked, one has a prior, one spectrum belongs to one source only.
    """
    spectrum = PowerLawSpectralModel(amplitude=2e-11)
    parts = [
        SkyModel(spectrum, PointSpatialModel(*place), name=f"s{i}")
        for i, place in enumerate(PLACES)
    ]
    models = Models([*parts, FoVBackgroundModel(datasets_names="a")]).freeze("*.spatial.*")
    cubes = [cube(name).fake(models, seed=4) for name in ("a", "b")]
    spectra = simulate_on_off(
        Models([SkyModel(spectrum, name="s")]),
        n_observations=2,
        energy=MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=4),
        energy_true=MapAxis.from_energy_bounds(
            "0.2 TeV", "50 TeV", nbin=12, name="energy_true"
        ),
        seed=1,
    )
    models = models.set("s*.amplitude", min=0).set("s*.index", max=6)
    models = models.link("s2.spectral.index", to="s0.spectral.index")
    models = models.set("s1.spectral.index", prior=GaussianPrior(2.0, 0.3))
    start = models.set("s*.spectral.amplitude", value=1e-11).set("s0.spectral.index", value=2.4)
    return Datasets([*cubes, *spectra]), start


def found(likelihood: Any, **options: Any) -> dict[str, np.ndarray]:
    """What is compared."""
    theta = likelihood.start
    stat, gradient = likelihood.value_and_gradient(theta)
    direction = np.cos(np.arange(theta.size)) * np.abs(theta)
    result = FIT.run(likelihood, **options)
    return {
        "stat": np.asarray(stat),
        "gradient": np.asarray(gradient),
        "product": np.asarray(likelihood.hvp(theta, direction)),
        "hessian": np.asarray(likelihood.hessian(theta)),
        "fisher": np.asarray(likelihood.fisher(theta)),
        "theta": result.theta,
        "errors": result.errors,
        "best": np.asarray(result.stat),
        "success": np.asarray(result.success),
        "n_bins": np.asarray(likelihood.n_bins),
    }


def alone() -> dict[str, np.ndarray]:
    return found(Likelihood(*scene()))


def main(folder: str, rows: str, columns: str, *processes: str) -> None:
    process = 0
    if processes:
        coordinator, number, process = processes[0], int(processes[1]), int(processes[2])
        start_distributed(coordinator, number, process, timeout=120)
    shape = int(rows), int(columns)
    devices = np.array(jax.devices()[: shape[0] * shape[1]]).reshape(shape)
    mesh = jax.sharding.Mesh(devices, ("datasets", "sources"))
    datasets, models = scene()
    made: list[str] = []

    def maker(dataset: Any) -> Any:
        return lambda: made.append(dataset.name) or dataset

    on_demand = {dataset.name: maker(dataset) for dataset in datasets}
    likelihood = ShardedLikelihood(on_demand, models, mesh)
    values = found(likelihood)
    np.savez(Path(folder) / f"{process}.npz", made=np.array(sorted(made)), **values)


if __name__ == "__main__":
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    main(*sys.argv[1:])
