"""Drawing background events from rates in the field of view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from gammajax.irf import Background2D
from gammajax.irf.projection import integrate_power_laws
from gammajax.models.spectral.evaluation import call
from gammajax.simulate.field import Field, to_lonlat
from gammajax.simulate.laws import pick, shares
from gammajax.simulate.source import nodes, table
from gammajax.simulate.times import Times

FINER = 4
"""Parts of a bin of the field of view, along each axis, over which the rate is constant."""


STEEPEST = 10.0


@dataclass(frozen=True, eq=False)
class Background:
    """What the background events of a run are drawn from.

    A rate is a power law of energy between the nodes of its table, and constant over small
    parts of the field.

    Attributes
    ----------
    energy : array, shape (node,)
    rate : array, shape (node, part)
        In s-1 TeV-1 sr-1.
    counts : array, shape (node - 1, part)
        Events expected between two energies in a part.
    edges : tuple of two arrays
        Of the parts of the field: longitude and latitude, or offset and a circle.
    """

    field: Field
    times: Times
    alignment: str
    is_round: bool
    energy: np.ndarray
    rate: np.ndarray
    counts: np.ndarray
    edges: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, field: Field, factor: Any = None) -> Background:
        """The background of a run, times a spectral model that is a factor."""
        run = field.observation
        bkg = table(run, "bkg")
        energy = nodes(bkg.axis("energy"))
        is_round = isinstance(bkg, Background2D)
        if is_round:
            rings = _parts(bkg.axis("offset").edges)
            edges = rings, np.array([-180.0, 180.0])
            area = -2 * np.pi * np.diff(np.cos(np.deg2rad(rings)))
            places = (np.sqrt((rings[1:] ** 2 + rings[:-1] ** 2) / 2),)
        else:
            lon, lat = (_parts(bkg.axis(name).edges) for name in ("fov_lon", "fov_lat"))
            edges = lon, lat
            area = np.deg2rad(np.diff(lon))[:, None] * np.diff(np.sin(np.deg2rad(lat)))
            middles = ((x[1:] + x[:-1]) / 2 for x in edges)
            places = tuple(x.ravel() for x in np.meshgrid(*middles, indexing="ij"))
        rate, per_time = (np.asarray(x) for x in _rates(bkg, energy, places, factor))
        times = Times.of(None, run.gti, "background")
        counts = times.total * area.ravel() * per_time
        return cls(field, times, bkg.fov_alignment, is_round, energy, rate, counts, edges)

    @property
    def expected(self) -> float:
        """How many events are expected."""
        return float(self.counts.sum())

    def cells(self) -> np.ndarray:
        """The share of the events up to each cell of energy and field."""
        return shares(self.counts.ravel())

    def draw(
        self, rng: np.random.Generator, n: int, below: np.ndarray
    ) -> dict[str, np.ndarray]:
        """The columns of ``n`` events."""
        cell = pick(rng, below, n, ordered=True)
        row, part = np.divmod(cell, self.counts.shape[1])
        energy = self._energy(rng, row, part)
        time = self.times.draw(rng, n)
        first, second = self._place(rng, part)
        if self.is_round:
            right, up = np.sin(first) * np.cos(second), np.sin(first) * np.sin(second)
            first, second = np.arctan2(right, np.cos(first)), np.arcsin(up)
        lon, lat = np.rad2deg(first), np.rad2deg(second)
        ra, dec = to_lonlat(self.field.to_sky(lon, lat, self.alignment, time))
        nothing = np.full(n, np.nan)
        return {
            "TIME": time, "RA": ra, "DEC": dec, "ENERGY": energy,
            "ENERGY_TRUE": nothing, "RA_TRUE": nothing, "DEC_TRUE": nothing,
        }  # fmt: skip

    def _energy(self, rng: np.random.Generator, row: Any, part: Any) -> np.ndarray:
        """Energies between two nodes, from the power law through their rates."""
        low, high = self.energy[row], self.energy[row + 1]
        width = np.log(high / low)
        power = np.log(self.rate[row + 1, part] * high / (self.rate[row, part] * low))
        flat = np.abs(power) < 1e-6
        safe = np.where(flat, 1.0, power)
        u = rng.random(row.size)
        place = np.where(flat, u, np.log1p(u * np.expm1(safe)) / safe)
        return low * np.exp(width * place)

    def _place(self, rng: np.random.Generator, part: Any) -> tuple[np.ndarray, np.ndarray]:
        """Places in parts, in radians: even in longitude and in the sine of the latitude."""
        column, line = np.divmod(part, self.edges[1].size - 1)
        first, second = (np.deg2rad(edges) for edges in self.edges)
        u, v = rng.random((2, part.size))
        if self.is_round:
            low, high = np.cos(first[column]), np.cos(first[column + 1])
            # 1 - cos, so that nothing is lost near the middle
            grown = 2 * np.sin(first[column] / 2) ** 2 + u * (low - high)
            return 2 * np.arcsin(np.sqrt(grown / 2)), second[0] + v * (second[1] - second[0])
        low, high = np.sin(second[line]), np.sin(second[line + 1])
        lon = first[column] + u * (first[column + 1] - first[column])
        return lon, np.arcsin(low + v * (high - low))


def _parts(edges: np.ndarray) -> np.ndarray:
    """Edges with others between them."""
    number = np.arange(FINER * (edges.size - 1) + 1) / FINER
    return np.interp(number, np.arange(edges.size), edges)


@eqx.filter_jit
def _rates(bkg: Any, energy: Any, places: Any, factor: Any) -> tuple[Any, Any]:
    """The rate at energies and places, and its integral from each energy to the next.

    Beyond its outermost nodes a table goes on as a line of its logarithm, which from a zero
    leads anywhere: what grows there by more than ``STEEPEST`` is held instead.
    """
    rate = bkg.value_grid(energy, *places)
    ends = ((axis.center[0], axis.center[-1]) for axis in bkg.axes)
    inside = [jnp.clip(x, *end) for x, end in zip((energy, *places), ends, strict=True)]
    held = bkg.value_grid(*inside)
    rate = jnp.where(rate > STEEPEST * held, held, rate)
    if factor is not None:
        rate = rate * factor.evaluate(energy)[:, None]
    return rate, integrate_power_laws(energy[:, None], rate)


def factor_of(component: Any) -> Any:
    """The factor of a component that scales the background."""
    if component.spatial_model is not None:
        raise ValueError(
            f"component {component.name!r}: scales the background over the field with "
            f"{type(component.spatial_model).__name__}, and events are drawn with a factor of "
            "energy alone; leave the spatial_model out"
        )
    return component.spectral_model


def check_factor(component: Any, background: Background) -> None:
    """Raise if a factor is negative where the background is."""
    values = np.asarray(call(component.spectral_model, "evaluate", background.energy))
    if not (np.isfinite(values).all() and values.min() >= 0):
        raise ValueError(
            f"component {component.name!r}: its factor is {values.min():.3g} within the "
            "energies of the background, expected a finite number that is not below 0"
        )
