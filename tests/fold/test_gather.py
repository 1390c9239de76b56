"""The tree of the far sky."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.fold.gather import GatheredSky
from gammajax.fold.pixels import pixels_of
from gammajax.maps import WcsGeom


@pytest.fixture(scope="module")
def pixels():
    return pixels_of(WcsGeom.create(skydir=(10.0, 40.0), width=8, binsz=0.05, proj="TAN"))


@pytest.mark.parametrize("place", [(10.0, 40.0), (13.0, 42.0), (10.0, 50.0)])
def test_a_smooth_function_is_integrated_over_blocks_and_pixels(pixels, place) -> None:
    keys = np.nonzero(pixels.vectors[:, 2] > np.sin(np.deg2rad(40.3)))[0]
    tree = GatheredSky(pixels, keys)
    lon, lat = np.deg2rad(place)
    direction = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    nodes, weights, single = tree.seen_from(direction, np.pi)
    assert weights.sum() + pixels.areas[single].sum() == pytest.approx(
        pixels.areas[keys].sum(), rel=1e-12
    )

    def tail(vectors):
        """A spread that falls with the distance as that of the Fermi-LAT does."""
        square = np.sum((vectors - direction) ** 2, axis=-1)
        return (1 + square / 0.002**2) ** -1.5

    found = weights @ tail(nodes) + pixels.areas[single] @ tail(pixels.vectors[single])
    exact = pixels.areas[keys] @ tail(pixels.vectors[keys])
    assert found == pytest.approx(
        exact, rel=2e-4
    )  # blocks know the size of pixels, their middles do not
    assert nodes.shape[0] + single.size < 0.6 * keys.size


def test_what_is_beyond_the_radius_is_left_out(pixels) -> None:
    keys = np.arange(pixels.n_keys)
    tree = GatheredSky(pixels, keys)
    direction = pixels.vectors[pixels.key_of[0]]
    radius = np.deg2rad(2.0)
    nodes, _, single = tree.seen_from(direction, radius)
    near = keys[np.arccos(np.clip(pixels.vectors @ direction, -1, 1)) < radius]
    seen = np.concatenate([nodes, pixels.vectors[single]])
    # nothing near is missing, and what is taken along is at most a block further
    assert seen.shape[0] < 4 * near.size
    far = np.arccos(np.clip(seen @ direction, -1, 1)).max()
    assert far < radius + 48 * pixels.size
