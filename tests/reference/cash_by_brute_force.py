"""Cash of a counts cube with one Gaussian source, by brute force: NumPy and SciPy alone.

Arrays come from a dataset; nothing of the folding is used. A Gaussian is spread by the point
spread function through the integral over the plane,

.. math::
    g(r) = \\frac{1}{\\sigma^2} \\int f(s) \\, s \\,
           e^{-(r - s)^2 / 2 \\sigma^2} \\, I_0(r s / \\sigma^2) e^{-r s / \\sigma^2} \\, ds,

summed over true energies, and integrated over pixels on a fine grid.
"""

from __future__ import annotations

from typing import Any

import numpy as np

FINE = 5
"""Points along the side of a pixel."""

NODES = 1200
"""Of the distance, for the convolution."""


def predicted(dataset: Any, source: dict[str, float]) -> np.ndarray:
    """Counts of a Gaussian times a log-parabola in each bin, shape of the counts.

    Parameters
    ----------
    dataset : `~gammajax.datasets.MapDataset`
    source : dict
        amplitude (cm-2 s-1 TeV-1), reference (TeV), alpha, beta, lon_0, lat_0, sigma (deg).
    """
    from astropy.coordinates import SkyCoord

    position = SkyCoord(source["lon_0"], source["lat_0"], unit="deg")
    edges = dataset.energy_true.edges
    sent = fluxes(edges, source) * at(dataset.exposure, position)
    spread = at(dataset.edisp.values, position)
    rad = np.deg2rad(dataset.psf.rad.center)
    tables = at(dataset.psf.values, position)
    r, profiles = convolved(rad, tables, np.deg2rad(source["sigma"]))
    combined = np.einsum("t,te,tr->er", sent, spread, profiles)
    geom = dataset.geom.to_image().upsample(FINE)
    distance = np.deg2rad(geom.separation(position))
    near = distance < r[-1]
    area = geom.solid_angle()[near]
    found = np.zeros(dataset.counts.data.shape)
    ny, nx = found.shape[1:]
    for image, profile in zip(found, combined, strict=True):
        fine = np.zeros(distance.shape)
        fine[near] = area * np.interp(distance[near], r, profile)
        image += fine.reshape(ny, FINE, nx, FINE).sum(axis=(1, 3))
    return found


def cash(dataset: Any, mu: np.ndarray) -> float:
    """The statistic in the mask."""
    mask = dataset.mask
    n, mu = np.asarray(dataset.counts.data, dtype=float)[mask], mu[mask]
    return float(2 * np.sum(mu - np.where(n > 0, n * np.log(np.where(n > 0, mu, 1)), 0.0)))


def fluxes(edges: np.ndarray, source: dict[str, float]) -> np.ndarray:
    """Integrals of the log-parabola over energy bins."""
    steps = np.linspace(0, 1, 201)
    u = np.log(edges[:-1, None]) + np.diff(np.log(edges))[:, None] * steps
    x = u - np.log(source["reference"])
    values = source["amplitude"] * np.exp(-(source["alpha"] + source["beta"] * x) * x + u)
    return np.trapezoid(values, u, axis=1)


def at(found: Any, position: Any) -> np.ndarray:
    """A map at a position, bilinear between its pixels, shape of its axes."""
    x, y = (float(v) for v in found.geom.wcs.world_to_pixel(position))
    i, j = int(np.floor(x)), int(np.floor(y))
    p, q = x - i, y - j
    data = np.asarray(found.data, dtype=float)
    row = (1 - p) * data[..., i] + p * data[..., i + 1]
    return (1 - q) * row[..., j] + q * row[..., j + 1]


def convolved(
    rad: np.ndarray, tables: np.ndarray, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """Tables of distance, normalised, spread by a Gaussian; in rad and sr-1."""
    from scipy.interpolate import CubicSpline
    from scipy.special import i0e

    s = (np.arange(NODES) + 0.5) / NODES * rad[-1]
    # an even function of distance: no slope at the centre
    both = np.concatenate([-rad[::-1], rad])
    smooth = np.stack([CubicSpline(both, np.append(row[::-1], row))(s) for row in tables])
    ring = 2 * np.pi * s * (s[1] - s[0])
    total = smooth @ ring
    smooth = smooth / np.where(total > 0, total, 1.0)[:, None]
    if sigma <= 0:
        return s, smooth
    r = np.linspace(0, rad[-1] + 5 * sigma, NODES)
    kernel = np.exp(-0.5 * ((r[:, None] - s) / sigma) ** 2) * i0e(r[:, None] * s / sigma**2)
    kernel *= s * (s[1] - s[0]) / sigma**2
    return r, smooth @ kernel.T
