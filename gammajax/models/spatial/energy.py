"""Shapes that change with energy."""

from __future__ import annotations

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.models.spatial.base import SpatialModel
from gammajax.parameters import parameter

ANGLES = ("lon_0", "lat_0", "phi")
"""Parameters that move along a line in the logarithm of energy; all others are power laws."""


class EnergyDependentSpatialModel(SpatialModel):
    r"""A shape whose size, or position, is a function of energy.

    .. math:: p(E) = p \left( \frac{E}{E_0} \right)^{s} \quad \text{or} \quad
              p(E) = p + s \, \log_{10} \frac{E}{E_0}

    The first for sizes and other numbers, the second for ``lon_0``, ``lat_0`` and ``phi``
    (in degrees a decade). The shape at each energy integrates to 1, so that the spectrum of
    the source keeps its meaning. gammapy has no such model and does not read its files.

    Parameters
    ----------
    model : `SpatialModel`
        The shape at the reference energy: a point, or a radial one.
    names : sequence of str
        The parameters of the shape that depend on energy.
    slopes : array, optional
        One for each name, the parameters ``sigma_slope`` and so on; all 0 by default.
    reference : float
        Energy in TeV.

    Examples
    --------
    >>> from gammajax.models import EnergyDependentSpatialModel, GaussianSpatialModel
    >>> halo = EnergyDependentSpatialModel(GaussianSpatialModel(sigma=0.4), ["sigma"], [-0.5])
    >>> halo.parameter_names[2:]
    ('model.sigma', 'model.e', 'model.phi', 'sigma_slope', 'reference')
    >>> print(halo.at_energy(4.0).sigma)
    0.2
    """

    tags: ClassVar[tuple[str, ...]] = ("EnergyDependentSpatialModel", "energy-dependent")

    model: SpatialModel = eqx.field()
    names: tuple[str, ...] = eqx.field(static=True)
    slope_names: tuple[str, ...] = eqx.field(static=True, init=False)
    slopes: Any = parameter(
        vector=True, names_from="slope_names", description="change with energy"
    )
    reference: Any = parameter(1.0, "TeV", frozen=True, description="energy of the shape")

    def __init__(
        self,
        model: SpatialModel,
        names: Any,
        slopes: Any = None,
        reference: Any = 1.0,
        frame: str = "",
    ) -> None:
        self.model = model
        self.names = (names,) if isinstance(names, str) else tuple(names)
        self.slope_names = tuple(f"{name}_slope" for name in self.names)
        self.slopes = np.zeros(len(self.names)) if slopes is None else slopes
        self.reference = reference
        self.frame = frame or getattr(model, "frame", "icrs")

    def __check_init__(self) -> None:
        kind = type(self).__name__
        if not isinstance(self.model, SpatialModel) or self.model.has_energy:
            raise ValueError(
                f"{kind}.model: got a {type(self.model).__name__}, expected a SpatialModel "
                "that does not depend on energy"
            )
        if self.model.KIND not in ("point", "radial"):
            raise ValueError(
                f"{kind}.model: {type(self.model).__name__} has neither a position nor a size; "
                "give a map with an axis of energy to a TemplateSpatialModel"
            )
        if self.model.frame != self.frame:
            raise ValueError(
                f"{kind}.frame: got {self.frame!r}, expected {self.model.frame!r}, that of the "
                "model"
            )
        known = self.model.parameter_names
        for name in self.names:
            if name not in known or self.names.count(name) > 1:
                raise ValueError(
                    f"{kind}.names: got {', '.join(self.names)}, expected different names "
                    f"among {', '.join(known)}"
                )
        if not self.names or np.shape(self.slopes) != (len(self.names),):
            raise ValueError(
                f"{kind}.slopes: got {np.size(self.slopes)}, expected one of each name, and at "
                "least one"
            )

    @property
    def KIND(self) -> str:
        """That of the shape."""
        return self.model.KIND

    @property
    def eccentric_names(self) -> tuple[str, ...]:
        """The parameters that make the shape elliptical, those of their laws among them."""
        own = self.model.eccentric_names
        laws = (f"{name}_slope" for name in own if name in self.names)
        return (*(f"model.{name}" for name in own), *laws)

    @property
    def has_energy(self) -> bool:
        return True

    def at_energy(self, energy: Any) -> SpatialModel:
        """The shape at an energy in TeV, traceable."""
        ratio = energy / self.reference
        moved = {}
        for name, slope in zip(self.names, self.slopes, strict=True):
            value = getattr(self.model, name)
            if name in ANGLES:
                moved[name] = value + slope * jnp.log10(ratio)
            else:
                moved[name] = value * ratio**slope
        return self.model.replace(**moved)

    def lonlat(self) -> tuple[Any, Any]:
        """The position at the reference energy."""
        return self.model.lonlat()

    def stretch(self) -> tuple[Any, Any]:
        """Axis ratio and position angle at the reference energy."""
        return self.model.stretch()

    def outer_radius(self) -> Any:
        """That of the shape at the reference energy; `at_energy` has those of others."""
        return self.model.outer_radius()

    def evaluate_on(self, vectors: Any, energy: Any = None) -> Any:
        if energy is None:
            raise ValueError(
                f"{type(self).__name__}: depends on energy, and got none to evaluate at"
            )
        vectors, energy = jnp.asarray(vectors), jnp.asarray(energy)
        if energy.ndim == 0:
            return self.at_energy(energy).evaluate_on(vectors)
        shape = jnp.broadcast_shapes(vectors.shape[:-1], energy.shape)
        pairs = (
            jnp.broadcast_to(vectors, (*shape, 3)).reshape(-1, 3),
            jnp.broadcast_to(energy, shape).ravel(),
        )
        found = jax.vmap(lambda vector, e: self.at_energy(e).evaluate_on(vector))(*pairs)
        return found.reshape(shape)

    @property
    def position(self) -> Any:
        """The position at the reference energy."""
        return self.model.position

    def to_region(self, size_factor: float = 1.0) -> Any:
        """The outline at the reference energy."""
        return self.model.to_region(size_factor)
