"""Shapes that change with energy."""

import jax
import numpy as np
import pytest
from astropy import units as u

from gammajax.models import (
    ConstantSpatialModel,
    DiskSpatialModel,
    EnergyDependentSpatialModel,
    GaussianSpatialModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)
from gammajax.parameters import get_values, with_values

AT = {"lon_0": 83.63, "lat_0": 22.01, "frame": "galactic"}


def halo(**options):
    model = GaussianSpatialModel(**AT, sigma=0.4, e=0.5, phi=10)
    return EnergyDependentSpatialModel(model, ["sigma", "lat_0"], [-0.5, 0.2], **options)


def test_sizes_are_power_laws_and_positions_lines():
    shape = halo(reference="100 GeV").at_energy(10.0)
    assert float(shape.sigma) == pytest.approx(0.04)
    assert float(shape.lat_0) == pytest.approx(22.41)
    assert float(shape.lon_0) == 83.63
    assert halo().frame == shape.frame == "galactic"


def test_densities_are_those_of_the_shape_at_each_energy():
    model, energy = halo(), np.array([0.3, 1.0, 8.0])[:, None]
    lon, lat = np.array([83.5, 83.8]), np.array([22.0, 22.2])
    found = model(lon, lat, energy * u.TeV)
    assert found.shape == (3, 2)
    for row, e in zip(found, energy[:, 0], strict=True):
        np.testing.assert_allclose(row.value, model.at_energy(e)(lon, lat).value, rtol=1e-12)
        np.testing.assert_allclose(row.value, model(lon, lat, e).value, rtol=1e-12)
    with pytest.raises(ValueError, match="depends on energy, and got none"):
        model(lon, lat)


def test_what_folding_asks_for_is_that_of_the_shape():
    model = halo()
    assert model.KIND == "radial"
    assert model.eccentric_names == ("model.e", "model.phi")
    assert model.has_energy
    assert float(model.outer_radius()) == float(model.model.outer_radius())
    np.testing.assert_allclose(model.centre(), model.model.centre())
    assert model.stretch()[0] == model.model.stretch()[0]
    assert model.to_region().height == model.model.to_region().height
    bent = EnergyDependentSpatialModel(DiskSpatialModel(), ["phi"])
    assert bent.eccentric_names == ("model.e", "model.phi", "phi_slope")
    assert EnergyDependentSpatialModel(PointSpatialModel(), "lon_0").KIND == "point"


def test_gradients_and_stacks():
    model = halo()
    values = get_values(model)
    vector = np.asarray(model.centre())

    def density(vector_of_values, energy):
        return with_values(model, vector_of_values).evaluate_on(vector, energy)

    exact = np.asarray(jax.jit(jax.grad(density))(values, 3.0))
    run = jax.jit(density)
    for i in range(values.size):
        step = 1e-5 * np.eye(values.size)[i]
        estimate = float(run(values + step, 3.0) - run(values - step, 3.0)) / 2e-5
        assert exact[i] == pytest.approx(estimate, rel=1e-5, abs=1e-6 * np.abs(exact).max())
    batch = jax.jit(jax.vmap(density, in_axes=(0, None)))(values * np.ones((2, 1)), 3.0)
    np.testing.assert_allclose(batch, float(run(values, 3.0)), rtol=1e-12)


def test_it_comes_back_from_a_file():
    models = Models(SkyModel(PowerLawSpectralModel(), halo(), name="halo"))
    models = models.set("halo.spatial.sigma_slope", min=-1, max=1).thaw("*.model.e")
    back = Models.from_yaml(models.to_yaml())
    assert back.parameters == models.parameters
    assert back["halo"].spatial_model.names == ("sigma", "lat_0")
    assert back["halo"].spatial_model.frame == "galactic"
    text = models.to_yaml()
    start, stop = text.index("names:"), text.index("metadata:")
    broken = text[:start] + "names: sigma\n" + text[stop:]
    with pytest.raises(ValueError, match="names is 'sigma', expected a list of parameters"):
        Models.from_yaml(broken)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EnergyDependentSpatialModel(3.0, ["sigma"]), "model: got a float"),
        (lambda: EnergyDependentSpatialModel(halo(), ["sigma"]), "does not depend on energy"),
        (
            lambda: EnergyDependentSpatialModel(ConstantSpatialModel(), ["value"]),
            "has neither a position nor a size",
        ),
        (lambda: EnergyDependentSpatialModel(PointSpatialModel(), ["sigma"]), "lon_0, lat_0"),
        (lambda: EnergyDependentSpatialModel(PointSpatialModel(), []), "at least one"),
        (lambda: halo(slopes=[1.0]), "got multiple values"),
        (lambda: halo().replace(slopes=[1.0]), "slopes: got 1, expected one of each name"),
        (lambda: halo(frame="icrs"), "frame: got 'icrs', expected 'galactic'"),
    ],
)
def test_what_does_not_fit_is_an_error(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()
