"""Spectra in the map format of gammapy, as its ``Datasets.write`` makes them.

One file holds all: each quantity is a table ``NAME`` with a column ``DATA``, one row a bin,
its axes in ``NAME_BANDS``, and the region in ``NAME_REGION``. The last axis of ``DATA`` is
that region, so there is one number for each bin. ``EDISP`` and ``PSF`` are responses as those
of counts cubes: maps of the region or of pixels of the sky, the dispersion as a matrix or as a
density of migra. gammapy reads every `SpectrumDataset` in this format, and only in this one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gammajax.datasets.files import energy_axis, good_times
from gammajax.datasets.spectrum import SpectrumDataset, SpectrumDatasetOnOff
from gammajax.fits import FitsFile, table, write_tables
from gammajax.irf import EDispKernel, PSFMap
from gammajax.irf.edisp_map import read_edisp
from gammajax.maps import MapAxis, RegionGeom
from gammajax.maps.io import map_from_hdus
from gammajax.maps.region_io import read_region, region_table
from gammajax.units import EXPOSURE

RECO = ("ENERGY", "E_MIN", "E_MAX")
TRUE = ("ENERGY_TRUE", "ENERGY_TRUE_MIN", "ENERGY_TRUE_MAX")

Axes = dict[str, tuple[tuple[str, str, str], MapAxis]]
"""Axes by name, the one that varies fastest first: the columns that they have, and the bins."""


def read_gadf(filename: str | Path, *, name: str | None = None) -> Any:
    """Read a spectrum in the map format.

    Parameters
    ----------
    filename : path-like
    name : str, optional
        Name of the dataset; by default the file's stem.

    Returns
    -------
    dataset : `SpectrumDatasetOnOff` if the file has ``COUNTS_OFF``, else `SpectrumDataset`
        The format has no livetime; it is read if this package wrote the file.

    Raises
    ------
    ValueError
        If the file is damaged, lacks a table, or is of a sky map and not of one region.
    """
    file = FitsFile(filename)
    there = file.names
    region = RegionGeom.create(read_region(file.hdus, "COUNTS_REGION", str(file.path)))
    energy = energy_axis(file, file.table("COUNTS_BANDS"), *RECO[1:], name="energy")
    energy_true = energy_axis(file, file.table("EXPOSURE_BANDS"), *TRUE[1:], name="energy_true")
    common: dict[str, Any] = {
        "name": name or file.path.name.split(".")[0],
        "energy": energy,
        "energy_true": energy_true,
        "counts": _values(file, "COUNTS", energy),
        "exposure": _values(file, "EXPOSURE", energy_true, EXPOSURE),
        "edisp": _edisp(file, energy_true, energy, region),
        "psf": _spread(file, region),
        "livetime": file.get(file.table("EXPOSURE"), "LIVETIME", float("nan")),
        "gti": good_times(file),
        "meta": {"filename": str(file.path), "on_region": region.region},
    }
    for mask in ("MASK_SAFE", "MASK_FIT"):
        if mask in there:
            common[mask.lower()] = _values(file, mask, energy) != 0
    if "COUNTS_OFF" not in there:
        background = _values(file, "BACKGROUND", energy) if "BACKGROUND" in there else 0.0
        return SpectrumDataset(**common, background=background)
    off = {key: key.upper() for key in ("counts_off", "acceptance", "acceptance_off")}
    arrays: dict[str, Any] = {key: _values(file, hdu, energy) for key, hdu in off.items()}
    return SpectrumDatasetOnOff(**common, **arrays)


def _values(file: FitsFile, hdu: str, axis: MapAxis, unit: str | None = None) -> np.ndarray:
    values = file.column(file.table(hdu), "DATA", unit, ndim=9)
    if values.size != axis.nbin:
        raise ValueError(
            f"{file.path}[{hdu}]: DATA has shape {values.shape}, expected one number for each "
            f"of {axis.nbin} bins; this version folds spectra, not maps"
        )
    return values.reshape(axis.nbin)


def _edisp(
    file: FitsFile, energy_true: MapAxis, energy: MapAxis, region: RegionGeom
) -> EDispKernel:
    """The dispersion in the middle of the region."""
    if "EDISP" not in file.names:
        return EDispKernel.from_diagonal(energy_true, energy)
    found = read_edisp(file.hdus, str(file.path), map_from_hdus, energy)
    for axis in (energy, energy_true):
        if not found.axis(axis.name).is_close(axis):
            raise ValueError(
                f"{file.path}[EDISP_BANDS]: has {found.axis(axis.name)!r}, and counts or "
                f"exposure have {axis!r}"
            )
    known = region.region is not None and not found.is_uniform
    kernel = found.get_edisp_kernel(region.center_skydir if known else None)
    return EDispKernel(energy_true, energy, kernel.matrix)


def _spread(file: FitsFile, region: RegionGeom) -> Any:
    """The point spread function, if there is one in true energy and a region with an area."""
    if "PSF" not in file.names or region.region is None or region.is_point:
        return None
    values = map_from_hdus(file.hdus, str(file.path), "PSF")
    if "energy_true" not in values.geom.axes.names:
        return None
    return PSFMap.from_hdus(file.hdus, str(file.path), None, map_from_hdus)


def write_gadf(dataset: Any, filename: str | Path, *, overwrite: bool = False) -> None:
    """Write a spectrum in the map format, which gammapy opens.

    Parameters
    ----------
    dataset : `SpectrumDataset` or `SpectrumDatasetOnOff`
    filename : path-like
    overwrite : bool
        Whether a file that is there may be replaced.
    """
    reco: Axes = {"energy": (RECO, dataset.energy)}
    true: Axes = {"energy_true": (TRUE, dataset.energy_true)}
    # the exposure of a dispersion has one reconstructed bin over the whole range
    one: Axes = {"energy": (RECO, MapAxis(dataset.energy.edges[[0, -1]]))}
    time = {} if np.isnan(dataset.livetime) else {"LIVETIME": dataset.livetime}
    tables = [
        *_map("COUNTS", dataset.counts, reco),
        *_map("EXPOSURE", dataset.exposure, true, EXPOSURE, **time),
        *_map("EDISP", dataset.edisp.matrix, {**reco, **true}),
        *_map("EDISP_EXPOSURE", dataset.exposure[:, None], {**one, **true}, EXPOSURE),
        *_map("MASK_SAFE", dataset.mask_safe, reco),
    ]
    if not dataset.mask_fit.all():
        tables += _map("MASK_FIT", dataset.mask_fit, reco)
    on_off = isinstance(dataset, SpectrumDatasetOnOff)
    for what in ("counts_off", "acceptance", "acceptance_off") if on_off else ("background",):
        tables += _map(what.upper(), getattr(dataset, what), reco)
    region = RegionGeom.create(dataset.meta.get("on_region"))
    if region.region is not None:
        values = [t.name for t in tables if not t.name.endswith("_BANDS")]
        tables += [region_table(region, f"{name}_REGION") for name in values]
    if dataset.psf is not None:
        tables += dataset.psf.to_hdus()
    if dataset.gti is not None:
        tables.append(dataset.gti.to_hdu())
    write_tables({Path(filename): tables}, overwrite=overwrite)


def _map(
    name: str,
    values: np.ndarray,
    axes: Axes,
    unit: str | None = None,
    **header: Any,
) -> list[Any]:
    """The tables of one quantity; the first axis varies fastest."""
    for place, (columns, axis) in enumerate(axes.values(), start=1):
        header[f"AXCOLS{place}"] = ",".join(columns[1:])
        header[f"INTERP{place}"] = axis.interp
    rows = values.shape[0]
    form = "L" if values.dtype == bool else "D"
    inner = values.shape[1:]
    data = values.reshape(rows, *inner, 1, 1)
    size = int(np.prod(inner, dtype=int))
    main = {"CHANNEL": ("J", None, np.arange(rows)), "DATA": (f"{size}{form}", unit, data)}
    hdu = table(name, main, **header)
    return [hdu, _bands(f"{name}_BANDS", axes, header)]


def _bands(name: str, axes: Axes, header: dict[str, Any]) -> Any:
    """The table of the axes of a quantity: all combinations of bins, the first fastest."""
    grid = np.indices([axis.nbin for _, axis in reversed(axes.values())])
    bins = [index.ravel() for index in grid[::-1]]
    columns: dict[str, tuple[str, str | None, Any]] = {
        "CHANNEL": ("J", None, np.arange(bins[0].size))
    }
    for index, (keys, axis) in zip(bins, axes.values(), strict=True):
        for key, values in zip(
            keys, (axis.center, axis.edges_min, axis.edges_max), strict=True
        ):
            columns[key] = ("D", axis.unit, values[index])
    return table(name, columns, **header)
