"""Responses that are kept as maps of the sky, as for arrays of water tanks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gammajax.irf.edisp_map import EDispKernelMap, EDispMap
from gammajax.irf.psf_map import PSFMap, RecoPSFMap
from gammajax.maps.io import map_from_hdus, open_fits

MAP_CLASSES = ("map", "edisp_map", "edisp_kernel_map", "psf_map", "psf_map_reco")
"""What index tables call them in HDU_CLASS."""


def read_map_irf(filename: str | Path, hdu: str, hdu_class: str = "map") -> Any:
    """A response that is a map; its axes say what it depends on.

    Parameters
    ----------
    filename : path-like
    hdu : str
        Name of the extension.
    hdu_class : str
        What the index calls it: one of ``MAP_CLASSES``.

    Returns
    -------
    irf : `EDispMap`, `EDispKernelMap`, `PSFMap`, `RecoPSFMap`, or a plain map for ``map``
        Units that count transits of a source, ``m2 s transit-1``, are those of one transit:
        a transit has no dimension, and its unit is left out.

    Raises
    ------
    ValueError
        If the file is damaged, or has no such map.
    """
    hdus = open_fits(filename)
    for one in hdus:
        if one.name == hdu.upper():
            unit = str(one.header.get("BUNIT", ""))
            one.header["BUNIT"] = unit.replace("transit-1", "").strip()
    kinds: dict[str, Any] = {
        "edisp_map": EDispMap,
        "edisp_kernel_map": EDispKernelMap,
        "psf_map": PSFMap,
        "psf_map_reco": RecoPSFMap,
    }
    if hdu_class in kinds:
        return kinds[hdu_class].from_hdus(hdus, str(filename), hdu, map_from_hdus)
    return map_from_hdus(hdus, str(filename), hdu.upper())
