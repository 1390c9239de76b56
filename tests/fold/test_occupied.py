"""Bins around a direction are found by blocks."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.fold.map_data import MapData
from gammajax.fold.occupied import WIDTH, Occupied
from gammajax.simulate import LatLikeComponent, lat_like_datasets


@pytest.fixture(scope="module")
def bins() -> Occupied:
    """A third of the pixels of the whole sky, at two energies."""
    dataset = lat_like_datasets([LatLikeComponent((1e-3, 3e-3, 1e-2), 16)])[0]
    rng = np.random.default_rng(4)
    counts = rng.uniform(size=dataset.counts.data.shape) < 1 / 3
    drawn = dataset.replace(counts=dataset.counts.with_data(1.0 * counts))
    return MapData.create(drawn, 0).bins


@pytest.mark.parametrize("radii", [(1e-4, 0.01), (0.07, 0.3), (1.5, 0.2), (4.0, 2.5)])
def test_the_bins_within_a_circle_are_those_of_a_search_through_all(bins, radii) -> None:
    radii = np.array(radii)
    assert not bins.used.all()
    rng = np.random.default_rng(5)
    places = rng.normal(size=(40, 3))
    places /= np.linalg.norm(places, axis=1, keepdims=True)
    # bins themselves, and the point across from one
    places = np.concatenate([places, bins.vectors[:3], -bins.vectors[:1]])
    numbers = []
    for place in places:
        found, cosine = bins.within(place, radii)
        whole = bins.vectors @ place
        edge = np.cos(np.minimum(radii, np.pi))[bins.energy]
        np.testing.assert_array_equal(found, np.nonzero((whole >= edge) & bins.used)[0])
        np.testing.assert_allclose(cosine, whole[found], rtol=0, atol=1e-15)
        numbers.append(found.size)
    assert radii.max() < 0.05 or min(numbers) > 0


def test_blocks_far_away_are_not_opened(bins) -> None:
    few = Occupied(bins.pixel, bins.energy, bins.vectors.copy(), bins.used)
    place = bins.vectors[0]
    found, _ = few.within(place, np.full(2, 0.05))
    assert found.size > 0
    # what a search through all would find is put to where no circle reaches
    far = (bins.vectors @ place < 0) & bins.used
    few.vectors[far] = place
    again, _ = few.within(place, np.full(2, 0.05))
    assert set(again) - set(found) <= set(_of_mixed_blocks(far))


def _of_mixed_blocks(far: np.ndarray) -> np.ndarray:
    """Bins of blocks that have bins of both kinds."""
    parts = far.reshape(-1, WIDTH)
    mixed = parts.any(axis=1) & ~parts.all(axis=1)
    return np.nonzero(np.repeat(mixed, WIDTH))[0]
