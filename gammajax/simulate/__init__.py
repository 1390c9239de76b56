"""Simulation: events and counts drawn from models, and a telescope given by formulas."""

from gammajax.simulate.binned import MapDatasetEventSampler
from gammajax.simulate.counts import fake_counts
from gammajax.simulate.events import ObservationEventSampler
from gammajax.simulate.on_off import simulate_on_off
from gammajax.simulate.response import TelescopeResponse

__all__ = [
    "MapDatasetEventSampler",
    "ObservationEventSampler",
    "TelescopeResponse",
    "fake_counts",
    "simulate_on_off",
]
