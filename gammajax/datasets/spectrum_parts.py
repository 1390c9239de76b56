"""Spectra with nothing in them, and sums of spectra."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gammajax.datasets.base import positive_ratio
from gammajax.datasets.map_parts import check_alike, from_sums
from gammajax.irf import EDispKernel, PSFMap
from gammajax.maps import MapAxis, RegionGeom


def empty_fields(geom: Any, energy_axis_true: MapAxis | None) -> dict[str, Any]:
    """The fields of a spectrum with nothing in it; see `SpectrumDataset.create`.

    Raises
    ------
    ValueError
        If the geometry is no region with the axis energy.
    """
    where = "SpectrumDataset.create"
    if not isinstance(geom, RegionGeom) or geom.region is None:
        raise ValueError(f"{where}: got {geom!r}, expected a RegionGeom with a region")
    if geom.axes.names != ("energy",):
        raise ValueError(f"{where}: the axes are {geom.axes.names}, expected one, 'energy'")
    energy = geom.axes["energy"]
    true = (energy if energy_axis_true is None else energy_axis_true).rename("energy_true")
    return {
        "energy": energy,
        "energy_true": true,
        "counts": np.zeros(energy.nbin),
        "exposure": np.zeros(true.nbin),
        "edisp": EDispKernel.from_diagonal(true, energy),
        "mask_safe": np.zeros(energy.nbin, dtype=bool),
        "meta": {"on_region": geom.region},
    }


def stack_spectra(datasets: Sequence[Any], name: str) -> Any:
    """One spectrum of several; see `SpectrumDatasetBase.stack`.

    The prediction of the sum in a bin is the sum of the predictions of the datasets that are
    safe there, so each is masked before the dispersions are averaged.

    Raises
    ------
    ValueError
        If kinds or axes differ.
    """
    first = datasets[0]
    for other in datasets[1:]:
        _check_alike(first, other)
    sums = {
        key: np.sum([np.where(d.mask_safe, getattr(d, key), 0.0) for d in datasets], axis=0)
        for key in _additive(first)
    }
    reaching = sum(d.exposure[:, None] * d.edisp.matrix * d.mask_safe for d in datasets)
    used = [d for d in datasets if d.mask_safe.any()]
    exposure = np.sum([d.exposure for d in used], axis=0) if used else 0 * first.exposure
    matrix = positive_ratio(reaching, exposure[:, None])
    gtis = [d.gti for d in datasets if d.gti is not None]
    meta = {"stacked": [d.name for d in datasets]}
    same = ("on_region", "containment_correction")
    meta |= {key: first.meta[key] for key in same if key in first.meta}
    return first.replace(
        name=name,
        exposure=exposure,
        edisp=EDispKernel(first.energy_true, first.energy, matrix),
        mask_safe=np.any([d.mask_safe for d in datasets], axis=0),
        mask_fit=np.any([d.mask_fit for d in datasets], axis=0),
        livetime=float(np.sum([d.livetime for d in datasets])),
        gti=gtis[0].union(*gtis[1:]) if gtis else None,
        psf=_mean_spread(used),
        meta=meta,
        **from_sums(sums),
    )


def _mean_spread(datasets: Sequence[Any]) -> Any:
    """The mean of the point spread functions in the region, weighted by exposure."""
    if not datasets or datasets[0].psf is None:
        return None
    first = datasets[0]
    center = RegionGeom.create(first.meta["on_region"]).center_skydir
    nodes, weight, total = first.psf.rad.center, 0.0, 0.0
    for dataset in datasets:
        own, true = dataset.psf.profile(center), dataset.psf.energy.center
        table = np.stack(
            [np.interp(nodes, dataset.psf.rad.center, row, right=0.0) for row in own]
        )
        energy = np.log(first.energy_true.center)
        table = np.stack([np.interp(energy, np.log(true), c) for c in table.T], axis=1)
        total = total + dataset.exposure[:, None] * table
        weight = weight + dataset.exposure[:, None]
    table = positive_ratio(total, weight)
    return PSFMap.from_table(first.energy_true, first.psf.rad, table)


def _additive(dataset: Any) -> tuple[str, ...]:
    if dataset.stat_type == "wstat":
        return ("counts", "counts_off", "acceptance", "acceptance_off", "background")
    return ("counts", "background")


def _check_alike(first: Any, other: Any) -> None:
    where = check_alike(first, other)
    key = "containment_correction"
    if first.meta.get(key) != other.meta.get(key):
        raise ValueError(f"{where}: only one has a containment correction; reduce both alike")
    if (first.psf is None) != (other.psf is None):
        raise ValueError(f"{where}: only one has a psf; reduce both alike")
