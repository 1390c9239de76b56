"""Lists of datasets in YAML, as gammapy has them.

.. code-block:: yaml

    datasets:
    - {name: crab-1, type: SpectrumDatasetOnOff, filename: pha_obs23523.fits}
    - {name: crab-2, type: SpectrumDatasetOnOff, filename: pha_obs23526.fits,
       energy_min: 0.5 TeV, energy_max: 30 TeV}

``energy_min`` and ``energy_max`` are our own: the fit range, bins wholly inside. gammapy
passes over them. File names are relative to the list; environment variables are expanded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gammajax import __version__
from gammajax.datasets.datasets import Datasets
from gammajax.datasets.flux_points import FluxPointsDataset
from gammajax.datasets.gadf import read_gadf, write_gadf
from gammajax.datasets.map import MapDataset
from gammajax.datasets.map_base import MapDatasetBase
from gammajax.datasets.map_io import read_map_dataset, write_map_dataset
from gammajax.datasets.map_on_off import MapDatasetOnOff
from gammajax.datasets.ogip import read_ogip, write_ogip
from gammajax.datasets.spectrum import SpectrumDataset, SpectrumDatasetOnOff
from gammajax.fits import FitsFile
from gammajax.storage import (
    check_keys,
    expand,
    format_yaml,
    parse_yaml,
    read_text,
    replacing,
    shown,
    suggest,
)
from gammajax.units import ENERGY, to_value

KEYS = ("name", "type", "filename", "energy_min", "energy_max")
TOP_KEYS = ("datasets", "metadata", "checksum")

TYPES: dict[str, Any] = {
    "MapDataset": MapDataset,
    "MapDatasetOnOff": MapDatasetOnOff,
    "FluxPointsDataset": FluxPointsDataset,
    "SpectrumDataset": SpectrumDataset,
    "SpectrumDatasetOnOff": SpectrumDatasetOnOff,
}
OF_A_REGION: dict[str, Any] = {
    "MapDataset": SpectrumDataset,
    "MapDatasetOnOff": SpectrumDatasetOnOff,
}
"""What counts cubes are whose map is one region."""

LATER_TYPES = ("MapDatasetEventSampler",)
"""Types of gammapy that these lists may hold, and that this version does not fold."""


def read_datasets(path: str | Path) -> Datasets:
    """Read a YAML list of datasets, and the files that it names.

    Raises
    ------
    ValueError
        That begins with the name of the list: it is missing or no YAML, has an unknown key
        or type, a name twice, or names a file that cannot be read.
    """
    return Datasets(read() for read in dataset_readers(path).values())


def dataset_readers(path: str | Path) -> dict[str, Callable[[], Any]]:
    """Functions that read the datasets of a YAML list, one by one, by name.

    Raises
    ------
    ValueError
        As `read_datasets`, for all that is seen without opening the files.
    """
    path = Path(path)
    where = str(path)
    data = check_keys(parse_yaml(read_text(path), where), TOP_KEYS, where)
    items = data.get("datasets")
    if not isinstance(items, list) or not items:
        raise ValueError(f"{where}: datasets is {shown(items)}, expected a list of datasets")
    found: dict[str, Callable[[], Any]] = {}
    for place, item in enumerate(items):
        about = _check(item, place, path)
        name = str(item["name"])
        if name in found:
            raise ValueError(
                f"{where}: two datasets are called {name!r}; give one of them another name"
            )
        found[name] = partial(_read, item, about, path)
    return found


def _check(item: Any, place: int, path: Path) -> str:
    """Look at an entry of a list, and say how errors about it begin."""
    named = isinstance(item, dict) and item.get("name") not in (None, "")
    where = (
        f"{path}: dataset {str(item['name'])!r}" if named else f"{path}: dataset {place + 1}"
    )
    check_keys(item, KEYS, where)
    for key in ("name", "type", "filename"):
        if item.get(key) in (None, ""):
            raise ValueError(f"{where}: has no {key}")
    kind = item["type"]
    if kind in LATER_TYPES:
        raise ValueError(
            f"{where}: is a {kind}, and this version folds {', '.join(TYPES)}; take it out of "
            "the list"
        )
    if kind not in TYPES:
        raise ValueError(f"{where}: unknown type {shown(kind)}{suggest(str(kind), TYPES)}")
    return where


def _read(item: Any, where: str, path: Path) -> Any:
    name, kind = str(item["name"]), item["type"]
    try:
        dataset = _reader(TYPES[kind])(expand(item["filename"], path.parent, where), name=name)
        if not isinstance(dataset, (TYPES[kind], OF_A_REGION.get(kind, TYPES[kind]))):
            raise ValueError(
                f"{item['filename']} holds a {type(dataset).__name__}, expected a {kind}"
            )
        return _in_range(dataset, item.get("energy_min"), item.get("energy_max"))
    except ValueError as error:
        message = str(error)
        raise ValueError(
            message if message.startswith(where) else f"{where}: {message}"
        ) from None


def _reader(kind: Any) -> Any:
    """The function that reads files of a class of datasets."""
    if kind is FluxPointsDataset:
        return FluxPointsDataset.read
    return read_map_dataset if issubclass(kind, MapDatasetBase) else read_spectrum


def read_spectrum(filename: str | Path, *, name: str | None = None) -> Any:
    """Read a spectrum, in OGIP or in the map format; its tables tell which."""
    names = [hdu.name for hdu in FitsFile(filename).hdus]
    is_map = "SPECTRUM" not in names and "COUNTS_BANDS" in names
    return (read_gadf if is_map else read_ogip)(filename, name=name)


def _in_range(dataset: Any, low: Any, high: Any) -> Any:
    if low is None and high is None:
        return dataset
    for key, value in (("energy_min", low), ("energy_max", high)):
        if value is None:
            continue
        if not isinstance(value, str):
            raise ValueError(
                f"{key} is {shown(value)}, expected a text with a unit, as '1 TeV'"
            )
        to_value(value, ENERGY, where=key)
    narrowed = dataset.within_energy_range(low, high)
    if not np.any(getattr(narrowed.mask_fit, "data", narrowed.mask_fit)):
        raise ValueError(
            f"no bin lies wholly between energy_min {low} and energy_max {high}; the bins are "
            f"those of {dataset.energy!r}"
        )
    return narrowed


def write_datasets(datasets: Datasets, path: str | Path, *, overwrite: bool = False) -> None:
    """Write datasets, each to its own files beside a YAML list of them.

    On-off spectra with a livetime are written in OGIP format (``pha_obs<name>.fits`` and its
    companions), flux points as tables, others in the map format (``<name>.fits``): gammapy
    opens the list (with ``lazy=False`` if there are on-off cubes in it) and finds the same.
    The fit range is kept in the files.

    Raises
    ------
    ValueError
        If a file exists and ``overwrite`` is not set, or two datasets want the same file.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise ValueError(f"{path}: exists already; to replace it, give overwrite=True")
    items: list[dict[str, Any]] = []
    for dataset in datasets:
        ogip = isinstance(dataset, SpectrumDatasetOnOff) and dataset.livetime > 0
        stem = re.sub(r"[^\w.+-]", "_", dataset.name)
        filename = f"pha_obs{stem}.fits" if ogip else f"{stem}.fits"
        if filename in [item["filename"] for item in items]:
            raise ValueError(
                f"{path}: two datasets would be written to {filename}; give {dataset.name!r} "
                "another name, with dataset.replace(name=...)"
            )
        _writer(dataset, ogip)(dataset, path.parent / filename, overwrite=overwrite)
        kind = type(dataset).__name__
        items.append({"name": dataset.name, "type": kind, "filename": filename})
    data = {"datasets": items, "metadata": {"creator": f"gammajax {__version__}"}}
    with replacing(path, overwrite=overwrite) as (temporary,):
        temporary.write_text(format_yaml(data), encoding="utf-8")


def _writer(dataset: Any, ogip: bool) -> Any:
    if isinstance(dataset, FluxPointsDataset):
        return FluxPointsDataset.write
    if isinstance(dataset, MapDatasetBase):
        return write_map_dataset
    return write_ogip if ogip else write_gadf
