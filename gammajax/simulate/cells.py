"""Small parts of the sky, over each of which a density is constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.maps import HpxGeom, WcsGeom, frame_rotation
from gammajax.models.spatial.base import SpatialModel
from gammajax.models.spatial.sphere import DEG, tangent_axes, unit_vector
from gammajax.models.spatial.template_map import middle
from gammajax.models.spectral.evaluation import call
from gammajax.simulate.field import Vectors, separation

FINEST = 29
"""The order of HEALPix pixels that are as good as a point."""

PARTS = (8, 4, 2)
"""Into how many parts, along a side, a detail of a model is divided, unless they are many."""

SMALL = 64
"""Details of a model that does not say how large they are: parts of the field."""

MOST = 2_000_000
"""As many parts are not too many."""


@dataclass(frozen=True, eq=False)
class HealpixCells:
    """HEALPix pixels in nested order, in the frame of a model.

    Parameters
    ----------
    nside : int
    pixels : array, shape (n,)
    to_sky : array, shape (3, 3)
        Turns vectors of the model's frame to ICRS.
    """

    nside: int
    pixels: np.ndarray
    to_sky: np.ndarray

    @property
    def areas(self) -> np.ndarray:
        """Solid angles, shape (n,)."""
        return np.full(self.pixels.size, np.pi / (3 * self.nside**2))

    @property
    def vectors(self) -> np.ndarray:
        """The middles, shape (n, 3), in the frame of the model."""
        import healpy

        return np.stack(healpy.pix2vec(self.nside, self.pixels, nest=True), axis=-1)

    def draw(self, rng: np.random.Generator, index: np.ndarray) -> Vectors:
        """A direction in each of some cells: all small parts of a pixel are equal."""
        import healpy

        parts = 4 ** (FINEST - int(self.nside).bit_length() + 1)
        finest = self.pixels[index] * parts + rng.integers(0, parts, index.size)
        return self.to_sky @ np.stack(healpy.pix2vec(2**FINEST, finest, nest=True))


@dataclass(frozen=True, eq=False)
class PixelCells:
    """Parts of the pixels of a projection.

    Parameters
    ----------
    geom : `~gammajax.maps.WcsGeom`
        An image.
    x, y : array, shape (n,)
        The middles of the parts, in pixels.
    step : float
        Their width, in pixels.
    areas : array, shape (n,)
    to_sky : array, shape (3, 3)
        Turns vectors of the map to ICRS.
    to_model : array, shape (3, 3)
        Turns them to where the model has them.
    """

    geom: Any
    x: np.ndarray
    y: np.ndarray
    step: float
    areas: np.ndarray
    to_sky: np.ndarray
    to_model: np.ndarray

    @property
    def vectors(self) -> np.ndarray:
        """See `HealpixCells`."""
        return (self.to_model @ _on_sphere(self.geom, self.x, self.y)).T

    def draw(self, rng: np.random.Generator, index: np.ndarray) -> Vectors:
        """See `HealpixCells`."""
        right, up = self.step * (rng.random((2, index.size)) - 0.5)
        found = _on_sphere(self.geom, self.x[index] + right, self.y[index] + up)
        return self.to_sky @ found


def cells_of(model: SpatialModel, centre: np.ndarray, radius: float, most: int = MOST) -> Any:
    """The cells of a model within a circle.

    Those of a template are parts of its own pixels, so that none is cut by its edge.

    Parameters
    ----------
    model : `~gammajax.models.SpatialModel`
    centre, radius
        The circle: ICRS, in radians.
    most : int
        The number of cells, unless even two by two in a pixel are more.
    """
    geom = getattr(model, "geom", None)
    if isinstance(geom, WcsGeom):
        return _pixel_cells(model, geom.to_image(), centre, radius, most)
    if isinstance(geom, HpxGeom):
        turn, nside = _turning(model), geom.nside
    else:
        # a formula may not say over what it changes
        turn, size = np.eye(3), min(model.detail, radius / SMALL)
        nside = 2 ** max(int(np.ceil(np.log2(np.sqrt(np.pi / 3) / size))), 0)
    to_sky = frame_rotation(model.frame, "icrs") @ turn
    return _healpix_cells(nside, to_sky, centre, radius, most)


def density(model: SpatialModel, vectors: np.ndarray, energy: Any = None) -> np.ndarray:
    """The density at vectors of the model's frame, shape (n, 3), not below 0."""
    # few lengths are compiled for
    padded = np.repeat(vectors[:1], 1 << int(len(vectors) - 1).bit_length(), axis=0)
    padded[: len(vectors)] = vectors
    found = np.asarray(call(model, "evaluate_on", padded, energy))
    return np.maximum(found[: len(vectors)], 0.0)


def _healpix_cells(
    nside: int, to_sky: np.ndarray, centre: np.ndarray, radius: float, most: int
) -> HealpixCells:
    import healpy

    area = 2 * np.pi * (1 - np.cos(min(radius, np.pi)))
    fine = nside * next((p for p in PARTS if area * 3 * (p * nside) ** 2 / np.pi < most), 2)
    fine = min(fine, 2**FINEST)
    pixels = healpy.query_disc(fine, to_sky.T @ centre, radius, inclusive=True, nest=True)
    return HealpixCells(fine, pixels, to_sky)


def _pixel_cells(
    model: Any, geom: Any, centre: np.ndarray, radius: float, most: int
) -> PixelCells:
    turn = _turning(model)
    to_sky = frame_rotation(model.frame, "icrs") @ turn
    width, height = geom.npix
    x, y = (part.ravel() for part in np.meshgrid(np.arange(width), np.arange(height)))
    area = np.ravel(geom.solid_angle())
    middles = geom.unit_vectors().reshape(-1, 3).T
    margin = np.sqrt(np.nanmax(area))
    near = separation(to_sky @ middles, centre[:, None]) < np.rad2deg(radius + margin)
    near &= np.isfinite(area)
    if not near.any():
        near[0] = True
    number = next((p for p in PARTS if near.sum() * p**2 < most), 2)
    steps = (np.arange(number) + 0.5) / number - 0.5
    right, up = (part.ravel() for part in np.meshgrid(steps, steps))
    return PixelCells(
        geom,
        (x[near][:, None] + right).ravel(),
        (y[near][:, None] + up).ravel(),
        1 / number,
        np.repeat(area[near] / number**2, number**2),
        to_sky,
        turn,
    )


def _turning(model: Any) -> np.ndarray:
    """What turns the map of a template to where its position is."""
    if not model.has_centre:
        return np.eye(3)
    frames = []
    for lon, lat in (middle(model.geom), (float(model.lon_0), float(model.lat_0))):
        angles = np.float64(lon * DEG), np.float64(lat * DEG)
        frames.append(np.stack([*tangent_axes(*angles), unit_vector(*angles)]))
    return frames[1].T @ frames[0]


def _on_sphere(geom: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Unit vectors, shape (3, n), of places in pixels."""
    lon, lat = (np.deg2rad(np.asarray(part)) for part in geom.pix_to_coord((x, y))[:2])
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def span_of(cells: Any, pointing: np.ndarray) -> tuple[float, float]:
    """Least and largest distance of cells from a direction, in deg."""
    turn = cells.to_sky if isinstance(cells, HealpixCells) else cells.to_sky @ cells.to_model.T
    found = separation(turn @ cells.vectors.T, pointing[:, None])
    edge = float(np.rad2deg(np.sqrt(2 * cells.areas.max())))
    return max(float(found.min()) - edge, 0.0), float(found.max()) + edge
