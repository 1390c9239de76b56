"""Simulation: events and counts drawn from models, and a telescope given by formulas."""

from gammajax.simulate.binned import MapDatasetEventSampler
from gammajax.simulate.counts import fake_counts
from gammajax.simulate.events import ObservationEventSampler
from gammajax.simulate.lat_sky import LatLikeComponent, lat_like_datasets, lat_like_diffuse
from gammajax.simulate.on_off import simulate_on_off
from gammajax.simulate.photons import draw_photons
from gammajax.simulate.response import TelescopeResponse

__all__ = [
    "LatLikeComponent",
    "MapDatasetEventSampler",
    "ObservationEventSampler",
    "TelescopeResponse",
    "draw_photons",
    "fake_counts",
    "lat_like_datasets",
    "lat_like_diffuse",
    "simulate_on_off",
]
