"""Simulation: a telescope given by formulas, and observations drawn with it."""

from gammajax.simulate.on_off import simulate_on_off
from gammajax.simulate.response import TelescopeResponse

__all__ = ["TelescopeResponse", "simulate_on_off"]
