r"""A set of responses given by formulas, for demos and tests that need no file.

It belongs to no instrument; its numbers have the size of an array of Cherenkov telescopes.
With energies E in TeV and the offset :math:`\theta` in deg, the acceptance of the field is
:math:`f(\theta) = \exp(-\theta^2 / 2 w^2)` with w = 2 deg, and

.. math::
    A(E, \theta) &= A_0 \, \frac{E^{0.45}}{1 + (E_t / E)^4} \, f(\theta)

    r(E, \theta) &= r_0 \, E^{-0.2} \, \sqrt{1 + (\theta / 2)^2}

    \ln \mu &\sim N(b, s)

    B(E, \theta) &= B_0 \, E^{-2.7} \, f(\theta)

where r is the width of the point spread function, per axis, mu the ratio of reconstructed and
true energy, and B a rate in s-1 TeV-1 sr-1 of the reconstructed energy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.irf.axis import GridAxis
from gammajax.irf.background import Background3D
from gammajax.irf.effective_area import EffectiveAreaTable2D
from gammajax.irf.energy_dispersion import EnergyDispersion2D
from gammajax.irf.parametric_psf import EnergyDependentMultiGaussPSF, PSFKing
from gammajax.irf.table import IRF
from gammajax.units import to_value

WIDTH = 2.0
"""w, in deg."""

GAMMA = 2.0
"""The exponent of the King profile."""


def formula_irfs(
    *,
    psf: str = "king",
    area: Any = 2.3e9,
    threshold: Any = 0.3,
    psf_width: Any = 0.06,
    resolution: float = 0.15,
    bias: float = 0.0,
    background: Any = 0.1,
    energy_edges: Any = None,
    offset_max: float = 4.0,
) -> dict[str, IRF]:
    """Effective area, energy dispersion, point spread function and background by formulas.

    Parameters
    ----------
    psf : {"king", "gauss"}
        A King profile of gamma 2, or one Gaussian.
    area : number in cm2 or `~astropy.units.Quantity`
        A_0.
    threshold : number in TeV or `~astropy.units.Quantity`
        E_t.
    psf_width : number in deg or `~astropy.units.Quantity`
        r_0.
    resolution, bias : float
        s and b.
    background : number in s-1 TeV-1 sr-1 or `~astropy.units.Quantity`
        B_0.
    energy_edges : array in TeV, optional
        By default 12 bins a decade, from 30 GeV to 100 TeV.
    offset_max : float
        The end of the tables, in deg.

    Returns
    -------
    irfs : dict with ``aeff``, ``edisp``, ``psf`` and ``bkg``

    Examples
    --------
    >>> irfs = formula_irfs()
    >>> radius = irfs["psf"].containment_radius(fraction=0.68, energy_true=1.0, offset=0.5)
    >>> print(f"{radius:.3f}")
    0.180 deg
    """
    if psf not in ("king", "gauss"):
        raise ValueError(f"formula_irfs: psf is {psf!r}, expected 'king' or 'gauss'")
    edges = np.geomspace(0.03, 100, 43) if energy_edges is None else energy_edges
    true = GridAxis.from_edges(edges, "energy_true", "TeV", "log")
    reco = GridAxis.from_edges(edges, "energy", "TeV", "log")
    offset = GridAxis.from_nodes(np.linspace(0, offset_max, 9), "offset", "deg")
    energy = true.center[:, None]
    field = np.exp(-(offset.center**2) / (2 * WIDTH**2))
    a_0 = to_value(area, "cm2", where="area")
    e_t = to_value(threshold, "TeV", where="threshold")
    effective = a_0 * energy**0.45 / (1 + (e_t / energy) ** 4) * field
    width = to_value(psf_width, "deg", where="psf_width") * energy**-0.2
    width = width * np.sqrt(1 + (offset.center / 2) ** 2)
    b_0 = to_value(background, "s-1 TeV-1 sr-1", where="background")
    return {
        "aeff": EffectiveAreaTable2D((true, offset), effective),
        "edisp": _log_normal(true, offset, resolution, bias),
        "psf": _psf(psf, true, offset, width),
        "bkg": _background(reco, b_0, offset_max),
    }


def _log_normal(energy: GridAxis, offset: GridAxis, s: float, b: float) -> EnergyDispersion2D:
    """The law averaged over bins of mu, so that its integral is right for any width."""
    from scipy.special import ndtr

    migra = GridAxis.from_edges(np.geomspace(0.2, 5, 161), "migra")
    step = np.diff(ndtr((np.log(migra.edges) - b) / s)) / np.diff(migra.edges)
    shape = (energy.nbin, migra.nbin, offset.nbin)
    return EnergyDispersion2D(
        (energy, migra, offset), np.broadcast_to(step[:, None], shape).copy()
    )


def _psf(kind: str, energy: GridAxis, offset: GridAxis, width: np.ndarray) -> IRF:
    if kind == "king":
        return PSFKing((energy, offset), [np.full(width.shape, GAMMA), width])
    scale = 1 / (2 * np.pi * np.deg2rad(width) ** 2)
    nothing = np.zeros(width.shape)
    tables = [scale, width, nothing, nothing, nothing, nothing]
    return EnergyDependentMultiGaussPSF((energy, offset), tables)


def _background(energy: GridAxis, b_0: Any, offset_max: float) -> Background3D:
    edges = np.linspace(-offset_max, offset_max, 41)
    lon = GridAxis.from_edges(edges, "fov_lon", "deg")
    lat = GridAxis.from_edges(edges, "fov_lat", "deg")
    square = lon.center[:, None] ** 2 + lat.center**2
    rate = b_0 * energy.center[:, None, None] ** -2.7 * np.exp(-square / (2 * WIDTH**2))
    return Background3D((energy, lon, lat), rate)
