"""Counts cubes of several runs summed into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gammajax.datasets.map_parts import additive, check_alike, map_fields, mask_on
from gammajax.irf.map_stacking import stack_irf_maps
from gammajax.maps import Map


def stack_maps(datasets: Sequence[Any], name: str) -> Any:
    """One counts cube of several; see `MapDatasetBase.stack`.

    Raises
    ------
    ValueError
        If there is nothing to stack, kinds or axes differ, pixels do not fall on each other,
        or only some have a spread or a dispersion.
    """
    datasets = list(datasets)
    if not datasets:
        raise ValueError("stack: got no datasets")
    first = datasets[0]
    for other in datasets[1:]:
        _check_alike(first, other)
    safe = [_safe(dataset) for dataset in datasets]
    fields = map_fields(_sums(datasets))
    weights = [mask_on(mask, d.exposure.geom) for mask, d in zip(safe, datasets, strict=True)]
    seen = [
        d.exposure.with_data(d.exposure.data * mask.any(axis=0))
        for mask, d in zip(weights, datasets, strict=True)
    ]
    gtis = [dataset.gti for dataset in datasets if dataset.gti is not None]
    return first.replace(
        name=name,
        **fields,
        exposure=_summed(first.exposure, seen),
        psf=_response(datasets, safe, "psf"),
        edisp=_response(datasets, safe, "edisp"),
        mask_safe=_union(first, safe),
        mask_fit=_fit_mask(datasets),
        gti=gtis[0].union(*gtis[1:]) if gtis else None,
        meta={"stacked": [dataset.name for dataset in datasets]},
    )


def _check_alike(first: Any, other: Any) -> None:
    where = check_alike(first, other)
    for what in ("psf", "edisp"):
        if (getattr(first, what) is None) != (getattr(other, what) is None):
            raise ValueError(f"{where}: only one has {what}; give it to both or to none")


def _safe(dataset: Any) -> Map:
    """The safe mask; all bins where there is none."""
    if dataset.mask_safe is not None:
        return dataset.mask_safe
    return dataset.counts.with_data(np.ones(dataset.counts.data.shape, dtype=bool))


def _sums(datasets: Sequence[Any]) -> dict[str, Map]:
    """The sums of what adds up; a dataset without background adds none."""
    first = datasets[0]
    found: dict[str, list[Map]] = {}
    for dataset in datasets:
        for key, one in additive(dataset).items():
            found.setdefault(key, []).append(one)
    return {key: _summed(first.counts, parts) for key, parts in found.items()}


def _summed(like: Map, parts: Sequence[Map]) -> Map:
    total: Any = like.with_data(np.zeros(like.data.shape))
    for part in parts:
        total = total.stack(part)
    return total


def _union(first: Any, masks: Sequence[Map]) -> Map | None:
    """Bins that are in any mask; None if all are."""
    total: Any = first.counts.with_data(np.zeros(first.counts.data.shape, dtype=bool))
    for mask in masks:
        total = total.stack(mask)
    return None if total.data.all() else total


def _fit_mask(datasets: Sequence[Any]) -> Map | None:
    masks = [dataset.mask_fit for dataset in datasets]
    if all(mask is None for mask in masks):
        return None
    everything = [d.counts.with_data(np.ones(d.counts.data.shape, bool)) for d in datasets]
    chosen = [full if m is None else m for m, full in zip(masks, everything, strict=True)]
    return _union(datasets[0], chosen)


def _response(datasets: Sequence[Any], safe: Sequence[Map], what: str) -> Any:
    """The mean response, weighted by exposure in the safe masks."""
    irfs = [getattr(dataset, what) for dataset in datasets]
    if irfs[0] is None:
        return None
    weights = []
    for irf, mask in zip(irfs, safe, strict=True):
        seen = mask_on(mask, irf.geom)
        anywhere = np.any(seen, axis=0, keepdims=True)
        weights.append((seen if what == "edisp" else anywhere)[None])
    try:
        return stack_irf_maps(irfs, weights)
    except ValueError as error:
        names = ", ".join(dataset.name for dataset in datasets)
        raise ValueError(f"stack: {what} of {names}: {error}") from None
