"""From datasets and models to the terms of a likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from gammajax.config import program
from gammajax.datasets import FluxPointsDataset, MapDataset, MapDatasetBase, MapDatasetOnOff
from gammajax.fold.build import Build
from gammajax.fold.exposed import by_steps
from gammajax.fold.far_bins import is_wide, wide_bins
from gammajax.fold.flux_points import build_flux_terms
from gammajax.fold.map_data import MapData
from gammajax.fold.map_plan import border_of, build_map_terms, build_of, folds_of, route_of
from gammajax.fold.options import FoldOptions
from gammajax.fold.round_build import round_fold
from gammajax.fold.spectrum import build_terms as build_spectrum_terms
from gammajax.fold.stack import stack_components
from gammajax.fold.staying import folded
from gammajax.fold.temporal import has_times
from gammajax.maps import Map
from gammajax.models import FoVBackgroundModel, Models, TemplateNPredModel

CHUNK, WIDE_CHUNK = 8, 64
"""Components folded at once into all bins of a map, or near their places: memory is bounded."""


def build_terms(
    datasets: Sequence[Any], groups: Sequence[Any], options: FoldOptions | None = None
) -> list[tuple[Any, Any]]:
    """Terms for datasets of any kind, each with the datasets in it.

    Raises
    ------
    ValueError
        If a component has no spatial model and is folded into a counts cube.
    """
    maps = [dataset for dataset in datasets if isinstance(dataset, MapDatasetBase)]
    points = [dataset for dataset in datasets if isinstance(dataset, FluxPointsDataset)]
    others = MapDatasetBase | FluxPointsDataset
    spectra = [dataset for dataset in datasets if not isinstance(dataset, others)]
    for dataset in maps:
        _check_spatial(dataset, groups)
    for _, components in groups:
        for component in components:
            _check_component(component, datasets)
    terms: list[tuple[Any, Any]] = []
    terms += build_spectrum_terms(spectra, groups) if spectra else []
    terms += build_flux_terms(points, groups)
    return terms + build_map_terms(maps, groups, options or FoldOptions())


def _check_component(component: Any, datasets: Sequence[Any]) -> None:
    if getattr(component, "temporal_model", None) is not None:
        for dataset in datasets:
            if component.folds_into(dataset.name) and isinstance(dataset, FluxPointsDataset):
                raise ValueError(
                    f"component {component.name!r} has a temporal model, and flux points "
                    f"({dataset.name!r}) have no times; give the component datasets_names of "
                    "counts, or no temporal_model"
                )
    if not isinstance(component, FoVBackgroundModel | TemplateNPredModel):
        return
    for dataset in datasets:
        if component.folds_into(dataset.name) and not isinstance(dataset, MapDataset):
            reason = {
                MapDatasetOnOff: "has its background from off counts",
                FluxPointsDataset: "has flux points",
            }.get(type(dataset), "is a spectrum")
            raise ValueError(
                f"component {component.name!r} is a {type(component).__name__}, and "
                f"{dataset.name!r} {reason}; give the component datasets_names of counts cubes "
                "with a background of their own"
            )


def _check_spatial(dataset: Any, groups: Sequence[Any]) -> None:
    for _, components in groups:
        for component in components:
            if isinstance(component, FoVBackgroundModel | TemplateNPredModel):
                continue
            if component.folds_into(dataset.name) and component.spatial_model is None:
                raise ValueError(
                    f"component {component.name!r} has no spatial model, and dataset "
                    f"{dataset.name!r} is a counts cube; give it a spatial_model, or "
                    "datasets_names of spectra"
                )


def npred_map(dataset: Any, models: Models | None, *, background: bool = True) -> Map:
    """Predicted counts in all bins of a counts cube.

    Parameters
    ----------
    dataset : `~gammajax.datasets.MapDataset`
    models : `~gammajax.models.Models` or None
    background : bool
        Whether to add the background, as the models scale it.
    """
    total = np.zeros(dataset.counts.data.shape)
    scaled = False
    parts = [] if models is None else list(models)
    for component in parts:
        _check_component(component, [dataset])
    if models is not None:
        kinds = FoVBackgroundModel | TemplateNPredModel
        scaled = any(
            isinstance(c, FoVBackgroundModel) and c.folds_into(dataset.name) for c in parts
        )
        if not background:
            parts = [component for component in parts if not isinstance(component, kinds)]
        parts = [component for component in parts if component.folds_into(dataset.name)]
        total += _predicted(dataset, parts) if parts else 0.0
    if background and not scaled:
        total += dataset.background_data
    return dataset.counts.with_data(total, unit="")


def _predicted(dataset: Any, components: Sequence[Any]) -> np.ndarray:
    models = Models(components)
    if any(".spatial." in name for name in models.parameters.names):
        models = models.freeze("*.spatial.*")
    groups = stack_components(models)
    _check_spatial(dataset, groups)
    options = FoldOptions()
    data = MapData.create(dataset, border_of([dataset], groups, options), every_bin=True)
    size = data.bins.pixel.size
    values = np.array([row.value for row in models.parameters])
    found, far = np.zeros(size), np.zeros(data.mask.shape)
    for stack, members in groups:
        wide = _is_wide(data, stack, members, options)
        chunk = WIDE_CHUNK if wide else CHUNK
        for first in range(0, len(members), chunk):
            some = slice(first, first + chunk)
            part = stack.part(some)
            if wide:
                folds, rest = _wide(
                    build_of([data], part, members[some], options, True), values
                )
                far += rest
            else:
                folds = folds_of([data], part, members[some], size, options, every_bin=True)
            for fold in folds:
                found += np.asarray(_predict(fold, part, values, size))
    return (data.on_map(found) + far).reshape(dataset.counts.data.shape)


def _is_wide(data: MapData, stack: Any, members: Sequence[Any], options: FoldOptions) -> bool:
    if not stack.is_round or has_times(members):
        return False
    return is_wide(build_of([data], stack, members, options, every_bin=True))


def _wide(build: Build, values: np.ndarray) -> tuple[list[Any], Any]:
    """Folds of what is near the sources of a build, and the counts of all that is far."""
    folds, far = [], 0.0
    for part in by_steps(build):
        route = route_of(part)
        if route is not round_fold:
            folds.append(route(part))
            continue
        fold, rest = wide_bins(part, values)
        far = far + rest
        folds.append(fold)
    return folds, far


@partial(program, static_argnames=("size",))
def _predict(fold: Any, stack: Any, values: Any, size: int) -> Any:
    return folded(fold, stack, values, (1, size + 1))[0, :-1]
