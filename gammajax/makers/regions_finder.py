"""Off regions: where else in the field of view the background is as it is in the on region."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gammajax.maps import RegionGeom
from gammajax.maps.frames import frame_rotation, to_vector
from gammajax.maps.region_rotation import rotate_region, rotation_around
from gammajax.maps.shapes import basis_at, contains
from gammajax.units import to_value

LARGEST_OFFSET = 1.2
"""How far, in rad, a region may reach from the pointing."""

SLACK = 1e-9
"""How much, in rad, rounding may make two regions seem to overlap."""


class Sample(NamedTuple):
    """Pixels around the pointing, as unit vectors in the frame of the region.

    The ones of the region (their position angles seen from the pointing, in rad), those that
    are excluded, and the pointing itself.
    """

    angles: np.ndarray
    excluded: np.ndarray
    pointing: np.ndarray


@dataclass(frozen=True)
class RegionsFinder(ABC):
    """Base of the ways to find off regions: the on region turned around the pointing.

    Parameters
    ----------
    binsz : float in deg or `~astropy.units.Quantity`
        Pixels on which the width of the region, and its overlap with the exclusion mask, are
        measured.
    """

    binsz: Any = 0.01

    def __post_init__(self) -> None:
        self._convert("binsz", "deg")
        if not self.binsz > 0:
            raise ValueError(
                f"{type(self).__name__}: binsz is {self.binsz:g} deg, expected one above 0"
            )

    def _convert(self, name: str, unit: str) -> None:
        where = f"{type(self).__name__}: {name}"
        number = float(to_value(getattr(self, name), unit, where=where))
        object.__setattr__(self, name, number)

    def run(self, region: Any, center: Any, exclusion_mask: Any = None) -> list[Any]:
        """The off regions.

        Parameters
        ----------
        region : `~regions.SkyRegion`
            The on region.
        center : `~astropy.coordinates.SkyCoord`
            The pointing.
        exclusion_mask : `~gammajax.maps.Map` of bool, optional
            An image that is false where there are sources. What it does not cover is used.
        """
        return rotate_region(region, center, self.angles(region, center, exclusion_mask))

    def angles(self, region: Any, center: Any, exclusion_mask: Any = None) -> np.ndarray:
        """By how much, in rad, the on region is turned to each off region; see `run`."""
        geom = RegionGeom.create(region)
        sample = self._sample(geom, center, exclusion_mask)
        if sample.angles.size == 0:
            return np.zeros(0)
        return self._choose(geom, sample)

    @abstractmethod
    def _choose(self, geom: RegionGeom, sample: Sample) -> np.ndarray:
        """The angles of the off regions."""

    def _sample(self, geom: RegionGeom, center: Any, exclusion_mask: Any) -> Sample:
        """Pixels of a tangential map around the pointing; see `Sample`."""
        axis = np.array(center.transform_to(geom.frame).cartesian.xyz.value)
        if contains(geom.region, axis[None], geom.frame)[0]:
            return Sample(np.zeros(0), np.zeros((0, 3)), axis)
        middle = geom.unit_vectors()[0, 0]
        apart = np.arctan2(np.linalg.norm(np.cross(axis, middle)), axis @ middle)
        reach = np.deg2rad(geom.radius + self.binsz)
        vectors = self._ring(axis, float(apart), reach)
        inside = vectors[contains(geom.region, vectors, geom.frame)]
        west, north = basis_at(axis)
        return Sample(
            np.arctan2(-(inside @ west), inside @ north),
            _excluded(vectors, geom.frame, exclusion_mask),
            axis,
        )

    def _ring(self, axis: np.ndarray, apart: float, reach: float) -> np.ndarray:
        """Unit vectors of the pixels about as far from a direction as a region is."""
        if apart + reach > LARGEST_OFFSET:
            raise ValueError(
                f"{type(self).__name__}: the region reaches {np.rad2deg(apart + reach):.3g} "
                "deg from the pointing, and this is no field of view"
            )
        width = max(4 * np.rad2deg(apart) + 0.3, 2.2 * np.rad2deg(np.tan(apart + reach)))
        number = round(width / self.binsz)
        line = np.deg2rad((np.arange(number) - (number - 1) / 2) * self.binsz)
        radius = np.hypot(line, line[:, None])
        low, high = np.tan(max(apart - reach, 0.0)), np.tan(apart + reach)
        y, x = np.nonzero((radius >= low) & (radius <= high))
        west, north = basis_at(axis)
        vectors = axis + line[x][:, None] * west + line[y][:, None] * north
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _excluded(vectors: np.ndarray, frame: str, mask: Any) -> np.ndarray:
    """The pixels that a mask excludes."""
    if mask is None:
        return np.zeros((0, 3))
    lon = np.arctan2(vectors[:, 1], vectors[:, 0])
    lat = np.arcsin(np.clip(vectors[:, 2], -1, 1))
    to = mask.geom.frame
    turned = to_vector(lon, lat) @ frame_rotation(frame, to).T
    lon = np.rad2deg(np.arctan2(turned[:, 1], turned[:, 0])) % 360
    lat = np.rad2deg(np.arcsin(np.clip(turned[:, 2], -1, 1)))
    values = np.asarray(mask.get_by_coord((lon, lat)), dtype=float).reshape(lon.shape)
    return vectors[values == 0]


def angular_width(angles: np.ndarray) -> float:
    """The shortest stretch of the circle that holds some angles, in rad.

    Examples
    --------
    >>> import numpy as np
    >>> round(angular_width(np.array([3.1, -3.1])), 3)
    0.083
    """
    ordered = np.sort(np.mod(angles, 2 * np.pi))
    gaps = np.diff(np.append(ordered, ordered[0] + 2 * np.pi))
    return float(2 * np.pi - gaps.max())


def _free(geom: RegionGeom, sample: Sample, angle: float) -> bool:
    """Whether the region, turned, holds no excluded pixel."""
    if not sample.excluded.size:
        return True
    back = sample.excluded @ rotation_around(sample.pointing, -angle).T
    return not contains(geom.region, back, geom.frame).any()


@dataclass(frozen=True)
class ReflectedRegionsFinder(RegionsFinder):
    """As many off regions as fit on the circle around the pointing.

    Regions follow each other at their own width, from the on region on, to the east of north.
    Where one meets the exclusion mask, the next try is a step further.

    Parameters
    ----------
    binsz : float in deg
    angle_increment : float in rad or `~astropy.units.Quantity`
        The step.
    min_distance : float in rad
        Between off regions.
    min_distance_input : float in rad
        Between the on region and off regions.
    max_region_number : int

    Examples
    --------
    >>> from astropy.coordinates import SkyCoord
    >>> from regions import CircleSkyRegion
    >>> import astropy.units as u
    >>> on = CircleSkyRegion(SkyCoord(83.63, 22.01, unit="deg"), 0.11 * u.deg)
    >>> len(ReflectedRegionsFinder().run(on, SkyCoord(83.63, 22.51, unit="deg")))
    12
    """

    angle_increment: Any = 0.1
    min_distance: Any = 0.0
    min_distance_input: Any = 0.1
    max_region_number: int = 10000

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("angle_increment", "min_distance", "min_distance_input"):
            self._convert(name, "rad")
        if not self.angle_increment > 0 or self.max_region_number < 1:
            raise ValueError(
                f"ReflectedRegionsFinder: angle_increment is {self.angle_increment:g} and "
                f"max_region_number {self.max_region_number}, expected both above 0"
            )

    def _choose(self, geom: RegionGeom, sample: Sample) -> np.ndarray:
        width = angular_width(sample.angles) + self.min_distance
        angle = width + self.min_distance_input
        last = 2 * np.pi - width - self.min_distance_input
        found: list[float] = []
        while angle < last and len(found) < self.max_region_number:
            free = _free(geom, sample, angle)
            if free:
                found.append(angle)
            angle += width if free else self.angle_increment
        return np.array(found)


@dataclass(frozen=True)
class WobbleRegionsFinder(RegionsFinder):
    """A number of off regions, evenly spread over the circle around the pointing.

    Those that meet the exclusion mask are left out.

    Parameters
    ----------
    binsz : float in deg
    n_off_regions : int

    Raises
    ------
    ValueError
        If the number is below 1.
    """

    n_off_regions: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_off_regions < 1:
            raise ValueError(
                f"WobbleRegionsFinder: n_off_regions is {self.n_off_regions}, expected 1 or "
                "more"
            )

    def _choose(self, geom: RegionGeom, sample: Sample) -> np.ndarray:
        step = 2 * np.pi / (self.n_off_regions + 1)
        if angular_width(sample.angles) > step + SLACK:
            return np.zeros(0)  # they would overlap
        tried = step * np.arange(1, self.n_off_regions + 1)
        return np.array([angle for angle in tried if _free(geom, sample, angle)])
