"""Plans of counts cubes: from datasets and components to a term, on the host."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from gammajax.fold.background import BackgroundFold
from gammajax.fold.bare_build import bare_fold
from gammajax.fold.build import Build, TrueAxes, rows_of
from gammajax.fold.dense import dense_fold
from gammajax.fold.exposed import by_steps
from gammajax.fold.fourier_build import fits_grid, fits_plane, fourier_fold
from gammajax.fold.fourier_frozen import frozen_fourier_fold
from gammajax.fold.frozen import frozen_fold
from gammajax.fold.map_data import MapData
from gammajax.fold.map_term import MapTerm
from gammajax.fold.occupied import WIDTH
from gammajax.fold.off_counts import OffCounts
from gammajax.fold.options import FoldOptions
from gammajax.fold.pixels import WcsPixels
from gammajax.fold.round_build import reaches, round_fold
from gammajax.fold.sky_response import sky_response
from gammajax.fold.sphere import sphere_fold
from gammajax.fold.temporal import TimedFold, has_times
from gammajax.models import FoVBackgroundModel, TemplateNPredModel

BORDER = 1.3
"""Width of the border of the maps, in units of the reach of a source that does not move."""

FLAGS = ("exposure", "psf", "edisp")


def build_map_terms(
    datasets: Sequence[Any], groups: Sequence[Any], options: FoldOptions
) -> list[tuple[MapTerm, Any]]:
    """Terms for counts cubes; those with equal axes share one."""
    batches: dict[Any, list[Any]] = {}
    for dataset in datasets:
        batches.setdefault(_kind(dataset), []).append(dataset)
    return [(build_map_term(batch, groups, options)[0], batch) for batch in batches.values()]


def _kind(dataset: Any) -> tuple[Any, ...]:
    """What datasets have to share to be one batch: shapes and axes of their responses."""

    def shape(found: Any) -> Any:
        values = None if found is None else found.values
        return None if values is None else (values.data.shape, values.geom.axes.names)

    rad = None if dataset.psf is None else dataset.psf.rad
    locate = [
        getattr(found.geom, "projection", "hpx") + found.geom.frame
        for found in (dataset.exposure, dataset.psf, dataset.edisp)
        if found is not None
    ]
    return (
        type(dataset).__name__,
        dataset.geom.frame,
        dataset.energy.nbin,
        dataset.exposure.data.shape,
        shape(dataset.psf),
        shape(dataset.edisp),
        rad,
        dataset.psf is not None and dataset.psf.is_uniform,
        dataset.edisp is not None and dataset.edisp.is_uniform,
        tuple(locate),
    )


def build_map_term(
    datasets: Sequence[Any],
    groups: Sequence[Any],
    options: FoldOptions,
    every_bin: bool = False,
) -> tuple[MapTerm, list[MapData]]:
    """The term of a batch of counts cubes, and where its bins are.

    Parameters
    ----------
    datasets : sequence of `~gammajax.datasets.MapDataset` or of `MapDatasetOnOff`
    groups : sequence of (stack, components)
    options : `FoldOptions`
    every_bin : bool
        Predict all bins of the maps, and not the occupied ones of the masks.
    """
    scaled = {
        name
        for _, components in groups
        for component in components
        if isinstance(component, FoVBackgroundModel)
        for name in component.datasets_names or ()
    }
    border = border_of(datasets, groups, options)
    data = [MapData.create(dataset, border, every_bin) for dataset in datasets]
    size = max(max(item.bins.pixel.size for item in data), WIDTH)
    counts, background = np.zeros((2, len(data), size))
    totals = np.zeros(len(data))
    on_off = datasets[0].stat_type == "wstat"
    off = OffCounts.create(data, size) if on_off else None
    mask = np.zeros((len(data), size + 1), dtype=bool)
    mask[:, -1] = True
    where = np.zeros((len(data), size), dtype=np.int64)
    for row, item in enumerate(data):
        number = item.bins.pixel.size
        mask[row, :number] = item.bins.used
        place = item.bins.energy, item.bins.pixel
        shape = item.mask.shape
        where[row, :number] = np.ravel_multi_index(place, shape)
        observed = np.asarray(item.dataset.counts.data).reshape(shape)[place]
        counts[row, :number] = np.where(item.bins.used, observed, 0.0)
        if not on_off and item.dataset.name not in scaled:
            known = item.dataset.background_data.reshape(shape)
            background[row, :number] = known[place]
            totals[row] = known[item.mask].sum()
    made = [folds_of(data, stack, parts, size, options) for stack, parts in groups]
    folds = tuple(fold for own in made for fold in own)
    which = tuple(i for i, own in enumerate(made) for _ in own)
    return MapTerm(folds, which, counts, background, totals, mask, where, off), data


def border_of(datasets: Sequence[Any], groups: Sequence[Any], options: FoldOptions) -> float:
    """Width of the sky around the maps from which sources shine in, in rad."""
    largest = 0.0
    for dataset in datasets:
        if dataset.psf is not None:
            response = sky_response(
                dataset, dict.fromkeys(FLAGS, True), dataset.geom.frame, options.containment
            )
            if response.radii is not None:
                largest = max(largest, float(response.radii.max()))
    names = [dataset.name for dataset in datasets]
    extents = [
        reaches(stack, parts)
        for stack, parts in groups
        if stack.is_round and any(part.folds_into(name) for part in parts for name in names)
    ]
    largest += max((float(extent.max()) for extent in extents), default=0.0)
    return BORDER * largest


def folds_of(
    data: Sequence[MapData],
    stack: Any,
    components: Sequence[Any],
    size: int,
    options: FoldOptions,
    every_bin: bool = False,
) -> list[Any]:
    """The folds of a stack, each of some of its rows.

    With ``every_bin`` its totals are not made.
    """
    if isinstance(components[0], FoVBackgroundModel | TemplateNPredModel):
        rows = rows_of(data, components)
        return [_background_fold(data, components, rows, size)] if rows[0].size else []
    builds = by_steps(build_of(data, stack, components, options, every_bin))
    found = [route_of(build)(build) for build in builds]
    if not has_times(components):
        return found
    datasets = [item.dataset for item in data]
    return [TimedFold.create(fold, datasets, components) for fold in found]


def build_of(
    data: Sequence[MapData],
    stack: Any,
    components: Sequence[Any],
    options: FoldOptions,
    every_bin: bool = False,
) -> Build:
    """What the builder of the fold of a stack is given."""
    flags = {part: components[0].irf_applies(part) for part in FLAGS}
    frame = data[0].pixels.frame
    made = [sky_response(item.dataset, flags, frame, options.containment) for item in data]
    energy = TrueAxes.of([item.dataset for item in data])
    rows = rows_of(data, components)
    return Build(data, stack, components, made, energy, rows, options, every_bin)


def route_of(build: Build) -> Any:
    """What builds the fold of a stack: which way it goes depends on its shape and freedom."""
    spatial = build.components[0].spatial_model
    if spatial.per_pixel:
        return dense_fold
    if build.stack.is_round and not spatial.has_energy and not _on_grid(build):
        # shapes that stay are matrices, unless they are predicted once
        return round_fold if build.stack.moves or build.every_bin else frozen_fold
    spread = all(response.psf is not None for response in build.responses)
    if build.stack.moves and not spread:
        return bare_fold
    if build.stack.moves:
        return fourier_fold
    # a lattice of the pixels serves the templates, and what has no spread
    flat = all(isinstance(item.pixels, WcsPixels) for item in build.data)
    template = spatial.KIND not in ("point", "radial")
    if not spread or (flat and template and not build.responses[0].spread_last):
        return dense_fold
    return frozen_fourier_fold if fits_plane(build) else sphere_fold


def _on_grid(build: Build) -> bool:
    """Whether round sources are folded on a grid: where their exposure has steps."""
    component, item = build.components[0], build.data[0]
    extended = component.spatial_model.KIND != "point"
    if not build.stepped or not extended or build.responses[0].psf is None:
        return False
    if not fits_grid(build):
        warnings.warn(
            f"the exposure of dataset {item.dataset.name!r} has a step in component "
            f"{component.name!r}, and the grid to see it has too many places: its counts are "
            "right in total, and spread as a parabola of the exposure has them; take a smaller "
            "FoldOptions(containment=...), or order='psf-first'",
            stacklevel=2,
        )
        return False
    return True


def _background_fold(
    data: Sequence[MapData], components: Sequence[Any], rows: Any, size: int
) -> BackgroundFold:
    dataset, source = rows
    number, count = dataset.size, data[0].dataset.energy.nbin
    centers, totals = np.zeros((2, number, count))
    bins = np.zeros((number, 1, size))
    energy = np.zeros((number, size // WIDTH), dtype=np.int32)
    for row, (d, s) in enumerate(zip(dataset, source, strict=True)):
        item = data[d]
        template = _counts_template(components[s], item.dataset).reshape(item.mask.shape)
        used = item.bins.pixel.size
        centers[row] = item.dataset.energy.center
        energy[row, : used // WIDTH] = item.bins.energy[::WIDTH]
        here = template[item.bins.energy, item.bins.pixel]
        bins[row, 0, :used] = np.where(item.bins.used, here, 0.0)
        totals[row] = np.where(item.mask, template, 0.0).sum(axis=1)
    target = np.zeros((number, 1), dtype=np.int32)
    return BackgroundFold(dataset, source, target, centers, bins, energy, totals)


def _counts_template(component: Any, dataset: Any) -> np.ndarray:
    """The counts that a component scales, on the bins of the dataset."""
    if isinstance(component, FoVBackgroundModel):
        return dataset.background_data
    template = component.map
    if template.data.shape != dataset.counts.data.shape:
        raise ValueError(
            f"component {component.name!r}: its map has shape {template.data.shape}, the "
            f"dataset {dataset.name!r} {dataset.counts.data.shape}"
        )
    return np.asarray(template.data, dtype=np.float64)
