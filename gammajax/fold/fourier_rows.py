"""The arrays of a Fourier fold that go by row, made on the host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.fold.fourier import Here, Level, Tile
from gammajax.fold.fourier_pixels import PixelShares, pixel_shares
from gammajax.fold.fourier_spread import LevelGrid
from gammajax.fold.local import make_local
from gammajax.fold.map_data import MapData
from gammajax.fold.plane import from_plane
from gammajax.fold.round_plan import rounded
from gammajax.fold.rows import NOWHERE
from gammajax.fold.sky_response import SkyResponse

SAMPLE = 20_000
"""Pixels of a map that tell which images its exposure is made of."""

RANK = 1e-6
"""Images of the exposure with less than this part of the first one are left out."""


FINENESS, MOST_POINTS = 2.0, 6
"""Points of a grid to a pixel of the exposure, and the most along the side of a place."""


@dataclass
class Place:
    """Where a source of a dataset is folded.

    Attributes
    ----------
    direction : array, shape (3,)
        Origin of the plane.
    around : float
        How far the source extends, or the map if that is what is folded, in rad.
    whole : bool
        Whether it is the map.
    room : float
        How far the source may move, in rad.
    """

    direction: np.ndarray
    around: float
    whole: bool
    room: float

    def radius(self, reach: float) -> float:
        """Of the pixels that get counts from a spread of this reach, in rad."""
        return self.around if self.whole else self.around + reach


class RowTables:
    """What the rows of a fold are made of.

    Parameters
    ----------
    data : sequence of `~gammajax.fold.map_data.MapData`
    made : sequence of `~gammajax.fold.sky_response.SkyResponse`
    grids : sequence of `~gammajax.fold.fourier_spread.LevelGrid`
    edges : tuple of array, shape (axis, part)
        Of the parts of true bins in which the shape is taken.
    axis : array of int, shape (dataset,)
    late : bool
        Whether the exposure is that of the pixels, and taken last.
    """

    def __init__(
        self,
        data: Sequence[MapData],
        made: Sequence[SkyResponse],
        grids: Sequence[LevelGrid],
        edges: tuple[np.ndarray, np.ndarray],
        axis: np.ndarray,
        late: bool = False,
    ) -> None:
        self.data, self.made, self.grids = data, made, grids
        self.edges, self.axis, self.late = edges, axis, late
        self.known: dict[int, np.ndarray] = {}

    def rows(
        self,
        rows: Sequence[Any],
        places: Sequence[Place],
        extent: np.ndarray,
        step: float,
        sampled: bool,
        exposure: np.ndarray | None = None,
    ) -> tuple[Here, np.ndarray, np.ndarray, Level]:
        """The arrays by row, the targets, the tables of dispersion, and the levels.

        The exposure is one of images on the grid if shapes are ``sampled``, else that given, or
        at points around the start.
        """
        dataset = np.array([n for n, _ in rows])
        directions = np.stack([place.direction for place in places])
        spreads = [response.psf for response in self.made]
        local = make_local(self.made, spreads, dataset, directions, step, exposure)
        frames = local.frame
        located = list(zip(dataset.tolist(), frames, places, strict=True))
        edisp, which_edisp = _distinct(
            np.broadcast_to(local.edisp, (len(rows), *local.edisp.shape[1:]))
        )
        psf, which_psf = _distinct(
            np.broadcast_to(local.psf, (len(rows), *local.psf.shape[1:]))
        )
        # rows that share a table have datasets of the same spread
        radii = np.stack(
            [self.made[dataset[np.argmax(which_psf == i)]].radii for i in range(len(psf))]
        )
        taps = [item.taps() for item in self.grids]
        tables = [self._spectra(item, psf, radii) for item in self.grids]
        level = Level(
            step=np.array([item.band.step for item in self.grids]),
            start=np.stack([start for start, _ in taps]),
            taps=np.stack([shares for _, shares in taps]),
            bins=np.stack([item.bins for item in self.grids]),
            psf=np.moveaxis(padded([np.moveaxis(table, -1, 0) for table in tables]), 1, -1),
        )
        exposed = list(np.asarray(local.exposure))
        images: list[Any] = [[None] * len(self.grids)] * len(rows)
        if sampled:
            found = [self._images(*item) for item in located]
            exposed, images = [item[0] for item in found], [item[1] for item in found]
        if self.late:
            exposed = [self._arriving(n) for n in dataset]
        tile, target = self._tiles(located, images)
        low, high = (np.stack([edge[self.axis[n]] for n, _ in rows]) for edge in self.edges)
        extents = np.array([extent[source] for _, source in rows])
        here = Here(
            low=low,
            high=high,
            exposure=padded(exposed),
            edisp=which_edisp,
            psf=which_psf,
            frame=frames,
            extent=extents,
            tile=tile,
        )
        return here, target, edisp, level

    def _spectra(self, item: LevelGrid, psf: np.ndarray, radii: np.ndarray) -> np.ndarray:
        last = self.made[0].spread_last
        return np.stack([item.tables(p, r, last) for p, r in zip(psf, radii, strict=True)])

    def _images(self, n: int, frame: np.ndarray, place: Place) -> tuple[np.ndarray, list[Any]]:
        """The exposure as a sum of a few images: shares in true bins, and images by level."""
        found: list[np.ndarray] = []
        coef = np.zeros((0, 0))
        for item in sorted(self.grids, key=lambda item: item.band.step):
            places = item.places
            reach = place.around + item.spectra.reach
            near = np.hypot(*np.moveaxis(places, -1, 0)) <= reach
            exposure = self._exposed(n, places[near], item.band.step, frame)
            coef, own = svd_images(exposure, coef if found else None)
            image = np.zeros((coef.shape[0], *near.shape))
            image[:, near] = own
            found.append(image)
        order = np.argsort(np.argsort([item.band.step for item in self.grids]))
        return coef, [found[i] for i in order]

    def _exposed(self, n: int, places: Any, step: float, frame: Any) -> np.ndarray:
        """The means of the exposure over places of a grid, shape (place, energy_true)."""
        if self.late:
            return np.ones((len(places), 1))
        split = int(np.clip(np.ceil(FINENESS * step / self.made[n].pixel), 1, MOST_POINTS))
        own = step * ((np.arange(split) + 0.5) / split - 0.5)
        found: Any = 0.0
        for offset in np.stack(np.meshgrid(own, own), axis=-1).reshape(-1, 2):
            found = found + self.made[n].exposure.at(from_plane(places + offset, frame))
        return found / split**2

    def _arriving(self, n: int) -> np.ndarray:
        """What the images of the exposure of pixels count, shape (image, energy_true)."""
        if n not in self.known:
            keys = self.data[n].pixels.key_of
            some = keys[:: max(keys.size // SAMPLE, 1)]
            vectors = self.data[n].pixels.vectors_of(some)
            seen = np.isfinite(vectors).all(axis=1)
            self.known[n] = svd_images(self.made[n].exposure.at(vectors[seen]))[0]
        return self.known[n]

    def _arrived(self, n: int, index: np.ndarray) -> np.ndarray:
        """The images of the exposure in pixels, shape (image, pixel)."""
        pixels = self.data[n].pixels
        exposure = self.made[n].exposure.at(pixels.vectors_of(pixels.key_of[index]))
        return svd_images(exposure, self._arriving(n))[1]

    def _tiles(self, located: Sequence[Any], images: Sequence[Any]) -> tuple[Tile, np.ndarray]:
        """What goes by row and level, and the targets of the entries; padded."""
        shape = len(located), len(self.grids)
        number, nbin = self.grids[0].number, self.grids[0].bins.size
        masks = max(max(len(self.data[n].masks) for n, *_ in located), 1)
        cover = np.zeros((*shape, masks, nbin))
        by_image = (max(len(self._arriving(n)) for n, *_ in located),) if self.late else ()
        inside = np.zeros((*shape, masks, *by_image, number, number))
        kept, entries = [], []
        for row, (n, frame, place) in enumerate(located):
            item = self.data[n]
            for i, level in enumerate(self.grids):
                radius, grid = place.radius(level.spectra.reach), (number, level.band.step)
                shares = pixel_shares(item.pixels, place.direction, radius, grid, frame)
                bins = level.band.bins
                for m, (energies, mask) in enumerate(item.masks):
                    cover[row, i, m, : bins.size] = np.isin(bins, energies)
                    if not cover[row, i, m].any():
                        continue
                    chosen = mask[shares.index]
                    if not self.late:
                        inside[row, i, m] = shares.summed(chosen, number)
                        continue
                    for j, image in enumerate(self._arrived(n, shares.index[chosen])):
                        inside[row, i, m, j] = shares.summed(chosen, number, image)
                near, found = self._entries(shares, item, bins)
                kept.append(near)
                entries.append(found)
        pixels = rounded(max(max(len(shares.index) for shares in kept), 1))
        side = max(shares.share.shape[-1] for shares in kept)
        start, share = (
            np.stack(parts).reshape(*shape, *parts[0].shape)
            for parts in zip(*(shares.padded(pixels, side) for shares in kept), strict=True)
        )
        most = rounded(max(max(target.size for *_, target in entries), 1))
        columns = np.zeros((3, len(entries), most), dtype=np.int32)
        columns[2] = NOWHERE
        for place, parts in enumerate(entries):
            columns[:, place, : parts[0].size] = parts
        pixel, energy, target = columns.reshape(3, *shape, most)
        own = None
        if images[0][0] is not None:
            own = np.stack([padded([image[i] for image in images]) for i in range(shape[1])], 1)
        arrived = None
        if self.late:
            rows = [n for n, *_ in located for _ in self.grids]
            found = padded(
                [self._arrived(n, s.index) for n, s in zip(rows, kept, strict=True)], pixels
            )
            arrived = found.reshape(*shape, *found.shape[1:])
        tile = Tile(own, start.astype(np.int32), share, pixel, energy, cover, inside, arrived)
        return tile, target.reshape(shape[0], -1)

    def _entries(
        self, shares: PixelShares, item: MapData, bins: np.ndarray
    ) -> tuple[PixelShares, tuple[np.ndarray, ...]]:
        """The pixels that have counts; pixel, energy and target of their bins."""
        if shares.index.size == 0:
            return shares, (np.zeros(0, int),) * 3
        place = np.searchsorted(shares.index, item.bins.pixel)
        place = np.minimum(place, shares.index.size - 1)
        reached = (shares.index[place] == item.bins.pixel) & np.isin(item.bins.energy, bins)
        reached &= item.bins.used
        target = np.nonzero(reached)[0]
        used, pixel = np.unique(place[target], return_inverse=True)
        energy = np.searchsorted(bins, item.bins.energy[target])
        return shares.kept(used), (pixel.ravel(), energy, target)


def padded(arrays: Sequence[np.ndarray], last: int | None = None) -> np.ndarray:
    """Arrays that differ in the first axis (and the last, if given), with zeros at its end."""
    most = max(len(array) for array in arrays)
    rest = [(0, 0)] * (arrays[0].ndim - 1)
    found = [np.pad(array, [(0, most - len(array)), *rest]) for array in arrays]
    if last is not None:
        found = [np.pad(array, ((0, 0), (0, last - array.shape[1]))) for array in found]
    return np.stack(found)


def svd_images(
    exposure: np.ndarray, coef: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Exposures as a sum of a few images, to `RANK`.

    Parameters
    ----------
    exposure : array, shape (place, energy_true)
    coef : array, shape (image, energy_true), optional
        What the images count, if that is known; else it is found.

    Returns
    -------
    coef : array, shape (image, energy_true)
    images : array, shape (image, place)
    """
    if coef is None:
        scale = np.maximum(exposure.max(axis=0), 1e-300)
        _, size, share = np.linalg.svd(exposure / scale, full_matrices=False)
        coef = np.asarray(share[size > RANK * size[0]] * scale)
    scale = np.maximum(np.abs(coef).max(axis=0), 1e-300)
    return coef, ((exposure / scale) @ np.linalg.pinv(coef / scale)).T


def _distinct(tables: Any) -> tuple[np.ndarray, np.ndarray]:
    """The different ones of some tables, and which each one is."""
    known: dict[bytes, int] = {}
    found, which = [], []
    for table in tables:
        key = table.tobytes()
        if key not in known:
            known[key] = len(found)
            found.append(table)
        which.append(known[key])
    return np.stack(found), np.array(which)
