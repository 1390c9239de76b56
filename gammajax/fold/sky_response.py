"""The responses of a counts cube at given directions, on the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.irf.edisp import EDispKernel
from gammajax.irf.psf_map import PSFMap, RecoPSFMap, ring_areas
from gammajax.maps.frames import frame_rotation

NARROW = 1e-9
"""Entries of the energy dispersion below this part of the largest are passed over."""


def reached(matrix: np.ndarray) -> np.ndarray:
    """Which entries of an energy dispersion are large enough to count."""
    return matrix > NARROW * max(float(matrix.max()), 1e-300)


@dataclass
class Table:
    """Values on a map, of one pixel where they are the same everywhere.

    Attributes
    ----------
    values : array, shape (..., ny, nx)
    geom : `~gammajax.maps.WcsGeom`
    rotation : array, shape (3, 3)
        From the frame of the dataset to that of the map.
    """

    values: np.ndarray
    geom: Any
    rotation: np.ndarray

    @property
    def is_uniform(self) -> bool:
        """Whether the values are the same everywhere."""
        return self.values.shape[-2:] == (1, 1)

    def at(self, directions: np.ndarray) -> np.ndarray:
        """The values at unit vectors in the frame of the dataset, shape (n, ...).

        Bilinear between the pixels, and that of the nearest pixel beyond the map.
        """
        if self.is_uniform:
            return np.broadcast_to(
                self.values[None, ..., 0, 0], (len(directions), *self.values.shape[:-2])
            )
        vectors = directions @ self.rotation.T
        lon = np.rad2deg(np.arctan2(vectors[:, 1], vectors[:, 0]))
        lat = np.rad2deg(np.arcsin(np.clip(vectors[:, 2], -1, 1)))
        x, y = self.geom.wcs.wcs_world2pix(lon, lat, 0)
        (column, right), (row, up) = (
            _cell(place, size)
            for place, size in zip((x, y), self.values.shape[:-3:-1], strict=True)
        )
        found = 0.0
        for dy, share_y in ((0, 1 - up), (1, up)):
            for dx, share_x in ((0, 1 - right), (1, right)):
                ny, nx = self.values.shape[-2:]
                rows = np.minimum(row + dy, ny - 1)
                columns = np.minimum(column + dx, nx - 1)
                part = np.moveaxis(self.values[..., rows, columns], -1, 0)
                weight = (share_y * share_x).reshape(-1, *(1,) * (part.ndim - 1))
                found = found + weight * part
        return np.asarray(found)


def _cell(place: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    place = np.clip(np.nan_to_num(place), 0.0, size - 1.0)
    low = np.minimum(place.astype(int), max(size - 2, 0))
    return low, place - low


def make_table(values: Any, geom: Any, frame: str) -> Table:
    """The table of a map."""
    values = np.asarray(values, dtype=np.float64)
    if np.all(values == values[..., :1, :1]):
        return Table(values[..., :1, :1], None, np.eye(3))
    return Table(values, geom, frame_rotation(frame, geom.frame))


@dataclass
class SkyResponse:
    """Exposure, spread and dispersion of a dataset.

    Attributes
    ----------
    exposure : `Table`, shape (energy_true)
    psf : `Table`, shape (energy_true or energy, rad), or None
        Densities in sr-1.
    edisp : `Table`, shape (energy_true, energy)
    rad : array, shape (rad,), in rad, or None without a spread
    radii : array, shape (energy,), in rad, or None without a spread
        What contains the fraction up to which the spread is followed, in each row of it.
    pixel : float
        Size of the pixels of the exposure, in rad.
    spread_last : bool
        Whether the spread is one of reconstructed energy.
    """

    exposure: Table
    psf: Table | None
    edisp: Table
    rad: np.ndarray | None
    radii: np.ndarray | None
    pixel: float
    spread_last: bool

    def radii_in(self, number: int) -> np.ndarray:
        """How far the spread is followed in each of ``number`` reconstructed bins, in rad."""
        if self.radii is None:
            return np.zeros(number)
        if self.spread_last:
            return self.radii
        matrix = self.edisp.values.max(axis=(2, 3))
        return np.where(reached(matrix), self.radii[:, None], 0.0).max(axis=0)


def sky_response(
    dataset: Any, flags: dict[str, bool], frame: str, containment: float
) -> SkyResponse:
    """The response of a dataset.

    Parameters
    ----------
    dataset : `~gammajax.datasets.MapDataset`
    flags : dict of bool
        Which of exposure, psf and edisp apply.
    frame : str
        Of the pixels.
    containment : float
        The spread is followed as far as this fraction of the events is inside.
    """
    true, reco = dataset.energy_true, dataset.energy
    exposure = dataset.exposure
    values = np.asarray(exposure.data) if flags["exposure"] else np.ones((true.nbin, 1, 1))
    table = make_table(values, exposure.geom, frame)
    pixel = float(np.deg2rad(np.min(exposure.geom.pixel_scales)))
    if flags["edisp"] and dataset.edisp is not None:
        edisp = make_table(dataset.edisp.table, dataset.edisp.geom, frame)
    else:
        kernel = EDispKernel.from_diagonal(true, reco).matrix
        edisp = make_table(kernel[..., None, None], None, frame)
    last = isinstance(dataset.psf, RecoPSFMap)
    if not flags["psf"] or dataset.psf is None:
        return SkyResponse(table, None, edisp, None, None, pixel, last)
    data, radii = _spread_tables(dataset.psf, reco if last else true, containment)
    psf = make_table(data, dataset.psf.geom, frame)
    rad = np.deg2rad(dataset.psf.rad.center)
    return SkyResponse(table, psf, edisp, rad, radii, pixel, last)


def _spread_tables(psf: PSFMap, axis: Any, containment: float) -> tuple[np.ndarray, np.ndarray]:
    """Normalised tables at the centres of an axis, and radii of containment in rad."""
    nodes, wanted = np.log(psf.energy.center), np.log(axis.center)
    tables = psf.normalised()
    place = np.interp(wanted, nodes, np.arange(nodes.size))
    low = np.clip(place.astype(int), 0, max(nodes.size - 2, 0))
    share = (place - low)[:, None, None, None]
    above = np.minimum(low + 1, nodes.size - 1)
    tables = tables[low] * (1 - share) + tables[above] * share
    rad = np.deg2rad(psf.rad.center)
    inside: Any = np.cumsum(tables * ring_areas(psf.rad.center)[:, None, None], axis=1)
    reached = (inside >= containment * inside[:, -1:]).all(axis=(2, 3))
    number = np.where(reached.any(axis=1), reached.argmax(axis=1), rad.size - 1)
    return tables, rad[number]


def median_radius(rad: np.ndarray, table: np.ndarray) -> float:
    """The radius of 68 % of a table."""
    ring = 0.5 * (table[1:] * rad[1:] + table[:-1] * rad[:-1]) * np.diff(rad)
    share = np.append(0, np.cumsum(ring)) / ring.sum()
    return float(np.interp(0.68, share, rad))
