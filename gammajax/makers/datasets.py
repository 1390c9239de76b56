"""Many runs reduced: one dataset each, or all in one."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.data import Observation
from gammajax.datasets import Datasets, MapDataset, MapDatasetOnOff
from gammajax.makers.field import pointing_of
from gammajax.makers.parallel import check_jobs, outcomes
from gammajax.makers.safe_mask import SafeMaskMaker
from gammajax.maps import Map, WcsGeom
from gammajax.units import to_value

BATCH = 10
"""So many runs are in memory before they are summed."""

MARGIN = 2
"""Pixels that a cutout has beyond the pixels that are in the safe mask."""


class RunsFailedWarning(UserWarning):
    """Some runs could not be reduced; it says which, and why."""


class ReducedDatasets(Datasets):
    """Datasets of runs, and the runs that failed.

    Parameters
    ----------
    datasets : iterable of datasets
    failures : dict of str
        By number of the run: why it could not be reduced.
    """

    def __init__(self, datasets: Any, failures: dict[int, str]) -> None:
        super().__init__(datasets)
        self.failures = dict(failures)


@dataclass(frozen=True)
class DatasetsMaker:
    """Reduce many runs with a chain of makers.

    Parameters
    ----------
    makers : sequence of makers
        In order; each gets the dataset of the one before it, and the run.
    stack_datasets : bool
        Whether all runs are summed into one dataset, or each has its own.
    cutout_width : float in deg or `~astropy.units.Quantity`, optional
        Counts cubes are reduced on the part of the map around the pointing. By default the
        part that the rule offset-max of a `SafeMaskMaker` leaves, if there is one.
    n_jobs : int
        So many processes share the runs.
    executor : `~concurrent.futures.Executor`, optional
        Does the work instead: threads, processes, or a cluster, as in
        ``distributed.Client(address).get_executor()``.
    progress : bool
        Show a bar.

    Raises
    ------
    ValueError
        If there are no makers, or less than one process.

    Examples
    --------
    >>> from gammajax.makers import DatasetsMaker, MapDatasetMaker, SafeMaskMaker
    >>> safe = SafeMaskMaker(methods=("offset-max",), offset_max="2 deg")
    >>> DatasetsMaker([MapDatasetMaker(), safe], stack_datasets=False).n_jobs
    1
    """

    makers: Sequence[Any]
    stack_datasets: bool = True
    cutout_width: Any = None
    n_jobs: int = 1
    executor: Any = None
    progress: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "makers", tuple(self.makers))
        if not self.makers:
            raise ValueError("DatasetsMaker: there are no makers")
        check_jobs(self.n_jobs, "DatasetsMaker")
        if self.cutout_width is not None:
            where = "DatasetsMaker: cutout_width"
            width = float(to_value(self.cutout_width, "deg", where=where))
            object.__setattr__(self, "cutout_width", width)

    @property
    def offset_max(self) -> float | None:
        """The smallest distance from the pointing, in deg, beyond which nothing is safe."""
        found = [
            maker.offset_max
            for maker in self.makers
            if isinstance(maker, SafeMaskMaker) and "offset-max" in maker.methods
        ]
        return min(found, default=None)

    def run(self, dataset: Any, observations: Iterable[Observation]) -> ReducedDatasets:
        """Reduce runs.

        Parameters
        ----------
        dataset : `~gammajax.datasets.MapDataset` or `~gammajax.datasets.SpectrumDataset`
            With nothing in it: gives name and geometries. A sum has its name; the dataset of
            run 23523 is called ``run-23523``.
        observations : iterable of `~gammajax.data.Observation`

        Returns
        -------
        datasets : `ReducedDatasets`
            In the order of the runs, whatever the number of processes. Those that failed are
            in its ``failures``, and in a warning.

        Raises
        ------
        ValueError
            If there are no runs, or all failed.
        """
        # processes that reduce runs need none of the inference, which takes long to import
        from gammajax.inference.progress import Progress

        runs = list(observations)
        if not runs:
            raise ValueError("DatasetsMaker: got no runs to reduce")
        common = (self.makers, dataset, (self.cutout_width, self.offset_max))
        tasks = list(zip(_names(runs), runs, strict=True))
        total = Total(dataset)
        failures: dict[int, str] = {}
        found: list[Any] = []
        with Progress("Reducing runs", len(runs), show=self.progress) as bar:
            done = outcomes(
                reduce_run, common, tasks, n_jobs=self.n_jobs, executor=self.executor
            )
            for run, outcome in zip(runs, done, strict=True):
                if outcome.failure:
                    failures[run.obs_id] = outcome.failure
                elif self.stack_datasets:
                    total.add(outcome.result)
                else:
                    found.append(outcome.result)
                bar.advance(1)
        _report(failures, len(runs))
        if self.stack_datasets:
            found = [total.get()]
        return ReducedDatasets(found, failures)


def _names(runs: Sequence[Observation]) -> list[str]:
    """A name for the dataset of each run; parts of one run are numbered."""
    seen: dict[int, int] = {}
    names = []
    for run in runs:
        number = seen[run.obs_id] = seen.get(run.obs_id, 0) + 1
        names.append(f"run-{run.obs_id}" + (f"-{number}" if number > 1 else ""))
    return names


def _report(failures: dict[int, str], number: int) -> None:
    if not failures:
        return
    told = "; ".join(
        reason if reason.startswith(f"run {run}:") else f"run {run}: {reason}"
        for run, reason in failures.items()
    )
    if len(failures) == number:
        raise ValueError(f"none of {number} runs could be reduced: {told}")
    text = f"{len(failures)} of {number} runs could not be reduced and are left out: {told}"
    warnings.warn(text, RunsFailedWarning, stacklevel=3)


def reduce_run(
    makers: Sequence[Any], dataset: Any, cut: Any, name: str, run: Observation
) -> Any:
    """The dataset of one run; ``cut`` is width and offset of `part_of`."""
    made = part_of(dataset.replace(name=name), run, *cut)
    for maker in makers:
        made = maker.run(made, run)
    return made


def part_of(dataset: Any, run: Observation, width: float | None, offset: float | None) -> Any:
    """The part of a counts cube around the pointing of a run.

    Parameters
    ----------
    dataset : dataset
        A spectrum is left as it is.
    run : `~gammajax.data.Observation`
    width : float or None
        In deg.
    offset : float or None
        In deg; without a width, the part that is nearer to the pointing.

    Raises
    ------
    ValueError
        If no pixel is left.
    """
    geom = getattr(dataset, "geom", None)
    if geom is None or (width is None and (offset is None or not isinstance(geom, WcsGeom))):
        return dataset
    center = pointing_of(run)
    if width is not None:
        return dataset.cutout(center, width, name=dataset.name)
    image = geom.to_image()
    near = np.asarray(image.separation(center)) < offset
    if not near.any():
        raise ValueError(
            f"run {run.obs_id}: no pixel of {image!r} is within {offset:g} deg of the pointing"
        )
    y, x = (np.nonzero(near.any(axis=axis))[0] for axis in (1, 0))
    middle = image.pix_to_coord(((x[0] + x[-1]) / 2, (y[0] + y[-1]) / 2))
    size = np.array([np.ptp(x), np.ptp(y)]) + 1 + 2 * MARGIN
    around = tuple(float(v) for v in size * image.pixel_scales)
    return dataset.cutout((float(middle[0]), float(middle[1])), around, name=dataset.name)


class Total:
    """A sum of datasets that grows run by run, in order.

    Parameters
    ----------
    empty : dataset
        With nothing in it; of counts cubes, parts of its map may be added.
    """

    def __init__(self, empty: Any) -> None:
        self._empty, self._sum = empty, None
        self._waiting: list[Any] = []
        self._names: list[str] = []

    def add(self, dataset: Any) -> None:
        """Add the dataset of a run."""
        self._waiting.append(dataset)
        self._names.append(dataset.name)
        if len(self._waiting) >= BATCH:
            self._join()

    def get(self) -> Any:
        """The sum, under the name of the empty dataset."""
        self._join()
        found: Any = self._sum
        return found.replace(meta={**found.meta, "stacked": self._names})

    def _join(self) -> None:
        if not self._waiting:
            return
        name = self._empty.name
        if self._sum is None:
            first = self._waiting[0]
            self._sum = _like(self._empty, first) if hasattr(first, "geom") else None
        start = [] if self._sum is None else [self._sum]
        parts = [*start, *self._waiting]
        self._sum = parts[0].stack(*parts[1:], name=name)
        self._waiting = []


def _like(empty: MapDataset, made: Any) -> Any:
    """The empty counts cube as one of the kind and the parts of a made one."""
    missing = {name: None for name in ("psf", "edisp") if getattr(made, name) is None}
    empty = empty.replace(**missing)
    if not isinstance(made, MapDatasetOnOff):
        return empty
    zero = Map.from_geom(empty.geom)
    return MapDatasetOnOff.from_map_dataset(
        empty, counts_off=zero, acceptance=zero, acceptance_off=zero
    )
