"""Light curves: fluxes in intervals of time and bins of energy."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.data.flux_norms import FluxNorms
from gammajax.units import to_quantity


@dataclass(frozen=True, eq=False, kw_only=True)
class LightCurve:
    """The flux of a source in intervals of time, in one or several bins of energy.

    Parameters
    ----------
    time_min, time_max : array, shape (time,)
        MJD in TT; the intervals may have gaps, and do not overlap.
    energy_min, energy_max : array, shape (energy,)
        In TeV.
    norms : `FluxNorms`
        Of shape (time, energy).
    sqrt_ts_threshold_ul : float
        Fluxes that are less significant are quoted as limits.
    meta : dict

    Raises
    ------
    ValueError
        If shapes differ, or an interval ends before it starts.
    """

    time_min: Any
    time_max: Any
    energy_min: Any
    energy_max: Any
    norms: FluxNorms
    sqrt_ts_threshold_ul: float = 2.0
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("time_min", "time_max", "energy_min", "energy_max"):
            array = np.atleast_1d(np.asarray(getattr(self, name), dtype=np.float64))
            object.__setattr__(self, name, array)
        shape = (self.time_min.size, self.energy_min.size)
        if self.norms.shape != shape:
            raise ValueError(
                f"LightCurve: the norms have the shape {self.norms.shape}, expected {shape}"
            )
        if np.any(self.time_max <= self.time_min):
            i = int(np.nonzero(self.time_max <= self.time_min)[0][0])
            raise ValueError(
                f"LightCurve: interval {i} is from MJD {self.time_min[i]} to {self.time_max[i]}"
            )

    @property
    def time_ref(self) -> np.ndarray:
        """The middle of each interval, MJD in TT."""
        return (self.time_min + self.time_max) / 2

    @property
    def time(self) -> Any:
        """The middle of each interval as a `~astropy.time.Time`."""
        from astropy.time import Time

        return Time(self.time_ref, format="mjd", scale="tt")

    @property
    def energy_ref(self) -> np.ndarray:
        """Geometric means of the edges, in TeV."""
        return np.sqrt(self.energy_min * self.energy_max)

    @property
    def is_limit(self) -> np.ndarray:
        """Fluxes that are quoted as limits, shape (time, energy)."""
        return self.norms.is_limit(self.sqrt_ts_threshold_ul)

    def __len__(self) -> int:
        return len(self.time_min)

    def values(self, name: str = "norm", sed_type: str = "flux") -> np.ndarray:
        """``norm``, ``norm_err`` and so on as a flux, shape (time, energy)."""
        return self.norms.values(name, sed_type)

    def quantity(self, name: str = "norm", sed_type: str = "flux") -> Any:
        """As `values`, as a `~astropy.units.Quantity`."""
        return self.norms.quantity(name, sed_type)

    def to_table(self, sed_type: str = "flux") -> Any:
        """An `~astropy.table.Table` with a row for each interval, in the format of files."""
        from gammajax.data.light_curve_io import light_curve_table

        return light_curve_table(self, sed_type)

    @classmethod
    def read(cls, filename: str | Path) -> LightCurve:
        """Read a table; see `gammajax.data.read_light_curve`."""
        from gammajax.data.light_curve_io import read_light_curve

        return read_light_curve(filename)

    def write(
        self, filename: str | Path, *, sed_type: str = "likelihood", overwrite: bool = False
    ) -> None:
        """Write a table that gammapy opens; see `gammajax.data.write_light_curve`."""
        from gammajax.data.light_curve_io import write_light_curve

        write_light_curve(self, filename, sed_type=sed_type, overwrite=overwrite)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the fluxes against time; see `gammajax.plots.plot_light_curve`."""
        from gammajax.plots import plot_light_curve

        return plot_light_curve(self, ax, **options)

    def __repr__(self) -> str:
        low, high = self.time_min.min(), self.time_max.max()
        flux = to_quantity(np.nanmean(self.values()), "cm-2 s-1")
        return (
            f"LightCurve({len(self)} intervals from MJD {low:.5f} to {high:.5f}, "
            f"{self.energy_min.size} bins of energy, mean flux {flux:.4g})"
        )
