"""What flux points and light curves share: which norms are measured, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gammajax.datasets import Datasets
from gammajax.estimators.build import build_cells
from gammajax.estimators.energy_bins import EnergyBin, energy_bins
from gammajax.estimators.norms import NormOptions, measure_norms
from gammajax.estimators.scaled import norm_name, scaled_models, source_name
from gammajax.fold import FoldOptions
from gammajax.models import Models

METHODS = ("independent", "joint")


class Task(NamedTuple):
    """What is measured: the models, and these with a norm on the spectrum of the source."""

    datasets: Datasets
    models: Models
    source: str
    bins: tuple[EnergyBin, ...]
    scaled: Models


@dataclass(frozen=True, kw_only=True)
class NormEstimator:
    """Base of the estimators of norms; parameters as in `FluxPointsEstimator`."""

    energy_edges: Any = None
    source: str | None = None
    n_sigma: float = 1.0
    n_sigma_ul: float = 2.0
    selection_optional: Any = "all"
    reoptimize: bool | str | Sequence[str] = False
    method: str = "independent"
    norm_scan: Any = None
    norm_min: float = -np.inf
    norm_max: float = np.inf
    sqrt_ts_threshold_ul: float = 2.0
    fold: FoldOptions | None = None
    progress: bool = False

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(
                f"{type(self).__name__}: method is {self.method!r}, expected "
                f"{' or '.join(METHODS)}"
            )
        self.options  # noqa: B018  (bad options are an error now, not after a long fit)

    @property
    def options(self) -> NormOptions:
        """How norms are measured."""
        return NormOptions.create(
            self.selection_optional,
            n_sigma=self.n_sigma,
            n_sigma_ul=self.n_sigma_ul,
            norm_scan=self.norm_scan,
            norm_min=self.norm_min,
            norm_max=self.norm_max,
            progress=self.progress,
        )

    def _task(self, datasets: Any, models: Any) -> Task:
        datasets = datasets if isinstance(datasets, Datasets) else Datasets(datasets)
        models = models if isinstance(models, Models) else Models(models)
        source = source_name(models, self.source)
        bins = energy_bins(datasets, self.energy_edges)
        start = np.clip(1.0, self.norm_min, self.norm_max)
        scaled = scaled_models(models, source, self.reoptimize).set(
            norm_name(source), min=self.norm_min, max=self.norm_max, value=start
        )
        return Task(datasets, models, source, bins, scaled)

    def _apart(self, task: Task, masks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The norm in each of some selections of the data, each a fit of its own."""
        cells = build_cells(task.datasets, task.scaled, masks, self.fold)
        norm = task.scaled.parameters.index(norm_name(task.source))
        return measure_norms(cells, norm, self.options) | {"covariance": None}
