"""Flux points: a spectrum as measurements in energy bins."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from gammajax.data.flux_norms import REFERENCES, FluxNorms
from gammajax.units import ENERGY, to_quantity, to_value

QUANTITIES = REFERENCES
"""What points measure, and the unit that it is kept in."""

INTEGRALS = ("flux", "eflux")
"""Quantities that are integrals over a bin, and not values at an energy."""


@dataclass(frozen=True, eq=False, kw_only=True)
class FluxPoints:
    """Measurements of a spectrum at energies or in energy bins, and upper limits.

    Parameters
    ----------
    sed_type : {"dnde", "e2dnde", "flux", "eflux"}
        What is measured: the differential flux, times the energy squared, or integrals over
        bins of the flux and of the energy flux.
    value : array, shape (point,), or `~astropy.units.Quantity`
        Bare numbers are in cm-2 s-1 TeV-1, TeV cm-2 s-1, cm-2 s-1 and TeV cm-2 s-1.
    error : array, optional
        One standard deviation; by default the mean of ``error_low`` and ``error_high``.
    error_low, error_high : array, optional
        Distances to the ends of an interval that is not symmetric; ``error`` by default.
    limit : array, optional
        Upper limits, in the unit of the values. Arrays are NaN where nothing is known.
    is_limit : array of bool, optional
        Which points are limits; by default those with a limit and no value.
    energy_ref : array, optional
        In TeV; by default the geometric mean of the edges.
    energy_min, energy_max : array, optional
        In TeV; needed for integrals.
    confidence : float
        Confidence level of the limits, one-sided.
    ts : array, optional
        Test statistics of the points.
    norms : `FluxNorms`, optional
        What an estimator found: norms, significances, counts, likelihood scans, notes.
    meta : dict
        Whatever else the file said.

    Raises
    ------
    ValueError
        If shapes differ, energies are missing or not above 0, an error or a limit is not
        above 0, or a unit does not convert.

    Examples
    --------
    >>> points = FluxPoints(
    ...     sed_type="dnde",
    ...     energy_ref=[1.0, 10.0, 30.0],
    ...     value=[1e-11, 1e-13, float("nan")],
    ...     error=[1e-12, 3e-14, float("nan")],
    ...     limit=[float("nan"), float("nan"), 1e-14],
    ... )
    >>> points
    FluxPoints(dnde: 2 points and 1 limits, 1 to 30 TeV)
    """

    sed_type: str
    value: Any
    error: Any = None
    error_low: Any = None
    error_high: Any = None
    limit: Any = None
    is_limit: Any = None
    energy_ref: Any = None
    energy_min: Any = None
    energy_max: Any = None
    confidence: float = 0.95
    ts: Any = None
    norms: FluxNorms | None = None
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.sed_type not in QUANTITIES:
            raise ValueError(
                f"FluxPoints: sed_type is {self.sed_type!r}, expected {', '.join(QUANTITIES)}"
            )
        if not 0.5 < self.confidence < 1:
            raise ValueError(
                f"FluxPoints: confidence is {self.confidence}, expected a level of 0.5 to 1"
            )
        fields = self._arrays()
        both = np.stack([fields["error_low"], fields["error_high"]])
        error, mean = fields["error"], both.mean(axis=0)
        fields["error"] = np.where(np.isnan(error), mean, error)
        for side in ("error_low", "error_high"):
            known = fields[side]
            fields[side] = np.where(np.isnan(known), fields["error"], known)
        edges = fields["energy_min"], fields["energy_max"]
        center = np.sqrt(edges[0] * edges[1])
        fields["energy_ref"] = np.where(
            np.isnan(fields["energy_ref"]), center, fields["energy_ref"]
        )
        limit = np.isnan(fields["value"]) & ~np.isnan(fields["limit"])
        if self.is_limit is not None:
            limit = np.broadcast_to(np.asarray(self.is_limit, dtype=bool), limit.shape)
        for name, array in {**fields, "is_limit": limit}.items():
            object.__setattr__(self, name, array)
        self._check()

    def _arrays(self) -> dict[str, np.ndarray]:
        """All fields with a number for each point; NaN where there is none."""
        unit = QUANTITIES[self.sed_type]
        units = dict.fromkeys(("value", "error", "error_low", "error_high", "limit"), unit)
        units |= dict.fromkeys(("energy_ref", "energy_min", "energy_max"), ENERGY) | {"ts": ""}
        size = np.size(self.value)
        found = {}
        for name, wanted in units.items():
            given = getattr(self, name)
            array = np.full(size, np.nan)
            if given is not None:
                array = np.array(to_value(given, wanted, where=f"FluxPoints: {name}"), ndmin=1)
            if array.shape != (size,):
                raise ValueError(
                    f"FluxPoints: {name} has shape {array.shape}, expected {(size,)}"
                )
            found[name] = array
        return found

    def _check(self) -> None:
        needed = ("energy_min", "energy_max") if self.sed_type in INTEGRALS else ("energy_ref",)
        for name in needed:
            array = getattr(self, name)
            if not np.all(array > 0):
                raise ValueError(
                    f"FluxPoints: {name} is {array[~(array > 0)][0]:g} TeV, and "
                    f"{self.sed_type} needs energies above 0"
                )
        if np.any(self.energy_max <= self.energy_min):
            raise ValueError("FluxPoints: a bin has an energy_max that is not above energy_min")
        checked = {"error_low": self.is_measured, "error_high": self.is_measured}
        for name, where in {**checked, "limit": self.is_limit}.items():
            array = getattr(self, name)
            if np.any(array[where] <= 0):
                raise ValueError(
                    f"FluxPoints: {name} is {array[where & (array <= 0)][0]:g}, expected more "
                    "than 0"
                )

    @property
    def unit(self) -> str:
        """The unit of values, errors and limits."""
        return QUANTITIES[self.sed_type]

    @property
    def is_measured(self) -> np.ndarray:
        """Which points have a value with errors, and are no limits."""
        known = np.isfinite(self.value) & np.isfinite(self.error_low + self.error_high)
        return known & ~self.is_limit

    @property
    def is_usable(self) -> np.ndarray:
        """Which points say anything: a value with errors, or a limit."""
        return self.is_measured | (self.is_limit & np.isfinite(self.limit))

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, where: Any) -> Self:
        """Some of the points, by a slice or an array of bools."""
        per_point = (f.name for f in dataclasses.fields(self))
        arrays = {name: getattr(self, name) for name in per_point}
        chosen: dict[str, Any] = {
            n: a[where] for n, a in arrays.items() if isinstance(a, np.ndarray)
        }
        if self.norms is not None:
            chosen["norms"] = self.norms[where]
        return dataclasses.replace(self, **chosen)

    @classmethod
    def from_norms(
        cls,
        norms: FluxNorms,
        *,
        energy_min: Any,
        energy_max: Any,
        sed_type: str = "dnde",
        sqrt_ts: float = 2.0,
        meta: dict[str, Any] | None = None,
    ) -> FluxPoints:
        """Points from norms of shape (bin,); less significant ones than ``sqrt_ts`` are limits.

        Raises
        ------
        ValueError
            If the norms have another shape, or ``sed_type`` is not known.
        """
        if len(norms.shape) != 1:
            raise ValueError(f"FluxPoints: norms have the shape {norms.shape}, expected (bin,)")
        fields = {"value": "norm", "error": "norm_err", "error_low": "norm_errn",
                  "error_high": "norm_errp", "limit": "norm_ul"}  # fmt: skip
        values = {key: norms.values(name, sed_type) for key, name in fields.items()}
        is_limit = norms.is_limit(sqrt_ts)
        values["limit"] = np.where(values["limit"] > 0, values["limit"], np.nan)
        return cls(
            sed_type=sed_type,
            is_limit=is_limit,
            energy_min=energy_min,
            energy_max=energy_max,
            confidence=norms.confidence,
            ts=norms.ts,
            norms=norms,
            meta={**(meta or {}), "sqrt_ts_threshold_ul": sqrt_ts},
            **values,
        )

    def with_samples(self, samples: Any) -> FluxPoints:
        """The points as a posterior of their norms has them.

        Values are medians, errors and limits quantiles; see `FluxNorms.with_samples`.

        Parameters
        ----------
        samples : array, shape (point, draw)
            Norms relative to the reference spectrum, such as those of NUTS.
        """
        if self.norms is None:
            raise ValueError(
                "with_samples: these points have no norms of a reference spectrum; only those "
                "of an estimator can take samples"
            )
        return self._of(self.norms.with_samples(samples), self.sed_type)

    def to_sed_type(self, sed_type: str) -> FluxPoints:
        """The same points as another kind of flux, for the spectrum they were measured with.

        Raises
        ------
        ValueError
            If the points were not made by an estimator, so that there is no such spectrum.
        """
        if self.norms is None:
            raise ValueError(
                "to_sed_type: these points have no norms of a reference spectrum; only those "
                "of an estimator can be converted"
            )
        return self._of(self.norms, sed_type)

    def _of(self, norms: FluxNorms, sed_type: str) -> FluxPoints:
        """Points of other norms in the same bins."""
        return FluxPoints.from_norms(
            norms,
            energy_min=self.energy_min,
            energy_max=self.energy_max,
            sed_type=sed_type,
            sqrt_ts=self.meta.get("sqrt_ts_threshold_ul", 2.0),
            meta=self.meta,
        )

    def quantity(self, name: str) -> Any:
        """``value``, ``error``, ``limit`` or an energy as a `~astropy.units.Quantity`."""
        unit = ENERGY if name.startswith("energy") else self.unit
        return to_quantity(getattr(self, name), unit)

    @classmethod
    def read(cls, filename: str | Path, **options: Any) -> FluxPoints:
        """Read a table; see `gammajax.data.read_flux_points`."""
        from gammajax.data.flux_points_io import read_flux_points

        return read_flux_points(filename, **options)

    def write(self, filename: str | Path, *, overwrite: bool = False, **options: Any) -> None:
        """Write a table that gammapy opens; see `gammajax.data.write_flux_points`."""
        from gammajax.data.flux_points_io import write_flux_points

        write_flux_points(self, filename, overwrite=overwrite, **options)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the points; see `gammajax.plots.plot_flux_points`."""
        from gammajax.plots import plot_flux_points

        return plot_flux_points(self, ax, **options)

    def __repr__(self) -> str:
        energy = self.energy_ref
        return (
            f"FluxPoints({self.sed_type}: {int(self.is_measured.sum())} points and "
            f"{int(self.is_limit.sum())} limits, {energy.min():.4g} to {energy.max():.4g} TeV)"
        )
