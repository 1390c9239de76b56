"""Pictures of response tables."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm, Normalize

from gammajax.irf.axis import GridAxis
from gammajax.irf.psf import PSF
from gammajax.irf.table import IRF
from gammajax.plots.labels import unit_text
from gammajax.plots.style import axes_or_new, styled

LABELS = {
    "energy_true": "True energy",
    "energy": "Energy",
    "offset": "Offset",
    "migra": r"$E / E_{\mathrm{true}}$",
    "rad": "Distance",
    "fov_lon": "Longitude in the field",
    "fov_lat": "Latitude in the field",
}

NAMES = {
    "EFF_AREA": "Effective area",
    "EDISP": "Density",
    "BKG": "Background rate",
    "RAD_MAX": "Directional cut",
}

STEEP = ("EFF_AREA", "BKG")
"""What spans so many orders of magnitude in energy that colours are logarithmic."""

DECADES = 8


@styled
def peek_irf(irf: IRF, ax: Any = None) -> Any:
    """A response table as an image over two of its axes.

    A third axis is cut at its middle, which the title says. Point spread functions show the
    radius of 68 % containment. A table of one offset is a line.

    Parameters
    ----------
    irf : `~gammajax.irf.IRF`
    ax : axes, optional

    Returns
    -------
    ax : axes
    """
    ax = axes_or_new(ax)
    axes, values, label, title = _plane(irf)
    first, second = axes
    if second.nbin == 1:
        ax.plot(first.center, values[:, 0], drawstyle="steps-mid")
        ax.set(xlabel=_axis_label(first), ylabel=label, title=title)
    else:
        norm = _norm(irf, values) if "energy" in first.name else None
        mesh = ax.pcolormesh(
            _bounds(first), _bounds(second), values.T, norm=norm, rasterized=True
        )
        ax.figure.colorbar(mesh, ax=ax, label=label)
        ax.set(xlabel=_axis_label(first), ylabel=_axis_label(second), title=title)
        ax.grid(visible=False)
    if first.scale == "log":
        ax.set_xscale("log")
    return ax


@styled
def peek_irfs(irfs: Any) -> Any:
    """Several response tables, as `peek_irf` draws them, on one figure.

    Parameters
    ----------
    irfs : dict of `~gammajax.irf.IRF`
        By name: effective area, dispersion and so on.

    Returns
    -------
    axes : list of axes
    """
    rows = -(-len(irfs) // 2)
    _, panels = plt.subplots(rows, 2, figsize=(10.5, 4.0 * rows), squeeze=False)
    axes = list(panels.ravel())
    for irf, ax in zip(irfs.values(), axes, strict=False):
        peek_irf(irf, ax)
    for ax in axes[len(irfs) :]:
        ax.set_visible(False)
    return axes[: len(irfs)]


def _plane(irf: IRF) -> tuple[tuple[GridAxis, GridAxis], np.ndarray, str, str]:
    """Two axes, values on them, what they are, and where the third axis is cut."""
    name = type(irf).__name__
    if isinstance(irf, PSF):
        energy, offset = irf.axis("energy_true"), irf.axis("offset")
        radii = irf.containment_radius(
            fraction=0.68, energy_true=energy.center[:, None], offset=offset.center
        )
        return (energy, offset), radii.value, "68 % containment [deg]", name
    label = f"{NAMES[irf.hduclas2]} {_bracket(irf.unit)}".strip()
    if len(irf.axes) == 2:
        return (irf.axes[0], irf.axes[1]), irf.values, label, name
    cut = 0 if irf.axes[0].name == "energy" else 2
    axis = irf.axes[cut]
    place = axis.nbin // 2
    rest = [one for i, one in enumerate(irf.axes) if i != cut]
    title = f"{name} at {axis.name} {axis.center[place]:.3g} {axis.unit}"
    return (rest[0], rest[1]), np.take(irf.values, place, axis=cut), label, title


def _bounds(axis: GridAxis) -> np.ndarray:
    """Edges of the pixels; halfway between nodes where the axis has no bins."""
    if not axis.is_nodes:
        return axis.edges
    middle = (axis.center[1:] + axis.center[:-1]) / 2
    return np.concatenate([axis.center[:1], middle, axis.center[-1:]])


def _norm(irf: IRF, values: np.ndarray) -> Any:
    """How values become colours: what spans orders of magnitude does it logarithmically.

    In energy dispersions a few bins with hardly any simulated events would outshine the rest.
    """
    filled = values[values > 0]
    if not filled.size:
        return None
    if irf.hduclas2 == "EDISP":
        return Normalize(0, np.quantile(filled, 0.99))
    if irf.hduclas2 in STEEP:
        return LogNorm(max(filled.min(), 10.0**-DECADES * filled.max()), filled.max())
    return None


def _bracket(unit: str) -> str:
    return f"[{unit_text(unit)}]" if unit else ""


def _axis_label(axis: GridAxis) -> str:
    return f"{LABELS.get(axis.name, axis.name)} {_bracket(axis.unit)}".strip()
