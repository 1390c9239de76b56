"""Which datasets belong to which interval of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gammajax.datasets import Datasets

NIGHT_GAP = 0.25
"""A night ends where nothing was taken for this many days."""

SLACK = 1e-6
"""Days by which the times of a dataset may reach over an interval."""


def dataset_times(datasets: Datasets) -> np.ndarray:
    """First and last moment of each dataset, MJD in TT; shape (dataset, 2).

    Raises
    ------
    ValueError
        If a dataset has no good time intervals.
    """
    found = []
    for dataset in datasets:
        gti = dataset.gti
        if gti is None or len(gti) == 0:
            raise ValueError(
                f"dataset {dataset.name!r} has no good time intervals (gti), so it belongs to "
                "no time; give it some with dataset.replace(gti=...)"
            )
        found.append((gti.time_start.tt.mjd.min(), gti.time_stop.tt.mjd.max()))
    return np.array(found)


def time_bins(
    datasets: Datasets, time_intervals: Any
) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """Intervals of time and the names of the datasets in each.

    Parameters
    ----------
    datasets : `~gammajax.datasets.Datasets`
    time_intervals : "run", "night", or sequence of pairs of `~astropy.time.Time`
        ``run`` has an interval for each dataset, ``night`` one for all between two gaps of
        six hours.

    Returns
    -------
    intervals : array, shape (interval, 2)
        MJD in TT.
    members : list of tuple of str

    Raises
    ------
    ValueError
        If an interval has no dataset, or a dataset reaches over the edge of one.
    """
    times = dataset_times(datasets)
    order = np.argsort(times[:, 0], kind="stable")
    if isinstance(time_intervals, str):
        if time_intervals not in ("run", "night"):
            raise ValueError(
                f"time_intervals is {time_intervals!r}, expected 'run', 'night' or pairs of "
                "times"
            )
        groups = [[i] for i in order] if time_intervals == "run" else _nights(times, order)
        edges = np.array([(times[g, 0].min(), times[g, 1].max()) for g in groups])
        return edges, [tuple(datasets.names[i] for i in group) for group in groups]
    edges = np.array([[_mjd(t) for t in pair] for pair in time_intervals])
    members = [_members(datasets, times, edge) for edge in edges]
    return edges, members


def _nights(times: np.ndarray, order: np.ndarray) -> list[list[int]]:
    groups: list[list[int]] = []
    last = -np.inf
    for i in order:
        if times[i, 0] - last > NIGHT_GAP:
            groups.append([])
        groups[-1].append(int(i))
        last = max(last, times[i, 1])
    return groups


def _mjd(time: Any) -> float:
    from astropy.time import Time

    if not isinstance(time, Time):
        raise ValueError(
            f"time_intervals: got {time!r}, expected pairs of astropy Time, which know their "
            "scale"
        )
    scaled: Any = time.tt
    return float(scaled.mjd)


def _members(datasets: Datasets, times: np.ndarray, edge: Sequence[float]) -> tuple[str, ...]:
    low, high = edge[0] - SLACK, edge[1] + SLACK
    inside = (times[:, 0] >= low) & (times[:, 1] <= high)
    touched = (times[:, 1] > edge[0] + SLACK) & (times[:, 0] < edge[1] - SLACK)
    across = [datasets.names[i] for i in np.nonzero(touched & ~inside)[0]]
    if across:
        raise ValueError(
            f"time_intervals: {', '.join(across)} reaches over an edge of the interval, MJD "
            f"{edge[0]:.6f} to {edge[1]:.6f}; reduce the parts of the runs that lie within, "
            "with observations.select_time(start, stop)"
        )
    if not inside.any():
        raise ValueError(
            f"time_intervals: no dataset lies between MJD {edge[0]:.6f} and {edge[1]:.6f} (TT)"
        )
    return tuple(datasets.names[i] for i in np.nonzero(inside)[0])
