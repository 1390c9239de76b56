"""Counts of one or several datasets with the same bins, summed for a picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from gammajax.maps import MapAxis
from gammajax.models import Models
from gammajax.stats import cash, wstat, wstat_background


@dataclass(frozen=True)
class CountsSum:
    """Observed and predicted counts in energy bins, each dataset's own range only.

    ``signal`` and ``background`` (in the on region) are None without models; for on-off
    data the background is then alpha times the off counts.
    """

    label: str
    energy: MapAxis
    used: np.ndarray
    counts: np.ndarray
    background: np.ndarray
    signal: np.ndarray | None
    residual: np.ndarray | None
    """Signed square root of the statistic's rise over a perfect prediction, in sigma."""


@dataclass(frozen=True)
class SkySum:
    """A counts cube summed over the pixels of its mask, as if it were a spectrum."""

    name: str
    energy: MapAxis
    meta: dict[str, Any]
    mask: np.ndarray
    counts: np.ndarray
    background: np.ndarray
    signal: np.ndarray | None
    stat_type: str = "cash"

    def npred_signal(self, models: Models) -> np.ndarray | None:
        """Predicted counts of the sky models that it was made with."""
        del models
        return self.signal

    @classmethod
    def create(cls, dataset: Any, models: Models | None) -> SkySum:
        """The sums of a cube, with the background as the models scale it."""
        mask = dataset.mask

        def total(found: Any) -> np.ndarray:
            return np.where(mask, np.asarray(found), 0.0).reshape(len(mask), -1).sum(axis=1)

        signal, background = None, total(dataset.background_data)
        if models is not None:
            signal = total(dataset.npred_signal(models).data)
            background = total(dataset.npred(models).data) - signal
        used = mask.reshape(len(mask), -1).any(axis=1)
        counts = total(dataset.counts.data)
        return cls(dataset.name, dataset.energy, dataset.meta, used, counts, background, signal)


def count_sums(datasets: Sequence[Any], models: Models | None) -> list[CountsSum]:
    """The datasets in groups of the same kind, bins and instrument, each summed.

    The instrument is the start of the name up to a separator (``hess-23523``), or the
    telescope that the file named.
    """
    groups: list[list[Any]] = []
    for dataset in datasets:
        if not hasattr(dataset, "counts"):
            continue
        if hasattr(dataset, "geom"):
            dataset = SkySum.create(dataset, models)
        for group in groups:
            if _kind(group[0]) == _kind(dataset) and group[0].energy.is_close(dataset.energy):
                group.append(dataset)
                break
        else:
            groups.append([dataset])
    return [sum_counts(group, models) for group in groups]


def sum_counts(datasets: Sequence[Any], models: Models | None) -> CountsSum:
    """The sum of datasets with the same energy bins, over the bins in their masks."""
    masks = np.array([dataset.mask for dataset in datasets])
    used = np.array(masks.any(axis=0))

    def total(rows: Any) -> np.ndarray:
        return np.where(masks, np.array(rows), 0.0).sum(axis=0)

    counts = total([dataset.counts for dataset in datasets])
    signals = None
    if models is not None:
        signals = np.array([dataset.npred_signal(models) for dataset in datasets])
    signal = None if signals is None else total(signals)
    if datasets[0].stat_type == "wstat":
        background, stat = _on_off(datasets, counts, signals, total)
    else:
        background = total([dataset.background for dataset in datasets])
        stat = None if signal is None else _cash_rise(counts, signal + background)
    residual = None
    if signal is not None and stat is not None:
        sign = np.sign(counts - signal - background)
        residual = np.where(used, sign * np.sqrt(np.maximum(stat, 0.0)), np.nan)
    return CountsSum(
        group_label(datasets),
        datasets[0].energy,
        used,
        counts,
        background,
        signal,
        residual,
    )


def _on_off(
    datasets: Sequence[Any], counts: np.ndarray, signals: Any, total: Any
) -> tuple[np.ndarray, np.ndarray | None]:
    """Background in the on region, and the statistic of the sums with their mean alpha."""
    alpha = np.array([np.where(d.alpha > 0, d.alpha, 1.0) for d in datasets])
    n_on = np.array([dataset.counts for dataset in datasets])
    n_off = np.array([dataset.counts_off for dataset in datasets])
    if signals is None:
        return total(alpha * n_off), None
    off = np.asarray(_wstat_background(n_on, n_off, alpha, signals))
    expected, expected_off = total(alpha * off), total(off)
    mean_alpha = total(alpha) / np.maximum(total(np.ones(alpha.shape)), 1)
    usable = expected_off > 0
    mean_alpha = np.where(usable, expected / np.where(usable, expected_off, 1.0), mean_alpha)
    mean_alpha = np.where(mean_alpha > 0, mean_alpha, 1.0)
    stat = np.asarray(_wstat(counts, total(n_off), mean_alpha, total(signals)))
    return expected, stat


def _cash_rise(counts: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    positive = np.maximum(predicted, 1e-25)
    return np.asarray(_cash(counts, positive)) - np.asarray(
        _cash(counts, np.maximum(counts, 1e-25))
    )


_cash, _wstat, _wstat_background = jax.jit(cash), jax.jit(wstat), jax.jit(wstat_background)


def _kind(dataset: Any) -> tuple[str, str]:
    return dataset.stat_type, _instrument(dataset)


def _instrument(dataset: Any) -> str:
    stem = re.match(r"[^-_ .]+(?=[-_ .])", dataset.name)
    return stem.group() if stem else str(dataset.meta.get("telescope", ""))


def group_label(datasets: Sequence[Any]) -> str:
    """The name of one dataset, or the instrument that several have in common."""
    if len(datasets) == 1:
        return datasets[0].name
    common = _instrument(datasets[0])
    if common:
        return f"{common} ({len(datasets)} datasets)"
    return f"{datasets[0].name} and {len(datasets) - 1} more"


def poisson_errors(counts: np.ndarray) -> np.ndarray:
    """Lower and upper 68 % errors of counts (Garwood 1936), shape (2, n)."""
    from scipy.special import chdtri, gammaincinv

    tail = 0.158655
    low = np.where(counts > 0, gammaincinv(np.maximum(counts, 0.5), tail), 0.0)
    high = chdtri(2 * (counts + 1), tail) / 2
    return np.array([counts - low, high - counts])
