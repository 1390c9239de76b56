"""What tests of the shape of a source against energy give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.inference import FitResult
from gammajax.stats import ts_to_sigma


@dataclass(frozen=True, eq=False, kw_only=True)
class EnergyDependentMorphology:
    """Spatial parameters of a source in bins of energy, and the same in all of them.

    Attributes
    ----------
    source : str
    energy_min, energy_max : array, shape (bin,)
        In TeV.
    parameters, units : tuple of str, shape (parameter,)
        Such as ``sigma``.
    values, errors : array, shape (bin, parameter)
    joint, joint_errors : array, shape (parameter,)
        With the same values in all bins.
    ts : float
        The statistic with the same values minus that with values by bin.
    df : int
        Degrees of freedom of ``ts``.
    source_ts : array, shape (bin,)
        The statistic without the source minus that with it.
    source_df : int
        The number of free parameters of the source. Those of its shape mean nothing without a
        source, so that its significance is a lower bound.
    success : array of bool, shape (bin,)
    notes : tuple of str, shape (bin,)
        What is odd about a bin, in words.
    result, results : `~gammajax.inference.FitResult`, and one for each bin
        All are fits to all bins, so that ``stat`` is of all: those of a bin have its parameters
        free, ``crab-1.spatial.sigma``, the ones of the bins before at their best and of the
        ones after as in ``result``.
    """

    source: str
    energy_min: np.ndarray
    energy_max: np.ndarray
    parameters: tuple[str, ...]
    units: tuple[str, ...]
    values: np.ndarray
    errors: np.ndarray
    joint: np.ndarray
    joint_errors: np.ndarray
    ts: float
    df: int
    source_ts: np.ndarray
    source_df: int
    success: np.ndarray
    notes: tuple[str, ...]
    result: FitResult
    results: tuple[FitResult, ...]

    @property
    def significance(self) -> float:
        """How significant the change with energy is, in standard deviations."""
        return float(ts_to_sigma(self.ts, self.df))

    @property
    def source_significance(self) -> np.ndarray:
        """How significant the source is in each bin."""
        return ts_to_sigma(self.source_ts, self.source_df)

    def weighted_chi2(self, parameter: str) -> dict[str, float]:
        r"""How values scatter about their weighted mean, other parameters neglected.

        .. math:: \chi^2 = \sum_i (x_i - \bar x)^2 / \sigma_i^2

        Returns
        -------
        found : dict
            ``chi2``, ``df`` and ``significance``; bins without an error are left out.
        """
        if parameter not in self.parameters:
            raise ValueError(
                f"no parameter {parameter!r}; there are {', '.join(self.parameters)}"
            )
        column = self.parameters.index(parameter)
        value, error = self.values[:, column], self.errors[:, column]
        known = np.isfinite(error) & (error > 0)
        weight = 1 / error[known] ** 2
        mean = np.sum(weight * value[known]) / np.sum(weight)
        chi2, df = float(np.sum(weight * (value[known] - mean) ** 2)), int(known.sum()) - 1
        sigma = float(ts_to_sigma(chi2, df)) if df > 0 else float("nan")
        return {"chi2": chi2, "df": df, "significance": sigma}

    def to_table(self) -> Any:
        """A row for all energies (H0) and one for each bin (H1), columns as in gammapy."""
        from astropy.table import QTable
        from astropy.units import Unit

        low, high = self.energy_min, self.energy_max
        columns: dict[str, Any] = {
            "Hypothesis": ["H0", *["H1"] * len(low)],
            "Emin": np.append(low[0], low) * Unit("TeV"),
            "Emax": np.append(high[-1], high) * Unit("TeV"),
        }
        for i, (name, unit) in enumerate(zip(self.parameters, self.units, strict=True)):
            columns[name] = np.append(self.joint[i], self.values[:, i]) * Unit(unit)
            errors = np.append(self.joint_errors[i], self.errors[:, i])
            columns[f"{name}_err"] = errors * Unit(unit)
        columns["notes"] = ["" if self.result.success else self.result.message, *self.notes]
        meta = {"delta_ts": self.ts, "df": self.df, "significance": self.significance}
        return QTable(columns, meta=meta)

    def plot(self, parameter: str | None = None, ax: Any = None) -> Any:
        """Draw a parameter; see `gammajax.plots.plot_energy_dependence`."""
        from gammajax.plots import plot_energy_dependence

        return plot_energy_dependence(self, parameter, ax)

    def __repr__(self) -> str:
        head = (
            f"EnergyDependentMorphology({self.source}: TS {self.ts:.2f} for {self.df} degrees "
            f"of freedom, {self.significance:.2f} sigma)"
        )
        lines = [f"  all energies: {self._text(self.joint, self.joint_errors)}"]
        rows = zip(self.energy_min, self.energy_max, self.values, self.errors,
                   self.source_significance, self.notes, strict=True)  # fmt: skip
        for low, high, value, error, sigma, note in rows:
            text = f"  {low:.3g} to {high:.3g} TeV: {self._text(value, error)}"
            lines.append(f"{text}; source {sigma:.1f} sigma{'; ' if note else ''}{note}")
        return "\n".join([head, *lines])

    def _text(self, value: np.ndarray, error: np.ndarray) -> str:
        parts = zip(self.parameters, value, error, self.units, strict=True)
        return ", ".join(f"{n} {v:.4g} +- {e:.2g} {u}".rstrip() for n, v, e, u in parts)


@dataclass(frozen=True, eq=False, kw_only=True)
class SpatialLaw:
    """A law of spatial parameters against energy, and its test.

    Attributes
    ----------
    source : str
    constant, law : `~gammajax.inference.FitResult`
        With slopes of 0, and with free ones.
    """

    source: str
    constant: FitResult
    law: FitResult

    @property
    def names(self) -> tuple[str, ...]:
        """The slopes, such as ``sigma_slope``."""
        start = f"{self.source}.spatial."
        found = set(self.law.names) - {n.replace(start, f"{start}model.") for n in
                                       self.constant.names}  # fmt: skip
        return tuple(
            n.removeprefix(start) for n in self.law.names if n in found and n.endswith("_slope")
        )

    @property
    def slopes(self) -> np.ndarray:
        """Best-fit slopes: of a power law, or degrees a decade."""
        return np.array([self.law.theta[self._place(name)] for name in self.names])

    @property
    def errors(self) -> np.ndarray:
        """Their errors."""
        return np.array([self.law.errors[self._place(name)] for name in self.names])

    def _place(self, name: str) -> int:
        return self.law.names.index(f"{self.source}.spatial.{name}")

    @property
    def ts(self) -> float:
        """The statistic with slopes of 0 minus that with free ones."""
        return float(self.constant.stat - self.law.stat)

    @property
    def df(self) -> int:
        """The number of slopes."""
        return len(self.names)

    @property
    def significance(self) -> float:
        """How significant the change with energy is, in standard deviations."""
        return float(ts_to_sigma(self.ts, self.df))

    @property
    def success(self) -> bool:
        """Whether both fits converged, away from bounds."""
        return all(r.success and not r.at_bounds for r in (self.constant, self.law))

    def __repr__(self) -> str:
        parts = zip(self.names, self.slopes, self.errors, strict=True)
        text = ", ".join(f"{name} {value:.3g} +- {error:.2g}" for name, value, error in parts)
        odd = "" if self.success else f"; {self.constant.message}; {self.law.message}"
        return (
            f"SpatialLaw({self.source}: {text}; TS {self.ts:.2f}, "
            f"{self.significance:.2f} sigma{odd})"
        )
