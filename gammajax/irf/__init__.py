"""Instrument responses."""

from gammajax.irf.edisp import EDispKernel

__all__ = ["EDispKernel"]
