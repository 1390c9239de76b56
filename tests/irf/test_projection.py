"""Exposure and background on pixels: against single look-ups, integrals, and derivatives."""

from __future__ import annotations

import astropy.units as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
from astropy.coordinates import AltAz, EarthLocation, SkyCoord
from astropy.time import Time

from gammajax.data import fov_axes, fov_coordinates
from gammajax.irf import fov_place, project_background, project_exposure
from gammajax.irf.projection import integrate_power_laws
from gammajax.maps import MapAxis, WcsGeom

POINTING = SkyCoord(83.6, 22.5, unit="deg")
PLACE = EarthLocation.from_geodetic(16.5, -23.27, 1835)
ENERGY = MapAxis(np.geomspace(0.5, 20, 6))


@pytest.mark.parametrize("alignment", ["RADEC", "REVERSE_LON_RADEC", "ALTAZ"])
@pytest.mark.parametrize("sky", ["icrs", "galactic"])
def test_places_are_those_of_astropy(rng, alignment, sky) -> None:
    frame = AltAz(obstime=Time(53300.0, format="mjd"), location=PLACE)
    angle, radius = rng.uniform(0, 360, 50) * u.deg, rng.uniform(0, 5, 50) * u.deg
    points = POINTING.directional_offset_by(angle, radius)
    vectors = points.transform_to(sky).cartesian.xyz.value.T
    axes = fov_axes(POINTING, alignment, frame, sky)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-14)
    offset, lon, lat = fov_place(vectors, axes)
    expected = fov_coordinates(points, POINTING, alignment, frame)
    # aberration differs over the field of view, by 1.4 arcsec here
    np.testing.assert_allclose([lon, lat], expected, atol=5e-4)
    if alignment != "ALTAZ":
        np.testing.assert_allclose([lon, lat], expected, atol=1e-10)
    np.testing.assert_allclose(offset, radius.value, atol=1e-6)


def test_fields_of_view_are_checked() -> None:
    with pytest.raises(ValueError, match="needs the frame"):
        fov_axes(POINTING, "ALTAZ")
    with pytest.raises(ValueError, match="points at the pole"):
        fov_axes(SkyCoord(0, 90, unit="deg"))


def test_exposure_is_area_times_livetime(make) -> None:
    aeff = make("EffectiveAreaTable2D")
    geom = WcsGeom.create(skydir=(84.0, 22.0), npix=(8, 5), binsz=0.7)
    found = project_exposure(
        aeff, geom.unit_vectors(), fov_axes(POINTING), ENERGY.center, livetime=1500.0
    )
    offset = geom.separation(POINTING)
    area = aeff.evaluate(energy_true=ENERGY.center[:, None, None], offset=offset)
    np.testing.assert_allclose(found, 1500 * area.value, rtol=1e-9)
    assert np.any(np.asarray(found) == 0)


@pytest.mark.parametrize("name", ["Background2D", "Background3D"])
def test_background_is_the_integral_of_the_rate(make, name) -> None:
    bkg = make(name)
    geom = WcsGeom.create(skydir=(84.0, 22.0), npix=(6, 5), binsz=0.5)
    arguments = (geom.unit_vectors(), fov_axes(POINTING))
    found = project_background(bkg, *arguments, ENERGY.edges, geom.solid_angle(), 1000.0)
    assert found.shape == (5, 5, 6)
    lon, lat = fov_coordinates(geom.get_image_coord().skycoord, POINTING)
    energy = np.geomspace(ENERGY.edges[2], ENERGY.edges[3], 401)[:, None, None]
    place = {"offset": geom.separation(POINTING)} if name == "Background2D" else {
        "fov_lon": lon, "fov_lat": lat}  # fmt: skip
    rate = bkg.evaluate(energy=energy, **place).value
    expected = scipy.integrate.simpson(rate * energy, x=np.log(energy[:, 0, 0]), axis=0)
    # the rate of the example is a power law, but not beyond its outermost nodes
    np.testing.assert_allclose(found[2], 1000 * geom.solid_angle() * expected, rtol=1e-4)
    assert np.all(np.asarray(found) > 0)


@pytest.mark.parametrize(
    "name",
    ["EffectiveAreaTable2D", "EnergyDispersion2D", "PSF3D", "Background2D", "Background3D"],
)
def test_values_on_a_grid_are_those_of_single_points(make, rng, name) -> None:
    irf = make(name)
    names = [axis.name for axis in irf.axes]
    energy = np.array([0.05, 0.2, 3.0, 90.0, 200.0])
    places = [rng.uniform(-1, 4, 7) for _ in names[1:]]
    found = irf.value_grid(energy, *places)
    coords = dict(zip(names, [energy[:, None], *places], strict=True))
    np.testing.assert_allclose(found, irf.value(**coords), rtol=1e-10, atol=1e-300)


def test_pieces_of_power_laws() -> None:
    x = np.geomspace(1, 100, 4)
    for index in (2.0, 1.0, 1.0 + 1e-6, 0.0, -3.0):
        exact = np.diff(np.log(x)) if index == 1 else np.diff(x ** (1 - index) / (1 - index))
        np.testing.assert_allclose(integrate_power_laws(x, x**-index), exact, rtol=1e-9)
    np.testing.assert_array_equal(
        integrate_power_laws(x, np.array([1.0, 1.0, 0.0, 1.0]))[1:], 0
    )


def test_derivatives_go_through(make) -> None:
    bkg = make("Background3D")
    geom = WcsGeom.create(skydir=(84.0, 22.0), npix=(4, 3), binsz=0.5)

    def total(scale):
        axes = fov_axes(POINTING)
        return jnp.sum(
            project_background(
                bkg, geom.unit_vectors(), axes, ENERGY.edges * scale, geom.solid_angle(), 1.0
            )
        )

    step = 1e-5
    numeric = (total(1 + step) - total(1 - step)) / (2 * step)
    np.testing.assert_allclose(jax.grad(total)(1.0), numeric, rtol=1e-6)
