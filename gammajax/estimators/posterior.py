"""Norms as a posterior has them: draws by NUTS, quantiles, Bayesian limits."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gammajax.data import FluxNorms
from gammajax.estimators.base import Task
from gammajax.estimators.copies import in_groups
from gammajax.estimators.scaled import norm_name
from gammajax.fold import FoldOptions
from gammajax.inference import Fit, FitResult, Likelihood, Posterior, sample
from gammajax.inference.covariance import invert
from gammajax.models import Models
from gammajax.parameters import Prior

LARGEST_R_HAT = 1.01


def with_prior(models: Models, pattern: str, prior: Prior | None) -> Models:
    """The models with a prior on norms, flat above 0 if there is none."""
    rows = [models.parameters[i] for i in models.parameters.match(pattern)]
    for row in rows:
        low = max(row.min, 0.0) if prior is None else max(row.min, prior.support[0])
        high = row.max if prior is None else min(row.max, prior.support[1])
        start = float(np.clip(row.value, low, high))
        models = models.set(row.name, start, min=low, max=high)
        if prior is not None:
            models = models.set(row.name, prior=prior)
    return models


def independent(
    task: Task,
    masks: Sequence[Mapping[str, Any]],
    used: np.ndarray,
    prior: Prior | None,
    fold: FoldOptions | None,
) -> tuple[Likelihood, list[str]]:
    """One likelihood of all cells, with norms and all that is refitted free in each."""
    norm = norm_name(task.source)
    models = with_prior(task.scaled, norm, prior)
    chosen = [mask for mask, use in zip(masks, used, strict=True) if use]
    parts, copies = in_groups(task.datasets, models, chosen)
    rest = norm.removeprefix(task.source)
    names = [f"{task.source}-{i}{rest}" for i in range(len(chosen))]
    return Likelihood(parts, copies, fold), names


def posterior_of(
    norms: FluxNorms, likelihood: Likelihood, names: Sequence[str], used: Any, options: Any
) -> tuple[FluxNorms, Posterior]:
    """The norms with samples from the posterior of a likelihood, and this posterior.

    Parameters
    ----------
    norms : `~gammajax.data.FluxNorms`
        Of shape (cell,), from the likelihood.
    likelihood : `~gammajax.inference.Likelihood`
    names : sequence of str
        The norms among its parameters.
    used : array of bool, shape (cell,)
        The cells that have one.
    options : dict
        For `~gammajax.inference.sample`.
    """
    places = [likelihood.names.index(name) for name in names]
    width = np.nan_to_num(np.asarray(norms.norm_ul)[used], nan=1.0) / norms.n_sigma_ul
    posterior = sample(_start(Fit().run(likelihood), places, width), **options)
    draws = posterior.flat
    samples = np.full((*norms.shape, len(draws)), np.nan)
    samples[used] = draws[:, places].T
    r_hat = np.full(norms.shape, np.nan)
    r_hat[used] = posterior.r_hat[places]
    notes, success = _notes(norms, r_hat, posterior.n_divergent)
    found = norms.with_samples(samples)
    return dataclasses.replace(found, notes=notes, success=success), posterior


def _start(result: FitResult, places: Sequence[int], width: np.ndarray) -> FitResult:
    """The fit with a width for norms that no count determines: in empty cells."""
    if np.all(np.isfinite(result.covariance)):
        return result
    fisher = np.array(result.fisher)
    known = np.diag(fisher) > 0
    for place, one in zip(places, width, strict=True):
        if not fisher[place, place] > 0.01 / one**2:
            known[place] = False
            fisher[place, place] = 2 / one**2
    covariance = np.zeros(fisher.shape)
    block = np.ix_(known, known)
    covariance[block] = 2 * invert(fisher[block])
    return dataclasses.replace(result, covariance=covariance, fisher=fisher)


def _notes(norms: FluxNorms, r_hat: np.ndarray, divergent: int) -> tuple[Any, np.ndarray]:
    """What is odd about each cell, in words; and which can be believed."""
    notes, success = [], []
    counts = np.nansum(np.asarray(norms.counts), axis=-1)
    for i, said in enumerate(norms.notes):
        words = [w for w in str(said).split("; ") if "exposure" in w or "no bin" in w]
        good = bool(r_hat[i] < LARGEST_R_HAT) and divergent == 0
        if np.isfinite(r_hat[i]):
            if counts[i] == 0:
                words.append("no counts: the posterior is the prior times e to the minus npred")
            if not r_hat[i] < LARGEST_R_HAT:
                words.append(f"R-hat of the chains is {r_hat[i]:.3f}, expected below 1.01")
            if divergent:
                words.append(f"{divergent} divergent transitions: raise target_accept")
        notes.append("; ".join(words))
        success.append(good)
    return np.array(notes, dtype=object), np.array(success)


def sampling_options(options: dict[str, Any], progress: bool) -> dict[str, Any]:
    """Options of `~gammajax.inference.sample`, quiet unless the estimator is not."""
    return {"progress": progress, **options}
