"""Projections as pure functions, against wcslib and finite differences."""

from __future__ import annotations

import astropy.units as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from hypothesis import assume, given
from hypothesis import strategies as st

from gammajax.maps import Map, MapAxis, MapCoord, SkyToPix, WcsGeom, frame_rotation
from gammajax.maps.native import PROJECTIONS

CODES = sorted(PROJECTIONS)
ZENITHAL = ("ARC", "SIN", "STG", "TAN", "ZEA")
ENERGY = MapAxis.from_energy_edges([1, 10, 100])


@st.composite
def geometries(draw: st.DrawFn, code: str) -> WcsGeom:
    """Any geometry of a projection: reference, pole, pixel size and rotation."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [f"RA---{code}", f"DEC--{code}"]
    wcs.wcs.crval = [draw(st.floats(0, 360)), draw(st.floats(-89, 89))]
    size = draw(st.sampled_from([0.02, 0.5, 1.0]))
    wcs.wcs.cdelt = [-size, size * draw(st.sampled_from([1.0, 1.5]))]
    wcs.wcs.crpix = [draw(st.floats(-50, 200)), draw(st.floats(-50, 200))]
    angle = np.radians(draw(st.sampled_from([0.0, 0.0, 30.0, -100.0])))
    wcs.wcs.pc = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    if draw(st.booleans()) and code in ZENITHAL:
        wcs.wcs.lonpole = draw(st.floats(-180, 180))
    wcs.wcs.set()
    return WcsGeom(wcs, (150, 100))


@pytest.mark.parametrize("code", CODES)
@given(data=st.data())
def test_equal_to_wcslib(code: str, data: st.DataObject) -> None:
    geom = data.draw(geometries(code))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    x, y = rng.uniform(-20, 170, (2, 50))
    pixels = SkyToPix.from_geom(geom)
    lon, lat = geom.pix_to_coord((x, y))
    known = np.isfinite(lat)
    ours = np.degrees(pixels.pix_to_sky(x, y))
    np.testing.assert_array_equal(np.isfinite(ours[1]), known)
    assume(known.any())
    lon, lat = lon[known], lat[known]
    distance = SkyCoord(lon, lat, unit="deg").separation(SkyCoord(*ours[:, known], unit="deg"))
    assert distance.deg.max() < 1e-11
    found = pixels.sky_to_pix(np.radians(lon), np.radians(lat))
    expected = geom.coord_to_pix((lon, lat))
    away = np.array(found) - expected
    rounding = 1e-14 / geom.pixel_scales.min() * np.abs(found).max()
    assert np.abs(away).max() < 1e-9 + rounding


@pytest.mark.parametrize("code", CODES)
def test_pixels_are_those_of_the_geometry(code: str) -> None:
    geom = WcsGeom.create(
        skydir=(359.8, 12.0), npix=(40, 30), binsz=0.5, proj=code, frame="galactic"
    )
    coords = geom.get_image_coord()
    lon, lat = np.radians(coords["lon"]), np.radians(coords["lat"])
    assert lon.max() - lon.min() > 6
    x, y = jax.jit(SkyToPix.sky_to_pix)(SkyToPix.from_geom(geom), lon, lat)
    np.testing.assert_allclose(x, np.broadcast_to(np.arange(40.0), (30, 40)), atol=1e-9)
    np.testing.assert_allclose(y.T, np.broadcast_to(np.arange(30.0), (40, 30)), atol=1e-9)


@pytest.mark.parametrize("code", CODES)
def test_gradients_are_those_of_finite_differences(code: str) -> None:
    geom = WcsGeom.create(skydir=(83, 22), npix=(40, 30), binsz=1.0, proj=code)
    pixels = SkyToPix.from_geom(geom)
    point, step = np.radians([[75.0, 88.0, 83.0], [30.0, 20.0, 22.0]]), 1e-5

    def forward(point: jax.Array) -> jax.Array:
        return jnp.stack(pixels.sky_to_pix(point[0], point[1]))

    found = jax.vmap(jax.jacfwd(forward), in_axes=1)(point)
    for axis, shift in enumerate(step * np.eye(2)):
        ends = [pixels.sky_to_pix(*(point + sign * shift[:, None])) for sign in (1, -1)]
        expected = (np.array(ends[0]) - np.array(ends[1])) / (2 * step)
        np.testing.assert_allclose(found[:, :, axis].T, expected, rtol=1e-6, atol=1e-5)
    inverse = jax.vmap(
        jax.jacfwd(lambda p: jnp.stack(pixels.pix_to_sky(p[0], p[1]))), in_axes=1
    )(np.array(pixels.sky_to_pix(*point)))
    np.testing.assert_allclose(
        found @ inverse, np.broadcast_to(np.eye(2), (3, 2, 2)), atol=1e-9
    )


@pytest.mark.parametrize("code", CODES)
def test_values_and_gradients_are_finite_everywhere_on_the_sky(code: str) -> None:
    pixels = SkyToPix.from_geom(WcsGeom.create(skydir=(0, 0), npix=9, binsz=20, proj=code))
    lon, lat = np.radians(np.meshgrid(np.arange(0, 361, 30), np.arange(-90, 91, 30)))

    def total(lon: jax.Array, lat: jax.Array) -> jax.Array:
        x, y = pixels.sky_to_pix(lon, lat)
        return jnp.nansum(x) + jnp.nansum(y)

    for gradient in jax.grad(total, argnums=(0, 1))(jnp.array(lon), jnp.array(lat)):
        assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize("code", ["CAR", "CEA", "MER"])
def test_longitude_wraps_at_the_edge_of_the_sky(code: str) -> None:
    geom = WcsGeom.create(npix=(36, 9), binsz=10, proj=code)
    pixels = SkyToPix.from_geom(geom)
    x, _ = pixels.sky_to_pix(np.radians([181, 179, 359, 1, -1, 541]), np.zeros(6))
    np.testing.assert_allclose(x, [35.4, -0.4, 17.6, 17.4, 17.6, 35.4], atol=1e-9)
    moved = SkyToPix.from_geom(WcsGeom.create(skydir=(170, 0), npix=(36, 9), binsz=10))
    far = WcsGeom.create(npix=(36, 9), binsz=10, proj=code, refpix=(1.5, 5))
    np.testing.assert_allclose(far.get_coord()["lon"][4], (5 - 10.0 * np.arange(36)) % 360)
    lon, _ = SkyToPix.from_geom(far).pix_to_sky(np.arange(-1, 37), 4)
    np.testing.assert_array_equal(np.isnan(lon), [True, *[False] * 36, True])
    np.testing.assert_array_equal(
        np.isnan(far.pix_to_coord((np.arange(-1, 37), 4))[0]), np.isnan(lon)
    )
    x, _ = moved.sky_to_pix(np.radians([181, 351, 349]), np.zeros(3))
    np.testing.assert_allclose(x, [16.4, 35.4, -0.4], atol=1e-9)


@pytest.mark.parametrize("frame", ["icrs", "galactic", "fk5"])
@pytest.mark.parametrize("to", ["icrs", "galactic", "fk5"])
def test_frames_are_those_of_astropy(frame: str, to: str, rng: np.random.Generator) -> None:
    lon, lat = rng.uniform(0, 360, 20), rng.uniform(-90, 90, 20)
    point = SkyCoord(lon, lat, unit="deg", frame=frame)
    rotation = frame_rotation(frame, to)
    expected = point.transform_to(to).cartesian.xyz.value
    np.testing.assert_allclose(rotation @ point.cartesian.xyz.value, expected, atol=1e-14)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-14)
    assert rotation is frame_rotation(frame, to)


def test_a_map_is_differentiable_at_a_traced_position() -> None:
    geom = WcsGeom.create(skydir=(83, 22), npix=(20, 10), binsz=0.5, axes=[ENERGY], proj="TAN")
    coords = geom.get_coord()
    values = 3 * coords["lat"] + coords["energy"]
    found = Map.from_geom(geom, data=values)

    @jax.jit
    def value(lon: jax.Array, lat: jax.Array, energy: jax.Array) -> jax.Array:
        return found.interp_by_coord((lon, lat, energy))

    expected = found.interp_by_coord((82.1, 22.3, 5.0))
    assert float(value(82.1, 22.3, 5.0)) == pytest.approx(expected, rel=1e-12)
    slope = float(jax.grad(value, 1)(82.1, 22.3, 5.0))
    assert slope == pytest.approx(3, rel=1e-3)
    step = 1e-4
    ends = [found.interp_by_coord((82.1, 22.3 + s * step, 5.0)) for s in (1, -1)]
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6)
    assert np.isnan(value(262.1, -22.3, 5.0))


def test_traced_positions_in_another_frame() -> None:
    geom = WcsGeom.create(skydir=(184, -6), npix=(20, 10), binsz=0.5, frame="galactic")
    crab = SkyCoord(83.63, 22.01, unit="deg")
    expected = geom.coord_to_pix(crab)

    @jax.jit
    def pixel(lon: jax.Array, lat: jax.Array) -> tuple[jax.Array, ...]:
        return geom.coord_to_pix(MapCoord({"lon": lon, "lat": lat}, "icrs"))

    np.testing.assert_allclose(pixel(83.63, 22.01), expected, atol=1e-9)


def test_other_projections_are_named() -> None:
    geom = WcsGeom.create(skydir=(0, 0), npix=5, binsz=1, proj="PAR")
    message = r"projection 'PAR', and positions can be traced through TAN, SIN, ARC"
    with pytest.raises(ValueError, match=message):
        SkyToPix.from_geom(geom)
    with pytest.raises(ValueError, match=message):
        jax.jit(lambda lon: geom.coord_to_pix((lon, 1.0)))(0.0)
    # on the host, wcslib knows it
    assert np.isfinite(geom.coord_to_pix((0 * u.deg, 1 * u.deg))[0])


def test_projections_with_parameters_are_refused() -> None:
    wcs = WcsGeom.create(npix=3, proj="SIN").wcs.deepcopy()
    wcs.wcs.set_pv([(2, 1, 0.1)])
    with pytest.raises(ValueError, match="parameters or distortions"):
        SkyToPix.from_geom(WcsGeom(wcs, (3, 3)))
