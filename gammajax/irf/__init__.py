"""Instrument responses.

Tables and their interpolation use JAX; they are loaded when they are first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gammajax.irf.edisp import EDispKernel

if TYPE_CHECKING:
    from gammajax.irf.axis import GridAxis
    from gammajax.irf.interpolation import interpolate

_LAZY = {"GridAxis": "axis", "interpolate": "interpolation"}

__all__ = ["EDispKernel", "GridAxis", "interpolate"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"gammajax.irf.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'gammajax.irf' has no attribute {name!r}")
