"""Directions on the sphere: unit vectors, distances, axes of the tangent plane; pure JAX."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

DEG = 0.017453292519943295


def unit_vector(lon: Any, lat: Any) -> Any:
    """Unit vectors, shape (..., 3), of angles in radians."""
    cos = jnp.cos(lat)
    parts = (cos * jnp.cos(lon), cos * jnp.sin(lon), jnp.sin(lat) + 0 * cos * lon)
    return jnp.stack(parts, axis=-1)


def length(vector: Any) -> Any:
    """Lengths of vectors; the derivative at length 0 is 0, not infinite."""
    square = jnp.sum(vector**2, axis=-1)
    none = square == 0
    return jnp.where(none, 0.0, jnp.sqrt(jnp.where(none, 1.0, square)))


def separation(vectors: Any, centre: Any) -> Any:
    """Angles in radians between unit vectors, accurate for small and for large ones."""
    return 2 * jnp.arctan2(length(vectors - centre), length(vectors + centre))


def versine(vectors: Any, centre: Any) -> Any:
    """1 - cos of the angle between unit vectors, without loss at small angles."""
    return jnp.sum((vectors - centre) ** 2, axis=-1) / 2


def tangent_axes(lon: Any, lat: Any) -> tuple[Any, Any]:
    """The unit vectors that point east and north at a position, angles in radians."""
    zero = jnp.zeros_like(lon + lat)
    east = jnp.stack([zero - jnp.sin(lon), zero + jnp.cos(lon), zero], axis=-1)
    north = jnp.stack(
        [-jnp.sin(lat) * jnp.cos(lon), -jnp.sin(lat) * jnp.sin(lon), zero + jnp.cos(lat)],
        axis=-1,
    )
    return east, north
