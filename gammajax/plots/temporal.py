"""Pictures of temporal models."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from gammajax.models.temporal.times import to_mjd
from gammajax.plots.style import styled


@styled
def plot_temporal(
    model: Any, time_range: Any, ax: Any = None, *, n_points: int = 500, **options: Any
) -> Any:
    """Draw the factor of a temporal model against time.

    Parameters
    ----------
    model : `~gammajax.models.TemporalModel`
    time_range : `~astropy.time.Time` or pair of MJD
        Start and stop.
    ax : `~matplotlib.axes.Axes`, optional
    n_points : int
    **options
        Those of `matplotlib.axes.Axes.plot`.

    Returns
    -------
    ax : `~matplotlib.axes.Axes`
    """
    found = to_mjd(time_range, model.scale)
    start, stop = np.sum(found, axis=0) if isinstance(found, tuple) else found
    if not start < stop:
        raise ValueError(f"plot_temporal: got MJD {start} to {stop}, expected start < stop")
    if ax is None:
        ax = plt.figure().add_subplot()
    days = np.linspace(0, stop - start, n_points)
    ax.plot(days, model(start + days), **options)
    ax.set_xlabel(f"Time - MJD {start:.6g} ({model.scale.upper()}) [d]")
    ax.set_ylabel("Factor")
    return ax
