"""Sources that change with time, folded into counts cubes and spectra."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.data import GTI
from gammajax.datasets import MapDataset, SpectrumDataset
from gammajax.inference import Fit, Likelihood
from gammajax.irf import EDispKernel
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    ExpDecayTemporalModel,
    GaussianSpatialModel,
    GaussianTemporalModel,
    Models,
    PowerLawSpectralModel,
    SkyModel,
)

ENERGY = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3)
TRUE = ENERGY.rename("energy_true")
DAY = 86400.0


def gti(*days: tuple[float, float]) -> GTI:
    """Intervals in days after the reference of times."""
    start, stop = np.array(days).T * DAY
    return GTI(start, stop)


ZERO = float(gti((0, 1)).reference.time(0.0).tt.mjd)


def spectrum(name: str, intervals: GTI | None) -> SpectrumDataset:
    return SpectrumDataset(
        name=name,
        energy=ENERGY,
        energy_true=TRUE,
        counts=np.ones(3),
        exposure=np.full(3, 1e14),
        edisp=EDispKernel.from_diagonal(TRUE, ENERGY),
        gti=intervals,
    )


def cube(name: str, intervals: GTI | None) -> MapDataset:
    geom = WcsGeom.create(skydir=(10.0, 20.0), width=1.0, binsz=0.1, proj="TAN", axes=[ENERGY])
    return MapDataset(
        name=name,
        counts=Map.from_geom(geom, data=np.ones(geom.data_shape)),
        exposure=Map.from_geom(geom.to_image().to_cube([TRUE]), data=1e13, unit="cm2 s"),
        background=Map.from_geom(geom, data=0.1),
        psf=PSFMap.from_gauss(TRUE, sigma=0.1),
        gti=intervals,
    )


def source(temporal, spatial=None) -> SkyModel:
    return SkyModel(PowerLawSpectralModel(amplitude=1e-11), spatial, temporal, name="source")


INTERVALS = gti((0.0, 0.5), (2.0, 2.25))


def decay(**options) -> ExpDecayTemporalModel:
    return ExpDecayTemporalModel(t0="1.5 d", t_ref=ZERO, scale="tt", **options)


def mean_of_decay() -> float:
    parts = [1.5 * (np.exp(-a / 1.5) - np.exp(-b / 1.5)) for a, b in ((0, 0.5), (2, 2.25))]
    return sum(parts) / 0.75


@pytest.mark.parametrize("kind", [cube, spectrum])
def test_counts_are_those_of_the_mean_over_the_good_time(kind) -> None:
    data = kind("run", INTERVALS)
    spatial = GaussianSpatialModel(10.0, 20.0, 0.1) if kind is cube else None
    steady, found = (
        data.npred_signal(Models([source(temporal, spatial)])) for temporal in (None, decay())
    )
    if kind is cube:
        steady, found = steady.data, found.data
    np.testing.assert_allclose(found, mean_of_decay() * np.asarray(steady), rtol=1e-9)


def test_runs_share_a_flare() -> None:
    flare = GaussianTemporalModel(t_ref=ZERO + 2.0, sigma="1 d", scale="tt")
    spatial = GaussianSpatialModel(10.0, 20.0, 0.1)
    models = Models([source(flare, spatial)]).freeze("*.spatial.*").freeze("*.index")
    runs = [spectrum(f"run-{i}", gti((i, i + 0.3), (i + 0.5, i + 0.6))) for i in range(3)]
    runs += [cube("run-3", gti((3.0, 3.4))), cube("run-4", gti((1.2, 1.3), (1.5, 1.6)))]
    data = [
        run.asimov(models)
        if isinstance(run, MapDataset)
        else run.replace(counts=np.asarray(run.npred(models)))
        for run in runs
    ]
    start = models.set("source.temporal.t_ref", value=ZERO + 1.8)
    start = start.set("source.temporal.sigma", value=1.3)
    likelihood = Likelihood(data, start)
    assert "source.temporal.sigma" in likelihood.names
    gradient = np.asarray(likelihood.gradient(likelihood.start))
    for i, scale in enumerate(1e-4 * np.abs(likelihood.start) * [1, 1e-4, 1][:3]):
        up, down = likelihood.start.copy(), likelihood.start.copy()
        up[i] += scale
        down[i] -= scale
        slope = (float(likelihood.stat(up)) - float(likelihood.stat(down))) / (2 * scale)
        assert slope == pytest.approx(gradient[i], rel=1e-4)
    result = Fit().run(likelihood)
    assert result.success
    for row in result.models.parameters:
        if row.free:
            truth = models.parameters[row.name].value
            assert row.value == pytest.approx(truth, abs=0.02 * row.error)


@pytest.mark.parametrize("kind", [cube, spectrum])
def test_a_dataset_without_times_is_an_error(kind) -> None:
    models = Models([source(decay(), GaussianSpatialModel(10.0, 20.0, 0.1))])
    with pytest.raises(ValueError, match=r"source.*temporal model.*'run' has no good time"):
        Likelihood([kind("run", None)], models)
