"""Responses on the sky: tables whose values change from place to place.

A map of a response has a coarse geometry and, at each of its pixels, a table. `IRFMap.at`
gives the table at one direction, also of a traced one, so that the response follows a source
that moves in a fit.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.maps import Map, MapAxis, RegionGeom, WcsGeom
from gammajax.maps.projection import SkyToPix
from gammajax.units import conversion_factor


class IRFMap(eqx.Module):
    """Base of the responses on the sky.

    Parameters
    ----------
    values : `~gammajax.maps.WcsNDMap` or `~gammajax.maps.RegionNDMap`
        The response; its axes are those of the class, in order. That of a region holds all
        over the sky.
    exposure : as ``values``, optional
        In cm2 s: the weight of each pixel when maps are stacked. A pixel with no exposure
        has no response, and the one of the nearest pixel that has some holds there. So it is
        for a spread of 0; a dispersion of 0 says that no event is left in any bin.

    Raises
    ------
    ValueError
        If an axis is missing, a unit does not convert, or a value is not finite.
    """

    values: Map
    exposure: Map | None
    locate: SkyToPix
    table: Any

    axes_names: ClassVar[tuple[str, ...]] = ()
    axes_units: ClassVar[tuple[str, ...]] = ()
    unit: ClassVar[str] = ""
    hdu: ClassVar[str] = ""
    zero_is_known: ClassVar[bool] = False

    def __init__(self, values: Map, exposure: Map | None = None) -> None:
        label = type(self).__name__
        values = _on_sky(_with_axes(values, self.axes_names, self.axes_units, label))
        factor = conversion_factor(values.unit, self.unit, where=f"{label}: values")
        data = np.asarray(values.data, dtype=np.float64) * factor
        if not np.isfinite(data).all():
            number = int((~np.isfinite(data)).sum())
            raise ValueError(f"{label}: {number} of {data.size} values are not finite")
        self.values = values.with_data(data, unit=self.unit)
        self.exposure = None if exposure is None else _on_sky(exposure.to_unit("cm2 s"))
        self.locate = SkyToPix.from_geom(values.geom)
        self.table = _filled(data, self.exposure, self.zero_is_known)

    @property
    def geom(self) -> Any:
        """The geometry of the values."""
        return self.values.geom

    def axis(self, name: str) -> MapAxis:
        """The axis of this name."""
        return self.values.geom.axes[name]

    @property
    def is_uniform(self) -> bool:
        """Whether the response is the same at each pixel."""
        first = self.table[..., :1, :1]
        return bool(np.all(self.table == first))

    def at(self, direction: Any) -> Any:
        """The table at a direction; pure, and differentiable.

        Parameters
        ----------
        direction : array, shape (3,)
            Unit vector in the frame of the geometry.

        Returns
        -------
        table : array, shape of the axes, the last one first
            Bilinear between the pixels, constant beyond the outermost ones.
        """
        return bilinear(self.table, self.locate, direction)

    @classmethod
    def read(cls, filename: Any, *, hdu: str | None = None) -> Self:
        """Read a response and, if it is there, its exposure from a file of gammapy."""
        from gammajax.maps.io import map_from_hdus, open_fits

        hdus = open_fits(filename)
        return cls.from_hdus(hdus, str(filename), hdu, map_from_hdus)

    @classmethod
    def from_hdus(cls, hdus: Any, where: str, hdu: str | None, reader: Any) -> Self:
        """The response in the opened extensions of a file."""
        name = (hdu or cls.hdu).upper()
        values = reader(hdus, where, name)
        weight = f"{name}_EXPOSURE"
        found = [item.name for item in hdus]
        exposure = reader(hdus, where, weight) if weight in found else None
        try:
            return cls(values, exposure)
        except ValueError as error:
            raise ValueError(f"{where}[{name}]: {error}") from None

    def to_hdus(self, hdu: str | None = None) -> list[Any]:
        """The extensions of the response and its exposure, in the format of gammapy."""
        from gammajax.maps.io import map_hdus

        name = (hdu or self.hdu).upper()
        found = map_hdus(self.values, name)
        if self.exposure is not None:
            found += map_hdus(self.exposure, f"{name}_EXPOSURE")
        return found

    def write(self, filename: Any, *, hdu: str | None = None, overwrite: bool = False) -> None:
        """Write the response in the format of gammapy, all or nothing."""
        from pathlib import Path

        from gammajax.fits import write_tables

        write_tables({Path(filename): self.to_hdus(hdu)}, overwrite=overwrite)

    def cutout(self, position: Any, width: Any) -> Self:
        """The part of the sky around a position; see `WcsGeom.cutout`."""
        values: Any = self.values
        exposure: Any = self.exposure
        if exposure is not None:
            exposure = exposure.cutout(position, width)
        return type(self)(values.cutout(position, width), exposure)

    def __repr__(self) -> str:
        axes = ", ".join(f"{axis.name} {axis.nbin}" for axis in self.geom.axes)
        return (
            f"{type(self).__name__}({axes}; {self.geom.npix[0]} x {self.geom.npix[1]} pixels)"
        )


def bilinear(table: Any, locate: SkyToPix, direction: Any) -> Any:
    """Values of ``table``, shape (..., y, x), at a unit vector; constant beyond the border."""
    x, y = locate.vector_to_pix(direction)
    return at_pixel(table, x, y)


@partial(jax.jit, inline=True)
def at_pixel(table: Any, x: Any, y: Any) -> Any:
    """Values of ``table``, shape (..., ny, nx), at a fractional pixel; constant outside.

    One small program where it is called on the host, a part of the caller's elsewhere.
    """
    ny, nx = table.shape[-2:]
    (row, rows), (column, columns) = _pair(y, ny), _pair(x, nx)
    start = [0] * (table.ndim - 2) + [row, column]
    sizes = (*table.shape[:-2], rows.size, columns.size)
    part = jax.lax.dynamic_slice(jnp.asarray(table), start, sizes)
    return jnp.einsum("...yx,y,x->...", part, rows, columns)


def _pair(place: Any, size: int) -> tuple[Any, Any]:
    """The first of the two pixels around a place, and the weights of both."""
    if size == 1:
        return 0, jnp.ones(1)
    place = jnp.clip(place, 0.0, size - 1.0)
    low = jnp.clip(jnp.floor(place).astype(int), 0, size - 2)
    return low, jnp.stack([1 - (place - low), place - low])


def _with_axes(values: Map, names: tuple[str, ...], units: tuple[str, ...], label: str) -> Map:
    """The map with its axes named and in the units wanted; ``theta`` is an old ``rad``."""
    axes = values.geom.axes
    if "theta" in axes.names and "rad" in names:
        axes = axes.rename({"theta": "rad"})
    if axes.names != names:
        raise ValueError(f"{label}: the axes are {axes.names}, expected {names}")
    made = [
        axis if axis.unit == unit else _converted(axis, unit, label)
        for axis, unit in zip(axes, units, strict=True)
    ]
    return values.with_data(values.data, geom=values.geom.with_axes(made))


def _on_sky(found: Map) -> Map:
    """A map of one region as one of the whole sky, on which a source may be anywhere."""
    if not isinstance(found.geom, RegionGeom):
        return found
    geom = WcsGeom.create(npix=(2, 1), binsz=180.0, proj="CAR", frame=found.geom.frame)
    geom = geom.to_cube(list(found.geom.axes))
    return Map.from_geom(geom, data=np.repeat(found.data, 2, axis=-1), unit=found.unit)


def _converted(axis: MapAxis, unit: str, label: str) -> MapAxis:
    factor = conversion_factor(axis.unit, unit, where=f"{label}: axis {axis.name}")
    nodes = None if axis.nodes is None else axis.nodes * factor
    return MapAxis(axis.edges * factor, axis.name, unit, axis.interp, nodes)


def _filled(data: np.ndarray, exposure: Map | None, zero_is_known: bool) -> np.ndarray:
    """The tables, with those of pixels that have none taken from the nearest that has one."""
    from scipy.ndimage import distance_transform_edt

    known = data.reshape(data.shape[0], -1, *data.shape[-2:]).max(axis=1) > 0
    known |= zero_is_known
    if exposure is not None and exposure.data.shape[-2:] == data.shape[-2:]:
        weight = np.asarray(exposure.data).reshape(data.shape[0], -1, *data.shape[-2:])
        covered = weight.max(axis=1) > 0
        known = known & covered if (known & covered).any() else known
    table = data.copy()
    for row, valid in zip(table, known, strict=True):
        if valid.any() and not valid.all():
            place: Any = distance_transform_edt(
                ~valid, return_distances=False, return_indices=True
            )
            row[...] = row[..., place[0], place[1]]
    return table
