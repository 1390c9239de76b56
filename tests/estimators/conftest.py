"""Simulated spectra and cubes that the tests of this folder share."""

import numpy as np
import pytest

from gammajax.datasets import MapDataset
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    FoVBackgroundModel,
    GaussianSpatialModel,
    LogParabolaSpectralModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)
from gammajax.simulate import simulate_on_off

ENERGY = MapAxis.from_energy_bounds("0.5 TeV", "30 TeV", nbin=8)
ENERGY_TRUE = MapAxis.from_energy_bounds("0.2 TeV", "60 TeV", nbin=16, name="energy_true")
CENTER = (83.63, 22.01)


@pytest.fixture(scope="session")
def models():
    spectrum = LogParabolaSpectralModel(
        amplitude="4e-11 cm-2 s-1 TeV-1", reference="1 TeV", alpha=2.4, beta=0.15
    )
    return Models([SkyModel(spectrum, name="crab")])


@pytest.fixture(scope="session")
def spectra(models):
    return simulate_on_off(
        models,
        n_observations=3,
        livetime="20 min",
        energy=ENERGY,
        energy_true=ENERGY_TRUE,
        seed=5,
    )


def cube_models(*names: str) -> Models:
    """Two sources and a background for each dataset."""
    crab = SkyModel(
        PowerLawSpectralModel(index=2.3, amplitude=2e-11),
        PointSpatialModel(*CENTER),
        name="crab",
    )
    other = SkyModel(
        PowerLawSpectralModel(index=2.0, amplitude=1e-11),
        GaussianSpatialModel(83.2, 22.3, "0.1 deg"),
        name="other",
    )
    backgrounds = [FoVBackgroundModel(datasets_names=name) for name in names]
    return Models([crab, other, *backgrounds]).freeze("*.spatial.*")


def empty_cube(name: str, exposure: float = 2e12, background: float = 0.02) -> MapDataset:
    """A cube of 4 energies with a flat exposure and background, and no counts."""
    energy = MapAxis.from_energy_bounds("1 TeV", "16 TeV", nbin=4)
    true = MapAxis.from_energy_bounds("0.5 TeV", "32 TeV", nbin=6, name="energy_true")
    geom = WcsGeom.create(skydir=CENTER, width=2.0, binsz=0.05, proj="TAN", axes=[energy])
    image = geom.to_image()
    response = image.to_cube([true])
    data = np.full(response.data_shape, exposure)
    psf = PSFMap.from_gauss(true, sigma=0.07)
    falling = background / energy.center**1.5
    flat = np.broadcast_to(falling[:, None, None], geom.data_shape)
    return MapDataset(
        name=name,
        counts=Map.from_geom(geom, data=np.zeros(geom.data_shape)),
        exposure=Map.from_geom(response, data=data, unit="cm2 s"),
        background=Map.from_geom(geom, data=flat),
        psf=psf,
        edisp=_edisp(energy, true, geom),
    )


def _edisp(energy, true, geom):
    from gammajax.irf import EDispKernelMap
    from gammajax.irf.edisp import EDispKernel

    kernel = EDispKernel.from_gauss(true, energy, sigma=0.15)
    return EDispKernelMap.from_kernel(kernel, frame=geom.frame)


@pytest.fixture(scope="session")
def cubes():
    empty = [empty_cube("one"), empty_cube("two", 1e12)]
    models = cube_models("one", "two")
    return [d.fake(models, seed) for seed, d in enumerate(empty)]
