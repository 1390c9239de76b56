"""The statistic of every kind of source is smooth while it crosses the borders of pixels."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from gammajax.inference import Likelihood
from gammajax.models import (
    DiskSpatialModel,
    GaussianSpatialModel,
    GeneralizedGaussianSpatialModel,
    Models,
    PointSpatialModel,
    Shell2SpatialModel,
    ShellSpatialModel,
)
from tests.fold.test_fourier import LAWS, nd_template
from tests.fold.test_maps import dataset, source

PLACE = (83.64, 22.02)

PLACES = {"lon_0": 0.06, "lat_0": 0.05}
"""Ways that lead over the border of a pixel of 0.05 deg, in deg."""

ELLIPSE = {"e": 0.08, "phi": 20.0}

CASES = {
    "point": (PointSpatialModel(*PLACE), PLACES),
    "gauss": (GaussianSpatialModel(*PLACE, 0.1), PLACES | {"sigma": 0.05}),
    "small gauss": (GaussianSpatialModel(*PLACE, 0.01), PLACES | {"sigma": 0.009}),
    "generalized gauss": (
        GeneralizedGaussianSpatialModel(*PLACE, "0.15 deg", 0.7),
        PLACES | {"r_0": 0.05, "eta": 0.2},
    ),
    "disk": (DiskSpatialModel(*PLACE, "0.2 deg"), PLACES | {"r_0": 0.05}),
    "shell": (
        ShellSpatialModel(*PLACE, "0.2 deg", "0.08 deg"),
        PLACES | {"radius": 0.05, "width": 0.05},
    ),
    "shell2": (Shell2SpatialModel(*PLACE, "0.25 deg", 0.3), PLACES | {"r_0": 0.05, "eta": 0.2}),
    "gaussian ellipse": (
        GaussianSpatialModel(*PLACE, 0.12, e=0.7, phi="30 deg"),
        PLACES | ELLIPSE | {"sigma": 0.05},
    ),
    "generalized ellipse": (
        GeneralizedGaussianSpatialModel(*PLACE, "0.15 deg", 0.7, e=0.7, phi="30 deg"),
        PLACES | ELLIPSE | {"r_0": 0.05},
    ),
    "disk as an ellipse": (
        DiskSpatialModel(*PLACE, "0.2 deg", e=0.7, phi="30 deg"),
        PLACES | ELLIPSE | {"r_0": 0.05},
    ),
    "ellipse without a spread": (
        # a sharp edge that crosses the corner of a pixel is not smooth by itself
        DiskSpatialModel(*PLACE, "0.2 deg", e=0.7, phi="30 deg", edge_width=0.1),
        PLACES | ELLIPSE | {"r_0": 0.05},
    ),
    "size by energy": (LAWS, {}),
    "template with a size": (nd_template(), {}),
}


SLOWEST = ("generalized gauss", "generalized ellipse", "shell2", "disk as an ellipse")
KINDS = [pytest.param(k, marks=pytest.mark.long if k in SLOWEST else ()) for k in CASES]


@pytest.mark.parametrize("kind", KINDS)
def test_profiles_have_no_steps(kind: str) -> None:
    """A step would stand out of the fourth differences of a smooth curve."""
    spatial, ways = CASES[kind]
    models = Models([source(spatial)]).freeze("*.spectral.*")
    if kind == "template with a size":
        models = models.set("*.amplitude", value=1e-10)
    for name in ways:
        models = models.thaw(f"source.spatial.{name}")
    data = dataset()
    if kind.endswith("without a spread"):
        data = data.replace(psf=None)
    data = data.fake(models, seed=3)
    likelihood = Likelihood([data], models)
    none = Likelihood([data], models.set("source.spectral.amplitude", value=1e-30))
    ts = float(none.stat(none.start)) - float(likelihood.stat(likelihood.start))
    assert ts > 100
    stat = jax.jit(jax.vmap(likelihood.stat))
    for place, name in enumerate(likelihood.names):
        moved = np.tile(likelihood.start, (121, 1))
        way = (PLACES | ways).get(name.split(".")[-1], 0.1 * abs(moved[0, place]))
        moved[:, place] += np.linspace(-way, way, 121)
        values = np.asarray(stat(moved))
        assert np.ptp(values) > 0
        assert np.abs(np.diff(values, 4)).max() < 1e-4 * ts, name
