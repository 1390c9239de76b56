"""What an analysis measures after its fit: points, a curve, maps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gammajax.cli.config import Intervals

RINGS = ("ring", "adaptive_ring")
"""Backgrounds whose off counts are sums around each pixel already."""


def flux_points(found: Any) -> None:
    """Flux points, if their energies are given."""
    given = found.plan.config.flux_points
    if not given.energy.is_given:
        return
    from gammajax.estimators import FluxPointsEstimator

    estimator = FluxPointsEstimator(
        energy_edges=given.energy.axis("energy").edges,
        source=source_of(found.result.models, given.source),
        **given.parameters,
    )
    found.points = estimator.run(found.result.likelihood.datasets, found.result.models)


def light_curve(found: Any) -> None:
    """A light curve, if its times or energies are given."""
    given = found.plan.config.light_curve
    if not given.is_given:
        return
    from gammajax.estimators import LightCurveEstimator

    energy = given.energy_edges
    estimator = LightCurveEstimator(
        time_intervals=intervals(given.time_intervals),
        energy_edges=energy.axis("energy").edges if energy.is_given else None,
        source=source_of(found.result.models, given.source),
        **given.parameters,
    )
    found.curve = estimator.run(found.result.likelihood.datasets, found.result.models)


def intervals(given: Any) -> Any:
    """The intervals of a light curve, as its estimator takes them."""
    if not isinstance(given, Intervals):
        return given or "run"
    from astropy.time import Time

    if not given.start or not given.stop or len(given.start) != len(given.stop):
        raise ValueError("time_intervals: give as many texts in start as in stop")
    times = zip(given.start, given.stop, strict=True)
    return [(Time(start, scale="utc"), Time(stop, scale="utc")) for start, stop in times]


def source_of(models: Any, name: str | None) -> str | None:
    """The source that is meant; gammapy's default name stands for the only one."""
    known = [component.name for component in models]
    return None if name == "source" and name not in known else name


def excess_map(found: Any) -> None:
    """Excess over the background of the fit, if the section is given."""
    config = found.plan.config
    if not config.wants_excess_map:
        return
    from gammajax.estimators import ExcessMapEstimator

    given = config.excess_map
    options = {"correlate_off": config.datasets.background.method not in RINGS}
    estimator = ExcessMapEstimator(
        correlation_radius=given.correlation_radius,
        energy_edges=given.energy_edges.axis("energy").edges
        if given.energy_edges.is_given else None,
        **options | given.parameters,
    )  # fmt: skip
    found.excess = estimator.run(one_cube(found.result))


def one_cube(result: Any) -> Any:
    """The sum of the counts cubes of a fit, with the background as fitted."""
    from gammajax.datasets import Datasets
    from gammajax.models import Models, SkyModel

    cubes = []
    for dataset in result.likelihood.datasets:
        if hasattr(dataset, "counts_off"):
            cubes.append(dataset)
            continue
        rest = [c for c in result.models if not isinstance(c, SkyModel)]
        rest = [c for c in rest if c.folds_into(dataset.name)]
        known = dataset.npred(Models(rest) if rest else None)
        cubes.append(dataset.replace(background=known))
    return cubes[0] if len(cubes) == 1 else Datasets(cubes).stack_reduce(name="stacked")


def ts_map(found: Any) -> None:
    """The significance of a source at each pixel, if the section is given."""
    given = found.plan.config.ts_map
    if given is None:
        return
    from gammajax.estimators import TSMapEstimator
    from gammajax.models import Models

    datasets, models = found.result.likelihood.datasets, found.result.models
    if not all(hasattr(dataset, "geom") for dataset in datasets):
        raise ValueError("needs counts cubes (datasets.type: 3d)")
    name = source_of(models, given.source)
    rest = [component for component in models if component.name != name]
    estimator = TSMapEstimator(
        model=None if name is None else models[name],
        kernel_width=given.kernel_width,
        energy_edges=given.energy_edges.axis("energy").edges
        if given.energy_edges.is_given else None,
        **given.parameters,
    )  # fmt: skip
    found.significance = estimator.run(datasets, Models(rest) if rest else None)


STEPS: dict[str, Callable[[Any], None]] = {
    "flux points": flux_points,
    "light curve": light_curve,
    "excess map": excess_map,
    "ts map": ts_map,
}
"""In their order; each looks whether it is wanted."""


def write_maps(found: Any, folder: Path) -> None:
    """Maps, their pictures, and the peaks of the significance."""
    from gammajax.estimators import find_peaks
    from gammajax.plots.style import draw_without_display, save

    config = found.plan.config
    for name, maps in (("excess_map", found.excess), ("ts_map", found.significance)):
        if maps is None:
            continue
        maps.write(folder / f"{name}.fits")
        draw_without_display()
        for i in range(maps.energy.nbin):
            image = maps["sqrt_ts"].slice_by_idx({"energy": i})
            end = "" if maps.energy.nbin == 1 else f"_{i}"
            save(image.plot(add_cbar=True), folder / f"{name}{end}.png")
            if name == "ts_map":
                peaks = find_peaks(image, config.ts_map.threshold)
                peaks.write(folder / f"peaks{end}.ecsv", format="ascii.ecsv")
