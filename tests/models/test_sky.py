"""Sources with a place on the sky, and their files."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from astropy import units as u

from gammajax.models import (
    SPATIAL_MODELS,
    GaussianSpatialModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)
from gammajax.parameters import get_values, with_values

PEER = Path(__file__).parents[1] / "peer" / "data"
PLAIN = [cls for cls in SPATIAL_MODELS if cls.KIND in ("point", "radial", "uniform")]


def test_parameters_are_called_after_their_part():
    model = SkyModel(PowerLawSpectralModel(), PointSpatialModel(83.63, 22.01), name="crab")
    assert model.parameter_names[2:] == (
        "spectral.reference",
        "spatial.lon_0",
        "spatial.lat_0",
    )
    models = Models(model).set("crab.spatial.lon_0", value="1.5 rad")
    assert float(models["crab"].spatial_model.lon_0) == pytest.approx(np.rad2deg(1.5))
    moved = with_values(model, get_values(model) + 1)
    assert float(moved.spatial_model.lat_0) == pytest.approx(23.01)


def test_what_is_no_spatial_model_is_an_error():
    with pytest.raises(ValueError, match="SkyModel 'x': spatial_model is a float"):
        SkyModel(PowerLawSpectralModel(), 3.0, name="x")


@pytest.mark.parametrize("cls", PLAIN, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("full_output", [False, True])
def test_every_spatial_model_comes_back(cls, full_output):
    options = {"frame": "galactic"} if cls.has_frame else {}
    spatial = cls(**options)
    values = get_values(spatial) * 0.9 + 0.05
    models = Models(SkyModel(PowerLawSpectralModel(), with_values(spatial, values), name="x"))
    models = models.thaw("x.spatial.*") if cls.parameter_specs() else models
    back = Models.from_yaml(models.to_yaml(full_output=full_output))
    assert back.parameters == models.parameters
    found = back["x"].spatial_model
    assert found.frame == spatial.frame
    structure = jax.tree_util.tree_structure
    assert structure(found) == structure(models["x"].spatial_model)


def test_links_between_positions_come_back():
    one = SkyModel(PowerLawSpectralModel(), GaussianSpatialModel(3, 4), name="one")
    two = SkyModel(PowerLawSpectralModel(), PointSpatialModel(3, 4), name="two")
    models = Models([one, two]).link("two.spatial.lon_0", "one.spatial.lon_0")
    back = Models.from_yaml(models.to_yaml())
    assert back.parameters == models.parameters


@pytest.mark.data
def test_files_of_the_peer_are_read(data_path):
    folder = data_path("fermi-3fhl-crab")
    models = Models.read(folder / "Fermi-LAT-3FHL_models.yaml")
    assert models.names == ("Crab Nebula", "Fermi-LAT-bkg")
    assert models.parameters["Crab Nebula.spatial.lon_0"].value == 83.63310241699219
    assert models.parameters["Fermi-LAT-bkg.spectral.norm"].min == 0


def test_files_that_the_peer_writes_are_read_with_all_their_parameters():
    models = Models.read(PEER / "models_sky.yaml")
    rows = json.loads((PEER / "models_sky.json").read_text(encoding="utf-8"))
    assert [row[0] for row in rows] == list(models.parameters.names)
    for name, value, unit, frozen in rows:
        row = models.parameters[name]
        scale = u.Unit(row.unit).to(unit) if unit else 1.0
        assert row.value * scale == pytest.approx(value, rel=1e-12), name
        assert row.frozen == frozen, name
    assert models["GaussianSpatialModel"].spatial_model.frame == "galactic"
    assert models["SineTemporalModel"].temporal_model.scale == "tt"
    lon = np.array(models["run-1-bkg"].spatial_model.lon) % 360
    np.testing.assert_allclose(lon, [83, 84, 84, 83])
    assert Models.from_yaml(models.to_yaml()).parameters == models.parameters
