"""Directions drawn from every kind of spatial model, against its density."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.units import Quantity
from scipy import stats

from gammajax.maps import HpxGeom, Map, MapAxis, WcsGeom
from gammajax.models import (
    ConstantSpatialModel,
    DiskSpatialModel,
    EnergyDependentSpatialModel,
    GaussianSpatialModel,
    PiecewiseNormSpatialModel,
    PointSpatialModel,
    ShellSpatialModel,
    TemplateSpatialModel,
)
from gammajax.simulate.energies import directions
from gammajax.simulate.field import moved, separation, to_lonlat

CENTER = SkyCoord(83.6, 22.0, unit="deg")
GEOM = WcsGeom.create(skydir=CENTER, width=3.0, binsz=0.1, proj="TAN")
FINE = WcsGeom.create(skydir=CENTER, width=3.0, binsz=0.0125, proj="TAN")
N = 200_000


def bumps(geom, axes=()):
    """A smooth map, 0 at its edge."""
    shape = geom.to_image().data_shape
    y, x = (np.linspace(0, np.pi, size) for size in shape)
    image = np.sin(y)[:, None] ** 2 * np.sin(2 * x) ** 2
    return np.broadcast_to(image, (*(axis.nbin for axis in axes), *shape)).copy()


def template(**options):
    geom = WcsGeom.create(skydir=(83.4, 21.9), width=1.6, binsz=0.08, proj="TAN")
    return TemplateSpatialModel(Map.from_geom(geom, data=bumps(geom)), **options)


def healpix():
    geom = HpxGeom(nside=64, frame="galactic")
    lon, lat = (part.deg for part in (CENTER.galactic.l, CENTER.galactic.b))
    middle = geom.to_image().separation(SkyCoord(lon, lat, unit="deg", frame="galactic"))
    return TemplateSpatialModel(Map.from_geom(geom, data=np.exp(-(np.asarray(middle) ** 2))))


MODELS = {
    "gauss": GaussianSpatialModel(83.5, 22.1, 0.2),
    "ellipse": GaussianSpatialModel(83.5, 22.1, 0.3, e=0.9, phi=30),
    "galactic": DiskSpatialModel(
        184.6, -5.7, 0.4, e=0.8, phi=-50, edge_width=0.5, frame="galactic"
    ),
    "shell": ShellSpatialModel(83.5, 22.1, 0.5, 0.3),
    "template": template(),
    "turned": template(lon_0=83.9, lat_0=22.3),
    "healpix": healpix(),
    "norm": PiecewiseNormSpatialModel([83, 84, 84, 83], [21, 21, 23, 23], norms=[1, 2, 3, 1]),
    "constant": ConstantSpatialModel(value=3.0),
    "halo": EnergyDependentSpatialModel(
        GaussianSpatialModel(83.5, 22.1, 0.3), ["sigma", "lon_0"], [-0.5, 0.3]
    ),
}


def draw(model, n, energy=1.0, seed=0):
    vector = np.asarray(CENTER.cartesian.xyz.value)
    made = directions(model, vector, np.deg2rad(3.0), (0.1, 10.0))
    log_energy = np.full(n, np.log(energy))
    vectors, kept = made.draw(np.random.default_rng(seed), log_energy)
    total = float(made.factor(log_energy[:1])[0])
    low, high = made.span(vector)
    away = separation(vectors, vector[:, None])
    assert low - 1e-6 <= away.min()
    assert away.max() <= high + 1e-6
    return vectors, kept, total


def expected(model, energy=None):
    """The integral of the density over each pixel."""
    image = np.asarray(model(FINE.get_coord().skycoord, energy=energy).value)
    return (image * FINE.solid_angle()).reshape(30, 8, 30, 8).sum((1, 3))


def counted(vectors):
    sky = SkyCoord(*to_lonlat(vectors), unit="deg")
    return np.asarray(Map.from_geom(GEOM).fill_by_coord({"skycoord": sky}).data)


@pytest.mark.parametrize("name", MODELS)
def test_directions_follow_the_density(name):
    model = MODELS[name]
    energy = 3.0 if model.has_energy else None
    vectors, kept, total = draw(model, N, energy or 1.0)
    assert kept is None
    mu, counts = expected(model, energy) * N / total, counted(vectors)
    used = mu > 10
    chi2 = np.sum((counts - mu)[used] ** 2 / mu[used])
    assert used.sum() > 30
    assert 1e-3 < stats.chi2.sf(chi2, used.sum()) < 1 - 1e-6


def test_a_point_is_a_point_in_any_frame():
    vectors, _, total = draw(PointSpatialModel(184.5, -5.8, frame="galactic"), 3)
    sky = SkyCoord(*to_lonlat(vectors), unit="deg").galactic
    assert total == 1
    np.testing.assert_allclose([sky.l.deg, sky.b.deg], [[184.5] * 3, [-5.8] * 3], rtol=1e-9)


def test_a_brightness_is_a_power_law_between_its_energies():
    axis = MapAxis.from_nodes([0.1, 1.0, 10.0], name="energy_true", unit="TeV", interp="log")
    geom = WcsGeom.create(skydir=(83.4, 21.9), width=1.6, binsz=0.08, proj="TAN", axes=[axis])
    data = bumps(geom, [axis]) * 1e-9
    # one half falls as E^-2, the other as E^-3
    data[:, :, :10] *= np.array([1e2, 1, 1e-2])[:, None, None]
    data[:, :, 10:] *= np.array([1e3, 1, 1e-3])[:, None, None]
    model = TemplateSpatialModel(
        Map.from_geom(geom, data=data, unit="cm-2 s-1 TeV-1 sr-1"), normalize=False
    )
    vectors, kept, total = draw(model, N, 3.0)
    mu = expected(model, 3.0)
    assert kept is not None
    # what is kept of the envelope is the integral of the brightness
    assert kept.mean() * total == pytest.approx(mu.sum(), rel=0.01)
    counts = counted(vectors[:, kept])
    mu = mu / mu.sum() * counts.sum()
    used = mu > 10
    assert stats.chi2.sf(np.sum((counts - mu)[used] ** 2 / mu[used]), used.sum()) > 1e-3


def test_moved_goes_by_distance_and_position_angle():
    start = SkyCoord([10.0, 300.0, 77.0], [0.0, 80.0, -89.9], unit="deg")
    angle = np.deg2rad([0.0, 120.0, 250.0])
    distance = np.array([1.0, 5.0, 0.3])
    found = moved(np.asarray(start.cartesian.xyz.value), distance, angle)
    wanted = start.directional_offset_by(Quantity(angle, "rad"), Quantity(distance, "deg"))
    np.testing.assert_allclose(found, wanted.cartesian.xyz.value, atol=1e-12)
