"""Spectra of a region, from counts cubes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.datasets.map_parts import additive, from_sums
from gammajax.datasets.spectrum import SpectrumDataset, SpectrumDatasetOnOff
from gammajax.irf.edisp import EDispKernel
from gammajax.irf.psf_map import PSFMap, RecoPSFMap
from gammajax.maps import MapAxis, RegionGeom


def spectrum_of(dataset: Any, on_region: Any, containment_correction: bool, name: str) -> Any:
    """The spectrum in a region; see `MapDatasetBase.to_spectrum_dataset`."""
    region = RegionGeom.create(on_region)
    inside = _inside(dataset, region)
    exposure = dataset.exposure.to_region_nd_map(region.region, func="mean").data.ravel()
    if containment_correction:
        exposure = exposure * _containment(dataset, region)
    center = region.center_skydir
    if dataset.edisp is None:
        edisp = EDispKernel.from_diagonal(dataset.energy_true, dataset.energy)
    else:
        edisp = dataset.edisp.get_edisp_kernel(center)
    fields: dict[str, Any] = {
        "name": name,
        "energy": dataset.energy,
        "energy_true": dataset.energy_true,
        "exposure": exposure,
        "edisp": edisp,
        "mask_safe": _uniform(dataset, "mask_safe", inside),
        "mask_fit": _uniform(dataset, "mask_fit", inside),
        "livetime": np.nan if dataset.gti is None else dataset.gti.time_sum.to_value("s"),
        "gti": dataset.gti,
        "psf": None if containment_correction else _spread(dataset),
        "meta": {
            "extracted_from": dataset.name,
            "on_region": region.region,
            "containment_correction": containment_correction,
        },
    }
    sums = {key: one.data[:, inside].sum(axis=1) for key, one in additive(dataset).items()}
    kind: Any = SpectrumDatasetOnOff if dataset.stat_type == "wstat" else SpectrumDataset
    return kind(**fields, **from_sums(sums))


def _spread(dataset: Any) -> Any:
    """The point spread function that says what of a source falls in the region."""
    return dataset.psf if type(dataset.psf) is PSFMap else None


def _inside(dataset: Any, region: RegionGeom) -> np.ndarray:
    """The pixels whose centres lie in the region; all of the region has to be on the map."""
    image = dataset.geom.to_image()
    where = f"dataset {dataset.name!r}: to_spectrum_dataset"
    if not hasattr(image, "pad"):
        raise ValueError(f"{where}: wants a map in a projection, this is {image!r}")
    if region.region is None or region.is_point:
        raise ValueError(f"{where}: the region is {region!r}, expected one with an area")
    wide = region.contains(image.pad(1).get_image_coord())
    ring = np.ones(wide.shape, dtype=bool)
    ring[1:-1, 1:-1] = False
    inside = wide[1:-1, 1:-1]
    if (wide & ring).any():
        raise ValueError(f"{where}: {region!r} reaches beyond {image!r}")
    if not inside.any():
        raise ValueError(f"{where}: no pixel of {image!r} has its centre in {region!r}")
    return inside


def _uniform(dataset: Any, what: str, inside: np.ndarray) -> np.ndarray | None:
    """The mask of the energy bins, which has to be the same at all pixels of the region."""
    mask = getattr(dataset, what)
    if mask is None:
        return None
    used = mask.data[:, inside]
    mixed = used.any(axis=1) & ~used.all(axis=1)
    if mixed.any():
        raise ValueError(
            f"dataset {dataset.name!r}: to_spectrum_dataset: {what} differs between the pixels "
            f"of the region in energy bins {', '.join(map(str, np.nonzero(mixed)[0]))}; choose "
            "a region that is wholly inside or outside of it"
        )
    return used.any(axis=1)


def _containment(dataset: Any, region: RegionGeom) -> np.ndarray:
    """Fraction of the events of a source in the middle that falls in a circle."""
    where = f"dataset {dataset.name!r}: containment_correction"
    if type(region.region).__name__ != "CircleSkyRegion":
        raise ValueError(f"{where}: wants a circle, the region is {region!r}")
    if dataset.psf is None or isinstance(dataset.psf, RecoPSFMap):
        raise ValueError(f"{where}: wants a PSFMap, the dataset has {dataset.psf!r}")
    fraction = dataset.psf.containment(region.region.radius, region.center_skydir)
    nodes: MapAxis = dataset.psf.energy
    return np.interp(np.log(dataset.energy_true.center), np.log(nodes.center), fraction)
