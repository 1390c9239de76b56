"""Responses that are kept as maps of the sky, as for arrays of water tanks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gammajax.maps.io import map_from_hdus, open_fits

MAP_CLASSES = ("map", "edisp_map", "edisp_kernel_map", "psf_map", "psf_map_reco")
"""What index tables call them in HDU_CLASS."""


def read_map_irf(filename: str | Path, hdu: str) -> Any:
    """A response that is a map; its axes say what it depends on.

    Parameters
    ----------
    filename : path-like
    hdu : str
        Name of the extension.

    Returns
    -------
    irf : `~gammajax.maps.WcsNDMap` or another map
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
    return map_from_hdus(hdus, str(filename), hdu.upper())
