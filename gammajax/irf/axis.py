"""Axes of response tables: nodes, the bins around them, and what lies outside."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import numpy as np

from gammajax.units import to_quantity, to_value

SCALES = ("lin", "log", "sqrt")
OUTSIDE = ("nearest", "extrapolate", "fill", "hold")

SLACK = 0.4
"""How far nodes may lie from even spacing, in steps, so that a guessed cell is off by one."""


def forward(scale: str, x: Any, xp: Any = np) -> Any:
    """The coordinate in which interpolation along an axis is linear."""
    if scale == "log":
        return xp.log(xp.maximum(x, np.finfo(np.float64).tiny))
    return xp.sqrt(xp.maximum(x, 0.0)) if scale == "sqrt" else x


class GridAxis(eqx.Module):
    """One axis of a table: a value belongs to each node, and a bin lies around it.

    Parameters
    ----------
    edges_min, edges_max : array or `~astropy.units.Quantity`, shape (n,)
        Lower and upper edges of the bins. Where both are equal, the table is given at nodes.
    name : str
    unit : str
        Unit of the axis; bare numbers are in it already.
    scale : {"lin", "log", "sqrt"}
        The coordinate in which interpolation is linear. It sets the nodes as well: the middle
        of each bin in this coordinate, for ``"sqrt"`` the plain middle.
    outside : {"nearest", "extrapolate", "fill", "hold"}
        What holds beyond the outermost nodes: their value; the line through the outermost
        two; this line as far as the edge of the bin, and a fill value beyond; or their value as
        far as the edge, and a fill value beyond.

    Raises
    ------
    ValueError
        If the edges do not increase, are not finite, or not above 0 on a logarithmic axis.

    Examples
    --------
    >>> axis = GridAxis([1.0, 10.0], [10.0, 1000.0], "energy_true", "TeV", "log")
    >>> axis.center
    array([  3.16227766, 100.        ])
    """

    edges_min: Any
    edges_max: Any
    center: Any
    name: str = eqx.field(static=True)
    unit: str = eqx.field(static=True)
    scale: str = eqx.field(static=True)
    outside: str = eqx.field(static=True)
    even: bool = eqx.field(static=True)
    is_nodes: bool = eqx.field(static=True)
    """Whether the table is given at nodes, with no bins around them."""

    def __init__(
        self,
        edges_min: Any,
        edges_max: Any,
        name: str,
        unit: str = "",
        scale: str = "lin",
        outside: str = "nearest",
    ) -> None:
        where = f"axis {name!r}"
        if scale not in SCALES or outside not in OUTSIDE:
            raise ValueError(
                f"{where}: got scale {scale!r} and outside {outside!r}, expected one of "
                f"{', '.join(SCALES)} and one of {', '.join(OUTSIDE)}"
            )
        low = to_value(edges_min, unit, where=f"{where}, lower edges")
        high = to_value(edges_max, unit, where=f"{where}, upper edges")
        if low.ndim != 1 or low.shape != high.shape or low.size == 0:
            raise ValueError(
                f"{where}: got edges of shapes {low.shape} and {high.shape}, expected two "
                "lists of one length"
            )
        _check_edges(low, high, scale, where)
        self.edges_min, self.edges_max = low, high
        self.center = np.sqrt(low * high) if scale == "log" else (low + high) / 2
        self.name, self.unit, self.scale, self.outside = name, unit, scale, outside
        self.even = _is_even(forward(scale, self.center))
        self.is_nodes = bool(np.all(low == high))

    @classmethod
    def from_edges(
        cls, edges: Any, name: str, unit: str = "", scale: str = "lin", outside: str = "nearest"
    ) -> GridAxis:
        """Axis of contiguous bins."""
        edges = to_value(edges, unit, where=f"axis {name!r}")
        return cls(edges[:-1], edges[1:], name, unit, scale, outside)

    @classmethod
    def from_nodes(
        cls, nodes: Any, name: str, unit: str = "", scale: str = "lin", outside: str = "nearest"
    ) -> GridAxis:
        """Axis of nodes without bins around them."""
        return cls(nodes, nodes, name, unit, scale, outside)

    @property
    def nbin(self) -> int:
        """Number of nodes."""
        return self.center.shape[0]

    @property
    def edges(self) -> np.ndarray:
        """The edges as one list; gaps between bins are closed at their upper edge."""
        return np.append(self.edges_min, self.edges_max[-1])

    def to_value(self, value: Any) -> np.ndarray:
        """``value`` as a number in the unit of the axis."""
        return to_value(value, self.unit, where=self.name)

    def quantity(self) -> Any:
        """The nodes as a `~astropy.units.Quantity`."""
        return to_quantity(self.center, self.unit)

    def select(self, index: slice) -> GridAxis:
        """A stretch of the axis."""
        low, high = self.edges_min[index], self.edges_max[index]
        return GridAxis(low, high, self.name, self.unit, self.scale, self.outside)

    def is_close(self, other: GridAxis, rtol: float = 1e-5) -> bool:
        """Whether two axes have the same name, unit and edges within ``rtol``."""
        return (
            (self.name, self.unit, self.nbin) == (other.name, other.unit, other.nbin)
            and np.allclose(self.edges_min, other.edges_min, rtol=rtol, atol=1e-12)
            and np.allclose(self.edges_max, other.edges_max, rtol=rtol, atol=1e-12)
        )

    def __repr__(self) -> str:
        low, high = self.edges_min[0], self.edges_max[-1]
        return f"GridAxis({self.name}: {self.nbin} nodes, {low:.4g} to {high:.4g} {self.unit})"


def _check_edges(low: np.ndarray, high: np.ndarray, scale: str, where: str) -> None:
    if not (np.all(np.isfinite(low)) and np.all(np.isfinite(high))):
        raise ValueError(f"{where}: an edge is not finite")
    if np.any(high < low) or np.any(np.diff(low) <= 0) or np.any(np.diff(high) <= 0):
        raise ValueError(
            f"{where}: edges have to increase; got {low[:4]} ... to {high[:4]} ..."
        )
    if scale == "log" and low[0] <= 0:
        raise ValueError(
            f"{where}: the first edge is {low[0]:g}, and a logarithmic axis starts above 0"
        )
    if scale == "sqrt" and low[0] + high[0] < 0:
        raise ValueError(f"{where}: the first bin is negative, and its root is no number")


def _is_even(nodes: np.ndarray) -> bool:
    """Whether the cell of a point can be guessed from even spacing, off by one at most."""
    even = np.linspace(nodes[0], nodes[-1], nodes.size)
    step = (nodes[-1] - nodes[0]) / max(nodes.size - 1, 1)
    return bool(np.all(np.abs(nodes - even) <= SLACK * step))
