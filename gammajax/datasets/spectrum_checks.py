"""What spectra check of what they are given."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.irf import EDispKernel, PSFMap
from gammajax.maps import RegionGeom
from gammajax.units import EXPOSURE, TIME, to_value


def bin_array(name: str, what: str, value: Any, nbin: int, *, low: float = 0.0) -> np.ndarray:
    """``value`` as one number a bin, checked; ``low`` is the least that is allowed."""
    array = np.array(np.broadcast_to(np.asarray(value, dtype=np.float64), (nbin,)))
    bad = ~np.isfinite(array) | (array < low)
    if bad.any():
        places = ", ".join(str(i) for i in np.nonzero(bad)[0][:8])
        raise ValueError(
            f"dataset {name!r}: {what} is {array[bad][0]:g} in bin {places}, "
            f"expected a finite number of {low:g} or more"
        )
    return array


def check_common(dataset: Any) -> None:
    """Convert and check the fields that both kinds of dataset have."""
    name, energy, energy_true = dataset.name, dataset.energy, dataset.energy_true
    edisp = dataset.edisp
    if not isinstance(edisp, EDispKernel):
        try:
            edisp = EDispKernel(energy_true, energy, edisp)
        except ValueError as error:
            raise ValueError(f"dataset {name!r}: {error}") from None
    if not (edisp.energy.is_close(energy) and edisp.energy_true.is_close(energy_true)):
        raise ValueError(
            f"dataset {name!r}: the energy dispersion is binned otherwise than the dataset "
            f"({edisp.energy_true!r} and {edisp.energy!r} against {energy_true!r} and "
            f"{energy!r})"
        )
    exposure = to_value(dataset.exposure, EXPOSURE, where=f"dataset {name!r}: exposure")
    fields = {
        "edisp": edisp,
        "counts": bin_array(name, "counts", dataset.counts, energy.nbin),
        "exposure": bin_array(name, "exposure", exposure, energy_true.nbin),
        "livetime": float(
            to_value(dataset.livetime, TIME, where=f"dataset {name!r}: livetime")
        ),
    }
    for what in ("mask_safe", "mask_fit"):
        mask = getattr(dataset, what)
        mask = np.ones(energy.nbin, bool) if mask is None else np.asarray(mask, dtype=bool)
        if mask.shape != (energy.nbin,):
            raise ValueError(
                f"dataset {name!r}: {what} has shape {mask.shape}, expected {(energy.nbin,)}"
            )
        fields[what] = mask
    for what, value in fields.items():
        object.__setattr__(dataset, what, value)
    _check_spread(dataset)


def _check_spread(dataset: Any) -> None:
    """A point spread function is one of true energy, and needs a region with an area."""
    if dataset.psf is None:
        return
    where = f"dataset {dataset.name!r}: psf"
    if type(dataset.psf) is not PSFMap:
        raise ValueError(f"{where} is a {type(dataset.psf).__name__}, expected a PSFMap")
    region = dataset.meta.get("on_region")
    if region is None or RegionGeom.create(region).is_point:
        raise ValueError(
            f"{where} says what falls in the region, and meta['on_region'] is {region!r}, "
            "expected a region with an area"
        )
