"""Maps of counts, prediction and residuals of a counts cube."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from gammajax.maps import Map
from gammajax.models import Models
from gammajax.plots.maps import LAYOUT, plot_map
from gammajax.plots.style import styled

LIMIT = 5.0
"""Residuals are shown from minus to plus this, in sigma."""


@styled
def plot_residual_maps(
    dataset: Any, models: Models | None = None, *, smooth: float | None = None
) -> Any:
    r"""Draw counts, prediction and residuals, summed over the energies of the mask.

    .. math:: R = \frac{(n - \mu) * k}{\sqrt{\mu * k^2}}

    with a normalised kernel k: the residual of smoothed counts in units of its own deviation.

    Parameters
    ----------
    dataset : `~gammajax.datasets.MapDataset`
    models : `~gammajax.models.Models`, optional
        By default the background alone is predicted.
    smooth : float, optional
        Width (sigma) of a Gaussian kernel in deg; by default two pixels.

    Returns
    -------
    axes : list of three `~astropy.visualization.wcsaxes.WCSAxes`
    """
    mask = dataset.mask
    geom = dataset.geom.to_image()

    def summed(values: Any) -> Any:
        return Map.from_geom(geom, data=np.where(mask, np.asarray(values), 0.0).sum(axis=0))

    width = 2 * float(np.max(geom.pixel_scales)) if smooth is None else float(smooth)
    counts, model = summed(dataset.counts.data), summed(dataset.npred(models).data)
    seen, expected = (np.asarray(m.smooth(width).data) for m in (counts, model))
    used = mask.any(axis=0)
    inside: Any = Map.from_geom(geom, data=used.astype(float))
    share = inside.smooth(width).data
    # the square of a Gaussian is one that is narrower, times the area it covers
    area = 4 * np.pi * (width / geom.pixel_scales).prod()
    deviation = np.sqrt(np.maximum(model.smooth(width / np.sqrt(2)).data, 0) / area)
    some = deviation > 0
    residual = np.where(some, (seen - expected) / np.where(some, deviation, 1.0), 0.0)
    # near an edge, a part of the kernel has no data
    seen, expected = (np.where(used, m / np.where(used, share, 1.0), np.nan)
                      for m in (seen, expected))  # fmt: skip
    alike = {"stretch": "sqrt", "vmin": 0.0, "vmax": _largest(seen, expected)}

    size = geom.width
    height = float(np.clip(2.9 * size[1] / size[0] + 1.1, 2.4, 8.0))
    figure = plt.figure(figsize=(12.5, height), layout=LAYOUT)
    axes = []
    panels = [
        ("counts, smoothed", seen, alike),
        ("prediction, smoothed", expected, alike),
        (
            r"residual [$\sigma$]",
            np.where(used, residual, np.nan),
            {"cmap": "RdBu_r", "vmin": -LIMIT, "vmax": LIMIT},
        ),
    ]
    for place, (title, values, options) in enumerate(panels, start=1):
        ax: Any = figure.add_subplot(1, 3, place, projection=geom.wcs)
        plot_map(Map.from_geom(geom, data=values), ax, add_cbar=True, **options)
        ax.set_title(title)
        if place > 1:  # as in the first, and it would touch the scale beside it
            ax.coords[1].set_auto_axislabel(False)
            ax.set_ylabel("")
        axes.append(ax)
    figure.suptitle(dataset.name)
    return axes


def _largest(*images: np.ndarray) -> float | None:
    """The largest value of images; None where they are empty."""
    top = max((float(np.nanmax(image, initial=0.0)) for image in images), default=0.0)
    return top if top > 0 else None
