"""Plans of counts cubes: from datasets and components to a term, on the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gammajax.fold.dense import dense_fold
from gammajax.fold.map_data import MapData, true_axes
from gammajax.fold.map_term import BackgroundFold, MapTerm
from gammajax.fold.off_counts import OffCounts
from gammajax.fold.options import FoldOptions
from gammajax.fold.round_build import linear_fold, reaches, round_fold
from gammajax.fold.sky_response import sky_response
from gammajax.models import (
    ConstantFluxSpatialModel,
    EnergyDependentSpatialModel,
    FoVBackgroundModel,
    TemplateNPredModel,
)

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
    return [(build_map_term(batch, groups, options), batch) for batch in batches.values()]


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
) -> MapTerm:
    """The term of a batch of counts cubes.

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
    border = _border(datasets, groups, options)
    data = [MapData.create(dataset, border, every_bin) for dataset in datasets]
    size = max(max(item.bins.pixel.size for item in data), 1)
    counts, background = np.zeros((2, len(data), size))
    totals = np.zeros(len(data))
    on_off = datasets[0].stat_type == "wstat"
    off = OffCounts.create(data, size) if on_off else None
    mask = np.zeros((len(data), size + 1), dtype=bool)
    mask[:, -1] = True
    for row, item in enumerate(data):
        number = item.bins.pixel.size
        mask[row, :number] = True
        place = item.bins.energy, item.bins.pixel
        shape = item.mask.shape
        counts[row, :number] = np.asarray(item.dataset.counts.data).reshape(shape)[place]
        if not on_off and item.dataset.name not in scaled:
            known = item.dataset.background_data.reshape(shape)
            background[row, :number] = known[place]
            totals[row] = known[item.mask].sum()
    folds = tuple(_fold(data, stack, parts, size, options) for stack, parts in groups)
    return MapTerm(folds, counts, background, totals, mask, off)


def _border(datasets: Sequence[Any], groups: Sequence[Any], options: FoldOptions) -> float:
    """Width of the sky around the maps from which sources shine in, in rad."""
    largest = 0.0
    for dataset in datasets:
        if dataset.psf is not None:
            response = sky_response(
                dataset, dict.fromkeys(FLAGS, True), dataset.geom.frame, options.containment
            )
            if response.radii is not None:
                largest = max(largest, float(response.radii.max()))
    extents = [reaches(stack, parts) for stack, parts in groups if stack.is_round]
    largest += max((float(extent.max()) for extent in extents), default=0.0)
    return BORDER * largest


def _fold(
    data: Sequence[MapData], stack: Any, components: Sequence[Any], size: int, options: Any
) -> Any:
    """The fold of a stack; None if none of its components folds into these datasets."""
    weight = np.array(
        [[float(c.folds_into(item.dataset.name)) for c in components] for item in data]
    )
    if not weight.any():
        return None
    if isinstance(components[0], FoVBackgroundModel | TemplateNPredModel):
        return _background_fold(data, components, weight, size)
    _check_shapes(stack, components, data[0].dataset)
    flags = {part: components[0].irf_applies(part) for part in FLAGS}
    frame = data[0].pixels.frame
    made = [sky_response(item.dataset, flags, frame, options.containment) for item in data]
    energy = true_axes([item.dataset for item in data])
    if not stack.is_round:
        return dense_fold(data, stack, components, made, energy, weight, size)
    build = round_fold if stack.moves else linear_fold
    return build(data, stack, components, made, energy, weight, size, options)


def _check_shapes(stack: Any, components: Sequence[Any], dataset: Any) -> None:
    """Raise for what cannot be folded into counts cubes."""
    spatial = components[0].spatial_model
    where = f"component {components[0].name!r}: {type(spatial).__name__}"
    if isinstance(spatial, EnergyDependentSpatialModel | ConstantFluxSpatialModel):
        raise ValueError(
            f"{where} is not folded into counts cubes ({dataset.name!r}) by this version; use "
            "a shape that is the same at all energies"
        )
    if stack.moves and not stack.is_round:
        raise ValueError(
            f"{where} is not round, and only round shapes may move or change in a fit; freeze "
            f"its parameters ({components[0].name}.spatial.*), or set e to 0 and freeze it"
        )


def _background_fold(
    data: Sequence[MapData], components: Sequence[Any], weight: np.ndarray, size: int
) -> BackgroundFold:
    rows = np.argwhere(weight.T > 0)
    count = data[0].dataset.energy.nbin
    centers, totals = np.zeros((2, len(rows), count))
    bins = np.zeros((len(rows), size))
    energy = np.zeros((len(rows), size), dtype=np.int32)
    for row, (component, number) in enumerate(rows):
        item = data[number]
        template = _counts_template(components[component], item.dataset)
        template = template.reshape(item.mask.shape)
        used = item.bins.pixel.size
        centers[row] = item.dataset.energy.center
        energy[row, :used] = item.bins.energy
        bins[row, :used] = template[item.bins.energy, item.bins.pixel]
        totals[row] = np.where(item.mask, template, 0.0).sum(axis=1)
    return BackgroundFold(centers, rows[:, 1], rows[:, 0], bins, energy, totals, len(data))


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
