"""Counts spectra with their responses."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gammajax.irf import EDispKernel
from gammajax.maps import MapAxis
from gammajax.units import EXPOSURE, TIME, to_value

if TYPE_CHECKING:
    from gammajax.models import Models


def _bin_array(name: str, what: str, value: Any, nbin: int, *, low: float = 0.0) -> np.ndarray:
    """``value`` as one number a bin, checked; ``low`` is the least that is allowed."""
    array = np.array(np.broadcast_to(np.asarray(value, dtype=np.float64), (nbin,)))
    bad = ~np.isfinite(array) | (array < low)
    if bad.any():
        places = ", ".join(str(i) for i in np.nonzero(bad)[0][:8])
        raise ValueError(
            f"dataset {name!r}: {what} is {array[bad][0]:g} in bin {places}, "
            f"expected a finite number of {low:g} or more"
        )
    return array


@dataclass(frozen=True, eq=False, kw_only=True)
class SpectrumDataset:
    """Counts in energy bins with a known background; the statistic is Cash.

    Parameters
    ----------
    name : str
    energy, energy_true : `~gammajax.maps.MapAxis`
        Reconstructed and true energy.
    counts : array, shape (energy,)
    exposure : array, shape (energy_true,), or `~astropy.units.Quantity`
        Effective area times livetime, in cm2 s.
    edisp : `~gammajax.irf.EDispKernel` or array, shape (energy_true, energy)
    background : array, shape (energy,)
        Predicted background counts.
    mask_safe, mask_fit : array of bool, shape (energy,), optional
        The bins that the data reduction trusts, and the ones that the user fits. A fit uses
        the bins that are in both.
    livetime : float or `~astropy.units.Quantity`, optional
        In s; it turns the exposure into an effective area in files.
    meta : dict
        Whatever else the file said.

    Raises
    ------
    ValueError
        If shapes differ, or counts, exposure or background are negative or not finite.
    """

    name: str
    energy: MapAxis
    energy_true: MapAxis
    counts: np.ndarray
    exposure: np.ndarray
    edisp: Any
    background: Any = 0.0
    mask_safe: Any = None
    mask_fit: Any = None
    livetime: float = float("nan")
    meta: dict[str, Any] = field(default_factory=dict)

    stat_type = "cash"

    def __post_init__(self) -> None:
        _check_common(self)
        background = _bin_array(self.name, "background", self.background, self.energy.nbin)
        object.__setattr__(self, "background", background)

    @property
    def mask(self) -> np.ndarray:
        """The bins in a fit: safe, and in the fit range."""
        return self.mask_safe & self.mask_fit

    def with_energy_range(self, energy_min: Any = None, energy_max: Any = None) -> Any:
        """The dataset with its fit range set to the bins wholly between two energies."""
        return dataclasses.replace(self, mask_fit=self.energy.mask(energy_min, energy_max))

    def replace(self, **fields: Any) -> Any:
        """A new dataset with the given fields changed."""
        return dataclasses.replace(self, **fields)

    def npred(self, models: Models) -> np.ndarray:
        """Predicted counts of models and background in all bins, shape (energy,)."""
        return self.npred_signal(models) + self.background

    def npred_signal(self, models: Models) -> np.ndarray:
        """Predicted counts of the models in all bins, shape (energy,)."""
        from gammajax.fold import npred_signal

        return npred_signal(self, models)

    def stat_array(self, models: Models) -> np.ndarray:
        """The statistic of each bin, shape (energy,), masked bins included."""
        from gammajax.stats import cash

        return np.asarray(cash(self.counts, self.npred(models)))

    def stat_sum(self, models: Models) -> float:
        """The statistic in the fit range."""
        return float(self.stat_array(models)[self.mask].sum())

    def fake(self, models: Models, seed: int) -> SpectrumDataset:
        """The dataset with counts drawn from the prediction."""
        rng = np.random.default_rng(seed)
        return self.replace(counts=rng.poisson(self.npred(models)).astype(float))

    def info_dict(self) -> dict[str, Any]:
        """The numbers that describe the dataset, summed over the fit range."""
        info = _info(self)
        info["background"] = float(self.background[self.mask].sum())
        info["excess"] = info["counts"] - info["background"]
        return info

    def plot(self, models: Models | None = None, **options: Any) -> Any:
        """Counts and prediction with residuals; see `gammajax.plots.plot_spectrum_dataset`."""
        from gammajax.plots import plot_spectrum_dataset

        return plot_spectrum_dataset(self, models, **options)

    def __repr__(self) -> str:
        return _describe(self)


@dataclass(frozen=True, eq=False, kw_only=True)
class SpectrumDatasetOnOff:
    """Counts in an on region with the background measured in off regions; WStat.

    Parameters
    ----------
    name : str
    energy, energy_true : `~gammajax.maps.MapAxis`
        Reconstructed and true energy.
    counts, counts_off : array, shape (energy,)
    acceptance, acceptance_off : array, shape (energy,)
        Their ratio is ``alpha``, the expected ratio of background in the on region to the
        one in the off regions.
    exposure, edisp, mask_safe, mask_fit, livetime, meta
        As in `SpectrumDataset`.

    Raises
    ------
    ValueError
        If shapes differ, or an array is negative or not finite.
    """

    name: str
    energy: MapAxis
    energy_true: MapAxis
    counts: np.ndarray
    counts_off: np.ndarray
    exposure: np.ndarray
    edisp: Any
    acceptance: np.ndarray | float = 1.0
    acceptance_off: np.ndarray | float = 1.0
    mask_safe: Any = None
    mask_fit: Any = None
    livetime: float = float("nan")
    meta: dict[str, Any] = field(default_factory=dict)

    stat_type = "wstat"

    def __post_init__(self) -> None:
        _check_common(self)
        for what in ("counts_off", "acceptance", "acceptance_off"):
            array = _bin_array(self.name, what, getattr(self, what), self.energy.nbin)
            object.__setattr__(self, what, array)

    @classmethod
    def read(cls, filename: str | Path, *, name: str | None = None) -> Any:
        """Read an OGIP file and the files it names; see `gammajax.datasets.read_ogip`."""
        from gammajax.datasets.ogip import read_ogip

        return read_ogip(filename, name=name)

    def write(self, filename: str | Path, *, overwrite: bool = False) -> None:
        """Write OGIP files; see `gammajax.datasets.write_ogip`."""
        from gammajax.datasets.ogip import write_ogip

        write_ogip(self, filename, overwrite=overwrite)

    @property
    def alpha(self) -> np.ndarray:
        """acceptance / acceptance_off; 0 where the off acceptance is 0."""
        usable = self.acceptance_off > 0
        return np.where(usable, self.acceptance / np.where(usable, self.acceptance_off, 1), 0)

    @property
    def background(self) -> np.ndarray:
        """Background counts expected in the on region: alpha times the off counts."""
        return self.alpha * self.counts_off

    @property
    def mask(self) -> np.ndarray:
        """The bins in a fit: safe, and in the fit range."""
        return self.mask_safe & self.mask_fit

    def with_energy_range(self, energy_min: Any = None, energy_max: Any = None) -> Any:
        """The dataset with its fit range set to the bins wholly between two energies."""
        return dataclasses.replace(self, mask_fit=self.energy.mask(energy_min, energy_max))

    def replace(self, **fields: Any) -> Any:
        """A new dataset with the given fields changed."""
        return dataclasses.replace(self, **fields)

    def npred_signal(self, models: Models) -> np.ndarray:
        """Predicted counts of the models in all bins, shape (energy,)."""
        from gammajax.fold import npred_signal

        return npred_signal(self, models)

    def npred_background(self, models: Models) -> np.ndarray:
        """Expected background in the on region, profiled at the models' prediction."""
        from gammajax.stats import wstat_background

        signal = self.npred_signal(models)
        off = wstat_background(self.counts, self.counts_off, self._safe_alpha, signal)
        return self.alpha * np.asarray(off)

    def npred(self, models: Models) -> np.ndarray:
        """Predicted counts of models and profiled background in all bins."""
        return self.npred_signal(models) + self.npred_background(models)

    @property
    def _safe_alpha(self) -> np.ndarray:
        return np.where(self.alpha > 0, self.alpha, 1.0)

    def stat_array(self, models: Models) -> np.ndarray:
        """The statistic of each bin, shape (energy,); not a number where alpha is 0."""
        from gammajax.stats import wstat

        signal = self.npred_signal(models)
        stat = np.asarray(wstat(self.counts, self.counts_off, self._safe_alpha, signal))
        return np.where(self.alpha > 0, stat, np.nan)

    def stat_sum(self, models: Models) -> float:
        """The statistic in the fit range."""
        return float(self.stat_array(models)[self.mask].sum())

    def fake(self, models: Models, background: Any, seed: int) -> SpectrumDatasetOnOff:
        """The dataset with on and off counts drawn for models and a background.

        Parameters
        ----------
        models : `~gammajax.models.Models`
        background : array, shape (energy,)
            Background counts expected in the on region.
        seed : int
        """
        rng = np.random.default_rng(seed)
        background = _bin_array(self.name, "background", background, self.energy.nbin)
        counts = rng.poisson(self.npred_signal(models) + background)
        counts_off = rng.poisson(background / self._safe_alpha)
        return self.replace(counts=counts.astype(float), counts_off=counts_off.astype(float))

    def info_dict(self) -> dict[str, Any]:
        """The numbers that describe the dataset, summed over the fit range."""
        info = _info(self)
        info["counts_off"] = float(self.counts_off[self.mask].sum())
        info["background"] = float(self.background[self.mask].sum())
        off = info["counts_off"]
        info["alpha"] = info["background"] / off if off > 0 else float("nan")
        info["excess"] = info["counts"] - info["background"]
        return info

    def plot(self, models: Models | None = None, **options: Any) -> Any:
        """Counts and prediction with residuals; see `gammajax.plots.plot_spectrum_dataset`."""
        from gammajax.plots import plot_spectrum_dataset

        return plot_spectrum_dataset(self, models, **options)

    def __repr__(self) -> str:
        return _describe(self)


def _check_common(dataset: Any) -> None:
    """Convert and check the fields that both kinds of dataset have."""
    name, energy, energy_true = dataset.name, dataset.energy, dataset.energy_true
    edisp = dataset.edisp
    if not isinstance(edisp, EDispKernel):
        try:
            edisp = EDispKernel(energy_true, energy, edisp)
        except ValueError as error:
            raise ValueError(f"dataset {name!r}: {error}") from None
    if not (edisp.energy.is_close(energy) and edisp.energy_true.is_close(energy_true)):
        raise ValueError(
            f"dataset {name!r}: the energy dispersion is binned otherwise than the dataset "
            f"({edisp.energy_true!r} and {edisp.energy!r} against {energy_true!r} and "
            f"{energy!r})"
        )
    exposure = to_value(dataset.exposure, EXPOSURE, where=f"dataset {name!r}: exposure")
    fields = {
        "edisp": edisp,
        "counts": _bin_array(name, "counts", dataset.counts, energy.nbin),
        "exposure": _bin_array(name, "exposure", exposure, energy_true.nbin),
        "livetime": float(
            to_value(dataset.livetime, TIME, where=f"dataset {name!r}: livetime")
        ),
    }
    for what in ("mask_safe", "mask_fit"):
        mask = getattr(dataset, what)
        mask = np.ones(energy.nbin, bool) if mask is None else np.asarray(mask, dtype=bool)
        if mask.shape != (energy.nbin,):
            raise ValueError(
                f"dataset {name!r}: {what} has shape {mask.shape}, expected {(energy.nbin,)}"
            )
        fields[what] = mask
    for what, value in fields.items():
        object.__setattr__(dataset, what, value)


def _info(dataset: Any) -> dict[str, Any]:
    mask = dataset.mask
    edges = dataset.energy
    return {
        "name": dataset.name,
        "livetime": dataset.livetime,
        "n_bins": int(mask.sum()),
        "energy_min": float(edges.edges_min[mask].min()) if mask.any() else float("nan"),
        "energy_max": float(edges.edges_max[mask].max()) if mask.any() else float("nan"),
        "counts": float(dataset.counts[mask].sum()),
    }


def _describe(dataset: Any) -> str:
    info = dataset.info_dict()
    name = info.pop("name")
    parts = ", ".join(
        f"{key}={value:.6g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in info.items()
    )
    return f"{type(dataset).__name__}({name!r}: {parts})"
