"""Where a telescope points during a run, and directions on the sky, on the host."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammajax.data import Observation, fov_axes

STILL = 1e-6
"""A telescope whose pointing moves by less, in deg, does not move."""

STEP = 20.0
"""Seconds between the times at which a moving field of view is worked out."""

Vectors = np.ndarray
"""Unit vectors in ICRS, shape (3, n)."""


def separation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angles in deg between unit vectors, accurate for small ones."""
    chord = np.sqrt(np.sum((first - second) ** 2, axis=0))
    return np.rad2deg(2 * np.arcsin(np.minimum(chord / 2, 1.0)))


def to_lonlat(vectors: Vectors) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes from 0 to 360 and latitudes, in deg."""
    x, y, z = vectors
    return np.rad2deg(np.arctan2(y, x)) % 360, np.rad2deg(np.arctan2(z, np.hypot(x, y)))


def moved(vectors: Vectors, distance: np.ndarray, angle: np.ndarray) -> Vectors:
    """What lies at distances in deg from directions; position angles in radians."""
    x, y, z = vectors
    across = np.hypot(x, y)
    pole = across < 1e-12
    safe = np.where(pole, 1.0, across)
    east_x, east_y = np.where(pole, 0.0, -y / safe), np.where(pole, 1.0, x / safe)
    radians = np.deg2rad(distance)
    cos, sin = np.cos(radians), np.sin(radians)
    right, up = sin * np.sin(angle), sin * np.cos(angle)
    return np.stack([
        x * cos + east_x * right - z * east_y * up,
        y * cos + east_y * right + z * east_x * up,
        z * cos + (x * east_y - y * east_x) * up,
    ])  # fmt: skip


@dataclass(frozen=True, eq=False)
class Field:
    """The field of view of a run over its time.

    Parameters
    ----------
    observation : `~gammajax.data.Observation`
    seconds : array, shape (time,)
        Times, since the reference of the good time intervals; one if the pointing is fixed.
    vectors : array, shape (3, time)
        The pointing then.
    drift : float
        How far it moves from the middle of the run, in deg.
    """

    observation: Observation
    seconds: np.ndarray
    vectors: Vectors
    drift: float

    @classmethod
    def of(cls, observation: Observation) -> Field:
        """The field of a run.

        Raises
        ------
        ValueError
            If it has no good time.
        """
        if not observation.gti.time_sum > 0:
            raise ValueError(
                f"run {observation.obs_id}: has no good time, expected intervals that are "
                "longer than 0 s"
            )
        seconds = _times(observation)
        pointing = observation.pointing.icrs(observation.gti.reference.time(seconds))
        found = np.asarray(pointing.cartesian.xyz.value).reshape(3, -1)
        found = found + np.zeros(seconds.size)
        middle = found[:, seconds.size // 2 : seconds.size // 2 + 1]
        drift = float(separation(found, middle).max())
        if drift < STILL:
            return cls(observation, seconds[:1], middle, 0.0)
        return cls(observation, seconds, found, drift)

    @property
    def middle(self) -> np.ndarray:
        """The pointing in the middle of the run, shape (3,)."""
        return self.vectors[:, self.seconds.size // 2]

    def pointing(self, seconds: np.ndarray) -> Vectors:
        """The pointing at times; one column where it does not move."""
        if self.vectors.shape[1] == 1:
            return self.vectors
        return _between(self.seconds, self.vectors, seconds)

    def offset(self, vectors: Vectors, seconds: np.ndarray) -> np.ndarray:
        """Distances in deg from the pointing at the time."""
        return separation(vectors, self.pointing(seconds))

    def to_sky(
        self, lon: np.ndarray, lat: np.ndarray, alignment: str, seconds: np.ndarray
    ) -> Vectors:
        """Directions of places in the field of view, in deg."""
        lon, lat = np.deg2rad(lon), np.deg2rad(lat)
        cos = np.cos(lat)
        place = np.stack([cos * np.cos(lon), cos * np.sin(lon), np.sin(lat)])
        times, axes = self._axes(alignment)
        if len(axes) == 1:
            return axes[0].T @ place
        rows = np.stack([_between(times, axes[:, k].T, seconds) for k in range(3)])
        return np.sum(rows * place[:, None], axis=0)

    def _axes(self, alignment: str) -> tuple[np.ndarray, np.ndarray]:
        """Axes of the field of view at times, shape (time, axis, 3)."""
        gti, pointing = self.observation.gti, self.observation.pointing
        moves = alignment == "ALTAZ" or self.seconds.size > 1
        times, found = _times(self.observation) if moves else self.seconds, []
        for second in times:
            time = gti.reference.time(second)
            frame = pointing.frame(time) if alignment == "ALTAZ" else None
            found.append(fov_axes(pointing.icrs(time), alignment, frame))
        return times, np.array(found)


def _times(observation: Observation) -> np.ndarray:
    """Times from the start to the end of a run."""
    start, stop = observation.gti.start[0], observation.gti.stop[-1]
    return np.linspace(start, stop, 2 * int(np.ceil((stop - start) / STEP / 2)) + 1)


def _between(times: np.ndarray, vectors: Vectors, at: np.ndarray) -> Vectors:
    """Unit vectors between those that are known at times."""
    found = np.stack([np.interp(at, times, part) for part in vectors])
    return found / np.sqrt(np.sum(found**2, axis=0))
