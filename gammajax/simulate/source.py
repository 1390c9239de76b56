r"""Drawing the events of one source in one run.

The rate of events in true energy, direction and time is

.. math:: \frac{dN}{dE \, d\Omega \, dt} = \epsilon \, \phi(E) \, f(\Omega; E) \, g(t) \,
          A(E, \theta(\Omega, t))

with the live share of the time, the models, and the effective area at the offset. Events are
drawn with the largest area that the source meets at each energy, and kept as often as the
area at their own offset says; then the point spread function moves them, and the dispersion
changes their energy, each at the true energy and offset.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from gammajax.data import Observation
from gammajax.irf import GridAxis
from gammajax.irf.table import IRF
from gammajax.models import SkyModel, SpatialModel
from gammajax.models.spectral.evaluation import call
from gammajax.simulate.energies import directions
from gammajax.simulate.field import Field, moved, to_lonlat
from gammajax.simulate.laws import Grid, Laws, Line
from gammajax.simulate.times import Times

NODES = 4096
"""Energies at which a spectrum is worked out."""

STEP = 0.1, 0.25
"""Steps of ln(energy) and of offset (deg) between laws of the point spread function."""

RADII = np.concatenate([[0.0], np.geomspace(1e-4, 180, 800)])
"""Edges of the rings, in deg, over which a point spread function is constant."""


@dataclass(frozen=True, eq=False)
class Source:
    """What the events of a component in one run are drawn from."""

    component: SkyModel
    field: Field
    times: Times
    directions: Any
    spectrum: Line
    grid: Grid
    area: np.ndarray
    psf: Laws | None
    edisp: Laws | None

    @classmethod
    def of(cls, component: SkyModel, field: Field) -> Source:
        """All tables of a component in a run.

        Raises
        ------
        ValueError
            If the component has no place on the sky or no events, or the run lacks a
            response.
        """
        run = field.observation
        spatial = _checked(component)
        aeff = table(run, "aeff")
        axis, largest = aeff.axis("energy_true"), float(aeff.axis("offset").edges_max[-1])
        bounds = float(axis.edges_min[0]), float(axis.edges_max[-1])
        radius = np.deg2rad(min(largest + field.drift, 180.0))
        drawn = directions(spatial, field.middle, radius, bounds)
        low, high = drawn.span(field.middle)
        span = max(low - field.drift, 0.0), min(high + field.drift, largest)
        if field.drift == 0 and high == low:
            span = low, low
        grid = Grid(np.log(nodes(axis)), offsets(aeff.axis("offset"), *span))
        area = _on(grid, aeff)
        psf = _psf(run, span) if component.irf_applies("psf") else None
        edisp = _edisp(run, span) if component.irf_applies("edisp") else None
        spectrum = _spectrum(component, drawn, grid, area)
        times = Times.of(component.temporal_model, run.gti, component.name)
        return cls(component, field, times, drawn, spectrum, grid, area, psf, edisp)

    @property
    def expected(self) -> float:
        """How many events are drawn in the mean, before some are left out."""
        live = 1 - self.field.observation.dead_time_fraction
        return live * self.times.total * float(self.spectrum.parts.sum())

    def draw(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        """The columns of the events that are left of ``n``."""
        log_energy = self.spectrum.draw(rng, n)
        true, kept = self.directions.draw(rng, log_energy)
        time = self.times.draw(rng, n)
        if self.grid.offset.size == 1:
            offset: Any = self.grid.offset[0]
        else:
            offset = self.field.offset(true, time)
            seen = self._seen(rng, log_energy, offset)
            kept = seen if kept is None else kept & seen
        if kept is not None:
            log_energy, true, time = log_energy[kept], true[:, kept], time[kept]
            offset = offset if np.ndim(offset) == 0 else offset[kept]
        return self._detected(rng, log_energy, true, time, offset)

    def _seen(self, rng: np.random.Generator, log_energy: Any, offset: Any) -> np.ndarray:
        """Which events the area at their offset leaves of those at the largest one."""
        area = self.grid.at(self.area, log_energy, offset)
        most = np.interp(log_energy, self.grid.log_energy, self.area.max(axis=1))
        inside = offset <= self.grid.offset[-1]
        return inside & (rng.random(log_energy.size) * most < area)

    def _detected(
        self, rng: np.random.Generator, log_energy: Any, true: Any, time: Any, offset: Any
    ) -> dict[str, np.ndarray]:
        """Columns of events after point spread function and dispersion."""
        n = log_energy.size
        energy_true = np.exp(log_energy)
        there, found, energy = np.ones(n, dtype=bool), true, energy_true
        if self.psf is not None:
            distance, known = self.psf.draw(rng, log_energy, offset)
            found = moved(true, distance, 2 * np.pi * rng.random(n))
            there = there & known
        if self.edisp is not None:
            ratio, known = self.edisp.draw(rng, log_energy, offset)
            energy = energy_true * ratio
            there = there & known
        ra, dec = to_lonlat(found)
        ra_true, dec_true = to_lonlat(true)
        columns = {
            "TIME": time, "RA": ra, "DEC": dec, "ENERGY": energy,
            "ENERGY_TRUE": energy_true, "RA_TRUE": ra_true, "DEC_TRUE": dec_true,
        }  # fmt: skip
        if there.all():
            return columns
        return {name: column[there] for name, column in columns.items()}


def table(observation: Observation, part: str) -> Any:
    """A response of a run that is a table of the field of view.

    Raises
    ------
    ValueError
        If it has none, or one that is a map, or one that is cut to a region.
    """
    found = getattr(observation, part)
    where = f"run {observation.obs_id}: its {part}"
    if not isinstance(found, IRF):
        raise ValueError(
            f"{where} is a {type(found).__name__}, a map of the sky, and events are drawn from "
            "tables of the field of view"
        )
    if found.point_like:
        raise ValueError(
            f"{where} is point-like, cut to a region around a source; events of the whole "
            "field are drawn from full-enclosure responses"
        )
    return found


def nodes(axis: GridAxis) -> np.ndarray:
    """The nodes of an axis, and its outermost edges: lines lie between them."""
    ends = [axis.edges_min[0], axis.edges_max[-1]]
    return np.unique(np.concatenate([ends[:1], axis.center, ends[1:]]))


def offsets(axis: GridAxis, low: float, high: float) -> np.ndarray:
    """The nodes of an axis of offset between two offsets, which are nodes as well."""
    known = nodes(axis)
    return np.unique([low, *known[(known > low) & (known < high)], high])


def _finer(x: np.ndarray, step: float) -> np.ndarray:
    """Nodes, and others between them so that no step is larger."""
    if x.size == 1:
        return x
    parts = [
        np.linspace(low, high, int(np.ceil((high - low) / step)) + 1)[:-1]
        for low, high in pairwise(x)
    ]
    return np.append(np.concatenate(parts), x[-1])


def _on(grid: Grid, irf: Any, **more: Any) -> np.ndarray:
    """A table on a grid, shape (energy, offset, ...)."""
    extra = len(more)
    places = {
        "energy_true": np.exp(grid.log_energy).reshape((-1, 1) + (1,) * extra),
        "offset": grid.offset.reshape((-1,) + (1,) * extra),
    }
    # the ends of ln(energy) must not fall out of the table by rounding
    axis = irf.axis("energy_true")
    places["energy_true"] = np.clip(
        places["energy_true"], axis.edges_min[0], axis.edges_max[-1]
    )
    return np.asarray(irf.evaluate(**places, **more).value)


def _psf(run: Observation, span: tuple[float, float]) -> Laws:
    """Laws of the distance in deg."""
    psf = table(run, "psf")
    grid = Grid(
        _finer(np.log(nodes(psf.axis("energy_true"))), STEP[0]),
        _finer(offsets(psf.axis("offset"), *span), STEP[1]),
    )
    largest = float(psf.largest_rad())
    known = nodes(psf.axis("rad")) if "rad" in [axis.name for axis in psf.axes] else []
    edges = np.unique([*RADII[largest > RADII], *known, largest])
    middle = np.sqrt((edges[1:] ** 2 + edges[:-1] ** 2) / 2)
    density = _on(grid, psf, rad=middle)
    return Laws(grid, edges, density * np.diff(edges**2), power=2)


def _edisp(run: Observation, span: tuple[float, float]) -> Laws:
    """Laws of the ratio of reconstructed and true energy."""
    edisp = table(run, "edisp")
    migra = edisp.axis("migra")
    grid = Grid(np.log(nodes(edisp.axis("energy_true"))), offsets(edisp.axis("offset"), *span))
    width = migra.edges_max - migra.edges_min
    return Laws(grid, migra.edges, _on(grid, edisp, migra=migra.center) * width)


def _spectrum(component: SkyModel, drawn: Any, grid: Grid, area: np.ndarray) -> Line:
    """Events per second and ln(energy), at the largest area."""
    first, last = grid.log_energy[0], grid.log_energy[-1]
    breaks = call(component.spectral_model, "breaks")
    inner = [] if breaks is None else np.log(np.asarray(breaks))
    at = np.unique([*np.linspace(first, last, NODES), *grid.log_energy, *inner])
    at = at[(at >= first) & (at <= last)]
    flux = np.asarray(call(component.spectral_model, "evaluate", np.exp(at)))
    if not (np.isfinite(flux).all() and flux.min() >= 0):
        worst = float(np.exp(at[np.argmin(np.where(np.isfinite(flux), flux, -np.inf))]))
        raise ValueError(
            f"component {component.name!r}: its spectrum is {flux.min():.3g} at "
            f"{worst:.3g} TeV, expected a finite flux that is not below 0"
        )
    most = np.interp(at, grid.log_energy, area.max(axis=1))
    return Line(at, np.exp(at) * flux * most * drawn.factor(at))


def _checked(component: SkyModel) -> SpatialModel:
    """The spatial model of a component that has events."""
    where = f"component {component.name!r}"
    if component.spatial_model is None:
        raise ValueError(f"{where}: has no spatial_model, which says where its events are")
    if component.spatial_model.per_pixel:
        raise ValueError(
            f"{where}: {type(component.spatial_model).__name__} is a flux in each pixel of a "
            "map, and events have no pixels; take a ConstantSpatialModel"
        )
    if not component.irf_applies("exposure"):
        raise ValueError(
            f"{where}: its flux does not pass the effective area (apply_irf), so it has no "
            "events; leave the flag out"
        )
    return component.spatial_model
