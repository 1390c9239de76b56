"""Axes of binned data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.units import ENERGY, to_quantity, to_value


@dataclass(frozen=True, eq=False)
class MapAxis:
    """Contiguous bins of one quantity.

    Parameters
    ----------
    edges : array, shape (n + 1,)
        Increasing, in ``unit``.
    name : str
        ``energy`` for reconstructed and ``energy_true`` for true energy.
    unit : str
        Unit of the edges; energies are kept in TeV.
    interp : {"lin", "log"}
        How the axis is scaled; it sets the bin centres.

    Examples
    --------
    >>> from gammajax.maps import MapAxis
    >>> axis = MapAxis.from_energy_bounds("1 TeV", "100 TeV", nbin=2)
    >>> axis.edges
    array([  1.,  10., 100.])
    >>> axis.center
    array([ 3.16227766, 31.6227766 ])
    """

    edges: np.ndarray
    name: str = "energy"
    unit: str = ENERGY
    interp: str = "log"

    def __post_init__(self) -> None:
        edges = to_value(self.edges, self.unit, where=f"MapAxis {self.name!r}: edges")
        object.__setattr__(self, "edges", edges)
        if edges.ndim != 1 or edges.size < 2:
            raise ValueError(
                f"MapAxis {self.name!r}: edges have shape {edges.shape}, expected at least two"
            )
        if not np.all(np.isfinite(edges)) or not np.all(np.diff(edges) > 0):
            raise ValueError(f"MapAxis {self.name!r}: edges have to increase; got {edges}")
        if self.interp not in ("lin", "log"):
            raise ValueError(
                f"MapAxis {self.name!r}: interp is {self.interp!r}, expected 'lin' or 'log'"
            )
        if self.interp == "log" and edges[0] <= 0:
            raise ValueError(
                f"MapAxis {self.name!r}: the first edge is {edges[0]:g}, and a logarithmic "
                "axis starts above 0"
            )

    @classmethod
    def from_edges(
        cls, edges: Any, *, name: str = "energy", unit: str = ENERGY, interp: str = "log"
    ) -> MapAxis:
        """Axis of the given edges."""
        return cls(edges, name, unit, interp)

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

    @property
    def nbin(self) -> int:
        """Number of bins."""
        return self.edges.size - 1

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
        """Bin centres: geometric for a logarithmic axis."""
        if self.interp == "log":
            return np.sqrt(self.edges_min * self.edges_max)
        return (self.edges_min + self.edges_max) / 2

    @property
    def bin_width(self) -> np.ndarray:
        """Widths of the bins."""
        return np.diff(self.edges)

    def quantity(self) -> Any:
        """The edges as a `~astropy.units.Quantity`."""
        return to_quantity(self.edges, self.unit)

    def mask(self, low: Any = None, high: Any = None) -> np.ndarray:
        """The bins that lie wholly between two values, edges compared to 1e-6 relative."""
        inside = np.ones(self.nbin, dtype=bool)
        slack = 1e-6 * self.bin_width
        if low is not None:
            inside &= self.edges_min >= to_value(low, self.unit, where="low") - slack
        if high is not None:
            inside &= self.edges_max <= to_value(high, self.unit, where="high") + slack
        return inside

    def is_close(self, other: MapAxis, rtol: float = 1e-5) -> bool:
        """Whether two axes have the same edges within ``rtol``."""
        return self.edges.shape == other.edges.shape and bool(
            np.allclose(self.edges, other.edges, rtol=rtol, atol=0)
        )

    def __repr__(self) -> str:
        return (
            f"MapAxis({self.name}: {self.nbin} bins, {self.edges[0]:.4g} to "
            f"{self.edges[-1]:.4g} {self.unit}, {self.interp})"
        )
