"""Sources, maps and data at the edge of what is meaningful, against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammajax.datasets import MapDataset
from gammajax.inference import Fit, Likelihood
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    ConstantFluxSpatialModel,
    ConstantSpatialModel,
    DiskSpatialModel,
    FoVBackgroundModel,
    GaussianSpatialModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)

ENERGY = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)
TRUE = ENERGY.rename("energy_true")
FLUX = 1e-11 * 1e13 * np.array([1 - 10**-0.5, 10**-0.5 - 0.1])
"""Counts of a source of amplitude 1e-11 and index 2 in each energy bin."""

FINE = 20


def cube(
    center=(83.63, 22.01), *, sigma=0.1, width=2.0, binsz=0.1, level=0.3, **maps
) -> MapDataset:
    """A cube with a Gaussian spread and a flat background."""
    geom = WcsGeom.create(skydir=center, width=width, binsz=binsz, proj="TAN", axes=[ENERGY])
    counts = np.random.default_rng(2).poisson(level + 0.5, geom.data_shape).astype(float)
    return MapDataset(
        name="cube",
        counts=Map.from_geom(geom, data=counts),
        exposure=Map.from_geom(geom.to_image().to_cube([TRUE]), data=1e13, unit="cm2 s"),
        background=Map.from_geom(geom, data=level),
        psf=PSFMap.from_gauss(TRUE, sigma=sigma),
    ).replace(**maps)


def source(spatial, amplitude: float = 1e-11) -> Models:
    return Models([SkyModel(PowerLawSpectralModel(amplitude=amplitude), spatial, name="s")])


def gaussian(data: MapDataset, position, sigma: float) -> np.ndarray:
    """Shares in the pixels of a Gaussian on the sky, by the midpoint rule, (ny, nx)."""
    geom = data.geom.to_image().upsample(FINE)
    distance = geom.separation(position)
    shape = np.exp(-0.5 * (distance / sigma) ** 2) / (2 * np.pi * np.deg2rad(sigma) ** 2)
    return summed(shape * geom.solid_angle())


def summed(fine: np.ndarray) -> np.ndarray:
    ny, nx = (size // FINE for size in fine.shape)
    return fine.reshape(ny, FINE, nx, FINE).sum(axis=(1, 3))


def brute_force_stat(data: MapDataset, signal: np.ndarray) -> float:
    mask, n = data.mask, np.asarray(data.counts.data)
    mu = (signal + data.background_data)[mask]
    return float(2 * np.sum(mu - n[mask] * np.log(mu)))


def check(data: MapDataset, models: Models, shares: np.ndarray, scale=1.0) -> Likelihood:
    """All bins are right (of a frozen source), and so is the statistic (of a free one).

    Returns the likelihood.
    """
    signal = scale * FLUX[:, None, None] * shares
    found = np.asarray(data.npred_signal(models).data)
    peak = np.abs(signal).max()
    np.testing.assert_allclose(found, signal, atol=1e-3 * peak + 1e-12, rtol=0)
    np.testing.assert_allclose(found.sum(), signal.sum(), atol=2e-4 * abs(scale) * FLUX.sum())
    stat = brute_force_stat(data, signal)
    likelihood = Likelihood([data], models)
    assert float(likelihood.stat(likelihood.start)) == pytest.approx(stat, abs=0.05)
    return likelihood


def test_a_source_outside_of_the_map_leaks_in() -> None:
    data = cube()
    spatial = PointSpatialModel(83.63, 23.01 + 0.15)
    shares = gaussian(data, spatial.position, 0.1)
    assert 0.01 < shares.sum() < 0.1
    likelihood = check(data, source(spatial), shares)
    assert likelihood.names[-1] == "s.spatial.lat_0"
    assert abs(likelihood.gradient(likelihood.start)[-1]) > 0


def test_a_source_far_outside_adds_nothing() -> None:
    data = cube()
    models = source(PointSpatialModel(83.63, 28.0))
    likelihood = check(data, models, np.zeros(data.counts.data.shape[1:]))
    result = Fit().run(likelihood)
    assert not result.success
    assert "s.spectral" in result.message


@pytest.mark.parametrize("lat", [90.0, pytest.param(-89.97, marks=pytest.mark.long)])
def test_at_the_pole(lat: float) -> None:
    data = cube((0.0, np.sign(lat) * 90.0))
    spatial = GaussianSpatialModel(40.0, lat, 0.1)
    shares = gaussian(data, spatial.position, np.hypot(0.1, 0.1))
    likelihood = check(data, source(spatial), shares)
    assert np.isfinite(likelihood.hessian(likelihood.start)).all()


def test_a_fit_next_to_the_pole() -> None:
    truth = source(PointSpatialModel(40.0, 89.9), 1e-10)
    data = cube((0.0, 90.0)).asimov(truth)
    start = truth.set("s.spatial.lat_0", value=89.93).set("s.spatial.lon_0", value=20.0)
    result = Fit().run(Likelihood([data], start))
    assert result.success
    found = result.models["s"].spatial_model.position
    assert found.separation(SkyCoord(40.0, 89.9, unit="deg")).deg < 1e-4


@pytest.mark.parametrize("lon", [359.96, -0.04])
def test_across_the_zero_of_right_ascension(lon: float) -> None:
    data = cube((0.0, 20.0))
    spatial = PointSpatialModel(lon, 20.013)
    check(data, source(spatial), gaussian(data, spatial.position, 0.1))


def test_a_fit_goes_across_the_zero_of_right_ascension() -> None:
    data = cube((0.0, 20.0)).asimov(source(PointSpatialModel(359.95, 20.0), 1e-10))
    result = Fit().run(Likelihood([data], source(PointSpatialModel(0.08, 20.02), 1e-10)))
    assert result.success
    assert result.models.parameters["s.spatial.lon_0"].value == pytest.approx(-0.05, abs=1e-4)


@pytest.mark.parametrize("size", [1e-6, pytest.param(0.02, marks=pytest.mark.long)])
def test_smaller_than_a_pixel(size: float) -> None:
    data = cube(sigma=0.05)
    spatial = GaussianSpatialModel(83.65, 22.01, size)
    shares = gaussian(data, spatial.position, np.hypot(0.05, size))
    likelihood = check(data, source(spatial), shares)
    assert np.isfinite(likelihood.hessian(likelihood.start)).all()


def test_larger_than_the_map() -> None:
    data = cube(width=1.0)
    spatial = GaussianSpatialModel(83.63, 22.2, 1.0)
    shares = gaussian(data, spatial.position, np.hypot(0.1, 1.0))
    assert shares.sum() < 0.2
    check(data, source(spatial), shares)


def test_a_disk_larger_than_the_map_fills_it() -> None:
    data = cube(width=0.5, binsz=0.05, sigma=0.05)
    spatial = DiskSpatialModel(83.63, 22.01, "1.2 deg")
    level = 1 / (2 * np.pi * (1 - np.cos(np.deg2rad(1.2))))
    check(data, source(spatial), level * data.geom.to_image().solid_angle())


def test_a_spread_wider_than_the_map() -> None:
    data = cube(sigma=0.8, width=1.0)
    spatial = PointSpatialModel(83.5, 22.1)
    check(data, source(spatial), gaussian(data, spatial.position, 0.8))


def test_no_events_at_all() -> None:
    """The statistic is the expected total, and a positive amplitude ends at its bound."""
    data = cube()
    data = data.replace(counts=data.counts.with_data(0 * data.counts.data))
    spatial = PointSpatialModel(83.65, 22.01)
    likelihood = check(data, source(spatial), gaussian(data, spatial.position, 0.1))
    models = source(spatial).freeze("*.spatial.*").freeze("*.index")
    likelihood = Likelihood([data], models.set("*.amplitude", min=0))
    result = Fit().run(likelihood)
    assert result.at_bounds == ("s.spectral.amplitude",)
    assert result.stat == pytest.approx(2 * 0.3 * data.mask.sum())


@pytest.mark.parametrize("bin_masked", [0, 1])
def test_a_masked_energy_bin(bin_masked: int) -> None:
    data = cube()
    mask = np.ones(data.counts.data.shape, dtype=bool)
    mask[bin_masked] = False
    data = data.replace(mask_safe=data.counts.with_data(mask))
    spatial = PointSpatialModel(83.65, 22.01)
    check(data, source(spatial), gaussian(data, spatial.position, 0.1))
    nothing = data.replace(mask_safe=data.counts.with_data(0 * mask))
    with pytest.raises(ValueError, match="no bin of cube is left"):
        Likelihood([nothing], source(spatial))


def test_a_negative_amplitude_above_the_background() -> None:
    """A hole in the background is found as such while all bins stay positive."""
    data = cube(level=5.0)
    spatial = PointSpatialModel(83.65, 22.01)
    shares = gaussian(data, spatial.position, 0.1)
    models = source(spatial, -2e-13)
    check(data, models, shares, scale=-0.02)
    fixed = models.freeze("*.spatial.*").freeze("*.index")
    result = Fit().run(Likelihood([data.asimov(models)], fixed.set("*.amplitude", value=1e-13)))
    assert result.success
    assert result.theta[0] == pytest.approx(-2e-13, rel=1e-3)


def test_an_amplitude_below_the_background_is_reported() -> None:
    """A total below 0 would lower the statistic without end: no fit goes there by itself."""
    data = cube(level=0.01)
    spatial = PointSpatialModel(83.65, 22.01)
    models = source(spatial, -1e-11).freeze("*.spatial.*").freeze("*.index")
    result = Fit().run(Likelihood([data], models))
    assert result.success or "is negative in" in result.message
    data = data.replace(counts=data.counts.with_data(0 * data.counts.data))
    result = Fit().run(Likelihood([data], models.set("*.amplitude", value=1e-11)))
    assert result.n_negative == 0
    assert result.stat > -1e-6
    assert not result.success


def test_a_start_far_from_the_data_stays_where_totals_are_positive() -> None:
    """The amplitude starts a hundred times too high, and nothing bounds it."""
    truth = source(GaussianSpatialModel(83.65, 22.01, 0.1), 1e-11)
    truth = Models([*truth, FoVBackgroundModel(datasets_names="cube")])
    data = cube().asimov(truth)
    start = truth.set("s.spectral.amplitude", value=1e-9).set("s.spatial.sigma", value=0.03)
    result = Fit().run(Likelihood([data], start))
    assert result.success
    assert result.n_negative == 0
    assert result.models.parameters["s.spectral.amplitude"].value == pytest.approx(
        1e-11, rel=1e-3
    )


def half_exposed() -> MapDataset:
    """No exposure at more than 0.2 deg to the east of the middle."""
    data = cube(sigma=0.1)
    values = np.array(data.exposure.data)
    values[..., :8] = 0.0
    return data.replace(exposure=data.exposure.with_data(values))


def test_a_source_where_the_exposure_is_not_zero() -> None:
    data = half_exposed()
    spatial = PointSpatialModel(83.2, 22.01)
    check(data, source(spatial), gaussian(data, spatial.position, 0.1))


def test_a_source_where_the_exposure_is_zero_adds_nothing() -> None:
    data = half_exposed()
    spatial = PointSpatialModel(84.4, 22.01)
    check(data, source(spatial), np.zeros(data.counts.data.shape[1:]))


def test_a_flux_in_each_pixel_is_the_same_in_all() -> None:
    data = cube()
    models = source(ConstantFluxSpatialModel())
    found = np.asarray(data.npred_signal(models).data)
    expected = np.broadcast_to(np.array(FLUX)[:, None, None], found.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_uniform_sky_shines_only_where_there_is_exposure() -> None:
    """Events are spread after they are detected: some reach the other side."""
    data = half_exposed()
    models = source(ConstantSpatialModel(value="1 sr-1")).freeze("*.spatial.*")
    found = np.asarray(data.npred_signal(models).data)[0]
    area = data.geom.to_image().solid_angle()
    level = FLUX[0] * area
    np.testing.assert_allclose(found[:, 14:-2], level[:, 14:-2], rtol=5e-3)
    assert np.all(found[:, :2] < 1e-3 * level[:, :2])
    # the edge of the exposure, as bilinear look-ups of its map see it, spread by a Gaussian
    x = (np.arange(-400, 601) + 0.5) / 50
    seen = np.clip(x - 7.0, 0, 1)
    kernel = np.exp(-0.5 * (np.arange(-250, 251) / 50) ** 2)
    seen = np.convolve(np.pad(seen, 250, mode="edge"), kernel / kernel.sum(), mode="valid")
    expected = [seen[(x > i - 0.5) & (x < i + 0.5)].mean() for i in range(11)]
    np.testing.assert_allclose(found[10, :11] / level[10, :11], expected, atol=0.01)
