"""A source without extension."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from gammajax.models.spatial.base import SpatialModel
from gammajax.parameters import parameter


class PointSpatialModel(SpatialModel):
    """A point.

    It has no density: folding takes the response at its position, integrated over pixels.

    Examples
    --------
    >>> from gammajax.models import PointSpatialModel
    >>> PointSpatialModel("83.63 deg", "22.01 deg", frame="icrs")
    PointSpatialModel(lon_0=83.63 deg, lat_0=22.01 deg)
    """

    tags: ClassVar[tuple[str, ...]] = ("PointSpatialModel", "point")
    KIND: ClassVar[str] = "point"

    lon_0: Any = parameter(0.0, "deg", description="longitude of the centre")
    lat_0: Any = parameter(
        0.0, "deg", min=-90.0, max=90.0, description="latitude of the centre"
    )

    def evaluate_on(self, vectors: Any, energy: Any = None) -> Any:
        raise ValueError(
            "PointSpatialModel: a point has no density; fold it, or take a Gaussian of a size"
        )

    def hankel(self, k: Any) -> Any:
        """The transform: 1 at all ``k``."""
        return jnp.ones_like(jnp.asarray(k, dtype=float))

    def outer_radius(self) -> Any:
        return 0.0

    def to_region(self, size_factor: float = 1.0) -> Any:
        from regions import PointSkyRegion

        return PointSkyRegion(self.position)
