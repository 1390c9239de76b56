"""Temporal models that are a formula."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf, erfc, gammainc, gammaln

from gammajax.models.spatial.bessel import sinc
from gammajax.models.spectral.quadrature import power_integral
from gammajax.models.temporal.base import TemporalModel, reference_time
from gammajax.parameters import parameter


class ConstantTemporalModel(TemporalModel):
    """The same flux at all times.

    Examples
    --------
    >>> from gammajax.models import ConstantTemporalModel
    >>> float(ConstantTemporalModel().integral(51544.0, 51546.0))
    2.0
    """

    tags: ClassVar[tuple[str, ...]] = ("ConstantTemporalModel", "const")

    def value(self, days: Any) -> Any:
        return jnp.ones_like(jnp.asarray(days, dtype=float))

    def antiderivative(self, days: Any) -> Any:
        return jnp.asarray(days, dtype=float)


class LinearTemporalModel(TemporalModel):
    r"""A straight line, :math:`\alpha + \beta (t - t_{ref})`; it may fall below 0.

    Examples
    --------
    >>> from gammajax.models import LinearTemporalModel
    >>> model = LinearTemporalModel(alpha=1, beta="0.5 d-1", t_ref=51544)
    >>> float(model.mean(51544.0, 51546.0))
    1.5
    """

    tags: ClassVar[tuple[str, ...]] = ("LinearTemporalModel", "linear")

    alpha: Any = parameter(1.0, description="factor at the reference time")
    beta: Any = parameter(0.0, "d-1", description="slope")
    t_ref: Any = reference_time()

    def value(self, days: Any) -> Any:
        return self.alpha + self.beta * days

    def between(self, low: Any, high: Any) -> Any:
        return (high - low) * (self.alpha + self.beta * (low + high) / 2)


class ExpDecayTemporalModel(TemporalModel):
    r"""An exponential decay, :math:`e^{-(t - t_{ref}) / t_0}`.

    Examples
    --------
    >>> from gammajax.models import ExpDecayTemporalModel
    >>> model = ExpDecayTemporalModel(t0="2 d", t_ref=51544)
    >>> print(model(51546.0).round(4))
    0.3679
    """

    tags: ClassVar[tuple[str, ...]] = ("ExpDecayTemporalModel", "exp-decay")

    t0: Any = parameter(1.0, "d", description="decay time")
    t_ref: Any = reference_time()

    def value(self, days: Any) -> Any:
        return jnp.exp(-days / self.t0)

    def between(self, low: Any, high: Any) -> Any:
        return -self.t0 * jnp.exp(-low / self.t0) * jnp.expm1(-(high - low) / self.t0)


class GaussianTemporalModel(TemporalModel):
    r"""A Gaussian flare, :math:`e^{-(t - t_{ref})^2 / 2 \sigma^2}`.

    Examples
    --------
    >>> from gammajax.models import GaussianTemporalModel
    >>> model = GaussianTemporalModel(t_ref=51544, sigma="1 d")
    >>> print(float(model.integral(51444.0, 51644.0)).__round__(9))
    2.506628275
    """

    tags: ClassVar[tuple[str, ...]] = ("GaussianTemporalModel", "gauss")

    t_ref: Any = reference_time(frozen=False)
    sigma: Any = parameter(1.0, "d", description="width")

    def value(self, days: Any) -> Any:
        return jnp.exp(-0.5 * (days / self.sigma) ** 2)

    def between(self, low: Any, high: Any) -> Any:
        a, b = (days / (np.sqrt(2) * self.sigma) for days in (low, high))
        # in the tails by what is left of 1, which does not cancel
        tail = jnp.where(a > 0, erfc(a) - erfc(b), erfc(-b) - erfc(-a))
        part = jnp.where(a * b > 0, tail, erf(b) - erf(a))
        return self.sigma * np.sqrt(np.pi / 2) * part


class GeneralizedGaussianTemporalModel(TemporalModel):
    r"""A flare that rises and decays each in its own time.

    .. math:: \exp\left[ -\frac{1}{2} \left( \frac{|t - t_{ref}|}{\tau} \right)^{1 / \eta}
              \right]

    with the rise time as :math:`\tau` before the reference, and the decay time after it. The
    integral is an incomplete gamma function.

    Examples
    --------
    >>> from gammajax.models import GeneralizedGaussianTemporalModel
    >>> model = GeneralizedGaussianTemporalModel(51544, t_rise="1 d", t_decay="3 d", eta=0.5)
    >>> print(model([51543.0, 51547.0]).round(4))
    [0.6065 0.6065]
    """

    tags: ClassVar[tuple[str, ...]] = ("GeneralizedGaussianTemporalModel", "gengauss")

    t_ref: Any = reference_time(frozen=False)
    t_rise: Any = parameter(1.0, "d", description="rise time")
    t_decay: Any = parameter(1.0, "d", description="decay time")
    eta: Any = parameter(0.5, description="shape: 0.5 Gaussian, 1 exponential")

    def _exponent(self, days: Any) -> tuple[Any, Any]:
        """The exponent of the profile, and the time constant, on the side of each time."""
        tau = jnp.where(days < 0, self.t_rise, self.t_decay)
        away = jnp.abs(days) / tau
        peak = away == 0
        power = jnp.where(peak, 1.0, away) ** (1 / self.eta)
        return jnp.where(peak, 0.0, power / 2), tau

    def value(self, days: Any) -> Any:
        return jnp.exp(-self._exponent(days)[0])

    def antiderivative(self, days: Any) -> Any:
        power, tau = self._exponent(days)
        peak = power == 0
        part = jnp.where(peak, 0.0, gammainc(self.eta, jnp.where(peak, 1.0, power)))
        size = jnp.exp(self.eta * np.log(2) + gammaln(1 + self.eta))
        return jnp.sign(days) * tau * size * part


class PowerLawTemporalModel(TemporalModel):
    r"""A power law, :math:`((t - t_{ref}) / t_0)^\alpha`, and 0 before the reference.

    For :math:`\alpha \le -1` its integral from the reference on is infinite.

    Examples
    --------
    >>> from gammajax.models import PowerLawTemporalModel
    >>> model = PowerLawTemporalModel(alpha=-1, t_ref=51544)
    >>> print(model.integral(51545.0, 51546.0).round(6))
    0.693147
    """

    tags: ClassVar[tuple[str, ...]] = ("PowerLawTemporalModel", "powerlaw")

    alpha: Any = parameter(1.0, description="exponent")
    t_ref: Any = reference_time()
    t0: Any = parameter(1.0, "d", frozen=True, description="time of factor 1 after t_ref")

    def value(self, days: Any) -> Any:
        after = days > 0
        return jnp.where(after, (jnp.where(after, days, 1.0) / self.t0) ** self.alpha, 0.0)

    def between(self, low: Any, high: Any) -> Any:
        early = low <= 0
        some = high > 0
        stop = jnp.where(some, high, 1.0) / self.t0
        start = jnp.where(early, stop / 2, low / self.t0)
        later = power_integral(self.alpha, jnp.where(some, start, stop), stop)
        rises = self.alpha > -1
        exponent = jnp.where(rises, self.alpha, 0.0) + 1
        whole = jnp.where(rises, stop**exponent / exponent, jnp.inf)
        return jnp.where(some, self.t0 * jnp.where(early, whole, later), 0.0)


class SineTemporalModel(TemporalModel):
    r"""A sine wave, :math:`1 + A \sin(\omega (t - t_{ref}))`.

    Examples
    --------
    >>> from gammajax.models import SineTemporalModel
    >>> print(SineTemporalModel(t_ref=51544).mean(51544.0, 51546.0).round(6))
    1.708073
    """

    tags: ClassVar[tuple[str, ...]] = ("SineTemporalModel", "sinus")

    amp: Any = parameter(1.0, description="amplitude")
    omega: Any = parameter(1.0, "rad d-1", description="angular frequency")
    t_ref: Any = reference_time(frozen=False)

    def value(self, days: Any) -> Any:
        return 1 + self.amp * jnp.sin(self.omega * days)

    def between(self, low: Any, high: Any) -> Any:
        wave = jnp.sin(self.omega * (low + high) / 2) * sinc(self.omega * (high - low) / 2)
        return (high - low) * (1 + self.amp * wave)
