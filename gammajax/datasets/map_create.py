"""Empty counts cubes, into which runs are reduced or other cubes are stacked."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.irf.edisp_map import EDispKernelMap
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom

MOST_VALUES = 100_000_000
"""Larger maps of responses are refused: they would take more than a gigabyte."""

NARROW = 60.0
"""Maps up to this wide, in deg, have responses in their own projection."""


def empty_maps(
    geom: Any, energy_axis_true: MapAxis | None, rad_axis: MapAxis | None, binsz_irf: float
) -> dict[str, Any]:
    """The maps of a dataset with nothing in it; see `MapDataset.create`."""
    if geom.axes.names != ("energy",):
        raise ValueError(
            f"MapDataset.create: the axes are {geom.axes.names}, expected one, 'energy'"
        )
    energy = geom.axes["energy"]
    true = (energy if energy_axis_true is None else energy_axis_true).rename("energy_true")
    if rad_axis is None:
        rad_axis = MapAxis(np.linspace(0, 0.66, 67), "rad", "deg", "lin")
    sky = response_geom(geom, binsz_irf)
    size = int(np.prod(sky.npix)) * true.nbin * max(rad_axis.nbin, energy.nbin)
    if size > MOST_VALUES:
        raise ValueError(
            f"MapDataset.create: the responses would have {size} values at pixels of "
            f"{binsz_irf:g} deg, more than {MOST_VALUES}; make binsz_irf larger"
        )
    zeros = Map.from_geom(geom)
    spread: Any = PSFMap
    dispersion: Any = EDispKernelMap
    return {
        "counts": zeros,
        "background": zeros,
        "exposure": Map.from_geom(geom.to_image().to_cube([true]), unit="cm2 s"),
        "psf": spread(
            Map.from_geom(sky.to_cube([rad_axis, true]), unit="sr-1"),
            Map.from_geom(sky.to_cube([rad_axis.squash(), true]), unit="cm2 s"),
        ),
        "edisp": dispersion(
            Map.from_geom(sky.to_cube([energy, true])),
            Map.from_geom(sky.to_cube([energy.squash(), true]), unit="cm2 s"),
        ),
        "mask_safe": Map.from_geom(geom, data=np.zeros(geom.data_shape, dtype=bool)),
    }


def response_geom(geom: Any, binsz: float) -> WcsGeom:
    """An image over the same part of the sky, with pixels of about ``binsz`` deg.

    It is in the same projection; over HEALPix maps it is a gnomonic image, or one of the
    whole sky if they are wide.
    """
    center = geom.center_skydir
    if isinstance(geom, WcsGeom):
        width = tuple(float(w) for w in geom.width)
        return WcsGeom.create(
            skydir=center, width=width, binsz=binsz, proj=geom.projection, frame=geom.frame
        )
    if not hasattr(geom, "nside"):
        raise ValueError(
            f"MapDataset.create: {type(geom).__name__} has no pixels; give a WcsGeom or a "
            "HpxGeom"
        )
    vectors = geom.to_image().unit_vectors().reshape(-1, 3)
    middle = center.cartesian.xyz.value
    width = 2 * float(np.rad2deg(np.arccos(np.clip((vectors @ middle).min(), -1, 1)))) + binsz
    if width <= NARROW:
        return WcsGeom.create(
            skydir=center, width=width, binsz=binsz, proj="TAN", frame=geom.frame
        )
    return WcsGeom.create(width=(360, 180), binsz=binsz, proj="CAR", frame=geom.frame)
