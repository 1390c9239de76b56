"""All bins of a map at once, pixel by pixel where sources are far."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.fold import far_bins
from gammajax.models import (
    DiskSpatialModel,
    GaussianSpatialModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)
from tests.fold.test_exactness import cube
from tests.fold.test_fourier import dataset

PLACES = ((83.65, 22.1), (83.2, 21.5), (85.1, 22.0))
SHAPES = {
    "point": PointSpatialModel,
    "gauss": lambda lon, lat: GaussianSpatialModel(lon, lat, 0.05),
    "healpix": PointSpatialModel,
    "disk": lambda lon, lat: DiskSpatialModel(lon, lat, 0.2),
}


@pytest.mark.parametrize(
    "kind", ["point", pytest.param("gauss", marks=pytest.mark.long), "healpix", "disk"]
)
def test_far_pixels_are_those_of_the_fold(kind: str, monkeypatch) -> None:
    """Sources in the map, at its border, and outside of it."""
    data = dataset(0.5, hpx=True) if kind == "healpix" else cube()
    law = PowerLawSpectralModel(amplitude=2e-11)
    models = Models(
        [SkyModel(law, SHAPES[kind](*place), name=f"s{i}") for i, place in enumerate(PLACES)]
    )
    called = []
    own = far_bins._far
    monkeypatch.setattr(far_bins, "_far", lambda *args: called.append(1) or own(*args))
    found = np.asarray(data.npred(models).data)
    assert called
    monkeypatch.setattr(far_bins, "COVERED", np.inf)
    expected = np.asarray(data.npred(models).data)
    assert len(called) == 1
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7 * expected.max())
