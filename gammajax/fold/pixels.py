"""Pixels as integration nodes: unit vectors and weights, made on the host.

Folding knows nothing of projections. A pixel is a few unit vectors with weights in sr, the
nodes of a Gauss-Legendre product rule in a projection, and the centres of smaller pixels in
HEALPix.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from gammajax.maps import HpxGeom, WcsGeom
from gammajax.maps.frames import to_vector

SLOPE = 0.02
"""Step, in pixels, over which the direction of a border is taken."""


SIDE = 16
"""Pixels along the side of the blocks that a search looks at first."""


class Surroundings(NamedTuple):
    """The pixels around a direction, those of the map and those beyond its border.

    ``index`` is the place in the map, or -1; ``key`` is what `nodes_of` takes.
    """

    key: np.ndarray
    index: np.ndarray
    vectors: np.ndarray


class WcsPixels:
    """The pixels of a projection, and a border of them around it.

    Parameters
    ----------
    geom : `~gammajax.maps.WcsGeom`
    border : float
        Width of the border, in rad.
    """

    def __init__(self, geom: WcsGeom, border: float) -> None:
        self.geom = geom.to_image()
        self.frame = self.geom.frame
        nx, ny = self.geom.npix
        self.number = nx * ny
        scale = np.deg2rad(self.geom.pixel_scales)
        pad = np.ceil(border / scale).astype(int) + 1
        # the border does not go around the sky a second time
        most = np.maximum(np.ceil(2 * np.pi / scale).astype(int) - (nx, ny), 0) // 2
        px, py = np.minimum(pad, most)
        row, column = np.mgrid[-py : ny + py, -px : nx + px]
        self.shape = row.shape
        self.row, self.column = row.ravel(), column.ravel()
        inside = (self.row >= 0) & (self.row < ny) & (self.column >= 0) & (self.column < nx)
        self.index = np.where(inside, self.row * nx + self.column, -1)
        self.vectors = self._vectors(self.column, self.row)
        self.areas = self._areas(self.column, self.row)
        self.key_of = np.empty(self.number, dtype=int)
        self.key_of[self.index[inside]] = np.nonzero(inside)[0]
        self.size = float(np.sqrt(np.nanmedian(self.areas)))

    @property
    def n_keys(self) -> int:
        """The number of pixels, those of the border included."""
        return self.row.size

    def around(self, direction: np.ndarray, radius: float) -> Surroundings:
        """The pixels whose centres are within ``radius`` (rad) of a direction."""
        known = self._near_blocks(direction, radius)
        near = known[self.vectors[known] @ direction >= np.cos(min(radius, np.pi))]
        return Surroundings(near, self.index[near], self.vectors[near])

    def _near_blocks(self, direction: np.ndarray, radius: float) -> np.ndarray:
        """The pixels of the blocks that may reach into a circle."""
        middle, extent = self._blocks
        distance = np.arccos(np.clip(middle @ direction, -1, 1))
        # blocks without a middle are partly beyond the sky of the projection
        first = np.nonzero(~(distance > radius + extent))[0]
        tall, wide = self.shape
        across = -(-wide // SIDE)
        steps = np.arange(SIDE)
        row = (first // across * SIDE)[:, None, None] + steps[:, None]
        column = (first % across * SIDE)[:, None, None] + steps
        inside = (row < tall) & (column < wide)
        return np.sort((row * wide + column)[inside])

    @cached_property
    def _blocks(self) -> tuple[np.ndarray, np.ndarray]:
        """Middles of square blocks of pixels, and how far their pixels are from these."""
        tall, wide = self.shape
        across = -(-wide // SIDE)
        key = np.arange(tall * wide)
        block = key // wide // SIDE * across + key % wide // SIDE
        number = -(-tall // SIDE) * across
        columns = [np.bincount(block, column, number) for column in self.vectors.T]
        middle = np.stack(columns, axis=-1)
        with np.errstate(invalid="ignore"):
            middle /= np.linalg.norm(middle, axis=1, keepdims=True)
            cosine = np.sum(self.vectors * middle[block], axis=1)
            distance = np.arccos(np.clip(cosine, -1, 1))
        extent = np.zeros(number)
        np.maximum.at(extent, block, distance)
        return middle, extent

    def vectors_of(self, keys: np.ndarray) -> np.ndarray:
        """The unit vectors of the middles of pixels."""
        return self.vectors[keys]

    def count_of(self, order: int) -> int:
        """The number of nodes of a pixel."""
        return order**2

    def nodes_of(self, keys: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors and weights of pixels.

        Parameters
        ----------
        keys : array of int, shape (n,)
        order : int
            Nodes along each side.

        Returns
        -------
        vectors : array, shape (n, order**2, 3)
        weights : array, shape (n, order**2), in sr
        """
        place, share = np.polynomial.legendre.leggauss(order)
        dx, dy = (grid.ravel() / 2 for grid in np.meshgrid(place, place))
        weight = np.outer(share, share).ravel() / 4
        x, y = self.column[keys][:, None] + dx, self.row[keys][:, None] + dy
        return self._vectors(x, y), self.areas[keys][:, None] * weight

    def borders_of(self, keys: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
        """Nodes on the borders of pixels, for integrals by Gauss's theorem.

        Parameters
        ----------
        keys : array of int, shape (n,)
        order : int
            Nodes on each of the four sides.

        Returns
        -------
        vectors : array, shape (n, 4 order, 3)
        normals : array, shape (n, 4 order, 3)
            Cross products of the unit vectors and the steps along the border, whose sum
            points outward from the sphere.
        """
        place, share = np.polynomial.legendre.leggauss(order)
        along, half = place / 2, np.full(order, 0.5)
        dx = np.concatenate([along, half, -along, -half])
        dy = np.concatenate([-half, along, half, -along])
        sx = np.repeat([1.0, 0.0, -1.0, 0.0], order)
        sy = np.repeat([0.0, 1.0, 0.0, -1.0], order)
        x, y = self.column[keys][:, None] + dx, self.row[keys][:, None] + dy
        ahead = self._vectors(x + SLOPE * sx, y + SLOPE * sy)
        behind = self._vectors(x - SLOPE * sx, y - SLOPE * sy)
        step = (ahead - behind) / (2 * SLOPE) * (np.tile(share, 4) / 2)[:, None]
        vectors = self._vectors(x, y)
        normals = np.cross(vectors, step)
        # around the pixel's own middle the sum is positive whichever way the columns run
        inward = np.sum(normals.sum(axis=1) * self.vectors[keys], axis=-1)
        return vectors, normals * np.sign(inward)[:, None, None]

    def corners_of(self, keys: np.ndarray) -> np.ndarray:
        """Corners of pixels, in the order of their border, shape (n, 4, 3)."""
        dx, dy = np.array([[-0.5, 0.5, 0.5, -0.5], [-0.5, -0.5, 0.5, 0.5]])
        return self._vectors(self.column[keys][:, None] + dx, self.row[keys][:, None] + dy)

    def _areas(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Solid angles, in sr, by the cross product of the sides through the middle."""
        side = self._vectors(x + 0.5, y) - self._vectors(x - 0.5, y)
        other = self._vectors(x, y + 0.5) - self._vectors(x, y - 0.5)
        return np.linalg.norm(np.cross(side, other), axis=-1)

    def _vectors(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        lon, lat = self.geom.wcs.wcs_pix2world(x, y, 0)
        return to_vector(np.deg2rad(lon), np.deg2rad(lat))


class HpxPixels:
    """The pixels of a HEALPix geometry; the rest of the sphere is their border.

    Parameters
    ----------
    geom : `~gammajax.maps.HpxGeom`
    border : float
        Not needed: the sphere has no border.
    """

    def __init__(self, geom: HpxGeom, border: float) -> None:
        del border
        self.geom = geom.to_image()
        self.frame = self.geom.frame
        self.nside = int(self.geom.nside)
        self.area = 4 * np.pi / (12 * self.nside**2)
        self.size = float(np.sqrt(self.area))
        ids = self.geom.ipix
        self.key_of = np.arange(12 * self.nside**2) if ids is None else np.asarray(ids)
        self.number = self.key_of.size

    @property
    def n_keys(self) -> int:
        """The number of pixels of the whole sphere."""
        return 12 * self.nside**2

    def around(self, direction: np.ndarray, radius: float) -> Surroundings:
        """The pixels whose centres are within ``radius`` (rad) of a direction."""
        import healpy as hp

        keys = hp.query_disc(self.nside, direction, min(radius, np.pi), nest=self.geom.nest)
        place = np.clip(np.searchsorted(self.key_of, keys), 0, self.number - 1)
        index = np.where(self.key_of[place] == keys, place, -1)
        vectors = np.stack(hp.pix2vec(self.nside, keys, nest=self.geom.nest), axis=-1)
        return Surroundings(keys, index, vectors)

    def vectors_of(self, keys: np.ndarray) -> np.ndarray:
        """The unit vectors of the middles of pixels."""
        import healpy as hp

        return np.stack(hp.pix2vec(self.nside, keys, nest=self.geom.nest), axis=-1)

    def count_of(self, order: int) -> int:
        """The number of nodes of a pixel."""
        return 4 ** int(np.ceil(np.log2(order)))

    def nodes_of(self, keys: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors and weights of pixels; ``order`` is rounded up to a power of two."""
        import healpy as hp

        split = 1 << int(np.ceil(np.log2(order)))
        nested = keys if self.geom.nest else hp.ring2nest(self.nside, keys)
        small = np.asarray(nested)[:, None] * split**2 + np.arange(split**2)
        vectors = np.stack(hp.pix2vec(self.nside * split, small, nest=True), axis=-1)
        return vectors, np.full(small.shape, self.area / split**2)

    def corners_of(self, keys: np.ndarray) -> np.ndarray:
        """Corners of pixels, in the order of their border, shape (n, 4, 3)."""
        import healpy as hp

        found = hp.boundaries(self.nside, keys, step=1, nest=self.geom.nest)
        return np.moveaxis(found, 1, -1)


def pixels_of(geom: Any, border: float = 0.0) -> Any:
    """The pixels of a geometry, and those around it up to ``border`` (rad).

    Raises
    ------
    ValueError
        If it is neither a projection nor HEALPix.
    """
    if isinstance(geom, WcsGeom):
        return WcsPixels(geom, border)
    if isinstance(geom, HpxGeom):
        return HpxPixels(geom, border)
    raise ValueError(f"{geom!r}: only maps in a projection and HEALPix maps are folded")
