r"""Formulas of projections in their native coordinates (Calabretta and Greisen 2002).

A unit vector :math:`(n_x, n_y, n_z)` has native longitude :math:`\phi` and latitude
:math:`\theta`. The plane's coordinates :math:`(x, y)` are in rad. Beside them, every function
tells which points the projection shows; for the others its numbers mean nothing, but are
finite, and so are their derivatives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

SLACK = np.radians(1e-9)
"""Points beyond the edge by so much (rad) are on it: they were rounded."""


@dataclass(frozen=True)
class Native:
    """One projection: from unit vectors to the plane, and back.

    Parameters
    ----------
    to_plane, to_sphere : callable
        For ``zenithal`` ones, see `_zenithal_to_plane`; for the others, `_cylinder_to_plane`.
    zenithal : bool
        Whether the native pole is in the middle, and not the native equator.
    repeats : bool
        Whether the plane goes on periodically in x.
    """

    to_plane: Callable[..., Any]
    to_sphere: Callable[..., Any]
    zenithal: bool = False
    repeats: bool = False


def plane_of_vector(xp: Any, native: Native, n: Any, middle: Any) -> tuple[Any, Any, Any]:
    """x, y and whether they are shown, of unit vectors.

    ``middle`` is the x around which a plane that repeats is wrapped.
    """
    nx, ny, nz = n[..., 0], n[..., 1], n[..., 2]
    square = nx**2 + ny**2
    pole = square == 0
    across = xp.sqrt(xp.where(pole, 1.0, square))
    if native.zenithal:
        factor, shown = native.to_plane(xp, nz, across, pole)
        return factor * ny, -factor * nx, shown
    phi = xp.arctan2(ny, xp.where(pole, 1.0, nx))
    if native.repeats:
        phi = phi - 2 * np.pi * xp.rint((phi - middle) / (2 * np.pi))
    return native.to_plane(xp, phi, nz, xp.where(pole, 0.0, across))


def vector_of_plane(xp: Any, native: Native, x: Any, y: Any, middle: Any) -> tuple[Any, Any]:
    """Unit vectors, and whether there are any, of points of the plane."""
    if native.zenithal:
        z, factor, shown = native.to_sphere(xp, x**2 + y**2)
        return xp.stack([-factor * y, factor * x, z], axis=-1), shown
    phi, sin, cos, shown = native.to_sphere(xp, x, y)
    if native.repeats:
        shown = shown & (xp.abs(x - middle) <= np.pi + SLACK)
    return xp.stack([cos * xp.cos(phi), cos * xp.sin(phi), sin], axis=-1), shown


def _safe(xp: Any, good: Any, value: Any, instead: float = 1.0) -> Any:
    return xp.where(good, value, instead)


# Zenithal: a radius that depends on theta, divided by cos(theta), as a function of nz. Along
# with nz come sqrt(1 - nz^2), which is 1 at the poles, and whether the point is a pole.


def _above(xp: Any, z: Any, across: Any, pole: Any) -> Any:
    """1 + nz, without loss of digits near the lower pole."""
    return xp.where(z > 0, 1 + z, across**2 / (1 + xp.abs(z)))


def _tan(xp: Any, z: Any, across: Any, pole: Any) -> tuple[Any, Any]:
    return 1 / _safe(xp, z > 0, z), z > 0


def _sin(xp: Any, z: Any, across: Any, pole: Any) -> tuple[Any, Any]:
    return xp.ones_like(z), z >= 0


def _arc(xp: Any, z: Any, across: Any, pole: Any) -> tuple[Any, Any]:
    return xp.where(pole, 1.0, xp.arctan2(across, z) / across), ~(pole & (z < 0))


def _zea(xp: Any, z: Any, across: Any, pole: Any) -> tuple[Any, Any]:
    return xp.sqrt(2 / _above(xp, z, across, pole)), ~(pole & (z < 0))


def _stg(xp: Any, z: Any, across: Any, pole: Any) -> tuple[Any, Any]:
    return 2 / _above(xp, z, across, pole), ~(pole & (z < 0))


def _tan_back(xp: Any, square: Any) -> tuple[Any, Any, Any]:
    z = 1 / xp.sqrt(1 + square)
    return z, z, square >= 0


def _sin_back(xp: Any, square: Any) -> tuple[Any, Any, Any]:
    shown = square < 1
    return xp.sqrt(1 - _safe(xp, shown, square, 0.5)), xp.ones_like(square), shown


def _arc_back(xp: Any, square: Any) -> tuple[Any, Any, Any]:
    radius = xp.sqrt(_safe(xp, square > 0, square))
    factor = xp.where(square > 0, xp.sin(radius) / radius, 1.0)
    return xp.where(square > 0, xp.cos(radius), 1.0), factor, radius <= np.pi


def _zea_back(xp: Any, square: Any) -> tuple[Any, Any, Any]:
    shown = square < 4
    return 1 - square / 2, xp.sqrt(1 - _safe(xp, shown, square) / 4), shown


def _stg_back(xp: Any, square: Any) -> tuple[Any, Any, Any]:
    return (4 - square) / (4 + square), 4 / (4 + square), square >= 0


# The others: x and y as functions of phi, sin(theta) and cos(theta).


def _car(xp: Any, phi: Any, sin: Any, cos: Any) -> tuple[Any, Any, Any]:
    return phi, xp.arctan2(sin, cos), cos >= 0


def _cea(xp: Any, phi: Any, sin: Any, cos: Any) -> tuple[Any, Any, Any]:
    return phi, sin, cos >= 0


def _mer(xp: Any, phi: Any, sin: Any, cos: Any) -> tuple[Any, Any, Any]:
    return phi, xp.arcsinh(sin / _safe(xp, cos > 0, cos)), cos > 0


def _sfl(xp: Any, phi: Any, sin: Any, cos: Any) -> tuple[Any, Any, Any]:
    return phi * cos, xp.arctan2(sin, cos), cos >= 0


def _ait(xp: Any, phi: Any, sin: Any, cos: Any) -> tuple[Any, Any, Any]:
    gamma = xp.sqrt(2 / (1 + cos * xp.cos(phi / 2)))
    return 2 * gamma * cos * xp.sin(phi / 2), gamma * sin, cos >= 0


def _mol(xp: Any, phi: Any, sin: Any, cos: Any) -> tuple[Any, Any, Any]:
    # 2 g + sin(2 g) = pi sin(theta) becomes psi - sin(psi) = pi (1 - |sin(theta)|) with
    # psi = pi - 2 |g|, which keeps its digits near the poles, where psi is small
    target = np.pi * cos**2 / (1 + xp.abs(sin))
    inner = cos > 1e-12
    target = _safe(xp, inner, target)
    psi = _no_gradient(xp, _kepler(xp, target))
    # one Newton step more, for the derivative of the solution
    psi = psi - (psi - xp.sin(psi) - target) / (1 - xp.cos(psi))
    half = xp.where(inner, psi / 2, 0.0)
    x = 2 * np.sqrt(2) / np.pi * phi * xp.sin(half)
    return x, np.sqrt(2) * xp.sign(sin) * xp.cos(half), cos >= 0


def _kepler(xp: Any, target: Any) -> Any:
    """Solve psi - sin(psi) = target between 0 and pi by Newton steps."""
    psi = xp.cbrt(6 * target)  # exact for small ones, and too low for all
    for _ in range(6):
        psi = psi - (psi - xp.sin(psi) - target) / (1 - xp.cos(psi))
    return psi


def _no_gradient(xp: Any, value: Any) -> Any:
    if xp is np:
        return value
    import jax

    return jax.lax.stop_gradient(value)


def _car_back(xp: Any, x: Any, y: Any) -> tuple[Any, Any, Any, Any]:
    return x, xp.sin(y), xp.cos(y), xp.abs(y) <= np.pi / 2 + SLACK


def _cea_back(xp: Any, x: Any, y: Any) -> tuple[Any, Any, Any, Any]:
    inner = xp.abs(y) < 1
    cos = xp.where(inner, xp.sqrt(1 - _safe(xp, inner, y, 0.5) ** 2), 0.0)
    return x, xp.clip(y, -1, 1), cos, xp.abs(y) <= 1 + SLACK


def _mer_back(xp: Any, x: Any, y: Any) -> tuple[Any, Any, Any, Any]:
    return x, xp.tanh(y), 1 / xp.cosh(y), y == y


def _sfl_back(xp: Any, x: Any, y: Any) -> tuple[Any, Any, Any, Any]:
    cos = xp.cos(y)
    inside = (xp.abs(y) < np.pi / 2) & (xp.abs(x) <= np.pi * cos + SLACK)
    return x / _safe(xp, inside, cos), xp.sin(y), cos, inside


def _ait_back(xp: Any, x: Any, y: Any) -> tuple[Any, Any, Any, Any]:
    square = 1 - x**2 / 16 - y**2 / 4
    inside = square >= 0.5 - SLACK
    square = _safe(xp, inside, square)
    root = xp.sqrt(square)
    sin = _safe(xp, inside & (xp.abs(y * root) < 1), y * root, 0.5)
    phi = 2 * xp.arctan2(root * x / 2, 2 * square - 1)
    return phi, sin, xp.sqrt(1 - sin**2), inside


def _mol_back(xp: Any, x: Any, y: Any) -> tuple[Any, Any, Any, Any]:
    inside = xp.abs(y) < np.sqrt(2)
    ratio = _safe(xp, inside, y / np.sqrt(2), 0.5)
    root = xp.sqrt(1 - ratio**2)
    phi = np.pi * x / (2 * np.sqrt(2) * root)
    sin = 2 / np.pi * (xp.arcsin(ratio) + ratio * root)
    cos = xp.sqrt(xp.maximum(1 - sin**2, np.finfo(float).tiny))
    return phi, sin, cos, inside & (xp.abs(phi) <= np.pi + SLACK)


PROJECTIONS = {
    "TAN": Native(_tan, _tan_back, zenithal=True),
    "SIN": Native(_sin, _sin_back, zenithal=True),
    "ARC": Native(_arc, _arc_back, zenithal=True),
    "ZEA": Native(_zea, _zea_back, zenithal=True),
    "STG": Native(_stg, _stg_back, zenithal=True),
    "CAR": Native(_car, _car_back, repeats=True),
    "CEA": Native(_cea, _cea_back, repeats=True),
    "MER": Native(_mer, _mer_back, repeats=True),
    "SFL": Native(_sfl, _sfl_back),
    "AIT": Native(_ait, _ait_back),
    "MOL": Native(_mol, _mol_back),
}
"""Formulas by the projection's code in FITS headers."""
