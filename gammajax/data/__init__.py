"""Observations: events, good time intervals, pointing, and the folders that hold them."""

from gammajax.data.events import EventList
from gammajax.data.flux_norms import FluxNorms
from gammajax.data.flux_points import FluxPoints
from gammajax.data.flux_points_io import read_flux_points, write_flux_points
from gammajax.data.fov import fov_axes, fov_coordinates
from gammajax.data.gti import GTI
from gammajax.data.light_curve import LightCurve
from gammajax.data.light_curve_io import read_light_curve, write_light_curve
from gammajax.data.observation import Observation, Observations, Place
from gammajax.data.pointing import Pointing
from gammajax.data.pointing_table import PointingTable
from gammajax.data.store import DataStore
from gammajax.data.times import TimeReference
from gammajax.data.write import write_dl3

__all__ = [
    "GTI",
    "DataStore",
    "EventList",
    "FluxNorms",
    "FluxPoints",
    "LightCurve",
    "Observation",
    "Observations",
    "Place",
    "Pointing",
    "PointingTable",
    "TimeReference",
    "fov_axes",
    "fov_coordinates",
    "read_flux_points",
    "read_light_curve",
    "write_dl3",
    "write_flux_points",
    "write_light_curve",
]
