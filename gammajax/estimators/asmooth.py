"""Adaptive smoothing: each pixel with the smallest kernel in which it is significant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.datasets import Datasets
from gammajax.estimators.energy_bins import energy_bins
from gammajax.estimators.flux_maps import FluxMaps
from gammajax.estimators.image_counts import ImageCounts, unit_counts
from gammajax.maps import Map, MapAxis
from gammajax.models import PowerLawSpectralModel, SkyModel
from gammajax.stats.counts_statistic import CashCountsStatistic
from gammajax.units import to_value

METHODS = ("lima", "cash", "asmooth")

SIGMA_0 = {"gauss": 1 / np.sqrt(9 * np.pi), "disk": 1 / np.sqrt(np.pi)}
"""The smallest scale in pixels, which covers about one of them, by kernel."""


@dataclass(frozen=True, kw_only=True)
class ASmoothMapEstimator:
    r"""Images smoothed so that what is seen is about equally significant everywhere.

    Each pixel takes the mean over the smallest kernel in which its significance is above the
    threshold, and is NaN in ``scale`` and ``sqrt_ts`` where there is none; ``counts``,
    ``background`` and ``norm`` have the mean of all such pixels there (Ebeling et al. 2006,
    MNRAS 368, 65).

    Parameters
    ----------
    scales : array in deg, or `~astropy.units.Quantity`, optional
        Sigmas of Gaussians or radii of disks, ascending. By default `get_scales` times the
        mean size of a pixel.
    kernel : {"gauss", "disk"}
        Of weight 1 in its middle, averaged over each pixel.
    spectral_model : `~gammajax.models.SpectralModel`, optional
        Of the fluxes that excesses are turned into; a power law of index 2 by default.
    method : {"lima", "cash", "asmooth"}
        ``cash`` takes the background as known. ``lima`` is that of Li and Ma for a background
        that is measured (`MapDatasetOnOff`), and the same as ``cash`` for a known one.
        ``asmooth`` is :math:`(n - b) / \sqrt{n + b}` (equation 5 of the paper).
    threshold : float
        Least significance.
    energy_edges : array in TeV, optional
        One bin of all energies by default.
    correlate_off : bool
        As in `ExcessMapEstimator`.

    Raises
    ------
    ValueError
        If the method or the kernel is unknown, or scales do not ascend above 0.

    Notes
    -----
    Weighted sums are no Poisson counts: with Gaussian kernels the significance is a scale to
    choose kernels by, and its distribution in an empty field is narrower than a unit normal.

    Examples
    --------
    >>> ASmoothMapEstimator.get_scales(3, factor=2, kernel="disk").round(3).tolist()
    [0.564, 1.128, 2.257]
    """

    scales: Any = None
    kernel: str = "gauss"
    spectral_model: Any = None
    method: str = "lima"
    threshold: float = 5.0
    energy_edges: Any = None
    correlate_off: bool = True

    def __post_init__(self) -> None:
        for name, known in (("method", METHODS), ("kernel", tuple(SIGMA_0))):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"ASmoothMapEstimator: {name} is {getattr(self, name)!r}, expected "
                    f"{', '.join(known)}"
                )
        self._degrees(1.0)

    @staticmethod
    def get_scales(
        n_scales: int, factor: float = np.sqrt(2), kernel: str = "gauss"
    ) -> np.ndarray:
        """Widths of kernels in pixels, each ``factor`` times the one before."""
        return SIGMA_0[kernel] * factor ** np.arange(n_scales)

    def _degrees(self, pixel: float) -> np.ndarray:
        """The scales in deg."""
        if self.scales is None:
            return self.get_scales(9, kernel=self.kernel) * pixel
        given = np.atleast_1d(to_value(self.scales, "deg", where="scales"))
        if not (given.size and np.all(given > 0) and np.all(np.diff(given) > 0)):
            raise ValueError(
                f"ASmoothMapEstimator: scales are {given} deg, expected widths above 0 that "
                "ascend"
            )
        return given

    def get_kernels(self, pixel_scale: Any) -> list[np.ndarray]:
        """Weights of all scales for pixels of a size in deg; 1 in the middle."""
        from astropy.convolution import Gaussian2DKernel, Tophat2DKernel

        pixel = float(to_value(pixel_scale, "deg", where="pixel_scale"))
        kind = Gaussian2DKernel if self.kernel == "gauss" else Tophat2DKernel
        made = [kind(width / pixel, mode="oversample") for width in self._degrees(pixel)]
        for kernel in made:
            kernel.normalize("peak")
        return [np.asarray(kernel.array) for kernel in made]

    def run(self, dataset: Any, models: Any = None) -> FluxMaps:
        """Smooth a cube.

        Parameters
        ----------
        dataset : `~gammajax.datasets.MapDataset` or `MapDatasetOnOff`
            On pixels of a projection.
        models : `~gammajax.models.Models`, optional
            What is expected besides the excess: sources, and how the background is scaled.

        Returns
        -------
        maps : `FluxMaps`
            ``counts``, ``background``, ``scale`` (deg), ``sqrt_ts`` and ``norm`` (so that
            ``maps["flux"]`` is a mean flux); counts and background are those of a pixel.
            NaN where no pixel of the largest kernel is in the mask.
        """
        image = dataset.geom.to_image()
        pixel = float(np.mean(image.pixel_scales))
        kernels, scales = self.get_kernels(pixel), self._degrees(pixel)
        bins = energy_bins(Datasets(dataset), self.energy_edges)
        spectrum = self.spectral_model or PowerLawSpectralModel(index=2.0)
        parts = []
        for one in bins:
            images = ImageCounts.of(dataset, models, one)
            parts.append(
                self._smoothed(images, unit_counts(dataset, spectrum, one), kernels, scales)
            )
        axis = MapAxis.from_energy_edges([bins[0].energy_min, *(b.energy_max for b in bins)])
        geom = image.to_cube([axis])
        maps = {
            name: Map.from_geom(
                geom,
                data=np.stack([part[name] for part in parts]),
                unit="deg" if name == "scale" else "",
            )
            for name in parts[0]
        }
        return FluxMaps(
            maps=maps, model=SkyModel(spectrum, name="reference"), notes=_notes(maps),
            meta={"method": self.method, "threshold": self.threshold},
        )  # fmt: skip

    def _smoothed(
        self,
        images: ImageCounts,
        unit: np.ndarray,
        kernels: Sequence[np.ndarray],
        scales: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """The maps of one bin of energy."""
        from scipy.signal import fftconvolve

        known = images.signal + images.background
        with np.errstate(divide="ignore", invalid="ignore"):
            norm = np.where(unit > 0, (images.counts - known) / unit, 0.0)
        plain = {"counts": images.counts, "background": known, "norm": norm}
        found = {name: np.full(unit.shape, np.nan) for name in (*plain, "scale", "sqrt_ts")}
        seen = np.zeros(unit.shape, dtype=bool)
        for weights, scale in zip(kernels, scales, strict=True):
            sqrt_ts, here = self._sqrt_ts(images, weights)
            seen |= here
            new = np.isnan(found["scale"]) & here & (sqrt_ts > self.threshold)
            if new.any():
                for name, array in plain.items():
                    mean = fftconvolve(array, weights, mode="same") / weights.sum()
                    found[name][new] = mean[new]
            found["scale"][new], found["sqrt_ts"][new] = scale, sqrt_ts[new]
        rest = np.isnan(found["scale"]) & (images.number > 0)
        for name, array in plain.items():
            mean = array[rest].mean() if rest.any() else 0.0
            found[name][np.isnan(found["scale"]) & seen] = mean
        found["norm"][unit <= 0] = np.nan
        return found

    def _sqrt_ts(
        self, images: ImageCounts, weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Significance in one kernel around each pixel, and which pixels have data."""
        statistic, seen = images.statistic(weights, correlate_off=self.correlate_off)
        n_on, background = np.asarray(statistic.n_on), statistic.n_bkg
        if self.method == "asmooth":
            total = n_on + background
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.where(total > 0, (n_on - background) / np.sqrt(total), 0.0), seen
        if self.method == "cash":
            statistic = CashCountsStatistic(n_on, background)
        return statistic.sqrt_ts, seen


def _notes(maps: dict[str, Map]) -> tuple[str, ...]:
    """What is unusual, in words."""
    counts, scale, norm = (np.asarray(maps[n].data) for n in ("counts", "scale", "norm"))
    dark = np.isnan(counts)
    faint = np.isnan(scale) & ~dark
    numbers = {
        "pixels have no data in the largest kernel": dark,
        "pixels are below the threshold at all scales, and have the mean of these": faint,
        "pixels have no exposure, and no flux": np.isnan(norm) & ~dark,
    }
    notes = [f"{int(n.sum())} {text}" for text, n in numbers.items() if n.any()]
    return (*notes, "there are no counts") if not np.nansum(counts) else tuple(notes)
