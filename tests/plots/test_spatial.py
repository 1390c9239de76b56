"""Pictures of spatial models."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from gammajax.maps import WcsGeom
from gammajax.models import (
    ConstantSpatialModel,
    DiskSpatialModel,
    GaussianSpatialModel,
    PointSpatialModel,
)
from gammajax.plots import plot_spatial


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_the_picture_shows_the_density_around_the_position():
    model = GaussianSpatialModel(83.63, 22.01, sigma="0.2 deg", frame="galactic")
    image = np.asarray(model.plot().images[0].get_array())
    peak = np.unravel_index(np.argmax(image), image.shape)
    assert np.abs(np.array(peak) - np.array(image.shape) / 2).max() <= 1
    assert image.max() == pytest.approx(model(83.63, 22.01).value, rel=1e-3)


def test_a_geometry_may_be_given():
    geom = WcsGeom.create(skydir=(10, 20), width=1, binsz=0.1)
    axes = plot_spatial(ConstantSpatialModel(3.0), geom)
    assert np.all(np.asarray(axes.images[0].get_array()) == 3.0)
    disk = DiskSpatialModel(10, 20, r_0="0.2 deg")
    assert np.asarray(disk.plot(geom).images[0].get_array()).max() > 0


def test_models_without_a_picture_say_what_to_do():
    with pytest.raises(ValueError, match="give a geom"):
        ConstantSpatialModel().plot()
    with pytest.raises(ValueError, match="to_region"):
        PointSpatialModel().plot()
