"""What geometries of all kinds share: axes, coordinates, sky positions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from gammajax.maps.arrays import is_jax, is_traced
from gammajax.maps.frames import rotated
from gammajax.maps.map_axes import MapAxes
from gammajax.units import is_quantity, to_value


def sky_position(position: Any, frame: str) -> Any:
    """A `~astropy.coordinates.SkyCoord` in ``frame``.

    Parameters
    ----------
    position : `~astropy.coordinates.SkyCoord` or pair of longitude and latitude
        Bare numbers are degrees in ``frame``. None is the origin of the frame.
    frame : {"icrs", "galactic", "fk5"}
    """
    from astropy.coordinates import SkyCoord

    if position is None:
        position = (0.0, 0.0)
    if isinstance(position, SkyCoord):
        return position.transform_to(frame)
    lon, lat = (to_value(value, "deg", where="sky position") for value in position)
    return SkyCoord(lon, lat, unit="deg", frame=frame)


@dataclass(frozen=True)
class MapCoord(Mapping):
    """Coordinates of points by name: ``lon``, ``lat`` in deg, and one array for every axis.

    Examples
    --------
    >>> from gammajax.maps import WcsGeom
    >>> coords = WcsGeom.create(skydir=(83.6, 22.0), npix=3, binsz=0.1).get_coord()
    >>> coords["lat"][:, 1].round(3)
    array([21.9, 22. , 22.1])
    >>> coords.skycoord.shape
    (3, 3)
    """

    values_by_name: dict[str, Any]
    frame: str = "icrs"

    @property
    def skycoord(self) -> Any:
        """The positions as a `~astropy.coordinates.SkyCoord`."""
        return sky_position((self["lon"], self["lat"]), self.frame)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape to which all coordinates broadcast."""
        return np.broadcast_shapes(*(np.shape(value) for value in self.values()))

    def __getitem__(self, name: str) -> Any:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)


class Geom(ABC):
    """A geometry of bins; hashable, so that it is static in compiled code."""

    axes: MapAxes
    frame: str

    @property
    @abstractmethod
    def key(self) -> tuple[Any, ...]:
        """What tells one geometry from another."""

    @property
    @abstractmethod
    def data_shape(self) -> tuple[int, ...]:
        """Shape of a map's array."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Geom) and (self is other or self.key == other.key)

    def __hash__(self) -> int:
        return hash(self.key)

    def with_axes(self, axes: Any) -> Self:
        """The same sky with other axes."""
        this: Any = self
        return replace(this, axes=MapAxes(axes))

    def to_image(self) -> Self:
        """The sky alone, without other axes."""
        return self.with_axes(())

    def to_cube(self, axes: Any) -> Self:
        """The same sky with ``axes`` added after those that are there."""
        return self.with_axes((*self.axes, *axes))

    def squash(self, axis_name: str) -> Self:
        """One axis reduced to one bin."""
        return self.with_axes(self.axes.squash(axis_name))

    def drop(self, axis_name: str) -> Self:
        """One axis removed."""
        return self.with_axes(self.axes.drop(axis_name))

    def replace_axis(self, axis: Any) -> Self:
        """``axis`` in the place of the one that has its name."""
        return self.with_axes(self.axes.replace(axis))

    def rename_axes(self, names: dict[str, str]) -> Self:
        """Axes with other names."""
        return self.with_axes(self.axes.rename(names))

    def downsample(self, factor: int, axis_name: str | None = None) -> Self:
        """Join ``factor`` bins of an axis."""
        return self.replace_axis(self.axes[_named(axis_name)].downsample(factor))

    def upsample(self, factor: int, axis_name: str | None = None) -> Self:
        """Divide each bin of an axis in ``factor`` parts."""
        return self.replace_axis(self.axes[_named(axis_name)].upsample(factor))

    def slice_by_idx(self, slices: dict[str, int | slice]) -> Self:
        """Some bins of the axes; a number removes the axis."""
        return self.with_axes(self.axes.slice_by_idx(slices))

    def resample_axis(self, axis: Any) -> Self:
        """An axis with the edges that are nearest to those of ``axis``."""
        return self.replace_axis(self.axes[axis.name].resample(axis))


def _named(axis_name: str | None) -> str:
    if axis_name is None:
        raise ValueError("downsample and upsample: give the axis with axis_name=")
    return axis_name


def coordinates(coords: Any, geom: Geom) -> dict[str, Any]:
    """Coordinates as numbers: ``lon`` and ``lat`` in deg in the geometry's frame, and axes.

    Parameters
    ----------
    coords : `MapCoord`, mapping, `~astropy.coordinates.SkyCoord` or tuple
        A mapping has ``skycoord``, or ``lon`` and ``lat``, and a name for every axis; a tuple
        has longitude and latitude (or one SkyCoord) first.
    geom : `Geom`

    Raises
    ------
    ValueError
        If a coordinate is missing or unknown.
    """
    names = geom.axes.names
    if hasattr(coords, "spherical"):
        coords = {"skycoord": coords}
    elif not isinstance(coords, Mapping):
        coords = tuple(coords)
        first = ("skycoord",) if hasattr(coords[0], "spherical") else ("lon", "lat")
        if len(coords) != len(first) + len(names):
            raise ValueError(
                f"{type(geom).__name__}: got {len(coords)} coordinates, expected "
                f"{', '.join((*first, *names))}"
            )
        coords = dict(zip((*first, *names), coords, strict=True))
    found = {key: coords[key] for key in coords}
    if isinstance(coords, MapCoord) and coords.frame != geom.frame:
        if is_traced(found["lon"]) or is_traced(found["lat"]):
            sky = rotated(found["lon"], found["lat"], coords.frame, geom.frame)
            found["lon"], found["lat"] = sky
        else:
            found["skycoord"] = coords.skycoord
    if "skycoord" in found:
        position = found.pop("skycoord").transform_to(geom.frame)
        found["lon"] = position.spherical.lon.deg
        found["lat"] = position.spherical.lat.deg
    wanted = {"lon", "lat", *names}
    if missing := wanted - set(found):
        raise ValueError(
            f"{type(geom).__name__}: the coordinates lack {', '.join(sorted(missing))}; "
            f"expected skycoord (or lon and lat){''.join(', ' + name for name in names)}"
        )
    for key in ("lon", "lat"):
        if not is_jax(found[key]):
            found[key] = to_value(found[key], "deg", where=key)
    return {key: found[key] for key in ("lon", "lat", *names)}


def pair(value: Any, unit: str, where: str) -> tuple[float, float]:
    """One number for both directions, or one for each."""
    if isinstance(value, tuple | list) and not is_quantity(value):
        numbers = [float(to_value(item, unit, where=where)) for item in value]
    else:
        numbers = np.atleast_1d(to_value(value, unit, where=where)).tolist()
    if len(numbers) not in (1, 2):
        raise ValueError(f"{where}: got {value!r}, expected one or two numbers")
    return numbers[0], numbers[-1]
