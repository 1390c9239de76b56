"""Counts cubes in files, as gammapy's ``MapDataset.write`` makes them.

One extension for each map, with its axes in ``NAME_BANDS``: ``COUNTS``, ``EXPOSURE``,
``BACKGROUND``, ``EDISP`` and ``PSF`` with the exposures that weigh them, ``MASK_SAFE``,
``MASK_FIT``, and ``GTI``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gammajax.data import GTI
from gammajax.datasets.map import MapDataset
from gammajax.fits import write_tables
from gammajax.irf.edisp_map import read_edisp
from gammajax.irf.psf_map import PSFMap, RecoPSFMap
from gammajax.maps.io import map_from_hdus, map_hdus, open_fits

MAPS = ("COUNTS", "EXPOSURE", "BACKGROUND", "MASK_SAFE", "MASK_FIT")


def read_map_dataset(filename: str | Path, *, name: str | None = None) -> MapDataset:
    """Read a counts cube with its responses.

    Parameters
    ----------
    filename : path-like
    name : str, optional
        Name of the dataset; by default the file's stem.

    Raises
    ------
    ValueError
        If the file is damaged, lacks counts or exposure, or its maps do not fit each other.
    """
    path = Path(filename)
    hdus, where = open_fits(path), str(path)
    there = [hdu.name for hdu in hdus]
    for needed in ("COUNTS", "EXPOSURE"):
        if needed not in there:
            raise ValueError(f"{where}: has no {needed} (extensions: {', '.join(there)})")
    found: dict[str, Any] = {
        key.lower(): map_from_hdus(hdus, where, key) for key in MAPS if key in there
    }
    if "PSF" in there:
        axes = map_from_hdus(hdus, where, "PSF").geom.axes.names
        kind = RecoPSFMap if "energy" in axes else PSFMap
        found["psf"] = kind.from_hdus(hdus, where, None, map_from_hdus)
    if "EDISP" in there:
        energy = found["counts"].geom.axes["energy"]
        found["edisp"] = read_edisp(hdus, where, map_from_hdus, energy)
    if "GTI" in there and len(hdus[there.index("GTI")].data):
        found["gti"] = GTI.read(path)
    try:
        return MapDataset(
            name=name or path.name.split(".")[0], meta={"filename": where}, **found
        )
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def write_map_dataset(
    dataset: MapDataset, filename: str | Path, *, overwrite: bool = False
) -> None:
    """Write a counts cube with its responses, in the format of gammapy; all or nothing."""
    hdus: list[Any] = []
    for key in MAPS:
        found = getattr(dataset, key.lower())
        if found is not None:
            hdus += map_hdus(found, key)
    for response in (dataset.psf, dataset.edisp):
        if response is not None:
            hdus += response.to_hdus()
    if dataset.gti is not None and np.size(dataset.gti.start):
        hdus.append(dataset.gti.to_hdu())
    write_tables({Path(filename): hdus}, overwrite=overwrite)
