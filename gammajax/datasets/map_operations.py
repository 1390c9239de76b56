"""Counts cubes with fewer, more or other bins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gammajax.datasets.map_base import MASKS
from gammajax.datasets.map_create import response_geom
from gammajax.datasets.map_parts import additive, map_fields, mask_on
from gammajax.irf.edisp import EDispKernel
from gammajax.irf.edisp_map import EDispKernelMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.units import to_value

IRF_MARGIN = 2
"""Pixels of a response that a cutout keeps beyond its border, so that nothing changes in it."""


def _each(dataset: Any, change: Callable[[Any], Any], names: Any = None) -> dict[str, Any]:
    """Some maps of a dataset changed one by one; by default all with reconstructed energy."""
    names = ("counts", *dataset.maps, *MASKS) if names is None else names
    found = {name: getattr(dataset, name) for name in names}
    return {name: change(one) for name, one in found.items() if one is not None}


def cutout(dataset: Any, position: Any, width: Any, name: str) -> Any:
    """The part of the sky around a position; see `MapDatasetBase.cutout`."""
    fields = _each(dataset, lambda one: one.cutout(position, width))
    fields["exposure"] = dataset.exposure.cutout(position, width)
    for what in ("psf", "edisp"):
        irf = getattr(dataset, what)
        if irf is not None and not irf.is_uniform:
            margin = 2 * IRF_MARGIN * np.asarray(irf.geom.pixel_scales)
            size = np.atleast_1d(to_value(width, "deg", where="cutout: width"))
            fields[what] = irf.cutout(position, tuple(size + margin))
    return dataset.replace(name=name, **fields)


def slice_by_energy(dataset: Any, energy_min: Any, energy_max: Any, name: str) -> Any:
    """The bins wholly between two energies; see `MapDatasetBase.slice_by_energy`."""
    inside = np.nonzero(dataset.energy.mask(energy_min, energy_max))[0]
    if not inside.size:
        raise ValueError(
            f"dataset {dataset.name!r}: no bin lies wholly between {energy_min} and "
            f"{energy_max}; the bins are those of {dataset.energy!r}"
        )
    part: dict[str, Any] = {"energy": slice(int(inside[0]), int(inside[-1]) + 1)}
    fields = _each(dataset, lambda one: one.slice_by_idx(part))
    edisp = dataset.edisp or _diagonal(dataset, masked=False)
    fields["edisp"] = _dispersion(edisp.values.slice_by_idx(part), edisp.exposure)
    return dataset.replace(name=name, **fields)


def resample_energy_axis(dataset: Any, energy_axis: MapAxis, name: str) -> Any:
    """Neighbouring energy bins joined; see `MapDatasetBase.resample_energy_axis`."""
    axis = energy_axis.rename("energy")
    sums = {key: one.resample_axis(axis) for key, one in additive(dataset).items()}
    masks = _each(dataset, lambda one: one.resample_axis(axis), MASKS)
    edisp, values = dataset.edisp or _diagonal(dataset, masked=True), None
    if dataset.mask_safe is not None:
        values = edisp.values.with_data(_masked(edisp, dataset.mask_safe))
    values = (values or edisp.values).resample_axis(axis)
    edisp = _dispersion(values, edisp.exposure)
    return dataset.replace(name=name, **map_fields(sums), **masks, edisp=edisp)


def _diagonal(dataset: Any, masked: bool) -> EDispKernelMap:
    """What stands for no dispersion when energy bins are joined or left out.

    With ``masked``, on pixels that tell the masks of all pixels apart; else everywhere one.
    """
    kernel = EDispKernel.from_diagonal(dataset.energy_true, dataset.energy)
    safe = dataset.mask_safe
    flat = None if safe is None else safe.data.reshape(len(safe.data), -1)
    if not masked or flat is None or np.all(flat == flat[:, :1]):
        return EDispKernelMap.from_kernel(kernel, frame=dataset.geom.frame)
    image = dataset.geom.to_image()
    if not isinstance(image, WcsGeom):
        image = response_geom(dataset.geom, float(np.degrees(np.sqrt(image.solid_angle()[0]))))
    geom = image.to_cube([dataset.energy, dataset.energy_true])
    data = np.broadcast_to(kernel.matrix[..., None, None], geom.data_shape)
    return _dispersion(Map.from_geom(geom, data=data), None)


def _dispersion(values: Map, exposure: Map | None) -> EDispKernelMap:
    make: Any = EDispKernelMap
    return make(values, exposure)


def _masked(edisp: EDispKernelMap, safe: Map) -> np.ndarray:
    """Probabilities with 0 for reconstructed bins outside of the safe mask."""
    return edisp.values.data * mask_on(safe, edisp.geom)[None]


def pad(dataset: Any, pad_width: Any, name: str) -> Any:
    """More pixels on every side, outside of the safe mask; see `MapDatasetBase.pad`."""
    if not isinstance(dataset.geom, WcsGeom):
        raise ValueError(
            f"dataset {dataset.name!r}: pad wants a map in a projection, this is "
            f"{dataset.geom!r}"
        )
    fields = _each(dataset, lambda one: one.pad(pad_width))
    if dataset.mask_safe is None:
        everything: Any = dataset.counts.with_data(np.ones(dataset.counts.data.shape, bool))
        fields["mask_safe"] = everything.pad(pad_width)
    if dataset.exposure.geom.to_image() == dataset.geom.to_image():
        fields["exposure"] = dataset.exposure.pad(pad_width, mode="edge")
    return dataset.replace(name=name, **fields)


def downsample(dataset: Any, factor: int, name: str) -> Any:
    """Pixels joined; see `MapDatasetBase.downsample`."""
    parts: dict[str, Any] = additive(dataset)
    sums = {key: one.downsample(factor) for key, one in parts.items()}
    fields = {**map_fields(sums), **_each(dataset, lambda one: one.downsample(factor), MASKS)}
    if dataset.exposure.geom.to_image() == dataset.geom.to_image():
        fields["exposure"] = dataset.exposure.downsample(factor, preserve_counts=False)
    return dataset.replace(name=name, **fields)
