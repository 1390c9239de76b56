"""Counts cubes of the Fermi-LAT from the files of its tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gammajax.data import GTI
from gammajax.fits import FitsFile
from gammajax.irf.edisp import EDispKernel
from gammajax.irf.edisp_map import EDispKernelMap
from gammajax.irf.fermi import FermiPSF
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom


def fermi_fields(
    counts: Any, exposure: Any, psf: Any, edisp: Any, energy_true: MapAxis | None
) -> dict[str, Any]:
    """The fields of a dataset; see `MapDataset.from_fermi`."""
    cube, gti = _counts(counts)
    energy = cube.geom.axes["energy"]
    true = energy.rename("energy_true") if energy_true is None else energy_true
    sent = _exposure(exposure, true, cube.geom)
    if edisp is None:
        edisp = EDispKernel.from_diagonal(true, energy)
    if isinstance(edisp, EDispKernel):
        # the mean of its map is enough to weigh it in stacks
        weight = sent.data.mean(axis=tuple(range(1, sent.data.ndim)))
        edisp = EDispKernelMap.from_kernel(edisp, exposure=weight, frame=cube.geom.frame)
    return {
        "counts": cube,
        "exposure": sent,
        "psf": _spread(psf, cube.geom.frame),
        "edisp": edisp,
        "gti": gti,
    }


def _counts(given: Any) -> tuple[Map, GTI | None]:
    """The counts cube, and the good times if it is a file that has them."""
    cube = given if isinstance(given, Map) else Map.read(given)
    gti = None
    if not isinstance(given, Map) and "GTI" in FitsFile(given).names:
        gti = GTI.read(given)
    if cube.geom.axes.names != ("energy",):
        raise ValueError(
            f"from_fermi: counts have the axes {cube.geom.axes.names}, expected one, 'energy' "
            "(a file of gtbin with a table EBOUNDS)"
        )
    return cube.with_data(np.asarray(cube.data, dtype=np.float64)), gti


def _exposure(given: Any, true: MapAxis, geom: Any) -> Map:
    """The exposure at the centres of true energy bins, on its own pixels.

    Between its nodes it is a power law. HEALPix pixels become those of the counts.
    """
    cube: Any = given if isinstance(given, Map) else Map.read(given)
    if cube.geom.axes.names != ("energy_true",):
        raise ValueError(
            f"from_fermi: exposure has the axes {cube.geom.axes.names}, expected one, "
            "'energy_true' (a file of gtexpcube2 with a table ENERGIES)"
        )
    cube = cube.to_unit("cm2 s")
    nodes = cube.geom.axes["energy_true"]
    low, high = nodes.center[[0, -1]] * np.array([1 - 1e-6, 1 + 1e-6])
    if true.center[0] < low or true.center[-1] > high:
        raise ValueError(
            f"from_fermi: exposure is known from {low:.4g} to {high:.4g} TeV, and the bins of "
            f"true energy have centres from {true.center[0]:.4g} to {true.center[-1]:.4g} TeV"
        )
    place = np.interp(np.log(true.center), np.log(nodes.center), np.arange(nodes.nbin))
    first = np.minimum(place.astype(int), max(nodes.nbin - 2, 0))
    data = np.asarray(cube.data, dtype=np.float64)
    shape = (-1, *[1] * (data.ndim - 1))
    share = (place - first).reshape(shape)
    below, above = data[first], data[np.minimum(first + 1, nodes.nbin - 1)]
    seen = (below > 0) & (above > 0)
    ratio = np.divide(above, below, out=np.ones_like(below), where=seen)
    values = np.where(seen, below * ratio**share, 0.0)
    found = Map.from_geom(cube.geom.to_image().to_cube([true]), data=values, unit="cm2 s")
    if isinstance(cube.geom, WcsGeom):
        return found
    return found.interp_to_geom(geom.to_image().to_cube([true]))


def _spread(given: Any, frame: str) -> PSFMap | None:
    if given is None or isinstance(given, PSFMap):
        return given
    psf = given if isinstance(given, FermiPSF) else FermiPSF.read(Path(given))
    return psf.to_psf_map(frame=frame)
