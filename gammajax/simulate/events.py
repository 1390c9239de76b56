"""Events of runs, drawn from models and responses."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gammajax.config import require_x64
from gammajax.data import EventList, Observation, Observations
from gammajax.models import FoVBackgroundModel, Models, SkyModel
from gammajax.simulate.background import Background, check_factor, factor_of
from gammajax.simulate.field import Field
from gammajax.simulate.source import Source

CHUNK = 1 << 17
"""Events that are drawn at a time; each such draw has a stream of random numbers of its own."""


@dataclass(frozen=True)
class ObservationEventSampler:
    """Draw the events of runs from models of the sky and the responses of the runs.

    Events have true energies, directions and times from the models, seen by the effective
    area at their own offset; the point spread function moves them and the energy dispersion
    changes their energy, each at the true energy and offset of the event. No map is involved
    and nothing is binned. Sources that change with time follow their exact integrals.

    Parameters
    ----------
    seed : int
        The same seed draws the same events, whatever the number of processors. Each run
        draws from a stream of its own, which its number decides.
    background : bool
        Whether to draw the background of the runs.
    keep_truth : bool
        Whether events keep their true energy and direction: columns ENERGY_TRUE, RA_TRUE and
        DEC_TRUE, not a number for background events.

    Examples
    --------
    >>> from gammajax.data import GTI, Observation, Pointing
    >>> from gammajax.irf import formula_irfs
    >>> from gammajax.models import PointSpatialModel, PowerLawSpectralModel, SkyModel
    >>> crab = SkyModel(
    ...     PowerLawSpectralModel(index=2.6, amplitude="3.5e-11 cm-2 s-1 TeV-1"),
    ...     PointSpatialModel("83.63 deg", "22.01 deg"),
    ...     name="crab",
    ... )
    >>> run = Observation.create(
    ...     1, pointing=Pointing(ra=83.63, dec=22.51), gti=GTI([0], [1800]), irfs=formula_irfs()
    ... )
    >>> seen = ObservationEventSampler(seed=1).run(run, crab)
    >>> sorted(seen.events.columns)[:4]
    ['DEC', 'DEC_TRUE', 'ENERGY', 'ENERGY_TRUE']
    >>> bool(np.isin(seen.events.column("MC_ID"), [0, 1]).all())
    True
    """

    seed: int = 0
    background: bool = True
    keep_truth: bool = True

    def run(
        self, observation: Observation, models: Any = None, dataset_name: str = ""
    ) -> Observation:
        """The run with its events drawn.

        Parameters
        ----------
        observation : `~gammajax.data.Observation`
            With good times, pointing and full-enclosure responses; its own events are
            replaced.
        models : `~gammajax.models.Models` or components, optional
            Components of other datasets, by their ``datasets_names``, are passed over.
        dataset_name : str
            The name that ``datasets_names`` are compared with; by default the number of the
            run.

        Returns
        -------
        observation : `~gammajax.data.Observation`
            Its events have the number of their component in MC_ID, from 1 on and 0 for the
            background; the header has the names (MMN00001).

        Raises
        ------
        ValueError
            If a response is missing or of a kind that no events can be drawn from, or a
            component has no events.
        """
        require_x64("ObservationEventSampler")
        name = dataset_name or str(observation.obs_id)
        chosen = _chosen(models, name)
        field = Field.of(observation)
        streams = np.random.SeedSequence([self.seed, observation.obs_id]).spawn(len(chosen) + 1)
        parts, names = [], {}
        scales = [c for _, c in chosen if isinstance(c, FoVBackgroundModel)]
        if self.background:
            parts.append((0, _background(field, scales, streams[0])))
            names[0] = scales[0].name if scales else "background"
        for stream, (number, component) in zip(streams[1:], chosen, strict=True):
            if isinstance(component, SkyModel):
                parts.append((number, _source(component, field, stream)))
                names[number] = component.name
        events = self._events(parts, names, observation)
        return _with_events(observation, events)

    def run_all(self, observations: Iterable[Observation], models: Any = None) -> Observations:
        """All runs with their events drawn; see `run`."""
        return Observations([self.run(one, models) for one in observations])

    def _events(
        self, parts: list[tuple[int, Any]], names: dict[int, str], run: Observation
    ) -> EventList:
        """One list, in the order of time."""
        columns: dict[str, np.ndarray] = {}
        pieces = [(number, piece) for number, found in parts for piece in found]
        keys = ["TIME", "RA", "DEC", "ENERGY"]
        keys += ["ENERGY_TRUE", "RA_TRUE", "DEC_TRUE"] if self.keep_truth else []
        first = [piece["TIME"] for _, piece in pieces]
        time = np.concatenate(first) if first else np.zeros(0)
        order = np.argsort(time)
        columns["EVENT_ID"] = np.arange(1, order.size + 1)
        for key in keys:
            values = [piece[key] for _, piece in pieces]
            columns[key] = np.concatenate(values)[order] if values else np.zeros(0)
        numbers = [np.full(piece["TIME"].size, number, np.int32) for number, piece in pieces]
        columns["MC_ID"] = np.concatenate(numbers)[order] if numbers else np.zeros(0, np.int32)
        meta = {f"MID{number:05d}": number for number in names}
        meta |= {f"MMN{number:05d}": text for number, text in names.items()}
        meta |= {"OBJECT": run.info["OBJECT"]} if "OBJECT" in run.info else {}
        units = {"ENERGY_TRUE": "TeV", "RA_TRUE": "deg", "DEC_TRUE": "deg"}
        units = {key: unit for key, unit in units.items() if key in columns}
        return EventList(columns, units, run.gti.reference, meta)


def _chosen(models: Any, name: str) -> list[tuple[int, Any]]:
    """The components of a run with their numbers."""
    models = models if isinstance(models, Models) else Models(() if models is None else models)
    chosen = [(i, c) for i, c in enumerate(models, 1) if c.folds_into(name)]
    for _, component in chosen:
        if not isinstance(component, SkyModel | FoVBackgroundModel):
            raise ValueError(
                f"component {component.name!r} is a {type(component).__name__}, counts in the "
                "bins of a map; events are drawn from SkyModel and FoVBackgroundModel"
            )
    scales = [c.name for _, c in chosen if isinstance(c, FoVBackgroundModel)]
    if len(scales) > 1:
        raise ValueError(
            f"components {', '.join(scales)} all scale the background of {name!r}, expected one"
        )
    return chosen


def _background(field: Field, scales: list[Any], stream: Any) -> list[dict[str, np.ndarray]]:
    factor = factor_of(scales[0]) if scales else None
    drawn = Background.of(field, factor)
    if scales:
        check_factor(scales[0], drawn)
    below = drawn.cells()
    return _chunks(drawn.expected, lambda rng, n: drawn.draw(rng, n, below), stream)


def _source(component: Any, field: Field, stream: Any) -> list[dict[str, np.ndarray]]:
    source = Source.of(component, field)
    return _chunks(source.expected, source.draw, stream)


def _chunks(expected: float, draw: Any, stream: Any) -> list[dict[str, np.ndarray]]:
    """A Poisson number of events, drawn in chunks side by side."""
    first, *_ = stream.spawn(1)
    total = int(np.random.default_rng(first).poisson(expected))
    sizes = [min(CHUNK, total - start) for start in range(0, total, CHUNK)]
    jobs = list(zip(stream.spawn(len(sizes)), sizes, strict=True))

    def make(job: tuple[Any, int]) -> dict[str, np.ndarray]:
        return draw(np.random.Generator(np.random.SFC64(job[0])), job[1])

    if len(jobs) < 2:
        return [make(job) for job in jobs]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(make, jobs))


def _with_events(run: Observation, events: EventList) -> Observation:
    """A run with other events; all else is as it was, in files or in memory."""
    places = {part: place for part, place in run.places.items() if part != "events"}
    kept = {
        "gti": run.gti, "pointing": run.pointing, "events": events,
        "dead_time_fraction": run.dead_time_fraction, "energy_range": run.energy_range,
    }  # fmt: skip
    return replace(run, places=places, parts={**run.parts, **kept})
