"""MAGIC runs on the Crab with a directional cut, from events to a fit."""

from __future__ import annotations

import json
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from regions import CircleSkyRegion, PointSkyRegion

from gammajax.data import DataStore
from gammajax.datasets import SpectrumDataset
from gammajax.inference import Fit, Likelihood
from gammajax.makers import (
    ReflectedRegionsBackgroundMaker,
    SafeMaskMaker,
    SpectrumDatasetMaker,
    WobbleRegionsFinder,
)
from gammajax.maps import MapAxis, RegionGeom
from gammajax.models import LogParabolaSpectralModel, Models, SkyModel

pytestmark = pytest.mark.data

CRAB = SkyCoord(83.63, 22.01, unit="deg")
ENERGY = MapAxis.from_energy_edges(10.0 ** np.arange(-1.2, 1.3, 0.2))
TRUE = MapAxis.from_energy_bounds("0.01 TeV", "50 TeV", nbin=30, name="energy_true")
PEER = json.loads((Path(__file__).parents[1] / "peer" / "data" / "reduction.json").read_text())
NAMES = ("amplitude", "alpha", "beta")

PUBLISHED = (4.145e-11, 2.600, 0.1922)
"""Nigro et al. 2019, with the natural logarithm."""


def reduce(run, on, energy=ENERGY, n_off=3):
    dataset = SpectrumDataset.create(
        RegionGeom.create(on, axes=[energy]), TRUE, name=str(run.obs_id)
    )
    for maker in (
        SpectrumDatasetMaker(selection=("counts", "exposure", "edisp")),
        ReflectedRegionsBackgroundMaker(region_finder=WobbleRegionsFinder(n_off_regions=n_off)),
        SafeMaskMaker(methods=("aeff-max",), aeff_percent=10),
    ):
        dataset = maker.run(dataset, run)
    return dataset


def fitted(datasets):
    spectrum = LogParabolaSpectralModel(amplitude=3e-11, reference=1.0, alpha=2.3, beta=0.1)
    return Fit().run(Likelihood(datasets, Models([SkyModel(spectrum, name="crab")])))


def at_centre(dataset, run):
    """The dataset with its dispersion at the centres of true bins, where the peer has it."""
    offset = run.pointing.icrs().separation(CRAB)
    return dataset.replace(edisp=run.edisp.to_edisp_kernel(offset, TRUE, ENERGY, 1))


def check(dataset, theirs) -> None:
    for what in ("counts", "counts_off", "acceptance", "acceptance_off", "mask_safe"):
        np.testing.assert_array_equal(getattr(dataset, what), theirs[what])
    np.testing.assert_allclose(dataset.exposure, theirs["exposure"], rtol=1e-9)


def compare(result, theirs, most) -> None:
    values, errors = np.array([theirs["parameters"][name] for name in NAMES]).T
    assert result.success
    assert np.all(np.abs(result.theta - values) < most * errors)


@pytest.fixture(scope="module")
def runs(data_path):
    store = DataStore.from_dir(data_path("magic/rad_max/data"))
    return [store.obs(number) for number in (5029747, 5029748)]


def test_a_cut_that_depends_on_energy(runs) -> None:
    datasets = [reduce(run, PointSkyRegion(CRAB)) for run in runs]
    for dataset in datasets:
        check(dataset, PEER["magic"]["runs"][dataset.name])
        assert dataset.meta["containment_correction"]
        assert [type(r).__name__ for r in dataset.meta["off_regions"]] == 3 * ["PointSkyRegion"]
    same = [at_centre(d, run) for d, run in zip(datasets, runs, strict=True)]
    compare(fitted(same), PEER["magic"]["fit"], 0.01)
    result = fitted(datasets)
    compare(result, PEER["magic"]["fit"], 0.2)
    assert np.all(np.abs(result.theta - PUBLISHED) < result.errors)


def test_a_fixed_cut(data_path) -> None:
    run = DataStore.from_dir(data_path("joint-crab/dl3/magic")).obs(5029748)
    dataset = reduce(run, PointSkyRegion(CRAB))
    check(dataset, PEER["magic_fixed"]["runs"]["5029748"])
    compare(fitted([at_centre(dataset, run)]), PEER["magic_fixed"]["fit"], 0.01)
    circle = CircleSkyRegion(CRAB, 0.1414213 * u.deg)
    same = reduce(run, circle)
    np.testing.assert_array_equal(same.counts, dataset.counts)
    np.testing.assert_array_equal(same.counts_off, dataset.counts_off)
    with pytest.raises(ValueError, match=r"for a circle of 0\.141421 deg .RAD_MAX."):
        reduce(run, CircleSkyRegion(CRAB, 0.2 * u.deg))


def test_bins_whose_off_regions_would_overlap_are_not_safe(runs) -> None:
    """Three positions at 0.4 deg are 0.57 deg apart, and the cut grows to 0.39 deg."""
    energy = MapAxis.from_energy_edges(10.0 ** np.arange(-2, 0.3, 0.2))
    dataset = reduce(runs[0], PointSkyRegion(CRAB), energy)
    widest = runs[0].rad_max.radius(energy.center, 0.4)
    np.testing.assert_array_equal(dataset.acceptance_off, np.where(widest < 0.28, 3, 0))
    assert not dataset.mask_safe[widest > 0.28].any()


def test_a_region_for_a_cut_that_depends_on_energy_is_refused(runs) -> None:
    with pytest.raises(ValueError, match=r"depends on energy.*give a point"):
        reduce(runs[0], CircleSkyRegion(CRAB, 0.14 * u.deg))
