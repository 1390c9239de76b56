"""Spectra of spreads, and the grid that holds them; on the host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from gammajax.fold.fourier_grid import radial_taps
from gammajax.fold.room import middle_of
from gammajax.fold.round_build import SOFT_END, soft_end
from gammajax.fold.sky_response import SkyResponse, median_radius

TOLERANCE = 5e-4
"""Error of a pixel's integral that the grid may make, in units of that of the brightest one."""

FINENESS = 1.12
"""Ratio of the steps that are tried, one after the other."""

SPACING = 0.6
"""Distance of the nodes of radial spectra, over one over the reach of the spread."""

LEVELS, SAVING = 3, 0.75
"""Most grids of a fold, and what part of the cost of one less another one has to come to."""

FAINT, FAINTER = 1e-2, 1e-3
"""True bins with less than these parts of the counts of the brightest do not count for the step
and for the reach of a grid."""

MOST = 1024
"""Most places along a side of the grid."""


class RadialSpectra:
    r"""Spectra of tables of distance, :math:`2 \pi \int P(r) J_0(k r) r \, dr`.

    Between its distances a table is a monotone cubic, and it ends softly at its radius, as in
    the folds of round sources; r is the chord. What is left is normalised to 1.

    Parameters
    ----------
    rad : array, shape (rad,), in rad
    reach : float
        The largest radius that a spread is followed to, in rad.
    """

    def __init__(self, rad: np.ndarray, reach: float) -> None:
        self.rad = rad
        self.last = min(int(np.searchsorted(rad, SOFT_END * reach)), rad.size - 1)
        self.reach = float(rad[self.last])

    def at(self, wavenumbers: np.ndarray, tables: np.ndarray, radii: Any) -> np.ndarray:
        """Spectra at wavenumbers in 1/rad, shape (..., energy, wavenumber).

        Parameters
        ----------
        wavenumbers : array, shape (wavenumber,)
        tables : array, shape (..., energy, rad)
        radii : array, shape (energy,), in rad
        """
        from scipy.special import j0

        theta, measured = self.measured(float(wavenumbers.max()), tables, radii)
        return measured @ j0(np.outer(2 * np.sin(theta / 2), wavenumbers))

    def measured(
        self, largest: float, tables: np.ndarray, radii: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """Distances, and the part of each spread that each stands for, for waves up to one.

        Returns
        -------
        theta : array, shape (node,)
        measured : array, shape (..., energy, node)
        """
        from scipy.interpolate import PchipInterpolator

        theta, weight = self._nodes(largest)
        values = PchipInterpolator(self.rad, tables, axis=-1)(np.maximum(theta, self.rad[0]))
        measured = values * (weight * soft_end(theta, np.asarray(radii)[..., None]))
        whole = measured.sum(axis=-1, keepdims=True)
        return theta, np.divide(measured, whole, out=np.zeros_like(measured), where=whole > 0)

    def _nodes(self, largest: float) -> tuple[np.ndarray, np.ndarray]:
        """Distances between those of the table, and weights in sr."""
        edges = np.append(0.0, self.rad[: self.last + 1])
        order = int(np.clip(3 + np.diff(edges).max() * largest / 2, 4, 40))
        x, share = np.polynomial.legendre.leggauss(order)
        low, width = edges[:-1, None], np.diff(edges)[:, None]
        theta = (low + width * (x + 1) / 2).ravel()
        return theta, 2 * np.pi * np.sin(theta) * (width * share / 2).ravel()

    def coefficients(self, largest: float, tables: np.ndarray, radii: Any) -> np.ndarray:
        """Spline coefficients of spectra from one node before 0 on, shape (..., node)."""
        from scipy.ndimage import spline_filter1d

        number = int(np.ceil(largest / self.spacing)) + 3
        values = self.at(self.spacing * np.arange(number), tables, radii)
        found = spline_filter1d(values, order=3, axis=-1, mode="mirror")
        return np.concatenate([found[..., 1:2], found, found[..., -2:-1]], axis=-1)

    @property
    def spacing(self) -> float:
        """Distance of the nodes, in 1/rad."""
        return SPACING / self.reach


def grid_step(
    spectra: RadialSpectra,
    table: np.ndarray,
    radius: float,
    size: float,
    shape: Callable[[np.ndarray], np.ndarray] | None = None,
) -> float:
    """The largest step of a grid, in rad, that holds a spread well enough.

    What is lost are the waves beyond the grid's largest, and what is added are the images of
    the spline; pixels smooth both.

    Parameters
    ----------
    spectra : `RadialSpectra`
    table : array, shape (rad,)
        The narrowest spread.
    radius : float
        That it is followed to, in rad.
    size : float
        Side of a pixel, in rad.
    shape : callable, optional
        The transform of what is spread, at wavenumbers in 1/rad; without it, of a point.
    """
    half = _median(spectra.rad, table)
    k = np.linspace(0, 60 / half, 3000)
    power = np.abs(spectra.at(k, table[None], np.array([radius]))[0]) * k
    if shape is not None:
        power = power * np.abs(shape(k))
    phi = (np.arange(12) + 0.5) * np.pi / 24

    def window(wave: np.ndarray) -> np.ndarray:
        return 1 / np.maximum(wave * size / 2, 1.0)

    whole = np.sum(power * window(k))
    step = 2 * half
    while True:
        inside = k < np.pi / step
        lost = np.sum((power * window(k))[~inside])
        along = step * k[inside, None] * np.cos(phi)
        image = (along / (2 * np.pi - along)) ** 4 * window((2 * np.pi - along) / step)
        added = 4 * np.sum(power[inside] * image.mean(axis=1))
        if lost + added <= TOLERANCE * whole or step < half / 12:
            return step
        step /= FINENESS


def _median(rad: np.ndarray, table: np.ndarray) -> float:
    """The radius of half of a table."""
    ring = 0.5 * (table[1:] * rad[1:] + table[:-1] * rad[:-1]) * np.diff(rad)
    return float(np.interp(0.5, np.append(0, np.cumsum(ring)) / ring.sum(), rad))


@dataclass
class Band:
    """Reconstructed bins that share a grid: how far and how finely it has to go, in rad."""

    bins: np.ndarray
    reach: float
    step: float


def bands_of(
    made: Sequence[SkyResponse],
    axis: Any,
    size: float,
    around: float,
    shape: Callable[[np.ndarray], np.ndarray] | None = None,
) -> list[Band]:
    """Groups of reconstructed bins with spreads of about one width.

    All have grids with as many places, and are padded to as many bins; at most `LEVELS`
    groups are formed, and another one only where it saves a quarter.

    Parameters
    ----------
    made : sequence of `SkyResponse`
    axis : `~gammajax.maps.MapAxis`
        Of true energy.
    size : float
        Side of a pixel, in rad.
    around : float
        What the grid has to hold besides the spread, in rad.
    shape : callable, optional
        See `grid_step`.
    """
    reach, step = _needs(made, axis, size, shape)
    order = np.argsort(step)
    best: list[np.ndarray] = [order]
    least = _cost(best, reach, step, around)
    for number in range(2, min(LEVELS, order.size) + 1):
        tried = [
            np.split(order, cuts) for cuts in combinations(range(1, order.size), number - 1)
        ]
        costs = [_cost(parts, reach, step, around) for parts in tried]
        if min(costs) < SAVING * least:
            least = min(costs)
            best = tried[int(np.argmin(costs))]
    return [
        Band(np.sort(part), float(reach[part].max()), float(step[part].min())) for part in best
    ]


def _needs(
    made: Sequence[SkyResponse], axis: Any, size: float, shape: Any
) -> tuple[np.ndarray, np.ndarray]:
    """How far each reconstructed bin is followed, and the step of a grid that holds it."""
    nbin = made[0].edisp.values.shape[1]
    known: dict[bytes, float] = {}
    reach, step = np.zeros(nbin), np.full(nbin, np.inf)
    for response in made:
        assert response.rad is not None
        assert response.radii is not None
        rows = middle_of(response)
        flux = (1 / axis.edges[:-1] - 1 / axis.edges[1:]) * response.exposure.values.max((1, 2))
        counts = flux[:, None] * response.edisp.values.max(axis=(2, 3))
        if response.spread_last:
            counts = np.eye(nbin)
        filled = rows.max(axis=1) > 0
        counts = counts * filled[:, None]
        widths = np.full(len(rows), np.inf)
        widths[filled] = [median_radius(response.rad, row) for row in rows[filled]]
        for r in range(nbin):
            some = np.nonzero(counts[:, r] > FAINT * max(counts[:, r].max(), 1e-300))[0]
            much = counts[:, r] > FAINTER * max(counts[:, r].max(), 1e-300)
            if some.size == 0:
                continue
            reach[r] = max(reach[r], response.radii[much].max())
            narrow = some[np.argmin(widths[some])]
            key = rows[narrow].tobytes()
            if key not in known:
                # the soft end, which is faint, needs no grid of its own
                radius = 3 * float(response.radii[narrow])
                spectra = RadialSpectra(response.rad, radius)
                known[key] = grid_step(spectra, rows[narrow], radius, size, shape)
            step[r] = min(step[r], known[key])
    reach[reach == 0] = reach[reach > 0].min(initial=size)
    return reach, np.minimum(step, step[np.isfinite(step)].max(initial=size))


def _cost(parts: Sequence[np.ndarray], reach: Any, step: Any, around: float) -> float:
    """Places of the grids times bins; the shape itself counts as two."""
    number = max((reach[part].max() + around) / step[part].min() for part in parts)
    return len(parts) * (max(part.size for part in parts) + 2) * number**2


@dataclass
class LevelGrid:
    """A band with its grid, and the spectra of its spreads.

    ``bins`` are those of the band, the last one repeated as often as there are more in others.
    """

    band: Band
    number: int
    bins: np.ndarray
    spectra: RadialSpectra

    @property
    def places(self) -> np.ndarray:
        """Places of the grid, shape (number, number, 2), in rad."""
        side = (np.arange(self.number) - self.number // 2) * self.band.step
        return np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1)

    def taps(self) -> tuple[np.ndarray, np.ndarray]:
        """Those of `radial_taps`."""
        return radial_taps(self.number, self.band.step, self.spectra.spacing)

    def tables(self, psf: np.ndarray, radii: np.ndarray, spread_last: bool) -> np.ndarray:
        """Spline coefficients of the spectra of tables (..., energy, rad)."""
        if spread_last:
            psf, radii = psf[..., self.bins, :], radii[self.bins]
        # true bins that matter little for the band are followed no further than its reach
        radii = np.minimum(radii, self.band.reach)
        return self.spectra.coefficients(np.pi / self.band.step, psf, radii)


def places_of(bands: Sequence[Band], around: float, rad: Any) -> tuple[int, Band]:
    """Places along a side of the grids of bands, and the band that needs the most."""
    from scipy.fft import next_fast_len

    numbers = [(around + RadialSpectra(rad, band.reach).reach) / band.step for band in bands]
    number = 2 * int(next_fast_len(int(np.ceil(max(numbers))) + 8))  # pyright: ignore[reportArgumentType]
    return number, bands[int(np.argmax(numbers))]


def level_grids(bands: Sequence[Band], around: float, rad: Any, where: str) -> list[LevelGrid]:
    """The grids of bands, of as many places each, that hold ``around`` (rad) and the spread.

    Raises
    ------
    ValueError
        If they would have too many places.
    """
    number, widest = places_of(bands, around, rad)
    spectra = [RadialSpectra(rad, band.reach) for band in bands]
    if number > MOST:
        reach = np.rad2deg(around + RadialSpectra(rad, widest.reach).reach)
        raise ValueError(
            f"{where} needs a grid of {number} x {number} places, which reaches "
            f"{reach:.3g} deg in steps of {np.rad2deg(widest.step):.2g} deg; "
            f"expected at most {MOST}. Take a smaller FoldOptions(containment=...), a smaller "
            "start size, or a smaller map, or freeze the shape"
        )
    most = max(band.bins.size for band in bands)
    return [
        LevelGrid(band, number, np.pad(band.bins, (0, most - band.bins.size), mode="edge"), s)
        for band, s in zip(bands, spectra, strict=True)
    ]
