"""Rings: each pixel against a sum by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.datasets import MapDataset, MapDatasetOnOff
from gammajax.makers import AdaptiveRingBackgroundMaker, MapDatasetMaker, RingBackgroundMaker
from gammajax.maps import HpxGeom, Map

from .conftest import CENTER, TRUE


@pytest.fixture(scope="module")
def data(run, geom) -> MapDataset:
    made = MapDatasetMaker(selection=("counts", "background", "exposure")).run(
        MapDataset.create(geom, TRUE, binsz_irf=1.0), run
    )
    safe = np.array(made.mask_safe.data)
    safe[0, :5] = False
    return made.replace(mask_safe=made.mask_safe.with_data(safe))


@pytest.fixture(scope="module")
def exclusion(geom) -> Map:
    image = geom.to_image()
    return Map.from_geom(image, data=image.separation(CENTER) > 0.25)


def test_sums_over_a_ring(data, exclusion) -> None:
    made = RingBackgroundMaker(r_in=0.3, width=0.25, exclusion_mask=exclusion).run(data)
    assert isinstance(made, MapDatasetOnOff)
    used = np.asarray(data.mask_safe.data) & np.asarray(exclusion.data)
    y, x = np.indices(used.shape[1:])
    for place in ((15, 15), (2, 28), (0, 0)):
        distance = 0.1 * np.hypot(y - place[0], x - place[1])
        ring = (distance > 0.299) & (distance < 0.551)
        for theirs, ours in (
            (np.asarray(data.counts.data), made.counts_off),
            (data.background_data, made.acceptance_off),
        ):
            expected = (theirs * used * ring).sum(axis=(1, 2))
            np.testing.assert_allclose(ours.data[:, *place], expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(made.acceptance.data, data.background_data)
    np.testing.assert_array_equal(made.counts.data, data.counts.data)
    assert not made.mask_safe.data[0, :5].any()
    assert np.all(made.alpha_data[made.mask] > 0)


def test_pixels_without_a_ring_are_not_safe(data) -> None:
    image = data.geom.to_image()
    mask = Map.from_geom(image, data=image.separation(CENTER) > 0.8)
    made = RingBackgroundMaker(r_in=0.1, width=0.1, exclusion_mask=mask).run(data)
    assert not made.mask_safe.data[:, 15, 15].any()
    assert made.mask_safe.data[2, 1, 1]


@pytest.mark.parametrize("method", ["fixed_width", "fixed_r_in"])
def test_the_first_ring_that_is_large_enough(data, method) -> None:
    maker = AdaptiveRingBackgroundMaker(
        r_in=0.15, r_out_max=1.2, width=0.1, stepsize=0.1, threshold_alpha=0.04, method=method
    )
    made = maker.run(data)
    known = made.mask_safe.data
    assert known.any()
    assert np.all(made.alpha_data[known] < 0.04)
    left = known
    for r_in, width in maker.rings():
        one = RingBackgroundMaker(r_in, width).run(data)
        enough = (one.alpha_data < 0.04) & one.mask_safe.data
        assert np.all(known[enough])
        now = left & enough
        np.testing.assert_array_equal(made.counts_off.data[now], one.counts_off.data[now])
        left = left & ~enough
    assert not left.any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: RingBackgroundMaker(0.3, 0.0), "width is 0 deg"),
        (lambda d: RingBackgroundMaker("-1 deg", 0.1), "r_in is -1 deg"),
        (lambda d: RingBackgroundMaker(0.31, 0.001).run(d), "holds no centre of a pixel"),
        (lambda d: RingBackgroundMaker(0.3, 0.1).run(d.replace(background=None)), "predicted"),
        (lambda d: AdaptiveRingBackgroundMaker(0.3, 0.4, 0.2), "leave no ring"),
        (lambda d: AdaptiveRingBackgroundMaker(0.1, 0.4, 0.2, method="fixed"), "method is"),
        (lambda d: AdaptiveRingBackgroundMaker(0.1, 0.4, 0.2, threshold_alpha=0), "above 0"),
    ],
)
def test_choices_are_checked(data, make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make(data)


def test_a_map_without_projection_is_refused(run) -> None:
    geom = HpxGeom.create(nside=16, axes=[TRUE.rename("energy")])
    with pytest.raises(ValueError, match="wants a map in a projection"):
        RingBackgroundMaker(0.3, 0.1).run(MapDataset.create(geom, binsz_irf=10))
