"""Where sources are, and how far they may move from there before they are planned anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np

from gammajax.fold.map_data import MapData
from gammajax.fold.sky_response import SkyResponse, median_radius

ROOM = 0.5
"""How far a source may move before that, in radii of 68 % of the widest spread."""


@eqx.filter_jit
def directions_of(sources: Any) -> Any:
    """Where the sources of a stack are, unit vectors in their own frame."""
    return jax.vmap(lambda source: source.spatial_model.centre())(sources)


def room_of(data: Sequence[MapData], made: Sequence[SkyResponse], moves: bool) -> float:
    """How far a source may move, in rad."""
    if not moves:
        return 0.0
    size = min(item.pixels.size for item in data)
    widest = max((max(widths_of(r)) for r in made if r.psf is not None), default=0.0)
    return ROOM * widest + 2 * size


def widths_of(response: SkyResponse) -> list[float]:
    """Radii of 68 % of the spreads at the middle of their map, in rad."""
    assert response.psf is not None
    assert response.rad is not None
    return [median_radius(response.rad, row) for row in middle_of(response) if row.max() > 0]


def middle_of(response: SkyResponse) -> np.ndarray:
    """The spreads at the middle of their map, shape (energy, rad)."""
    assert response.psf is not None
    values = response.psf.values
    return values[..., values.shape[-2] // 2, values.shape[-1] // 2]
