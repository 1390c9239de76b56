"""Excess and significance of counts in a circle around each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.datasets import Datasets
from gammajax.estimators.energy_bins import energy_bins
from gammajax.estimators.flux_maps import FluxMaps
from gammajax.estimators.image_counts import ImageCounts, unit_counts
from gammajax.maps import Map, MapAxis
from gammajax.maps.filters import kernel
from gammajax.models import PowerLawSpectralModel, SkyModel
from gammajax.stats.counts_statistic import CountsStatistic
from gammajax.units import to_value

OPTIONAL = ("errn-errp", "ul")


@dataclass(frozen=True, kw_only=True)
class ExcessMapEstimator:
    """Counts above the background in a circle around each pixel, and their significance.

    With a known background (`MapDataset`) the statistic is Cash, with off counts
    (`MapDatasetOnOff`) it is that of Li and Ma. Sums are over pixels in the mask whose centres
    lie in the circle.

    Parameters
    ----------
    correlation_radius : float in deg, or `~astropy.units.Quantity`
    n_sigma, n_sigma_ul : float
    selection_optional : "all", None, or list of {"errn-errp", "ul"}
    energy_edges : array in TeV, optional
        One bin of all energies by default.
    spectral_model : `~gammajax.models.SpectralModel`, optional
        Of the fluxes that excesses are turned into, by the exposure at the pixel and without
        losses out of the circle; a power law of index 2 by default.
    correlate_off : bool
        Whether off counts are summed in the circle. False for those of rings, which are sums
        already and the same in neighbouring pixels.

    Examples
    --------
    >>> ExcessMapEstimator(correlation_radius="0.1 deg").n_sigma_ul
    2.0
    """

    correlation_radius: Any = 0.1
    n_sigma: float = 1.0
    n_sigma_ul: float = 2.0
    selection_optional: Any = None
    energy_edges: Any = None
    spectral_model: Any = None
    correlate_off: bool = True

    def __post_init__(self) -> None:
        chosen = self._chosen
        unknown = set(chosen) - set(OPTIONAL)
        if unknown:
            raise ValueError(
                f"selection_optional: {', '.join(sorted(unknown))} is none of "
                f"{', '.join(OPTIONAL)}; 'all' and None work too"
            )

    @property
    def _chosen(self) -> tuple[str, ...]:
        given = () if self.selection_optional is None else self.selection_optional
        return (
            OPTIONAL
            if isinstance(given, str) and given == "all"
            else tuple(np.atleast_1d(given).tolist())
        )

    def run(self, dataset: Any, models: Any = None) -> FluxMaps:
        """Measure the excess in each pixel.

        Parameters
        ----------
        dataset : `~gammajax.datasets.MapDataset` or `MapDatasetOnOff`
            On pixels of a projection.
        models : `~gammajax.models.Models`, optional
            What is expected besides the excess: sources, and how the background is scaled.

        Returns
        -------
        maps : `FluxMaps`
            ``counts``, ``npred`` (the expected background), ``npred_excess`` (the excess),
            ``ts``, ``sqrt_ts``, ``norm`` and what is selected. NaN where no pixel of the circle
            is in the mask.
        """
        radius = float(to_value(self.correlation_radius, "deg", where="correlation_radius"))
        image = dataset.geom.to_image()
        disk = (kernel(image, radius, "tophat") > 0).astype(float)
        bins = energy_bins(Datasets(dataset), self.energy_edges)
        parts = [
            ImageCounts.of(dataset, models, b).statistic(
                disk, correlate_off=self.correlate_off, whole=True
            )
            for b in bins
        ]
        axis = MapAxis.from_energy_edges([bins[0].energy_min, *(b.energy_max for b in bins)])
        spectrum = self.spectral_model or PowerLawSpectralModel(index=2.0)
        unit = np.stack([unit_counts(dataset, spectrum, b) for b in bins])
        found = self._arrays([part for part, _ in parts], unit)
        seen = np.stack([seen for _, seen in parts])
        geom = image.to_cube([axis])
        maps = {
            name: Map.from_geom(geom, data=np.where(seen, array, np.nan))
            for name, array in found.items()
        }
        dark = int((seen & ~(unit > 0)).sum())
        notes = (f"{int((~seen).sum())} pixels have no data in the circle",) * (not seen.all())
        notes += (f"{dark} pixels have no exposure, and no flux",) * (dark > 0)
        return FluxMaps(
            maps=maps, model=SkyModel(spectrum, name="reference"), notes=notes,
            meta={"correlation_radius": radius, "n_sigma_ul": self.n_sigma_ul},
        )  # fmt: skip

    def _arrays(self, parts: list[CountsStatistic], unit: np.ndarray) -> dict[str, np.ndarray]:
        def stacked(function: Any) -> np.ndarray:
            return np.stack([function(part) for part in parts])

        found = {
            "counts": stacked(lambda s: np.asarray(s.n_on)),
            "npred": stacked(lambda s: s.n_bkg),
            "npred_excess": stacked(lambda s: s.n_sig),
            "ts": stacked(lambda s: s.ts),
            "sqrt_ts": stacked(lambda s: s.sqrt_ts),
            "stat": stacked(lambda s: s.stat_max),
            "stat_null": stacked(lambda s: s.stat_null),
        }
        counts = {"norm": found["npred_excess"], "norm_err": stacked(lambda s: s.error)}
        if "errn-errp" in self._chosen:
            counts["norm_errn"] = stacked(lambda s: s.compute_errn(self.n_sigma))
            counts["norm_errp"] = stacked(lambda s: s.compute_errp(self.n_sigma))
        if "ul" in self._chosen:
            counts["norm_ul"] = stacked(lambda s: s.compute_upper_limit(self.n_sigma_ul))
        with np.errstate(divide="ignore", invalid="ignore"):
            norms = {name: np.where(unit > 0, a / unit, np.nan) for name, a in counts.items()}
        return norms | found
