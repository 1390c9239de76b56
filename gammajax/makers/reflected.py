"""The background of a spectrum, measured in reflected regions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gammajax.data import Observation
from gammajax.datasets import SpectrumDataset, SpectrumDatasetOnOff
from gammajax.makers.region import Aperture, region_of
from gammajax.makers.regions_finder import ReflectedRegionsFinder, RegionsFinder
from gammajax.makers.spectrum import histogram
from gammajax.maps.region_rotation import rotate_region, rotation_around

MOST = 1_000_000
"""Events times off regions that are looked at in one go."""


@dataclass(frozen=True)
class ReflectedRegionsBackgroundMaker:
    """Measure the background of a run in regions as far from the pointing as the on region.

    Where the directional cut of point-like responses depends on energy, so does the number of
    off regions: each energy bin has as many as fit with its own cut.

    Parameters
    ----------
    region_finder : `RegionsFinder`
    exclusion_mask : `~gammajax.maps.Map` of bool, optional
        An image that is false where there are sources.

    Examples
    --------
    >>> from gammajax.makers import ReflectedRegionsBackgroundMaker, WobbleRegionsFinder
    >>> finder = WobbleRegionsFinder(n_off_regions=3)
    >>> ReflectedRegionsBackgroundMaker(region_finder=finder).region_finder.n_off_regions
    3
    """

    region_finder: RegionsFinder = field(default_factory=ReflectedRegionsFinder)
    exclusion_mask: Any = None

    def run(self, dataset: SpectrumDataset, observation: Observation) -> SpectrumDatasetOnOff:
        """The spectrum with its off counts.

        Parameters
        ----------
        dataset : `~gammajax.datasets.SpectrumDataset`
            Of `SpectrumDatasetMaker`.
        observation : `~gammajax.data.Observation`

        Returns
        -------
        dataset : `~gammajax.datasets.SpectrumDatasetOnOff`
            The acceptance is 1, the off acceptance the number of off regions; bins in which
            there are none are not in ``mask_safe``. The regions are in
            ``meta["off_regions"]``.

        Raises
        ------
        ValueError
            If no off region is found at any energy.
        """
        aperture = Aperture(region_of(dataset), observation)
        angles = self._angles(aperture, dataset.energy)
        number = np.array([found.size for found in angles], dtype=float)
        if not number.any():
            raise ValueError(
                f"run {observation.obs_id}: there is no room for an off region, with the on "
                f"region {aperture.offset:.3g} deg from the pointing; make it smaller, or "
                "exclude less"
            )
        everywhere = np.unique(np.concatenate(angles))
        regions = rotate_region(aperture.region.region, aperture.center, everywhere)
        names = ("name", "energy", "energy_true", "counts", "exposure", "edisp", "mask_fit",
                 "livetime", "gti")  # fmt: skip
        return SpectrumDatasetOnOff(
            **{name: getattr(dataset, name) for name in names},
            counts_off=_off_counts(aperture, dataset.energy, angles),
            acceptance=1.0,
            acceptance_off=number,
            mask_safe=dataset.mask_safe & (number > 0),
            meta={**dataset.meta, "off_regions": regions},
        )

    def _angles(self, aperture: Aperture, energy: Any) -> list[np.ndarray]:
        """The turns from the on region to the off regions of each energy bin."""
        known: dict[float, np.ndarray] = {}
        found = []
        for low, high in zip(energy.edges_min, energy.edges_max, strict=True):
            # edges of tables are rounded, and the next bin may have a wider cut
            inside = np.geomspace(low * (1 + 1e-6), high * (1 - 1e-6), 16)
            region = aperture.region_at(inside)
            key = region.radius.to_value("deg") if aperture.region.is_point else 0.0
            if key not in known:
                known[key] = self.region_finder.angles(
                    region, aperture.center, self.exclusion_mask
                )
            found.append(known[key])
        return found


def _off_counts(aperture: Aperture, energy: Any, angles: list[np.ndarray]) -> np.ndarray:
    """Events in the off regions of each energy bin: turned back, they are in the on region.

    Where the pixels of the finder let two regions overlap a little, an event counts once.
    """
    vectors, energies = aperture.events
    index = energy.coord_to_idx(energies)
    seen = np.zeros(energies.size, dtype=bool)
    everywhere = np.unique(np.concatenate(angles))
    used = np.array([np.isin(everywhere, found) for found in angles]).T
    for some in np.array_split(everywhere.argsort(), 1 + seen.size * everywhere.size // MOST):
        turns = rotation_around(aperture.pointing, -everywhere[some])
        back = vectors @ np.swapaxes(turns, -1, -2)
        seen |= np.any(used[some][:, index] & aperture.holds(back, energies), axis=0)
    return histogram(energy, energies[seen])
