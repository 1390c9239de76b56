"""How much a light curve varies, and how fast."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

TOYS = 1000


class Measured(NamedTuple):
    """A number and its error."""

    value: float
    error: float


def _curves(flux: Any, error: Any) -> tuple[np.ndarray, np.ndarray]:
    """Fluxes with errors that are both known, and not fewer than two."""
    flux, error = np.ravel(np.asarray(flux, float)), np.ravel(np.asarray(error, float))
    if flux.shape != error.shape:
        raise ValueError(f"got {flux.size} fluxes and {error.size} errors, expected as many")
    known = np.isfinite(flux) & np.isfinite(error) & (error > 0)
    if known.sum() < 2:
        raise ValueError(f"got {int(known.sum())} fluxes with errors, expected at least two")
    return flux[known], error[known]


def compute_fvar(flux: Any, flux_err: Any) -> Measured:
    r"""Fractional excess variance (Vaughan et al. 2003, MNRAS 345, 1271).

    .. math:: F_{var} = \sqrt{(S^2 - \langle \sigma^2 \rangle) / \bar{x}^2}

    with the variance S of the fluxes. NaN where errors explain all of it.

    Examples
    --------
    >>> print(round(compute_fvar([1.0, 3.0, 2.0, 4.0], [0.1] * 4).value, 4))
    0.5148
    """
    flux, flux_err = _curves(flux, flux_err)
    mean, noise, number = flux.mean(), np.mean(flux_err**2), flux.size
    excess = flux.var(ddof=1) - noise
    if excess <= 0:
        return Measured(float("nan"), float("nan"))
    value = np.sqrt(excess) / abs(mean)
    first = np.sqrt(1 / (2 * number)) * noise / (mean**2 * value)
    second = np.sqrt(noise / number) / abs(mean)
    return Measured(float(value), float(np.hypot(first, second)))


def compute_fpp(flux: Any, flux_err: Any) -> Measured:
    r"""Fractional variability from one point to the next (Edelson et al. 2002).

    .. math:: F_{pp}^2 = \left[ \tfrac{1}{2 (N - 1)} \sum_i (x_{i + 1} - x_i)^2
              - \langle \sigma^2 \rangle \right] / \bar{x}^2
    """
    flux, flux_err = _curves(flux, flux_err)
    mean, noise, number = flux.mean(), np.mean(flux_err**2), flux.size
    excess = np.mean(np.diff(flux) ** 2) / 2 - noise
    if excess <= 0:
        return Measured(float("nan"), float("nan"))
    value = np.sqrt(excess) / abs(mean)
    first = np.sqrt(1 / (2 * number)) * noise / (mean**2 * value)
    return Measured(float(value), float(np.hypot(first, np.sqrt(noise / number) / abs(mean))))


def compute_chisq(flux: Any, flux_err: Any) -> tuple[float, float]:
    """Chi-squared of a constant flux, and the probability of one as large."""
    from scipy.special import chdtrc

    flux, flux_err = _curves(flux, flux_err)
    weight = flux_err**-2
    mean = np.sum(weight * flux) / weight.sum()
    value = float(np.sum(weight * (flux - mean) ** 2))
    return value, float(chdtrc(flux.size - 1, value))


def compute_flux_doubling(
    time: Any, flux: Any, flux_err: Any, *, seed: int = 0, n_toys: int = TOYS
) -> dict[str, Measured]:
    r"""The shortest times in which the flux doubles and halves, between neighbours.

    .. math:: t = (t_2 - t_1) \ln 2 / \ln(x_2 / x_1)

    Parameters
    ----------
    time, flux, flux_err : array, shape (point,)
        Of fluxes above 0; the result has the unit of the times.
    seed, n_toys : int
        Errors are spreads over simulated fluxes for the same pair of points.

    Returns
    -------
    times : dict
        ``doubling`` and ``halving``; NaN where the flux never rises, or never falls.
    """
    time, flux, flux_err = (np.ravel(np.asarray(a, float)) for a in (time, flux, flux_err))
    good = (flux > 0) & (flux_err > 0) & np.isfinite(flux + flux_err)
    time, flux, flux_err = time[good], flux[good], flux_err[good]
    if time.size < 2:
        raise ValueError(f"got {time.size} fluxes above 0 with errors, expected at least two")
    drawn = np.random.default_rng(seed).normal(flux, flux_err, (n_toys, flux.size))

    def scales(values: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.diff(time) * np.log(2) / np.diff(np.log(np.maximum(values, 1e-300)))

    here, toys = scales(flux), scales(drawn)
    found = {}
    for name, sign in (("doubling", 1.0), ("halving", -1.0)):
        rising = np.where(sign * here > 0, sign * here, np.inf)
        if not np.isfinite(rising).any():
            found[name] = Measured(float("nan"), float("nan"))
            continue
        place = int(np.argmin(rising))
        spread = np.percentile(sign * toys[:, place], [16, 84])
        found[name] = Measured(float(rising[place]), float(np.diff(spread)[0] / 2))
    return found


def structure_function(
    time: Any, flux: Any, flux_err: Any, lags: Any, *, seed: int = 0, n_toys: int = TOYS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean squared differences of fluxes by the time between them, noise taken off.

    Parameters
    ----------
    time, flux, flux_err : array, shape (point,)
    lags : array, shape (bin + 1,)
        Edges of the time differences.

    Returns
    -------
    value, error : array, shape (bin,)
        The error is the spread over simulated fluxes. NaN without a pair.
    pairs : array of int, shape (bin,)
    """
    time = np.ravel(np.asarray(time, float))
    flux, flux_err = (np.ravel(np.asarray(a, float)) for a in (flux, flux_err))
    first, second = np.triu_indices(time.size, 1)
    place = np.digitize(np.abs(time[second] - time[first]), np.asarray(lags, float)) - 1
    noise = flux_err[first] ** 2 + flux_err[second] ** 2
    size = len(lags) - 1

    def binned(values: np.ndarray, off: float) -> np.ndarray:
        squares = (values[second] - values[first]) ** 2 - off * noise
        with np.errstate(invalid="ignore"):
            return np.array([squares[place == i].mean() if np.any(place == i) else np.nan
                             for i in range(size)])  # fmt: skip

    rng = np.random.default_rng(seed)
    # a simulated flux has the noise twice: that of the data, and its own
    toys = [binned(rng.normal(flux, flux_err), 2.0) for _ in range(n_toys)]
    pairs = np.array([int(np.sum(place == i)) for i in range(size)])
    return binned(flux, 1.0), np.std(toys, axis=0), pairs


def bayesian_blocks(time: Any, flux: Any, flux_err: Any, *, p0: float = 0.05) -> np.ndarray:
    """Edges of blocks of constant flux (Scargle et al. 2013), from astropy.

    ``p0`` is the probability of a false change.
    """
    from astropy.stats import bayesian_blocks as blocks

    return np.asarray(
        blocks(np.ravel(time), np.ravel(flux), np.ravel(flux_err), fitness="measures", p0=p0)
    )
