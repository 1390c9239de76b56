"""Expected errors as a function of where the telescope points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.estimators.forecast import Forecast, made_forecast, seconds_of
from gammajax.estimators.information import information, live_seconds, prior_information
from gammajax.fold import FoldOptions
from gammajax.models import Models
from gammajax.units import to_value


@dataclass(frozen=True, eq=False)
class PointingForecast:
    r"""Expected errors as a function of where the telescope points, and for how long.

    Made of datasets that are reduced with the source at some distances from the pointing, a
    *ladder*. The information of each second is interpolated with a cubic spline in the square
    of the distance, which is smooth where the telescope points at the source, too.

    Parameters
    ----------
    ladder : sequence of datasets
        With ascending distances; see `forecast`.
    offsets : array in deg
        These distances.
    models : `~gammajax.models.Models`
    position : `~astropy.coordinates.SkyCoord`
        Of the source.

    Raises
    ------
    ValueError
        If there are fewer than four distances, or they do not ascend from 0 or above.
    """

    ladder: Any
    offsets: Any
    models: Models
    position: Any
    fold: FoldOptions | None = None

    def __post_init__(self) -> None:
        offsets = np.atleast_1d(to_value(self.offsets, "deg", where="offsets"))
        ladder = tuple(self.ladder)
        if offsets.size < 4 or offsets[0] < 0 or not np.all(np.diff(offsets) > 0):
            raise ValueError(
                f"PointingForecast: offsets are {offsets} deg, expected four or more that "
                "ascend from 0 or above"
            )
        if len(ladder) != offsets.size:
            raise ValueError(
                f"PointingForecast: got {len(ladder)} datasets for {offsets.size} offsets"
            )
        object.__setattr__(self, "offsets", offsets)
        object.__setattr__(self, "ladder", ladder)

    @cached_property
    def _spline(self) -> tuple[np.ndarray, np.ndarray]:
        """Knots and pieces of the information of each second."""
        from scipy.interpolate import CubicSpline

        rates = [
            information(d, self.models, self.fold)[0] / live_seconds(d) for d in self.ladder
        ]
        found = CubicSpline(4 * np.sin(np.deg2rad(self.offsets) / 2) ** 2, np.stack(rates))
        return np.asarray(found.x), np.asarray(found.c)

    @cached_property
    def _prior(self) -> np.ndarray:
        return prior_information(self.models)

    def rates(self, pointings: Any) -> Any:
        """Information of each second, shape (observation, parameter, parameter); traceable.

        Parameters
        ----------
        pointings : array, shape (observation, 2)
            Longitude and latitude in deg, in the frame of the position. Beyond the ladder
            nothing is seen.
        """
        x = self._squared(jnp.asarray(pointings))
        knots, pieces = (jnp.asarray(part) for part in self._spline)
        piece = jnp.clip(jnp.searchsorted(knots, x, side="right") - 1, 0, knots.size - 2)
        step = (jnp.maximum(x, knots[0]) - knots[piece])[:, None, None]
        c = pieces[:, piece]
        value = ((c[0] * step + c[1]) * step + c[2]) * step + c[3]
        return jnp.where((x <= knots[-1])[:, None, None], value, 0.0)

    def _squared(self, pointings: Any) -> Any:
        """The squared chord between pointings and the position."""
        lon, lat = jnp.deg2rad(pointings[:, 0]), jnp.deg2rad(pointings[:, 1])
        there = self.position.spherical
        lon_0, lat_0 = there.lon.rad, there.lat.rad
        across = jnp.cos(lat) * np.cos(lat_0) * jnp.sin((lon - lon_0) / 2) ** 2
        return 4 * (jnp.sin((lat - lat_0) / 2) ** 2 + across)

    def covariance(self, pointings: Any, livetimes: Any) -> Any:
        """The expected covariance; traceable in both.

        Parameters
        ----------
        pointings : array, shape (observation, 2), in deg
        livetimes : array, shape (observation,), in s
        """
        fisher = jnp.tensordot(jnp.asarray(livetimes), self.rates(pointings), axes=1)
        fisher = fisher + self._prior
        scale = 1 / jnp.sqrt(jnp.diag(fisher))
        return jnp.linalg.inv(fisher * jnp.outer(scale, scale)) * jnp.outer(scale, scale)

    def errors(self, pointings: Any, livetimes: Any) -> Any:
        """Expected standard deviations of the free parameters; traceable."""
        return jnp.sqrt(jnp.diag(self.covariance(pointings, livetimes)))

    def gradient(self, pointings: Any, livetimes: Any) -> tuple[np.ndarray, np.ndarray]:
        """Changes of the errors with pointings and with live times.

        Returns
        -------
        by_pointing : array, shape (parameter, observation, 2), by deg
        by_livetime : array, shape (parameter, observation), by s
        """
        where = np.atleast_2d(to_value(pointings, "deg", where="pointings"))
        seconds = seconds_of(livetimes, len(where))
        jacobian = jax.jacrev(self.errors, argnums=(0, 1))
        found = jacobian(jnp.asarray(where), jnp.asarray(seconds))
        return np.asarray(found[0]), np.asarray(found[1])

    def run(self, pointings: Any, livetimes: Any) -> Forecast:
        """The forecast of a plan.

        Parameters
        ----------
        pointings : `~astropy.coordinates.SkyCoord`, or array, shape (observation, 2), in deg
            Arrays are in the frame of the position.
        livetimes : array in s, or `~astropy.units.Quantity`
        """
        if hasattr(pointings, "transform_to"):
            there = pointings.transform_to(self.position.frame).spherical
            pointings = np.stack([np.atleast_1d(x.deg) for x in (there.lon, there.lat)], 1)
        where = np.atleast_2d(to_value(pointings, "deg", where="pointings"))
        squared, knots = np.asarray(self._squared(where)), self._spline[0]
        notes = [
            f"pointing {i} is beyond the ladder, {self.offsets[-1]:g} deg, and says nothing"
            for i in np.nonzero(squared > knots[-1])[0]
        ]
        if np.any(squared < knots[0]):
            notes.append(f"pointings nearer than {self.offsets[0]:g} deg are taken to be there")
        seconds = seconds_of(livetimes, len(where))
        return made_forecast(self.models, np.asarray(self.rates(where)), seconds, notes)
