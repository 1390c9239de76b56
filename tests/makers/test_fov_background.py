"""Backgrounds scaled to the counts outside of sources."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammajax.datasets import MapDataset
from gammajax.makers import FoVBackgroundMaker, MapDatasetMaker
from gammajax.maps import Map, WcsGeom

from .conftest import CENTER


@pytest.fixture(scope="module")
def data(run, geom):
    """Counts drawn from 1.3 (E / 1 TeV)^-0.4 times a larger background, and a source."""
    made = MapDatasetMaker().run(MapDataset.create(geom, binsz_irf=1.0), run)
    background = 5000 * np.asarray(made.background.data)
    truth = 1.3 * made.energy.center[:, None, None] ** -0.4 * background
    counts = np.random.default_rng(3).poisson(truth).astype(float)
    counts[:, 14:16, 14:16] += 5000
    return made.replace(
        counts=made.counts.with_data(counts), background=made.background.with_data(background)
    )


@pytest.fixture(scope="module")
def outside():
    """An image in other pixels, smaller than the map, with a hole around the source."""
    image = WcsGeom.create(skydir=CENTER, width=1.0, binsz=0.05)
    return Map.from_geom(image, data=image.separation(SkyCoord(*CENTER, unit="deg")) > 0.4)


def test_one_factor(data, outside) -> None:
    scaled = FoVBackgroundMaker(exclusion_mask=outside).run(data)
    hole = data.geom.to_image().separation(SkyCoord(*CENTER, unit="deg")) <= 0.4
    used = np.broadcast_to(~hole, data.mask.shape)
    norm = scaled.meta["background"]["norm"]
    expected = data.counts.data[used].sum() / data.background_data[used].sum()
    assert norm == pytest.approx(expected, rel=5e-3)
    np.testing.assert_allclose(scaled.background.data, norm * data.background_data)
    assert FoVBackgroundMaker().run(data).meta["background"]["norm"] > 1.02 * norm


def test_a_fit_finds_norm_and_tilt(data, outside) -> None:
    scaled = FoVBackgroundMaker(method="fit", exclusion_mask=outside).run(data)
    found = scaled.meta["background"]
    assert found["norm"] == pytest.approx(1.3, abs=0.06)
    assert found["tilt"] == pytest.approx(0.4, abs=0.06)
    factor = found["norm"] * data.energy.center ** -found["tilt"]
    np.testing.assert_allclose(
        scaled.background.data, factor[:, None, None] * data.background_data, rtol=1e-6
    )
    assert scaled.mask_fit is None


def test_only_bins_of_the_mask_count(data) -> None:
    low = data.replace(mask_safe=data.counts.with_data(np.arange(3)[:, None, None] < 1
                                                       + 0 * data.mask))  # fmt: skip
    norm = FoVBackgroundMaker().run(low).meta["background"]["norm"]
    first = data.counts.data[0].sum() / data.background_data[0].sum()
    assert norm == pytest.approx(first)


def test_what_cannot_be_scaled_is_an_error(data) -> None:
    with pytest.raises(ValueError, match="method is 'ring', expected scale, fit"):
        FoVBackgroundMaker(method="ring")
    with pytest.raises(ValueError, match="has no background"):
        FoVBackgroundMaker().run(data.replace(background=None))
    with pytest.raises(ValueError, match=r"counts outside .* expected more than 1e\+09"):
        FoVBackgroundMaker(min_counts=1e9).run(data)
    nothing = data.replace(background=data.background.with_data(0 * data.background_data))
    with pytest.raises(ValueError, match="background outside of the exclusion mask is 0"):
        FoVBackgroundMaker().run(nothing)
    with pytest.raises(ValueError, match="use method='fit'"):
        FoVBackgroundMaker(spectral_model=1)
