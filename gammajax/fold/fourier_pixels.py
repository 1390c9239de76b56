"""What a pixel gets of a spline in the plane: weights, made once on the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.fold.fourier_grid import cubic
from gammajax.fold.plane import to_plane


@dataclass
class PixelShares:
    """Weights of pixels on a grid.

    Attributes
    ----------
    index : array of int, shape (pixel,)
        Places in the map, ascending.
    start : array of int, shape (pixel, 2)
    share : array, shape (pixel, side, side), in sr
    """

    index: np.ndarray
    start: np.ndarray
    share: np.ndarray

    def padded(self, pixels: int, side: int) -> tuple[np.ndarray, np.ndarray]:
        """Start and share of at least as many pixels and places."""
        more, wider = pixels - len(self.start), side - self.share.shape[-1]
        start = np.pad(self.start, ((0, more), (0, 0)))
        return start, np.pad(self.share, ((0, more), (0, wider), (0, wider)))

    def kept(self, wanted: np.ndarray) -> PixelShares:
        """Those of some of the pixels."""
        return PixelShares(self.index[wanted], self.start[wanted], self.share[wanted])

    def summed(self, chosen: np.ndarray, number: int, factor: Any = 1.0) -> np.ndarray:
        """The weights of a set of pixels together, times factors, on the whole grid."""
        side = self.share.shape[-1]
        near = np.arange(side)
        start = self.start[chosen]
        rows = start[:, 0, None, None] + near[:, None]
        place = rows * number + start[:, 1, None, None] + near
        share = self.share[chosen] * np.reshape(factor, (-1, 1, 1))
        found = np.bincount(place.ravel(), share.ravel(), minlength=number * number)
        return found.reshape(number, number)


def pixel_shares(
    pixels: Any,
    direction: np.ndarray,
    radius: float,
    grid: tuple[int, float],
    frame: np.ndarray,
) -> PixelShares:
    """The weights of the pixels of the map within a radius of a direction.

    A pixel is integrated at Gauss-Legendre nodes, so many that the splines are smooth between.

    Parameters
    ----------
    pixels : `~gammajax.fold.pixels.WcsPixels` or `HpxPixels`
    direction : array, shape (3,)
    radius : float
        In rad.
    grid : tuple of int and float
        Places along a side, and their distance in rad.
    frame : array, shape (3, 3)
        Of the plane.
    """
    around = pixels.around(direction, radius)
    own = np.nonzero(around.index >= 0)[0]
    own = own[np.argsort(around.index[own])]
    number, step = grid
    order = max(3, int(np.ceil(1.5 * pixels.size / step)) + 2)
    vectors, weights = pixels.nodes_of(around.key[own], order)
    place = to_plane(vectors, frame) / step + number // 2
    first = np.floor(place).astype(int)
    taps = cubic(place - first)
    start = first.min(axis=1, initial=number) - 1
    offset = first - 1 - start[:, None]
    side = int(offset.max(initial=0)) + 4
    lines = np.zeros((*offset.shape, side))
    for tap in range(4):
        np.put_along_axis(lines, offset[..., None] + tap, taps[..., tap, None], axis=-1)
    across = lines[:, :, 1] * weights[..., None]
    share = np.einsum("nmi,nmj->nij", lines[:, :, 0], across, optimize=True)
    return PixelShares(around.index[own], start, share)
