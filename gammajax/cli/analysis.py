"""``gammajax analysis``."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.cli.config import Config
from gammajax.cli.console import bad_input, console
from gammajax.cli.fit import print_fit, write_fit
from gammajax.cli.folder import output_folder, write_json
from gammajax.cli.info import versions
from gammajax.cli.options import Show
from gammajax.cli.plan import Plan, section
from gammajax.cli.reduce import (
    describe_plan,
    planned,
    print_reduced,
    reduce,
    write_reduced,
)
from gammajax.cli.steps import STEPS, check_steps, one_interval, write_maps
from gammajax.storage import expand


@dataclass
class Findings:
    """What an analysis has found so far."""

    plan: Plan
    datasets: Any
    result: Any = None
    posterior: Any = None
    points: Any = None
    curve: Any = None
    excess: Any = None
    significance: Any = None
    peaks: list[Any] = field(default_factory=list)
    progress: bool = False
    problems: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def success(self) -> bool:
        """Whether all of it is to be trusted."""
        return not self.problems and not self.datasets.failures


def run(
    path: Path, output: Path | None, show: Show, *, overwrite: bool, dry_run: bool, **how: Any
) -> int:
    """Do everything that the configuration says; gives the exit status."""
    with bad_input():
        plan, target = planned(path, output, overwrite=overwrite or dry_run)
        try:
            models = read_models(plan.config, path.parent)
            check_steps(plan.config, models)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    out = console(show.quiet)
    if dry_run:
        describe_plan(plan, out)
        describe_steps(plan.config, models, out)
        out.print(f"Would write everything to {target}/")
        return 0
    with bad_input():
        began = time.perf_counter()
        found = Findings(plan, reduce(plan, show, **how), progress=not show.quiet)
        found.seconds["reduce"] = time.perf_counter() - began
        print_reduced(plan, found.datasets, out)
        likelihood = make_likelihood(plan.config, found.datasets, models)
    follow(found, likelihood, show, out)
    with bad_input(), output_folder(target) as folder:
        write(found, folder, path)
    for problem in found.problems:
        out.print(f"[bold red]Problem[/bold red]: {problem}", highlight=False)
    out.print(f"Everything is in {target}/; open {target / 'index.html'} to read about it.")
    return 0 if found.success else 1


def read_models(config: Config, folder: Path) -> Any:
    """The models of a configuration."""
    from gammajax.models import Models

    with section("general.models_file"):
        if config.general.models_file is None:
            raise ValueError("is not given, and an analysis has a model to fit")
        return Models.read(expand(config.general.models_file, folder, "models_file"))


def make_likelihood(config: Config, datasets: Any, models: Any) -> Any:
    """The likelihood in the fit range; counts cubes get a background that is free.

    Raises
    ------
    ValueError
        If datasets, range and models do not fit each other.
    """
    from gammajax.datasets import MapDataset
    from gammajax.inference import Likelihood
    from gammajax.models import FoVBackgroundModel, Models

    wanted = config.fit.fit_range
    if (wanted.min, wanted.max) != (None, None):
        datasets = [d.within_energy_range(wanted.min, wanted.max) for d in datasets]
    backgrounds = [c for c in models if isinstance(c, FoVBackgroundModel)]
    has_one = {name for c in backgrounds for name in c.datasets_names or ()}
    free = [
        FoVBackgroundModel(datasets_names=dataset.name)
        for dataset in datasets
        if isinstance(dataset, MapDataset)
        and dataset.background is not None
        and dataset.name not in has_one
    ]
    return Likelihood(datasets, Models([*models, *free]) if free else models)


def describe_steps(config: Config, models: Any, out: Any) -> None:
    """What a dry run prints about the steps after the reduction."""
    names = ", ".join(component.name for component in models)
    out.print(f"Fit of {names} by {config.fit.method}")
    if config.sample.run:
        given = config.sample
        how = "approximately" if given.svi else f"by {given.chains} chains"
        out.print(f"Posterior {how}, {given.samples} draws each")
    if config.flux_points.energy.is_given:
        out.print("Flux points")
    if config.light_curve.is_given:
        hint = one_interval(config)
        out.print("Light curve" + (f" ({hint})" if hint else ""))
    if config.wants_excess_map:
        out.print("Map of the excess")
    if config.ts_map is not None:
        out.print("Map of significance")


def follow(found: Findings, likelihood: Any, show: Show, out: Any) -> None:
    """Fit, sample, and measure points and curve; a step that fails is a problem."""
    from gammajax.makers.parallel import in_words

    config = found.plan.config
    with timed(found, "fit"):
        from gammajax.inference import Fit

        given = config.fit
        found.result = Fit(method=given.method, covariance=given.covariance).run(likelihood)
    result = found.result
    print_fit(result, out)
    if not result.success:
        found.problems.append(f"the fit did not converge: {result.message}")
    if config.sample.run and np.all(np.isfinite(result.covariance)):
        with timed(found, "sample"):
            sample(found, show, out)
    for name, step in STEPS.items():
        began = time.perf_counter()
        try:
            shown = step(found)
        except Exception as error:  # what was found before is not lost by it
            found.problems.append(f"{name}: {in_words(error)}")
            continue
        if shown is not None:
            found.seconds[name] = time.perf_counter() - began
            out.print(shown)


class timed:
    """Note how long a step takes."""

    def __init__(self, found: Findings, name: str) -> None:
        self.found, self.name = found, name

    def __enter__(self) -> None:
        self.began = time.perf_counter()

    def __exit__(self, *failure: Any) -> None:
        self.found.seconds[self.name] = time.perf_counter() - self.began


def sample(found: Findings, show: Show, out: Any) -> None:
    """The posterior, and what speaks against it."""
    from gammajax.cli.sample import Sampling, draw, find_problems, print_posterior

    given = found.plan.config.sample
    how = Sampling(given.chains, given.warmup, given.samples, given.seed, given.svi)
    found.posterior = draw(found.result, how, progress=not show.quiet)
    about_fit = "the fit before did not converge"
    told = find_problems(found.result, found.posterior)
    print_posterior(found.posterior, told, out)
    found.problems += [f"posterior: {t}" for t in told if not t.startswith(about_fit)]


def write(found: Findings, folder: Path, path: Path) -> None:
    """All files of an analysis."""
    from gammajax.cli.report import draw_pictures, render
    from gammajax.cli.sample import find_problems, write_posterior

    for name in ("datasets", "fit", "posterior"):
        (folder / name).mkdir()
    write_reduced(found.plan, found.datasets, folder / "datasets", path)
    write_fit(found.result, folder / "fit")
    if found.posterior is None:
        (folder / "posterior").rmdir()
    else:
        told = find_problems(found.result, found.posterior)
        write_posterior(found.result, found.posterior, told, folder / "posterior")
    if found.points is not None:
        found.points.write(folder / "flux_points.fits")
    if found.curve is not None:
        found.curve.write(folder / "light_curve.fits")
    write_maps(found, folder)
    pictures = draw_pictures(found, folder)
    summary = {
        "success": found.success,
        "problems": found.problems,
        "failures": found.datasets.failures,
        "seconds": found.seconds,
        "versions": versions(),
    }
    write_json(folder / "analysis.json", summary)
    text = render(found, pictures, path.read_text(encoding="utf-8"))
    (folder / "index.html").write_text(text, encoding="utf-8")
