"""Responses of frozen shapes of any kind: templates, ellipses, the uniform sky.

The shape times the exposure is taken on a lattice finer than the pixels, on the map and a
border around it as wide as the spread, and is convolved with the spread at the position of
the model (at the middle of the map for models without one). That is done once, on the host,
and only where the shape is: a template ends with its map.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import equinox as eqx
import jax
import numpy as np

from gammajax.config import program
from gammajax.fold.bands import bands
from gammajax.fold.build import Build, divided
from gammajax.fold.frozen import Responses, linear_fold
from gammajax.fold.linear import LinearFold
from gammajax.fold.map_data import MapData
from gammajax.fold.pixels import WcsPixels
from gammajax.fold.sky_response import SkyResponse
from gammajax.maps.frames import frame_rotation, to_vector
from gammajax.models.spectral.evaluation import call

SUBSTEPS = 4
"""Parts of a true energy bin, in each of which a template is taken at the middle."""

FINEST = 8
"""Largest number of lattice points along the side of a pixel."""

PER_DETAIL = 4.0
"""Lattice points to the smallest detail of a shape: the pixel of a template."""

PER_RADIUS = 3.0
"""Points to the radius of 68 % of a spread, where it is integrated over cells."""

MOST_POINTS = 16
"""Largest number of such points along the side of a cell."""

Part = tuple[slice, slice]
"""Rows and columns of a lattice."""


class Lattice:
    """A grid of points finer than the pixels of a map, with a border.

    Parameters
    ----------
    pixels : `WcsPixels`
    split : int
        Points along the side of a pixel.
    border : int
        In pixels.
    """

    def __init__(self, pixels: WcsPixels, split: int, border: int) -> None:
        self.pixels, self.split, self.border = pixels, split, border
        nx, ny = pixels.geom.npix
        self.shape = (ny + 2 * border) * split, (nx + 2 * border) * split
        inner = (np.arange(split) + 0.5) / split - 0.5
        x, y = ((np.arange(-border, n + border)[:, None] + inner).ravel() for n in (nx, ny))
        columns, rows = np.meshgrid(x, y)
        lon, lat = pixels.geom.wcs.wcs_pix2world(columns.ravel(), rows.ravel(), 0)
        self.lon, self.lat = lon, lat
        self.seen = np.isfinite(lon)
        self.vectors = to_vector(np.deg2rad(lon), np.deg2rad(lat))
        self.vectors[~self.seen] = (1.0, 0.0, 0.0)
        area = np.asarray(pixels.areas).reshape(-1)
        middle = np.nanmedian(area)
        ring = np.full((ny + 2 * border, nx + 2 * border), middle)
        ring[border : border + ny, border : border + nx] = area[pixels.key_of].reshape(ny, nx)
        self.area = np.repeat(np.repeat(ring, split, 0), split, 1) / split**2

    @property
    def inner(self) -> Part:
        """The part that is the map."""
        border = self.border * self.split
        rows, columns = (slice(border, size - border) for size in self.shape)
        return rows, columns

    def part_of(self, spatial: Any) -> Part | None:
        """The part on which a shape may be other than 0; None if there is none.

        It is two points wider, so that differences at its border are right.
        """
        rotation = frame_rotation(self.pixels.frame, spatial.frame)
        covered = np.asarray(call(spatial, "covers", self.vectors @ rotation.T)) & self.seen
        covered = covered.reshape(self.shape)
        lines = [np.nonzero(covered.any(axis=axis))[0] for axis in (1, 0)]
        if not lines[0].size:
            return None
        rows, columns = (slice(max(own[0] - 2, 0), own[-1] + 3) for own in lines)
        return rows, columns

    def binned(self, fine: np.ndarray) -> np.ndarray:
        """Sums over the points of each pixel of the map, shape (pixel,)."""
        rows, columns = (size // self.split for size in fine.shape)
        return fine.reshape(rows, self.split, columns, self.split).sum(axis=(1, 3)).ravel()

    def kernel(self, rad: np.ndarray, table: np.ndarray) -> np.ndarray:
        """What a cell sends to the cells around it, which sums to 1.

        The spread is integrated over both cells, at points as fine as it is narrow.
        """
        from scipy.ndimage import convolve1d

        reach = rad[np.nonzero(table)[0].max() + 1 if table[-1] == 0 else -1]
        ny, nx = self.shape
        # one lattice step along each side at the middle of the map
        middle = self.vectors.reshape(ny, nx, 3)[ny // 2 : ny // 2 + 2, nx // 2 : nx // 2 + 2]
        right, up = middle[0, 1] - middle[0, 0], middle[1, 0] - middle[0, 0]
        steps = [float(np.linalg.norm(step)) for step in (up, right)]
        half = [int(np.ceil(reach / step)) + 1 for step in steps]
        half = [min(h, size - 1) for h, size in zip(half, self.shape, strict=True)]
        fine = int(
            np.clip(np.ceil(PER_RADIUS * max(steps) / _radius(rad, table)), 1, MOST_POINTS)
        )
        rows, columns = (np.arange(-h * fine, h * fine + 1) / fine for h in half)
        square = (
            (rows**2 * (up @ up))[:, None]
            + 2 * (up @ right) * rows[:, None] * columns
            + columns**2 * (right @ right)
        )
        values = np.interp(np.sqrt(np.maximum(square, 0.0)), rad, table, right=0.0)
        pairs = fine - np.abs(np.arange(1 - fine, fine))
        for axis in (0, 1):
            values = convolve1d(values, pairs / fine**2, axis=axis, mode="nearest")
        values = values[::fine, ::fine]
        total = values.sum()
        return values / total if total > 0 else values


def _radius(rad: np.ndarray, table: np.ndarray) -> float:
    """The radius of 68 % of a spread."""
    inside = np.cumsum(table * rad)
    return float(np.interp(0.68, inside / inside[-1], rad)) if inside[-1] > 0 else rad[-1]


def dense_fold(build: Build) -> LinearFold:
    """The fold of a stack of frozen shapes of any kind, on a lattice."""
    return images_fold(build, sky_images)


def images_fold(build: Build, make: Any) -> LinearFold:
    """The fold of images of shapes, with a function like `sky_images` that makes them."""
    energy, (dataset, source) = build.energy, build.rows
    steps = SUBSTEPS if build.components[0].spatial_model.has_energy else 1
    low, high = divided(energy.low, energy.high, steps)
    number = low.shape[1]
    total = np.zeros((dataset.size, number))
    places, values, firsts = [], [], []
    matrices = [np.repeat(r.edisp.values.max(axis=(2, 3)), steps, 0) for r in build.responses]
    starts, width = bands(matrices)
    for row, (d, s) in enumerate(zip(dataset, source, strict=True)):
        item, axis = build.data[d], energy.axis[d]
        spatial = build.components[s].spatial_model
        own = low[axis], high[axis]
        late = build.options.psf_first
        images, matrix = make(item, spatial, build.responses[d], own, steps, late)
        for t in range(number):
            inside = np.where(item.mask, images[t], 0.0).sum(axis=1)
            total[row, t] = matrix[t] @ inside
        bins = item.bins
        place = np.nonzero(bins.used)[0]
        pixel, reco = bins.pixel[place], bins.energy[place]
        t = starts[d][reco][:, None] + np.arange(width)
        places.append(place)
        values.append(images[t, pixel[:, None]] * matrix[t, reco[:, None]])
        firsts.append(starts[d][reco])
    found = Responses(places, values, firsts, total)
    return linear_fold(dataset, source, found, (low, high, energy.axis[dataset]), energy.nodes)


def sky_images(
    item: MapData,
    spatial: Any,
    response: SkyResponse,
    edges: tuple[np.ndarray, np.ndarray],
    steps: int,
    psf_first: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Counts in each pixel for a unit flux in each true bin, and the energy dispersion.

    The exposure is that of the place of origin, or with ``psf_first`` that of arrival.

    Returns
    -------
    images : array, shape (energy_true, pixel)
    matrix : array, shape (energy_true, energy)
    """
    name = item.dataset.name
    if not isinstance(item.pixels, WcsPixels):
        raise ValueError(
            f"dataset {name!r}: {type(spatial).__name__} is folded into maps in a projection "
            "only; reproject the dataset, or use a round model"
        )
    if response.spread_last:
        raise ValueError(
            f"dataset {name!r}: {type(spatial).__name__} cannot be folded with a spread in "
            "reconstructed energy; give the dataset a PSFMap"
        )
    direction = direction_of(item, spatial)
    rad, tables = response.rad, None
    if response.psf is not None:
        tables = response.psf.at(direction[None])[0]
    lattice = _lattice(item.pixels, spatial, response)
    matrix = np.repeat(response.edisp.at(direction[None])[0], steps, axis=0)
    energies = np.sqrt(edges[0] * edges[1])
    images = np.zeros((energies.size, item.pixels.number))
    part = lattice.part_of(spatial)
    if part is None:
        return images, matrix
    exposure = _exposure_on(item.dataset.exposure, response, lattice, part)
    spread = None
    for t, shape in enumerate(_shapes(spatial, lattice, part, energies, steps)):
        sent = shape if psf_first else shape * exposure[t // steps]
        if t % steps == 0:
            kernel = np.ones((1, 1))
            if tables is not None and rad is not None:
                assert response.radii is not None
                table = np.where(rad <= response.radii[t // steps], tables[t // steps], 0.0)
                kernel = lattice.kernel(rad, table)
            spread = Convolution(kernel, part, lattice.inner)
        assert spread is not None
        images[t] = lattice.binned(spread(sent))
    if psf_first:
        arrived = response.exposure.at(item.pixels.vectors_of(item.pixels.key_of)).T
        images *= np.repeat(arrived, steps, axis=0)
    return images, matrix


def _shapes(
    spatial: Any, lattice: Lattice, part: Part, energies: np.ndarray, steps: int
) -> Iterator[np.ndarray]:
    """What cells of a part of a lattice have of the shape, at each energy."""
    from scipy.ndimage import laplace

    rotation = frame_rotation(lattice.pixels.frame, spatial.frame)
    vectors = lattice.vectors.reshape(*lattice.shape, 3)[part] @ rotation.T
    seen, area = lattice.seen.reshape(lattice.shape)[part], lattice.area[part]
    shape = np.full(area.shape, 1 / lattice.split**2) if spatial.per_pixel else None
    for start in range(0, energies.size, steps):
        own = energies[start : start + steps]
        if shape is not None:
            yield from [shape] * own.size
            continue
        for density in np.asarray(densities(spatial, vectors, own)):
            density = np.where(seen, density, 0.0)
            # the mean over a cell, to fourth order
            found = (density + laplace(density, mode="nearest") / 24) * area
            yield found
            if not spatial.has_energy:
                shape = found


@partial(program, jit=eqx.filter_jit)
def densities(spatial: Any, vectors: Any, energies: Any) -> Any:
    """The shape at unit vectors and some energies: places on its map are found once."""
    return jax.vmap(lambda energy: spatial.evaluate_on(vectors, energy))(energies)


class Convolution:
    """Convolution of images of a part of a lattice with one kernel, whose transform is kept.

    Parameters
    ----------
    kernel : array
        With odd numbers of rows and columns.
    part : `Part`
        Of the lattice, where images are; they are 0 elsewhere.
    seen : `Part`
        Of the lattice, where the result is wanted: the transforms are only so long that the
        ends of the result, which wrap around, do not come to lie on it.
    """

    def __init__(self, kernel: np.ndarray, part: Part, seen: Part) -> None:
        from scipy import fft

        self.fft: Any = fft
        self.shape = tuple(own.stop - own.start for own in seen)
        self.sizes, taken, placed = [], [], []
        for own, wanted, length in zip(part, seen, kernel.shape, strict=True):
            number = own.stop - own.start
            shift = own.start - (length - 1) // 2
            first = max(wanted.start - shift, 0)
            last = max(min(wanted.stop - shift, number + length - 1), first)
            size = max(last, number + length - 1 - first, number, length)
            self.sizes.append(fft.next_fast_len(size, True))
            taken.append(slice(first, last))
            begin = first + shift - wanted.start
            placed.append(slice(begin, begin + last - first))
        self.taken, self.placed = tuple(taken), tuple(placed)
        self.transform = None
        if kernel.size > 1:
            self.transform = self.fft.rfft2(kernel, self.sizes, workers=-1)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        found = np.zeros(self.shape)
        if self.transform is not None:
            product = self.fft.rfft2(image, self.sizes, workers=-1) * self.transform
            image = self.fft.irfft2(product, self.sizes, workers=-1)
        found[self.placed] = image[self.taken]
        return found


def direction_of(item: MapData, spatial: Any) -> np.ndarray:
    """Where the response of a model is taken, a unit vector."""
    if spatial.has_centre:
        rotation = frame_rotation(spatial.frame, item.pixels.frame)
        return rotation @ np.asarray(call(spatial, "centre"))
    middle = item.pixels.geom.center_skydir.spherical
    return to_vector(middle.lon.rad, middle.lat.rad)


def _lattice(pixels: WcsPixels, spatial: Any, response: SkyResponse) -> Lattice:
    """A lattice as fine as the shape needs it, as wide as the spread."""
    split = int(np.clip(np.ceil(PER_DETAIL * pixels.size / spatial.detail), 1, FINEST))
    if response.radii is None:
        return Lattice(pixels, split, 0)
    return Lattice(pixels, split, int(np.ceil(response.radii.max() / pixels.size)))


def _exposure_on(
    exposure: Any, response: SkyResponse, lattice: Lattice, part: Part
) -> np.ndarray:
    """The exposure on a part of a lattice, that of the nearest pixel beyond its map."""
    from scipy.ndimage import map_coordinates

    values = np.asarray(response.exposure.values)
    lon, lat = (angle.reshape(lattice.shape)[part] for angle in (lattice.lon, lattice.lat))
    if values.shape[-2:] == (1, 1):
        return np.broadcast_to(values, (values.shape[0], *lon.shape))
    position = np.stack([lon.ravel(), lat.ravel()])
    if exposure.geom.frame != lattice.pixels.frame:
        vectors = lattice.vectors.reshape(*lattice.shape, 3)[part].reshape(-1, 3)
        rotated = vectors @ frame_rotation(lattice.pixels.frame, exposure.geom.frame).T
        position = np.rad2deg(
            [np.arctan2(rotated[:, 1], rotated[:, 0]), np.arcsin(rotated[:, 2])]
        )
    x, y = exposure.geom.wcs.wcs_world2pix(*position, 0)
    place = np.nan_to_num(np.stack([y, x]))
    found = [map_coordinates(image, place, order=1, mode="nearest") for image in values]
    return np.stack(found).reshape(-1, *lon.shape)
