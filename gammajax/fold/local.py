"""Responses around the start of each source, as polynomials of its offset.

A response changes little over the distance that a source moves. It is taken at three by
three directions around the start, once on the host, and is the parabola through them in each
of two tangents: smooth, with a slope that is exact for the exposure's dipole, and free of maps
and projections in the compiled program.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from gammajax.fold.fourier_grid import cubic
from gammajax.fold.sky_response import SkyResponse, Table


class Local(eqx.Module):
    """Responses around the sources of rows.

    Attributes
    ----------
    exposure : array, shape (row, point or node, energy_true)
        Of more than nine points they are the coefficients of a spline, see `spline_at`.
    edisp : array, shape (row, point, energy_true, energy)
    psf : array, shape (row, point, energy_true or energy, node), or None
        Tables at the nodes of the radial grid, or their transforms at wavenumbers. Of tables
        that are the same everywhere there is one point, and one row if all rows have the same.
    frame : array, shape (row, 3, 3)
        Start direction and two tangents.
    step : array, shape (row,)
        Distance of the points, in rad.
    spread_last : bool
        Whether the spread is one of reconstructed energy.
    """

    exposure: Any
    edisp: Any
    psf: Any
    frame: Any
    step: Any
    spread_last: bool = eqx.field(static=True)

    def exposed(self, place: Any) -> Any:
        """The exposure of one row at a place in steps, shape (energy_true,); not negative."""
        number = self.exposure.shape[0]
        if number > len(OFFSETS):
            found = spline_at(self.exposure, place)
        else:
            found = at_points(self.exposure, weights(number, place)[0])
        return jnp.maximum(found, 0.0)

    def own(self) -> dict[str, Any]:
        """The tables that go by row."""
        found = {"exposure": self.exposure, "frame": self.frame, "step": self.step}
        for name in ("edisp", "psf"):
            table = getattr(self, name)
            if table is not None and table.shape[0] == self.exposure.shape[0]:
                found[name] = table
        return found

    def at(self, own: dict[str, Any]) -> Local:
        """The responses of one row, of which ``own`` are the tables that go by row."""
        shared = {
            name: None if table is None else jnp.asarray(table)[0]
            for name, table in (("edisp", self.edisp), ("psf", self.psf))
        }
        return Local(**{**shared, **own}, spread_last=self.spread_last)


OFFSETS = np.stack(np.meshgrid([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], indexing="ij"), -1)
OFFSETS = OFFSETS.reshape(-1, 2)
"""The three by three points, in steps along two tangents."""

PARABOLA = np.array([[0.0, 1.0, 0.0], [-0.5, 0.0, 0.5], [0.5, -1.0, 0.5]])
"""Weights of three points at -1, 0 and 1, by power of the place."""


def weights(number: int, place: Any) -> tuple[Any, Any]:
    """Weights of the points at a place, in steps along two tangents, and their slopes.

    Returns
    -------
    weights : array, shape (number,)
    slopes : array, shape (2, number)
    """
    if number == 1:
        return jnp.ones(1), jnp.zeros((2, 1))
    (a, b), (da, db) = _parabolas(place)
    pairs = jnp.stack([a, da, a])[:, :, None] * jnp.stack([b, b, db])[:, None, :]
    found = pairs.reshape(3, number)
    return found[0], found[1:]


def curves(number: int, place: Any) -> Any:
    """Second derivatives of the weights along both tangents and across, shape (3, number)."""
    if number == 1:
        return jnp.zeros((3, 1))
    (a, b), (da, db) = _parabolas(place)
    bent = jnp.asarray(2 * PARABOLA[2])
    pairs = jnp.stack([bent, a, da])[:, :, None] * jnp.stack([b, bent, db])[:, None, :]
    return pairs.reshape(3, number)


def _parabolas(place: Any) -> tuple[Any, Any]:
    """Weights of three points along both tangents, and their slopes, shape (2, 3) each."""
    x = place[:, None]
    first, second, third = PARABOLA
    return first + x * (second + x * third), second + x * (2 * third)


def spline_at(table: Any, place: Any) -> Any:
    """A cubic spline over the square of -1 to 1, by its coefficients (node, ...).

    There is one coefficient more on each side than there are nodes. Beyond the square it is
    that of its border.
    """
    side = int(np.sqrt(table.shape[0]))
    scaled = (jnp.clip(place, -1.0, 1.0) + 1) * ((side - 3) / 2)
    start = jnp.clip(scaled.astype(int), 0, side - 4)
    taps = cubic(scaled - start)
    near = start[:, None] + np.arange(4)
    found = table[near[0][:, None] * side + near[1]]
    return jnp.einsum("x,y,xy...->...", *taps, found)


def at_points(table: Any, share: Any) -> Any:
    """A local table at weights of its points; a table of one point is the same everywhere."""
    return table[0] if table.shape[0] == 1 else jnp.tensordot(share, table, axes=1)


def make_local(
    responses: Sequence[SkyResponse],
    tables: Sequence[Table | None],
    dataset: np.ndarray,
    directions: np.ndarray,
    step: float,
    exposure: np.ndarray | None = None,
) -> Local:
    """The responses around directions.

    Parameters
    ----------
    responses : sequence of `SkyResponse`
    tables : sequence of `Table` or None
        The spreads of the datasets at the nodes of the radial grid.
    dataset : array of int, shape (row,)
    directions : array, shape (row, 3)
    step : float
        0 to take the responses at the directions only.
    exposure : array, shape (row, point, energy_true), optional
        Where it is not that of the points.
    """
    frame = np.stack([tangent_frame(direction) for direction in directions])
    offsets = OFFSETS if step > 0 else np.zeros((1, 2))
    points = frame[:, None, 0] + step * np.einsum("pi,rix->rpx", offsets, frame[:, 1:])
    points /= np.linalg.norm(points, axis=-1, keepdims=True)

    def around(found: Sequence[Table]) -> np.ndarray:
        rows = None
        for number in np.unique(dataset):
            here = dataset == number
            values = found[number].at(points[here].reshape(-1, 3))
            values = values.reshape(int(here.sum()), len(offsets), *values.shape[1:])
            if rows is None:
                rows = np.empty((len(dataset), *values.shape[1:]))
            rows[here] = values
        assert rows is not None
        return rows

    def shared(found: Sequence[Table]) -> np.ndarray:
        if not all(table.is_uniform for table in found):
            return around(found)
        values = np.stack([table.values[None, ..., 0, 0] for table in found])
        return values if len(values) == 1 else values[dataset]

    spreads = [table for table in tables if table is not None]
    if exposure is None:
        exposure = around([response.exposure for response in responses])
    return Local(
        exposure=exposure,
        edisp=shared([response.edisp for response in responses]),
        psf=shared(spreads) if spreads else None,
        frame=frame,
        step=np.full(len(directions), step if step > 0 else 1.0),
        spread_last=responses[0].spread_last,
    )


def tangent_frame(direction: np.ndarray) -> np.ndarray:
    """A direction and two unit vectors at right angles to it, shape (3, 3)."""
    helper = np.eye(3)[np.argmin(np.abs(direction))]
    first = np.cross(helper, direction)
    first /= np.linalg.norm(first)
    return np.stack([direction, first, np.cross(direction, first)])
