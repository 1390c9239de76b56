"""Responses around the start of each source, as polynomials of its offset.

A response changes little over the distance that a source moves. It is taken at three by
three directions around the start, once on the host, and is the parabola through them in each
of two tangents: smooth, with a slope that is exact for the exposure's dipole, and free of maps
and projections in the compiled program.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from gammajax.fold.sky_response import SkyResponse, Table


class Local(eqx.Module):
    """Responses of datasets around sources.

    Attributes
    ----------
    exposure : array, shape (dataset, source, point, energy_true)
    edisp : array, shape (dataset, source, point, energy_true, energy)
    psf : array, shape (dataset, source, point, energy_true or energy, node), or None
        Tables at the nodes of the radial grid. Of tables that are the same everywhere there
        is one source with one point.
    frame : array, shape (source, 3, 3)
        Start direction and two tangents.
    step : array, shape (source,)
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

    def by_dataset(self) -> Local:
        """Which leaves go by dataset, for a map over them."""
        return Local(0, 0, None if self.psf is None else 0, None, None, self.spread_last)


def weights(number: int, place: Any) -> tuple[Any, Any]:
    """Weights of the points at a place, in steps along two tangents, and their slopes.

    Returns
    -------
    weights : array, shape (number,)
    slopes : array, shape (2, number)
    """
    if number == 1:
        return jnp.ones(1), jnp.zeros((2, 1))
    (a, da), (b, db) = (_parabola(place[i]) for i in range(2))
    slopes = jnp.stack([jnp.outer(da, b).ravel(), jnp.outer(a, db).ravel()])
    return jnp.outer(a, b).ravel(), slopes


def _parabola(x: Any) -> tuple[Any, Any]:
    value = jnp.stack([0.5 * x * (x - 1), 1 - x * x, 0.5 * x * (x + 1)])
    return value, jnp.stack([x - 0.5, -2 * x, x + 0.5])


def at_points(table: Any, share: Any) -> Any:
    """A local table at weights of its points; a table of one point is the same everywhere."""
    return table[0] if table.shape[0] == 1 else jnp.tensordot(share, table, axes=1)


def make_local(
    responses: list[SkyResponse],
    tables: list[Table | None],
    directions: np.ndarray,
    step: float,
) -> Local:
    """The responses around directions.

    Parameters
    ----------
    responses : list of `SkyResponse`
    tables : list of `Table` or None
        The spreads at the nodes of the radial grid.
    directions : array, shape (source, 3)
    step : float
        0 to take the responses at the directions only.
    """
    frame = np.stack([tangent_frame(direction) for direction in directions])
    offsets = np.array([[0.0, 0.0]])
    if step > 0:
        offsets = np.stack(np.meshgrid([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], indexing="ij"), -1)
        offsets = offsets.reshape(-1, 2)
    points = frame[:, None, 0] + step * np.einsum("pi,six->spx", offsets, frame[:, 1:])
    points /= np.linalg.norm(points, axis=-1, keepdims=True)
    shape = points.shape[:2]

    def around(table: Table) -> np.ndarray:
        values = table.at(points.reshape(-1, 3))
        return values.reshape(*shape, *values.shape[1:])

    def shared(found: list[Table]) -> np.ndarray:
        if all(table.is_uniform for table in found):
            return np.stack([table.values[None, None, ..., 0, 0] for table in found])
        return np.stack([around(table) for table in found])

    psf = None
    if tables[0] is not None:
        psf = shared([table for table in tables if table is not None])
    return Local(
        exposure=np.stack([around(response.exposure) for response in responses]),
        edisp=shared([response.edisp for response in responses]),
        psf=psf,
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
