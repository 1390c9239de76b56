"""Light curves: the norm of a source in intervals of time."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.data import FluxNorms, LightCurve
from gammajax.datasets import Datasets
from gammajax.estimators.base import NormEstimator
from gammajax.estimators.build import cell_of
from gammajax.estimators.copies import owners
from gammajax.estimators.energy_bins import EnergyBin, narrowed
from gammajax.estimators.flux_points import reference_fluxes
from gammajax.estimators.intervals import time_bins
from gammajax.estimators.norms import NormOptions, measure_norms
from gammajax.estimators.posterior import (
    independent,
    posterior_of,
    sampling_options,
    with_prior,
)
from gammajax.estimators.scaled import norm_name
from gammajax.fold import FoldOptions
from gammajax.inference import Likelihood
from gammajax.models import Models
from gammajax.parameters import ParameterTable, Prior


@dataclass(frozen=True, kw_only=True)
class LightCurveEstimator(NormEstimator):
    """The flux of a source in intervals of time, in one batch of compiled fits.

    Parameters
    ----------
    time_intervals : "run", "night", or sequence of pairs of `~astropy.time.Time`
        One interval for each dataset, for each night, or the given ones. Datasets have to lie
        within an interval: reduce the parts of runs (``observations.select_time``).
    energy_edges : array in TeV, or `~astropy.units.Quantity`, optional
        One bin of all energies by default.
    source, n_sigma, n_sigma_ul, selection_optional, reoptimize, norm_scan, norm_min, norm_max
        As in `FluxPointsEstimator`.
    method : {"independent", "joint"}
        ``joint`` fits all intervals at once: what is refitted (``reoptimize``) is then the
        same at all times, and ``norms.covariance`` that of all fluxes.
    sqrt_ts_threshold_ul : float
    fold : `~gammajax.fold.FoldOptions`, optional
    progress : bool
    """

    time_intervals: Any = "run"

    def run(self, datasets: Any, models: Any) -> LightCurve:
        """Measure the fluxes.

        Parameters
        ----------
        datasets : `~gammajax.datasets.Datasets`, or an iterable of datasets
            With good time intervals.
        models : `~gammajax.models.Models`

        Returns
        -------
        curve : `~gammajax.data.LightCurve`
        """
        task = self._task(datasets, models)
        bins, source = task.bins, task.source
        times, members = time_bins(task.datasets, self.time_intervals)
        if self.method == "joint":
            found = _joint(
                task.datasets, task.scaled, source, members, bins, self.options, self.fold
            )
        else:
            masks = [{n: b.inside[n] for n in names} for names in members for b in bins]
            found = self._apart(task, masks)
        number = len(members)
        references = {
            name: np.tile(array, number)
            for name, array in reference_fluxes(
                task.models[source].spectral_model, bins
            ).items()
        }
        fields: dict[str, Any] = found | references
        norms = FluxNorms(**fields, n_sigma=self.n_sigma, n_sigma_ul=self.n_sigma_ul)
        return LightCurve(
            time_min=times[:, 0],
            time_max=times[:, 1],
            energy_min=[b.energy_min for b in bins],
            energy_max=[b.energy_max for b in bins],
            norms=norms.reshape(number, len(bins)),
            sqrt_ts_threshold_ul=self.sqrt_ts_threshold_ul,
            meta={"source": source},
        )

    def sample(
        self, datasets: Any, models: Any, *, prior: Prior | None = None, **options: Any
    ) -> LightCurve:
        """Measure the fluxes by draws from their posterior.

        Parameters, and what is in the result, as in `FluxPointsEstimator.sample`.
        """
        curve = self.run(datasets, models)
        task = self._task(datasets, models)
        _, members = time_bins(task.datasets, self.time_intervals)
        used = np.isfinite(curve.norms.norm.ravel())
        if self.method == "joint":
            made, names = _joint_models(task.scaled, task.source, members, task.bins)
            for name in names:
                made = with_prior(made, name, prior)
            parts = _joint_parts(task.datasets, members, task.bins)
            likelihood = Likelihood(parts, made, self.fold)
            names = [name for name, use in zip(names, used, strict=True) if use]
        else:
            masks = [{n: b.inside[n] for n in names} for names in members for b in task.bins]
            likelihood, names = independent(task, masks, used, prior, self.fold)
        options = sampling_options(options, self.progress)
        flat = curve.norms.reshape(used.size)
        norms, posterior = posterior_of(flat, likelihood, names, used, options)
        return dataclasses.replace(
            curve,
            norms=norms.reshape(*curve.norms.shape),
            meta={**curve.meta, "posterior": posterior},
        )


def _joint(
    datasets: Datasets,
    scaled: Models,
    source: str,
    members: Sequence[tuple[str, ...]],
    bins: Sequence[EnergyBin],
    options: NormOptions,
    fold: FoldOptions | None,
) -> dict[str, Any]:
    """One fit of all intervals, with a norm for each; all else is the same at all times."""
    models, names = _joint_models(scaled, source, members, bins)
    likelihood = Likelihood(_joint_parts(datasets, members, bins), models, fold)
    places = np.array([models.parameters.names.index(name) for name in names])
    found = measure_norms([cell_of(likelihood)] * len(members), places, options)
    columns = [likelihood.names.index(name) for name in names]
    covariance = found["covariance"][0][np.ix_(columns, columns)]
    for what in ("counts", "npred", "npred_excess"):
        for row, here in zip(found[what], members, strict=True):
            row[[name not in here for name in found["datasets"]]] = np.nan
    return found | {"covariance": covariance}


def _joint_parts(
    datasets: Datasets, members: Sequence[tuple[str, ...]], bins: Sequence[EnergyBin]
) -> list[Any]:
    used = [name for names in members for name in names]
    return [narrowed(datasets[n], bins[0].inside[n]) for n in used]


def _joint_models(
    scaled: Models,
    source: str,
    members: Sequence[tuple[str, ...]],
    bins: Sequence[EnergyBin],
) -> tuple[Models, list[str]]:
    """The models of all intervals, and the names of their norms."""
    if len(bins) > 1:
        raise ValueError(
            "method='joint' takes one bin of energy, the fit is of all intervals; leave "
            "energy_edges out, or take method='independent'"
        )
    names = [norm_name(f"{source}-{i}") for i in range(len(members))]
    return _copies(scaled, source, members), names


def _copies(scaled: Models, source: str, members: Sequence[tuple[str, ...]]) -> Models:
    """A copy of the source for each interval; all but the norms of copies are the first's."""
    one = scaled[source]
    copies = [
        one.replace(name=f"{source}-{i}", datasets_names=names)
        for i, names in enumerate(members)
    ]
    rest = [component for component in scaled if component.name != source]
    made = Models([*copies, *rest])
    known, owner = {row.name: row for row in scaled.parameters}, owners(made)
    rows = []
    for row in made.parameters:
        if row.name in known:
            rows.append(known[row.name])
            continue
        old = source + row.name.removeprefix(owner[row.name])
        rows.append(dataclasses.replace(known[old], name=row.name))
    made = made.with_table(ParameterTable(tuple(rows)))
    for row in scaled.parameters:
        if row.free and row.name.startswith(f"{source}.") and row.name != norm_name(source):
            name = row.name.removeprefix(f"{source}.")
            made = made.link(f"{source}-[0-9]*.{name}", to=f"{source}-0.{name}")
    return made
