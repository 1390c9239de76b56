"""What a map of significance is made of: counts, backgrounds and kernels by energy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.datasets import Datasets, MapDatasetOnOff
from gammajax.models import Models, SkyModel

WIDTHS = 4.0
"""Side of the kernel in units of the radius that holds 68 % of the counts."""

FARTHEST = 3.0
"""Largest side of a kernel that is chosen by itself, in deg."""


@dataclass(frozen=True, eq=False)
class Cube:
    """One bin of energy of one dataset.

    Attributes
    ----------
    dataset : str
    energy : int
    counts, counts_off, alpha, background : array, shape (y, x)
        The background is what is expected without the source; for off counts, the other
        sources alone.
    mask : array of bool, shape (y, x)
    kernel : array, shape (k, k)
        Part of the counts of a source that falls in each pixel around it.
    unit : array, shape (y, x)
        Counts of a source at each pixel with a norm of 1, all over the sky.
    total : array, shape (y, x)
        Of these, the ones in the mask within the kernel.
    room : array, shape (y, x)
        Counts expected without the source in the mask within the kernel.
    """

    dataset: str
    energy: int
    counts: np.ndarray
    counts_off: np.ndarray
    alpha: np.ndarray
    background: np.ndarray
    mask: np.ndarray
    kernel: np.ndarray
    unit: np.ndarray
    total: np.ndarray
    room: np.ndarray

    def occupied(self, number: int) -> tuple[np.ndarray, ...]:
        """Bins with counts: y, x, number, counts, off counts, alpha and background."""
        y, x = np.nonzero(self.mask & (self.counts > 0))
        fields = (self.counts, self.counts_off, self.alpha, self.background)
        values = (np.asarray(field, dtype=float)[y, x] for field in fields)
        return (y, x, np.full(y.size, number), *values)


def cubes_of(
    datasets: Datasets, models: Any, model: SkyModel, width: float | None
) -> list[Cube]:
    """The cubes of all datasets and energies; kernels have one size."""
    made = [_kernels(dataset, model, width) for dataset in datasets]
    half = max(kernel.shape[-1] // 2 for kernel, _ in made)
    cubes = []
    for dataset, (kernel, reach) in zip(datasets, made, strict=True):
        extra = half - kernel.shape[-1] // 2
        kernel = np.pad(kernel, ((0, 0), (extra, extra), (extra, extra)))
        cubes += _cubes(dataset, models, kernel, reach)
    return cubes


def _cubes(dataset: Any, models: Any, kernel: np.ndarray, unit: np.ndarray) -> list[Cube]:
    from scipy.signal import fftconvolve

    shape = dataset.counts.data.shape
    off, alpha = np.zeros(shape), np.ones(shape)
    here = None
    if models is not None:
        here = Models([c for c in Models(models) if c.folds_into(dataset.name)])
        here = here if len(here) else None
    if isinstance(dataset, MapDatasetOnOff):
        off = np.asarray(dataset.counts_off.data, dtype=float)
        ratio = np.asarray(dataset.alpha_data)
        mask = dataset.mask & (ratio > 0)
        alpha = np.where(ratio > 0, ratio, 1.0)
        background = np.zeros(shape)
        if here is not None:
            background = np.asarray(dataset.npred_signal(here).data)
        expected = background + alpha * off
    else:
        mask = dataset.mask
        background = expected = np.asarray(dataset.npred(here).data)
    cubes = []
    for energy in range(shape[0]):
        seen = mask[energy].astype(float)
        square = np.ones_like(kernel[energy])
        # a kernel is turned around: what a source gives, seen from the source
        share = fftconvolve(seen, kernel[energy][::-1, ::-1], mode="same")
        around = fftconvolve(np.where(mask[energy], expected[energy], 0.0), square, mode="same")
        cubes.append(
            Cube(
                dataset=dataset.name,
                energy=energy,
                counts=np.asarray(dataset.counts.data)[energy],
                counts_off=off[energy],
                alpha=alpha[energy],
                background=background[energy],
                mask=mask[energy],
                kernel=kernel[energy],
                unit=unit[energy],
                total=unit[energy] * np.where(share > 1e-9, share, 0.0),
                room=np.maximum(around, 0.0),
            )
        )
    return cubes


def _kernels(
    dataset: Any, model: SkyModel, width: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Kernels of the source in the middle of the map, and its counts at every pixel.

    Returns
    -------
    kernel : array, shape (energy, k, k)
    unit : array, shape (energy, y, x)
    """
    from astropy.coordinates import SkyCoord

    image = dataset.geom.to_image()
    nx, ny = image.npix
    x, y = nx // 2, ny // 2
    lon, lat = (float(np.asarray(v)) for v in image.pix_to_coord((x, y))[:2])
    unit, middle = _unit(dataset, model, (x, y))
    moved = _moved(model, lon, lat, image.frame)
    # the kernel may be cut off by the border of a small map: it is as large as the map then
    half = min(x, y, nx - 1 - x, ny - 1 - y)
    side = FARTHEST if width is None else width
    half = min(half, int(np.ceil(side / 2 / float(np.min(image.pixel_scales)))))
    part = dataset
    if 2 * half + 3 < min(nx, ny):
        size = (2 * half + 1) * np.asarray(image.pixel_scales)
        part = dataset.cutout(SkyCoord(lon, lat, unit="deg", frame=image.frame), tuple(size))
    found = np.asarray(part.npred_signal(Models([moved])).data)
    y, x = (n // 2 for n in found.shape[1:])
    window = found[:, y - half : y + half + 1, x - half : x + half + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        kernel = np.where(middle[:, None, None] > 0, window / middle[:, None, None], 0.0)
    if width is None:
        kernel = _cropped(kernel, middle, float(np.min(image.pixel_scales)))
    return kernel, unit


def _cropped(kernel: np.ndarray, weight: np.ndarray, step: float) -> np.ndarray:
    """Kernels cut to a few times the radius that holds 68 % of all counts."""
    total = np.tensordot(weight, kernel, axes=1)
    size = total.shape[0] // 2
    grid = np.arange(-size, size + 1)
    distance = np.hypot(grid, grid[:, None]).ravel()
    order = np.argsort(distance)
    share = np.cumsum(total.ravel()[order]) / max(total.sum(), 1e-300)
    radius = distance[order][np.searchsorted(share, 0.68)]
    half = int(np.clip(np.ceil(WIDTHS / 2 * max(radius, 1.0)), 1, FARTHEST / 2 / step))
    half = min(half, size)
    middle = slice(size - half, size + half + 1)
    return kernel[:, middle, middle]


def _moved(model: SkyModel, lon: float, lat: float, frame: str) -> SkyModel:
    spatial = model.spatial_model
    if spatial is None or not spatial.has_centre:
        kind = type(spatial).__name__
        raise ValueError(
            f"model {model.name!r}: {kind} has no place that could be moved over a map; take a "
            "point or another shape with lon_0 and lat_0"
        )
    moved = spatial.replace(lon_0=lon, lat_0=lat, frame=frame)
    return model.replace(spatial_model=moved)


def _unit(
    dataset: Any, model: SkyModel, middle: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Counts by energy of a source at each pixel, and at the one in the middle."""
    true, image = dataset.energy_true, dataset.geom.to_image()
    coords = image.to_cube([true]).get_coord(sparse=True)
    exposure = np.asarray(dataset.exposure.interp_by_coord(coords))
    exposure = np.maximum(np.nan_to_num(exposure), 0.0)
    spectrum = model.spectral_model
    flux = np.asarray(spectrum.integral(true.edges_min, true.edges_max))
    if dataset.edisp is None:
        from gammajax.irf.edisp import EDispKernel

        kernel = EDispKernel.from_diagonal(true, dataset.energy)
    else:
        position = image.center_skydir
        kernel = dataset.edisp.get_edisp_kernel(position)
    response = np.asarray(kernel.matrix) * flux[:, None]
    found = np.tensordot(response.T, exposure, axes=1)
    return found, found[:, middle[1], middle[0]]
