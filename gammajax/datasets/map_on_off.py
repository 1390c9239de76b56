"""Counts cubes with a background that is measured."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from gammajax.datasets.base import draw, positive_ratio, safe_alpha
from gammajax.datasets.map import MapDataset
from gammajax.datasets.map_base import MapDatasetBase
from gammajax.maps import Map

if TYPE_CHECKING:
    from gammajax.models import Models


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class MapDatasetOnOff(MapDatasetBase):
    """Counts in pixels of the sky with the background measured elsewhere; WStat.

    Rings around each pixel, or regions at the same offset, give the off counts of its bins.

    Parameters
    ----------
    name : str
    counts, counts_off : `~gammajax.maps.Map`
        With the axis ``energy``.
    acceptance, acceptance_off : `~gammajax.maps.Map`
        Their ratio is ``alpha``, the expected ratio of the background in a bin to the off
        counts of the bin.
    exposure, psf, edisp, mask_safe, mask_fit, gti, meta
        As in `MapDataset`.

    Raises
    ------
    ValueError
        If geometries differ, an axis is missing, or a map is negative or not finite.

    Examples
    --------
    >>> from gammajax.maps import Map, MapAxis, WcsGeom
    >>> energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=1)
    >>> geom = WcsGeom.create(npix=4, binsz=0.1, axes=[energy])
    >>> true = geom.to_image().to_cube([energy.rename("energy_true")])
    >>> dataset = MapDatasetOnOff(
    ...     name="run",
    ...     counts=Map.from_geom(geom, data=3.0),
    ...     counts_off=Map.from_geom(geom, data=10.0),
    ...     acceptance=Map.from_geom(geom, data=1.0),
    ...     acceptance_off=Map.from_geom(geom, data=5.0),
    ...     exposure=Map.from_geom(true, data=1e13, unit="cm2 s"),
    ... )
    >>> float(dataset.background.data.sum())
    32.0
    >>> round(dataset.stat_sum(), 3)
    5.627
    """

    counts_off: Map
    acceptance: Map
    acceptance_off: Map

    maps: ClassVar[tuple[str, ...]] = ("counts_off", "acceptance", "acceptance_off")
    stat_type: ClassVar[str] = "wstat"

    @classmethod
    def from_map_dataset(
        cls,
        dataset: MapDataset,
        *,
        counts_off: Map,
        acceptance: Any = 1.0,
        acceptance_off: Any = None,
        name: str = "",
    ) -> Self:
        """The dataset with measured off counts in the place of its background.

        Parameters
        ----------
        dataset : `MapDataset`
        counts_off : `~gammajax.maps.Map`
        acceptance, acceptance_off : `~gammajax.maps.Map` or float
            Without ``acceptance_off`` it is the one that makes alpha times the off counts the
            background of the dataset, and 1 where either is 0.
        name : str, optional
        """
        counts = dataset.counts
        maps = {
            key: given if isinstance(given, Map) else Map.from_geom(counts.geom, data=given)
            for key, given in (("acceptance", acceptance), ("acceptance_off", acceptance_off))
            if given is not None
        }
        if acceptance_off is None:
            alpha = positive_ratio(dataset.background_data, counts_off.data)
            off = positive_ratio(maps["acceptance"].data, alpha)
            maps["acceptance_off"] = counts.with_data(np.where(alpha > 0, off, 1.0))
        names = [f.name for f in fields(dataset) if f.name not in ("background", "name")]
        common = {key: getattr(dataset, key) for key in names}
        return cls(name=name or dataset.name, counts_off=counts_off, **maps, **common)

    def to_map_dataset(self, *, name: str = "") -> MapDataset:
        """The dataset with alpha times the off counts as a background that is known."""
        common = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name not in (*self.maps, "name")
        }
        return MapDataset(name=name or self.name, background=self.background, **common)

    @property
    def alpha_data(self) -> np.ndarray:
        """acceptance / acceptance_off in all bins; 0 where the off acceptance is 0."""
        return positive_ratio(self.acceptance.data, self.acceptance_off.data)

    @property
    def alpha(self) -> Map:
        """acceptance / acceptance_off; 0 where the off acceptance is 0."""
        return self.counts.with_data(self.alpha_data)

    @property
    def background(self) -> Map:
        """Background counts expected in each bin: alpha times the off counts."""
        return self.counts.with_data(self.background_data)

    @property
    def background_data(self) -> np.ndarray:
        """Background counts expected in all bins: alpha times the off counts."""
        return self.alpha_data * np.asarray(self.counts_off.data, dtype=float)

    @property
    def _on_off(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        on, off = np.asarray(self.counts.data), np.asarray(self.counts_off.data)
        return on.astype(float), off.astype(float), safe_alpha(self.alpha_data)

    def npred_background(self, models: Models | None = None) -> Map:
        """Expected background, profiled at the models' prediction."""
        from gammajax.stats import wstat_background

        off = wstat_background(*self._on_off, np.asarray(self.npred_signal(models).data))
        return self.counts.with_data(self.alpha_data * np.asarray(off))

    def npred(self, models: Models | None = None) -> Map:
        """Predicted counts of models and profiled background in all bins."""
        return self.npred_signal(models) + self.npred_background(models)

    def stat_array(self, models: Models | None = None) -> np.ndarray:
        """The statistic of each bin, masked bins included; not a number where alpha is 0."""
        from gammajax.stats import wstat

        stat = wstat(*self._on_off, np.asarray(self.npred_signal(models).data))
        return np.where(self.alpha_data > 0, np.asarray(stat), np.nan)

    def fake(self, models: Models | None, npred_background: Any, seed: int) -> Self:
        """The dataset with on and off counts drawn for models and a background.

        Parameters
        ----------
        models : `~gammajax.models.Models` or None
        npred_background : `~gammajax.maps.Map`, array or float
            Background counts expected in each bin.
        seed : int
        """
        rng = np.random.default_rng(seed)
        on, off = self._expected(models, npred_background)
        return self._with_counts(draw(on, rng), draw(off, rng))

    def asimov(self, models: Models | None, npred_background: Any = None) -> Self:
        """The dataset with predictions as on and off counts.

        The background is the one of the off counts unless it is given.
        """
        if npred_background is None:
            npred_background = self.background_data
        return self._with_counts(*self._expected(models, npred_background))

    def _expected(self, models: Any, background: Any) -> tuple[np.ndarray, np.ndarray]:
        values = background.data if isinstance(background, Map) else background
        values = np.asarray(values, dtype=float)
        values = np.broadcast_to(values, self.counts.data.shape)
        bad = ~np.isfinite(values) | (values < 0)
        if bad.any():
            raise ValueError(
                f"dataset {self.name!r}: npred_background is {values[bad][0]:g} in "
                f"{int(bad.sum())} of {bad.size} bins, expected finite numbers of 0 or more"
            )
        signal = np.asarray(self.npred_signal(models).data)
        return signal + values, positive_ratio(values, self.alpha_data)

    def _with_counts(self, counts: np.ndarray, counts_off: np.ndarray) -> Self:
        return self.replace(
            counts=self.counts.with_data(counts), counts_off=self.counts.with_data(counts_off)
        )

    def info_dict(self) -> dict[str, Any]:
        """The numbers that describe the dataset, summed over the fit range."""
        info = super().info_dict()
        off = float(np.asarray(self.counts_off.data)[self.mask].sum())
        return {**info, "counts_off": off, "alpha": info["background"] / off if off else np.nan}
