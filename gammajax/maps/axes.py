"""Axes of binned data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gammajax.maps.arrays import (
    SCALES,
    default_interp,
    default_unit,
    from_scale,
    frozen_array,
    namespace,
    numbers,
    piecewise_linear,
    to_scale,
)
from gammajax.units import ENERGY, to_quantity, to_value


@dataclass(frozen=True, eq=False)
class MapAxis:
    """Contiguous bins of one quantity, or nodes at which it is known.

    Two axes are equal if all their numbers are, so an axis may be static in compiled code.

    Parameters
    ----------
    edges : array, shape (n + 1,)
        Increasing, in ``unit``.
    name : str
        ``energy`` for reconstructed and ``energy_true`` for true energy.
    unit : str
        Unit of the edges; energies are kept in TeV.
    interp : {"lin", "log", "sqrt"}
        The scale in which bins are halved and values between nodes interpolated.
    nodes : array, shape (n,), optional
        Coordinates at which the data are known, instead of the bins' centres. The edges
        are then derived from them: see `from_nodes`.

    Examples
    --------
    >>> from gammajax.maps import MapAxis
    >>> axis = MapAxis.from_energy_bounds("1 TeV", "100 TeV", nbin=2)
    >>> axis.edges
    array([  1.,  10., 100.])
    >>> axis.center
    array([ 3.16227766, 31.6227766 ])
    >>> axis.coord_to_idx("2 TeV")
    array(0)
    """

    edges: np.ndarray
    name: str = "energy"
    unit: str = ENERGY
    interp: str = "log"
    nodes: np.ndarray | None = None

    def __post_init__(self) -> None:
        where = f"MapAxis {self.name!r}"
        object.__setattr__(self, "unit", str(self.unit))
        edges = frozen_array(to_value(self.edges, self.unit, where=f"{where}: edges"))
        object.__setattr__(self, "edges", edges)
        if edges.ndim != 1 or edges.size < 2:
            raise ValueError(f"{where}: edges have shape {edges.shape}, expected at least two")
        if not np.all(np.isfinite(edges)) or not np.all(np.diff(edges) > 0):
            raise ValueError(f"{where}: edges have to increase; got {edges}")
        if self.interp not in SCALES:
            raise ValueError(
                f"{where}: interp is {self.interp!r}, expected 'lin', 'log' or 'sqrt'"
            )
        if self.interp == "log" and edges[0] <= 0:
            raise ValueError(
                f"{where}: the first edge is {edges[0]:g}, and a logarithmic "
                "axis starts above 0"
            )
        if self.nodes is not None:
            nodes = frozen_array(to_value(self.nodes, self.unit, where=f"{where}: nodes"))
            object.__setattr__(self, "nodes", nodes)
            if nodes.shape != (edges.size - 1,):
                raise ValueError(
                    f"{where}: has {nodes.size} nodes for {edges.size - 1} bins; use from_nodes"
                )

    @classmethod
    def from_edges(
        cls,
        edges: Any,
        *,
        name: str = "energy",
        unit: str | None = None,
        interp: str | None = None,
    ) -> MapAxis:
        """Axis of the given edges.

        Without ``unit``, energies are in TeV and other axes in the unit of ``edges``, if
        they have one. Without ``interp``, energies are logarithmic and other axes linear.
        """
        return cls(edges, name, default_unit(edges, name, unit), default_interp(name, interp))

    @classmethod
    def from_nodes(
        cls,
        nodes: Any,
        *,
        name: str = "energy",
        unit: str | None = None,
        interp: str | None = None,
    ) -> MapAxis:
        """Axis whose data are known at the given coordinates.

        The edges lie halfway between the nodes, in the scale of the axis, and as far beyond
        the first and the last. A single node has a bin of width 1, or of one decade on a
        logarithmic axis.
        """
        unit, interp = default_unit(nodes, name, unit), default_interp(name, interp)
        values = np.atleast_1d(to_value(nodes, unit, where=f"MapAxis {name!r}: nodes"))
        if values.ndim != 1 or not np.all(np.diff(values) > 0):
            raise ValueError(f"MapAxis {name!r}: nodes have to increase; got {values}")
        if interp == "log" and np.any(values <= 0):
            raise ValueError(
                f"MapAxis {name!r}: the first node is {values[0]:g}, and a logarithmic axis "
                "starts above 0"
            )
        if values.size == 1:
            log = interp == "log"
            edges = values * np.sqrt([0.1, 10]) if log else values + np.array([-0.5, 0.5])
        else:
            pixel = np.arange(values.size)
            scaled = piecewise_linear(
                np.arange(values.size + 1) - 0.5, pixel, to_scale(values, interp)
            )
            edges = from_scale(scaled, interp)
        return cls(edges, name, unit, interp, values)

    @classmethod
    def from_bounds(
        cls,
        lo_bnd: Any,
        hi_bnd: Any,
        nbin: int,
        *,
        name: str = "energy",
        unit: str | None = None,
        interp: str | None = None,
        node_type: str = "edges",
    ) -> MapAxis:
        """Axis of ``nbin`` bins (or nodes) that are even in its scale, between two bounds."""
        unit, interp = default_unit(lo_bnd, name, unit), default_interp(name, interp)
        where = f"MapAxis {name!r}"
        low, high = (float(to_value(v, unit, where=where)) for v in (lo_bnd, hi_bnd))
        if nbin < 1:
            raise ValueError(f"{where}: nbin is {nbin}, expected 1 or more")
        if not low < high or (interp == "log" and low <= 0):
            raise ValueError(
                f"{where}: bounds {low:g} to {high:g}, expected them to increase"
                + (" and to be above 0" if interp == "log" else "")
            )
        size = nbin + 1 if node_type == "edges" else nbin
        values = from_scale(
            np.linspace(to_scale(low, interp), to_scale(high, interp), size), interp
        )
        values[0], values[-1] = low, high  # exact, where the scale would round
        if node_type == "edges":
            return cls(values, name, unit, interp)
        if node_type != "center":
            raise ValueError(
                f"{where}: node_type is {node_type!r}, expected 'edges' or 'center'"
            )
        return cls.from_nodes(values, name=name, unit=unit, interp=interp)

    @classmethod
    def from_energy_edges(cls, edges: Any, *, name: str = "energy") -> MapAxis:
        """Logarithmic energy axis of the given edges."""
        return cls(edges, name)

    @classmethod
    def from_energy_bounds(
        cls,
        energy_min: Any,
        energy_max: Any,
        nbin: int,
        *,
        per_decade: bool = False,
        name: str = "energy",
    ) -> MapAxis:
        """Logarithmic energy axis with ``nbin`` bins between two energies (or a decade)."""
        low = float(to_value(energy_min, ENERGY, where="energy_min"))
        high = float(to_value(energy_max, ENERGY, where="energy_max"))
        if not 0 < low < high:
            raise ValueError(f"energy bounds {low:g} to {high:g} TeV: expected 0 < min < max")
        if per_decade:
            nbin = int(np.ceil(np.log10(high / low) * nbin))
        if nbin < 1:
            raise ValueError(f"nbin is {nbin}, expected 1 or more")
        return cls(np.geomspace(low, high, nbin + 1), name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MapAxis) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[Any, ...]:
        nodes = None if self.nodes is None else self.nodes.tobytes()
        return (self.name, self.unit, self.interp, self.edges.tobytes(), nodes)

    @property
    def nbin(self) -> int:
        """Number of bins."""
        return self.edges.size - 1

    @property
    def node_type(self) -> str:
        """``center`` if the axis was made of nodes, else ``edges``."""
        return "edges" if self.nodes is None else "center"

    @property
    def edges_min(self) -> np.ndarray:
        """Lower edges of the bins."""
        return self.edges[:-1]

    @property
    def edges_max(self) -> np.ndarray:
        """Upper edges of the bins."""
        return self.edges[1:]

    @property
    def center(self) -> np.ndarray:
        """Bin centres in the scale of the axis (geometric if it is logarithmic), or nodes."""
        if self.nodes is not None:
            return self.nodes
        if self.interp == "log":
            return np.sqrt(self.edges_min * self.edges_max)
        scaled = to_scale(self.edges, self.interp)
        return from_scale((scaled[:-1] + scaled[1:]) / 2, self.interp)

    @property
    def bin_width(self) -> np.ndarray:
        """Widths of the bins."""
        return np.diff(self.edges)

    def quantity(self) -> Any:
        """The edges as a `~astropy.units.Quantity`."""
        return to_quantity(self.edges, self.unit)

    def rename(self, name: str) -> MapAxis:
        """The same axis of another name."""
        return replace(self, name=name)

    def coord_to_pix(self, coord: Any) -> Any:
        """Position along the axis in bins: i at the centre of bin i.

        Straight on beyond the ends. Traced coordinates are taken to be in the axis's unit.
        """
        coord = numbers(coord, self.unit, where=f"MapAxis {self.name!r}: coordinate")
        xs, ys = self._scaled_pixels()
        return piecewise_linear(to_scale(coord, self.interp), xs, ys)

    def pix_to_coord(self, pix: Any) -> Any:
        """The coordinate at a position in bins: the inverse of `coord_to_pix`."""
        xs, ys = self._scaled_pixels()
        pix = pix if namespace(pix) is not np else np.asarray(pix, dtype=float)
        return from_scale(piecewise_linear(pix, ys, xs), self.interp)

    def _scaled_pixels(self) -> tuple[np.ndarray, np.ndarray]:
        if self.nodes is not None and self.nbin > 1:
            return to_scale(self.nodes, self.interp), np.arange(self.nbin, dtype=float)
        return to_scale(self.edges, self.interp), np.arange(self.nbin + 1) - 0.5

    def coord_to_idx(self, coord: Any, *, clip: bool = False) -> Any:
        """The bin of each coordinate: its lower edge belongs to it, its upper one does not.

        Outside the axis it is -1, or with ``clip`` the nearest bin.
        """
        coord = numbers(coord, self.unit, where=f"MapAxis {self.name!r}: coordinate")
        xp = namespace(coord)
        index = xp.searchsorted(xp.asarray(self.edges), coord, side="right") - 1
        if clip:
            return xp.clip(index, 0, self.nbin - 1)
        return xp.where((coord >= self.edges[0]) & (coord < self.edges[-1]), index, -1)

    def mask(self, low: Any = None, high: Any = None) -> np.ndarray:
        """The bins that lie wholly between two values, edges compared to 1e-6 relative."""
        inside = np.ones(self.nbin, dtype=bool)
        slack = 1e-6 * self.bin_width
        if low is not None:
            inside &= self.edges_min >= to_value(low, self.unit, where="low") - slack
        if high is not None:
            inside &= self.edges_max <= to_value(high, self.unit, where="high") + slack
        return inside

    def slice(self, index: int | slice) -> MapAxis:
        """The bins of a slice (of step 1), or one bin."""
        from gammajax.maps import rebin

        return rebin.sliced(self, index)

    def squash(self) -> MapAxis:
        """One bin over the whole range."""
        return MapAxis(self.edges[[0, -1]], self.name, self.unit, self.interp)

    def resample(self, axis: MapAxis) -> MapAxis:
        """The axis whose edges are those of this one that are nearest to another's edges."""
        from gammajax.maps import rebin

        return rebin.resampled(self, axis)

    def downsample(self, factor: int) -> MapAxis:
        """Join ``factor`` neighbouring bins, or keep every ``factor``-th node."""
        from gammajax.maps import rebin

        return rebin.downsampled(self, factor)

    def upsample(self, factor: int) -> MapAxis:
        """Divide every bin (or step between nodes) by ``factor``, evenly in its scale."""
        from gammajax.maps import rebin

        return rebin.upsampled(self, factor)

    def concatenate(self, other: MapAxis) -> MapAxis:
        """This axis and another one that starts where it ends."""
        from gammajax.maps import rebin

        return rebin.concatenated(self, other)

    def is_close(self, other: Any, rtol: float = 1e-5) -> bool:
        """Whether two axes have the same edges within ``rtol``."""
        return (
            isinstance(other, MapAxis)
            and self.edges.shape == other.edges.shape
            and bool(np.allclose(self.edges, other.edges, rtol=rtol, atol=0))
        )

    def __repr__(self) -> str:
        what = "bins" if self.nodes is None else "nodes"
        ends = self.edges if self.nodes is None else self.nodes
        return (
            f"MapAxis({self.name}: {self.nbin} {what}, {ends[0]:.4g} to "
            f"{ends[-1]:.4g} {self.unit}, {self.interp})"
        )
