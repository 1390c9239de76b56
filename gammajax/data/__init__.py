"""Observations: events, good time intervals, pointing, and the folders that hold them."""

from gammajax.data.events import EventList
from gammajax.data.fov import fov_axes, fov_coordinates
from gammajax.data.gti import GTI
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
    "Observation",
    "Observations",
    "Place",
    "Pointing",
    "PointingTable",
    "TimeReference",
    "fov_axes",
    "fov_coordinates",
    "write_dl3",
]
