"""Whether the shape of a source changes with energy."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gammajax.datasets import Datasets
from gammajax.estimators.copies import in_bins, owners
from gammajax.estimators.energy_bins import EnergyBin, energy_bins, narrowed
from gammajax.estimators.morphology_result import EnergyDependentMorphology, SpatialLaw
from gammajax.estimators.scaled import source_name, with_norm
from gammajax.fold import FoldOptions
from gammajax.inference import Fit, FitResult, Likelihood
from gammajax.models import EnergyDependentSpatialModel, Models
from gammajax.parameters import ParameterTable


@dataclass(frozen=True, kw_only=True)
class EnergyDependentMorphologyEstimator:
    r"""Tests whether position or size of a source change with energy.

    The shape is fitted in each bin of energy by itself (hypothesis 1), and then with the same
    spatial parameters in all bins (hypothesis 0). All else that is free, the spectrum of the
    source, other sources and backgrounds, is free in each bin in both. With :math:`p` free
    spatial parameters and :math:`n` bins, TS has :math:`p (n - 1)` degrees of freedom
    (Feijen et al. 2025, A&A 701, A4). All these fits, and those without the source, are of
    one likelihood of all bins, with more or less of it held: folds are planned once, and one
    program is compiled.

    `run_law` tests a law instead, a power law of a size or a drift of a position with the
    logarithm of energy, which needs one parameter and no bins.

    Parameters
    ----------
    energy_edges : array in TeV, or `~astropy.units.Quantity`
    source : str, optional
        Its name; needed where there are several.
    fit : `~gammajax.inference.Fit`
    fold : `~gammajax.fold.FoldOptions`, optional

    Notes
    -----
    In narrow bins a spectral index says little: freeze it. Unlike in gammapy 2.1, other
    sources that are free are so in each bin under both hypotheses, so that TS is of the
    source alone.

    Examples
    --------
    >>> EnergyDependentMorphologyEstimator(energy_edges=[1, 3, 10]).source is None
    True
    """

    energy_edges: Any
    source: str | None = None
    fit: Fit = field(default_factory=Fit)
    fold: FoldOptions | None = None

    def run(self, datasets: Any, models: Any) -> EnergyDependentMorphology:
        """Test it in bins.

        Parameters
        ----------
        datasets : `~gammajax.datasets.Datasets`, or an iterable of counts cubes
        models : `~gammajax.models.Models`
            With the spatial parameters free that are to be tested.

        Returns
        -------
        found : `EnergyDependentMorphology`

        Raises
        ------
        ValueError
            If no spatial parameter of the source is free, or fewer than two bins have data.
        """
        datasets, models, source = _given(datasets, models, self.source)
        names = _spatial(models, source)
        every = energy_bins(datasets, self.energy_edges)
        bins = [b for b in every if _parts(b, datasets)]
        if len(bins) < 2:
            raise ValueError(
                f"energy_edges: {len(bins)} of {len(every)} bins have data in the fit range, "
                "expected two or more; widen the fit range, or take other edges"
            )
        scaled, norm = with_norm(models, source)
        parts, copies = in_bins(datasets, scaled, bins)
        whole = Likelihood(parts, _used(copies, parts), self.fold)
        together = self.fit.run(
            whole.restricted(_linked(whole.models, source, names, len(bins)))
        )
        shared, apart, null = together.likelihood, [], []
        # from there, the fits of bins can only be better
        models_now = _at(whole.models, together.models)
        for i in range(len(bins)):
            found = self.fit.run(shared.restricted(_only(models_now, models, i)))
            shared, models_now = found.likelihood, _at(whole.models, found.models)
            apart.append(found)
        for i in range(len(bins)):
            absent = _only(models_now, models, i).freeze(f"{source}-{i}.*")
            null.append(self._stat(shared.restricted(absent.set(f"{source}-{i}{norm}", 0.0))))
        empty = [_is_empty(_parts(one, datasets)) for one in bins]
        return _result(source, names, bins, apart, together, null, empty)

    def run_law(self, datasets: Any, models: Any, names: str | Sequence[str]) -> SpatialLaw:
        r"""Test a law :math:`p(E)` of spatial parameters over all energies.

        Parameters
        ----------
        datasets : `~gammajax.datasets.Datasets`, or an iterable of counts cubes
        models : `~gammajax.models.Models`
            The source with a shape that does not depend on energy.
        names : str or sequence of str
            Spatial parameters, such as ``sigma``; see
            `~gammajax.models.EnergyDependentSpatialModel`.

        Returns
        -------
        found : `SpatialLaw`
        """
        datasets, models, source = _given(datasets, models, self.source)
        constant = self._fitted(datasets, models)
        law = self._fitted(datasets, _with_law(constant.models, source, names))
        return SpatialLaw(source=source, constant=constant, law=law)

    def _fitted(self, datasets: Any, models: Models) -> FitResult:
        return self.fit.run(Likelihood(datasets, _used(models, datasets), self.fold))

    def _stat(self, likelihood: Likelihood) -> float:
        """The least statistic; nothing has to be free."""
        if likelihood.names:
            return self.fit.run(likelihood).stat
        return float(likelihood.stat(np.zeros(0)))


def _given(datasets: Any, models: Any, source: Any) -> tuple[Datasets, Models, str]:
    """The datasets that the source is folded into, the models, and the source's name."""
    datasets = datasets if isinstance(datasets, Datasets) else Datasets(datasets)
    models = models if isinstance(models, Models) else Models(models)
    source = source_name(models, source)
    for dataset in datasets:
        if not hasattr(dataset, "geom"):
            raise ValueError(
                f"dataset {dataset.name!r} is a {type(dataset).__name__}, which knows no "
                "shapes; expected counts cubes"
            )
    used = [d for d in datasets if models[source].folds_into(d.name)]
    if not used:
        raise ValueError(
            f"source {source!r} is in none of {', '.join(datasets.names)}; look at its "
            "datasets_names"
        )
    return Datasets(used), models, source


def _spatial(models: Models, source: str) -> tuple[str, ...]:
    """The free spatial parameters of the source."""
    start = f"{source}.spatial."
    names = tuple(n for n in models.parameters.free_names if n.startswith(start))
    if not names:
        raise ValueError(
            f"source {source!r} has no free spatial parameter, so there is nothing to test; "
            f"thaw some: models.thaw('{start}sigma')"
        )
    return names


def _parts(energy_bin: EnergyBin, datasets: Datasets) -> list[Any]:
    """The datasets in a bin; those without data there are left out."""
    parts = [narrowed(dataset, energy_bin.inside[dataset.name]) for dataset in datasets]
    return [part for part in parts if part.mask.any()]


def _used(models: Models, datasets: Any) -> Models:
    """The components that fold into some of the datasets, with their rows."""
    names = [d.name for d in datasets]
    used = [c for c in models if any(c.folds_into(name) for name in names)]
    known = {row.name: row for row in models.parameters}
    made = Models(used)
    rows = tuple(known[name] for name in made.parameters.names)
    return made.with_table(ParameterTable(rows))


def _linked(copies: Models, source: str, names: Sequence[str], number: int) -> Models:
    """The copies with one shape in all bins.

    Priors on linked parameters go: that of the one that they follow counts.
    """
    for name in names:
        rest = name.removeprefix(source)
        for i in range(1, number):
            copies = copies.link(f"{source}-{i}{rest}", to=f"{source}-0{rest}")
    for row in copies.parameters:
        if row.link is not None and row.prior is not None:
            copies = copies.remove_prior(row.name)
    return copies


def _at(models: Models, found: Models) -> Models:
    """Models at the values that others of the same parameters have."""
    return models.with_values([row.value for row in found.parameters])


def _only(copies: Models, models: Models, number: int) -> Models:
    """The copies with what is free in one bin only."""
    members = {f"{component.name}-{number}" for component in models}
    owner = owners(copies)
    rows = tuple(
        row if owner[row.name] in members else dataclasses.replace(row, frozen=True)
        for row in copies.parameters
    )
    return copies.with_table(ParameterTable(rows))


def _with_law(models: Models, source: str, names: Any) -> Models:
    """The source with a shape that depends on energy, slopes free from 0."""
    shape = models[source].spatial_model
    if shape is None or shape.has_energy:
        raise ValueError(
            f"source {source!r} has the shape {type(shape).__name__}, expected one that does "
            "not depend on energy"
        )
    law = models[source].replace(spatial_model=EnergyDependentSpatialModel(shape, names))
    made = Models([law if c.name == source else c for c in models])
    start = f"{source}.spatial."
    old = {row.name.replace(start, f"{start}model.", 1): row for row in models.parameters}
    rows = [dataclasses.replace(old.get(r.name, r), name=r.name) for r in made.parameters]
    return made.with_table(ParameterTable(tuple(rows)))


def _result(
    source: str,
    names: tuple[str, ...],
    bins: Sequence[EnergyBin],
    apart: Sequence[FitResult],
    together: FitResult,
    null: Sequence[float],
    empty: Sequence[bool],
) -> EnergyDependentMorphology:
    """Everything from the fits."""
    stems = [name.removeprefix(source) for name in names]
    joint = [together.names.index(f"{source}-0{stem}") for stem in stems]
    places = [
        [result.names.index(f"{source}-{i}{stem}") for stem in stems]
        for i, result in enumerate(apart)
    ]
    pairs = list(zip(apart, places, strict=True))
    notes = [_notes(*pair) for pair in zip(apart, empty, strict=True)]
    best = apart[-1].stat
    return EnergyDependentMorphology(
        source=source,
        energy_min=np.array([b.energy_min for b in bins]),
        energy_max=np.array([b.energy_max for b in bins]),
        parameters=tuple(name.removeprefix(f"{source}.spatial.") for name in names),
        units=tuple(together.parameters[f"{source}-0{stem}"].unit for stem in stems),
        values=np.array([result.theta[where] for result, where in pairs]),
        errors=np.array([result.errors[where] for result, where in pairs]),
        joint=together.theta[joint],
        joint_errors=together.errors[joint],
        ts=float(together.stat - best),
        df=len(names) * (len(bins) - 1),
        source_ts=np.array(null) - best,
        source_df=sum(name.startswith(f"{source}-0.") for name in apart[0].names),
        success=np.array([not note for note in notes]),
        notes=tuple(notes),
        result=together,
        results=tuple(apart),
    )


def _is_empty(parts: Sequence[Any]) -> bool:
    return not any(np.asarray(part.counts.data)[part.mask].any() for part in parts)


def _notes(result: FitResult, empty: bool) -> str:
    """What is odd about the fit of a bin, in words."""
    said = ["no counts: the shape is not known here"] if empty else []
    if not result.success:
        said.append(f"not converged: {result.message}")
    if result.at_bounds:
        said.append(f"at a bound: {', '.join(result.at_bounds)}")
    return "; ".join(said)
