"""The exposure around sources: the parabola that is right on average, and how far off it is.

A fold keeps the exposure around a source as a parabola. Of a shape it is the one with the least
squares of what is left, weighted by the shape, and its mean over the shape is that of the
exposure: the counts of the start are right, whatever the exposure is. Where the exposure has a
step, as in stacked runs of cut fields, no parabola is near it, and a source has to go another
way. Both are found on the host.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.fold.build import Build
from gammajax.fold.local import OFFSETS, tangent_frame, weights
from gammajax.fold.plane import from_plane
from gammajax.fold.room import directions_of, room_of
from gammajax.maps.frames import frame_rotation

RADII, ANGLES = 24, 24
"""Distances and directions from a centre at which the exposure is looked at."""

BENT = 5e-3
"""Root mean square of what an exposure departs from its parabola, over its mean, from which on
an extended source is folded with the exposure as it is."""

BENT_POINT = 2e-3
"""The same for a point, in the disk that it may move in."""

FURTHER, FINENESS, MOST_NODES = 1.25, 4, 16
"""How far the spline of an exposure goes, over the distance that a point may move; its nodes to
a pixel of the exposure, and the most of them to that distance."""

GOLDEN = np.pi * (3 - np.sqrt(5))
"""An angle whose multiples are spread evenly."""


def by_steps(build: Build) -> list[Build]:
    """The rows whose exposure is a parabola around them, and those where it is not.

    Only builds with rows are given. Points that stay, and what is folded on a lattice, see the
    exposure where it is.
    """
    spatial = build.components[0].spatial_model
    if build.rows[0].size == 0:
        return []
    if build.options.psf_first:
        return [build]
    if spatial.KIND == "radial":
        found = parabolas_of(build).bent > BENT
    elif spatial.KIND == "point" and build.stack.moves and not spatial.has_energy:
        found = departures_of_points(build) > BENT_POINT
    else:
        return [build]
    parts = []
    for stepped in (False, True):
        some = np.nonzero(found == stepped)[0]
        if some.size:
            rows = build.rows[0][some], build.rows[1][some]
            parts.append(dataclasses.replace(build, rows=rows, stepped=stepped))
    return parts


@dataclasses.dataclass(frozen=True)
class Parabolas:
    """Exposures around extended sources.

    Attributes
    ----------
    coef : array, shape (row, 6, energy_true)
        Of 1, x, y, x^2, y^2 and x y, with x and y in rad along two tangents.
    bent : array, shape (row,)
        Root mean square of what is left, over the mean.
    mean : array, shape (row, energy_true)
        The mean of the exposure over the source.
    """

    coef: np.ndarray
    bent: np.ndarray
    mean: np.ndarray

    def of_places(self) -> Parabolas:
        """The means over the source, by its place: what a fold without a spread takes."""
        coef = self.coef.copy()
        coef[:, 0], coef[:, 3:] = self.mean, 0.0
        return dataclasses.replace(self, coef=coef)

    def at_points(self, step: float) -> np.ndarray:
        """Values at the nine points of `Local`, shape (row, point, energy_true)."""
        return np.einsum("pc,rct->rpt", _terms(OFFSETS * step), self.coef)


def parabolas_of(build: Build) -> Parabolas:
    """The exposures around the extended sources of a build, at its rows."""
    places, share, frames = _samples(build)
    room = room_of(build.data, build.responses, build.stack.moves)
    flux = build.energy.low**-1.0 - build.energy.high**-1.0
    coefs, bents, means = [], [], []
    for d, s in zip(*build.rows, strict=True):
        exposure = build.responses[d].exposure
        own = places[s], share[s], frames[s]
        coef, left, mean = _parabola(exposure, *own, room)
        worth = flux[build.energy.axis[d]]
        coefs.append(coef)
        bents.append(float(left @ worth) / max(float(mean @ worth), 1e-300))
        means.append(mean)
    return Parabolas(np.stack(coefs), np.array(bents), np.stack(means))


def patches(build: Build, room: float) -> tuple[np.ndarray, float]:
    """Splines of exposures around points that may move, and how far they go.

    Returns
    -------
    coefficients : array, shape (row, node, energy_true)
        See `~gammajax.fold.local.spline_at`.
    step : float
        Half of the side of the square, in rad.
    """
    pixel = min(response.pixel for response in build.responses)
    step = max(FURTHER * room, 2 * pixel)
    half = int(np.ceil(step / max(pixel / FINENESS, room / MOST_NODES)))
    side = step * np.linspace(-1, 1, 2 * half + 1)
    nodes = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    directions, found = _directions(build), []
    for d, s in zip(*build.rows, strict=True):
        seen = from_plane(nodes, tangent_frame(directions[s]))
        values = build.responses[d].exposure.at(seen).reshape(side.size, side.size, -1)
        found.append(_coefficients(values).reshape((side.size + 2) ** 2, -1))
    return np.stack(found), step


def _coefficients(values: np.ndarray) -> np.ndarray:
    """Those of the cubic spline through values, with one more on each side of both axes."""
    from scipy.ndimage import spline_filter1d

    for axis in (0, 1):
        found = spline_filter1d(values, order=3, axis=axis, mode="mirror")
        values = np.pad(
            found, [(1, 1) if own == axis else (0, 0) for own in range(3)], mode="reflect"
        )
    return values


def departures_of_points(build: Build) -> np.ndarray:
    """What exposures depart from parabolas through nine points, in the disks of points."""
    directions = _directions(build)
    room = room_of(build.data, build.responses, build.stack.moves)
    step = max(room, 2 * build.responses[0].pixel)
    flux = build.energy.low**-1.0 - build.energy.high**-1.0
    some = _spread(room, RADII * ANGLES)
    share = np.stack([np.asarray(weights(len(OFFSETS), place)[0]) for place in some / step])
    found = np.zeros(build.rows[0].size)
    for row, (d, s) in enumerate(zip(*build.rows, strict=True)):
        exposure, frame = build.responses[d].exposure, tangent_frame(directions[s])
        if exposure.is_uniform:
            continue
        seen = exposure.at(from_plane(some, frame))
        left = seen - share @ exposure.at(from_plane(OFFSETS * step, frame))
        worth = flux[build.energy.axis[d]]
        off = np.sqrt((left**2).mean(axis=0)) @ worth
        found[row] = off / max(float(seen.mean(axis=0) @ worth), 1e-300)
    return found


def _rotation(build: Build) -> np.ndarray:
    return frame_rotation(build.components[0].spatial_model.frame, build.data[0].pixels.frame)


def _directions(build: Build) -> np.ndarray:
    """Where the sources are, unit vectors in the frame of the pixels."""
    return np.asarray(directions_of(build.stack.sources)) @ _rotation(build).T


def _samples(build: Build) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the sources shine: places around them in rad, shares of 1, and frames."""
    rotation = _rotation(build)
    frames = np.stack([tangent_frame(direction) for direction in _directions(build)])
    x, width = np.polynomial.legendre.leggauss(RADII)
    radius, width = (x + 1) / 2, width / 2
    # each circle is turned against the one before
    turn = np.arange(RADII)[:, None] * GOLDEN
    angle = turn + 2 * np.pi * np.arange(ANGLES) / ANGLES
    disk = radius[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    weight = np.repeat(radius * width, ANGLES)
    energy = float(np.sqrt(build.energy.low.min() * build.energy.high.max()))
    reach = np.asarray(_reaches(build.stack.sources, energy))
    places = reach[:, None, None] * disk.reshape(-1, 2)
    seen = np.stack(
        [from_plane(own, frame) @ rotation for own, frame in zip(places, frames, strict=True)]
    )
    share = weight * np.asarray(_densities(build.stack.sources, seen, energy))
    return places, share / share.sum(axis=1, keepdims=True), frames


@eqx.filter_jit
def _reaches(sources: Any, energy: Any) -> Any:
    def one(source: Any) -> Any:
        return jnp.asarray(source.spatial_model.at_energy(energy).outer_radius())

    return jax.vmap(one)(sources)


@eqx.filter_jit
def _densities(sources: Any, vectors: Any, energy: Any) -> Any:
    def one(source: Any, seen: Any) -> Any:
        return source.spatial_model.at_energy(energy).evaluate_on(seen)

    return jax.vmap(one)(sources, vectors)


def _parabola(
    exposure: Any, places: np.ndarray, share: np.ndarray, frame: np.ndarray, room: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients (6, energy_true) in rad, what is left, and the mean (energy_true,).

    A source that may move is there with half of its weight, and with the other half spread
    over where it may be.
    """
    if exposure.is_uniform:
        value = exposure.values[:, 0, 0]
        coef = np.zeros((6, value.size))
        coef[0] = value
        return coef, np.zeros(value.size), value
    seen = exposure.at(from_plane(places, frame))
    mean = share @ seen
    if room > 0:
        moved = places + _spread(room, len(places))
        seen = np.concatenate([seen, exposure.at(from_plane(moved, frame))])
        places, share = np.concatenate([places, moved]), np.tile(share / 2, 2)
    scale = np.sqrt(share @ (places**2).sum(axis=1))
    terms = _terms(places / scale)
    weighted = terms * share[:, None]
    coef = np.linalg.solve(weighted.T @ terms, weighted.T @ seen)
    left = np.sqrt(share @ (seen - terms @ coef) ** 2)
    own = slice(None, len(places) // 2 if room > 0 else None)
    shape = share[own] / share[own].sum()
    coef[0] += mean - shape @ (terms[own] @ coef)
    return coef / _terms(np.full((1, 2), scale))[0][:, None], left, mean


def _terms(places: np.ndarray) -> np.ndarray:
    """1, x, y, x^2, y^2 and x y, shape (place, 6)."""
    x, y = places.T
    return np.stack([np.ones_like(x), x, y, x**2, y**2, x * y], axis=-1)


def _spread(radius: float, number: int) -> np.ndarray:
    """Places spread evenly over a disk, in no order, shape (number, 2)."""
    order = np.argsort(np.modf(np.arange(number) * (np.sqrt(5) - 1) / 2)[0], kind="stable")
    distance = radius * np.sqrt((order + 0.5) / number)
    angle = order * GOLDEN
    return distance[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
