"""``gammajax fit``."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from gammajax.cli.console import (
    Failure,
    bad_input,
    console,
    counted,
    say_error,
    significant,
    table,
)
from gammajax.cli.folder import check_output, output_folder, write_json
from gammajax.cli.info import versions
from gammajax.cli.options import Fitting, Request, Show

MOST_COMPONENTS = 10
"""Components whose spectra are drawn; of more, the first ones."""


def run(request: Request, show: Show, how: Fitting) -> int:
    """Read, fit, write and print; gives the exit status."""
    with bad_input():
        if how.process == 0:
            check_output(request.output, request.overwrite)
        if not how.coordinator and (how.processes > 1 or how.process):
            raise ValueError("--processes and --process need --coordinator HOST:PORT")
        from gammajax.config import enable_compilation_cache
        from gammajax.inference import Fit

        if show.cache:
            enable_compilation_cache()
        fit = Fit(method=how.method, covariance=how.covariance)
    if how.coordinator:
        return _run_together(fit, request, show, how)
    with bad_input():
        began = time.perf_counter()
        from gammajax.cli.inputs import read_likelihood

        likelihood = read_likelihood(request)
        reading = time.perf_counter() - began
    with bad_input():
        result = fit.run(likelihood, checkpoint=how.checkpoint)
    return _finish(result, request, show, reading)


def _finish(result: Any, request: Request, show: Show, reading: float) -> int:
    with bad_input(), output_folder(request.output) as folder:
        write_fit(result, folder, reading=reading, plots=show.plots)
    print_fit(result, console(show.quiet))
    console(show.quiet).print(f"Results are in {request.output}/")
    return 0 if result.success else 1


def _run_together(fit: Any, request: Request, show: Show, how: Fitting) -> int:
    """One of the processes of a fit; the first one writes and prints, without pictures."""
    from gammajax.inference import start_distributed
    from gammajax.inference.processes import leave_at_once

    try:
        with bad_input():
            start_distributed(how.coordinator, how.processes, how.process)
            began = time.perf_counter()
            from gammajax.cli.inputs import read_sharded

            likelihood = read_sharded(request)
            reading = time.perf_counter() - began
            result = fit.run(likelihood, checkpoint=how.checkpoint)
    except Failure:
        leave_at_once(2)
    except RuntimeError as error:
        say_error(error)
        leave_at_once(3)
    if how.process > 0:
        return 0 if result.success else 1
    return _finish(result, request, replace(show, plots=False), reading)


def write_fit(result: Any, folder: Path, *, reading: float = 0.0, plots: bool = True) -> None:
    """The files of a fit: models, ``fit.json`` and pictures."""
    result.models.write(folder / "models.yaml")
    write_json(folder / "fit.json", describe_fit(result, reading))
    if plots:
        draw_fit(result, folder)


def describe_fit(result: Any, reading: float) -> dict[str, Any]:
    """What ``fit.json`` holds."""
    likelihood = result.likelihood
    return {
        "success": bool(result.success),
        "message": result.message,
        "stat": result.stat,
        "n_free": likelihood.n_free,
        "n_bins": likelihood.n_bins,
        "evaluations": result.n_evaluations,
        "edm": result.edm,
        "method": result.method,
        "at_bounds": result.at_bounds,
        "seconds": {"read": reading, **result.seconds},
        "parameters": [
            {
                "name": row.name,
                "value": row.value,
                "error": row.error if _error_is_known(result, row) else None,
                "unit": row.unit,
                "frozen": row.frozen,
                "min": row.min,
                "max": row.max,
                "link": str(row.link) if row.link else None,
            }
            for row in result.parameters
        ],
        "datasets": [dataset.info_dict() for dataset in likelihood.datasets],
        "versions": versions(),
    }


def _error_is_known(result: Any, row: Any) -> bool:
    if row.name not in result.names:
        return True
    return bool(result.errors[result.names.index(row.name)] >= 0)


def draw_fit(result: Any, folder: Path) -> None:
    """Pictures of counts, spectra and correlations."""
    from gammajax.plots import plot_correlation, plot_fit
    from gammajax.plots.style import draw_without_display, save

    draw_without_display()
    if any(hasattr(dataset, "counts") for dataset in result.likelihood.datasets):
        save(plot_fit(result), folder / "counts.png")
    draw_residuals(result, folder)
    draw_spectra(result, folder)
    if result.likelihood.n_free > 1:
        save(plot_correlation(result), folder / "correlation.png")


def draw_residuals(result: Any, folder: Path) -> None:
    """A map of residuals for each counts cube: ``residuals_NAME.png``."""
    from gammajax.plots.style import save

    cubes = [dataset for dataset in result.likelihood.datasets if hasattr(dataset, "geom")]
    for dataset in cubes[:MOST_COMPONENTS]:
        save(
            dataset.plot_residuals(result.models),
            folder / f"residuals_{safe(dataset.name)}.png",
        )


def safe(name: str) -> str:
    """A name without the signs that a file name should not have."""
    return "".join(c if c.isalnum() or c in "-_+." else "_" for c in name)


def draw_spectra(result: Any, folder: Path, **options: Any) -> None:
    """A spectrum for each component: ``sed.png``, or ``sed_NAME.png`` if there are several."""
    from gammajax.plots import plot_sed
    from gammajax.plots.style import save

    names = [c.name for c in result.models if not c.spectral_model.is_norm]
    for name in names[:MOST_COMPONENTS]:
        filename = "sed.png" if len(names) == 1 else f"sed_{safe(name)}.png"
        save(plot_sed(result, name, **options), folder / filename)


def print_fit(result: Any, out: Any) -> None:
    """The parameters, the statistic and whether to believe them."""
    likelihood = result.likelihood
    shown = table("Parameters", "name", "value", "error", "unit", "note",
                  numbers=("value", "error"))  # fmt: skip
    for row in result.parameters:
        known = row.error if _error_is_known(result, row) else float("nan")
        value, error = significant(row.value, known)
        shown.add_row(row.name, value, error, row.unit, note_on(result, row))
    out.print(shown)
    out.print(
        f"-2 ln L = {result.stat:.4f} in {likelihood.n_bins} bins of "
        f"{counted(len(likelihood.datasets), 'dataset')}, "
        f"{counted(likelihood.n_free, 'free parameter')}; "
        f"{result.n_evaluations} evaluations ({result.method}), "
        f"{result.seconds['compile']:.2f} s to compile, {result.seconds['fit']:.2f} s to fit"
    )
    if result.success:
        out.print(f"[green]Converged[/green]: {result.message}")
    else:
        out.print(f"[bold red]Not converged[/bold red]: {result.message}")


def note_on(result: Any, row: Any) -> str:
    """What else is to be said of a parameter: a link, a bound, that it is frozen."""
    if row.link is not None:
        return f"= {row.link}"
    if row.name in result.at_bounds:
        return "at its bound"
    return "frozen" if row.frozen else ""
