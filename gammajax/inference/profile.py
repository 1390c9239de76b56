r"""Profile likelihoods: errors, limits, profiles, surfaces and contours.

All start from a `~gammajax.inference.FitResult` and minimise over the other free
parameters at every point, in batches of compiled fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.inference.result import FitResult
from gammajax.inference.rise import find_rise
from gammajax.inference.scan import conditional_fits
from gammajax.units import to_value


@dataclass(frozen=True, eq=False)
class Interval:
    """A confidence interval from the profile likelihood.

    ``limited_low`` and ``limited_high`` say that the parameter's bound was reached before
    the statistic had risen enough; the edge is then the bound.
    """

    name: str
    unit: str
    value: float
    low: float
    high: float
    sigma: float
    limited_low: bool = False
    limited_high: bool = False

    @property
    def errn(self) -> float:
        """Distance from the value down to the lower edge."""
        return self.value - self.low

    @property
    def errp(self) -> float:
        """Distance from the value up to the upper edge."""
        return self.high - self.value

    def __repr__(self) -> str:
        note = " (low edge is the bound)" if self.limited_low else ""
        note += " (high edge is the bound)" if self.limited_high else ""
        return (
            f"Interval({self.name} = {self.value:.5g} -{self.errn:.3g} +{self.errp:.3g} "
            f"{self.unit}, {self.sigma:g} sigma{note})"
        )


@dataclass(frozen=True, eq=False)
class Profile:
    """The statistic along one parameter, minimised over the others.

    ``delta`` is above the minimum of the fit; ``theta`` has the other parameters.
    """

    name: str
    unit: str
    values: np.ndarray
    stat: np.ndarray
    delta: np.ndarray
    theta: np.ndarray
    converged: np.ndarray


@dataclass(frozen=True, eq=False)
class Surface:
    """The statistic on a grid of two parameters, minimised over the others.

    ``stat`` and ``delta`` have the shape (x, y).
    """

    x_name: str
    y_name: str
    x: np.ndarray
    y: np.ndarray
    stat: np.ndarray
    delta: np.ndarray
    converged: np.ndarray


@dataclass(frozen=True, eq=False)
class Contour:
    """A closed line on which the profile statistic is ``delta`` above its minimum.

    ``inside`` is False for points where a bound was reached first.
    """

    x_name: str
    y_name: str
    x: np.ndarray
    y: np.ndarray
    sigma: float
    delta: float
    inside: np.ndarray


def confidence(
    result: FitResult, names: str | Sequence[str] = "*", *, sigma: float = 1.0
) -> dict[str, Interval]:
    r"""Confidence intervals where the profile statistic rises by :math:`\sigma^2`.

    Parameters
    ----------
    result : `~gammajax.inference.FitResult`
    names : str or list of str
        Free parameters, or globs of them; all by default, and all are solved at once.
    sigma : float
        Number of standard deviations.

    Returns
    -------
    intervals : dict
        An `Interval` for each parameter.

    Raises
    ------
    ValueError
        If a name is not a free parameter, or the fit has no usable covariance.
    """
    places = _places(result, names)
    edges, limited = _solve(
        result, np.repeat(places, 2), np.tile([-1.0, 1.0], len(places)), sigma
    )
    found = {}
    for i, place in enumerate(places):
        name = result.names[place]
        found[name] = Interval(
            name=name,
            unit=result.parameters[name].unit,
            value=float(result.theta[place]),
            low=float(edges[2 * i]),
            high=float(edges[2 * i + 1]),
            sigma=sigma,
            limited_low=bool(limited[2 * i]),
            limited_high=bool(limited[2 * i + 1]),
        )
    return found


def upper_limit(result: FitResult, name: str, *, sigma: float = 2.0) -> float:
    r"""The value above the best fit where the profile statistic rises by :math:`\sigma^2`.

    For a best fit away from bounds, 2 sigma is a one-sided limit of 97.7 % confidence. NaN
    where the parameter's upper bound is reached first.
    """
    (place,) = _places(result, name)
    edge, limited = _solve(result, np.array([place]), np.array([1.0]), sigma)
    return float("nan") if limited[0] else float(edge[0])


def stat_profile(
    result: FitResult,
    name: str,
    values: Any = None,
    *,
    n_values: int = 31,
    sigma: float = 3.0,
) -> Profile:
    """The profile of the statistic along a free parameter, in one batch.

    Parameters
    ----------
    result : `~gammajax.inference.FitResult`
    name : str
        A free parameter.
    values : array or `~astropy.units.Quantity`, optional
        Where to evaluate; by default ``n_values`` points within ``sigma`` errors, cut at the
        parameter's bounds.
    """
    (place,) = _places(result, name)
    row = result.parameters[result.names[place]]
    if values is None:
        values = _around(result, place, n_values, sigma)
    values = np.atleast_1d(to_value(values, row.unit, where=f"values of {row.name}"))
    fits = conditional_fits(result, np.full((values.size, 1), place), values[:, None])
    return Profile(
        row.name, row.unit, values, fits.stat, fits.stat - result.stat, fits.x, fits.converged
    )


def stat_surface(
    result: FitResult,
    x_name: str,
    y_name: str,
    x: Any = None,
    y: Any = None,
    *,
    n_values: int = 25,
    sigma: float = 3.0,
) -> Surface:
    """The profile of the statistic on a grid of two free parameters, in one batch."""
    (x_place,), (y_place,) = _places(result, x_name), _places(result, y_name)
    if x_place == y_place:
        raise ValueError(f"a surface needs two different parameters, got {x_name!r} twice")
    axes = []
    for place, given in ((x_place, x), (y_place, y)):
        row = result.parameters[result.names[place]]
        values = _around(result, place, n_values, sigma) if given is None else given
        axes.append(np.atleast_1d(to_value(values, row.unit, where=f"values of {row.name}")))
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    points = grid.reshape(-1, 2)
    held = np.tile([x_place, y_place], (len(points), 1))
    fits = conditional_fits(result, held, points)
    stat = fits.stat.reshape(grid.shape[:2])
    names = (result.names[x_place], result.names[y_place])
    converged = fits.converged.reshape(stat.shape)
    x_axis, y_axis = axes
    return Surface(*names, x_axis, y_axis, stat, stat - result.stat, converged)


def stat_contour(
    result: FitResult, x_name: str, y_name: str, *, sigma: float = 1.0, n_points: int = 64
) -> Contour:
    r"""The line that holds two parameters with the probability of ``sigma`` in two dimensions.

    The statistic rises by 2.30, 6.18 and 11.83 for 1, 2 and 3 sigma. Points are found along
    rays from the best fit, all at once.
    """
    from scipy.special import chdtri, ndtr

    (x_place,), (y_place,) = _places(result, x_name), _places(result, y_name)
    if x_place == y_place:
        raise ValueError(f"a contour needs two different parameters, got {x_name!r} twice")
    held = np.array([x_place, y_place])
    delta = float(chdtri(2, 2 * ndtr(-sigma)))
    angles = np.linspace(0, 2 * np.pi, n_points, endpoint=False)
    half = np.linalg.cholesky(result.covariance[np.ix_(held, held)])
    rays = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ half.T
    reach = _box_reach(result, held, rays)

    def rise(radius: np.ndarray) -> np.ndarray:
        points = result.theta[held] + radius[:, None] * rays
        fits = conditional_fits(result, np.tile(held, (n_points, 1)), points)
        return fits.stat - result.stat

    radius, limited = find_rise(rise, np.full(n_points, np.sqrt(delta)), reach, delta)
    points = result.theta[held] + radius[:, None] * rays
    names = (result.names[x_place], result.names[y_place])
    return Contour(*names, points[:, 0], points[:, 1], sigma, delta, ~limited)


def _places(result: FitResult, names: str | Sequence[str]) -> np.ndarray:
    """The free parameters that names or globs stand for, as positions in theta."""
    table = result.parameters
    patterns = [names] if isinstance(names, str) else list(names)
    places = []
    for pattern in patterns:
        matched = [table.names[i] for i in table.match(pattern)]
        free = [result.names.index(name) for name in matched if name in result.names]
        if not free:
            raise ValueError(
                f"{matched[0]} is frozen or linked: only free parameters have a profile"
            )
        places += [place for place in free if place not in places]
    if not np.all(np.isfinite(result.covariance)):
        raise ValueError(f"the fit has no covariance to scan with: {result.message}")
    return np.array(places)


def _scale(result: FitResult, places: np.ndarray) -> np.ndarray:
    """Errors, or a tenth of the value where a bound left none."""
    errors = result.errors[places]
    fallback = np.maximum(np.abs(result.theta[places]), 1e-30) / 10
    return np.where(errors > 0, errors, fallback)


def _box_reach(result: FitResult, held: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """How far along each ray the bounds allow to go."""
    space, index = result.likelihood.problem.space, result.likelihood._index
    low = np.asarray(space.min)[index][held] - result.theta[held]
    high = np.asarray(space.max)[index][held] - result.theta[held]
    room = np.where(rays > 0, high, low)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(rays == 0, np.inf, room / rays)
    return np.maximum(distance.min(axis=-1), 0.0)


def _around(result: FitResult, place: int, n_values: int, sigma: float) -> np.ndarray:
    space, index = result.likelihood.problem.space, result.likelihood._index
    width = sigma * _scale(result, np.array([place]))[0]
    low = max(result.theta[place] - width, float(np.asarray(space.min)[index[place]]))
    high = min(result.theta[place] + width, float(np.asarray(space.max)[index[place]]))
    return np.linspace(low, high, n_values)


def _solve(
    result: FitResult, places: np.ndarray, signs: np.ndarray, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """The values at which profiles rise by sigma squared, and whether a bound came first."""
    rays = signs * _scale(result, places)
    reach = np.array(
        [_box_reach(result, places[i : i + 1], rays[i : i + 1]) for i in range(len(rays))]
    )

    def rise(radius: np.ndarray) -> np.ndarray:
        values = result.theta[places] + radius * rays
        return conditional_fits(result, places[:, None], values[:, None]).stat - result.stat

    radius, limited = find_rise(rise, np.full(len(rays), sigma), reach, sigma**2)
    return result.theta[places] + radius * rays, limited
