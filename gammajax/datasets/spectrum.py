"""Counts spectra with their responses."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from gammajax.datasets.base import Dataset, draw, positive_ratio, safe_alpha
from gammajax.datasets.spectrum_checks import bin_array, check_common
from gammajax.maps import MapAxis

if TYPE_CHECKING:
    from gammajax.models import Models


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SpectrumDatasetBase(Dataset):
    """Counts in energy bins with their responses; fields as in `SpectrumDataset`."""

    name: str
    energy: MapAxis
    energy_true: MapAxis
    counts: np.ndarray
    exposure: np.ndarray
    edisp: Any
    mask_safe: Any = None
    mask_fit: Any = None
    livetime: float = float("nan")
    gti: Any = None
    psf: Any = None
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_common(self)

    @property
    def mask(self) -> np.ndarray:  # pyright: ignore
        """The bins in a fit: safe, and in the fit range."""
        return self.mask_safe & self.mask_fit

    def in_energy_range(self, energy_min: Any = None, energy_max: Any = None) -> np.ndarray:
        """Which energy bins lie wholly between two energies."""
        return self.energy.mask(energy_min, energy_max)

    def with_energy_range(self, energy_min: Any = None, energy_max: Any = None) -> Self:
        """The dataset with its fit range set to the bins wholly between two energies."""
        return self.replace(mask_fit=self.energy.mask(energy_min, energy_max))

    def slice_by_energy(
        self, energy_min: Any = None, energy_max: Any = None, *, name: str = ""
    ) -> Self:
        """The bins wholly between two energies; others are gone."""
        from gammajax.datasets.grouping import slice_by_energy

        return slice_by_energy(self, energy_min, energy_max, name or self.name)

    def stack(self, *others: Any, name: str = "") -> Self:
        """The dataset and others of its kind and its axes summed into one.

        Counts, backgrounds and exposures are sums over the safe bins of each; the dispersion
        is the mean, weighted by exposure.
        """
        from gammajax.datasets.spectrum_parts import stack_spectra

        return stack_spectra([self, *others], name or self.name)

    def npred_signal(self, models: Models) -> np.ndarray:
        """Predicted counts of the models in all bins, shape (energy,)."""
        from gammajax.fold import npred_signal

        return npred_signal(self, models)

    def plot(self, models: Models | None = None, **options: Any) -> Any:
        """Counts and prediction with residuals; see `gammajax.plots.plot_spectrum_dataset`."""
        from gammajax.plots import plot_spectrum_dataset

        return plot_spectrum_dataset(self, models, **options)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SpectrumDataset(SpectrumDatasetBase):
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
    gti : `~gammajax.data.GTI`, optional
        Good time intervals: sources with a temporal model and light curves need them.
    psf : `~gammajax.irf.PSFMap`, optional
        Point spread function, where the exposure is that of all events: of a source with a
        spatial model the part that falls in the region of ``meta["on_region"]`` is counted.
        None where the exposure is corrected for what a source in the middle loses, or is that
        of a directional cut: all of a source is then counted. Files in OGIP format have none.
    meta : dict
        Whatever else the file said.

    Raises
    ------
    ValueError
        If shapes differ, or counts, exposure or background are negative or not finite.
    """

    background: Any = 0.0

    stat_type: ClassVar[str] = "cash"

    @classmethod
    def create(
        cls, geom: Any, energy_axis_true: MapAxis | None = None, *, name: str = "dataset"
    ) -> SpectrumDataset:
        """A dataset with nothing in it, for makers to fill.

        Parameters
        ----------
        geom : `~gammajax.maps.RegionGeom`
            The on region, with the axis ``energy``. A point stands for the directional cut
            of responses that have one.
        energy_axis_true : `~gammajax.maps.MapAxis`, optional
            By default the axis of the counts.
        name : str
        """
        from gammajax.datasets.spectrum_parts import empty_fields

        return cls(name=name, **empty_fields(geom, energy_axis_true))

    def __post_init__(self) -> None:
        super().__post_init__()
        background = bin_array(self.name, "background", self.background, self.energy.nbin)
        object.__setattr__(self, "background", background)

    def npred(self, models: Models) -> np.ndarray:
        """Predicted counts of models and background in all bins, shape (energy,)."""
        return self.npred_signal(models) + self.background

    def stat_array(self, models: Models) -> np.ndarray:
        """The statistic of each bin, shape (energy,), masked bins included."""
        from gammajax.stats import cash

        return np.asarray(cash(self.counts, self.npred(models)))

    def fake(self, models: Models, seed: int) -> SpectrumDataset:
        """The dataset with counts drawn from the prediction."""
        rng = np.random.default_rng(seed)
        return self.replace(counts=draw(self.npred(models), rng))

    def info_dict(self) -> dict[str, Any]:
        """The numbers that describe the dataset, summed over the fit range."""
        info = _info(self)
        info["background"] = float(self.background[self.mask].sum())
        info["excess"] = info["counts"] - info["background"]
        return info


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SpectrumDatasetOnOff(SpectrumDatasetBase):
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
    exposure, edisp, mask_safe, mask_fit, livetime, gti, psf, meta
        As in `SpectrumDataset`.

    Raises
    ------
    ValueError
        If shapes differ, or an array is negative or not finite.
    """

    counts_off: np.ndarray
    acceptance: np.ndarray | float = 1.0
    acceptance_off: np.ndarray | float = 1.0

    stat_type: ClassVar[str] = "wstat"

    def __post_init__(self) -> None:
        super().__post_init__()
        for what in ("counts_off", "acceptance", "acceptance_off"):
            array = bin_array(self.name, what, getattr(self, what), self.energy.nbin)
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
        return positive_ratio(self.acceptance, self.acceptance_off)

    @property
    def background(self) -> np.ndarray:
        """Background counts expected in the on region: alpha times the off counts."""
        return self.alpha * self.counts_off

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
        return safe_alpha(self.alpha)

    def stat_array(self, models: Models) -> np.ndarray:
        """The statistic of each bin, shape (energy,); not a number where alpha is 0."""
        from gammajax.stats import wstat

        signal = self.npred_signal(models)
        stat = np.asarray(wstat(self.counts, self.counts_off, self._safe_alpha, signal))
        return np.where(self.alpha > 0, stat, np.nan)

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
        background = bin_array(self.name, "background", background, self.energy.nbin)
        counts = draw(self.npred_signal(models) + background, rng)
        return self.replace(counts=counts, counts_off=draw(background / self._safe_alpha, rng))

    def info_dict(self) -> dict[str, Any]:
        """The numbers that describe the dataset, summed over the fit range."""
        info = _info(self)
        info["counts_off"] = float(self.counts_off[self.mask].sum())
        info["background"] = float(self.background[self.mask].sum())
        off = info["counts_off"]
        info["alpha"] = info["background"] / off if off > 0 else float("nan")
        info["excess"] = info["counts"] - info["background"]
        return info


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
