"""Instrument responses.

Tables and their interpolation use JAX; they are loaded when they are first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gammajax.irf.edisp import EDispKernel

if TYPE_CHECKING:
    from gammajax.irf.axis import GridAxis
    from gammajax.irf.background import Background2D, Background3D
    from gammajax.irf.edisp_map import EDispKernelMap, EDispMap
    from gammajax.irf.effective_area import EffectiveAreaTable2D
    from gammajax.irf.energy_dispersion import EnergyDispersion2D
    from gammajax.irf.fermi import FermiPSF
    from gammajax.irf.formulas import formula_irfs
    from gammajax.irf.gadf import read_irf, write_irfs
    from gammajax.irf.interpolation import interpolate
    from gammajax.irf.map_stacking import stack_irf_maps
    from gammajax.irf.parametric_psf import (
        EnergyDependentMultiGaussPSF,
        ParametricPSF,
        PSFKing,
    )
    from gammajax.irf.projection import fov_place, project_background, project_exposure
    from gammajax.irf.psf import PSF3D
    from gammajax.irf.psf_kernel import PSFKernel
    from gammajax.irf.psf_map import PSFMap, RecoPSFMap
    from gammajax.irf.rad_max import RadMax2D
    from gammajax.irf.stacking import stack_irfs
    from gammajax.irf.table import IRF

_LAZY = {
    "EDispKernelMap": "edisp_map",
    "EDispMap": "edisp_map",
    "PSFKernel": "psf_kernel",
    "PSFMap": "psf_map",
    "RecoPSFMap": "psf_map",
    "Background2D": "background",
    "Background3D": "background",
    "EffectiveAreaTable2D": "effective_area",
    "EnergyDependentMultiGaussPSF": "parametric_psf",
    "EnergyDispersion2D": "energy_dispersion",
    "FermiPSF": "fermi",
    "GridAxis": "axis",
    "IRF": "table",
    "PSF3D": "psf",
    "PSFKing": "parametric_psf",
    "ParametricPSF": "parametric_psf",
    "RadMax2D": "rad_max",
    "formula_irfs": "formulas",
    "fov_place": "projection",
    "interpolate": "interpolation",
    "project_background": "projection",
    "project_exposure": "projection",
    "read_irf": "gadf",
    "stack_irf_maps": "map_stacking",
    "stack_irfs": "stacking",
    "write_irfs": "gadf",
}

__all__ = [
    "EDispKernelMap",
    "EDispMap",
    "PSFKernel",
    "PSFMap",
    "RecoPSFMap",
    "IRF",
    "Background2D",
    "Background3D",
    "EDispKernel",
    "EffectiveAreaTable2D",
    "EnergyDependentMultiGaussPSF",
    "EnergyDispersion2D",
    "FermiPSF",
    "GridAxis",
    "PSF3D",
    "PSFKing",
    "ParametricPSF",
    "RadMax2D",
    "formula_irfs",
    "fov_place",
    "interpolate",
    "project_background",
    "project_exposure",
    "read_irf",
    "stack_irf_maps",
    "stack_irfs",
    "write_irfs",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"gammajax.irf.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'gammajax.irf' has no attribute {name!r}")
