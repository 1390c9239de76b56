"""Shells: hollow balls seen in projection."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from gammajax.models.spatial.bessel import ball, sinc
from gammajax.models.spatial.radial import RadialSpatialModel, angle, rule
from gammajax.parameters import parameter

_SINE = np.sin(rule(24)[0] * np.pi / 2)
_SINE_WEIGHT = rule(24)[1] * np.pi / 2
_PART, _PART_WEIGHT = rule(8)


class ShellBase(RadialSpatialModel):
    r"""What the shells share: a middle radius m and half a thickness h.

    .. math:: f(\theta) = N \left[ \sqrt{(m + h)^2 - \theta^2}
              - \sqrt{(m - h)^2 - \theta^2} \right]

    with roots of negative numbers taken as 0. The density has a kink at both radii, where it
    is exact and its derivative unbounded; the transform, with which it is folded, is smooth:

    .. math:: \hat f(k) = \frac{m^2 \, \mathrm{sinc}(k m) \, \mathrm{sinc}(k h)
              + h^2 \cos(k m) \, j_1(k h) / (k h)}{m^2 + h^2 / 3}
    """

    def walls(self) -> tuple[Any, Any]:
        """The middle radius and half the thickness, in radians."""
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    def _radii(self) -> tuple[Any, Any]:
        middle, half = self.walls()
        return jnp.abs(middle - half), middle + half

    def shape(self, theta: Any, scale: Any) -> Any:
        # The difference of the roots over that of the radii, which may be 0: inside, the
        # roots' sum is a divisor that does not cancel.
        inner, outer = self._radii()
        far, near = _root(outer**2 - theta**2), _root(inner**2 - theta**2)
        inside = theta < inner
        total = jnp.where(inside, far + near, 1.0)
        wall = jnp.where(outer > inner, outer - inner, 1.0)
        return jnp.where(inside, (outer + inner) / total, far / wall)

    def mass(self, scale: Any) -> Any:
        # d/dR of the mass of a ball is R int_0^(pi/2) sin(R sin t) dt; its mean over the wall.
        inner, outer = self._radii()
        radius = inner + (outer - inner) * _PART
        waves = jnp.sum(jnp.sin(radius[:, None] * _SINE) * _SINE_WEIGHT, axis=-1)
        return jnp.sum(radius * waves * _PART_WEIGHT)

    def hankel(self, k: Any) -> Any:
        middle, half = self.walls()
        thick, thin = k * half, k * middle
        full = middle**2 * sinc(thin) * sinc(thick) + half**2 * jnp.cos(thin) * ball(thick)
        return full / (middle**2 + half**2 / 3)

    def outer_radius(self) -> Any:
        return jnp.minimum(self._radii()[1], np.pi)

    def to_region(self, size_factor: float = 1.0) -> Any:
        """The ring between the inner and the outer radius, times ``size_factor``."""
        from astropy.units import Quantity
        from regions import CircleAnnulusSkyRegion

        inner, outer = (size_factor * radius for radius in self._degrees())
        return CircleAnnulusSkyRegion(
            self.position, Quantity(inner, "deg"), Quantity(outer, "deg")
        )

    def _degrees(self) -> tuple[float, float]:
        """The inner and the outer radius in degrees, on the host."""
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")


class ShellSpatialModel(ShellBase):
    """Shell given by its inner radius and its width.

    The formulas are those of `ShellBase`.

    Examples
    --------
    >>> from gammajax.models import ShellSpatialModel
    >>> model = ShellSpatialModel(radius="0.4 deg", width="0.1 deg")
    >>> print(model(0, [0.0, 0.4, 0.49]).round(0))
    [2570. 7709. 2557.] 1 / sr
    """

    tags: ClassVar[tuple[str, ...]] = ("ShellSpatialModel", "shell")

    radius: Any = parameter(1.0, "deg", description="inner radius")
    width: Any = parameter(0.2, "deg", description="thickness of the shell")

    def walls(self) -> tuple[Any, Any]:
        half = angle(self.width) / 2
        return jnp.maximum(angle(self.radius) + half, 1e-12), jnp.abs(half)

    def _degrees(self) -> tuple[float, float]:
        edges = sorted([float(self.radius), float(self.radius) + float(self.width)])
        return edges[0], edges[1]


class Shell2SpatialModel(ShellBase):
    """Shell given by its outer radius and its relative width.

    The formulas are those of `ShellBase`.

    Examples
    --------
    >>> from gammajax.models import Shell2SpatialModel, ShellSpatialModel
    >>> two = Shell2SpatialModel(r_0="0.5 deg", eta=0.2)
    >>> one = ShellSpatialModel(radius="0.4 deg", width="0.1 deg")
    >>> print((two(0, 0.3) / one(0, 0.3)).round(9))
    1.0
    """

    tags: ClassVar[tuple[str, ...]] = ("Shell2SpatialModel", "shell2")

    r_0: Any = parameter(1.0, "deg", description="outer radius")
    eta: Any = parameter(0.2, min=0.02, max=1.0, description="thickness over outer radius")

    def walls(self) -> tuple[Any, Any]:
        radius = jnp.maximum(angle(self.r_0), 1e-12)
        half = radius * self.eta / 2
        return radius - half, half

    def _degrees(self) -> tuple[float, float]:
        return float(self.r_0) * (1 - float(self.eta)), float(self.r_0)


def _root(square: Any) -> Any:
    """The root of what is positive, 0 otherwise, with a derivative of 0 there."""
    inside = square > 0
    return jnp.where(inside, jnp.sqrt(jnp.where(inside, square, 1.0)), 0.0)
