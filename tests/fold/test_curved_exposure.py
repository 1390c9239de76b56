"""Extended sources in a curved exposure: counts are those of where photons come from."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.inference import Likelihood
from gammajax.models import (
    DiskSpatialModel,
    GaussianSpatialModel,
    Models,
    ShellSpatialModel,
)
from tests.fold.test_maps import CENTER, dataset, source

FIELD = 2.0
"""Width of the field of view, in deg."""

CASES = {
    "gauss": (GaussianSpatialModel, {"sigma": 0.3}),
    "disk": (DiskSpatialModel, {"r_0": 0.5}),
    "shell": (ShellSpatialModel, {"radius": 0.4, "width": 0.1}),
    "ellipse": (GaussianSpatialModel, {"sigma": 0.4, "e": 0.8, "phi": 30.0}),
}


def field(geom) -> np.ndarray:
    """Relative exposure, falling with the distance from a place to the west."""
    axis = GaussianSpatialModel(CENTER[0] - 0.9, CENTER[1], 1.0).position
    return np.exp(-0.5 * (geom.separation(axis) / FIELD) ** 2)


@pytest.mark.parametrize("moves", [False, True], ids=["frozen", "free"])
@pytest.mark.parametrize("kind", list(CASES))
def test_totals_are_integrals_over_the_exposure(kind: str, moves: bool) -> None:
    data = dataset(width=4.0, binsz=0.1)
    exposure = data.exposure
    exposure = exposure.with_data(np.asarray(exposure.data) * field(exposure.geom.to_image()))
    data = data.replace(exposure=exposure)
    make, options = CASES[kind]
    spatial = make(*CENTER, **options)
    models = Models([source(spatial)])
    models = models.freeze("*.spatial.*")
    if moves:
        models = models.thaw("*.lon_0").thaw("*.lat_0")
    likelihood = Likelihood([data], models)
    found = float(np.asarray(likelihood.predict(likelihood.start)["small"])[-1])
    fine = data.geom.to_image().upsample(5)
    weight = spatial(fine.get_coord().skycoord).value * fine.solid_angle()
    flux = 1e-11 * 1e13 * (1 - 0.1)
    expected = flux * (weight * field(fine)).sum() / weight.sum()
    at_centre = flux * np.exp(-0.5 * (0.9 * np.cos(np.deg2rad(CENTER[1])) / FIELD) ** 2)
    assert abs(expected / at_centre - 1) > 0.01
    assert found == pytest.approx(expected, rel=1.5e-3)
