"""Temporal models read off tables: light curves and phase curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from gammajax.fits import FitsFile
from gammajax.models.spectral.template import check_nodes
from gammajax.models.temporal.base import TemporalModel, reference_time
from gammajax.parameters import parameter, table
from gammajax.units import conversion_factor

DAY = 86400.0


def _lines(x: Any, y: Any, at: Any) -> Any:
    """The straight lines through the points of a table; beyond it the ends hold."""
    return jnp.interp(at, x, y)


def _area(x: Any, y: Any, at: Any) -> Any:
    """The integral of `_lines` from the first point of the table on."""
    x, y = jnp.asarray(x), jnp.asarray(y)
    parts = jnp.concatenate([jnp.zeros(1), jnp.cumsum(jnp.diff(x) * (y[1:] + y[:-1]) / 2)])
    inside = jnp.clip(at, x[0], x[-1])
    cell = jnp.clip(jnp.searchsorted(x, inside, side="right") - 1, 0, x.size - 2)
    step = inside - x[cell]
    slope = (y[cell + 1] - y[cell]) / (x[cell + 1] - x[cell])
    found = parts[cell] + step * (y[cell] + slope * step / 2)
    return found + jnp.minimum(at - x[0], 0.0) * y[0] + jnp.maximum(at - x[-1], 0.0) * y[-1]


class LightCurveTemplateTemporalModel(TemporalModel):
    """A table of factors against time, with straight lines between its points.

    Before the first and after the last point their factors hold. The integral is exact.

    Parameters
    ----------
    time : `~astropy.units.Quantity` or array in d
        Since ``t_ref``; at least two, ascending.
    norm : array
        Factors, not below 0.
    t_ref : float
        MJD in the scale of the model.
    filename : str
        Where the table came from, for model files.
    scale : str

    Examples
    --------
    >>> from gammajax.models import LightCurveTemplateTemporalModel
    >>> model = LightCurveTemplateTemporalModel([0, 1, 3], [1, 3, 1], t_ref=51544)
    >>> print(model(51545.5), model.mean(51544.0, 51546.0))
    2.5 2.25
    """

    tags: ClassVar[tuple[str, ...]] = ("LightCurveTemplateTemporalModel", "template")

    time: Any = table("d")
    norm: Any = table("")
    t_ref: Any = reference_time()
    filename: str = eqx.field(static=True, default="", converter=str)

    def __check_init__(self) -> None:
        _check(self, self.time, self.norm)

    @classmethod
    def read(cls, filename: Any, scale: str = "") -> LightCurveTemplateTemporalModel:
        """Read a table with columns TIME and NORM, or a map of gammapy with the axis time.

        Parameters
        ----------
        filename : path-like
        scale : str, optional
            Of the model; that of the file by default.

        Raises
        ------
        ValueError
            If the file is damaged, no such table, or a map that depends on energy as well.
        """
        from gammajax.data.times import TimeReference

        file = FitsFile(Path(filename))
        if "SKYMAP_BANDS" in file.names:
            found, norm = file.table("SKYMAP_BANDS"), _flat(file, file.table("SKYMAP"), "DATA")
            if "ENERGY" in found.columns.names:
                raise ValueError(
                    f"{file.path}: the factors depend on energy, and only light curves that "
                    "are the same at all energies are supported"
                )
        else:
            found = _first_table(file, ("TIME", "NORM"))
            norm = _flat(file, found, "NORM")
        reference = TimeReference.from_header(file, found)
        unit = found.columns["TIME"].unit or str(file.get(found, "TIMEUNIT", "s"))
        factor = conversion_factor(unit, "d", where=f"{file.path}: TIME")
        scale = scale or reference.scale
        zero: Any = getattr(reference.time(0.0), scale)
        return cls(
            factor * file.column(found, "TIME", None),
            norm,
            t_ref=zero.mjd,
            filename=str(filename),
            scale=scale,
        )

    def value(self, days: Any) -> Any:
        return _lines(self.time, self.norm, days)

    def antiderivative(self, days: Any) -> Any:
        return _area(self.time, self.norm, days)


class TemplatePhaseCurveTemporalModel(TemporalModel):
    r"""A table of factors against phase, repeated with every period.

    .. math:: \varphi(t) = \varphi_{ref} + f_0 t + \frac{f_1}{2} t^2 + \frac{f_2}{6} t^3

    with the time t since the reference. Straight lines between the points; the first and the
    last one go on to phase 0 and 1. The integral is exact for a constant frequency, and its
    relative error in one period is :math:`f_1 / f_0^2` otherwise.

    Parameters
    ----------
    phase : array
        Between 0 and 1, at least two, ascending.
    norm : array
        Factors, not below 0.
    normalize : bool
        Whether to scale the factors so that their mean over a period is 1.
    t_ref, phi_ref, f0, f1, f2 : float
        Reference time (MJD), phase at it, frequency and its two derivatives.
    filename : str
        Where the table came from, for model files.
    scale : str

    Examples
    --------
    >>> from gammajax.models import TemplatePhaseCurveTemporalModel
    >>> model = TemplatePhaseCurveTemporalModel([0, 0.5, 1], [0, 1, 0], t_ref=51544, f0="1 d-1")
    >>> print(model(51544.25).round(9), model.mean(51544.0, 51544.5).round(9))
    1.0 1.0
    """

    tags: ClassVar[tuple[str, ...]] = ("TemplatePhaseCurveTemporalModel", "template-phase")

    phase: Any = table("")
    norm: Any = table("")
    normalize: bool = eqx.field(static=True, default=True)
    t_ref: Any = reference_time(default=48442.5)
    phi_ref: Any = parameter(0.0, frozen=True, description="phase at the reference time")
    f0: Any = parameter(29.946923, "s-1", frozen=True, description="frequency")
    f1: Any = parameter(0.0, "s-2", frozen=True, description="first derivative of f0")
    f2: Any = parameter(0.0, "s-3", frozen=True, description="second derivative of f0")
    filename: str = eqx.field(static=True, default="", converter=str)

    def __check_init__(self) -> None:
        _check(self, self.phase, self.norm)
        if np.min(self.phase) < 0 or np.max(self.phase) > 1:
            raise ValueError(
                f"TemplatePhaseCurveTemporalModel.phase: got {np.min(self.phase):g} to "
                f"{np.max(self.phase):g}, expected phases between 0 and 1"
            )

    @classmethod
    def read(cls, filename: Any, **values: Any) -> TemplatePhaseCurveTemporalModel:
        """Read a table with columns PHASE and NORM.

        Parameters
        ----------
        filename : path-like
        **values
            The other fields of the model.
        """
        file = FitsFile(Path(filename))
        found = _first_table(file, ("PHASE", "NORM"))
        columns: Any = [_flat(file, found, name) for name in ("PHASE", "NORM")]
        return cls(*columns, filename=str(filename), **values)

    def _period(self) -> tuple[Any, Any, Any]:
        """Phases from 0 to 1, the factors there, and the mean factor."""
        x, y = jnp.asarray(self.phase), jnp.asarray(self.norm)
        first = y[0] - x[0] * (y[1] - y[0]) / (x[1] - x[0])
        last = y[-1] + (1 - x[-1]) * (y[-1] - y[-2]) / (x[-1] - x[-2])
        # points at the very ends are there twice, at a distance that does no harm
        x = jnp.concatenate([jnp.array([-1e-12]), x, jnp.array([1 + 1e-12])])
        y = jnp.concatenate([first[None], y, last[None]])
        mean = _area(x, y, 1.0) - _area(x, y, 0.0)
        return (x, y / mean, jnp.ones(())) if self.normalize else (x, y, mean)

    def phases(self, days: Any) -> Any:
        """The phase at days since the reference, not taken modulo 1; pure."""
        t = days * DAY
        return self.phi_ref + t * (self.f0 + t / 2 * (self.f1 + t / 3 * self.f2))

    def value(self, days: Any) -> Any:
        x, y, _ = self._period()
        return _lines(x, y, self.phases(days) % 1.0)

    def antiderivative(self, days: Any) -> Any:
        x, y, mean = self._period()
        t = days * DAY
        phase = self.phases(days) % 1.0
        wave = _area(x, y, phase) - _area(x, y, 0.0) - mean * phase
        return mean * days + wave / (self.f0 + t * (self.f1 + t / 2 * self.f2)) / DAY


def _check(model: Any, x: Any, norm: Any) -> None:
    kind = type(model).__name__
    name = "time" if hasattr(model, "time") else "phase"
    check_nodes(np.asarray(x), f"{kind}.{name}", positive=False)
    if np.shape(norm) != np.shape(x):
        raise ValueError(f"{kind}.norm: got {np.size(norm)}, expected one of each {name}")
    if not np.isfinite(norm).all() or np.min(norm) < 0:
        raise ValueError(f"{kind}.norm: the smallest is {np.min(norm)}, expected none below 0")


def _first_table(file: FitsFile, columns: tuple[str, ...]) -> Any:
    """The first table of a file that has the columns."""
    for block in file.tables:
        hdu = file.hdu(block)
        names = [name.upper() for name in hdu.columns.names]
        if all(column in names for column in columns):
            return hdu
    raise ValueError(f"{file.path}: has no table with the columns {' and '.join(columns)}")


def _flat(file: FitsFile, found: Any, name: str) -> np.ndarray:
    """A column of numbers, each of which may be a map of one pixel, as gammapy writes it."""
    values = file.column(found, name, ndim=3)
    return values.reshape(len(values)) if values.shape[1:] == (1, 1) else values
