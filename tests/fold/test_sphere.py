"""Frozen shapes that no plane can hold, against sums over the sky."""

from __future__ import annotations

import healpy as hp
import numpy as np
import pytest

from gammajax.datasets import MapDataset
from gammajax.fold.pixels import pixels_of
from gammajax.inference import Likelihood
from gammajax.irf import PSFMap, RecoPSFMap
from gammajax.maps import HpxGeom, Map, MapAxis, WcsGeom
from gammajax.models import (
    GaussianSpatialModel,
    Models,
    PowerLawSpectralModel,
    SkyModel,
    TemplateSpatialModel,
)
from gammajax.models.spectral.evaluation import call

CENTER = (30.0, 20.0)
SIGMA = np.deg2rad(4.0)
FLUX = 1e-11 * (1 - 0.1)
ELLIPSE = GaussianSpatialModel(*CENTER, 15.0, e=0.8, phi=35.0)


def cube(hpx: bool) -> MapDataset:
    """One bin of energy; an exposure that grows with latitude."""
    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=1)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(skydir=CENTER, width=(60, 40), binsz=2.0, proj="CAR", axes=[energy])
    if hpx:
        geom = HpxGeom.create(nside=16, axes=[energy])
    sky = WcsGeom.create(skydir=(0, 0), npix=(180, 90), binsz=2.0, proj="CAR", axes=[true])
    exposure = 1e13 * (1 + sky.to_image().get_coord()["lat"][None] / 300)
    return MapDataset(
        name="wide",
        counts=Map.from_geom(geom, data=np.ones(geom.data_shape)),
        exposure=Map.from_geom(sky, data=exposure, unit="cm2 s"),
        psf=PSFMap.from_gauss(true, sigma=np.rad2deg(SIGMA)),
    )


def brute(data: MapDataset, spatial, pixels: np.ndarray) -> np.ndarray:
    """A sum over an eighth of a million places for each of 16 nodes of a pixel."""
    own = pixels_of(data.geom)
    nodes, areas = own.nodes_of(own.key_of[pixels], 4)
    places = np.stack(hp.pix2vec(128, np.arange(12 * 128**2)), axis=-1)
    lat = np.rad2deg(np.arcsin(places[:, 2]))
    sent = np.asarray(call(spatial, "evaluate_on", places)) * 1e13 * (1 + lat / 300)
    theta = np.linspace(0, np.deg2rad(25), 4000)
    whole = np.trapezoid(np.exp(-0.5 * (theta / SIGMA) ** 2) * np.sin(theta), theta)
    found = []
    for at, area in zip(nodes, areas, strict=True):
        distance = np.arccos(np.clip(at @ places.T, -1, 1))
        spread = np.exp(-0.5 * (distance / SIGMA) ** 2) / (2 * np.pi * whole)
        found.append(area @ (spread @ sent) * 4 * np.pi / len(places))
    return FLUX * np.array(found)


def template() -> TemplateSpatialModel:
    """A band and a spot on the whole sky."""
    geom = HpxGeom.create(nside=32)
    vectors = geom.unit_vectors()
    spot = np.exp(-2 * np.sum((vectors - vectors[3000]) ** 2, axis=-1))
    return TemplateSpatialModel(Map.from_geom(geom, data=0.3 + spot, unit="sr-1"))


@pytest.mark.parametrize("kind", ["ellipse", "template", "projection"])
def test_counts_are_those_of_sums_over_the_sky(kind: str) -> None:
    data = cube(kind != "projection")
    spatial = template() if kind == "template" else ELLIPSE
    law = PowerLawSpectralModel(amplitude=1e-11)
    models = Models([SkyModel(law, spatial, name="s")]).freeze("s.spatial.*")
    likelihood = Likelihood([data], models)
    found = np.asarray(likelihood.predict(likelihood.start)["wide"])
    chosen = np.unique(np.append(np.argmax(found[:-1]), np.arange(0, found.size - 1, 97)))
    expected = brute(data, spatial, chosen)
    np.testing.assert_allclose(found[chosen], expected, atol=1e-3 * found[:-1].max(), rtol=0)
    assert found[-1] == pytest.approx(found[:-1].sum(), rel=1e-9)
    if kind == "ellipse":
        lat = np.rad2deg(np.arcsin(pixels_of(data.geom).vectors_of(np.arange(3072))[:, 2]))
        sent = np.asarray(call(ELLIPSE, "evaluate_on", data.geom.to_image().unit_vectors()))
        total = np.average(1 + lat / 300, weights=sent)
        assert found[-1] == pytest.approx(1e13 * FLUX * total, rel=1e-4)


def test_a_spread_in_reconstructed_energy_is_an_error() -> None:
    data = cube(True)
    data = data.replace(psf=RecoPSFMap.from_gauss(data.energy, sigma=4.0))
    models = Models([SkyModel(PowerLawSpectralModel(), ELLIPSE)]).freeze("*.spatial.*")
    with pytest.raises(ValueError, match="wider than a plane"):
        Likelihood([data], models)
