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

import jax.numpy as jnp
import numpy as np

NODES = 96
"""Nodes for each panel of an interval of any width; see `integrate` for the accuracy."""

NODES_NARROW = 10
"""Nodes for each panel of an energy bin narrower than a factor 2; for folding."""


def nodes_for(ratio: float) -> int:
    """The nodes that an energy bin needs, from the ratio of its edges.

    They hold a relative accuracy of 1e-8 for local indices between -5 and 7, and are few,
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


def sinhc(x: Any) -> Any:
    """sinh(x) / x, smooth through x = 0, and so are its derivatives."""
    small = jnp.abs(x) < 0.5
    safe = jnp.where(small, 1.0, x)
    square = jnp.where(small, x, 0.0) ** 2
    series = 1.0
    for k in (13, 11, 9, 7, 5, 3):
        series = 1 + square / (k * (k - 1)) * series
    grown = jnp.exp(safe)
    return jnp.where(small, series, (grown - 1 / grown) / (2 * safe))


def power_integral(slope: Any, low: Any, high: Any) -> Any:
    r"""The integral of :math:`E^{slope}` from low to high, finite at slope -1.

    With :math:`p = slope + 1` and the logarithms a, b of the edges it is
    :math:`e^{p (a + b) / 2} \sinh(p (b - a) / 2) / (p / 2)`, which loses no digits in
    narrow bins.
    """
    start, stop = jnp.log(low), jnp.log(high)
    half, exponent = (stop - start) / 2, slope + 1
    middle = jnp.exp(exponent * (start + stop) / 2)
    return 2 * half * middle * sinhc(exponent * half)


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
        Number of Gauss-Legendre nodes on each panel, up to `NODES_NARROW` in energy, more
        in its logarithm.

    Returns
    -------
    integral : array
        With the shape of the edges. For 96 nodes the relative error is below 1e-8 for all
        spectra of this package over up to five decades a panel; for 10 nodes over a
        factor 2 and 6 nodes over a factor 1.3, as long as the local index stays between -5
        and 7.
    """
    x, w = gauss_legendre(nodes)

    def narrow(left: Any, right: Any) -> Any:
        # Over a factor 2 energy itself is as good a variable, and costs no exponential.
        width = right - left
        return width * jnp.sum(function(left[..., None] + width[..., None] * x) * w, axis=-1)

    def wide(left: Any, right: Any) -> Any:
        start = jnp.log(left)
        width = jnp.log(right) - start
        energy = jnp.exp(start[..., None] + width[..., None] * x)
        return width * jnp.sum(function(energy) * energy * w, axis=-1)

    panel = narrow if nodes <= NODES_NARROW else wide
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
        u, v = jnp.log(left), jnp.log(right)
        start, stop = log_function(u) + u, log_function(v) + v
        return (v - u) * jnp.exp((start + stop) / 2) * sinhc((stop - start) / 2)

    return _over_panels(panel, energy_min, energy_max, breaks, 2)


def _over_panels(
    panel: Callable[[Any, Any], Any],
    energy_min: Any,
    energy_max: Any,
    breaks: Any,
    cost: int,
) -> Any:
    """The sum of ``panel(left, right)`` over the panels of each interval.

    ``cost`` is the number of evaluations that a panel takes; a tenth of one is what adding
    a panel to an interval takes.
    """
    low, high = jnp.broadcast_arrays(energy_min, energy_max)
    if breaks is None:
        return panel(low, high)
    breaks = jnp.asarray(breaks)
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
