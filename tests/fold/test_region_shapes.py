"""The part in the region of a spectrum of shapes that are not round."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from astropy import units as u
from regions import CircleSkyRegion, RectangleSkyRegion
from scipy.ndimage import gaussian_filter, map_coordinates

from gammajax.fold.region_plane import KnownFractions, PlaneFractions
from gammajax.inference import Likelihood
from gammajax.maps import Map, RegionGeom, WcsGeom
from gammajax.maps.frames import to_vector
from gammajax.models import (
    ConstantFluxSpatialModel,
    DiskSpatialModel,
    EnergyDependentSpatialModel,
    GaussianSpatialModel,
    GeneralizedGaussianSpatialModel,
    TemplateSpatialModel,
)
from gammajax.models.spectral.evaluation import call
from tests.fold.test_region import CENTER, ENERGY, WIDTH, circle, fraction, source, spectrum

PLACE = (83.68, 22.05)
GAUSS = GaussianSpatialModel(*PLACE, 0.12, e=0.9, phi=35.0)
CASES = {
    "gauss": GAUSS,
    "disk": DiskSpatialModel(*PLACE, 0.25, e=0.8, phi=35.0),
    "generalized": GeneralizedGaussianSpatialModel(*PLACE, 0.06, eta=0.8, e=0.6, phi=-60.0),
}


def template() -> TemplateSpatialModel:
    geom = WcsGeom.create(skydir=PLACE, width=1.2, binsz=0.03, proj="TAN")
    lon, lat = (np.asarray(geom.get_coord()[name]) for name in ("lon", "lat"))
    glow = np.exp(-0.5 * (((lon - PLACE[0]) / 0.1) ** 2 + ((lat - PLACE[1]) / 0.15) ** 2))
    return TemplateSpatialModel(Map.from_geom(geom, data=glow, unit="sr-1"))


def brute(spatial, region, energy=None, fine: float = 0.004, widths=WIDTH) -> list[float]:
    """The shape on a fine grid, spread by each width, and read at nodes of the region."""
    geom = WcsGeom.create(skydir=CENTER, width=1.8, binsz=fine, proj="TAN")
    # means over a place widen a smooth shape; one with an edge needs them
    number = 2 if isinstance(spatial, DiskSpatialModel) else 1
    split = geom.upsample(number)
    lon, lat = (np.asarray(split.get_coord()[name]) for name in ("lon", "lat"))
    vectors = to_vector(np.deg2rad(lon.ravel()), np.deg2rad(lat.ravel()))
    density = np.asarray(call(spatial, "evaluate_on", vectors, energy)).reshape(lon.shape)
    ny, nx = geom.npix
    density = density.reshape(ny, number, nx, number).mean(axis=(1, 3))
    nodes, weights = RegionGeom.create(region).integration_nodes(40)
    lon, lat = np.arctan2(nodes[:, 1], nodes[:, 0]), np.arcsin(nodes[:, 2])
    x, y = geom.wcs.wcs_world2pix(np.rad2deg(lon), np.rad2deg(lat), 0)
    return [
        float(map_coordinates(gaussian_filter(density, w / fine, truncate=7), [y, x]) @ weights)
        for w in widths
    ]


@pytest.mark.parametrize(
    "kind", ["gauss", "disk", pytest.param("generalized", marks=pytest.mark.long), "template"]
)
def test_fractions_are_the_integral_over_the_region(kind: str) -> None:
    spatial = template() if kind == "template" else CASES[kind]
    region = circle(0.15)
    if kind == "gauss":
        region = RectangleSkyRegion(CENTER, 0.3 * u.deg, 0.12 * u.deg, 30 * u.deg)
    found = fraction(region, spatial)
    # of all counts of the source
    np.testing.assert_allclose(found, brute(spatial, region), atol=1e-4, rtol=0)


LAWS = EnergyDependentSpatialModel(
    GaussianSpatialModel(*PLACE, 0.12, e=0.6), ["sigma", "lon_0"], [-0.4, 0.05]
)


def test_shapes_that_depend_on_energy() -> None:
    region = circle(0.15)
    data = spectrum(region)
    found = fraction(region, LAWS)
    for t in (0, 3):
        edges = np.geomspace(*ENERGY.edges[t : t + 2], 9)
        middles = np.sqrt(edges[1:] * edges[:-1])
        parts = [brute(LAWS, region, e, 0.012, WIDTH[t : t + 1])[0] for e in middles]
        expected = np.average(parts, weights=1 / edges[:-1] - 1 / edges[1:])
        assert found[t] == pytest.approx(expected, abs=1e-4)
    models = source(LAWS)
    kinds = {}
    for name, some in (("free", models), ("frozen", models.freeze("*.spatial.*"))):
        likelihood = Likelihood([data], some)
        kinds[name] = type(likelihood.problem.terms[0].responses[0].fractions)
        mu = np.asarray(likelihood.predict(likelihood.start)["a"])
        np.testing.assert_allclose(mu, data.npred_signal(models), rtol=1e-9)
    assert kinds == {"free": PlaneFractions, "frozen": KnownFractions}


def test_fractions_are_smooth_and_have_derivatives() -> None:
    models = source(GAUSS).freeze("*.spectral.*").thaw("*.e").thaw("*.phi")
    near = spectrum(circle(0.12)).fake(models, seed=1)
    other = CircleSkyRegion(CENTER.directional_offset_by(1 * u.rad, 0.2 * u.deg), 0.1 * u.deg)
    data = [near, spectrum(other).replace(name="b"), near.replace(name="c", psf=None)]
    likelihood = Likelihood(data, models)
    theta = np.array(likelihood.start)
    exact = np.asarray(jax.grad(likelihood.stat)(theta))
    none = Likelihood(data, models.set("s.spectral.amplitude", value=1e-30))
    ts = float(none.stat(none.start) - likelihood.stat(theta))
    stat = jax.jit(jax.vmap(likelihood.stat))
    ways = {"lon_0": 0.1, "lat_0": 0.1, "sigma": 0.05, "e": 0.05, "phi": 20.0}
    for i, (step, name) in enumerate(zip(np.eye(5), likelihood.names, strict=True)):
        small = 1e-6 * theta[i] * step
        numeric = (likelihood.stat(theta + small) - likelihood.stat(theta - small)) / 2
        assert exact[i] * small[i] == pytest.approx(float(numeric), rel=1e-4, abs=1e-8)
        way = ways[name.split(".")[-1]] * step
        values = np.asarray(stat(theta + np.linspace(-1, 1, 121)[:, None] * way))
        assert np.ptp(values) > 0
        assert np.abs(np.diff(values, 4)).max() < 1e-4 * abs(ts), name


def test_what_leaves_its_plan_is_told() -> None:
    likelihood = Likelihood([spectrum(circle(0.12))], source(GAUSS))
    assert likelihood.outgrown(likelihood.start) == ()
    for name, shift in (("lon_0", 1.0), ("sigma", 0.3)):
        theta = np.array(likelihood.start)
        theta[likelihood.names.index(f"s.spatial.{name}")] += shift
        assert likelihood.outgrown(theta) == ("s",)


def test_a_source_far_away_gives_nothing() -> None:
    far = GaussianSpatialModel(PLACE[0] + 30, PLACE[1], 0.12, e=0.5)
    np.testing.assert_array_equal(spectrum(circle(0.12)).npred_signal(source(far)), 0.0)


def test_what_cannot_be_folded_is_an_error() -> None:
    with pytest.raises(ValueError, match="ConstantFluxSpatialModel is a flux in each pixel"):
        spectrum(circle(0.1)).npred_signal(source(ConstantFluxSpatialModel()))
    wide = GaussianSpatialModel(*PLACE, 8.0, e=0.5)
    with pytest.raises(ValueError, match=r"dataset 'a': a shape .* needs a grid"):
        spectrum(circle(0.1)).npred_signal(source(wide))
