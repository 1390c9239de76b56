"""Gaussians and their generalisation."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gamma, gammaln

from gammajax.models.spatial.bessel import j0
from gammajax.models.spatial.radial import RadialSpatialModel, angle, rule
from gammajax.parameters import parameter

OUTSIDE = float(np.sqrt(-2 * np.log(9e-6)))
"""In standard deviations: less than 1e-5 of a Gaussian lies further out."""


class GaussianSpatialModel(RadialSpatialModel):
    r"""Gaussian on the sphere, round or elliptical.

    .. math:: f(\theta) = N \exp\left[ -\frac{1}{2} \,
              \frac{1 - \cos\theta}{1 - \cos\sigma} \right]

    with :math:`\sigma` in the direction of the point for an ellipse. Its transform is
    :math:`e^{-k^2 \sigma^2 / 2}`.

    Examples
    --------
    >>> from gammajax.models import GaussianSpatialModel
    >>> model = GaussianSpatialModel(83.63, 22.01, "0.1 deg")
    >>> print(model(83.63, 22.11).round(1))
    31689.7 1 / sr
    """

    tags: ClassVar[tuple[str, ...]] = ("GaussianSpatialModel", "gauss")
    eccentric_names: ClassVar[tuple[str, ...]] = ("e", "phi")

    sigma: Any = parameter(1.0, "deg", min=0.0, description="width along the major axis")
    e: Any = parameter(0.0, min=0.0, max=1.0, frozen=True, description="eccentricity")
    phi: Any = parameter(
        0.0, "deg", min=-180.0, max=180.0, frozen=True, description="angle of the major axis"
    )

    def _versine(self, scale: Any) -> Any:
        """1 - cos of the width, without loss at small ones; never 0."""
        return jnp.maximum(2 * jnp.sin(angle(self.sigma) * scale / 2) ** 2, 1e-30)

    def shape(self, theta: Any, scale: Any) -> Any:
        return jnp.exp(-(jnp.sin(theta / 2) ** 2) / self._versine(scale))

    def mass(self, scale: Any) -> Any:
        a = self._versine(scale)
        return -2 * a * jnp.expm1(-1 / a) / scale**2

    def hankel(self, k: Any) -> Any:
        return jnp.exp(-0.5 * (k * angle(self.sigma)) ** 2)

    def stretch(self) -> tuple[Any, Any]:
        return self._ratio(self.e), angle(self.phi)

    def outer_radius(self) -> Any:
        return jnp.minimum(OUTSIDE * angle(self.sigma), np.pi)

    def to_region(self, size_factor: float = 1.0) -> Any:
        """A circle or an ellipse at ``size_factor`` standard deviations."""
        return self._ellipse_region(self.sigma, size_factor)


NODES = 400
"""Quadrature nodes of the generalised Gaussian: enough for eta = 0.01 and 900 rad of waves."""

FAR = 40.0
"""From here on, in k r, the transform of a broad generalised Gaussian is its series."""

BROAD = 0.33
"""The smallest eta for which the series is used; below, the quadrature serves up to 200."""

TERMS = 10


class GeneralizedGaussianSpatialModel(RadialSpatialModel):
    r"""Generalised Gaussian, round or elliptical.

    .. math:: f(\theta) = N \exp\left[ -\left( \frac{\theta}{r_0} \right)^{1 / \eta} \right]

    A Gaussian of width :math:`r_0 / \sqrt{2}` at :math:`\eta = 0.5`, an exponential at 1, and
    nearly a disk at 0.01. The transform is a quadrature at 400 fixed nodes, and beyond
    k r = 40 for :math:`\eta > 0.33` its series in 1/k; good to 1e-8 up to k r = 200.

    Examples
    --------
    >>> from gammajax.models import GeneralizedGaussianSpatialModel
    >>> print(GeneralizedGaussianSpatialModel(r_0="1 deg", eta=1)(0, 0).round(2))
    522.63 1 / sr
    """

    tags: ClassVar[tuple[str, ...]] = ("GeneralizedGaussianSpatialModel", "gauss-general")
    eccentric_names: ClassVar[tuple[str, ...]] = ("e", "phi")

    r_0: Any = parameter(1.0, "deg", description="scale along the major axis")
    eta: Any = parameter(0.5, min=0.01, max=1.0, description="shape: 0 disk, 0.5 Gaussian")
    e: Any = parameter(0.0, min=0.0, max=1.0, frozen=True, description="eccentricity")
    phi: Any = parameter(
        0.0, "deg", min=-180.0, max=180.0, frozen=True, description="angle of the major axis"
    )

    def _radius(self) -> Any:
        return jnp.maximum(jnp.abs(angle(self.r_0)), 1e-12)

    def _profile(self, t: Any) -> Any:
        """exp(-t^(1/eta)), with derivatives at t = 0."""
        inside = t > 0
        log = jnp.log(jnp.where(inside, t, 1.0)) / self.eta
        power = jnp.exp(jnp.minimum(log, 6.6))  # beyond, the profile is 0 in any case
        return jnp.where(inside, jnp.exp(-power), 1.0)

    def _reach(self) -> Any:
        """In units of the radius: 1e-10 of the flux lies further out."""
        return jnp.exp(self.eta * np.log(30.0))

    def shape(self, theta: Any, scale: Any) -> Any:
        return self._profile(theta / (self._radius() * scale))

    def mass(self, scale: Any) -> Any:
        size = self._radius() * jnp.asarray(scale)
        x, weight = rule(NODES)
        last = jnp.minimum(self._reach(), np.pi / size)[..., None]
        theta = last * x * size[..., None]
        parts = self._profile(last * x) * jnp.sin(theta) * weight
        return jnp.sum(parts * last, axis=-1) * size / jnp.asarray(scale) ** 2

    def hankel(self, k: Any) -> Any:
        x = k * self._radius()
        far = (x > FAR) & (self.eta > BROAD)
        near = self._by_nodes(jnp.where(far, 0.0, x))
        return jnp.where(far, self._by_series(jnp.where(far, x, FAR)), near)

    def _by_nodes(self, x: Any) -> Any:
        u, weight = rule(NODES)
        t = self._reach() * u
        moments = self._profile(t) * t * weight
        return jnp.sum(j0(x[..., None] * t) * moments, axis=-1) / jnp.sum(moments)

    def _by_series(self, x: Any) -> Any:
        """Term by term transform of the power series of the profile, in powers of 1/x."""
        n = np.arange(1.0, TERMS + 1)
        p = n / jnp.maximum(self.eta, BROAD)
        size = p * jnp.log(2 / x)[..., None] + 2 * gammaln(1 + p / 2) - gammaln(n + 1)
        sign = (-1.0) ** (n + 1) * jnp.sin(np.pi * p / 2)
        total = jnp.sum(sign * jnp.exp(size), axis=-1)
        norm = np.pi * self.eta * gamma(2 * self.eta)
        return 2 * total / (x**2 * norm)

    def stretch(self) -> tuple[Any, Any]:
        return self._ratio(self.e), angle(self.phi)

    def outer_radius(self) -> Any:
        return jnp.minimum(self._radius() * jnp.exp(self.eta * np.log(14.3)), np.pi)

    def to_region(self, size_factor: float = 1.0) -> Any:
        """A circle or an ellipse at ``size_factor`` times the scale."""
        return self._ellipse_region(self.r_0, size_factor)
