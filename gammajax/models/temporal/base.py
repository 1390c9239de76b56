"""The base of all temporal models."""

from __future__ import annotations

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from gammajax.models.base import Model
from gammajax.models.spectral.evaluation import call
from gammajax.models.temporal.times import SCALES, duration, gti_bounds, since, to_mjd
from gammajax.parameters import parameter


class TemporalModel(Model):
    """A factor of the flux as a function of time; a subclass is its formula.

    A subclass declares its parameters (times in days, MJD in the scale of the model), its
    ``tags``, and two pure functions of days since the reference ``t_ref``: `value` and
    `antiderivative`, or `between` in its place. The integrals are exact: closed forms of
    every model.

    Times are MJD in the scale of the model, as numbers, arrays or
    `~gammajax.models.temporal.times.MJD`, in the pure functions `evaluate`, `integral` and
    `mean`; calling the model takes `~astropy.time.Time` as well.
    """

    tags: ClassVar[tuple[str, ...]] = ()

    scale: str = eqx.field(static=True, default="utc", kw_only=True)

    def __check_init__(self) -> None:
        if self.scale not in SCALES:
            raise ValueError(
                f"{type(self).__name__}.scale: got {self.scale!r}, expected one of "
                f"{', '.join(SCALES)}"
            )

    @property
    def reference(self) -> Any:
        """The zero of `value`, in MJD."""
        return getattr(self, "t_ref", 0.0)

    def value(self, days: Any) -> Any:
        """The factor at days since the reference, pure."""
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    def antiderivative(self, days: Any) -> Any:
        """A function of days since the reference whose derivative is `value`, pure."""
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    def between(self, low: Any, high: Any) -> Any:
        """The integral of `value` between days since the reference, in days, pure."""
        return self.antiderivative(high) - self.antiderivative(low)

    def evaluate(self, time: Any) -> Any:
        """The factor at times, pure."""
        return self.value(since(time, self.reference))

    def integral(self, t_min: Any, t_max: Any) -> Any:
        """The integral of the factor from a time to another, in days, pure."""
        return self.between(since(t_min, self.reference), since(t_max, self.reference))

    def mean(self, t_min: Any, t_max: Any) -> Any:
        """The mean of the factor over intervals, pure: all integrals over all durations."""
        total = jnp.sum(duration(t_min, t_max))
        return jnp.sum(self.integral(t_min, t_max)) / total

    def mean_over(self, gti: Any) -> float:
        """The mean of the factor over the intervals of a `~gammajax.data.GTI`."""
        return float(call(self, "mean", *gti_bounds(gti, self.scale)))

    def __call__(self, time: Any) -> Any:
        """The factor at a `~astropy.time.Time` or at MJD in the scale of the model."""
        return np.asarray(call(self, "evaluate", to_mjd(time, self.scale)))

    @property
    def reference_time(self) -> Any:
        """The reference as a `~astropy.time.Time`."""
        from astropy.time import Time

        return Time(float(self.reference), format="mjd", scale=self.scale)

    def plot(self, time_range: Any, ax: Any = None, **options: Any) -> Any:
        """Draw the factor against time; see `gammajax.plots.plot_temporal`."""
        from gammajax.plots.temporal import plot_temporal

        return plot_temporal(self, time_range, ax, **options)


def reference_time(*, frozen: bool = True, default: float = 51544.0) -> Any:
    """The parameter that all but the constant have."""
    return parameter(default, "d", frozen=frozen, description="reference time (MJD)")
