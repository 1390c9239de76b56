r"""Responses of frozen shapes that are wider than a plane can hold: by spherical harmonics.

The shape times the exposure is sampled on HEALPix pixels of the whole sky, at least half as
large as those of the dataset, and its coefficients are multiplied with those of the spread,
:math:`b_\ell = 2 \pi \int P(\theta) P_\ell(\cos\theta) \sin\theta \, d\theta`. That is exact at
any distance. It is done once, on the host. Counts are right to 5e-4 of the brightest pixel
where the sky is as fine as the spread; what is sharper than its pixels is smeared.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from gammajax.fold.build import Build
from gammajax.fold.dense import densities, direction_of, images_fold
from gammajax.fold.fourier_spread import RadialSpectra
from gammajax.fold.linear import LinearFold
from gammajax.fold.map_data import MapData
from gammajax.fold.pixels import HpxPixels
from gammajax.fold.sky_response import SkyResponse, median_radius
from gammajax.maps.frames import frame_rotation

FINEST = 512
"""The largest nside of the sky, unless the dataset has a larger one."""

PER_RADIUS, PER_DETAIL = 1.5, 3.0
"""Pixels to the radius of 68 % of the narrowest spread, and to a detail of the shape."""

BETWEEN = 2.0
"""How much finer the sky is for a map in a projection."""

REPEATS = 2
"""Iterations of the transform, which correct for the pixels."""

ORDER = 3
"""Nodes along the side of a pixel of a projection."""


def sphere_fold(build: Build) -> LinearFold:
    """The fold of a stack of frozen shapes of any kind, on the whole sky."""
    return images_fold(build, sphere_images)


def sphere_images(
    item: MapData,
    spatial: Any,
    response: SkyResponse,
    edges: tuple[np.ndarray, np.ndarray],
    steps: int,
    psf_first: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Counts in each pixel for a unit flux in each true bin, and the energy dispersion.

    The exposure is that of the place of origin, or with ``psf_first`` that of arrival. The
    spread is that at the position of the model, or at the middle of the map.

    Returns
    -------
    images : array, shape (energy_true, pixel)
    matrix : array, shape (energy_true, energy)

    Raises
    ------
    ValueError
        If the spread is one of reconstructed energy.
    """
    import healpy as hp

    if response.spread_last:
        raise ValueError(
            f"dataset {item.dataset.name!r}: a {type(spatial).__name__} that is wider than a "
            "plane cannot be folded with a spread in reconstructed energy; give the dataset a "
            "PSFMap"
        )
    assert response.psf is not None
    assert response.rad is not None
    assert response.radii is not None
    direction = direction_of(item, spatial)
    tables = response.psf.at(direction[None])[0]
    matrix = np.repeat(response.edisp.at(direction[None])[0], steps, axis=0)
    nside = _nside(item, spatial, response.rad, tables)
    vectors = np.stack(hp.pix2vec(nside, np.arange(12 * nside**2)), axis=-1)
    turned = vectors @ frame_rotation(item.pixels.frame, spatial.frame).T
    energies = np.sqrt(edges[0] * edges[1])
    images = np.zeros((energies.size, item.pixels.number))
    beams = _beams(response.rad, tables, response.radii, 2 * nside)
    if isinstance(item.pixels, HpxPixels):
        # what is read is the mean over each pixel of the sky, to second order
        number = np.arange(2 * nside + 1)
        beams *= np.exp(-number * (number + 1) * hp.nside2pixarea(nside) / 24)
    shape = exposure = None
    for t in range(energies.size):
        if shape is None or spatial.has_energy:
            shape = np.asarray(densities(spatial, turned, energies[t : t + 1]))[0]
        sent = shape
        if not psf_first:
            if t % steps == 0:
                own = response.exposure.values[t // steps][None]
                exposure = dataclasses.replace(response.exposure, values=own).at(vectors)[:, 0]
            sent = shape * exposure
        waves = hp.map2alm(sent, lmax=2 * nside, iter=REPEATS)
        spread = hp.alm2map(hp.almxfl(waves, beams[t // steps]), nside, lmax=2 * nside)
        images[t] = _in_pixels(item.pixels, spread)
    if psf_first:
        arrived = response.exposure.at(item.pixels.vectors_of(item.pixels.key_of)).T
        images *= np.repeat(arrived, steps, axis=0)
    return images, matrix


def _nside(item: MapData, spatial: Any, rad: np.ndarray, tables: np.ndarray) -> int:
    """Of the sky: fine enough for the pixels, the shape and the spread."""
    narrow = min(median_radius(rad, row) for row in tables if row.max() > 0)
    size = min(item.pixels.size / 2, narrow / PER_RADIUS, spatial.detail / PER_DETAIL)
    hpx = isinstance(item.pixels, HpxPixels)
    # in a projection, the sky is read between its pixels
    size = size if hpx else size / BETWEEN
    wanted = 2 ** int(np.ceil(np.log2(np.sqrt(np.pi / 3) / size)))
    return int(min(wanted, max(FINEST, item.pixels.nside if hpx else 0)))


def _beams(rad: np.ndarray, tables: np.ndarray, radii: np.ndarray, last: int) -> np.ndarray:
    """Coefficients of spreads up to a number, shape (energy, last + 1)."""
    spectra = RadialSpectra(rad, float(radii.max()))
    theta, measured = spectra.measured(float(last), tables, radii)
    x = np.cos(theta)
    before, now = np.ones_like(x), x
    found = np.zeros((len(tables), last + 1))
    for number in range(last + 1):
        found[:, number] = measured @ before
        after = ((2 * number + 3) * x * now - (number + 1) * before) / (number + 2)
        before, now = now, after
    return found


def _in_pixels(pixels: Any, sky: np.ndarray) -> np.ndarray:
    """Integrals of a density on the sky over the pixels of a map."""
    import healpy as hp

    if isinstance(pixels, HpxPixels):
        order = "NESTED" if pixels.geom.nest else "RING"
        mean = hp.ud_grade(sky, pixels.nside, order_in="RING", order_out=order)
        return mean[pixels.key_of] * pixels.area
    vectors, areas = pixels.nodes_of(pixels.key_of, ORDER)
    seen = np.isfinite(vectors).all(axis=-1)
    lon = np.arctan2(vectors[..., 1], vectors[..., 0])
    colat = np.arccos(np.clip(vectors[..., 2], -1, 1))
    found = np.zeros(seen.shape)
    found[seen] = hp.get_interp_val(sky, colat[seen], lon[seen])
    return np.sum(found * np.where(seen, areas, 0.0), axis=1)
