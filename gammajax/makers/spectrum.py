"""Spectra of single runs in a region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.data import Observation, fov_axes
from gammajax.datasets import SpectrumDataset
from gammajax.irf import EDispKernel, PSFMap, project_background
from gammajax.irf.table import IRF
from gammajax.makers.field import field_steps, pointing_of
from gammajax.makers.region import Aperture, region_of
from gammajax.maps import MapAxis, RegionGeom

PARTS = ("counts", "background", "exposure", "edisp", "psf")

CONTAINED = 0.9995
"""Fraction of the events that a spread is kept up to."""

NODES = 4
"""Nodes of true energy in a bin over which its dispersion is averaged."""


@dataclass(frozen=True)
class SpectrumDatasetMaker:
    """Reduce runs to the spectrum of a region.

    Point-like responses are those of a directional cut: the region is the point that the cut
    is made around, or, where the cut is one radius, the circle.

    Parameters
    ----------
    selection : tuple of str
        What to make of counts, background, exposure, edisp and psf. The rest is left as it is
        in the given dataset.
    containment_correction : bool
        Multiply the exposure by the part of the events of a source in the middle of a circle
        that falls in it. There is then no psf; without it, the psf says which part of a source
        with a spatial model falls in the region.
    use_region_center : bool
        Take responses in the middle of the region, or else their mean over it.

    Raises
    ------
    ValueError
        If the selection names something else, or a containment correction is to be averaged
        over a region.

    Examples
    --------
    >>> from gammajax.makers import SpectrumDatasetMaker
    >>> SpectrumDatasetMaker(containment_correction=True).use_region_center
    True
    """

    selection: tuple[str, ...] = PARTS
    containment_correction: bool = False
    use_region_center: bool = True

    def __post_init__(self) -> None:
        unknown = [name for name in self.selection if name not in PARTS]
        if unknown or not self.selection or isinstance(self.selection, str):
            raise ValueError(
                f"SpectrumDatasetMaker: selection is {self.selection!r}, expected a list of "
                f"some of {', '.join(PARTS)}"
            )
        if self.containment_correction and not self.use_region_center:
            raise ValueError(
                "SpectrumDatasetMaker: the containment correction is that of a source in the "
                "middle of the region, and use_region_center is False; leave out one of them"
            )
        object.__setattr__(self, "selection", tuple(self.selection))

    def run(self, dataset: SpectrumDataset, observation: Observation) -> SpectrumDataset:
        """The spectrum of a run.

        Parameters
        ----------
        dataset : `~gammajax.datasets.SpectrumDataset`
            Gives name, region and axes; see `SpectrumDataset.create`.
        observation : `~gammajax.data.Observation`

        Returns
        -------
        dataset : `~gammajax.datasets.SpectrumDataset`
            With all of its bins in ``mask_safe``.

        Raises
        ------
        ValueError
            If the run lacks a response, or the region does not fit the responses.
        """
        region = region_of(dataset)
        aperture = Aperture(region, observation)
        places = self._places(aperture)
        made: dict[str, Any] = {}
        if "counts" in self.selection:
            made["counts"] = make_counts(aperture, dataset.energy)
        if "background" in self.selection:
            made["background"] = self.make_background(dataset.energy, region, observation)
        if {"exposure", "edisp", "psf"} & set(self.selection):
            exposure = _exposure(places, dataset.energy_true, observation)
            shares = _shares(places, exposure)
            if "edisp" in self.selection:
                made["edisp"] = _dispersion(places, shares, dataset, observation)
            if "exposure" in self.selection:
                made["exposure"] = places[1] @ exposure * self._contained(aperture, dataset)
            if "psf" in self.selection:
                made["psf"] = None
                if not self._counts_all(region, observation):
                    made["psf"] = _spread(places, shares, dataset, observation)
        return dataset.replace(
            **made,
            mask_safe=np.ones(dataset.energy.nbin, dtype=bool),
            livetime=observation.livetime,
            gti=observation.gti,
            meta={
                **dataset.meta,
                "obs_ids": [observation.obs_id],
                # the area of point-like responses is that after the cut
                "containment_correction": self.containment_correction
                or observation.aeff.point_like,
            },
        )

    def make_background(
        self, energy: Any, region: RegionGeom, observation: Observation
    ) -> np.ndarray:
        """Expected background counts in each energy bin, from the table of the run.

        The rate is one of the ontime, as in `MapDatasetMaker.make_background`.
        """
        if region.is_point:
            raise ValueError(
                f"run {observation.obs_id}: the region is a point, and a background is one in "
                "an area; take 'background' out of the selection, and measure it with "
                "ReflectedRegionsBackgroundMaker"
            )
        table = _table(observation, "bkg")
        if self.use_region_center:
            vectors, area = region.unit_vectors()[0], region.solid_angle()[0]
        else:
            vectors, area = region.integration_nodes()
        total: Any = 0.0
        for frame, seconds in field_steps(observation, table.fov_alignment):
            axes = fov_axes(pointing_of(observation), table.fov_alignment, frame, region.frame)
            total = total + project_background(
                table, vectors, axes, energy.edges, area, seconds
            )
        return np.asarray(total).sum(axis=1)

    def _counts_all(self, region: RegionGeom, observation: Observation) -> bool:
        """Whether the exposure is that of the events of a source that are in the region."""
        cut = observation.aeff.point_like or region.is_point
        return self.containment_correction or cut

    def _places(self, aperture: Aperture) -> tuple[np.ndarray, np.ndarray]:
        """Distances from the pointing (deg) at which responses are taken, and weights."""
        if self.use_region_center or aperture.region.is_point:
            return np.array([aperture.offset]), np.ones(1)
        vectors, weights = aperture.region.integration_nodes()
        apart = np.linalg.norm(vectors - aperture.pointing, axis=-1)
        return np.rad2deg(2 * np.arcsin(np.minimum(apart / 2, 1))), weights / weights.sum()

    def _contained(self, aperture: Aperture, dataset: SpectrumDataset) -> Any:
        """The part of the events of a source in the middle that the exposure counts."""
        if not self.containment_correction:
            return 1.0
        run = aperture.observation
        if run.aeff.point_like:
            raise ValueError(
                f"run {run.obs_id}: its effective area is that after the directional cut; "
                "leave out containment_correction"
            )
        if type(aperture.region.region).__name__ != "CircleSkyRegion":
            raise ValueError(
                f"dataset {dataset.name!r}: the containment correction wants a circle, the on "
                f"region is {aperture.region!r}"
            )
        return _table(run, "psf").containment(
            rad=aperture.region.radius,
            energy_true=dataset.energy_true.center,
            offset=aperture.offset,
        )


def make_counts(aperture: Aperture, energy: Any) -> np.ndarray:
    """The number of events of a run in a region, in each energy bin."""
    vectors, energies = aperture.events
    return histogram(energy, energies[aperture.holds(vectors, energies)])


def histogram(energy: Any, values: np.ndarray) -> np.ndarray:
    """The number of values (TeV) in each bin of an axis."""
    index = energy.coord_to_idx(values)
    return np.bincount(index[index >= 0], minlength=energy.nbin).astype(float)


def _exposure(places: Any, energy_true: Any, observation: Observation) -> np.ndarray:
    """Effective area times livetime (cm2 s), shape (place, energy_true)."""
    area = _table(observation, "aeff").evaluate(
        energy_true=energy_true.center, offset=places[0][:, None]
    )
    return area.to_value("cm2") * observation.livetime.to_value("s")


def _shares(places: Any, exposure: np.ndarray) -> np.ndarray:
    """What places add to a mean, by their weights and exposures, (place, energy_true)."""
    share = places[1][:, None] * exposure
    seen = share.sum(axis=0)
    return np.where(seen > 0, share / np.where(seen > 0, seen, 1.0), places[1][:, None])


def _rad_axis(table: Any, true: MapAxis, offset: np.ndarray) -> MapAxis:
    """Distances (deg) that hold the spreads at some offsets, denser near the middle."""
    radii = table.containment_radius(
        fraction=CONTAINED, energy_true=true.center[:, None], offset=offset
    ).to_value("deg")
    if not np.isfinite(radii).any():
        raise ValueError(
            f"the point spread function is empty at the offsets {np.round(offset, 3)} deg; "
            "take 'psf' out of the selection of SpectrumDatasetMaker, or choose another region"
        )
    nodes = np.nanmax(radii) * np.linspace(0, 1, 200) ** 2
    return MapAxis.from_nodes(nodes, name="rad", unit="deg", interp="lin")


def _spread(
    places: Any, shares: np.ndarray, dataset: SpectrumDataset, observation: Observation
) -> PSFMap:
    """The point spread function of what is seen, the same all over the region."""
    table, true = _table(observation, "psf"), dataset.energy_true
    rad = _rad_axis(table, true, places[0])
    values = table.evaluate(
        energy_true=true.center[:, None, None],
        rad=rad.center[:, None],
        offset=places[0],
    ).to_value("sr-1")
    return PSFMap.from_table(true, rad, np.einsum("pt,trp->tr", shares, values))


def _dispersion(
    places: Any, shares: np.ndarray, dataset: Any, observation: Observation
) -> EDispKernel:
    """The dispersion of what is seen: its mean over places, weighted by their exposures."""
    energy, true = dataset.energy, dataset.energy_true
    matrices = _table(observation, "edisp").matrices(places[0], true, energy, NODES)
    return EDispKernel(true, energy, np.einsum("pt,ptr->tr", shares, matrices))


def _table(observation: Observation, part: str) -> Any:
    """A response of a run that is a table of the field of view."""
    found = getattr(observation, part)
    if not isinstance(found, IRF):
        raise ValueError(
            f"run {observation.obs_id}: its {part} is a {type(found).__name__}, a map of the "
            "sky, and spectra are reduced with tables of the field of view; make a MapDataset "
            "and its to_spectrum_dataset"
        )
    return found
