"""What adds up in counts cubes, and what follows from the sums.

Stacked runs, joined energy bins or pixels, and spectra of a region are all sums over bins of
a mask. A sum keeps the counts and the expected background; the alpha of on-off data follows
from them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.datasets.base import positive_ratio
from gammajax.maps import Map


def check_alike(first: Any, other: Any) -> str:
    """Raise if two datasets cannot be stacked; how messages about them begin.

    Raises
    ------
    ValueError
        If kinds or axes of energy differ.
    """
    where = f"stack: datasets {first.name!r} and {other.name!r}"
    if type(first) is not type(other):
        raise ValueError(
            f"{where} are a {type(first).__name__} and a {type(other).__name__}; only "
            "datasets of one kind can be stacked"
        )
    for axis in ("energy", "energy_true"):
        one, two = getattr(first, axis), getattr(other, axis)
        if not one.is_close(two):
            raise ValueError(f"{where} have different axes, {one!r} and {two!r}")
    return where


def additive(dataset: Any) -> dict[str, Map]:
    """The maps of a counts cube that add up, 0 outside of its safe mask."""
    found = {"counts": dataset.counts}
    if dataset.stat_type == "wstat":
        names = ("counts_off", "acceptance", "acceptance_off", "background")
        found |= {name: getattr(dataset, name) for name in names}
    elif dataset.background is not None:
        found["background"] = dataset.background
    safe = dataset.mask_safe
    if safe is None:
        return found
    return {
        name: one.with_data(np.where(safe.data, one.data, 0.0)) for name, one in found.items()
    }


def from_sums(sums: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The fields of a dataset from arrays of sums of `additive`.

    On-off data get the acceptances that keep the expected background: alpha is the mean
    weighted by off counts, and where there are none the ratio of summed acceptances.
    """
    if "counts_off" not in sums:
        return sums
    off = sums["counts_off"]
    alpha = np.where(
        off > 0,
        positive_ratio(sums["background"], off),
        positive_ratio(sums["acceptance"], sums["acceptance_off"]),
    )
    fields = {name: sums[name] for name in ("counts", "counts_off") if name in sums}
    fields["acceptance"] = np.where(alpha > 0, sums["acceptance"], 0.0)
    fields["acceptance_off"] = np.where(
        alpha > 0, positive_ratio(sums["acceptance"], alpha), 1.0
    )
    return fields


def map_fields(sums: dict[str, Map]) -> dict[str, Map]:
    """As `from_sums`, of maps."""
    arrays = from_sums({name: np.asarray(one.data) for name, one in sums.items()})
    return {name: sums["counts"].with_data(data, unit="") for name, data in arrays.items()}


def mask_on(mask: Map, geom: Any) -> np.ndarray:
    """A mask at the pixels of another sky: whether it has a share in what they interpolate.

    Parameters
    ----------
    mask : `~gammajax.maps.Map` of bool
    geom : geometry
        Its axes do not matter.

    Returns
    -------
    mask : array of bool, shape (energy, ...)
        Pixels to which the projection of the mask does not reach have the mask of any place.
    """
    image = geom.to_image()
    if mask.geom.to_image() == image:
        return np.asarray(mask.data)
    values: Any = mask.with_data(np.asarray(mask.data, dtype=float))
    coords = image.to_cube(mask.geom.axes).get_coord(sparse=True)
    found = np.asarray(values.interp_by_coord(coords))
    anywhere = mask.data.any(axis=tuple(range(1, mask.data.ndim)), keepdims=True)
    anywhere = anywhere.reshape(-1, *[1] * (found.ndim - 1))
    return np.where(np.isfinite(found), found > 1e-6, anywhere)
