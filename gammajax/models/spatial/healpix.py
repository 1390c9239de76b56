"""Interpolation between the pixels of HEALPix maps, in pure functions of unit vectors."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np


@lru_cache(maxsize=16)
def ring_places(geom: Any) -> np.ndarray:
    """For each pixel of the sky in the order of rings, its place in a map; -1 for none."""
    import healpy

    pixels = np.arange(12 * geom.nside**2)
    if geom.nest:
        pixels = np.asarray(healpy.ring2nest(geom.nside, pixels))
    return np.asarray(geom.local(pixels))


def _ring(ring: Any, nside: int) -> tuple[Any, Any, Any, Any]:
    """First pixel, number of pixels, colatitude and shift (0 or 1/2) of rings from 1 on."""
    north = jnp.where(ring > 2 * nside, 4 * nside - ring, ring)
    cap = north < nside
    low = 1 - north**2 / (3.0 * nside**2)
    belt = (2 * nside - north) * 2 / (3.0 * nside)
    theta = jnp.arccos(jnp.clip(jnp.where(cap, low, belt), -1.0, 1.0))
    size = jnp.where(cap, 4 * north, 4 * nside)
    shift = jnp.where(cap, 0.5, jnp.where((north - nside) % 2 == 0, 0.5, 0.0))
    polar = 2 * north * (north - 1)
    equatorial = 2 * nside * (nside - 1) + (north - nside) * 4 * nside
    start = jnp.where(cap, polar, equatorial)
    flipped = north != ring
    start = jnp.where(flipped, 12 * nside**2 - start - size, start)
    return start, size, jnp.where(flipped, np.pi - theta, theta), shift


def _neighbours(ring: Any, phi: Any, nside: int) -> tuple[Any, Any, Any, Any]:
    """Two pixels of a ring around a longitude, the share of the second, and the colatitude."""
    start, size, theta, shift = _ring(ring, nside)
    place = phi / (2 * np.pi) * size - shift
    left = jnp.floor(place).astype(int)
    return start + left % size, start + (left + 1) % size, place - left, theta


def interpolation(vectors: Any, nside: int) -> tuple[Any, Any]:
    """The four pixels around unit vectors in the order of rings, and their weights.

    Returns
    -------
    pixels, weights : arrays, shape (..., 4)
        Those of ``healpy.get_interp_weights``.
    """
    z = vectors[..., 2]
    across = vectors[..., 0] ** 2 + vectors[..., 1] ** 2
    pole = across == 0
    safe = jnp.sqrt(jnp.where(pole, 1.0, across))
    theta = jnp.arctan2(jnp.where(pole, 0.0, safe), z)
    phi = jnp.arctan2(vectors[..., 1], jnp.where(pole, 1.0, vectors[..., 0])) % (2 * np.pi)
    belt = jnp.floor(nside * (2 - 1.5 * z))
    small = across / (1 + jnp.abs(z))  # 1 - |z| without loss at the poles
    cap = jnp.floor(nside * jnp.sqrt(3 * jnp.where(pole, 0.0, small)))
    cap = jnp.where(z > 0, cap, 4 * nside - cap - 1)
    above = jnp.where(jnp.abs(z) <= 2 / 3, belt, cap).astype(int)
    first, last = above == 0, above >= 4 * nside - 1
    upper = _neighbours(jnp.where(first, 1, above), phi, nside)
    lower = _neighbours(jnp.where(last, 4 * nside - 1, above + 1), phi, nside)
    top = jnp.where(first, 0.0, upper[3])
    bottom = jnp.where(last, np.pi, lower[3])
    share = (theta - top) / (bottom - top)
    # Beyond the first and the last ring the pole is the mean of the four pixels around it.
    cap_first = (lower[0] + 2) % 4, (lower[1] + 2) % 4
    base = 12 * nside**2 - 4
    cap_last = (upper[0] - base + 2) % 4 + base, (upper[1] - base + 2) % 4 + base
    pixels = (
        jnp.where(first, cap_first[0], upper[0]),
        jnp.where(first, cap_first[1], upper[1]),
        jnp.where(last, cap_last[0], lower[0]),
        jnp.where(last, cap_last[1], lower[1]),
    )
    north, south = (1 - share) / 4, share / 4
    weights = (
        jnp.where(first, north, (1 - share) * (1 - upper[2]) + jnp.where(last, south, 0.0)),
        jnp.where(first, north, (1 - share) * upper[2] + jnp.where(last, south, 0.0)),
        jnp.where(last, south, share * (1 - lower[2]) + jnp.where(first, north, 0.0)),
        jnp.where(last, south, share * lower[2] + jnp.where(first, north, 0.0)),
    )
    return jnp.stack(pixels, axis=-1), jnp.stack(weights, axis=-1)
