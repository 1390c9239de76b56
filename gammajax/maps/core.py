"""Maps: values on a geometry."""

from __future__ import annotations

import json
from typing import Any, Self

import equinox as eqx
import numpy as np

import gammajax.config  # noqa: F401 (turns on double precision)
from gammajax.maps import arithmetic, resampling
from gammajax.maps.arrays import is_jax, namespace
from gammajax.maps.geom import Geom
from gammajax.units import conversion_factor, is_quantity, to_quantity


def _array(value: Any) -> Any:
    """Values as they are kept: JAX arrays as they are, others as native NumPy arrays."""
    if is_jax(value) or not (np.isscalar(value) or hasattr(value, "__array__")):
        # placeholders that JAX puts into a tree while it transforms it pass through
        return value if not isinstance(value, list | tuple) else np.asarray(value)
    array = np.asarray(value)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def map_class(geom: Geom) -> Any:
    """The kind of map that a geometry has."""
    from gammajax.maps.hpx_geom import HpxGeom
    from gammajax.maps.hpx_map import HpxNDMap
    from gammajax.maps.region_geom import RegionGeom
    from gammajax.maps.region_map import RegionNDMap
    from gammajax.maps.wcs_map import WcsNDMap

    kinds = {HpxGeom: HpxNDMap, RegionGeom: RegionNDMap}
    return kinds.get(type(geom), WcsNDMap)


class Map(eqx.Module):
    """Values on a geometry: the base of `WcsNDMap`, `HpxNDMap` and `RegionNDMap`.

    The values are the one array that JAX sees; geometry and unit are static. Operations keep
    NumPy arrays on the host, and trace JAX arrays.

    Parameters
    ----------
    geom : `WcsGeom`
    data : array, shape ``geom.data_shape``
        One number, or anything that broadcasts to the shape. A quantity brings its unit.
    unit : str
    meta : dict, optional
        Anything that JSON can hold; it is kept by operations, and written to files. It is
        static: compiled functions are compiled again for maps with another one.

    Examples
    --------
    >>> from gammajax.maps import Map
    >>> counts = Map.create(npix=(4, 3), binsz=0.1, unit="s")
    >>> total = (counts + 2.0 * Map.from_geom(counts.geom, data=1.0, unit="min")).data.sum()
    >>> float(total)
    1440.0
    """

    data: Any = eqx.field(converter=_array)
    geom: Any = eqx.field(static=True)
    unit: str = eqx.field(static=True)
    _meta: str = eqx.field(static=True, default="{}")

    def __init__(
        self, geom: Geom, data: Any = None, unit: Any = "", *, meta: Any = None
    ) -> None:
        if is_quantity(data):
            data, unit = data.value, data.unit if str(unit) == "" else unit
        values = _array(0.0 if data is None else data)
        shape = getattr(values, "shape", geom.data_shape)
        if shape != geom.data_shape:
            try:
                values = namespace(values).broadcast_to(values, geom.data_shape)
            except ValueError:
                raise ValueError(
                    f"{type(self).__name__}: data have shape {shape}, the geometry wants "
                    f"{geom.data_shape}"
                ) from None
            values = values.copy()
        self.data = values
        self.geom = geom
        self.unit = arithmetic.unit_text(unit)
        self._meta = meta if isinstance(meta, str) else json.dumps(meta or {})

    @staticmethod
    def create(
        *, map_type: str = "wcs", unit: Any = "", dtype: Any = np.float64, **options: Any
    ) -> Map:
        """An empty map.

        Parameters
        ----------
        map_type : {"wcs", "hpx", "region"}
        unit : str
        dtype : dtype
        **options
            For the geometry: see `WcsGeom.create`, `HpxGeom.create`, `RegionGeom.create`.
        """
        from gammajax.maps.hpx_geom import HpxGeom
        from gammajax.maps.region_geom import RegionGeom
        from gammajax.maps.wcs_geom import WcsGeom

        geoms: dict[str, Any] = {"wcs": WcsGeom, "hpx": HpxGeom, "region": RegionGeom}
        if map_type not in geoms:
            raise ValueError(f"map_type is {map_type!r}, expected {' or '.join(geoms)}")
        geom = geoms[map_type].create(**options)
        return Map.from_geom(geom, unit=unit, dtype=dtype)

    @staticmethod
    def from_geom(
        geom: Any, *, data: Any = None, unit: Any = "", dtype: Any = np.float64
    ) -> Map:
        """A map on a geometry, zero unless ``data`` are given."""
        if data is None:
            data = np.zeros(geom.data_shape, dtype=dtype)
        return map_class(geom)(geom, data, unit)

    @staticmethod
    def read(filename: Any, *, hdu: str | int | None = None) -> Map:
        """Read a map: see `gammajax.maps.io.read_map`."""
        from gammajax.maps.io import read_map

        return read_map(filename, hdu=hdu)

    def write(self, filename: Any, **options: Any) -> None:
        """Write the map, by default in gammapy's format: see `gammajax.maps.io.write_map`."""
        from gammajax.maps.io import write_map

        write_map(self, filename, **options)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the image: see `gammajax.plots.plot_map`."""
        from gammajax.plots import plot_map

        return plot_map(self, ax, **options)

    def plot_grid(self, **options: Any) -> Any:
        """Draw every image of a cube: see `gammajax.plots.plot_map_grid`."""
        from gammajax.plots import plot_map_grid

        return plot_map_grid(self, **options)

    def plot_interactive(self, **options: Any) -> Any:
        """A widget with a slider for every axis: see `gammajax.plots.plot_map_interactive`."""
        from gammajax.plots import plot_map_interactive

        return plot_map_interactive(self, **options)

    @property
    def quantity(self) -> Any:
        """The values as a `~astropy.units.Quantity`."""
        return to_quantity(self.data, self.unit)

    @property
    def is_mask(self) -> bool:
        """Whether the values are bools."""
        return self.data.dtype == bool

    def with_data(self, data: Any, *, geom: Any = None, unit: Any = None) -> Self:
        """Other values, and if given another geometry and unit."""
        unit = self.unit if unit is None else unit
        return type(self)(geom or self.geom, data, unit, meta=self._meta)

    @property
    def meta(self) -> dict[str, Any]:
        """What is noted beside the values: a new dict, see `with_meta`."""
        return json.loads(self._meta)

    def with_meta(self, meta: dict[str, Any]) -> Self:
        """The same map with other notes."""
        return type(self)(self.geom, self.data, self.unit, meta=meta)

    def to_unit(self, unit: Any) -> Self:
        """The values converted to another unit."""
        text = arithmetic.unit_text(unit)
        factor = conversion_factor(self.unit, text, where=f"{type(self).__name__}")
        return self.with_data(self.data * factor, unit=text)

    def is_allclose(self, other: Map, rtol: float = 1e-5, atol: float = 0.0) -> bool:
        """Whether both have the same axes and the same values, NaN equal to NaN."""
        close = self.geom.axes.is_close(other.geom.axes)
        same = self.data.shape == other.data.shape and close
        values = other.to_unit(self.unit).data if same else None
        return same and bool(
            np.allclose(self.data, np.asarray(values), rtol, atol, equal_nan=True)
        )

    def __add__(self, other: Any) -> Self:
        return arithmetic.combine(self, other, "add")

    def __sub__(self, other: Any) -> Self:
        return arithmetic.combine(self, other, "subtract")

    def __mul__(self, other: Any) -> Self:
        return arithmetic.combine(self, other, "multiply")

    def __truediv__(self, other: Any) -> Self:
        return arithmetic.combine(self, other, "divide")

    __radd__ = __add__
    __rmul__ = __mul__

    def __pow__(self, power: float) -> Self:
        from astropy.units import Unit

        return self.with_data(self.data**power, unit=Unit(self.unit) ** power)

    def __neg__(self) -> Self:
        return self.with_data(-self.data)

    def __and__(self, other: Any) -> Self:
        return arithmetic.combine(self, other, "logical_and")

    def __or__(self, other: Any) -> Self:
        return arithmetic.combine(self, other, "logical_or")

    def __xor__(self, other: Any) -> Self:
        return arithmetic.combine(self, other, "logical_xor")

    def __invert__(self) -> Self:
        arithmetic.require_mask(self)
        return self.with_data(~self.data)

    def __gt__(self, other: Any) -> Self:
        return arithmetic.combine(self, other, "greater")

    def __ge__(self, other: Any) -> Self:
        return arithmetic.combine(self, other, "greater_equal")

    def __lt__(self, other: Any) -> Self:
        return arithmetic.combine(self, other, "less")

    def __le__(self, other: Any) -> Self:
        return arithmetic.combine(self, other, "less_equal")

    def fill_by_coord(self, coords: Any, weights: Any = None) -> Self:
        """A map with the number (or weights) of points in each bin added."""
        index = self.geom.coord_to_idx(coords)
        return self.with_data(resampling.filled(self.data, index, weights))

    def get_by_coord(self, coords: Any) -> Any:
        """The value of the bin of each point; NaN outside the map."""
        index = self.geom.coord_to_idx(coords)
        inside = np.array(True)
        for item in index:
            inside = inside & (item >= 0)
        values = self.get_by_idx(tuple(np.where(inside, item, 0) for item in index))
        return namespace(values).where(inside, values, np.nan)

    def get_by_idx(self, index: tuple[Any, ...]) -> Any:
        """The values of bins: x and y (or the HEALPix pixel), then the axes."""
        return self.data[tuple(reversed(index))]

    def interp_to_geom(self, geom: Any, **options: Any) -> Any:
        """The values interpolated at the bin centres of another geometry, of any kind."""
        this: Any = self
        values = this.interp_by_coord(geom.get_coord(sparse=True), **options)
        return Map.from_geom(geom, data=values, unit=self.unit)

    def slice_by_idx(self, slices: dict[str, int | slice]) -> Self:
        """Some bins of the axes; a number removes the axis."""
        parts = [slices.get(name, slice(None)) for name in reversed(self.geom.axes.names)]
        return self.with_data(self.data[tuple(parts)], geom=self.geom.slice_by_idx(slices))

    def reduce(self, axis_name: str, *, func: str = "add", keepdims: bool = False) -> Self:
        """One axis reduced by ``add``, ``multiply``, ``maximum``, ``minimum``, or logic."""
        return resampling.reduce(self, axis_name, func, keepdims)

    def sum_over_axes(self, axes_names: Any = None, *, keepdims: bool = True) -> Self:
        """The sum over axes, by default all, each kept as one bin unless told."""
        found = self
        for name in self.geom.axes.names if axes_names is None else axes_names:
            found = found.reduce(name, keepdims=keepdims)
        return found

    def resample_axis(self, axis: Any, *, weights: Any = None) -> Self:
        """Sum the bins of one axis into those of ``axis``, which follow its edges."""
        return resampling.resample_axis(self, axis, weights)

    def __repr__(self) -> str:
        kind = getattr(self.data, "dtype", "")
        unit = f" in {self.unit}" if self.unit else ""
        return f"{type(self).__name__}({self.geom!r}, {kind}{unit})"
