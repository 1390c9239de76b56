"""Convolutions of shapes that cover a part of a lattice."""

import numpy as np
import pytest
from scipy.signal import convolve

from gammajax.fold.dense import Convolution
from gammajax.maps import Map
from gammajax.models import TemplateSpatialModel

SEEN = slice(20, 60), slice(30, 75)


@pytest.mark.parametrize(
    "part",
    [
        (slice(0, 80), slice(0, 100)),
        (slice(35, 50), slice(40, 65)),
        (slice(0, 12), slice(80, 100)),
        (slice(0, 3), slice(0, 4)),
    ],
    ids=["whole", "inside", "corner", "out of reach"],
)
def test_parts_give_what_the_whole_lattice_gives(part):
    rng = np.random.default_rng(2)
    kernel = rng.uniform(size=(31, 41))
    whole = np.zeros((80, 100))
    image = rng.uniform(size=whole[part].shape)
    whole[part] = image
    found = Convolution(kernel, part, SEEN)(image)
    known = convolve(whole, kernel, mode="full", method="direct")[15:-15, 20:-20][SEEN]
    np.testing.assert_allclose(found, known, rtol=0, atol=1e-12 * kernel.sum())
    assert np.any(known) == (part[0].stop > 3)


def test_a_kernel_of_one_number_leaves_images_as_they_are():
    image = np.arange(12.0).reshape(3, 4)
    found = Convolution(np.ones((1, 1)), (slice(1, 4), slice(0, 4)), (slice(0, 3), slice(1, 6)))
    expected = np.zeros((3, 5))
    expected[1:, :3] = image[:2, 1:]
    np.testing.assert_array_equal(found(image), expected)


def test_templates_cover_where_they_are_not_zero():
    image = Map.create(skydir=(10, 20), npix=(7, 5), binsz=0.2, proj="TAN") + 1.0
    template = TemplateSpatialModel(image, lon_0=12.0, lat_0=-30.0)
    lon, lat = np.meshgrid(np.linspace(9, 15, 61), np.linspace(-32, -28, 41))
    angles = np.deg2rad(lon), np.deg2rad(lat)
    cos = np.cos(angles[1])
    vectors = np.stack(
        [cos * np.cos(angles[0]), cos * np.sin(angles[0]), np.sin(angles[1])], axis=-1
    )
    covered = np.asarray(template.covers(vectors))
    np.testing.assert_array_equal(covered, np.asarray(template.evaluate(*angles)) > 0)
    assert 0 < covered.sum() < covered.size
