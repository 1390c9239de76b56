"""Counts cubes with a background that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from gammajax.datasets.base import draw, expected_counts
from gammajax.datasets.map_base import MapDatasetBase
from gammajax.datasets.map_create import empty_maps
from gammajax.maps import Map, MapAxis

if TYPE_CHECKING:
    from gammajax.models import Models


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class MapDataset(MapDatasetBase):
    """Counts in pixels of the sky and energy bins with a background; the statistic is Cash.

    Parameters
    ----------
    name : str
    counts : `~gammajax.maps.Map`
        With the axis ``energy``.
    exposure : `~gammajax.maps.Map`
        Effective area times livetime, with the axis ``energy_true``, on any geometry.
    background : `~gammajax.maps.Map`, optional
        Predicted background counts, on the geometry of the counts.
    psf : `~gammajax.irf.PSFMap` or `~gammajax.irf.RecoPSFMap`, optional
        Without it, events are where they come from.
    edisp : `~gammajax.irf.EDispKernelMap`, optional
        Without it, reconstructed energy is true energy.
    mask_safe, mask_fit : `~gammajax.maps.Map` of bool, optional
        The bins that the data reduction trusts, and the ones that the user fits. A fit uses
        the bins that are in both.
    gti : `~gammajax.data.GTI`, optional
    meta : dict
        Whatever else the file said.

    Raises
    ------
    ValueError
        If geometries differ, an axis is missing, or counts, exposure or background are
        negative or not finite.
    """

    background: Map | None = None

    maps: ClassVar[tuple[str, ...]] = ("background",)
    stat_type: ClassVar[str] = "cash"

    @classmethod
    def from_fermi(
        cls,
        counts: Any,
        exposure: Any,
        psf: Any = None,
        *,
        edisp: Any = None,
        energy_true: MapAxis | None = None,
        name: str = "fermi-lat",
        **fields: Any,
    ) -> Self:
        """A dataset of the Fermi-LAT, from the files of its tools.

        Parameters
        ----------
        counts : path-like or `~gammajax.maps.Map`
            A counts cube of ``gtbin``; the good times of the file are taken along.
        exposure : path-like or `~gammajax.maps.Map`
            An exposure cube of ``gtexpcube2``, on any pixels. It is a power law between its
            nodes, and taken at the centres of the true energy bins.
        psf : path-like, `~gammajax.irf.FermiPSF` or `~gammajax.irf.PSFMap`, optional
            A file of ``gtpsf``: the spread at one place, taken to be the one everywhere.
        edisp : `~gammajax.irf.EDispKernel` or `~gammajax.irf.EDispKernelMap`, optional
            By default reconstructed energy is true energy, as is near enough above 10 GeV.
        energy_true : `~gammajax.maps.MapAxis`, optional
            By default the bins of the counts.
        name : str
        **fields
            Others of the dataset: ``background``, ``mask_safe``, ``mask_fit``, ``meta``.

        Raises
        ------
        ValueError
            If a file is none of its kind, or the exposure does not reach all energies.
        """
        from gammajax.datasets.fermi import fermi_fields

        return cls(
            name=name, **fermi_fields(counts, exposure, psf, edisp, energy_true), **fields
        )

    @property
    def background_data(self) -> np.ndarray:
        """Background counts in all bins, 0 where there is none."""
        if self.background is None:
            return super().background_data
        return np.asarray(self.background.data, dtype=np.float64)

    @classmethod
    def create(
        cls,
        geom: Any,
        energy_axis_true: MapAxis | None = None,
        *,
        name: str = "dataset",
        rad_axis: MapAxis | None = None,
        binsz_irf: float = 0.2,
    ) -> MapDataset:
        """A dataset with nothing in it, for makers to fill and others to be stacked into.

        Parameters
        ----------
        geom : `~gammajax.maps.WcsGeom` or `~gammajax.maps.HpxGeom`
            With the axis ``energy``.
        energy_axis_true : `~gammajax.maps.MapAxis`, optional
            By default the axis of the counts.
        name : str
        rad_axis : `~gammajax.maps.MapAxis`, optional
            Distances at which the spread is tabulated; by default 66 bins up to 0.66 deg.
        binsz_irf : float, in deg
            Size of the pixels of the maps of responses.
        """
        return cls(name=name, **empty_maps(geom, energy_axis_true, rad_axis, binsz_irf))

    def stat_array(self, models: Models | None = None) -> np.ndarray:
        """The statistic of each bin, masked bins included."""
        from gammajax.stats import cash

        mu = np.asarray(self.npred(models).data)
        return np.asarray(cash(np.asarray(self.counts.data, dtype=float), mu))

    def fake(self, models: Models | None, seed: int) -> Self:
        """The dataset with counts drawn from the prediction."""
        counts = draw(self.npred(models).data, np.random.default_rng(seed))
        return self.replace(counts=self.counts.with_data(counts))

    def asimov(self, models: Models | None) -> Self:
        """The dataset with the prediction itself as counts."""
        expected = expected_counts(self.npred(models).data)
        return self.replace(counts=self.counts.with_data(expected))
