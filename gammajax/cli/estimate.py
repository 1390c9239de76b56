"""``gammajax flux-points``, ``light-curve`` and ``ts-map``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gammajax.cli.console import bad_input, console, table
from gammajax.cli.folder import check_output, output_folder, write_json
from gammajax.cli.inputs import numbers, with_energy_ranges
from gammajax.cli.options import Request, Show

UNTRUSTED = "not converged"
"""Words in the note of a point that is not to be trusted."""


@dataclass(frozen=True)
class Estimate:
    """What the commands share beyond the request."""

    source: str | None
    edges: str | None
    reoptimize: list[str] | None
    method: str = "independent"


def _begin(request: Request, show: Show) -> tuple[Any, Any]:
    """Datasets and models of a request."""
    check_output(request.output, request.overwrite)
    from gammajax.config import enable_compilation_cache
    from gammajax.datasets import Datasets
    from gammajax.models import Models

    if show.cache:
        enable_compilation_cache()
    models = Models.read(request.models)
    datasets = Datasets.read(request.datasets)
    return with_energy_ranges(datasets, request.energy_min, request.energy_max), models


def _reoptimize(given: Sequence[str] | None) -> Any:
    """Globs of what is fitted again; ``*`` is all."""
    if not given:
        return False
    return True if list(given) == ["*"] else list(given)


def flux_points(request: Request, show: Show, wanted: Estimate) -> int:
    """Read, measure, write and print; gives the exit status."""
    with bad_input():
        datasets, models = _begin(request, show)
        from gammajax.estimators import FluxPointsEstimator

        estimator = FluxPointsEstimator(
            energy_edges=numbers(wanted.edges, "--edges"),
            source=wanted.source,
            reoptimize=_reoptimize(wanted.reoptimize),
            method=wanted.method,
            progress=not show.quiet,
        )
        points = estimator.run(datasets, models)
    with bad_input(), output_folder(request.output) as folder:
        points.write(folder / "flux_points.fits", sed_type="likelihood")
        points.write(folder / "flux_points.ecsv")
        write_json(folder / "flux_points.json", _described(points.norms, points.energy_ref))
        if show.plots:
            _draw_points(points, models, folder)
    out = console(show.quiet)
    out.print(points_table(points))
    return _finish(out, request.output, points.norms)


def light_curve(request: Request, show: Show, wanted: Estimate, intervals: str) -> int:
    """Read, measure, write and print; gives the exit status."""
    with bad_input():
        datasets, models = _begin(request, show)
        from gammajax.estimators import LightCurveEstimator

        estimator = LightCurveEstimator(
            time_intervals=intervals,
            energy_edges=numbers(wanted.edges, "--edges"),
            source=wanted.source,
            reoptimize=_reoptimize(wanted.reoptimize),
            method=wanted.method,
            progress=not show.quiet,
        )
        curve = estimator.run(datasets, models)
    with bad_input(), output_folder(request.output) as folder:
        curve.write(folder / "light_curve.fits")
        curve.write(folder / "light_curve.ecsv", sed_type="flux")
        if show.plots:
            from gammajax.plots.style import draw_without_display, save

            draw_without_display()
            save(curve.plot(), folder / "light_curve.png")
    out = console(show.quiet)
    out.print(curve_table(curve))
    return _finish(out, request.output, curve.norms)


def ts_map(
    request: Request, show: Show, wanted: Estimate, width: str | None, threshold: float
) -> int:
    """Read, measure, write and print; gives the exit status."""
    with bad_input():
        datasets, models = _begin(request, show)
        from gammajax.estimators import TSMapEstimator, find_peaks
        from gammajax.models import Models

        kernel, rest = None, models
        if wanted.source is not None:
            kernel = models[wanted.source]
            rest = Models([c for c in models if c.name != wanted.source] or [kernel])
            rest = None if len(models) == 1 else rest
        estimator = TSMapEstimator(
            model=kernel,
            kernel_width=width,
            energy_edges=numbers(wanted.edges, "--edges"),
            selection_optional="all",
            progress=not show.quiet,
        )
        maps = estimator.run(datasets, rest)
        images = [maps["sqrt_ts"].slice_by_idx({"energy": i}) for i in range(maps.energy.nbin)]
        peaks = [find_peaks(image, threshold) for image in images]
    with bad_input(), output_folder(request.output) as folder:
        maps.write(folder / "ts_map.fits")
        for i, (image, found) in enumerate(zip(images, peaks, strict=True)):
            name = "" if len(images) == 1 else f"_{i}"
            found.write(folder / f"peaks{name}.ecsv", format="ascii.ecsv")
            if show.plots:
                from gammajax.plots.style import draw_without_display, save

                draw_without_display()
                save(image.plot(add_cbar=True), folder / f"sqrt_ts{name}.png")
    out = console(show.quiet)
    for found in peaks:
        out.print(peaks_table(found))
    for note in maps.notes:
        out.print(f"[yellow]Note[/yellow]: {note}")
    out.print(f"Results are in {request.output}/")
    return 0


def _finish(out: Any, output: Path, norms: Any) -> int:
    """Where the results are; the status is 1 if a fit did not converge."""
    import numpy as np

    bad = sum(UNTRUSTED in str(note) for note in np.ravel(norms.notes))
    if bad:
        out.print(f"[bold red]Not converged[/bold red]: {bad} of {norms.norm.size} fits")
    out.print(f"Results are in {output}/")
    return 1 if bad else 0


def _described(norms: Any, energy: Any) -> list[dict[str, Any]]:
    names = ("norm", "norm_err", "norm_errn", "norm_errp", "norm_ul", "ts", "success", "notes")
    return [
        {"e_ref": energy[i], **{name: getattr(norms, name)[i] for name in names}}
        for i in range(len(energy))
    ]


def _draw_points(points: Any, models: Any, folder: Path) -> None:
    from gammajax.plots import plot_flux_profiles, plot_sed
    from gammajax.plots.style import TRUTH, draw_without_display, save

    draw_without_display()
    ax = plot_flux_profiles(points)
    bounds = (points.energy_min.min(), points.energy_max.max())
    plot_sed(models, points.meta["source"], energy_bounds=bounds, ax=ax)
    points.plot(ax, label="flux points", colour=TRUTH)
    save(ax, folder / "flux_points.png")


def points_table(points: Any) -> Any:
    """Flux points, as a table to print."""
    numeric = ("energy", "dN/dE", "error", "limit", "sqrt(TS)")
    names = ("energy", "range", "dN/dE", "error", "limit", "sqrt(TS)", "note")
    shown = table("Flux points", *names, numbers=numeric)
    norms = points.norms
    for i in range(len(points)):
        shown.add_row(
            f"{points.energy_ref[i]:.4g}",
            f"{points.energy_min[i]:.4g} to {points.energy_max[i]:.4g}",
            f"{points.value[i]:.3e}",
            f"{points.error[i]:.1e}",
            f"{points.limit[i]:.3e}",
            f"{norms.sqrt_ts[i]:.1f}",
            str(norms.notes[i]),
        )
    shown.caption = "TeV, cm-2 s-1 TeV-1; limits at " + f"{points.confidence:.3f}, one-sided"
    return shown


def curve_table(curve: Any) -> Any:
    """A light curve, as a table to print."""
    names = ("start (MJD TT)", "stop", "energy", "flux", "error", "sqrt(TS)", "note")
    shown = table("Light curve", *names, numbers=("flux", "error", "sqrt(TS)"))
    flux, error = curve.values(), curve.values("norm_err")
    for t in range(len(curve)):
        for e in range(curve.energy_min.size):
            shown.add_row(
                f"{curve.time_min[t]:.6f}",
                f"{curve.time_max[t]:.6f}",
                f"{curve.energy_min[e]:.3g} to {curve.energy_max[e]:.3g}",
                f"{flux[t, e]:.3e}",
                f"{error[t, e]:.1e}",
                f"{curve.norms.sqrt_ts[t, e]:.1f}",
                str(curve.norms.notes[t, e]),
            )
    shown.caption = "TeV, cm-2 s-1"
    return shown


def peaks_table(found: Any) -> Any:
    """Peaks of a map of significance, as a table to print."""
    names = [name for name in found.colnames if name not in ("x", "y")]
    shown = table("Peaks", *names, numbers=tuple(names))
    for row in found:
        shown.add_row(*(f"{float(row[name]):.4f}" for name in names))
    return shown
