r"""Shapes that are a function of the distance from a centre, round or elliptical.

A shape of size r is a profile :math:`s(\theta; r)`. An elliptical one has the size
:math:`r \, c(\alpha)` in each direction, and the density

.. math:: f = \frac{s(\theta; r c)}{N}, \quad
          N = q \int_0^{2\pi} \frac{1}{c^2} \int_0^\pi s(\theta; r c) \sin\theta \, d\theta
          \, d\beta, \quad c = \sqrt{\cos^2\beta + q^2 \sin^2\beta}

with the axis ratio q and the eccentric anomaly :math:`\beta`. In that variable the outer
integrand is nearly constant, so a dozen nodes give the norm on the sphere to rounding.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any

import jax.numpy as jnp
import numpy as np

from gammajax.models.spatial.base import SpatialModel
from gammajax.models.spatial.sphere import DEG, separation, tangent_axes
from gammajax.parameters import parameter

FLATTEST = 1e-3
"""The smallest axis ratio: an eccentricity of 1 has no width and no density."""

_ANGLES = (np.arange(8) + 0.5) * np.pi / 16
_COS2, _SIN2 = np.cos(_ANGLES) ** 2, np.sin(_ANGLES) ** 2

TINY = 1e-30


@lru_cache
def rule(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on 0 to 1."""
    x, weight = np.polynomial.legendre.leggauss(nodes)
    return (x + 1) / 2, weight / 2


class RadialSpatialModel(SpatialModel):
    """Base of the shapes with a centre.

    A subclass gives `shape`, `mass`, `hankel` and `outer_radius`.
    """

    KIND = "radial"

    lon_0: Any = parameter(0.0, "deg", description="longitude of the centre")
    lat_0: Any = parameter(
        0.0, "deg", min=-90.0, max=90.0, description="latitude of the centre"
    )

    def shape(self, theta: Any, scale: Any) -> Any:
        """The profile at distances in radians, for the size times ``scale``; not normalised."""
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    def mass(self, scale: Any) -> Any:
        """The integral of `shape` times sin(theta) from 0 to pi, divided by scale squared."""
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    def hankel(self, k: Any) -> Any:
        r"""The transform :math:`2 \pi \int f(\theta) J_0(k \theta) \theta d\theta`, pure.

        That of the round shape in flat space, 1 at k = 0; ``k`` in 1/rad, of any shape. The
        transform of the ellipse is that of ``sqrt(k_major^2 + (q k_minor)^2)``.
        """
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    def radial(self, theta: Any) -> Any:
        """The density in sr-1 of the round shape, at distances in radians; pure.

        Its integral over the sphere is 1.
        """
        return self.shape(theta, 1.0) / (2 * np.pi * self.mass(1.0))

    def evaluate_on(self, vectors: Any, energy: Any = None) -> Any:
        theta = separation(vectors, self.centre())
        if not self.eccentric_names:
            return self.radial(theta)
        scale, norm = self._ellipse(vectors)
        return self.shape(theta, scale) / norm

    def _ellipse(self, vectors: Any) -> tuple[Any, Any]:
        """The size in the direction of each vector, and the norm of the density."""
        q, angle = self.stretch()
        east, north = tangent_axes(*self.lonlat())
        major = north * jnp.cos(angle) + east * jnp.sin(angle)
        minor = east * jnp.cos(angle) - north * jnp.sin(angle)
        along, across = (jnp.sum(vectors * axis, axis=-1) ** 2 for axis in (major, minor))
        scale = q * jnp.sqrt((along + across + TINY) / (q**2 * along + across + TINY))
        mean = jnp.mean(self.mass(jnp.sqrt(_COS2 + q**2 * _SIN2)))
        return scale, 2 * np.pi * q * mean

    def _ratio(self, e: Any) -> Any:
        """The axis ratio of an eccentricity."""
        return jnp.sqrt(jnp.maximum(1 - e**2, FLATTEST**2))

    def _ellipse_region(self, size: Any, size_factor: float) -> Any:
        """The region of a round or elliptical shape, its major semiaxis in degrees."""
        from astropy.units import Quantity
        from regions import CircleSkyRegion, EllipseSkyRegion

        radius = size_factor * float(size)
        e, phi = (float(getattr(self, name)) for name in self.eccentric_names)
        if e == 0:
            return CircleSkyRegion(self.position, Quantity(radius, "deg"))
        return EllipseSkyRegion(
            self.position,
            width=Quantity(2 * max(1 - e**2, FLATTEST**2) ** 0.5 * radius, "deg"),
            height=Quantity(2 * radius, "deg"),
            angle=Quantity(phi, "deg"),
        )


def angle(value: Any) -> Any:
    """A parameter in degrees as radians."""
    return value * DEG


def within(shape: Any, cuts: Any, nodes: tuple[np.ndarray, np.ndarray]) -> Any:
    """The integral of ``shape(theta) sin(theta)`` between cuts, each part at fixed nodes.

    Parameters
    ----------
    shape : function
        Of distances, with one more last axis than each cut.
    cuts : sequence of arrays
        Ascending distances in radians, of the same shape; they are cut at pi.
    nodes : tuple of arrays
        Nodes and weights on 0 to 1, for each part.
    """
    x, weight = nodes
    total = 0.0
    for low, high in pairwise(cuts):
        low, high = (jnp.clip(jnp.asarray(cut), 0.0, np.pi) for cut in (low, high))
        theta = low[..., None] + (high - low)[..., None] * x
        total = total + (high - low) * jnp.sum(shape(theta) * jnp.sin(theta) * weight, axis=-1)
    return total
