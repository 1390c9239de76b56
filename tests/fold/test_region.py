"""The part of a source that falls in the region of a spectrum."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from regions import CircleAnnulusSkyRegion, CircleSkyRegion, RectangleSkyRegion

from gammajax.datasets import MapDataset, SpectrumDataset
from gammajax.inference import Fit, Likelihood
from gammajax.irf import PSFMap
from gammajax.maps import Map, MapAxis, RegionGeom, WcsGeom
from gammajax.models import (
    GaussianSpatialModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)

CENTER = SkyCoord(83.63, 22.01, unit="deg")
ENERGY = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=4)
TRUE = ENERGY.rename("energy_true")
WIDTH = np.array([0.09, 0.08, 0.06, 0.05])


def spectrum(region, **fields) -> SpectrumDataset:
    empty = SpectrumDataset.create(RegionGeom.create(region, axes=[ENERGY]), TRUE, name="a")
    fields = {"psf": PSFMap.from_gauss(TRUE, sigma=WIDTH), "exposure": 1e13} | fields
    fields["exposure"] = np.full(TRUE.nbin, fields["exposure"])
    return empty.replace(mask_safe=np.ones(ENERGY.nbin, bool), **fields)


def source(spatial=None) -> Models:
    return Models([SkyModel(PowerLawSpectralModel(amplitude=1e-11), spatial, name="s")])


def fraction(region, spatial) -> np.ndarray:
    """Counts with the spread over those of all of the source."""
    whole = spectrum(region, psf=None).npred_signal(source(spatial))
    return spectrum(region).npred_signal(source(spatial)) / whole


def circle(radius: float, center=CENTER) -> CircleSkyRegion:
    return CircleSkyRegion(center, radius * u.deg)


@pytest.mark.parametrize("radius", [0.05, 0.11, 0.4])
def test_a_point_in_the_middle_of_a_circle_is_the_containment(radius: float) -> None:
    found = fraction(circle(radius), PointSpatialModel(CENTER.ra.deg, CENTER.dec.deg))
    exact = 1 - np.exp(-0.5 * (radius / WIDTH) ** 2)
    np.testing.assert_allclose(found, exact, rtol=3e-4)


def test_a_gaussian_adds_to_the_spread_in_squares() -> None:
    spatial = GaussianSpatialModel(CENTER.ra.deg, CENTER.dec.deg, sigma=0.1)
    exact = 1 - np.exp(-0.5 * 0.15**2 / (WIDTH**2 + 0.1**2))
    np.testing.assert_allclose(fraction(circle(0.15), spatial), exact, rtol=5e-4)


@pytest.mark.parametrize("shape", ["circle", "annulus", "rectangle"])
def test_a_source_off_the_middle_is_what_draws_say(shape: str) -> None:
    region = {
        "circle": CircleSkyRegion(CENTER, 0.12 * u.deg),
        "annulus": CircleAnnulusSkyRegion(CENTER, 0.05 * u.deg, 0.15 * u.deg),
        "rectangle": RectangleSkyRegion(CENTER, 0.3 * u.deg, 0.1 * u.deg, 30 * u.deg),
    }[shape]
    place = CENTER.directional_offset_by(40 * u.deg, 0.07 * u.deg)
    found = fraction(region, PointSpatialModel(place.ra.deg, place.dec.deg))
    rng = np.random.default_rng(1)
    number = 400_000
    for width, share in zip(WIDTH, found, strict=True):
        x, y = width * rng.normal(size=(2, number))
        events = place.directional_offset_by(np.arctan2(x, y) * u.rad, np.hypot(x, y) * u.deg)
        inside = RegionGeom.create(region).contains((events.ra.deg, events.dec.deg)).mean()
        assert share == pytest.approx(inside, abs=4 * np.sqrt(0.25 / number) + 3e-4)


def test_the_fraction_is_smooth_in_the_position() -> None:
    models = source(PointSpatialModel(83.68, 22.05)).freeze("*.spectral.*")
    likelihood = Likelihood([spectrum(circle(0.12)).fake(models, seed=1)], models)
    theta = np.array(likelihood.start)
    exact = np.asarray(jax.grad(likelihood.stat)(theta))
    for i, step in enumerate(np.eye(2) * 1e-5):
        numeric = (likelihood.stat(theta + step) - likelihood.stat(theta - step)) / 2e-5
        assert exact[i] == pytest.approx(float(numeric), rel=1e-5)


def test_without_a_spatial_model_or_a_psf_all_of_a_source_counts() -> None:
    data = spectrum(circle(0.05))
    whole = data.replace(psf=None).npred_signal(source(PointSpatialModel(83.63, 22.01)))
    np.testing.assert_array_equal(data.npred_signal(source()), whole)
    component = source(PointSpatialModel(83.63, 22.01))[0]
    bare = Models(
        [component.replace(apply_irf={"exposure": True, "psf": False, "edisp": True})]
    )
    np.testing.assert_allclose(data.npred_signal(bare), whole)


def test_cube_and_spectrum_of_it_agree_on_the_source() -> None:
    """Pixels whose middles are in the circle are not the circle: a few parts in a hundred."""
    geom = WcsGeom.create(skydir=CENTER, width=1.6, binsz=0.02, proj="TAN", axes=[ENERGY])
    cube = MapDataset(
        name="cube",
        counts=Map.from_geom(geom),
        exposure=Map.from_geom(geom.to_image().to_cube([TRUE]), data=1e13, unit="cm2 s"),
        background=Map.from_geom(geom),
        psf=PSFMap.from_gauss(TRUE, sigma=WIDTH),
    )
    models = source(PointSpatialModel(83.66, 22.05))
    small = cube.to_spectrum_dataset(circle(0.2))
    seen = np.asarray(cube.npred(models).data)
    inside = geom.to_image().separation(CENTER) < 0.2
    np.testing.assert_allclose(
        small.npred_signal(models), seen[:, inside].sum(axis=1), rtol=0.02
    )
    data = cube.asimov(models).to_spectrum_dataset(circle(0.2))
    result = Fit().run(Likelihood([data], models.freeze("*.spatial.*")))
    assert result.models["s"].spectral_model.amplitude == pytest.approx(1e-11, rel=0.02)


def test_what_cannot_be_folded_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected a region with an area"):
        spectrum(circle(0.1)).replace(meta={})
    with pytest.raises(ValueError, match="expected a PSFMap"):
        spectrum(circle(0.1), psf=0.1)
