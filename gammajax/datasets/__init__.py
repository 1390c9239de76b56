"""Counts with their responses."""

from gammajax.datasets.datasets import Datasets
from gammajax.datasets.flux_points import FluxPointsDataset
from gammajax.datasets.gadf import read_gadf, write_gadf
from gammajax.datasets.io import read_datasets, read_spectrum, write_datasets
from gammajax.datasets.map import MapDataset
from gammajax.datasets.map_base import MapDatasetBase
from gammajax.datasets.map_io import read_map_dataset, write_map_dataset
from gammajax.datasets.map_on_off import MapDatasetOnOff
from gammajax.datasets.ogip import read_ogip, write_ogip
from gammajax.datasets.spectrum import SpectrumDataset, SpectrumDatasetOnOff

__all__ = [
    "Datasets",
    "FluxPointsDataset",
    "MapDataset",
    "MapDatasetBase",
    "MapDatasetOnOff",
    "SpectrumDataset",
    "SpectrumDatasetOnOff",
    "read_datasets",
    "read_gadf",
    "read_map_dataset",
    "read_ogip",
    "read_spectrum",
    "write_datasets",
    "write_gadf",
    "write_map_dataset",
    "write_ogip",
]
