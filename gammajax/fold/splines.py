"""Cubic splines of distance as matrices, made once on the host.

Nodes are even in the coordinate w of `~gammajax.fold.radial`. A function is what it is at the
nodes; its coefficients, its integrals, its flux through borders and its means over pixels are
linear in that.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

STEP = 0.04
"""Distance of the nodes in w: 4 % of the distance, far out."""

CUBIC = np.array([[1, 4, 1, 0], [-3, 0, 3, 0], [3, -6, 3, 0], [-1, 3, -3, 1]]) / 6
"""Weights of the four coefficients of a cubic B-spline, by power of the place in a cell."""

TURNS = 16
"""Directions in which a pixel is turned, for its mean; half a circle of them."""


def chord_of(angle: Any) -> Any:
    """The distance of two unit vectors with an angle between them."""
    return 2 * np.sin(np.asarray(angle) / 2)


def place_of(core: float, theta: Any) -> np.ndarray:
    """The number of the node at a distance (rad), as a fraction."""
    return 0.5 * np.log1p((chord_of(theta) / core) ** 2) / STEP


def number_of(core: float, largest: float) -> int:
    """How many nodes reach a distance."""
    return int(np.ceil(place_of(core, largest))) + 2


def nodes_of(core: float, n: int) -> np.ndarray:
    """Distances of the nodes, in rad."""
    chord = core * np.sqrt(np.expm1(2 * STEP * np.arange(n)))
    return 2 * np.arcsin(np.minimum(chord / 2, 1.0))


@lru_cache(maxsize=16)
def prefilter_of(n: int) -> np.ndarray:
    """The matrix of not-a-knot cubic spline interpolation at n even nodes."""
    matrix = np.zeros((n + 2, n + 2))
    for i in range(n):
        matrix[i, i : i + 3] = 1 / 6, 4 / 6, 1 / 6
    # third derivatives are continuous at the second and the last but one node
    matrix[n, :5] = 1, -4, 6, -4, 1
    matrix[n + 1, -5:] = 1, -4, 6, -4, 1
    found = np.linalg.inv(matrix)[:, :n]
    found.setflags(write=False)
    return found


def flux_matrix(core: float, n: int) -> np.ndarray:
    r"""From a density f to g, with which the integral over a pixel is one over its border.

    By Gauss's theorem, with the tangent of the border times its step in dl,

    .. math:: \int f d\Omega = \oint g(q) \; n_0 \cdot (n \times dl), \qquad
              g = \frac{1}{2 \pi q (1 - q / 4)} \int_{< q} f d\Omega

    g is smoother than f, and finite at the centre: half the density.
    """
    theta = nodes_of(core, n)
    q = chord_of(theta) ** 2
    inside = np.stack([spline_areas(core, n, angle) for angle in theta])
    with np.errstate(divide="ignore", invalid="ignore"):
        g = inside / (2 * np.pi * q * (1 - q / 4))[:, None]
    g[0] = 0.0
    g[0, :3] = np.array([1, 4, 1]) / 12
    return prefilter_of(n) @ g


def mean_matrix(core: float, n: int, side: float) -> np.ndarray:
    r"""From a density f to its mean over a square pixel at a distance.

    .. math:: g(\theta) = \frac{1}{2 \pi h^2} \int_{h \times h} \! \int_0^{2 \pi}
              f(d(\theta, \rho, \varphi)) \; d\varphi \, d^2\rho, \qquad
              \cos d = \cos\theta \cos\rho + \sin\theta \sin\rho \cos\varphi

    A pixel as it stands has the same mean, to fourth order in its side; what is left goes with
    four times its angle, and is zero in the mean over a ring.
    """
    x, share = np.polynomial.legendre.leggauss(4)
    rho = side / 2 * np.hypot(x[:, None], x).ravel()
    weight = np.outer(share, share).ravel() / (4 * TURNS)
    turn = np.cos(np.pi * (np.arange(TURNS) + 0.5) / TURNS)
    theta = nodes_of(core, n)[:, None, None]
    cosine = np.cos(theta) * np.cos(rho)[:, None] + np.outer(np.sin(rho), turn) * np.sin(theta)
    place = 0.5 * np.log1p(2 * np.maximum(1 - cosine, 0) / core**2) / STEP
    start = np.minimum(place.astype(int), n - 2)
    u = place - start
    found = np.zeros((n, n + 2))
    powers = u[..., None] ** np.arange(4) * (weight[:, None] * (u <= 1))[..., None]
    for k in range(4):
        np.add.at(found, (np.arange(n)[:, None, None], start + k), powers @ CUBIC[:, k])
    return prefilter_of(n) @ found


def spline_areas(core: float, n: int, largest: float = np.pi) -> np.ndarray:
    """Integrals of the splines within an angle; the solid angle within q is pi q."""
    x, share = np.polynomial.legendre.leggauss(8)
    last = place_of(core, largest)
    width = np.clip(last - np.arange(n - 1), 0, 1)[:, None]
    u = width * (x + 1) / 2
    v = 1 - u
    parts = np.stack(
        [v**3, 3 * u**3 - 6 * u**2 + 4, 3 * v**3 - 6 * v**2 + 4, u**3],
    )
    w = STEP * (np.arange(n - 1)[:, None] + u)
    measure = np.pi * core**2 * 2 * STEP * np.exp(2 * w) * share / 2 * width
    areas = np.zeros(n + 2)
    for j in range(4):
        areas[j : j + n - 1] += (measure * parts[j]).sum(axis=1) / 6
    return areas
