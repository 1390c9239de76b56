"""The plane around a direction, with the distances and the areas of the sky.

The place of a direction is at the length of its chord from the origin, so that areas are
those of the sphere, and a Gaussian around the origin is one in the plane. Elsewhere distances
are stretched by an eighth of the squared distance from the origin: 1e-3 at 5 deg.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from gammajax.models.spatial.sphere import tangent_axes


def to_plane(vectors: Any, frame: Any) -> Any:
    """Places of unit vectors, in rad; for NumPy and traced arrays.

    Parameters
    ----------
    vectors : array, shape (..., 3)
    frame : array, shape (3, 3)
        Direction of the origin and two tangents.

    Returns
    -------
    places : array, shape (..., 2)
    """
    parts = vectors @ frame.T
    return parts[..., 1:] * (2 / (1 + parts[..., :1])) ** 0.5


def from_plane(places: Any, frame: Any) -> Any:
    """Unit vectors, shape (..., 3), of places within 2 rad of the origin."""
    square = (places**2).sum(axis=-1, keepdims=True)
    along = (1 - square / 4) ** 0.5
    return (1 - square / 2) * frame[0] + along * (places @ frame[1:])


def axes_in_plane(spatial: Any, rotation: Any, frame: Any) -> tuple[Any, Any, Any]:
    """Where a shape is in the plane: its centre, major and minor axis, each of shape (2,).

    Parameters
    ----------
    spatial : `~gammajax.models.SpatialModel`
        With a position.
    rotation : array, shape (3, 3)
        From the frame of the model to that of ``frame``.
    frame : array, shape (3, 3)
    """
    _, angle = spatial.stretch()
    east, north = tangent_axes(*spatial.lonlat())
    major = north * jnp.cos(angle) + east * jnp.sin(angle)
    minor = east * jnp.cos(angle) - north * jnp.sin(angle)

    def place(vector: Any) -> Any:
        return to_plane(jnp.asarray(rotation) @ vector, frame)

    centre = spatial.centre()
    found, along = jax.jvp(place, (centre,), (major,))
    return found, along, jax.jvp(place, (centre,), (minor,))[1]
