"""What all response tables share: axes, values, evaluation, slicing, files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import equinox as eqx
import jax
import numpy as np

from gammajax.config import require_x64
from gammajax.irf.axis import GridAxis
from gammajax.irf.interpolation import interpolate, interpolate_grid
from gammajax.units import to_quantity, to_value


@dataclass(frozen=True)
class AxisForm:
    """How an axis is called, and what the columns of its edges may be called in files."""

    name: str
    columns: tuple[str, ...]
    unit: str
    scale: str = "lin"
    outside: str = "fill"

    def like(self, axis: GridAxis) -> GridAxis:
        """The axis in the unit and scale of this form."""
        low, high = (
            to_value(to_quantity(edges, axis.unit), self.unit, where=self.name)
            for edges in (axis.edges_min, axis.edges_max)
        )
        return GridAxis(low, high, self.name, self.unit, self.scale, self.outside)


ENERGY_TRUE = AxisForm("energy_true", ("ENERG", "ETRUE"), "TeV", "log")
ENERGY_RECO = AxisForm("energy", ("ENERG",), "TeV", "log")
OFFSET = AxisForm("offset", ("THETA",), "deg")
MIGRA = AxisForm("migra", ("MIGRA",), "")
RAD = AxisForm("rad", ("RAD",), "deg")
# a line through the outermost two values explodes where one of them is 0: logarithms
FOV_LON = AxisForm("fov_lon", ("DETX",), "deg", outside="hold")
FOV_LAT = AxisForm("fov_lat", ("DETY",), "deg", outside="hold")


@dataclass(frozen=True)
class Quantities:
    """The values of a table: their columns in files with the unit of each, canonical."""

    columns: tuple[tuple[str, ...], ...]
    units: tuple[str, ...]


ALIGNMENTS = ("RADEC", "ALTAZ", "REVERSE_LON_RADEC")
"""How axes of the field of view lie; the last is RADEC with its longitude turned round."""


class IRF(eqx.Module):
    """Base of the response tables; a pytree, so that it passes through ``jit`` and ``grad``.

    Parameters
    ----------
    axes : sequence of `GridAxis`
        In the order of ``forms``, which also sets their scale and what holds outside.
    values : array or `~astropy.units.Quantity`
        In the canonical unit of the class, one axis for each of ``axes``; the parametric
        PSFs have one table for each parameter, on a leading axis.
    point_like : bool
        Whether a directional cut is contained in the table.
    fov_alignment : {"RADEC", "ALTAZ", "REVERSE_LON_RADEC"}
        How the axes of the field of view lie, see `gammajax.data.fov_coordinates`.

    Raises
    ------
    ValueError
        If axes and values do not fit, or a value is not finite, or is negative. Tables of
        densities, which are often smoothed, may be negative by 1 % of their largest value.
    """

    axes: tuple[GridAxis, ...]
    values: Any
    point_like: bool = eqx.field(static=True, default=False)
    fov_alignment: str = eqx.field(static=True, default="RADEC")

    forms: ClassVar[tuple[AxisForm, ...]]
    quantities: ClassVar[Quantities]
    hdu_class: ClassVar[str]
    hduclas2: ClassVar[str]
    values_scale: ClassVar[str] = "lin"
    tolerated: ClassVar[float] = 0.0
    """How negative a value may be, in units of the largest; such a value is read as 0."""

    def __init__(
        self,
        axes: Any,
        values: Any,
        *,
        point_like: bool = False,
        fov_alignment: str = "RADEC",
    ) -> None:
        axes = tuple(axes)
        self.point_like, self.fov_alignment = point_like, fov_alignment
        label = type(self).__name__
        names = tuple(axis.name for axis in axes)
        wanted = tuple(form.name for form in self.forms)
        if names != wanted:
            raise ValueError(f"{label}: got the axes {names}, expected {wanted}")
        self.axes = tuple(form.like(axis) for form, axis in zip(self.forms, axes, strict=True))
        if fov_alignment not in ALIGNMENTS:
            raise ValueError(
                f"{label}: fov_alignment is {fov_alignment!r}, expected one of "
                f"{', '.join(ALIGNMENTS)}"
            )
        unit = self.unit if len(self.quantities.units) == 1 else ""
        array = to_value(values, unit, where=f"{label}: values")
        shape = self.shape
        if array.shape != shape:
            raise ValueError(f"{label}: values have shape {array.shape}, the axes want {shape}")
        self.values = array
        self._check(array)

    def _check(self, values: np.ndarray) -> None:
        check_positive(values, type(self).__name__, self.tolerated)

    @property
    def n_negative(self) -> int:
        """How many values are negative; they are read as 0."""
        return int((self.values < 0).sum())

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape that the values have to have."""
        count = len(self.quantities.units)
        return (*([count] if count > 1 else []), *(axis.nbin for axis in self.axes))

    @property
    def unit(self) -> str:
        """The canonical unit of the values."""
        return self.quantities.units[0]

    def axis(self, name: str) -> GridAxis:
        """The axis of this name."""
        for axis in self.axes:
            if axis.name == name:
                return axis
        names = ", ".join(axis.name for axis in self.axes)
        raise ValueError(f"{type(self).__name__}: there is no axis {name!r} (axes: {names})")

    def value(self, **coords: Any) -> Any:
        """The value at coordinates in the units of the axes; pure, for traced code."""
        points = self._points(coords)
        found = interpolate(self.axes, self.values, points, values_scale=self.values_scale)
        return self._from_interpolated(found)

    def value_grid(self, energy: Any, *places: Any) -> Any:
        """The value at each of some energies, the first axis, at places; pure.

        It is `value` on a grid, and faster; see `interpolate_grid`.

        Parameters
        ----------
        energy : array, shape (n,)
            On the first axis of the table.
        *places : arrays of shapes that broadcast
            One for each other axis.

        Returns
        -------
        value : array, shape (n, ...)
        """
        scale = self.values_scale
        found = interpolate_grid(self.axes, self.values, energy, places, values_scale=scale)
        return self._from_interpolated(found)

    def _from_interpolated(self, found: Any) -> Any:
        """What an interpolated number stands for; pure."""
        return jax.numpy.maximum(found, 0.0)

    def evaluate(self, **coords: Any) -> Any:
        """The value as a `~astropy.units.Quantity`.

        Parameters
        ----------
        **coords : `~astropy.units.Quantity`, str or number in the unit of the axis
            One for each axis, of shapes that broadcast. Between the outermost node and the
            edge of its bin the table goes on as a line, not below 0; beyond it is 0.

        Raises
        ------
        ValueError
            If a coordinate is missing or unknown, or its unit does not convert.
        """
        require_x64(type(self).__name__)
        return to_quantity(_value(self, self._numbers(coords)), self.unit)

    def _numbers(self, coords: Mapping[str, Any]) -> dict[str, np.ndarray]:
        label = type(self).__name__
        return {
            form.name: to_value(value, form.unit, where=f"{label}: {form.name}")
            for form, value in zip(self._coord_forms(), self._points(coords), strict=True)
        }

    def _coord_forms(self) -> tuple[AxisForm, ...]:
        return self.forms

    def _points(self, coords: Mapping[str, Any]) -> list[Any]:
        names = [form.name for form in self._coord_forms()]
        if set(coords) != set(names):
            raise ValueError(
                f"{type(self).__name__}: got the coordinates {', '.join(coords) or 'none'}, "
                f"expected {', '.join(names)}"
            )
        return [coords[name] for name in names]

    def slice_by_idx(self, **slices: slice) -> Self:
        """The part of the table in a stretch of its axes, ``offset=slice(0, 2)``."""
        for name in slices:
            self.axis(name)
        axes = [axis.select(slices.get(axis.name, slice(None))) for axis in self.axes]
        index = (..., *(slices.get(axis.name, slice(None)) for axis in self.axes))
        return type(self)(
            axes,
            self.values[index],
            point_like=self.point_like,
            fov_alignment=self.fov_alignment,
        )

    @classmethod
    def read(cls, filename: str | Path, hdu: str | None = None) -> Self:
        """Read a table from a GADF file; see `gammajax.irf.read_irf`.

        Raises
        ------
        ValueError
            If the file is damaged, or the extension holds another kind of response.
        """
        from gammajax.irf.gadf import read_irf

        return read_irf(filename, hdu, kind=cls)

    def write(self, filename: str | Path, *, hdu: str = "", overwrite: bool = False) -> None:
        """Write the table as one extension of a GADF file."""
        from gammajax.irf.gadf import write_irfs

        write_irfs({hdu or self.hduclas2: self}, filename, overwrite=overwrite)

    def peek(self) -> Any:
        """Draw the table; see `gammajax.plots.peek_irf`."""
        from gammajax.plots import peek_irf

        return peek_irf(self)

    def __repr__(self) -> str:
        axes = ", ".join(f"{axis.name} {axis.nbin}" for axis in self.axes)
        kind = "point-like" if self.point_like else "full-enclosure"
        return f"{type(self).__name__}({axes}; {self.unit or 'no unit'}, {kind})"


@eqx.filter_jit
def _value(table: IRF, coords: dict[str, Any]) -> Any:
    return table.value(**coords)


def check_positive(values: np.ndarray, label: str, tolerated: float = 0.0) -> None:
    """Raise if a value is not finite, or below 0 by more than ``tolerated`` of the largest."""
    finite = np.isfinite(values)
    least = -tolerated * values[finite].max(initial=0.0)
    bad = ~finite | (values < least)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{label}: the value at {list(place)} is {values[place]:g} ({int(bad.sum())} of "
            f"{math.prod(values.shape)} are like this), expected {least:.3g} or more"
        )
