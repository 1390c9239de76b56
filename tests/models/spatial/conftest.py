"""One model or more of every registered class, at parameters away from special values."""

import numpy as np
import pytest

from gammajax.maps import Map, MapAxis
from gammajax.models import (
    ConstantFluxSpatialModel,
    ConstantSpatialModel,
    DiskSpatialModel,
    EnergyDependentSpatialModel,
    GaussianSpatialModel,
    GeneralizedGaussianSpatialModel,
    PiecewiseNormSpatialModel,
    PointSpatialModel,
    Shell2SpatialModel,
    ShellSpatialModel,
    TemplateNDSpatialModel,
    TemplateSpatialModel,
)

AT = {"lon_0": 83.63, "lat_0": 22.01}
ELLIPSE = {"e": 0.8, "phi": 35.0}


def image(**options):
    """A smooth image with values above 0."""
    found = Map.create(skydir=(83.63, 22.01), npix=(40, 30), binsz=0.05, proj="TAN", **options)
    theta = found.geom.separation((83.63, 22.01))
    return found.with_data(np.broadcast_to(np.exp(-theta), found.data.shape).copy())


def ages():
    """An image for each of two ages."""
    age = MapAxis.from_nodes([1.0, 3.0], name="age", interp="lin")
    cube = image(axes=[age], unit="sr-1")
    return cube.with_data(cube.data * np.array([1.0, 2.0])[:, None, None])


SAMPLES = {
    "point": PointSpatialModel(**AT),
    "gauss": GaussianSpatialModel(**AT, sigma=0.2),
    "gauss-ellipse": GaussianSpatialModel(**AT, sigma=0.2, **ELLIPSE),
    "gauss-pole": GaussianSpatialModel(lon_0=10, lat_0=89.9, sigma=3.0, **ELLIPSE),
    "gauss-huge": GaussianSpatialModel(lon_0=359.99, lat_0=-20, sigma=60.0),
    "gauss-general": GeneralizedGaussianSpatialModel(**AT, r_0=0.3, eta=0.7),
    "gauss-general-sharp": GeneralizedGaussianSpatialModel(**AT, r_0=0.3, eta=0.05, **ELLIPSE),
    "disk": DiskSpatialModel(**AT, r_0=0.5),
    "disk-soft": DiskSpatialModel(**AT, r_0=0.5, edge_width=0.6),
    "disk-ellipse": DiskSpatialModel(**AT, r_0=0.5, edge_width=0.1, **ELLIPSE),
    "disk-huge": DiskSpatialModel(lon_0=0.0, lat_0=-90, r_0=110.0, edge_width=0.05),
    "shell": ShellSpatialModel(**AT, radius=0.4, width=0.1),
    "shell-thin": ShellSpatialModel(**AT, radius=0.4, width=1e-3),
    "shell-huge": ShellSpatialModel(**AT, radius=80, width=30),
    "shell2": Shell2SpatialModel(**AT, r_0=0.5, eta=0.9),
    "const": ConstantSpatialModel(2.5),
    "const-flux": ConstantFluxSpatialModel(),
    "energy-dependent": EnergyDependentSpatialModel(
        GaussianSpatialModel(**AT, sigma=0.2, **ELLIPSE), ["sigma", "lon_0"], [-0.4, 0.1]
    ),
    "template": TemplateSpatialModel(image()),
    "template-nd": TemplateNDSpatialModel(ages(), [1.3]),
    "piecewise-norm": PiecewiseNormSpatialModel(
        [0, 1, 1, 0, 0.4], [0, 0, 1, 1, 0.3], norms=[1, 1.5, 2, 0.7, 1]
    ),
}


@pytest.fixture(params=list(SAMPLES))
def model(request):
    """Every sample in turn."""
    return SAMPLES[request.param]


@pytest.fixture(
    params=[name for name, m in SAMPLES.items() if m.KIND == "radial" and not m.has_energy]
)
def radial(request):
    """Every sample that is a radial shape."""
    return SAMPLES[request.param]


@pytest.fixture
def samples():
    """All samples by name."""
    return SAMPLES
