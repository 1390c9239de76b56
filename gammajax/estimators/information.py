r"""The information that a dataset is expected to give on parameters.

At expected counts (Asimov data) the Hessian of the statistic is its expectation, and half of it
is the Fisher information, which grows in proportion to the exposure.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np

from gammajax.fold import FoldOptions
from gammajax.inference import Likelihood
from gammajax.models import Models
from gammajax.parameters import ParameterTable


def expected(dataset: Any, models: Models) -> Any:
    """The dataset with the counts that models and background predict.

    A background that is measured is taken to be alpha times the off counts.
    """
    if hasattr(dataset, "geom"):
        return dataset.asimov(models)
    signal = np.asarray(dataset.npred_signal(models))
    if hasattr(dataset, "counts_off"):
        return dataset.replace(counts=signal + dataset.alpha * dataset.counts_off)
    return dataset.replace(counts=np.asarray(dataset.npred(models)))


def live_seconds(dataset: Any) -> float:
    """The live time of a dataset, or else the sum of its good times, in s.

    Raises
    ------
    ValueError
        If it has neither.
    """
    found = float(getattr(dataset, "livetime", np.nan))
    if not np.isfinite(found) and dataset.gti is not None:
        found = float(dataset.gti.time_sum.to_value("s"))
    if not found > 0:
        raise ValueError(
            f"dataset {dataset.name!r} has no live time; give it one with "
            "dataset.replace(livetime=...) or good time intervals (gti)"
        )
    return found


def information(
    dataset: Any, models: Models, options: FoldOptions | None = None
) -> tuple[np.ndarray, float]:
    """Fisher information of the free parameters from one dataset, and its counts.

    Parameters
    ----------
    dataset : counts dataset
    models : `~gammajax.models.Models`
        The truth. Priors do not count here.
    options : `~gammajax.fold.FoldOptions`, optional

    Returns
    -------
    fisher : array, shape (n_free, n_free)
        In the order of ``models.parameters.free_names``; 0 where the dataset says nothing.
    counts : float
        Expected in the fit range, with the background.
    """
    table = models.parameters
    used = [c for c in models if c.folds_into(dataset.name)]
    number = len(table.free_names)
    if not used or not dataset.mask.any():
        return np.zeros((number, number)), 0.0
    here = Models(used)
    rows = [_alone(table[name]) for name in here.parameters.names]
    here = here.with_table(ParameterTable(tuple(rows)))
    if not here.parameters.free_names:
        return np.zeros((number, number)), 0.0
    data = expected(dataset, here)
    counts = float(np.asarray(getattr(data.counts, "data", data.counts))[data.mask].sum())
    if not counts > 0:
        return np.zeros((number, number)), 0.0
    likelihood = Likelihood([data], here, options)
    hessian = np.asarray(likelihood.hessian(likelihood.start))
    source, factor, _ = table.resolved_links()
    column = {int(place): i for i, place in enumerate(table.free_index)}
    moved = np.zeros((likelihood.n_free, number))
    for i, name in enumerate(likelihood.names):
        place = table.index(name)
        moved[i, column[int(source[place])]] = factor[place]
    return moved.T @ hessian @ moved / 2, counts


def _alone(row: Any) -> Any:
    """A parameter that moves by itself if it moves at all, without prior and bounds."""
    return dataclasses.replace(row, link=None, prior=None, min=-np.inf, max=np.inf)


def prior_information(models: Models) -> np.ndarray:
    """The information of priors on free parameters: half the bend of their statistic."""
    table = models.parameters
    source, factor, _ = table.resolved_links()
    column = {int(place): i for i, place in enumerate(table.free_index)}
    found = np.zeros((len(column), len(column)))
    for place, row in enumerate(table):
        i = column.get(int(source[place]))
        if row.prior is not None and i is not None:
            bend = jax.grad(jax.grad(row.prior.stat))(float(row.value))
            found[i, i] += factor[place] ** 2 * float(bend) / 2
    return found
