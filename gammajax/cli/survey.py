"""``gammajax catalog-fit`` and ``gammajax find-sources``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gammajax.cli.console import bad_input, console, say_error
from gammajax.cli.folder import check_output, output_folder
from gammajax.cli.inputs import numbers, with_energy_ranges
from gammajax.cli.options import Show


@dataclass(frozen=True)
class Survey:
    """What to read, and where to write."""

    datasets: Path
    models: Path | None
    output: Path
    energy_min: list[str] | None
    energy_max: list[str] | None
    fluxes: str | None
    overwrite: bool


@dataclass(frozen=True)
class Rules:
    """Which sources of a catalogue are fitted, and what of them is free."""

    catalog: str
    file: Path | None
    margin: str
    min_ts: float | None
    min_variability: float | None
    within: str | None
    positions_ts: float | None
    norms_only: bool


def catalog_fit(survey: Survey, show: Show, rules: Rules, checkpoint: Path | None) -> int:
    """Read, fit all sources, write and print; gives the exit status."""
    out = console(show.quiet)
    with bad_input():
        datasets, others, began = _begin(survey, show)
        from gammajax.catalog import load
        from gammajax.models import Models
        from gammajax.survey import CatalogFit, region_models

        catalog = load(rules.catalog, rules.file)
        sources = region_models(catalog, datasets, margin=rules.margin)
        sources = _with_rules(sources, catalog, datasets, rules)
        models = sources + others if others is not None else Models(()) + sources
        fit = CatalogFit(datasets, models, energy=numbers(survey.fluxes, "--fluxes"))
        out.print(f"{len(sources)} sources of {catalog.tag}; planning")
        plan = fit.memory
        reading = time.perf_counter() - began
        out.print(str(plan))
        found = fit.run(progress=not show.quiet, checkpoint=checkpoint)
    from gammajax.cli.survey_page import screen, write_survey

    title = f"Fit of {len(sources)} sources of {catalog.tag}"
    with bad_input(), output_folder(survey.output) as folder:
        options = {"lines": [], "reading": reading, "plots": show.plots}
        write_survey(folder, title, found.result, found.table, **options)
    out.print(screen(title, found.table))
    return _end(out, survey.output, found.result)


def find_sources(survey: Survey, show: Show, options: dict[str, Any]) -> int:
    """Read, look for sources, write and print; gives the exit status."""
    out, lines = console(show.quiet), []

    def say(line: str) -> None:
        lines.append(line)
        out.print(line)

    with bad_input():
        datasets, models, began = _begin(survey, show)
        from gammajax.models import Models
        from gammajax.survey import SourceFinder
        from gammajax.survey.catalog_fit import energy_range

        finder = SourceFinder(**options, progress=not show.quiet)
        ends = numbers(survey.fluxes, "--fluxes") or energy_range(datasets)
        reading = time.perf_counter() - began
        found = finder.run(datasets, models or Models(()), say=say)
        table = None if found.result is None else found.table(ends)
    from gammajax.cli.survey_page import screen, write_survey

    title = f"{len(found.names)} new sources"
    with bad_input(), output_folder(survey.output) as folder:
        how = {"lines": lines, "reading": reading, "plots": show.plots}
        write_survey(folder, title, found.result, table, **how)
    if table is None:
        out.print("Nothing was found")
        out.print(f"Results are in {survey.output}/")
        return 0
    out.print(screen(title, table))
    return _end(out, survey.output, found.result)


def _begin(survey: Survey, show: Show) -> tuple[Any, Any, float]:
    """Datasets with their energy ranges, models if there are any, and the time."""
    check_output(survey.output, survey.overwrite)
    from gammajax.config import enable_compilation_cache
    from gammajax.datasets import Datasets
    from gammajax.models import Models

    if show.cache:
        enable_compilation_cache()
    began = time.perf_counter()
    datasets = Datasets.read(survey.datasets)
    datasets = with_energy_ranges(datasets, survey.energy_min, survey.energy_max)
    return datasets, None if survey.models is None else Models.read(survey.models), began


def _with_rules(sources: Any, catalog: Any, datasets: Any, rules: Rules) -> Any:
    """The models of a catalogue with what the rules free."""
    from gammajax.survey import catalog_column, catalog_ts, free_sources

    conditions: dict[str, Any] = {}
    if rules.min_ts is not None or rules.positions_ts is not None:
        conditions["ts"] = catalog_ts(catalog)
    if rules.min_variability is not None:
        conditions["variability"] = catalog_column(catalog, "Variability_Index")
        conditions["minmax_variability"] = (rules.min_variability, None)
    if rules.within is not None:
        middle = next(iter(datasets)).geom.center_skydir
        conditions |= {"skydir": middle, "distance": rules.within}
    models = free_sources(sources, free=False)
    limits = None if rules.min_ts is None else (rules.min_ts, None)
    pars = "norm" if rules.norms_only else None
    models = free_sources(models, pars=pars, minmax_ts=limits, **conditions)
    if rules.positions_ts is not None:
        conditions.pop("minmax_variability", None)
        bright = (rules.positions_ts, None)
        models = free_sources(models, pars="position", minmax_ts=bright, **conditions)
    return models


def _end(out: Any, output: Path, result: Any) -> int:
    out.print(f"Results are in {output}/; open index.html there")
    if not result.success:
        say_error(f"not converged: {result.message}")
    return 0 if result.success else 1
