"""What an analysis measures after its fit: points, a curve, maps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.cli.config import Intervals
from gammajax.cli.plan import check_parameters, section

RINGS = ("ring", "adaptive_ring")
"""Backgrounds whose off counts are sums around each pixel already."""


def check_steps(config: Any, models: Any) -> None:
    """Raise, before anything is done, for what an estimator or the models do not have."""
    from gammajax import estimators
    from gammajax.estimators.scaled import source_name

    for name, kind in (
        ("flux_points", estimators.FluxPointsEstimator),
        ("light_curve", estimators.LightCurveEstimator),
        ("excess_map", estimators.ExcessMapEstimator),
        ("ts_map", estimators.TSMapEstimator),
    ):
        given = getattr(config, name)
        with section(name):
            check_parameters(kind, given.parameters if given is not None else {})
    for name, wanted in (
        ("flux_points", config.flux_points.energy.is_given),
        ("light_curve", config.light_curve.is_given),
    ):
        if wanted:
            with section(name):
                source_name(models, source_of(models, getattr(config, name).source))


def flux_points(found: Any) -> Any:
    """Flux points, if their energies are given."""
    given = found.plan.config.flux_points
    if not given.energy.is_given:
        return None
    from gammajax.cli.estimate import points_table
    from gammajax.estimators import FluxPointsEstimator

    estimator = FluxPointsEstimator(
        energy_edges=given.energy.axis("energy").edges,
        source=source_of(found.result.models, given.source),
        **{"progress": found.progress} | given.parameters,
    )
    found.points = estimator.run(found.result.likelihood.datasets, found.result.models)
    return points_table(found.points)


def light_curve(found: Any) -> Any:
    """A light curve, if its times or energies are given."""
    given = found.plan.config.light_curve
    if not given.is_given:
        return None
    from gammajax.cli.estimate import curve_table
    from gammajax.estimators import LightCurveEstimator

    energy = given.energy_edges
    estimator = LightCurveEstimator(
        time_intervals=intervals(given.time_intervals),
        energy_edges=energy.axis("energy").edges if energy.is_given else None,
        source=source_of(found.result.models, given.source),
        **{"progress": found.progress} | given.parameters,
    )
    found.curve = estimator.run(found.result.likelihood.datasets, found.result.models)
    shown = curve_table(found.curve)
    hint = one_interval(found.plan.config)
    if hint:
        shown.caption = f"{shown.caption}; {hint}"
    return shown


def one_interval(config: Any) -> str:
    """Why a light curve by run or by night has one point only; nothing if it may have more."""
    summed = config.datasets.stack and not isinstance(
        config.light_curve.time_intervals, Intervals
    )
    return "runs are summed, so there is one point; stack: false gives more" if summed else ""


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


def excess_map(found: Any) -> Any:
    """Excess over the background of the fit, if the section is given."""
    config = found.plan.config
    if not config.wants_excess_map:
        return None
    from gammajax.estimators import ExcessMapEstimator

    given = config.excess_map
    options = {"correlate_off": config.datasets.background.method not in RINGS}
    estimator = ExcessMapEstimator(
        correlation_radius=given.correlation_radius,
        energy_edges=given.energy_edges.axis("energy").edges
        if given.energy_edges.is_given else None,
        **options | given.parameters,
    )  # fmt: skip
    found.excess = estimator.run(one_cube(found))
    return f"Map of the excess: {in_words(found.excess)}"


def in_words(maps: Any) -> str:
    """The range of significance of maps."""
    values = np.asarray(maps["sqrt_ts"].data)
    return f"significance from {np.nanmin(values):.1f} to {np.nanmax(values):.1f}"


def one_cube(found: Any) -> Any:
    """The sum of the counts cubes of a fit on the whole map, with the background as fitted."""
    from gammajax.makers.datasets import Total
    from gammajax.models import Models, SkyModel

    result = found.result
    cubes = []
    for dataset in result.likelihood.datasets:
        if hasattr(dataset, "counts_off"):
            cubes.append(dataset)
            continue
        rest = [c for c in result.models if not isinstance(c, SkyModel)]
        rest = [c for c in rest if c.folds_into(dataset.name)]
        known = dataset.npred(Models(rest) if rest else None)
        cubes.append(dataset.replace(background=known))
    if len(cubes) == 1:
        return cubes[0]
    total = Total(found.plan.dataset)
    for cube in cubes:
        total.add(cube)
    return total.get()


def ts_map(found: Any) -> Any:
    """The significance of a source at each pixel, if the section is given."""
    given = found.plan.config.ts_map
    if given is None:
        return None
    from gammajax.estimators import TSMapEstimator
    from gammajax.models import Models, SkyModel

    datasets, models = found.result.likelihood.datasets, found.result.models
    if not all(hasattr(dataset, "geom") for dataset in datasets):
        raise ValueError("needs counts cubes (datasets.type: 3d)")
    name = source_of(models, given.source)
    if any(dataset.geom != datasets[0].geom for dataset in datasets):
        # cutouts around their pointings: summed, with the backgrounds as fitted
        datasets = [one_cube(found)]
        models = Models([c for c in models if isinstance(c, SkyModel)])
    rest = [component for component in models if component.name != name]
    estimator = TSMapEstimator(
        model=None if name is None else models[name],
        kernel_width=given.kernel_width,
        energy_edges=given.energy_edges.axis("energy").edges
        if given.energy_edges.is_given else None,
        **{"progress": found.progress} | given.parameters,
    )  # fmt: skip
    found.significance = estimator.run(datasets, Models(rest) if rest else None)
    found.peaks = peaks_of(found.significance, given.threshold)
    return f"Map of significance: {in_words(found.significance)}"


def peaks_of(maps: Any, threshold: float) -> list[Any]:
    """The peaks of a map of significance, in each bin of energy."""
    from gammajax.estimators import find_peaks

    return [find_peaks(image, threshold) for image in images_of(maps)]


def images_of(maps: Any) -> list[Any]:
    """Significance as images, one a bin of energy."""
    number = maps.energy.nbin
    return [maps["sqrt_ts"].slice_by_idx({"energy": i}) for i in range(number)]


STEPS: dict[str, Callable[[Any], Any]] = {
    "flux points": flux_points,
    "light curve": light_curve,
    "excess map": excess_map,
    "ts map": ts_map,
}
"""In their order; each looks whether it is wanted, and gives what is to be printed, or None."""


def write_maps(found: Any, folder: Path) -> None:
    """Maps, their pictures, and the peaks of the significance."""
    from gammajax.plots.style import draw_without_display, save

    for name, maps in (("excess_map", found.excess), ("ts_map", found.significance)):
        if maps is None:
            continue
        maps.write(folder / f"{name}.fits")
        draw_without_display()
        for image, end, title in zip(images_of(maps), *ends_and_titles(maps), strict=True):
            ax = image.plot(add_cbar=True, label=r"Significance [$\sigma$]")
            ax.set_title(title)
            save(ax, folder / f"{name}{end}.png")
    if found.significance is not None:
        ends, _ = ends_and_titles(found.significance)
        for table, end in zip(found.peaks, ends, strict=True):
            table.write(folder / f"peaks{end}.ecsv", format="ascii.ecsv")


def ends_and_titles(maps: Any) -> tuple[list[str], list[str]]:
    """What distinguishes the files of each bin of energy, and what it is called."""
    energy = maps.energy
    low, high = energy.edges_min, energy.edges_max
    titles = [f"{low[i]:.3g} to {high[i]:.3g} TeV" for i in range(energy.nbin)]
    return [""] if energy.nbin == 1 else [f"_{i}" for i in range(energy.nbin)], titles
