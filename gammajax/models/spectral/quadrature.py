r"""Energy integrals of spectra without a closed form.

:math:`\int f(E) \, dE = \int f(e^u) \, e^u \, du` by Gauss-Legendre nodes in :math:`u = \ln E`.
Where a spectrum is not analytic (a break, a node of a table), the interval is split there:
each panel then holds a smooth function, on which the rule converges geometrically. Tables
that are straight lines in log-log are power laws on each panel, which have a closed form.

Panels have a static number, and one outside the interval has zero width: nothing jumps when
a break moves through the edge of a bin.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

NODES = 96
"""Nodes for each panel of an interval of any width; see `integrate` for the accuracy."""

NODES_NARROW = 10
"""Nodes for each panel of an energy bin narrower than a factor 2; for folding."""


def nodes_for(ratio: float) -> int:
    """The nodes that an energy bin needs, from the ratio of its edges.

    They hold a relative accuracy of 1e-10 for local indices between -5 and 7, and are few,
    because a fit evaluates the spectrum at each of them.
    """
    if ratio <= 1.3:
        return 6
    return NODES_NARROW if ratio <= 2.0 + 1e-9 else NODES


@lru_cache
def gauss_legendre(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    return (x + 1) / 2, w / 2


def expm1_over_x(x: Any) -> Any:
    """(exp(x) - 1) / x, smooth through x = 0, and so are its derivatives."""
    small = jnp.abs(x) < 0.1
    safe = jnp.where(small, 1.0, x)
    near = jnp.where(small, x, 0.0)
    series = 1.0
    for k in range(10, 1, -1):
        series = 1 + near / k * series
    return jnp.where(small, series, jnp.expm1(safe) / safe)


def power_integral(slope: Any, low: Any, high: Any) -> Any:
    r"""The integral of :math:`E^{slope}` from low to high, finite at slope -1."""
    log_width = jnp.log(high / low)
    exponent = slope + 1
    return low**exponent * log_width * expm1_over_x(exponent * log_width)


def integrate(
    function: Callable[[Any], Any],
    energy_min: Any,
    energy_max: Any,
    breaks: Any = None,
    nodes: int = NODES,
) -> Any:
    """The integral of ``function`` over energy.

    Parameters
    ----------
    function : callable
        Takes an array of energies in TeV and gives an array of the same shape.
    energy_min, energy_max : array
        Edges in TeV, of any shape.
    breaks : array, shape (n,), optional
        Energies at which the function is not smooth.
    nodes : int
        Number of Gauss-Legendre nodes on each panel.

    Returns
    -------
    integral : array
        With the shape of the edges. For 96 nodes the relative error is below 1e-8 for all
        spectra of this package over up to five decades a panel; for 10 nodes it is below
        1e-10 over a factor 2, and for 6 nodes over a factor 1.3, as long as the local index
        stays between -5 and 7.
    """
    x, w = gauss_legendre(nodes)

    def panel(left: Any, right: Any) -> Any:
        width = right - left
        energy = jnp.exp(left[..., None] + width[..., None] * x)
        return width * jnp.sum(function(energy) * energy * w, axis=-1)

    return _over_panels(panel, energy_min, energy_max, breaks, nodes)


def integrate_segments(
    log_function: Callable[[Any], Any], energy_min: Any, energy_max: Any, breaks: Any
) -> Any:
    """The exact integral of a function that is a power law between the breaks.

    Parameters
    ----------
    log_function : callable
        ln f as a function of ln E (E in TeV), a straight line between breaks.
    energy_min, energy_max : array
        Edges in TeV, of any shape.
    breaks : array, shape (n,)
        Where one power law ends and the next one begins, in TeV.
    """

    def panel(left: Any, right: Any) -> Any:
        width = right - left
        start = log_function(left) + left
        rise = log_function(right) + right - start
        return jnp.exp(start) * width * expm1_over_x(rise)

    return _over_panels(panel, energy_min, energy_max, breaks, 2)


def _over_panels(
    panel: Callable[[Any, Any], Any],
    energy_min: Any,
    energy_max: Any,
    breaks: Any,
    cost: int,
) -> Any:
    """The sum of ``panel(left, right)``, log edges, over the panels of each interval.

    ``cost`` is the number of evaluations that a panel takes; a tenth of one is what adding
    a panel to an interval takes.
    """
    low, high = jnp.broadcast_arrays(jnp.log(energy_min), jnp.log(energy_max))
    if breaks is None:
        return panel(low, high)
    breaks = jax.lax.stop_gradient(jnp.log(breaks))
    size, count = low.size, breaks.shape[0]
    shared = (2 * size + count) * (cost + size / 10)
    if shared < (count + 1) * size * cost:
        return _shared_panels(panel, low, high, breaks)
    return _own_panels(panel, low, high, breaks)


def _own_panels(panel: Any, low: Any, high: Any, breaks: Any) -> Any:
    """Each interval is cut at all breaks; those outside leave panels of no width."""
    low, high = low[..., None], high[..., None]
    inner = jnp.clip(jnp.sort(breaks), low, high)
    left = jnp.concatenate([low, inner], axis=-1)
    right = jnp.concatenate([inner, high], axis=-1)
    return jnp.sum(panel(left, right), axis=-1)


def _shared_panels(panel: Any, low: Any, high: Any, breaks: Any) -> Any:
    """The whole range is cut once, at all edges and breaks; intervals add up panels.

    With many bins and many breaks, this needs their sum of evaluations, not their product.
    """
    shape = low.shape
    low, high = low.reshape(-1), high.reshape(-1)
    inner = jnp.clip(breaks, jnp.min(low), jnp.max(high))
    points = jnp.sort(jnp.concatenate([low, high, inner]))
    left, right = points[:-1], points[1:]
    inside = (left >= low[:, None]) & (right <= high[:, None])
    return jnp.sum(jnp.where(inside, panel(left, right), 0.0), axis=-1).reshape(shape)
