"""Counts with their responses."""

from gammajax.datasets.datasets import Datasets
from gammajax.datasets.ogip import read_ogip, write_ogip
from gammajax.datasets.spectrum import SpectrumDataset, SpectrumDatasetOnOff

__all__ = ["Datasets", "SpectrumDataset", "SpectrumDatasetOnOff", "read_ogip", "write_ogip"]
