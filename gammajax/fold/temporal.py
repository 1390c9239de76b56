r"""Folding of sources that change with time.

The counts of a dataset see the mean of the temporal model over its good time intervals,

.. math:: f_d = \frac{\sum_i \int_{a_i}^{b_i} f(t) \, dt}{\sum_i (b_i - a_i)},

with the exact integrals of the models. Its parameters may be free: several runs then share
one flare.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.fold.rows import Counts, Fold, Reading
from gammajax.models.temporal.times import MJD, gti_bounds


class Intervals(NamedTuple):
    """Good time intervals in the scale of a model, shape (..., interval).

    Those that are padded start and stop at the end of the last one.
    """

    start: MJD
    stop: MJD


class TimedFold(Fold):
    """The fold of a stack of sources that change with time.

    Attributes
    ----------
    dataset, source, target
        See `~gammajax.fold.rows.Fold`.
    fold : `~gammajax.fold.rows.Fold`
        That of the sources at a constant flux.
    intervals : `Intervals`, shape (row, interval)
    """

    dataset: Any
    source: Any
    target: Any
    fold: Any
    intervals: Intervals

    @classmethod
    def create(
        cls, fold: Fold, datasets: Sequence[Any], components: Sequence[Any]
    ) -> TimedFold:
        """The fold of sources that change with time, from that at a constant flux."""
        found = intervals_of(datasets, components)
        rows = jax.tree_util.tree_map(lambda array: array[np.asarray(fold.dataset)], found)
        return cls(fold.dataset, fold.source, fold.target, fold, rows)

    @property
    def width(self) -> int:
        """Bins of a block."""
        return self.fold.width

    @property
    def batch(self) -> int:
        """Rows that are folded side by side."""
        return self.fold.batch

    @property
    def stays(self) -> bool:
        """Whether the fold at a constant flux does."""
        return self.fold.stays

    def rows(self) -> Any:
        """What goes by row."""
        return self.fold.rows(), self.intervals

    def prepare(self, component: Any, here: Any) -> tuple[Any, Any]:
        """The tables of a component, times the mean of its temporal model, and its place."""
        own, intervals = here
        tables, place = self.fold.prepare(component, own)
        return tables * temporal_factor(component, intervals), place

    def reading(self, place: Any, here: Any) -> Reading:
        """What is needed of a place, as at a constant flux."""
        return self.fold.reading(place, here[0])

    def apply(self, tables: Any, reading: Reading, here: Any) -> Counts:
        """Predicted counts of a row."""
        return self.fold.apply(tables, reading, here[0])

    def added(self, tables: Any, shape: tuple[int, int]) -> Any:
        """As of `~gammajax.fold.staying.StayingFold`."""
        return self.fold.added(tables, shape)

    def worth(self, tables: Any, weight: Any) -> Any:
        """As of `~gammajax.fold.staying.StayingFold`."""
        return self.fold.worth(tables, weight)

    def products(self, slopes: Any, weight: Any) -> Any:
        """As of `~gammajax.fold.staying.StayingFold`."""
        return self.fold.products(slopes, weight)

    def by_slot(self, slopes: Any, column: Any, number: int, shape: tuple[int, int]) -> Any:
        """As of `~gammajax.fold.staying.StayingFold`."""
        return self.fold.by_slot(slopes, column, number, shape)

    def outgrown(self, component: Any, here: Any) -> Any:
        """Whether a component has left what the row was planned for."""
        return self.fold.outgrown(component, here[0])


def temporal_factor(component: Any, intervals: Intervals | None) -> Any:
    """The mean of a component's temporal model over intervals, traceable; 1 without one."""
    model = getattr(component, "temporal_model", None)
    if model is None or intervals is None:
        return jnp.ones(())
    return model.mean(*intervals)


def has_times(components: Sequence[Any]) -> bool:
    """Whether the components of a stack change with time."""
    return getattr(components[0], "temporal_model", None) is not None


def intervals_of(datasets: Sequence[Any], components: Sequence[Any]) -> Intervals:
    """The intervals of datasets, padded, in the scale of the components of one stack.

    Parameters
    ----------
    datasets : sequence of datasets
        Those without a source among the components may lack intervals.
    components : sequence of `~gammajax.models.SkyModel`

    Raises
    ------
    ValueError
        If a dataset has no intervals.
    """
    scale = components[0].temporal_model.scale
    bounds = [_bounds(dataset, components, scale) for dataset in datasets]
    most = max(start.day.size for start, _ in bounds)

    def padded(which: int, part: str) -> np.ndarray:
        rows = []
        for pair in bounds:
            last, own = getattr(pair[1], part)[-1:], getattr(pair[which], part)
            rows.append(np.concatenate([own, np.repeat(last, most - own.size)]))
        return np.stack(rows)

    start, stop = (MJD(padded(i, "day"), padded(i, "fraction")) for i in (0, 1))
    return Intervals(start, stop)


def _bounds(dataset: Any, components: Sequence[Any], scale: str) -> tuple[MJD, MJD]:
    gti = getattr(dataset, "gti", None)
    if gti is not None and np.size(gti.start):
        return gti_bounds(gti, scale)
    for component in components:
        if component.folds_into(dataset.name):
            raise ValueError(
                f"component {component.name!r} has a temporal model, and dataset "
                f"{dataset.name!r} has no good time intervals; give the dataset a gti, or the "
                "component no temporal_model"
            )
    # a day, which no source is folded into
    return MJD(np.zeros(1), np.zeros(1)), MJD(np.ones(1), np.zeros(1))
