r"""Energy integrals of spectra without a closed form.

:math:`\int f(E) \, dE = \int f(e^u) \, e^u \, du` by Gauss-Legendre nodes in :math:`u = \ln E`.
Where a spectrum is not analytic (a break, a node of a table), the interval is split there:
each panel then holds a smooth function, on which the rule converges geometrically. Panels
are clipped to the interval, so their number is static, and one outside it has zero width:
nothing jumps when a break moves through the edge of a bin.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np

NODES = 48
"""Nodes for each panel of an interval of any width; see `integrate` for the accuracy."""

NODES_NARROW = 10
"""Nodes for each panel of an energy bin narrower than a factor 2; for folding."""


@lru_cache
def gauss_legendre(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    return (x + 1) / 2, w / 2


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
        With the shape of the edges. For 48 nodes the relative error is below 1e-10 for all
        spectra of this package over up to three decades a panel; for 10 nodes it is below
        1e-10 over a factor 2.
    """
    x, w = gauss_legendre(nodes)
    low, high = jnp.broadcast_arrays(jnp.log(energy_min), jnp.log(energy_max))
    low, high = low[..., None], high[..., None]
    if breaks is None:
        left, right = low, high
    else:
        inner = jnp.clip(jnp.sort(jnp.log(breaks)), low, high)
        left = jnp.concatenate([low, inner], axis=-1)
        right = jnp.concatenate([inner, high], axis=-1)
    width = right - left
    energy = jnp.exp(left[..., None] + width[..., None] * x)
    return jnp.sum(function(energy) * energy * w * width[..., None], axis=(-2, -1))
