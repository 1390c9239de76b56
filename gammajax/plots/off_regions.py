"""Where the background of spectra is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from gammajax.maps import RegionGeom, WcsGeom
from gammajax.plots.regions import plot_region
from gammajax.plots.style import COLOURS, DATA, FAINT, sky_labels, styled

MOST_NAMED = 8
"""Of more datasets, none is named."""


@styled
def plot_off_regions(datasets: Sequence[Any], ax: Any = None) -> Any:
    """Draw the on region and the off regions of spectra, each dataset in a colour.

    Parameters
    ----------
    datasets : sequence of `~gammajax.datasets.SpectrumDatasetOnOff`
        Of `~gammajax.makers.ReflectedRegionsBackgroundMaker`; those that do not know their
        regions are left out.
    ax : `~astropy.visualization.wcsaxes.WCSAxes`, optional

    Raises
    ------
    ValueError
        If none knows its regions.
    """
    known = [dataset for dataset in datasets if dataset.meta.get("off_regions")]
    if not known:
        raise ValueError("plot_off_regions: no dataset has off regions in its meta")
    on = RegionGeom.create(known[0].meta["on_region"])
    ax = _axes(on, known) if ax is None else ax
    colours = COLOURS[:-1]  # the last is as dark as the on region
    for place, dataset in enumerate(known):
        style = {"color": colours[place % len(colours)], "linewidth": 1.0}
        label = dataset.name if len(known) <= MOST_NAMED else None
        for region in dataset.meta["off_regions"]:
            plot_region(RegionGeom.create(region), ax, label=label, **style)
            label = None
    plot_region(on, ax, color=DATA, linewidth=2.0, label="on")
    if len(known) > MOST_NAMED:
        ax.plot([], [], color=FAINT, label=f"off, {len(known)} datasets")
    ax.figure.legend(*ax.get_legend_handles_labels(), loc="outside right upper")
    return ax


def _axes(on: RegionGeom, datasets: Sequence[Any]) -> Any:
    """Axes around all regions."""
    center = on.center_skydir
    away = [
        float(center.separation(RegionGeom.create(region).center_skydir).deg)
        for dataset in datasets
        for region in dataset.meta["off_regions"]
    ]
    width = 2.2 * (max(away) + 2 * on.radius) + 0.2
    plane = WcsGeom.create(
        skydir=center, width=width, binsz=width / 400, proj="TAN", frame=on.frame
    )
    ax = plt.figure(figsize=(7.2, 5.2)).add_subplot(projection=plane.wcs)
    ends = np.array(plane.npix) - 0.5
    ax.set(xlim=(-0.5, ends[0]), ylim=(-0.5, ends[1]))
    ax.set_aspect("equal")
    sky_labels(ax, on.frame)
    return ax
