"""Observations: events, good time intervals, pointing, and the folders that hold them."""

from gammajax.data.events import EventList
from gammajax.data.gti import GTI
from gammajax.data.times import TimeReference

__all__ = ["GTI", "EventList", "TimeReference"]
