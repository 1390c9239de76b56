"""The flux at which a source would be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.datasets import SpectrumDataset, SpectrumDatasetOnOff
from gammajax.models import Models, PowerLawSpectralModel, SkyModel
from gammajax.stats.counts_statistic import CashCountsStatistic, WStatCountsStatistic
from gammajax.units import DNDE, EFLUX

CRITERIA = ("significance", "gamma", "bkg")


@dataclass(frozen=True, kw_only=True)
class SensitivityEstimator:
    r"""The least flux that would be seen in each bin of energy, without simulation.

    The excess has to have a significance of ``n_sigma``, at least ``gamma_min`` counts, and at
    least ``bkg_syst_fraction`` of the background. Significance is that of Li and Ma where the
    background is measured, and of Cash where it is known, for the expected counts.

    Parameters
    ----------
    spectral_model : `~gammajax.models.SpectralModel`, optional
        Only its shape within a bin matters; a power law of index 2 by default.
    n_sigma : float
    gamma_min : float
    bkg_syst_fraction : float
    method : {"counts", "fisher"}
        ``fisher`` takes for the significance of an excess its ratio to the error that is
        expected of it with the signal there, which is what a `forecast` of the norm in the bin
        alone gives. With many counts it is lower than that of ``counts``, whose error is
        closer to that of the background alone.

    Examples
    --------
    >>> SensitivityEstimator(gamma_min=5).n_sigma
    5.0
    """

    spectral_model: Any = None
    n_sigma: float = 5.0
    gamma_min: float = 10.0
    bkg_syst_fraction: float = 0.05
    method: str = "counts"

    def __post_init__(self) -> None:
        if self.method not in ("counts", "fisher"):
            raise ValueError(
                f"SensitivityEstimator: method is {self.method!r}, expected counts or fisher"
            )
        if not (self.n_sigma > 0 and self.gamma_min >= 0 and self.bkg_syst_fraction >= 0):
            raise ValueError(
                f"SensitivityEstimator: got n_sigma {self.n_sigma}, gamma_min {self.gamma_min} "
                f"and bkg_syst_fraction {self.bkg_syst_fraction}, expected numbers above 0"
            )

    def min_excess(self, dataset: Any) -> tuple[np.ndarray, np.ndarray]:
        """The least excess in each bin, and which criterion decides; shape (energy,).

        Raises
        ------
        ValueError
            If the dataset is no spectrum.
        """
        if isinstance(dataset, SpectrumDatasetOnOff):
            alpha = np.where(dataset.alpha > 0, dataset.alpha, 1.0)
            found: Any = WStatCountsStatistic(dataset.background, dataset.counts_off, alpha)
        elif isinstance(dataset, SpectrumDataset):
            found = CashCountsStatistic(dataset.background, dataset.background)
        else:
            raise ValueError(
                f"dataset {getattr(dataset, 'name', '')!r} is a {type(dataset).__name__}, "
                "expected a spectrum; take one with to_spectrum_dataset(on_region)"
            )
        background = np.asarray(dataset.background, dtype=float)
        if self.method == "fisher":
            ratio = getattr(found, "alpha", 0.0)
            significant = _excess_of_error(background * (1 + ratio), self.n_sigma)
        else:
            significant = found.n_sig_matching_significance(self.n_sigma)
        options = np.stack(
            [
                significant,
                np.full(background.shape, float(self.gamma_min)),
                self.bkg_syst_fraction * background,
            ]
        )
        return options.max(axis=0), options.argmax(axis=0)

    def run(self, dataset: Any) -> Any:
        """The sensitivity in each bin of the fit range.

        Parameters
        ----------
        dataset : `~gammajax.datasets.SpectrumDataset` or `SpectrumDatasetOnOff`
            Its background, measured or known, is what is expected.

        Returns
        -------
        table : `~astropy.table.Table`
            ``e_ref``, ``e_min``, ``e_max``, ``e2dnde``, ``dnde``, ``excess``, ``background``,
            and ``criterion``: significance, gamma or bkg. NaN where there is no exposure.
        """
        from astropy.table import QTable
        from astropy.units import Unit

        spectrum = self.spectral_model or PowerLawSpectralModel(index=2.0)
        excess, criterion = self.min_excess(dataset)
        unit = dataset.npred_signal(Models([SkyModel(spectrum, name="source")]))
        norm = np.where(unit > 0, excess / np.where(unit > 0, unit, 1.0), np.nan)
        low, high = dataset.energy.edges_min, dataset.energy.edges_max
        center = np.sqrt(low * high)
        dnde = norm * np.asarray(spectrum(center))
        used = dataset.mask
        columns: dict[str, Any] = {
            "e_ref": center * Unit("TeV"),
            "e_min": low * Unit("TeV"),
            "e_max": high * Unit("TeV"),
            "e2dnde": center**2 * dnde * Unit(EFLUX),
            "dnde": dnde * Unit(DNDE),
            "excess": excess,
            "background": np.asarray(dataset.background, dtype=float),
            "criterion": np.array(CRITERIA)[criterion],
        }
        meta = {"n_sigma": self.n_sigma, "gamma_min": self.gamma_min}
        rows = QTable({name: values[used] for name, values in columns.items()}, meta=meta)
        return rows


def _excess_of_error(variance: np.ndarray, n_sigma: float) -> np.ndarray:
    r"""The excess s that is ``n_sigma`` times :math:`\sqrt{s + v}`, for a variance v."""
    square = n_sigma**2
    return (square + np.sqrt(square**2 + 4 * square * variance)) / 2
