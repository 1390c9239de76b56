"""Emission from the whole sky."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from gammajax.models.spatial.base import SpatialModel
from gammajax.parameters import parameter


class ConstantSpatialModel(SpatialModel):
    """The same brightness everywhere.

    Its spectrum, times ``value``, is a flux per solid angle; it is not normalised.

    Examples
    --------
    >>> from gammajax.models import ConstantSpatialModel
    >>> print(ConstantSpatialModel()(10, 20))
    1.0 1 / sr
    """

    tags: ClassVar[tuple[str, ...]] = ("ConstantSpatialModel", "const")
    KIND: ClassVar[str] = "uniform"
    has_centre: ClassVar[bool] = False
    has_frame: ClassVar[bool] = False

    value: Any = parameter(1.0, "sr-1", frozen=True, description="brightness")

    def evaluate_on(self, vectors: Any, energy: Any = None) -> Any:
        return self.value * jnp.ones(jnp.shape(vectors)[:-1])


class ConstantFluxSpatialModel(SpatialModel):
    """The same flux in every pixel, whatever its solid angle; for 1-D data, in the region.

    The density is 1 sr-1 only by name: folding puts a flux of 1 into each pixel
    (``per_pixel`` says so).

    Examples
    --------
    >>> from gammajax.models import ConstantFluxSpatialModel
    >>> print(ConstantFluxSpatialModel()(10, 20))
    1.0 1 / sr
    """

    tags: ClassVar[tuple[str, ...]] = ("ConstantFluxSpatialModel", "const-flux")
    KIND: ClassVar[str] = "uniform"
    has_centre: ClassVar[bool] = False
    has_frame: ClassVar[bool] = False
    per_pixel: ClassVar[bool] = True

    def evaluate_on(self, vectors: Any, energy: Any = None) -> Any:
        return jnp.ones(jnp.shape(vectors)[:-1])
