"""Maps of test statistics: a source at every pixel."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.datasets import Datasets, MapDatasetOnOff
from gammajax.estimators.energy_bins import EnergyBin, energy_bins
from gammajax.estimators.flux_maps import FluxMaps
from gammajax.estimators.ts_cubes import Cube, cubes_of
from gammajax.estimators.ts_solve import Solved, Tiles, solve_tiles
from gammajax.inference.progress import Progress
from gammajax.maps import Map, MapAxis
from gammajax.models import PointSpatialModel, PowerLawSpectralModel, SkyModel
from gammajax.units import to_value

SIDE = 8
"""Pixels along the side of a tile."""

BINS, BLOCKS, TILES = 64, 32, 16
"""Bins of a block; blocks and tiles that are solved together, so that they fit a cache."""

OPTIONAL = ("errn-errp", "ul")


@dataclass(frozen=True, kw_only=True)
class TSMapEstimator:
    """The norm of a source, and its significance, with the source at each pixel in turn.

    The shape of the source, spread as in the middle of the map, is the kernel; exposure and
    background are those of each place. All bins of energy in a group are fitted
    together, by safeguarded Newton steps for all pixels.

    Parameters
    ----------
    model : `~gammajax.models.SkyModel`, optional
        Its spectrum is the reference, its shape is moved over the map. A point with a power law
        of index 2 by default.
    kernel_width : float in deg, or `~astropy.units.Quantity`
        Side of the square in which a source is looked for; 4 times the radius that holds 68 %
        of the counts by default.
    energy_edges : array in TeV, optional
        Groups of energies, each with a map of its own; one group by default.
    n_sigma, n_sigma_ul : float
    selection_optional : "all", None, or list of {"errn-errp", "ul"}
    progress : bool

    Examples
    --------
    >>> TSMapEstimator(kernel_width="0.4 deg").n_sigma_ul
    2.0
    """

    model: Any = None
    kernel_width: Any = None
    energy_edges: Any = None
    n_sigma: float = 1.0
    n_sigma_ul: float = 2.0
    selection_optional: Any = None
    progress: bool = False

    def __post_init__(self) -> None:
        unknown = set(self._chosen) - set(OPTIONAL)
        if unknown:
            raise ValueError(
                f"selection_optional: {', '.join(sorted(unknown))} is none of "
                f"{', '.join(OPTIONAL)}; 'all' and None work too"
            )

    @property
    def _chosen(self) -> tuple[str, ...]:
        given = () if self.selection_optional is None else self.selection_optional
        if isinstance(given, str) and given == "all":
            return OPTIONAL
        return tuple(np.atleast_1d(given).tolist())

    @property
    def _rays(self) -> dict[str, tuple[float, float]]:
        rays = {}
        if "errn-errp" in self._chosen:
            rays["norm_errn"] = (-1.0, self.n_sigma**2)
            rays["norm_errp"] = (1.0, self.n_sigma**2)
        if "ul" in self._chosen:
            rays["norm_ul"] = (1.0, self.n_sigma_ul**2)
        return rays

    def run(self, datasets: Any, models: Any = None) -> FluxMaps:
        """Measure the norm at each pixel.

        Parameters
        ----------
        datasets : counts cube, or `~gammajax.datasets.Datasets` of them
            All on the same pixels of a projection, and of one kind.
        models : `~gammajax.models.Models`, optional
            What is there besides: other sources, and how backgrounds are scaled.

        Returns
        -------
        maps : `FluxMaps`
            ``norm``, ``norm_err``, ``ts``, ``sqrt_ts``, ``counts``, ``npred_excess``, ``stat``,
            ``stat_null``, and what is selected; NaN where there is no exposure.
        """
        datasets = datasets if isinstance(datasets, Datasets) else Datasets(datasets)
        _check_same_pixels(datasets)
        model = self.model or SkyModel(
            PowerLawSpectralModel(index=2.0), PointSpatialModel(), name="source"
        )
        width = None
        if self.kernel_width is not None:
            width = float(to_value(self.kernel_width, "deg", where="kernel_width"))
        bins = energy_bins(datasets, self.energy_edges)
        cubes = cubes_of(datasets, models, model, width)
        groups = [self._group(datasets, cubes, b) for b in bins]
        axis = MapAxis.from_energy_edges([bins[0].energy_min, *(b.energy_max for b in bins)])
        geom = datasets[0].geom.to_image().to_cube([axis])
        maps = {
            name: Map.from_geom(geom, data=np.stack([group[name] for group in groups]))
            for name in groups[0]
        }
        return FluxMaps(
            maps=maps, model=model, notes=_notes(maps), meta={"n_sigma_ul": self.n_sigma_ul}
        )

    def _group(
        self, datasets: Datasets, cubes: Sequence[Cube], energy_bin: EnergyBin
    ) -> dict[str, np.ndarray]:
        """The maps of one group of energies."""
        used = [c for c in cubes if energy_bin.inside[c.dataset][c.energy] and c.mask.any()]
        shape = cubes[0].mask.shape
        if not used:
            nothing = np.full(shape, np.nan)
            return dict.fromkeys((*BASIC, *self._rays), nothing)
        total = np.sum([cube.total for cube in used], axis=0)
        room = np.sum([cube.room for cube in used], axis=0)
        solved = self._solve(datasets, used, total, room)
        live = total > 0
        found = {
            "norm": solved.norm,
            "norm_err": solved.error,
            "ts": solved.ts,
            "sqrt_ts": np.sign(solved.norm) * np.sqrt(solved.ts),
            "counts": solved.n_counts,
            "npred_excess": solved.norm * total,
            "stat": solved.stat,
            "stat_null": solved.stat_null,
        }
        for name, distance in zip(self._rays, solved.distance, strict=True):
            found[name] = solved.norm + distance if name == "norm_ul" else distance
        return {name: np.where(live, array, np.nan) for name, array in found.items()}

    def _solve(
        self, datasets: Datasets, cubes: Sequence[Cube], total: np.ndarray, room: np.ndarray
    ) -> Solved:
        """All pixels, in tiles of similar numbers of bins."""
        half = cubes[0].kernel.shape[0] // 2
        border = (SIDE, SIDE)
        kernels = np.pad([c.kernel[::-1, ::-1] for c in cubes], ((0, 0), border, border))
        rays = np.array(list(self._rays.values())).reshape(-1, 2)
        on_off = isinstance(datasets[0], MapDatasetOnOff)
        tiling = _Tiling(cubes, total, room, half)
        names = Solved._fields
        found: dict[str, Any] = {name: np.full(total.shape, np.nan) for name in names}
        found["distance"] = np.full((len(rays), *total.shape), np.nan)
        with Progress("maps of significance", len(tiling.places), self.progress) as bar:

            def solve(numbers: list[int], tiles: Tiles) -> tuple[list[int], Solved]:
                solved = solve_tiles(tiles, kernels, rays, SIDE, on_off)
                return numbers, Solved(*(np.asarray(part) for part in solved))

            for numbers, solved in _side_by_side(solve, tiling.batches()):
                for place, number in enumerate(numbers):
                    tiling.put(found, solved, place, number)
                bar.advance(len(numbers))
        return Solved(**found)


def _side_by_side(function: Any, items: Any) -> Any:
    """Results of calls on all cores; few are under way at once, so memory is bounded."""
    from concurrent.futures import ThreadPoolExecutor

    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Any] = deque()
        for item in items:
            waiting.append(pool.submit(function, *item))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


BASIC = ("norm", "norm_err", "ts", "sqrt_ts", "counts", "npred_excess", "stat", "stat_null")


class _Tiling:
    """Tiles of a map and the bins with counts that each of them sees."""

    def __init__(
        self, cubes: Sequence[Cube], total: np.ndarray, room: np.ndarray, half: int
    ) -> None:
        self.total, self.room, self.half = total, room, half
        self.unit = np.stack([cube.unit for cube in cubes])
        parts = [cube.occupied(i) for i, cube in enumerate(cubes)]
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        order = np.argsort(columns[0], kind="stable")
        self.columns = [column[order] for column in columns]
        ny, nx = total.shape
        self.places = [(y, x) for y in range(0, ny, SIDE) for x in range(0, nx, SIDE)]

    def _seen(self, place: tuple[int, int]) -> np.ndarray:
        """The bins that a tile sees, as positions."""
        y, x = self.columns[:2]
        first, last = np.searchsorted(
            y, (place[0] - self.half, place[0] + SIDE + self.half), side="left"
        )
        near = x[first:last]
        inside = (near >= place[1] - self.half) & (near < place[1] + SIDE + self.half)
        return first + np.nonzero(inside)[0]

    def batches(self) -> Any:
        """The numbers of the tiles of each batch, and its `Tiles`: all of one shape."""
        seen = [self._seen(place) for place in self.places]
        blocks = np.array([-(-bins.size // BINS) for bins in seen])
        most = max(BLOCKS, 2 * int(blocks.max()))
        for numbers in packed(blocks, most, TILES):
            yield numbers, self._tiles(numbers, [seen[n] for n in numbers], most)

    def _tiles(self, numbers: list[int], seen: list[np.ndarray], most: int) -> Tiles:
        """Tiles with their bins, padded to a number of blocks and of tiles."""
        ends = np.cumsum([-(-bins.size // BINS) for bins in seen])
        tile = np.zeros(most, dtype=int)
        y, x, cube = np.zeros((3, most * BINS), dtype=int)
        counts, off, alpha, background = np.zeros((4, most * BINS))
        alpha[:], background[:] = 1.0, 1.0
        filled = (y, x, cube, counts, off, alpha, background)
        unit = np.zeros((TILES, len(self.unit), SIDE * SIDE))
        total, room = np.zeros((2, TILES, SIDE * SIDE))
        for i, (number, bins, end) in enumerate(zip(numbers, seen, ends, strict=True)):
            y0, x0 = self.places[number]
            first = end - -(-bins.size // BINS)
            some = slice(first * BINS, first * BINS + bins.size)
            tile[first:end] = i
            for array, column in zip(filled, self.columns, strict=True):
                array[some] = column[bins]
            y[some] -= y0
            x[some] -= x0
            for array, whole in ((unit, self.unit), (total, self.total), (room, self.room)):
                part = whole[..., y0 : y0 + SIDE, x0 : x0 + SIDE]
                place = array[i].reshape(*part.shape[:-2], SIDE, SIDE)
                place[..., : part.shape[-2], : part.shape[-1]] = part
        y, x, cube, counts, off, alpha, background = (a.reshape(most, BINS) for a in filled)
        return Tiles(tile, counts, off, alpha, background, cube, y, x, unit, total, room)

    def put(self, found: dict[str, Any], solved: Solved, place: int, number: int) -> None:
        """The pixels of a tile into the maps."""
        y0, x0 = self.places[number]
        ny, nx = self.total.shape
        height, width = min(SIDE, ny - y0), min(SIDE, nx - x0)
        for name in Solved._fields:
            array = getattr(solved, name)[..., place, :]
            array = array.reshape(*array.shape[:-1], SIDE, SIDE)[..., :height, :width]
            found[name][..., y0 : y0 + height, x0 : x0 + width] = array


def packed(blocks: np.ndarray, most: int, tiles: int) -> list[list[int]]:
    """Tiles in batches of at most some blocks and tiles, the largest first."""
    found: list[list[int]] = []
    room: list[int] = []
    open_from = 0
    for number in np.argsort(-blocks, kind="stable").tolist():
        size = int(blocks[number])
        for i in range(open_from, len(found)):
            if room[i] >= size and len(found[i]) < tiles:
                break
        else:
            found.append([])
            room.append(most)
            i = len(found) - 1
        found[i].append(number)
        room[i] -= size
        while open_from < len(found) and (
            room[open_from] == 0 or len(found[open_from]) == tiles
        ):
            open_from += 1
    return found


def _check_same_pixels(datasets: Datasets) -> None:
    first = datasets[0]
    for dataset in datasets:
        if not hasattr(dataset, "geom") or not hasattr(dataset.geom.to_image(), "pixel_scales"):
            raise ValueError(
                f"dataset {dataset.name!r}: a map of significance needs a counts cube on "
                "pixels of a projection"
            )
        if dataset.geom.to_image() != first.geom.to_image():
            raise ValueError(
                f"dataset {dataset.name!r} has other pixels than {first.name!r}; reduce them "
                "on one geometry, or make one map for each"
            )
        if type(dataset) is not type(first):
            raise ValueError(
                f"dataset {dataset.name!r} is a {type(dataset).__name__} and {first.name!r} a "
                f"{type(first).__name__}; make one map for each kind"
            )


def _notes(maps: dict[str, Map]) -> tuple[str, ...]:
    norm, error = np.asarray(maps["norm"].data), np.asarray(maps["norm_err"].data)
    dark = int(np.isnan(norm).sum())
    empty = int((np.isnan(error) & ~np.isnan(norm)).sum())
    notes = []
    if dark:
        notes.append(f"{dark} pixels have no exposure or no bin in the mask, and no norm")
    if empty:
        notes.append(f"{empty} pixels see no counts: their norm is 0, without an error")
    return tuple(notes)
