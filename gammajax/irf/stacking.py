"""Mean responses of several runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gammajax.irf.table import IRF


def stack_irfs(irfs: Sequence[IRF], weights: Any = None) -> Any:
    r"""The weighted mean of tables on equal axes.

    .. math:: V = \frac{\sum_i w_i V_i}{\sum_i w_i}

    Effective areas and background rates want the livetimes for weights. A point spread
    function or an energy dispersion of all events wants livetime times effective area, an
    array with a weight for each value of the table.

    Parameters
    ----------
    irfs : sequence of tables of one class
        No parametric point spread functions: the mean of widths is not the width of the
        mean. ``psf.to_psf3d()`` makes tables of them.
    weights : sequence, optional
        For each table a number, or an array that broadcasts to its values. Equal by default.

    Returns
    -------
    irf : table of the same class
        0 where all weights are.

    Raises
    ------
    ValueError
        If there is nothing to stack; if classes, axes, enclosure or alignment differ; or if a
        weight is negative or not finite.

    Examples
    --------
    >>> from gammajax.irf import EffectiveAreaTable2D
    >>> small, large = (EffectiveAreaTable2D.from_parametrization(x) for x in ("HESS", "CTA"))
    >>> mean = stack_irfs([small, large], weights=[3.0, 1.0])
    >>> bool(np.allclose(mean.values, 0.75 * small.values + 0.25 * large.values))
    True
    """
    irfs = list(irfs)
    if not irfs:
        raise ValueError("stack_irfs: got nothing to stack")
    first = irfs[0]
    if len(first.quantities.units) > 1:
        raise ValueError(
            f"stack_irfs: a {type(first).__name__} has parameters, whose mean is no response; "
            "stack the tables of to_psf3d()"
        )
    for i, irf in enumerate(irfs):
        _check_alike(first, irf, i)
    weights = [1.0] * len(irfs) if weights is None else list(weights)
    if len(weights) != len(irfs):
        raise ValueError(f"stack_irfs: got {len(weights)} weights for {len(irfs)} tables")
    shares = [np.broadcast_to(np.asarray(w, dtype=np.float64), first.shape) for w in weights]
    for i, share in enumerate(shares):
        if not np.isfinite(share).all() or np.any(share < 0):
            raise ValueError(f"stack_irfs: weight {i} is negative or not finite")
    total = np.sum(shares, axis=0)
    values = sum(w * irf.values for w, irf in zip(shares, irfs, strict=True))
    mean = np.divide(values, total, out=np.zeros(first.shape), where=total > 0)
    return type(first)(
        first.axes, mean, point_like=first.point_like, fov_alignment=first.fov_alignment
    )


def _check_alike(first: IRF, other: IRF, i: int) -> None:
    """Whether a table may be added to the first."""
    if type(other) is not type(first):
        raise ValueError(
            f"stack_irfs: table {i} is a {type(other).__name__}, the first a "
            f"{type(first).__name__}"
        )
    for axis, there in zip(first.axes, other.axes, strict=True):
        if not axis.is_close(there):
            raise ValueError(f"stack_irfs: table {i} has {there}, the first {axis}")
    kinds = [(irf.point_like, irf.fov_alignment) for irf in (first, other)]
    if kinds[0] != kinds[1]:
        raise ValueError(
            f"stack_irfs: table {i} has (point_like, fov_alignment) {kinds[1]}, the first "
            f"{kinds[0]}"
        )
