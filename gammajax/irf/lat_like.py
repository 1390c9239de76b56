r"""Responses like those of the Fermi-LAT, by formulas: for simulations that need no file.

With the true energy E, for events of all types together, averaged over the field of view:

.. math::
    A(E) &= A_0 \, \left[1 + (E_1 / E)^{1.5}\right]^{-1} \left[1 + E / E_2\right]^{-1}

    r_{68}(E) &= \sqrt{\left[c_0 \, (E / 100\,\mathrm{MeV})^{-0.8}\right]^2 + c_1^2}

    s(E) &= \sqrt{\left[d_0 \, (E / 100\,\mathrm{MeV})^{-0.5}\right]^2 + d_1^2}

A is the acceptance (effective area integrated over the field of view), r the radius that
contains 68 % of the events, and s the width of ln(reconstructed / true energy).

=============  ===============  ====================================================
number         value            what it stands for
=============  ===============  ====================================================
A_0            2.45 m2 sr       acceptance above 10 GeV (1)
E_1            250 MeV          it falls to a fifth at 100 MeV (1)
E_2            5 TeV            and by a fifth up to 1 TeV (1)
c_0            5 deg            containment at 100 MeV (1)
0.8            exponent         scaling with energy of the point spread function (2)
c_1            0.1 deg          containment above 30 GeV (1)
d_0, d_1       0.18, 0.06       widths of 19 % at 100 MeV, 8 % at 1 GeV, 6 % above (1)
=============  ===============  ====================================================

(1) rounded from the performance that the LAT collaboration publishes for the class SOURCE of
Pass 8, and in Atwood et al. 2009, ApJ 697, 1071; (2) Ackermann et al. 2012, ApJS 203, 4,
equation 34. From 10 GeV to 1 TeV the radii of 68 % agree with those of a file of the LAT tools
(Pass 8, 3FHL) to 30 %, the exposures to 10 %. It is no substitute for the responses of the
collaboration: real data want these.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.irf.edisp import EDispKernel
from gammajax.irf.edisp_map import EDispKernelMap
from gammajax.irf.psf_map import PSFMap, ring_areas
from gammajax.maps import Map, MapAxis
from gammajax.units import to_value

ACCEPTANCE, LOW, HIGH = 2.45e4, 0.25e-3, 5.0
"""A_0 in cm2 sr, E_1 and E_2 in TeV."""

RADII, SLOPE, BASE = (5.0, 0.1), 0.8, 1e-4
"""c_0 and c_1 in deg, the exponent, and 100 MeV in TeV."""

WIDTHS = (0.18, 0.06)
"""d_0 and d_1."""

ON_TIME = 0.76
"""Fraction of the time in which the LAT takes data, passages of the South Atlantic out."""

POLES = 0.15
"""How much more than the mean the poles of the equator are exposed; the equator is half as much
less. Exposures of several years vary by about this over the sky."""

GAMMA = 2.0
"""Exponent of the King profile: 95 % are within 3 times the radius of 68 %."""

WIDER, TAIL = 3.0, 0.3
"""Of the two Gaussians: ratio of the widths, and share of the wider one."""

REACH = {"king": 8.0, "gauss": 6.5}
"""Where profiles end, in radii of 68 %; what is left is normalised to 1."""

FARTHEST = 60.0
"""Where they end in any case, in deg."""

STRAY = 3.5
"""Energies are spread by at most this many widths."""


def acceptance(energy: Any) -> np.ndarray:
    """Acceptance in cm2 sr; energies in TeV or `~astropy.units.Quantity`.

    Examples
    --------
    >>> acceptance([1e-4, 1e-2]).round(-2)
    array([ 4900., 24400.])
    """
    e = to_value(energy, "TeV", where="acceptance: energy")
    return ACCEPTANCE / (1 + (LOW / e) ** 1.5) / (1 + e / HIGH)


def containment_radius(energy: Any) -> np.ndarray:
    """The radius of 68 % in deg.

    Examples
    --------
    >>> containment_radius([1e-4, 1e-3, 1e-1]).round(2)
    array([5. , 0.8, 0.1])
    """
    e = to_value(energy, "TeV", where="containment_radius: energy")
    return np.hypot(RADII[0] * (e / BASE) ** -SLOPE, RADII[1])


def resolution(energy: Any) -> np.ndarray:
    """The width of the logarithm of reconstructed over true energy.

    Examples
    --------
    >>> resolution([1e-4, 1e-2]).round(3)
    array([0.19 , 0.063])
    """
    e = to_value(energy, "TeV", where="resolution: energy")
    return np.hypot(WIDTHS[0] * (e / BASE) ** -0.5, WIDTHS[1])


def lat_like_psf(energy: MapAxis, *, shape: str = "king", frame: str = "icrs") -> PSFMap:
    r"""The point spread function, the same all over the sky.

    Parameters
    ----------
    energy : `~gammajax.maps.MapAxis`
        Of true energy.
    shape : {"king", "gauss"}
        A King profile with exponent 2, up to 8 radii of 68 %; or two Gaussians, the wider one
        3 times as wide and with 30 % of the events, up to 6.5 radii: lighter tails, which make
        fits faster.
    frame : str

    Raises
    ------
    ValueError
        If the shape is none of these.
    """
    if shape not in REACH:
        raise ValueError(f"lat_like_psf: shape is {shape!r}, expected {' or '.join(REACH)}")
    radius = containment_radius(energy.center)[:, None]
    far = min(REACH[shape] * float(radius.max()), FARTHEST)
    nodes = np.append(0.0, np.geomspace(0.03 * float(radius.min()), far, 140))
    rad = MapAxis.from_nodes(nodes, name="rad", unit="deg", interp="lin")
    x = nodes / radius
    if shape == "king":
        # 1 - (1 + u)^(1 - gamma) = 0.68 at u = 2.125
        table = (1 + (0.32 ** (1 / (1 - GAMMA)) - 1) * x**2) ** -GAMMA
    else:
        width = _core_width()
        narrow, wide = ((x / width) ** 2 / 2, (x / (WIDER * width)) ** 2 / 2)
        table = (1 - TAIL) * np.exp(-narrow) + TAIL / WIDER**2 * np.exp(-wide)
    table = np.where(x <= REACH[shape], table, 0.0)
    table /= (table @ ring_areas(nodes))[:, None]
    return PSFMap.from_table(energy.rename("energy_true"), rad, table, frame=frame)


def _core_width() -> float:
    """The width of the narrow Gaussian, in radii of 68 % of both together."""
    from scipy.optimize import brentq

    def missing(r: Any) -> float:
        tail = TAIL * np.exp(-(r**2) / (2 * WIDER**2))
        return float((1 - TAIL) * np.exp(-(r**2) / 2) + tail - 0.32)

    root: Any = brentq(missing, 0.1, 10.0)
    return 1 / root


def lat_like_edisp(
    energy_true: MapAxis, energy: MapAxis, *, index: float = 2.0, frame: str = "icrs"
) -> EDispKernelMap:
    """The energy dispersion: log-normal, cut at 3.5 widths, the same all over the sky.

    True bins may be wide: they are averaged over a power law of photons, by 16 nodes in each.

    Parameters
    ----------
    energy_true, energy : `~gammajax.maps.MapAxis`
    index : float
        Of that power law.
    frame : str
    """
    from scipy.special import ndtr

    place, share = np.polynomial.legendre.leggauss(16)
    low, high = np.log(energy_true.edges_min), np.log(energy_true.edges_max)
    nodes = 0.5 * (high + low) + 0.5 * (high - low) * place[:, None]
    weight = share[:, None] * np.exp((1 - index) * nodes)
    width = resolution(np.exp(nodes))[..., None]
    step = (np.log(energy.edges) - nodes[..., None]) / width
    step = np.clip(step, -STRAY, STRAY)
    inside = ndtr(STRAY) - ndtr(-STRAY)
    matrix = np.diff(ndtr(step), axis=-1) / inside
    mean = np.einsum("nt,ntr->tr", weight / weight.sum(axis=0), matrix)
    return EDispKernelMap.from_kernel(EDispKernel(energy_true, energy, mean), frame=frame)


def lat_like_exposure(geom: Any, energy_true: MapAxis, *, livetime: Any = "8 yr") -> Map:
    r"""Exposure of a survey of the whole sky.

    .. math::
        \epsilon(E, \delta) = \frac{A(E)}{4 \pi} \, 0.76 \, T \,
        \left[1 + 0.15 \, \frac{3 \sin^2 \delta - 1}{2}\right]

    with the declination: the mean over the sky is that of an even survey.

    Parameters
    ----------
    geom : geometry
        An image, or any cube, whose pixels it is for.
    energy_true : `~gammajax.maps.MapAxis`
        It is taken at the centres of its bins.
    livetime : float in s, or `~astropy.units.Quantity`
        The duration T of the survey.
    """
    from astropy.units import Quantity

    duration = to_value(Quantity(livetime) if isinstance(livetime, str) else livetime, "s",
                        where="lat_like_exposure: livetime")  # fmt: skip
    image = geom.to_image()
    sine = np.sin(np.asarray(image.get_coord().skycoord.icrs.dec.rad))
    sky = 1 + POLES * (1.5 * sine**2 - 0.5)
    mean = acceptance(energy_true.center) / (4 * np.pi) * ON_TIME * duration
    cube = image.to_cube([energy_true.rename("energy_true")])
    data = mean.reshape(-1, *[1] * sky.ndim) * sky
    return Map.from_geom(cube, data=data, unit="cm2 s")
