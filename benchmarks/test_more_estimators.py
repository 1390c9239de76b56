"""Benchmarks of smoothing, theta squared, morphology, posteriors, unfolding and toys.

As in `test_estimators.py`, ``GAMMAPY_PYTHON`` is the peer and ``GAMMAJAX_BENCHMARK_RESULTS``
the file.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammajax.data import DataStore
from gammajax.datasets import MapDataset
from gammajax.estimators import (
    ASmoothMapEstimator,
    EnergyDependentMorphologyEstimator,
    FluxPointsEstimator,
    RegularizedFluxPointsEstimator,
    toy_norms,
)
from gammajax.inference import Fit, Likelihood
from gammajax.irf import EDispKernelMap
from gammajax.irf.edisp import EDispKernel
from gammajax.irf.psf_map import PSFMap
from gammajax.makers import make_theta_squared_table
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    FoVBackgroundModel,
    GaussianSpatialModel,
    LogParabolaSpectralModel,
    Models,
    PowerLawSpectralModel,
    SkyModel,
)
from gammajax.simulate import simulate_on_off

RUNS = (23523, 23526, 23559, 23592)


def first_and_warm(benchmark, run) -> tuple[float, float]:
    start = time.perf_counter()
    run()
    first = time.perf_counter() - start
    benchmark.pedantic(run, rounds=3)
    return first, benchmark.stats.stats.median


def compared(record, name, cold, warm, theirs):
    record(
        name,
        warm=warm,
        cold=cold,
        peer_seconds=theirs and theirs["run"],
        ratio_warm=theirs and theirs["run"] / warm,
        ratio_cold=theirs and theirs["run"] / cold,
    )


def cube(npix: int, models: Models) -> MapDataset:
    """Four energies of a source on a flat background, drawn once."""
    energy = MapAxis.from_energy_bounds("1 TeV", "16 TeV", nbin=4)
    true = MapAxis.from_energy_bounds("1 TeV", "16 TeV", nbin=4, name="energy_true")
    geom = WcsGeom.create(skydir=(83.63, 22.01), npix=npix, binsz=0.05, proj="TAN",
                          axes=[energy])  # fmt: skip
    response = geom.to_image().to_cube([true])
    ones = np.ones(geom.data_shape)
    empty = MapDataset(
        name="one",
        counts=Map.from_geom(geom, data=0 * ones),
        background=Map.from_geom(geom, data=0.2 * ones),
        exposure=Map.from_geom(response, data=2e12 * np.ones(response.data_shape),
                               unit="cm2 s"),
        psf=PSFMap.from_gauss(true, sigma=0.07),
        edisp=EDispKernelMap.from_kernel(
            EDispKernel.from_gauss(true, energy, sigma=0.15), frame=geom.frame
        ),
        mask_safe=Map.from_geom(geom, data=ones > 0),
    )  # fmt: skip
    return empty.fake(models, 1)


def pwn() -> Models:
    spectrum = PowerLawSpectralModel(index=2.0, amplitude=5e-10)
    shape = GaussianSpatialModel(83.63, 22.01, "0.2 deg")
    models = Models(
        [SkyModel(spectrum, shape, name="crab"), FoVBackgroundModel(datasets_names="one")]
    )
    return models.freeze("*.index").freeze("*.e").freeze("*.phi")


def test_adaptive_smoothing(benchmark, peer, record, tmp_path):
    """200 x 200 pixels, nine Gaussians."""
    data = cube(200, pwn())
    data.write(tmp_path / "cube.fits")
    estimator = ASmoothMapEstimator(scales=np.geomspace(0.05, 0.8, 9), threshold=5)
    cold, warm = first_and_warm(benchmark, lambda: estimator.run(data))
    theirs = peer("peer_more_estimators.py", "smooth", str(tmp_path / "cube.fits"))
    compared(record, "adaptive smoothing, 200 x 200, 9 scales", cold, warm, theirs)


def test_theta_squared(benchmark, folder, peer, record):
    """Four runs, three off positions, events in memory."""
    runs = DataStore.from_dir(folder / "hess-dl3-dr1").get_observations(list(RUNS))
    center = SkyCoord(83.633, 22.014, unit="deg")
    edges = np.linspace(0, 0.1, 11)
    cold, warm = first_and_warm(
        benchmark,
        lambda: make_theta_squared_table(runs, edges, center, off_regions_number=3),
    )
    theirs = peer("peer_more_estimators.py", "theta", str(folder / "hess-dl3-dr1"))
    compared(record, "theta squared table of 4 runs", cold, warm, theirs)


def test_morphology(benchmark, peer, record, tmp_path):
    """Position and size in two bins of energy, 40 x 40 pixels."""
    models = pwn()
    data = cube(40, models)
    data.write(tmp_path / "cube.fits")
    estimator = EnergyDependentMorphologyEstimator(energy_edges=[1, 4, 16])
    cold, warm = first_and_warm(benchmark, lambda: estimator.run(data, models))
    theirs = peer("peer_more_estimators.py", "morphology", str(tmp_path / "cube.fits"))
    compared(record, "energy-dependent morphology, two bins", cold, warm, theirs)


@pytest.fixture(scope="module")
def fitted():
    """Four simulated runs of half an hour, and their fit."""
    spectrum = LogParabolaSpectralModel(amplitude=4e-11, reference=1.0, alpha=2.4, beta=0.1)
    models = Models([SkyModel(spectrum, name="crab")])
    datasets = simulate_on_off(models, n_observations=4, livetime="30 min", seed=1)
    return datasets, Fit().run(Likelihood(datasets, models)).models


EDGES = np.geomspace(0.7, 30, 7)


def test_posterior_flux_points(benchmark, fitted, record):
    """Six points, 4000 draws of each by NUTS."""
    estimator = FluxPointsEstimator(energy_edges=EDGES)
    cold, warm = first_and_warm(benchmark, lambda: estimator.sample(*fitted))
    record("six posterior flux points of 4 runs", warm=warm, cold=cold)


def test_regularised_flux_points(benchmark, fitted, record):
    estimator = RegularizedFluxPointsEstimator(energy_edges=EDGES)
    cold, warm = first_and_warm(benchmark, lambda: estimator.run(*fitted))
    record("six regularised flux points of 4 runs", warm=warm, cold=cold)


def test_a_thousand_toys_with_limits(benchmark, fitted, record):
    """Norm, asymmetric errors and limit of each."""
    datasets, models = fitted
    cold, warm = first_and_warm(benchmark, lambda: toy_norms([datasets[0]], models))
    record("1000 toys with errors and limits", warm=warm, cold=cold)
