r"""Responses of one run on the pixels of a map: pure functions of arrays, for any geometry.

A geometry comes in as the unit vectors of its pixel centres and their solid angles. The field
of view of a run is a matrix of three axes, see `gammajax.data.fov_axes`: the pointing, and the
directions in which longitude and latitude grow.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp

from gammajax.irf.background import Background2D, Background3D
from gammajax.irf.effective_area import EffectiveAreaTable2D

SERIES = 1e-4
"""Below this, (exp(u) - 1) / u is its series; what is left out is of order 1e-13."""


def fov_place(vectors: Any, axes: Any) -> tuple[Any, Any, Any]:
    """Places in the field of view, in deg.

    Parameters
    ----------
    vectors : array, shape (..., 3)
        Unit vectors.
    axes : array, shape (3, 3)
        The rows are the pointing, and the directions of longitude and latitude, in the frame
        of the vectors.

    Returns
    -------
    offset, lon, lat : arrays, shape (...)

    Examples
    --------
    >>> import numpy as np
    >>> offset, lon, lat = fov_place(np.array([np.cos(0.1), np.sin(0.1), 0.0]), np.eye(3))
    >>> print(f"{offset:.4f} {lon:.4f} {lat:.4f}")
    5.7296 5.7296 0.0000
    """
    x, y, z = (jnp.sum(vectors * axis, axis=-1) for axis in axes)
    across = jnp.hypot(y, z)
    offset = jnp.arctan2(across, x)
    lon, lat = jnp.arctan2(y, x), jnp.arctan2(z, jnp.hypot(x, y))
    return jnp.rad2deg(offset), jnp.rad2deg(lon), jnp.rad2deg(lat)


@eqx.filter_jit
def project_exposure(
    aeff: EffectiveAreaTable2D, vectors: Any, axes: Any, energy_true: Any, livetime: Any
) -> Any:
    """Exposure on pixels: livetime times effective area; pure.

    Parameters
    ----------
    aeff : `EffectiveAreaTable2D`
    vectors : array, shape (..., 3)
        Unit vectors of the pixel centres.
    axes : array, shape (3, 3)
        See `fov_place`.
    energy_true : array, shape (energy_true,)
        Centres of the bins, in TeV.
    livetime : float
        In s.

    Returns
    -------
    exposure : array, shape (energy_true, ...)
        In cm2 s.
    """
    offset, _, _ = fov_place(vectors, axes)
    return livetime * aeff.value_grid(jnp.asarray(energy_true), offset)


@eqx.filter_jit
def project_background(
    bkg: Background2D | Background3D,
    vectors: Any,
    axes: Any,
    energy_edges: Any,
    solid_angle: Any,
    ontime: Any,
) -> Any:
    """Expected background counts on pixels; pure.

    The rate is taken at the pixel centres and the edges of the energy bins, and integrated
    over each bin as a power law between its edges.

    Parameters
    ----------
    bkg : `Background2D` or `Background3D`
    vectors, axes
        See `project_exposure`.
    energy_edges : array, shape (energy + 1,)
        In TeV.
    solid_angle : array, shape (...)
        Of the pixels, in sr.
    ontime : float
        In s; not the livetime, because background rates count with the dead time in.

    Returns
    -------
    counts : array, shape (energy, ...)
    """
    offset, lon, lat = fov_place(vectors, axes)
    places = {"offset": offset, "fov_lon": lon, "fov_lat": lat}
    energy = jnp.asarray(energy_edges)
    rate = bkg.value_grid(energy, *(places[form.name] for form in bkg.forms[1:]))
    along = energy.reshape((-1,) + (1,) * offset.ndim)
    return ontime * solid_angle * integrate_power_laws(along, rate)


def integrate_power_laws(x: Any, y: Any) -> Any:
    """Integrals along the first axis, from each x to the next, of power laws through y; pure.

    A piece with a zero at one of its ends is zero.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 10.0, 100.0])
    >>> print(integrate_power_laws(x, x**-2).round(4))
    [0.9  0.09]
    """
    area = x * y
    low, high = area[:-1], area[1:]
    filled = (low > 0) & (high > 0)
    safe_low = jnp.where(filled, low, 1.0)
    power = jnp.log(jnp.where(filled, high, 1.0) / safe_low)
    small = jnp.abs(power) < SERIES
    safe = jnp.where(small, 1.0, power)
    mean = jnp.where(small, 1 + power / 2 + power**2 / 6, jnp.expm1(safe) / safe)
    return jnp.where(filled, safe_low * mean * jnp.log(x[1:] / x[:-1]), 0.0)
