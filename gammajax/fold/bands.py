"""Bands of true energy: what reaches a reconstructed bin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gammajax.fold.sky_response import reached


def bands(matrices: Sequence[np.ndarray]) -> tuple[np.ndarray, int]:
    """The first true bin that reaches each reconstructed one, and the widest band.

    Parameters
    ----------
    matrices : sequence of array, shape (energy_true, energy)

    Returns
    -------
    first : array of int, shape (matrix, energy)
    width : int
        No band of this width from ``first`` on ends beyond the last true bin.
    """
    number = len(matrices[0])
    counted = np.stack([reached(matrix) for matrix in matrices])
    some = counted.any(axis=1)
    low = np.where(some, counted.argmax(axis=1), 0)
    high = np.where(some, number - 1 - counted[:, ::-1].argmax(axis=1), 0)
    width = int((high - low).max()) + 1
    return np.minimum(low, number - width), width
