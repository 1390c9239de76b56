"""A correction with a free norm at each of a few positions."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from gammajax.models.spatial.base import SpatialModel
from gammajax.models.spatial.sphere import DEG
from gammajax.models.spectral.template import check_scale
from gammajax.parameters import parameter


class PiecewiseNormSpatialModel(SpatialModel):
    r"""A factor given by norms at fixed positions, smooth between them.

    .. math:: f(x) = \sum_k w_k \, d_k^2 \ln d_k + a + b \cdot x

    A thin-plate spline of the distances :math:`d_k` to the positions: exact at them, and
    linear in the norms (in their logarithms for ``interp="log"``). Beyond the positions it
    goes on smoothly. The value, in sr-1 by name, is a number.

    Parameters
    ----------
    lon, lat : array in degrees
        At least four positions, not on one great circle.
    norms : array, optional
        One for each position, the parameters ``norm_0``, ...; all 1 by default.
    interp : {"lin", "log"}
    frame : str

    Examples
    --------
    >>> from gammajax.models import PiecewiseNormSpatialModel
    >>> model = PiecewiseNormSpatialModel([0, 1, 1, 0], [0, 0, 1, 1], norms=[1, 1, 2, 2])
    >>> print(model(0.5, 1).round(3), model(0.5, 0.5).round(3))
    2.0 1 / sr 1.5 1 / sr
    """

    tags: ClassVar[tuple[str, ...]] = ("PiecewiseNormSpatialModel", "piecewise-norm")
    KIND: ClassVar[str] = "template"
    has_centre: ClassVar[bool] = False

    lon: tuple[float, ...] = eqx.field(static=True)
    lat: tuple[float, ...] = eqx.field(static=True)
    interp: str = eqx.field(static=True)
    norms: Any = parameter(vector=True, description="factor at a position")

    def __init__(
        self, lon: Any, lat: Any, norms: Any = None, interp: str = "lin", frame: str = "icrs"
    ) -> None:
        self.lon, self.lat = (tuple(np.ravel(v).astype(float).tolist()) for v in (lon, lat))
        self.norms = np.ones(len(self.lon)) if norms is None else norms
        self.interp = interp
        self.frame = frame

    def __check_init__(self) -> None:
        check_scale(self.interp, "PiecewiseNormSpatialModel.interp")
        size = len(self.lon)
        if size < 4 or len(self.lat) != size or np.shape(self.norms) != (size,):
            raise ValueError(
                f"PiecewiseNormSpatialModel: got {size} lon, {len(self.lat)} lat and "
                f"{np.size(self.norms)} norms, expected as many of each, at least 4"
            )
        if not np.isfinite(_solved(self.lon, self.lat)[2]).all():
            raise ValueError(
                "PiecewiseNormSpatialModel: two positions are equal, or all are on one circle; "
                "move them apart"
            )

    def evaluate_on(self, vectors: Any, energy: Any = None) -> Any:
        nodes, axes, solve = _solved(self.lon, self.lat)
        norms = jnp.log(self.norms) if self.interp == "log" else self.norms
        weights = jnp.asarray(solve) @ norms
        square = jnp.sum((jnp.asarray(vectors)[..., None, :] - nodes) ** 2, axis=-1)
        plane = jnp.asarray(vectors) @ axes.T
        size = nodes.shape[0]
        value = _bend(square) @ weights[:size] + weights[size] + plane @ weights[size + 1 :]
        return jnp.exp(value) if self.interp == "log" else value


def _bend(square: Any) -> Any:
    """d^2 ln d of squared distances."""
    none = square == 0
    return jnp.where(none, 0.0, square * jnp.log(jnp.where(none, 1.0, square)) / 2)


@lru_cache(maxsize=32)
def _solved(
    lon: tuple[float, ...], lat: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The positions as vectors, two axes across their mean, and the norms-to-weights matrix."""
    x, y = np.array(lon) * DEG, np.array(lat) * DEG
    nodes = np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)], axis=-1)
    mean = nodes.mean(axis=0) / max(float(np.linalg.norm(nodes.mean(axis=0))), 1e-12)
    across = np.eye(3) - np.outer(mean, mean)
    _, spread, axes = np.linalg.svd((nodes - nodes.mean(axis=0)) @ across)
    axes = axes[:2]
    square = np.sum((nodes[:, None] - nodes) ** 2, axis=-1)
    bend = np.where(square > 0, square * np.log(np.where(square > 0, square, 1.0)) / 2, 0.0)
    line = np.column_stack([np.ones(len(nodes)), nodes @ axes.T])
    matrix = np.block([[bend, line], [line.T, np.zeros((3, 3))]])
    if spread[1] < 1e-9 or len(np.unique(nodes.round(12), axis=0)) < len(nodes):
        return nodes, axes, np.full((len(matrix), len(nodes)), np.nan)
    return nodes, axes, np.linalg.inv(matrix)[:, : len(nodes)]
