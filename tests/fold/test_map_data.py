"""What plans of counts cubes share."""

from __future__ import annotations

import numpy as np

from gammajax.fold.map_data import different_rows


def test_rows_of_a_mask_are_told_apart() -> None:
    one, other = np.arange(20) < 7, np.arange(20) % 3 == 0
    found = different_rows(np.array([one, np.zeros(20, dtype=bool), other, one]))
    assert [energies.tolist() for energies, _ in found] == [[0, 3], [2]]
    for (_, row), expected in zip(found, (one, other), strict=True):
        np.testing.assert_array_equal(row, expected)
