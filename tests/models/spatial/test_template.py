"""Templates on maps of both kinds, and corrections between positions."""

import json
from pathlib import Path

import healpy
import jax
import numpy as np
import pytest
from astropy import units as u

from gammajax.maps import HpxGeom, Map, MapAxis, WcsGeom
from gammajax.models import (
    Models,
    PiecewiseNormSpatialModel,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateNDSpatialModel,
    TemplateSpatialModel,
    create_fermi_diffuse_model,
    create_fermi_isotropic_diffuse_model,
)
from gammajax.models.spatial.healpix import interpolation
from gammajax.parameters import get_values, with_values

PEER = json.loads(
    (Path(__file__).parents[2] / "peer" / "spatial_templates.json").read_text(encoding="utf-8")
)


def blob(frame="icrs", **options):
    """A Gaussian of 0.3 deg."""
    found = Map.create(
        skydir=(83.6, 22.0), npix=60, binsz=0.05, proj="TAN", frame=frame, **options
    )
    theta = found.geom.separation(found.geom.center_skydir)
    return found.with_data(
        np.broadcast_to(np.exp(-0.5 * (theta / 0.3) ** 2), found.data.shape).copy()
    )


@jax.jit
def density(model, vectors, energy=None):
    return model.evaluate_on(vectors, energy)


def integral(model, energy=None):
    """Over the sky, on a grid of HEALPix pixels."""
    geom = HpxGeom.create(nside=512, frame=model.frame, skydir=(83.6, 22.0), width=6)
    values = density(model, geom.unit_vectors(), energy)
    return float(np.sum(np.asarray(values) * geom.solid_angle()))


def test_a_normalised_template_integrates_to_1():
    assert integral(TemplateSpatialModel(blob())) == pytest.approx(1, abs=2e-3)


def test_each_energy_of_a_normalised_template_integrates_to_1():
    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2, name="energy_true")
    cube = blob(axes=[energy])
    cube = cube.with_data(cube.data * np.array([1.0, 7.0])[:, None, None])
    model = TemplateSpatialModel(cube)
    assert model.has_energy
    assert integral(model, 2.0) == pytest.approx(1, abs=2e-3)
    with pytest.raises(ValueError, match="depends on energy"):
        model(83.6, 22.0)


def test_values_at_pixel_centres_are_those_of_the_map():
    found = blob(unit="sr-1")
    model = TemplateSpatialModel(found, normalize=False)
    np.testing.assert_allclose(density(model, found.geom.unit_vectors()), found.data, rtol=1e-9)
    assert model(83.6, 25.0).value == 0
    empty = found.with_data(np.where(found.data > 0.5, found.data, 0.0))
    model = TemplateSpatialModel(empty, normalize=False)
    np.testing.assert_allclose(density(model, found.geom.unit_vectors()), empty.data, atol=1e-9)


@pytest.mark.parametrize("kind", ["wcs", "hpx"])
def test_a_template_that_is_moved_turns_as_a_whole(kind):
    if kind == "wcs":
        found = blob(unit="sr-1")
    else:
        geom = HpxGeom.create(nside=64, nest=True)
        theta = geom.separation((0.0, 0.0))
        found = Map.from_geom(geom, data=np.exp(-theta / 9), unit="sr-1")
    model = TemplateSpatialModel(found, normalize=False)
    moved = model.replace(lon_0=model.lon_0 + 3, lat_0=model.lat_0 + 50)
    for distance in (0.0, 0.2, 0.6):
        one = model.position.directional_offset_by(0 * u.deg, distance * u.deg)
        two = moved.position.directional_offset_by(0 * u.deg, distance * u.deg)
        assert moved(two).value == pytest.approx(model(one).value, rel=1e-6)
    slope = jax.jit(jax.grad(lambda p: with_values(moved, p).evaluate_on(moved.centre())))
    assert np.all(np.isfinite(slope(get_values(moved) + 0.01)))


@pytest.mark.parametrize("nest", [True, False])
def test_templates_on_healpix_pixels(nest):
    geom = HpxGeom.create(nside=8, nest=nest, frame="galactic")
    values = np.random.default_rng(1).uniform(1, 2, geom.npix)
    model = TemplateSpatialModel(Map.from_geom(geom, data=values, unit="sr-1"), normalize=False)
    lon, lat = np.array([3.0, 200.0, 7.0, 0.1]), np.array([1.0, -77.0, 89.9, -89.99])
    coords = {"lon": lon, "lat": lat}
    expected = Map.from_geom(geom, data=values).interp_by_coord(coords)
    np.testing.assert_allclose(model(lon, lat).value, expected, rtol=1e-9)


def test_a_part_of_the_sky_is_0_elsewhere():
    geom = HpxGeom.create(nside=32, skydir=(10, 20), width=10)
    model = TemplateSpatialModel(Map.from_geom(geom, data=1.0))
    assert model(10, 20).value > 0
    assert model(10, 40).value == 0


@pytest.mark.parametrize("nside", [1, 2, 16])
def test_interpolation_between_healpix_pixels_is_that_of_healpy(nside):
    rng = np.random.default_rng(nside)
    vectors = np.concatenate(
        [rng.normal(size=(2000, 3)), [[0, 0, 1.0], [0, 0, -1.0], [1, 0, 0]]]
    )
    vectors /= np.linalg.norm(vectors, axis=-1)[:, None]
    image = rng.normal(size=12 * nside**2)
    pixels, weights = jax.jit(interpolation, static_argnums=1)(vectors, nside)
    found = np.sum(image[pixels] * weights, axis=-1)
    expected = healpy.get_interp_val(image, *healpy.vec2ang(vectors))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TemplateSpatialModel(blob() * np.nan), "values of the map are not finite"),
        (lambda: TemplateSpatialModel(blob() * 0.0), "expected one above 0"),
        (
            lambda: TemplateSpatialModel(blob(unit="m"), normalize=False),
            "the map has the unit 'm', expected one of sr-1 or cm-2 s-1 TeV-1 sr-1",
        ),
        (
            lambda: TemplateSpatialModel(
                blob(axes=[MapAxis.from_edges([1, 2, 3], name="age")])
            ),
            "TemplateNDSpatialModel takes others",
        ),
        (lambda: TemplateSpatialModel(blob()).replace(sigma=3), "has no field 'sigma'"),
        (lambda: TemplateNDSpatialModel(blob(unit="sr-1")), "the map has none"),
        (lambda: PiecewiseNormSpatialModel([0, 1, 2], [0, 1, 2]), "at least 4"),
        (
            lambda: PiecewiseNormSpatialModel([0, 1, 2, 3], [0, 0, 0, 0]),
            "all are on one circle",
        ),
        (lambda: PiecewiseNormSpatialModel([0, 0, 1, 1, 0], [0, 1, 0, 1, 0]), "are equal"),
    ],
)
def test_what_does_not_fit_is_an_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_coordinates_of_further_axes_are_parameters():
    age = MapAxis.from_nodes([1.0, 10.0], name="age", interp="log")
    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2, name="energy_true")
    cube = Map.from_geom(WcsGeom.create(npix=3, binsz=0.1, axes=[energy, age]), unit="sr-1")
    cube = cube.with_data(np.ones(cube.data.shape) * np.array([1.0, 4.0])[:, None, None, None])
    model = TemplateNDSpatialModel(cube)
    assert model.parameter_names == ("age",)
    moved = model.replace(age=np.sqrt(10.0))
    assert moved(0, 0, "2 TeV").value == pytest.approx(2.5)
    exact = jax.jit(jax.grad(lambda a: with_values(moved, a).evaluate(0.0, 0.0, 2.0)))
    exact = exact(np.array([2.0]))[0]
    assert float(exact) == pytest.approx(3 / np.log(10) / 2, rel=1e-9)


def test_a_correction_is_exact_at_its_positions_and_smooth_between():
    lon, lat = np.array([359.5, 0.5, 0.5, 359.5, 0.1]), np.array([0, 0, 1, 1, 0.4])
    norms = np.array([1.0, 1.5, 2.0, 0.7, 1.2])
    for interp in ("lin", "log"):
        model = PiecewiseNormSpatialModel(lon, lat, norms, interp)
        np.testing.assert_allclose(model(lon, lat).value, norms, rtol=1e-9)
    # a plane comes back as a plane, in the middle and beyond
    plane = PiecewiseNormSpatialModel(lon, lat, 1 + np.sin(np.deg2rad(lat)))
    value = plane([0.0, 0.3], [0.2, 1.4]).value
    np.testing.assert_allclose(value, 1 + np.sin(np.deg2rad([0.2, 1.4])), rtol=1e-5)


def test_templates_come_back(tmp_path):
    path = tmp_path / "image.fits"
    blob(unit="sr-1").write(path)
    age = MapAxis.from_nodes([1.0, 3.0], name="age", interp="lin")
    blob(axes=[age], unit="sr-1").write(tmp_path / "ages.fits")
    template = TemplateSpatialModel.read(path).replace(lat_0=22.5)
    further = TemplateNDSpatialModel.read(tmp_path / "ages.fits")
    piecewise = PiecewiseNormSpatialModel([0, 1, 1, 0], [0, 0, 1, 1], [1, 2, 3, 4])
    models = Models(
        [
            SkyModel(PowerLawSpectralModel(), template, name="one"),
            SkyModel(PowerLawSpectralModel(), further.replace(age=1.5), name="two"),
            SkyModel(PowerLawSpectralModel(), piecewise, name="three"),
        ]
    )
    back = Models.from_yaml(models.to_yaml())
    assert back.parameters == models.parameters
    for name in models.names:
        one, other = (m[name].spatial_model for m in (models, back))
        position = (0.4, 0.6) if name == "three" else (83.7, 22.2)
        assert other(*position).value == pytest.approx(one(*position).value, rel=1e-6)
    with pytest.raises(ValueError, match="is kept in a file of its own"):
        Models(SkyModel(PowerLawSpectralModel(), TemplateSpatialModel(blob()))).to_yaml()


def test_coordinates_of_a_template_stay_on_its_axes(tmp_path):
    """gammapy leaves out bounds that are those of an axis, and writes its unit."""
    age = MapAxis.from_nodes([1.0, 3.0], name="age", unit="yr", interp="lin")
    blob(axes=[age], unit="sr-1").write(tmp_path / "ages.fits")
    spatial = "{type: TemplateNDSpatialModel, filename: ages.fits, parameters: [{name: age, "
    spatial += "value: 2, unit: yr}]}"
    component = f"{{name: x, type: SkyModel, spectral: {{type: pl}}, spatial: {spatial}}}"
    (tmp_path / "models.yaml").write_text(f"components: [{component}]")
    row = Models.read(tmp_path / "models.yaml").parameters["x.spatial.age"]
    assert (row.value, row.min, row.max) == (2, 1, 3)


@pytest.mark.data
def test_the_interstellar_cube_has_the_values_of_the_peer(data_path):
    model = create_fermi_diffuse_model(data_path("fermi-3fhl-gc/gll_iem_v06_gc.fits.gz"))
    at = PEER["gll_iem"]
    assert model.spatial_model.unit == "cm-2 s-1 TeV-1 sr-1"
    found = model.spatial_model(
        np.array(at["lon"]), np.array(at["lat"]), np.array(at["energy"])
    )
    np.testing.assert_allclose(found.value, at["value"], rtol=7e-3)  # theirs is in logarithms


def test_a_brightness_takes_a_factor_and_a_density_a_flux():
    bright = TemplateSpatialModel(blob(unit="cm-2 s-1 MeV-1 sr-1"), normalize=False)
    assert SkyModel(PowerLawNormSpectralModel(), bright).spatial_model.unit == bright.unit
    assert bright(83.6, 22.0).unit == u.Unit("cm-2 s-1 TeV-1 sr-1")
    with pytest.raises(ValueError, match="has the unit of a brightness already"):
        SkyModel(PowerLawSpectralModel(), bright)
    with pytest.raises(ValueError, match="is a factor without a flux unit"):
        SkyModel(PowerLawNormSpectralModel(), TemplateSpatialModel(blob()))


@pytest.mark.data
def test_the_isotropic_table_is_read(data_path):
    path = data_path("fermi_3fhl/iso_P8R2_SOURCE_V6_v06.txt")
    model = create_fermi_isotropic_diffuse_model(path, datasets_names="lat")
    assert model.name == "isotropic_lat"
    assert model.apply_irf == (("edisp", False), ("psf", False))
    energy, value = np.loadtxt(path)[7, :2]
    assert model.spectral_model(energy * u.MeV).to_value("MeV-1 cm-2 s-1") == pytest.approx(
        value
    )
    assert create_fermi_isotropic_diffuse_model(path).name == "fermi-diffuse-iso"


def test_tables_that_are_none_are_errors(tmp_path):
    with pytest.raises(ValueError, match="there is no such file"):
        create_fermi_isotropic_diffuse_model(tmp_path / "none.txt")
    (tmp_path / "words.txt").write_text("no numbers here")
    with pytest.raises(ValueError, match="is no table of energy and brightness"):
        create_fermi_isotropic_diffuse_model(tmp_path / "words.txt")
    (tmp_path / "one.txt").write_text("1\n2\n")
    with pytest.raises(ValueError, match="has one column"):
        create_fermi_isotropic_diffuse_model(tmp_path / "one.txt")


@pytest.mark.data
def test_templates_in_files_of_the_peer_are_read(data_path, monkeypatch):
    path = data_path("tests/models/gc_example_models.yaml")
    monkeypatch.setenv("GAMMAPY_DATA", str(path.parents[2]))
    models = Models.read(path)
    assert models.names == ("gc", "gll_iem_v06_cutout", "gc-bkg", "g09", "g09-bkg")
    assert not models["gll_iem_v06_cutout"].spatial_model.normalize
