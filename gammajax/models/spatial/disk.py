"""Disks."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf

from gammajax.models.spatial.bessel import jinc
from gammajax.models.spatial.radial import RadialSpatialModel, angle, rule, within
from gammajax.parameters import parameter

EDGE = 1 / (np.sqrt(2) * 2.326174307353347)
"""Standard deviation of the edge, in units of its width from 95 % to 5 %."""

SHARPEST = 1e-3
"""The smallest edge width, in units of the radius, that the density in the sky has."""

NODES = rule(32)


class DiskSpatialModel(RadialSpatialModel):
    r"""Disk of constant brightness with a soft edge, round or elliptical.

    A sharp disk convolved with a Gaussian, so that its transform is a closed form, smooth in
    the radius and in the width of the edge:

    .. math:: \hat f(k) = \frac{2 J_1(k r_0)}{k r_0} \, e^{-k^2 s^2 / 2}, \quad
              s = 0.30 \, w \, r_0

    The brightness falls from 95 % to 5 % within the ``edge_width`` w, a fraction of the
    radius. A width of 0 is a sharp edge for folding; the density drawn on the sky has a width
    of at least 0.001.

    Examples
    --------
    >>> from gammajax.models import DiskSpatialModel
    >>> model = DiskSpatialModel(r_0="0.5 deg")
    >>> print(model(0, 0).round(1), model(0, 0.6).round(1))
    4179.8 1 / sr 0.0 1 / sr
    """

    tags: ClassVar[tuple[str, ...]] = ("DiskSpatialModel", "disk")
    eccentric_names: ClassVar[tuple[str, ...]] = ("e", "phi")

    r_0: Any = parameter(1.0, "deg", min=0.0, description="radius along the major axis")
    e: Any = parameter(0.0, min=0.0, max=1.0, frozen=True, description="eccentricity")
    phi: Any = parameter(
        0.0, "deg", min=-180.0, max=180.0, frozen=True, description="angle of the major axis"
    )
    edge_width: Any = parameter(
        0.01, min=0.0, max=1.0, frozen=True, description="width of the edge over the radius"
    )

    def _radius(self) -> Any:
        return jnp.maximum(angle(self.r_0), 1e-12)

    def _edge(self) -> Any:
        """Standard deviation of the edge over the radius, as drawn on the sky."""
        return EDGE * jnp.maximum(self.edge_width, SHARPEST)

    def shape(self, theta: Any, scale: Any) -> Any:
        # Across one axis of the plane the convolution is an error function, along the other
        # it is a quadrature: half of a chord, in the variable phi = asin(y / r).
        t = jnp.asarray(theta / (self._radius() * scale))[..., None]
        edge = self._edge()
        x, weight = NODES
        last = np.pi / 2 * jnp.minimum(1.0, 6.5 * edge)
        y, half = jnp.sin(last * x), jnp.cos(last * x)
        along = jnp.exp(-0.5 * (y / edge) ** 2) * half * weight * last
        width = jnp.sqrt(2.0) * edge
        across = erf((half - t) / width) + erf((half + t) / width)
        return jnp.sum(along * across, axis=-1) / (jnp.sqrt(2 * np.pi) * edge)

    def mass(self, scale: Any) -> Any:
        scale = jnp.asarray(scale)
        size, edge = self._radius() * scale, 6.5 * self._edge()
        cuts = (0 * size, size * jnp.maximum(1 - edge, 0.0), size, size * (1 + edge))
        found = within(lambda theta: self.shape(theta, scale[..., None]), cuts, NODES)
        return found / scale**2

    def hankel(self, k: Any) -> Any:
        x = k * self._radius()
        return jinc(x) * jnp.exp(-0.5 * (EDGE * self.edge_width * x) ** 2)

    def stretch(self) -> tuple[Any, Any]:
        return self._ratio(self.e), angle(self.phi)

    def outer_radius(self) -> Any:
        return jnp.minimum(self._radius() * (1 + 4.5 * EDGE * self.edge_width), np.pi)

    def to_region(self, size_factor: float = 1.0) -> Any:
        """A circle or an ellipse at ``size_factor`` times the radius."""
        return self._ellipse_region(self.r_0, size_factor)
