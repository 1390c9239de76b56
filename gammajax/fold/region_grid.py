"""The grids on which the part of a source in a region is found, made once on the host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax
import numpy as np

from gammajax.config import program
from gammajax.fold.build import divided
from gammajax.fold.fourier_build import split_of
from gammajax.fold.fourier_grid import FourierGrid, cubic
from gammajax.fold.fourier_shapes import RadialTable, points, reach
from gammajax.fold.fourier_spread import MOST, RadialSpectra, grid_step
from gammajax.fold.local import tangent_frame
from gammajax.fold.plane import from_plane, to_plane
from gammajax.fold.region_plane import Grids, KnownFractions, Parts, PlaneFractions
from gammajax.models import GeneralizedGaussianSpatialModel
from gammajax.models.spectral.quadrature import nodes_for

CONTAINED = 0.99999
"""A spread is followed to where it has this part of its events."""

SOFT = 1.1
"""How much further a spread goes until it has ended."""

PART = 0.06
"""Width of a part of a true bin in which a shape is taken, in the logarithm of energy."""

LEVELS = 4
"""Most grids of a dataset, each with twice the step of the one before."""

GROWTH = 2.0
"""How many times its start size a source may have before the fold is planned anew."""

ROOM = 0.5
"""How far a source may move, over the size of the region or of the source."""

NEAR = 1e-9
"""Places where the region weighs less than this part of the most are left out."""


@dataclass
class View:
    """A dataset as it is folded: its region, and the spreads in its true bins.

    ``frame`` is that of the plane, in the frame of the models; lengths are in rad.
    """

    name: str
    frame: np.ndarray
    places: np.ndarray
    shares: np.ndarray
    radius: float
    rad: np.ndarray
    tables: np.ndarray
    radii: np.ndarray
    steps: np.ndarray


@dataclass
class Sources:
    """Where sources start, how far they may extend, and how far they may move, in rad."""

    start: np.ndarray
    extent: np.ndarray
    room: float

    @classmethod
    def of(cls, stack: Any, parts: Parts, views: Sequence[View]) -> Sources:
        """Those of a stack of shapes with a centre."""
        start, extent = (np.asarray(x) for x in _sources(stack.sources, parts.low, parts.high))
        if not stack.moves:
            return cls(start, extent, 0.0)
        extent = GROWTH * extent
        widest = max(float(extent.max()), *(view.radius for view in views))
        return cls(start, extent, ROOM * widest)

    @classmethod
    def still(cls, number: int) -> Sources:
        """Those of templates, which are read wherever the region is seen from."""
        return cls(np.tile([1.0, 0.0, 0.0], (number, 1)), np.full(number, np.pi), 0.0)

    def seen_in(self, views: Sequence[View | None]) -> tuple[np.ndarray, list[float]]:
        """Which sources each dataset sees, and how far those of each view reach."""
        seen = np.ones((len(views), self.extent.size), dtype=bool)
        around = []
        for row, view in enumerate(views):
            if view is None:
                continue
            distance = np.arccos(np.clip(self.start @ view.frame[0], -1, 1))
            far = self.room + self.extent
            seen[row] = distance - far < view.radius + view.radii.max()
            around.append(float(np.max(np.where(seen[row], distance + far, 0.0))))
        return seen, around


def plane_fractions(
    datasets: Sequence[Any],
    wanted: Sequence[bool],
    nodes: Any,
    stack: Any,
    components: Sequence[Any],
    n_true: int,
) -> PlaneFractions | KnownFractions:
    """The fractions of a stack of shapes that are not round.

    Parameters
    ----------
    datasets : sequence of spectra
    wanted : sequence of bool
        Those in which fractions are to be found.
    nodes : function
        The nodes of the region of a dataset in a frame, their weights, the distances and the
        spreads of the dataset.
    stack : `~gammajax.fold.stack.Stack`
    components : sequence of components
    n_true : int
        Bins of true energy, padded.
    """
    spatial = components[0].spatial_model
    parts = _parts(datasets, spatial, n_true)
    views = [
        _view(d, nodes(d, spatial.frame)) if want else None
        for d, want in zip(datasets, wanted, strict=True)
    ]
    some = [view for view in views if view is not None]
    analytic = spatial.KIND in ("point", "radial")
    sources = Sources.of(stack, parts, some) if analytic else Sources.still(len(components))
    seen, around = sources.seen_in(views)
    grid = FourierGrid.create(_number(some, around, analytic))
    widths = [level[0] for view in some for level in _levels(view)]
    split = None if analytic else split_of(spatial, max(widths))
    table = None
    if isinstance(getattr(spatial, "model", spatial), GeneralizedGaussianSpatialModel):
        table = RadialTable.create(np.pi / min(widths), float(sources.extent.max()))
    waves = np.stack(np.meshgrid(*grid.wavenumbers(1.0), indexing="ij"))[:, grid.sharpen > 0]
    found = PlaneFractions(
        grids=_grids(views, grid, split, n_true),
        waves=waves,
        start=sources.start,
        seen=seen,
        extent=sources.extent,
        room=np.float64(sources.room),
        parts=parts,
        table=table,
    )
    if stack.moves:
        return found
    return KnownFractions(np.asarray(_in_parts(found, stack.sources)), parts)


@partial(program, jit=eqx.filter_jit)
def _in_parts(fractions: PlaneFractions, sources: Any) -> Any:
    return fractions.in_parts(sources)


@eqx.filter_jit
def _sources(sources: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Directions and reaches of sources."""

    def one(source: Any) -> tuple[Any, Any]:
        return source.spatial_model.centre(), reach(source.spatial_model, low, high)

    return jax.vmap(one)(sources)


def _parts(datasets: Sequence[Any], spatial: Any, n_true: int) -> Parts:
    edges = [dataset.energy_true.edges for dataset in datasets]
    number = 1
    if spatial.has_energy:
        widest = max(float(np.log(e[1:] / e[:-1]).max()) for e in edges)
        number = max(int(np.ceil(widest / PART)), 2)
    padded = [np.pad(e, (0, n_true + 1 - e.size), mode="edge") for e in edges]
    pairs = [divided(e[:-1], e[1:], number) for e in padded]
    shape = len(edges), n_true, number
    low, high = (np.stack(side).reshape(shape) for side in zip(*pairs, strict=True))
    return Parts(low, high, nodes_for(max(float((e[1:] / e[:-1]).max()) for e in edges)))


def _view(dataset: Any, made: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]) -> View:
    vectors, shares, rad, tables = made
    middle = np.average(vectors, axis=0, weights=shares) if shares.sum() > 0 else vectors[0]
    frame = tangent_frame(middle / np.linalg.norm(middle))
    places = to_plane(vectors, frame)
    radius = float(np.hypot(*places.T).max())
    side = 0.5 * np.sqrt(shares.sum())
    ring = 0.5 * (tables[:, 1:] * rad[1:] + tables[:, :-1] * rad[:-1]) * np.diff(rad)
    inside = np.cumsum(ring, axis=1)
    filled = inside[:, -1] > 0
    reached = (inside >= CONTAINED * inside[:, -1:]).argmax(axis=1) + 1
    radii = np.where(filled, rad[reached], rad[0])
    steps = np.full(len(tables), np.inf)
    known: dict[bytes, float] = {}
    for t in np.nonzero(filled)[0]:
        key = tables[t].tobytes()
        if key not in known:
            wide = min(3 * float(radii[t]), float(rad[-1]))
            known[key] = grid_step(RadialSpectra(rad, wide), tables[t], wide, side)
        steps[t] = known[key]
    return View(dataset.name, frame, places, shares, radius, rad, tables, SOFT * radii, steps)


def _levels(view: View) -> list[tuple[float, np.ndarray]]:
    """Steps, and the true bins that have each."""
    some = np.isfinite(view.steps)
    least = view.steps[some].min()
    level = np.full(view.steps.size, -1)
    level[some] = np.minimum(np.log2(view.steps[some] / least * (1 + 1e-9)), LEVELS - 1)
    return [(least * 2.0**i, np.nonzero(level == i)[0]) for i in np.unique(level[some])]


def _number(views: Sequence[View], around: Sequence[float], analytic: bool) -> int:
    """Places along the side of all grids.

    Sources may go around, if they do not reach the region from the other side; of templates,
    the grid has to hold all places that the region is seen from.
    """
    from scipy.fft import next_fast_len

    most, where = 0.0, views[0].name
    for view, reached in zip(views, around, strict=True):
        for step, bins in _levels(view):
            own = view.radius + view.radii[bins].max()
            needed = (own + reached if analytic else 2 * own) / step
            if needed > most:
                most, where = needed, view.name
    number = 2 * int(next_fast_len(int(np.ceil(most / 2)) + 4))  # pyright: ignore[reportArgumentType]
    if number > MOST:
        raise ValueError(
            f"dataset {where!r}: a shape that is not round needs a grid of {number} x {number} "
            f"places around the region; expected at most {MOST}: take a smaller region, or a "
            "smaller start size, or fit a counts cube"
        )
    return number


def _grids(
    views: Sequence[View | None], grid: FourierGrid, split: int | None, n_true: int
) -> Grids:
    """What goes by dataset, padded; with ``split`` points to a place for templates."""
    levels = [[] if view is None else _levels(view) for view in views]
    depth = max(len(own) for own in levels)
    most = max(bins.size for own in levels for _, bins in own)
    shape = len(views), depth
    step = np.ones(shape)
    bins = np.full((*shape, most), n_true)
    weights: dict[tuple[int, int], np.ndarray] = {}
    vectors: dict[tuple[int, int], np.ndarray] = {}
    frames = np.tile(np.eye(3), (len(views), 1, 1))
    for row, (view, own) in enumerate(zip(views, levels, strict=True)):
        if view is None:
            continue
        frames[row] = view.frame
        for i, (width, some) in enumerate(own):
            step[row, i], bins[row, i, : some.size] = width, some
            if split is None:
                weights[row, i] = _on_waves(view, grid, width, some)
            else:
                weights[row, i], vectors[row, i] = _on_places(view, grid, width, some, split)
    size = max(found.shape[1] for found in weights.values())
    whole = np.zeros((*shape, most, size))
    for place, found in weights.items():
        whole[place][: found.shape[0], : found.shape[1]] = found
    read = None
    if split is not None:
        read = np.tile([1.0, 0.0, 0.0], (*shape, size, split**2, 1))
        for place, found in vectors.items():
            read[place][: found.shape[0]] = found
    known = np.array([view is not None for view in views])
    return Grids(frames, known, step, bins, whole, read)


def _region(view: View, grid: FourierGrid, step: float) -> np.ndarray:
    """The spectrum of the weights of spline coefficients in the region."""
    number = grid.number
    place = view.places / step + number // 2
    first = np.floor(place).astype(int)
    taps = cubic(place - first)
    found = np.zeros((number, number))
    for i in range(4):
        for j in range(4):
            x, y = (first + np.array([i - 1, j - 1])).T % number
            np.add.at(found, (x, y), view.shares * taps[:, 0, i] * taps[:, 1, j])
    return np.fft.rfft2(found) * grid.sharpen


def _spreads(view: View, grid: FourierGrid, step: float, bins: np.ndarray) -> np.ndarray:
    """The spectra of spreads on the different rings of waves, by wave (bin, ...)."""
    kx, ky = grid.wavenumbers(step)
    square = np.asarray(kx)[:, None] ** 2 + np.asarray(ky) ** 2
    ring = np.zeros(grid.ring.max() + 1)
    ring[grid.ring] = np.where(grid.sharpen > 0, np.sqrt(square), 0.0)
    spectra = RadialSpectra(view.rad, float(view.radii[bins].max()))
    radii = view.radii[bins] / SOFT
    return spectra.at(ring, view.tables[bins], radii)[:, grid.ring]


def _on_waves(view: View, grid: FourierGrid, step: float, bins: np.ndarray) -> np.ndarray:
    """What the parts of the spectrum of a shape count, (bin, 2 wave)."""
    i, j = grid.waves
    # waves of both signs are one, and the origin is in the middle of the grid
    twice = np.where(j == 0, 1.0, 2.0) * (-1.0) ** (i[:, None] + j)
    own = np.conj(_region(view, grid, step)) * twice / (grid.number * step) ** 2
    found = (_spreads(view, grid, step, bins) * own)[:, grid.sharpen > 0]
    return np.concatenate([found.real, found.imag], axis=1)


def _on_places(
    view: View, grid: FourierGrid, step: float, bins: np.ndarray, split: int
) -> tuple[np.ndarray, np.ndarray]:
    """What the density at places counts, (bin, place), and the points there."""
    number = grid.number
    wave = 2 * np.pi / number * np.arange(number // 2 + 1)
    lost = np.cos(np.outer(wave, points(split))).mean(axis=1)
    rows = np.abs(np.fft.fftfreq(number, 1 / number)).astype(int)
    spectra = _spreads(view, grid, step, bins) * _region(view, grid, step)
    image = np.fft.irfft2(spectra / np.outer(lost[rows], lost), s=(number, number))
    side = (np.arange(number) - number // 2) * step
    places = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1)
    kept = np.abs(image).max(axis=0) > NEAR * np.abs(image).max()
    kept &= np.hypot(*np.moveaxis(places, -1, 0)) < 1.9
    offsets = np.stack(np.meshgrid(points(split), points(split)), axis=-1).reshape(-1, 2)
    around = places[kept][:, None] + offsets * step
    return image[:, kept], from_plane(around, view.frame)
