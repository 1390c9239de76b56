"""Events of a run in a region, or within the directional cut around a point."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gammajax.data import Observation
from gammajax.makers.field import pointing_of
from gammajax.maps import RegionGeom, frame_rotation
from gammajax.maps.frames import to_vector
from gammajax.maps.shapes import contains
from gammajax.units import to_quantity

RADIUS_TOLERANCE = 1e-3
"""By how much, relative, a region may differ from the fixed cut of point-like responses."""


def region_of(dataset: Any) -> RegionGeom:
    """The on region of a spectrum.

    Raises
    ------
    ValueError
        If the dataset is no spectrum, or does not know its region.
    """
    meta = getattr(dataset, "meta", {})
    if hasattr(dataset, "geom") or meta.get("on_region") is None:
        raise ValueError(
            f"dataset {getattr(dataset, 'name', '')!r}: a {type(dataset).__name__} without an "
            "on region, and a spectrum that is reduced from a run has one; start from "
            "SpectrumDataset.create"
        )
    return RegionGeom.create(meta["on_region"])


@dataclass(frozen=True, eq=False)
class Aperture:
    """What counts as on in a run: a region, or the directional cut around a point.

    Parameters
    ----------
    region : `~gammajax.maps.RegionGeom`
    observation : `~gammajax.data.Observation`

    Raises
    ------
    ValueError
        If the region does not fit the responses: a point without a directional cut, or a
        region other than the cut that point-like responses were made for.
    """

    region: RegionGeom
    observation: Observation

    def __post_init__(self) -> None:
        if not self.observation.aeff.point_like:
            if self.region.is_point:
                raise ValueError(
                    f"run {self.observation.obs_id}: the on region is a point, and its "
                    "responses have no directional cut; give a region with an area"
                )
            return
        if self.region.is_point:
            return
        cut = self.observation.rad_max
        if not cut.is_fixed:
            raise ValueError(
                f"run {self.observation.obs_id}: the directional cut of its responses depends "
                f"on energy, and the on region is {self.region!r}; give a point, "
                "PointSkyRegion(position), around which the cut is made"
            )
        wanted, found = float(cut.values.flat[0]), self.region.radius
        circle = type(self.region.region).__name__ == "CircleSkyRegion"
        if not circle or abs(found / wanted - 1) > RADIUS_TOLERANCE:
            raise ValueError(
                f"run {self.observation.obs_id}: its responses are for a circle of "
                f"{wanted:.6g} deg (RAD_MAX), and the on region is {self.region!r} with a "
                f"radius of {found:.6g} deg; give that circle, or a point"
            )

    @cached_property
    def center(self) -> Any:
        """Where the telescope points, a `~astropy.coordinates.SkyCoord`."""
        return pointing_of(self.observation)

    @cached_property
    def offset(self) -> float:
        """Distance of the middle from the pointing, in deg."""
        return float(self.center.separation(self.region.center_skydir).deg)

    @cached_property
    def pointing(self) -> np.ndarray:
        """Unit vector of the pointing in the frame of the region."""
        return np.array(self.center.transform_to(self.region.frame).cartesian.xyz.value)

    @cached_property
    def events(self) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors of the events that may matter, and energies.

        These are the ones about as far from the pointing as the region is.
        """
        columns = self.observation.events.columns
        lon, lat = (np.deg2rad(columns[name].astype(float)) for name in ("RA", "DEC"))
        vectors = to_vector(lon, lat) @ frame_rotation("icrs", self.region.frame).T
        energy = np.asarray(columns["ENERGY"], dtype=float)
        cosine = np.clip(vectors @ self.pointing, -1, 1)
        reach = np.deg2rad(self.reach) + 1e-6
        near = np.abs(np.arccos(cosine) - np.deg2rad(self.offset)) <= reach
        return vectors[near], energy[near]

    @property
    def reach(self) -> float:
        """The radius, in deg, of a circle that holds the region or the largest cut."""
        if not self.region.is_point:
            return self.region.radius
        return float(np.max(self.observation.rad_max.values))

    def radius(self, energy: Any) -> np.ndarray:
        """The directional cut on events of some energies (TeV), in deg."""
        return self.observation.rad_max.radius(energy, self.offset)

    def holds(self, vectors: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """Whether events at unit vectors, shape (..., event, 3), are in the aperture."""
        if not self.region.is_point:
            return contains(self.region.region, vectors, self.region.frame)
        center = self.region.unit_vectors()[0, 0]
        apart = np.linalg.norm(vectors - center, axis=-1)
        return apart < 2 * np.sin(np.deg2rad(self.radius(energy)) / 2)

    def region_at(self, energies: np.ndarray) -> Any:
        """The region, or the circle of the widest cut on any of some energies (TeV)."""
        if not self.region.is_point:
            return self.region.region
        from regions import CircleSkyRegion

        widest = float(np.max(self.radius(energies)))
        return CircleSkyRegion(self.region.center_skydir, to_quantity(widest, "deg"))
