"""Test statistics of all sources at once, against fits without each of them."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.datasets import MapDataset
from gammajax.inference import Fit, Likelihood
from gammajax.irf import EDispKernel
from gammajax.irf.edisp_map import EDispKernelMap
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    FoVBackgroundModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)
from gammajax.survey import source_ts

PLACES = [(83.5, 22.0), (83.55, 22.1), (83.7, 21.9), (83.8, 22.2), (83.6, 22.25)]


def cube(name: str, dispersed: bool) -> MapDataset:
    energy = MapAxis.from_energy_bounds("1 TeV", "30 TeV", nbin=4)
    true = MapAxis.from_energy_bounds("0.8 TeV", "40 TeV", nbin=6, name="energy_true")
    true = true if dispersed else energy.rename("energy_true")
    geom = WcsGeom.create(skydir=(83.63, 22.01), width=1.2, binsz=0.06, axes=[energy])
    kernel = EDispKernelMap.from_kernel(EDispKernel.from_gauss(true, energy, 0.15))
    return MapDataset(
        name=name,
        counts=Map.from_geom(geom, data=np.zeros(geom.data_shape)),
        exposure=Map.from_geom(geom.to_image().to_cube([true]), data=3e13, unit="cm2 s"),
        background=Map.from_geom(geom, data=0.2 * np.ones(geom.data_shape)),
        psf=PSFMap.from_gauss(true, sigma=0.08),
        edisp=kernel if dispersed else None,
    )


def models(amplitudes) -> Models:
    parts = [
        SkyModel(PowerLawSpectralModel(amplitude=a), PointSpatialModel(*p), name=f"s{i}")
        for i, (a, p) in enumerate(zip(amplitudes, PLACES, strict=True))
    ]
    found = Models([*parts, FoVBackgroundModel(datasets_names="a")])
    return found.freeze("*.spatial.*").set("s*.amplitude", min=0).set("s*.index", min=0, max=6)


TRUE = [1e-11, 2e-12, 5e-12, 3e-11, 8e-13]


LONG = [pytest.param(kind, marks=pytest.mark.long) for kind in ("even", "moving")]


@pytest.fixture(scope="module", params=["dispersed", *LONG])
def result(request):
    truth = models(TRUE)
    data = [cube("a", request.param == "dispersed").fake(truth, seed=4)]
    start = truth
    if request.param == "moving":
        start = truth.thaw("s3.spatial.*").thaw("s0.spatial.*")
    else:
        data.append(cube("b", request.param == "dispersed").fake(truth, seed=5))
    found = Fit().run(Likelihood(data, start))
    assert found.success
    return found


def test_all_at_once_are_those_of_fits_without_each_source(result) -> None:
    moves = any(".spatial." in name for name in result.names)
    names = ["s1", "s3"] if moves else [f"s{i}" for i in range(5)]
    local = source_ts(result, names, method="local")
    refit = source_ts(result, names, method="refit")
    assert list(local) == list(refit) == names
    assert min(refit.values()) < 15 < 300 < max(refit.values())
    for name, exact in refit.items():
        room = 0.02 if exact < 1000 else 0.06
        assert local[name] == pytest.approx(exact, rel=room, abs=0.5), name


def test_neighbours_matter(result) -> None:
    alone = source_ts(result, neighbours=0)
    answered = source_ts(result)
    assert all(answered[name] <= alone[name] + 1e-3 for name in alone)
    assert max(alone[name] - answered[name] for name in alone) > 1


def test_some_sources_by_name(result) -> None:
    every = source_ts(result)
    some = source_ts(result, ["s3", "s1"])
    assert some == pytest.approx({name: every[name] for name in ("s3", "s1")}, rel=1e-6)
    with pytest.raises(ValueError, match="'s9': there is no such source"):
        source_ts(result, ["s9"])
    with pytest.raises(ValueError, match="'both', expected auto, local, refit"):
        source_ts(result, method="both")


def test_a_source_at_0_has_none() -> None:
    data = cube("a", False).asimov(models([1e-11, 2e-12, 0.0, 3e-11, 8e-13]))
    hole = np.asarray(data.counts.data) * 0.97
    found = Fit().run(Likelihood([data.replace(counts=data.counts.with_data(hole))],
                                 models([1e-11, 2e-12, 1e-12, 3e-11, 8e-13])
                                 .freeze("a-bkg.*").freeze("s*.index")))  # fmt: skip
    assert "s2.spectral.amplitude" in found.at_bounds
    assert source_ts(found, ["s2"])["s2"] == pytest.approx(0, abs=1e-6)
