"""The Fermi-LAT Crab by brute force: NumPy and astropy alone, nothing of this package.

A point source is a point: its events are spread by the table of the point spread function,
which is integrated over each pixel by the midpoint rule on a fine grid, with true angles on the
sky. Run it as ``python tests/reference/crab_by_brute_force.py FOLDER 400`` to see the number
that the tests hold.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

AMPLITUDE, REFERENCE = 0.018182745349064267, 5.054833602905273e-05
ALPHA, BETA = 1.652368617859867, 0.03921700077803329
LON, LAT = 83.63310241699219, 22.019899368286133
NORM = 1.3004625872247901
"""The parameters of the file of models, in cm-2 s-1 TeV-1, TeV and deg."""

NEAR = 0.5
"""Pixels nearer than this, in deg, get the fine grid; further out a tenth of it serves."""


def cash_by_brute_force(path: str | Path, fine: int, *, straight: bool = False) -> float:
    """Cash of the Crab at the parameters of the file of models.

    Parameters
    ----------
    path : path-like
        The file of the dataset.
    fine : int
        Points along the side of a pixel near the source.
    straight : bool
        Draw straight lines between the nodes of the spread's table, and not a smooth curve.
        The table has samples of a smooth function that is hollow nearly everywhere, so lines
        lie above it: they make it 0.2 to 0.3 % heavier, in its tail.
    """
    from astropy.io import fits

    with fits.open(path, checksum=False) as hdus:
        counts = np.asarray(hdus["COUNTS"].data, dtype=float)
        mask = np.asarray(hdus["MASK_SAFE"].data) != 0
        background = np.asarray(hdus["BACKGROUND"].data, dtype=float)
        edges = _edges(hdus["EXPOSURE_BANDS"].data)
        shares = _pixel_integrals(hdus, np.sqrt(edges[1:] * edges[:-1]), fine, straight)
        sent = _fluxes(edges) * _at_source(hdus["EXPOSURE"])
        spread = _edisp(hdus["EDISP"])
    signal = np.einsum("t,tr,tyx->ryx", sent, spread, shares)
    mu = (signal + NORM * background)[mask]
    n = counts[mask]
    return float(2 * np.sum(mu - n * np.log(mu)))


def _edges(bands: Any) -> np.ndarray:
    """In TeV, as the file has them."""
    low, high = (np.asarray(bands[f"ENERGY_TRUE_{end}"], dtype=float) for end in ("MIN", "MAX"))
    return np.append(low, high[-1])


def _fluxes(edges: np.ndarray) -> np.ndarray:
    """Integrals of the log-parabola over energy bins."""
    from scipy.integrate import quad

    def times_energy(u: float) -> float:
        x = u - np.log(REFERENCE)
        return AMPLITUDE * np.exp(-(ALPHA + BETA * x) * x + u)

    ends = np.log(edges)
    return np.array([quad(times_energy, a, b, epsrel=1e-11)[0] for a, b in pairwise(ends)])


def _source_pixel(header: Any) -> tuple[float, float]:
    from astropy.coordinates import SkyCoord
    from astropy.wcs import WCS

    x, y = WCS(header).celestial.world_to_pixel(SkyCoord(LON, LAT, unit="deg"))
    return float(x), float(y)


def _at_source(hdu: Any) -> np.ndarray:
    """An image of each energy, bilinear at the source."""
    x, y = _source_pixel(hdu.header)
    i, j = int(x), int(y)
    p, q = x - i, y - j
    data = np.asarray(hdu.data, dtype=float)
    row = (1 - p) * data[..., i] + p * data[..., i + 1]
    return (1 - q) * row[..., j] + q * row[..., j + 1]


def _edisp(hdu: Any) -> np.ndarray:
    """Probabilities, shape (energy_true, energy)."""
    return _at_source(hdu)


def _tables(hdus: Any, energies: np.ndarray, straight: bool) -> tuple[np.ndarray, np.ndarray]:
    """Distances in rad, and densities in sr-1 at energies that integrate to 1."""
    data = np.asarray(hdus["PSF"].data[:, :, 0, 0], dtype=float)
    bands = hdus["PSF_BANDS"].data
    rad = np.asarray(bands["THETA"], dtype=float).reshape(data.shape)[0]
    nodes = 1e-3 * np.asarray(bands["ENERGY_TRUE"], dtype=float).reshape(data.shape)[:, 0]
    fine = np.linspace(0, rad[-1], 200001)
    ring = 2 * np.pi * np.sin(fine) * fine[1]
    between = np.interp if straight else _smooth
    unit = np.stack([between(fine, rad, row) for row in data])
    unit /= np.sum(ring * unit, axis=1, keepdims=True)
    found = np.stack([np.interp(np.log(energies), np.log(nodes), column) for column in unit.T])
    return fine, found.T


def _smooth(fine: np.ndarray, nodes: np.ndarray, values: np.ndarray) -> np.ndarray:
    from scipy.interpolate import CubicSpline

    return CubicSpline(nodes, values)(fine)


def _pixel_integrals(hdus: Any, energies: np.ndarray, fine: int, straight: bool) -> np.ndarray:
    """Shares of the events in each pixel, shape (energy_true, y, x)."""
    from astropy.coordinates import SkyCoord
    from astropy.wcs import WCS

    header = hdus["COUNTS"].header
    wcs = WCS(header).celestial
    ny, nx = hdus["COUNTS"].data.shape[1:]
    rad, tables = _tables(hdus, energies, straight)
    lon0, lat0 = (
        SkyCoord(LON, LAT, unit="deg").galactic.l.rad,
        SkyCoord(LON, LAT, unit="deg").galactic.b.rad,
    )
    x0, y0 = _source_pixel(header)
    reach = NEAR / abs(header["CDELT1"])
    shares = np.zeros((energies.size, ny, nx))
    for j in range(ny):
        for i in range(nx):
            near = max(abs(i - x0), abs(j - y0)) < reach
            step = fine if near else max(fine // 10, 10)
            inner = (np.arange(step) + 0.5) / step - 0.5
            x, y = np.meshgrid(i + inner, j + inner)
            lon, lat = (np.deg2rad(a) for a in wcs.wcs_pix2world(x.ravel(), y.ravel(), 0))
            half = (
                np.sin((lat - lat0) / 2) ** 2
                + np.cos(lat) * np.cos(lat0) * np.sin((lon - lon0) / 2) ** 2
            )
            distance = 2 * np.arcsin(np.sqrt(half))
            area = _solid_angle(wcs, i, j) / step**2
            for t, row in enumerate(tables):
                shares[t, j, i] = area * np.interp(distance, rad, row, right=0.0).sum()
    return shares


def _solid_angle(wcs: Any, i: int, j: int) -> float:
    """Of a pixel, from its corners: two triangles between unit vectors."""
    lon, lat = wcs.wcs_pix2world(
        np.array([i - 0.5, i + 0.5, i + 0.5, i - 0.5]),
        np.array([j - 0.5, j - 0.5, j + 0.5, j + 0.5]),
        0,
    )
    lon, lat = np.deg2rad(lon), np.deg2rad(lat)
    a, b, c, d = np.stack(
        [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], 1
    )
    diagonals = np.cross(c - a, d - b)
    return float(np.linalg.norm(diagonals) / 2)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    file = folder / "fermi-3fhl-crab/Fermi-LAT-3FHL_data_Fermi-LAT.fits"
    for lines in (False, True):
        print(cash_by_brute_force(file, int(sys.argv[2]), straight=lines))
