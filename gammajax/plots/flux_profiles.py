"""Likelihood profiles of flux points."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.plots.labels import ENERGY_LABEL, label_energies, unit_text
from gammajax.plots.style import axes_or_new, styled
from gammajax.units import EFLUX, conversion_factor

N_VALUES = 200


@styled
def plot_flux_profiles(
    points: Any,
    ax: Any = None,
    *,
    unit: str = "erg cm-2 s-1",
    most: float = 4.0,
    cmap: str = "Blues_r",
    add_cbar: bool = True,
) -> Any:
    r"""How much the statistic rises with the flux of each point, as colours.

    Between the norms of the likelihood scan the root of the rise is a straight line.

    Parameters
    ----------
    points : `~gammajax.data.FluxPoints`
        From an estimator, with a likelihood scan.
    ax : axes, optional
    unit : str
        Of :math:`E^2\,dN/dE`.
    most : float
        The largest rise that has a colour.
    cmap : str
    add_cbar : bool

    Raises
    ------
    ValueError
        If the points have no likelihood scan.
    """
    norms = points.norms
    if norms is None or not np.size(norms.norm_scan):
        raise ValueError(
            "plot_flux_profiles: these points have no likelihood scan; run the estimator with "
            "selection_optional='all'"
        )
    ax = axes_or_new(ax)
    scale = norms.ref_e2dnde * conversion_factor(EFLUX, unit, where="unit")
    least = np.nanmin(scale) * np.min(norms.norm_scan)
    largest = np.nanmax(scale) * np.max(norms.norm_scan)
    edges = np.geomspace(least, largest, N_VALUES + 1)
    flux = np.sqrt(edges[:-1] * edges[1:])
    drawn = None
    for i in range(len(points)):
        if not np.isfinite(norms.norm[i]):
            continue
        rise = profile_of(norms, i, flux / scale[i])
        shown = np.where(rise <= most, rise, np.nan)[:, None]
        across = [points.energy_min[i], points.energy_max[i]]
        drawn = ax.pcolormesh(across, edges, shown, vmin=0, vmax=most, cmap=cmap)
    label_energies(ax)
    ax.set(yscale="log", xlabel=ENERGY_LABEL)
    ax.set_ylabel(rf"$E^2\,dN/dE$ [{unit_text(unit)}]")
    if add_cbar and drawn is not None:
        ax.figure.colorbar(drawn, ax=ax, label=r"$\Delta\,(-2 \ln L)$")
    return ax


def profile_of(norms: Any, i: int, norm: np.ndarray) -> np.ndarray:
    """The rise of the statistic of one bin at norms; NaN beyond the scan."""
    known = np.append(norms.norm_scan, norms.norm[i])
    stat = np.append(norms.stat_scan[i], norms.stat[i])
    order = np.argsort(known)
    known, stat = known[order], stat[order]
    root = np.sign(known - norms.norm[i]) * np.sqrt(np.maximum(stat - norms.stat[i], 0.0))
    return np.interp(norm, known, root, left=np.nan, right=np.nan) ** 2
