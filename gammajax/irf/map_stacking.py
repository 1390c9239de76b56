"""Mean responses on the sky of several runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gammajax.irf.irf_map import IRFMap


def stack_irf_maps(irfs: Sequence[IRFMap], weights: Sequence[Any]) -> Any:
    r"""The mean of responses on the sky, weighted by their exposures.

    .. math:: V = \frac{\sum_i X_i w_i V_i}{\sum_i X_i \max_r w_i}

    Energy dispersions may have a weight for each reconstructed energy r: a run that has no
    events there takes no part in the mean there, and yet has exposure. Responses that are
    all the same, without an exposure, are their own mean.

    Parameters
    ----------
    irfs : sequence of `IRFMap` of one class
        On pixels and axes that fall on each other; the result has the pixels of the first.
    weights : sequence of array
        Each broadcasts to the values of its response, with the axis of distance or of
        reconstructed energy second.

    Raises
    ------
    ValueError
        If classes, pixels or axes differ, or a response has no exposure to weigh it.
    """
    first: Any = irfs[0]
    kind = type(first)
    if _same(irfs, weights):
        return first
    for i, irf in enumerate(irfs):
        if type(irf) is not kind:
            raise ValueError(
                f"stack_irf_maps: response {i} is a {type(irf).__name__}, the first a "
                f"{kind.__name__}"
            )
        if irf.exposure is None:
            raise ValueError(
                f"stack_irf_maps: response {i}, a {kind.__name__}, has no exposure, which "
                "would weigh it in the mean"
            )
    values = first.values.with_data(np.zeros(first.values.data.shape))
    total = first.exposure.with_data(np.zeros(first.exposure.data.shape))
    for irf, weight in zip(irfs, weights, strict=True):
        part: Any = irf
        exposure = np.asarray(part.exposure.data)
        share = np.broadcast_to(weight, part.values.data.shape)
        weighed = part.values.with_data(part.values.data * exposure * share)
        values = values.stack(weighed)
        total = total.stack(
            part.exposure.with_data(exposure * share.any(axis=1, keepdims=True))
        )
    mean = np.divide(
        values.data, total.data, out=np.zeros(values.data.shape), where=total.data > 0
    )
    return kind(values.with_data(mean), total)


def _same(irfs: Sequence[IRFMap], weights: Sequence[Any]) -> bool:
    """Whether all are one table with no exposure, and no energies are left out of the mean."""
    first = irfs[0]
    return all(
        type(irf) is type(first)
        and irf.exposure is None
        and irf.geom == first.geom
        and np.array_equal(irf.values.data, first.values.data)
        and (np.shape(weight)[1:2] == (1,) or np.all(weight))
        for irf, weight in zip(irfs, weights, strict=True)
    )
