"""What the builders of folds are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.fold.map_data import MapData
from gammajax.fold.options import FoldOptions
from gammajax.fold.sky_response import SkyResponse
from gammajax.models.spectral.quadrature import nodes_for


@dataclass(frozen=True)
class TrueAxes:
    """The different axes of true energy of some datasets.

    Attributes
    ----------
    low, high : array, shape (axis, energy_true)
    axis : array of int, shape (dataset,)
    nodes : int
        Quadrature nodes for spectra without a closed integral.
    """

    low: np.ndarray
    high: np.ndarray
    axis: np.ndarray
    nodes: int

    @classmethod
    def of(cls, datasets: Sequence[Any]) -> TrueAxes:
        """Those of datasets with the same number of true bins."""
        edges = np.stack([dataset.energy_true.edges for dataset in datasets])
        known, axis = np.unique(edges, axis=0, return_inverse=True)
        nodes = nodes_for(float((known[:, 1:] / known[:, :-1]).max()))
        return cls(known[:, :-1], known[:, 1:], axis.ravel(), nodes)


def divided(low: np.ndarray, high: np.ndarray, parts: int) -> tuple[np.ndarray, np.ndarray]:
    """Bins divided into equal parts of the logarithm, shape (..., bin * parts)."""
    if parts == 1:
        return low, high
    edges = low[..., None] * (high / low)[..., None] ** (np.arange(parts + 1) / parts)
    shape = (*low.shape[:-1], -1)
    return edges[..., :-1].reshape(shape), edges[..., 1:].reshape(shape)


@dataclass(frozen=True)
class Build:
    """A stack of components and the datasets of a term that they fold into.

    Attributes
    ----------
    data : list of `~gammajax.fold.map_data.MapData`
    stack : `~gammajax.fold.stack.Stack`
    components : list of components
    responses : list of `~gammajax.fold.sky_response.SkyResponse`
        One for each dataset.
    energy : `TrueAxes`
    rows : tuple of array of int
        Dataset and component of each row.
    options : `~gammajax.fold.options.FoldOptions`
    every_bin : bool
        Whether every bin of the maps is predicted, and totals are of no use.
    near : bool
        Whether only the bins near round sources are folded, which need many nodes.
    stepped : bool
        Whether the exposure around the sources is not a parabola, see
        `~gammajax.fold.exposed.by_steps`.
    """

    data: Sequence[MapData]
    stack: Any
    components: Sequence[Any]
    responses: Sequence[SkyResponse]
    energy: TrueAxes
    rows: tuple[np.ndarray, np.ndarray]
    options: FoldOptions
    every_bin: bool = False
    near: bool = False
    stepped: bool = False


def rows_of(data: Sequence[MapData], components: Sequence[Any]) -> tuple[Any, Any]:
    """Dataset and component of each pair that fold into each other."""
    pairs = [
        (d, s)
        for s, component in enumerate(components)
        for d, item in enumerate(data)
        if component.folds_into(item.dataset.name)
    ]
    dataset, source = np.array(pairs, dtype=np.int32).reshape(-1, 2).T
    return dataset, source
