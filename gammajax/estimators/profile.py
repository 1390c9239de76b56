"""Fluxes along a line or around a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from gammajax.data import FluxNorms
from gammajax.datasets import Datasets
from gammajax.estimators.build import build_cells
from gammajax.estimators.energy_bins import energy_bins
from gammajax.estimators.flux_points import reference_fluxes
from gammajax.estimators.norms import NormOptions, measure_norms
from gammajax.estimators.scaled import norm_name, scaled_models
from gammajax.models import Models, PowerLawSpectralModel, SkyModel
from gammajax.units import to_value


@dataclass(frozen=True, eq=False, kw_only=True)
class FluxProfile:
    """Fluxes from regions of the sky.

    Parameters
    ----------
    regions : tuple of `~regions.SkyRegion`
    distance : array, shape (region,)
        In deg: along the line, or from the point.
    energy_min, energy_max : array, shape (energy,)
        In TeV.
    norms : `~gammajax.data.FluxNorms`
        Of shape (region, energy).
    meta : dict
    """

    regions: tuple[Any, ...]
    distance: Any
    energy_min: Any
    energy_max: Any
    norms: FluxNorms
    meta: dict[str, Any] = field(default_factory=dict)

    def values(self, name: str = "norm", sed_type: str = "flux") -> np.ndarray:
        """``norm``, ``norm_err`` and so on as a flux, shape (region, energy)."""
        return self.norms.values(name, sed_type)

    def to_table(self, sed_type: str = "flux") -> Any:
        """An `~astropy.table.Table` with a row for each region."""
        from astropy.table import QTable
        from astropy.units import Unit

        from gammajax.data.flux_norms import REFERENCES

        unit = Unit(REFERENCES[sed_type])
        endings = {"norm": "", "norm_err": "_err", "norm_ul": "_ul"}
        columns: dict[str, Any] = {"x_ref": np.asarray(self.distance) * Unit("deg")}
        for name, ending in endings.items():
            columns[sed_type + ending] = self.values(name, sed_type) * unit
        columns["sqrt_ts"] = self.norms.sqrt_ts
        columns["counts"] = np.nansum(self.norms.counts, axis=-1)
        return QTable(columns)


@dataclass(frozen=True, kw_only=True)
class FluxProfileEstimator:
    """The flux in each of some regions: boxes along a line, rings around a point.

    The excess in a region is turned into a flux with the mean exposure in it: what the point
    spread function carries in and out is not corrected.

    Parameters
    ----------
    regions : sequence of `~regions.SkyRegion`
        See `boxes_along` and `rings_around`.
    distance : array in deg, optional
        Of each region; by default their number.
    spectral_model : `~gammajax.models.SpectralModel`, optional
        A power law of index 2 by default.
    energy_edges : array in TeV, optional
        One bin of all energies by default.
    n_sigma, n_sigma_ul, selection_optional
        As in `FluxPointsEstimator`.
    """

    regions: Sequence[Any]
    distance: Any = None
    spectral_model: Any = None
    energy_edges: Any = None
    n_sigma: float = 1.0
    n_sigma_ul: float = 2.0
    selection_optional: Any = "all"

    def run(self, datasets: Any) -> FluxProfile:
        """Measure the flux in each region.

        Parameters
        ----------
        datasets : counts cube, or `~gammajax.datasets.Datasets` of them

        Returns
        -------
        profile : `FluxProfile`
        """
        datasets = datasets if isinstance(datasets, Datasets) else Datasets(datasets)
        spectrum = self.spectral_model or PowerLawSpectralModel(index=2.0)
        models = Models([SkyModel(spectrum, name="source")])
        spectra, names = [], []
        for number, region in enumerate(self.regions):
            here = [f"{dataset.name}-{number}" for dataset in datasets]
            names.append(here)
            spectra += [
                dataset.to_spectrum_dataset(region, name=name)
                for dataset, name in zip(datasets, here, strict=True)
            ]
        all_spectra = Datasets(spectra)
        bins = energy_bins(all_spectra, self.energy_edges)
        scaled = scaled_models(models, "source")
        masks = [{n: b.inside[n] for n in here} for here in names for b in bins]
        options = NormOptions.create(
            self.selection_optional, n_sigma=self.n_sigma, n_sigma_ul=self.n_sigma_ul
        )
        norm = scaled.parameters.index(norm_name("source"))
        found = measure_norms(build_cells(all_spectra, scaled, masks), norm, options)
        number = len(names)
        references = {
            name: np.tile(array, number)
            for name, array in reference_fluxes(spectrum, bins).items()
        }
        fields: dict[str, Any] = found | {"covariance": None} | references
        norms = FluxNorms(**fields, n_sigma=self.n_sigma, n_sigma_ul=self.n_sigma_ul)
        distance = np.arange(number) if self.distance is None else self.distance
        return FluxProfile(
            regions=tuple(self.regions),
            distance=np.asarray(distance, dtype=float),
            energy_min=np.array([b.energy_min for b in bins]),
            energy_max=np.array([b.energy_max for b in bins]),
            norms=norms.reshape(number, len(bins)),
        )


def boxes_along(start: Any, stop: Any, number: int, width: Any) -> tuple[list[Any], np.ndarray]:
    """Rectangles side by side from one position to another.

    Parameters
    ----------
    start, stop : `~astropy.coordinates.SkyCoord`
    number : int
    width : float in deg, or `~astropy.units.Quantity`
        Across the line.

    Returns
    -------
    regions : list of `~regions.RectangleSkyRegion`
    distance : array
        Of their middles from the start, in deg.
    """
    import astropy.units as u
    from regions import RectangleSkyRegion

    across = float(to_value(width, "deg", where="boxes_along: width"))
    length, angle = start.separation(stop).deg, start.position_angle(stop)
    step = length / number
    distance = (np.arange(number) + 0.5) * step
    regions = []
    for along in distance:
        center = start.directional_offset_by(angle, along * u.deg)
        turned = center.position_angle(stop) if along < length else angle
        regions.append(RectangleSkyRegion(center, across * u.deg, step * u.deg, angle=turned))
    return regions, distance


def rings_around(center: Any, edges: Any) -> tuple[list[Any], np.ndarray]:
    """Rings around a position; the first is a circle if its inner edge is 0.

    Returns
    -------
    regions : list of `~regions.SkyRegion`
    distance : array
        The middles of the edges, in deg.
    """
    import astropy.units as u
    from regions import CircleAnnulusSkyRegion, CircleSkyRegion

    radii = np.atleast_1d(to_value(edges, "deg", where="rings_around: edges"))
    if radii.size < 2 or radii[0] < 0 or not np.all(np.diff(radii) > 0):
        raise ValueError(f"rings_around: edges are {radii}, expected at least two, ascending")
    regions: list[Any] = []
    for low, high in pairwise(radii):
        if low == 0:
            regions.append(CircleSkyRegion(center, high * u.deg))
        else:
            regions.append(CircleAnnulusSkyRegion(center, low * u.deg, high * u.deg))
    return regions, (radii[:-1] + radii[1:]) / 2
