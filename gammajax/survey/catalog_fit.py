"""Fits of catalogues: all sources of a region as one problem, and a table of what was found."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gammajax.datasets import Datasets
from gammajax.inference import Fit, FitResult, Likelihood
from gammajax.inference.covariance import as_dense
from gammajax.models import Models
from gammajax.parameters import ParameterTable
from gammajax.survey.memory import MemoryPlan, memory_plan
from gammajax.survey.rules import is_source, norm_parameter
from gammajax.survey.significance import predicted_counts, source_ts
from gammajax.units import to_value

INDICES = ("index", "alpha", "gamma")
"""Names of spectral indices, which need bounds where a source is faint."""


COLUMNS = (
    "name", "ra", "dec", "ts", "sqrt_ts", "npred", "flux", "flux_err", "catalog_flux",
    "catalog_flux_err", "change", "index", "index_err", "note",
)  # fmt: skip
"""Of the table of a result."""


@dataclass(frozen=True, eq=False)
class CatalogFit:
    """A fit of many sources to datasets, from the values that a catalogue gives.

    Norms of sources are kept at 0 or more, and spectral indices in a range, where the models
    have no bounds of their own: data say little about the shape of a faint source.

    Parameters
    ----------
    datasets : `~gammajax.datasets.Datasets` of counts cubes
    models : `~gammajax.models.Models`
        Sources and diffuse emission: see `region_models` and `free_sources`.
    energy : pair in TeV, or of `~astropy.units.Quantity`; optional
        Range of the fluxes in the table; by default that of the datasets.
    index_range : pair of float
        Bounds of indices.
    fit : `~gammajax.inference.Fit`

    Examples
    --------
    >>> from gammajax.catalog import load
    >>> from gammajax.survey import CatalogFit, free_sources, region_models
    >>> catalog = load("3fhl")  # doctest: +SKIP
    >>> models = region_models(catalog, datasets, margin="1 deg") + diffuse  # doctest: +SKIP
    >>> models = models.freeze("*.spatial.*")  # doctest: +SKIP
    >>> found = CatalogFit(datasets, models).run(progress=True)  # doctest: +SKIP
    >>> found.table  # doctest: +SKIP
    """

    datasets: Any
    models: Models
    energy: Any = None
    index_range: tuple[float, float] = (0.0, 6.0)
    fit: Fit = dataclasses.field(default_factory=Fit)

    def __post_init__(self) -> None:
        datasets = self.datasets
        if not isinstance(datasets, Datasets):
            object.__setattr__(self, "datasets", Datasets(datasets))
        if not any(is_source(component) for component in self.models):
            raise ValueError("CatalogFit: there is no source with a flux and a place in models")
        object.__setattr__(self, "energy", self._range())

    def _range(self) -> tuple[float, float]:
        if self.energy is None:
            return energy_range(self.datasets)
        low, high = (
            float(to_value(end, "TeV", where="CatalogFit: energy")) for end in self.energy
        )
        if not 0 < low < high:
            raise ValueError(f"CatalogFit: energy is {low:g} to {high:g} TeV, expected to rise")
        return low, high

    @cached_property
    def likelihood(self) -> Likelihood:
        """The problem, planned: what takes the most time and memory before the fit."""
        return Likelihood(self.datasets, bounded(self.models, self.index_range))

    @property
    def memory(self) -> MemoryPlan:
        """What the fit keeps in memory."""
        return memory_plan(self.likelihood)

    def run(
        self, *, progress: bool = False, checkpoint: Any = None, ts: bool = True
    ) -> CatalogResult:
        """Fit, and find the significance of each source.

        Parameters
        ----------
        progress, checkpoint
            See `~gammajax.inference.Fit.run`.
        ts : bool
            Whether to find test statistics.
        """
        result = self.fit.run(self.likelihood, progress=progress, checkpoint=checkpoint)
        found = source_ts(result, progress=progress) if ts else {}
        return CatalogResult(result, self.models, found, self.energy)


def energy_range(datasets: Any) -> tuple[float, float]:
    """From the lowest to the highest energy of some datasets, in TeV."""
    edges = [dataset.energy.edges for dataset in datasets]
    return min(float(e[0]) for e in edges), max(float(e[-1]) for e in edges)


def bounded(models: Models, index_range: tuple[float, float]) -> Models:
    """The models with norms of sources at 0 or more, and indices in a range.

    Bounds that are there stay, and what is not free is left alone.
    """
    norms = {norm_parameter(component) for component in models if is_source(component)}
    indices = {
        f"{component.name}.spectral.{name}"
        for component in models
        if is_source(component)
        for name in INDICES
        if f"spectral.{name}" in component.parameter_names
    }

    def changed(row: Any) -> Any:
        if not row.free:
            return row
        if row.name in norms and math.isinf(row.min):
            return dataclasses.replace(row, min=0.0, value=max(row.value, 0.0))
        if row.name in indices and math.isinf(row.min) and math.isinf(row.max):
            low, high = index_range
            value = float(np.clip(row.value, low, high))
            return dataclasses.replace(row, min=low, max=high, value=value)
        return row

    rows = tuple(changed(row) for row in models.parameters)
    return models.with_table(ParameterTable(rows))


@dataclass(frozen=True, eq=False)
class CatalogResult:
    """What a fit of a catalogue found.

    Attributes
    ----------
    result : `~gammajax.inference.FitResult`
    start : `~gammajax.models.Models`
        What the catalogue says, with its errors.
    ts : dict of str to float
        See `source_ts`.
    energy : pair of float
        Range of the fluxes, in TeV.
    """

    result: FitResult
    start: Models
    ts: dict[str, float]
    energy: tuple[float, float]

    @property
    def success(self) -> bool:
        """Whether the fit converged."""
        return self.result.success

    @property
    def models(self) -> Models:
        """The models at the minimum, with errors."""
        return self.result.models

    @cached_property
    def table(self) -> Any:
        """One row for each source, an `~astropy.table.Table`.

        Columns: ``name``, ``ra``, ``dec``, ``ts``, ``sqrt_ts``, ``npred`` (in the fit range),
        ``flux`` and ``flux_err`` in the energy range, ``catalog_flux`` and
        ``catalog_flux_err``, ``change`` (the difference over both errors), ``index`` and
        ``index_err`` at the middle of the range, and ``note``. What is not known is NaN.
        """
        from astropy.table import Table

        columns: dict[str, list[Any]] = {}
        before = {component.name: component for component in self.start}
        counts = predicted_counts(self.result)
        for component in self.models:
            if not is_source(component):
                continue
            row = self._row(component, before[component.name])
            row["npred"] = counts.get(component.name, math.nan)
            for name, value in row.items():
                columns.setdefault(name, []).append(value)
        table: Any = Table({name: columns[name] for name in COLUMNS})
        for name in COLUMNS:
            if "flux" in name:
                table[name].unit = "cm-2 s-1"
        table["ra"].unit = table["dec"].unit = "deg"
        low, high = self.energy
        table.meta["energy"] = f"{low:g} to {high:g} TeV"
        table.meta["stat"], table.meta["converged"] = self.result.stat, self.success
        return table

    def _row(self, component: Any, before: Any) -> dict[str, Any]:
        place = component.spatial_model.position.icrs
        flux, error = _flux(component, self.models, self.energy)
        known, known_error = _flux(before, self.start, self.energy)
        index, index_error = _index(component, self.models, self.energy)
        both = math.hypot(error, known_error)
        ts = self.ts.get(component.name, math.nan)
        return {
            "name": component.name,
            "ra": place.ra.deg,
            "dec": place.dec.deg,
            "ts": ts,
            "sqrt_ts": math.sqrt(max(ts, 0.0)) if math.isfinite(ts) else math.nan,
            "flux": flux,
            "flux_err": error,
            "catalog_flux": known,
            "catalog_flux_err": known_error,
            "change": (flux - known) / both if both > 0 else math.nan,
            "index": index,
            "index_err": index_error,
            "note": self._note(component.name),
        }

    def _note(self, name: str) -> str:
        own = [n for n in self.result.names if n.startswith(f"{name}.")]
        if not own:
            return "frozen"
        held = [n.rsplit(".", 1)[1] for n in self.result.at_bounds if n.startswith(f"{name}.")]
        return f"{', '.join(held)} at its bound" if held else ""

    def __repr__(self) -> str:
        state = "converged" if self.success else f"NOT converged ({self.result.message})"
        strong = sum(value > 25 for value in self.ts.values())
        number = sum(is_source(component) for component in self.models)
        return (
            f"CatalogResult: {state}, {number} sources, {len(self.result.theta)} free "
            f"parameters, {strong} sources with TS above 25"
        )

    def _repr_html_(self) -> str:
        return f"<p><b>{self!r}</b></p>{self.table._repr_html_()}"


def _own_covariance(component: Any, models: Models) -> np.ndarray:
    """The covariance of the spectrum of a component; of single errors where there is none."""
    names = [f"{component.name}.spectral.{n}" for n in component.spectral_model.parameter_names]
    if models.covariance is None:
        return np.diag([models.parameters[name].error ** 2 for name in names])
    places = [models.parameters.index(name) for name in names]
    return as_dense(models.covariance[np.ix_(places, places)])


def _flux(component: Any, models: Models, energy: tuple[float, float]) -> tuple[float, float]:
    covariance = _own_covariance(component, models)
    flux, error = component.spectral_model.integral_error(*energy, covariance)
    return float(np.asarray(flux)), float(np.asarray(error))


def _index(component: Any, models: Models, energy: tuple[float, float]) -> tuple[float, float]:
    covariance = _own_covariance(component, models)
    middle = math.sqrt(energy[0] * energy[1])
    index, error = component.spectral_model.spectral_index_error(middle, covariance)
    return float(np.asarray(index)), float(np.asarray(error))
