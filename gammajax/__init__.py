"""gammajax: differentiable modelling for gamma-ray astronomy.

The public names are found here, and loaded when they are first used: ``import gammajax``
alone imports neither JAX nor astropy.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0.dev0"

_ROOMS = (
    "catalog",
    "catalog",
    "cli",
    "config",
    "data",
    "datasets",
    "fold",
    "inference",
    "irf",
    "maps",
    "models",
    "parameters",
    "plots",
    "simulate",
    "stats",
    "units",
)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"gammajax.{name}")
    raise AttributeError(f"module 'gammajax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])
