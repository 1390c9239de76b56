"""The background of a pulsar, measured in other phases."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from gammajax.data import EventList, Observation
from gammajax.datasets import MapDataset, MapDatasetOnOff, SpectrumDataset, SpectrumDatasetOnOff
from gammajax.makers.maps import MapDatasetMaker
from gammajax.makers.region import Aperture, region_of
from gammajax.makers.spectrum import make_counts
from gammajax.maps import Map


@dataclass(frozen=True)
class PhaseBackgroundMaker:
    """Measure the background of a pulsed source in phases where it does not shine.

    The counts become those of the on phases. The exposure stays, so that a flux is the mean
    over the whole period.

    Parameters
    ----------
    on_phase, off_phase : tuple of float, or list of such tuples
        Ranges of phase from 0 to 1; (0.9, 0.1) goes through 1.
    phase_column_name : str

    Raises
    ------
    ValueError
        If a range is empty or not within 0 and 1, or ranges overlap.

    Examples
    --------
    >>> from gammajax.makers import PhaseBackgroundMaker
    >>> maker = PhaseBackgroundMaker(on_phase=[(0.9, 0.1), (0.4, 0.5)], off_phase=(0.6, 0.8))
    >>> round(maker.acceptance, 6), round(maker.acceptance_off, 6)
    (0.3, 0.2)
    """

    on_phase: Any
    off_phase: Any
    phase_column_name: str = "PHASE"

    def __post_init__(self) -> None:
        for name in ("on_phase", "off_phase"):
            object.__setattr__(self, name, _ranges(getattr(self, name), name))
        stretches = sorted(part for r in (*self.on_phase, *self.off_phase) for part in _cut(r))
        for before, after in pairwise(stretches):
            if after[0] < before[1] - 1e-12:
                raise ValueError(
                    f"PhaseBackgroundMaker: on_phase {self.on_phase} and off_phase "
                    f"{self.off_phase} overlap around {after[0]:g}"
                )

    @property
    def acceptance(self) -> float:
        """The part of the period that is on."""
        return sum(high - low for r in self.on_phase for low, high in _cut(r))

    @property
    def acceptance_off(self) -> float:
        """The part of the period that is off."""
        return sum(high - low for r in self.off_phase for low, high in _cut(r))

    def run(
        self, dataset: SpectrumDataset | MapDataset, observation: Observation
    ) -> SpectrumDatasetOnOff | MapDatasetOnOff:
        """The dataset with the counts of the on phases, and those of the off phases.

        Parameters
        ----------
        dataset : `~gammajax.datasets.SpectrumDataset` or `~gammajax.datasets.MapDataset`
        observation : `~gammajax.data.Observation`
            Its events have a column of phases.

        Raises
        ------
        ValueError
            If they have none.
        """
        on, off = (
            observation.with_events(self._select(observation, ranges))
            for ranges in (self.on_phase, self.off_phase)
        )
        meta = {**dataset.meta, "on_phase": self.on_phase, "off_phase": self.off_phase}
        if isinstance(dataset, SpectrumDataset):
            return self._spectrum(dataset, on, off, meta)
        make = MapDatasetMaker.make_counts
        return MapDatasetOnOff.from_map_dataset(
            dataset.replace(counts=make(dataset.geom, on), meta=meta),
            counts_off=make(dataset.geom, off),
            acceptance=self.acceptance,
            acceptance_off=Map.from_geom(dataset.geom, data=self.acceptance_off),
        )

    def _spectrum(self, dataset: Any, on: Observation, off: Observation, meta: Any) -> Any:
        names = ("name", "energy", "energy_true", "exposure", "edisp", "mask_safe", "mask_fit",
                 "livetime", "gti")  # fmt: skip
        region = region_of(dataset)
        return SpectrumDatasetOnOff(
            **{name: getattr(dataset, name) for name in names},
            counts=make_counts(Aperture(region, on), dataset.energy),
            counts_off=make_counts(Aperture(region, off), dataset.energy),
            acceptance=self.acceptance,
            acceptance_off=self.acceptance_off,
            meta=meta,
        )

    def _select(self, observation: Observation, ranges: Any) -> EventList:
        events = observation.events
        if self.phase_column_name not in events.columns:
            raise ValueError(
                f"run {observation.obs_id}: its events have no column "
                f"{self.phase_column_name!r}, the phases; add it with a pulsar timing code "
                "(PINT, tempo2), or give its name as phase_column_name"
            )
        phase = np.mod(np.asarray(events.column(self.phase_column_name), dtype=float), 1.0)
        inside = np.zeros(len(events), dtype=bool)
        for low, high in (part for r in ranges for part in _cut(r)):
            inside |= (phase >= low) & (phase < high)
        return events.select_mask(inside)


def _ranges(value: Any, name: str) -> tuple[tuple[float, float], ...]:
    """One or several ranges of phase, checked."""
    array = np.atleast_2d(np.asarray(value, dtype=float))
    good = array.ndim == 2 and array.shape[1] == 2 and array.size
    if not good or np.any(~((array >= 0) & (array <= 1))) or np.any(array[:, 0] == array[:, 1]):
        raise ValueError(
            f"PhaseBackgroundMaker: {name} is {value!r}, expected a pair of different phases "
            "from 0 to 1, or a list of pairs"
        )
    return tuple((float(low), float(high)) for low, high in array)


def _cut(phases: tuple[float, float]) -> list[tuple[float, float]]:
    """A range in parts that do not go through 1."""
    low, high = phases
    parts = [(low, high)] if low < high else [(low, 1.0), (0.0, high)]
    return [part for part in parts if part[0] < part[1]]
