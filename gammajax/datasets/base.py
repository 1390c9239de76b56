"""What datasets of all kinds share."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np


class Dataset(ABC):
    """Base of the datasets: immutable, with a name, a mask and a statistic."""

    name: str
    mask: Any

    def replace(self, **fields: Any) -> Self:
        """A new dataset with the given fields changed."""
        this: Any = self
        return dataclasses.replace(this, **fields)

    @abstractmethod
    def stat_array(self, models: Any = None) -> np.ndarray:
        """The statistic of each bin, masked bins included."""

    def stat_sum(self, models: Any = None) -> float:
        """The statistic in the fit range, from the prediction in all bins."""
        return float(self.stat_array(models)[self.mask].sum())

    @abstractmethod
    def with_energy_range(self, energy_min: Any = None, energy_max: Any = None) -> Self:
        """The dataset with its fit range set to the bins wholly between two energies."""

    def within_energy_range(self, energy_min: Any = None, energy_max: Any = None) -> Self:
        """The dataset with its fit range narrowed to the bins wholly between two energies."""
        this: Any = self
        found: Any = self.with_energy_range(energy_min, energy_max)
        if this.mask_fit is None:
            return found
        return self.replace(mask_fit=found.mask_fit & this.mask_fit)

    @abstractmethod
    def info_dict(self) -> dict[str, Any]:
        """The numbers that describe the dataset, summed over the fit range."""

    def __repr__(self) -> str:
        info = self.info_dict()
        name = info.pop("name")
        parts = ", ".join(
            f"{key}={value:.6g}" if isinstance(value, float) else f"{key}={value}"
            for key, value in info.items()
        )
        return f"{type(self).__name__}({name!r}: {parts})"


def positive_ratio(above: Any, below: Any) -> np.ndarray:
    """above / below; 0 where below is 0."""
    above, below = np.asarray(above), np.asarray(below)
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), 0.0)


def safe_alpha(alpha: Any) -> np.ndarray:
    """alpha, and 1 where it is 0, so that functions of all bins stay finite."""
    return np.where(alpha > 0, alpha, 1.0)


ROUNDING = 1e-8
"""How far below 0 a prediction may be from rounding alone, in units of the whole prediction.

Splines of a spread end there: where it has ended, they are 0 within this.
"""


def expected_counts(mu: Any) -> np.ndarray:
    """A prediction with what is below 0 by rounding alone set to 0."""
    mu = np.asarray(mu)
    tiny = (mu < 0) & (mu > -ROUNDING * np.abs(mu).sum())
    return np.where(tiny, 0.0, mu)


def draw(mu: Any, rng: np.random.Generator) -> np.ndarray:
    """Counts drawn around a prediction, as floats."""
    return rng.poisson(expected_counts(mu)).astype(float)
