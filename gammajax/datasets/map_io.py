"""Counts cubes in files, as gammapy's ``MapDataset.write`` makes them.

One extension for each map, with its axes in ``NAME_BANDS``: ``COUNTS``, ``EXPOSURE``,
``BACKGROUND``, ``EDISP`` and ``PSF`` with the exposures that weigh them, ``MASK_SAFE``,
``MASK_FIT``, and ``GTI``. On-off cubes have ``COUNTS_OFF``, ``ACCEPTANCE`` and
``ACCEPTANCE_OFF`` in the place of a background.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gammajax.data import GTI
from gammajax.datasets.gadf import read_gadf
from gammajax.datasets.map import MapDataset
from gammajax.datasets.map_base import MASKS, MapDatasetBase
from gammajax.datasets.map_on_off import MapDatasetOnOff
from gammajax.fits import write_tables
from gammajax.irf.edisp_map import read_edisp
from gammajax.irf.psf_map import PSFMap, RecoPSFMap
from gammajax.maps.io import map_from_hdus, map_hdus, open_fits
from gammajax.maps.region_io import is_region_map


def maps_of(kind: Any) -> list[str]:
    """The maps that a class of counts cubes has in files, in their order."""
    return [key.upper() for key in ("counts", "exposure", *kind.maps, *MASKS)]


def read_map_dataset(filename: str | Path, *, name: str | None = None) -> Any:
    """Read a counts cube with its responses.

    Parameters
    ----------
    filename : path-like
    name : str, optional
        Name of the dataset; by default the file's stem.

    Returns
    -------
    dataset : `MapDatasetOnOff` if the file has ``COUNTS_OFF``, else `MapDataset`
        Counts of one region are a `SpectrumDatasetOnOff` or `SpectrumDataset`.

    Raises
    ------
    ValueError
        If the file is damaged, lacks counts or exposure, or its maps do not fit each other.
    """
    path = Path(filename)
    hdus, where = open_fits(path), str(path)
    there = [hdu.name for hdu in hdus]
    if any(hdu.name == "COUNTS" and is_region_map(hdu) for hdu in hdus):
        return read_gadf(path, name=name)
    kind: Any = MapDatasetOnOff if "COUNTS_OFF" in there else MapDataset
    for needed in maps_of(kind)[:-2] if kind is MapDatasetOnOff else ("COUNTS", "EXPOSURE"):
        if needed not in there:
            raise ValueError(f"{where}: has no {needed} (extensions: {', '.join(there)})")
    found: dict[str, Any] = {
        key.lower(): map_from_hdus(hdus, where, key) for key in maps_of(kind) if key in there
    }
    if "PSF" in there:
        axes = map_from_hdus(hdus, where, "PSF").geom.axes.names
        psf = RecoPSFMap if "energy" in axes else PSFMap
        found["psf"] = psf.from_hdus(hdus, where, None, map_from_hdus)
    if "EDISP" in there:
        energy = found["counts"].geom.axes["energy"]
        found["edisp"] = read_edisp(hdus, where, map_from_hdus, energy)
    if "GTI" in there and len(hdus[there.index("GTI")].data):
        found["gti"] = GTI.read(path)
    try:
        return kind(name=name or path.name.split(".")[0], meta={"filename": where}, **found)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def write_map_dataset(
    dataset: MapDatasetBase, filename: str | Path, *, overwrite: bool = False
) -> None:
    """Write a counts cube with its responses, in the format of gammapy; all or nothing."""
    hdus: list[Any] = []
    for key in maps_of(type(dataset)):
        found = getattr(dataset, key.lower())
        if found is not None:
            hdus += map_hdus(found, key)
    for response in (dataset.psf, dataset.edisp):
        if response is not None:
            hdus += response.to_hdus()
    if dataset.gti is not None and np.size(dataset.gti.start):
        hdus.append(dataset.gti.to_hdu())
    write_tables({Path(filename): hdus}, overwrite=overwrite)
