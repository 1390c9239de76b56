"""``gammajax demo``."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gammajax.cli.console import bad_input, console, significant, table
from gammajax.cli.folder import check_output, output_folder, write_json
from gammajax.cli.info import versions
from gammajax.cli.options import Show
from gammajax.cli.story import LEVEL, Story, tell

MARK = "demo.json"
"""The file by which a demo knows the folder of an earlier one."""


def run(output: str, show: Show, *, seed: int, overwrite: bool, draws: tuple[int, int]) -> int:
    """Simulate, fit, sample, compare, write the page; gives the exit status."""
    path = Path(output)
    with bad_input():
        check_output(path, overwrite or (path / MARK).is_file())
        if seed < 0:
            raise ValueError(f"--seed is {seed}, expected 0 or more")
    began = time.perf_counter()
    from gammajax.config import enable_compilation_cache

    if show.cache:
        enable_compilation_cache()
    out = console(show.quiet)
    out.print("[bold]gammajax demo[/bold]: a simulated sky, from events to posterior\n")
    chains, samples = draws

    def say(text: str) -> None:
        out.print(f"[cyan]-[/cyan] {text}")

    with bad_input(), output_folder(path) as folder:
        story = tell(
            folder, seed, chains=chains, samples=samples, progress=not show.quiet, say=say
        )
        say("Drawing pictures and writing the page\n")
        write(story, folder, began)
    print_story(story, out)
    page = path / "index.html"
    out.print(f"Done in {time.perf_counter() - began:.0f} s. Open {page} to read about it.")
    return 0 if story.success else 1


def write(story: Story, folder: Path, began: float) -> None:
    """All files of the demonstration but the runs."""
    from gammajax.cli.fit import write_fit
    from gammajax.cli.page import render
    from gammajax.cli.sample import write_posterior

    (folder / "spectra").mkdir()
    for dataset in story.datasets:
        dataset.write(folder / "spectra" / f"pha_{dataset.name}.fits")
    write_list(story.datasets.names, folder / "datasets.yaml", "spectra")
    story.cube.write(folder / "sky.fits")
    write_cube(story.cube.name, folder / "sky-datasets.yaml")
    story.result.likelihood.models.write(folder / "models.yaml")
    story.sky.likelihood.models.write(folder / "sky-models.yaml")
    story.truth.write(folder / "truth.yaml")
    for name in ("fit", "sky-fit", "posterior"):
        (folder / name).mkdir()
    write_fit(story.result, folder / "fit", plots=False)
    write_fit(story.sky, folder / "sky-fit", plots=False)
    write_posterior(
        story.result, story.posterior, story.problems, folder / "posterior", plots=False
    )
    draw_pictures(story, folder)
    seconds = {**story.seconds, "total": time.perf_counter() - began}
    write_json(folder / MARK, describe(story, seconds))
    (folder / "index.html").write_text(render(story, seconds), encoding="utf-8")


def write_cube(name: str, path: Path) -> None:
    """The YAML list that names the counts cube."""
    from gammajax.storage import format_yaml

    datasets = [{"name": name, "type": "MapDataset", "filename": "sky.fits"}]
    path.write_text(format_yaml({"datasets": datasets}), encoding="utf-8")


def write_list(names: Any, path: Path, folder: str = "observations") -> None:
    """The YAML list of spectra that are in a folder."""
    from gammajax.storage import format_yaml

    datasets = [
        {
            "name": name,
            "type": "SpectrumDatasetOnOff",
            "filename": f"{folder}/pha_{name}.fits",
        }
        for name in names
    ]
    path.write_text(format_yaml({"datasets": datasets}), encoding="utf-8")


def draw_pictures(story: Story, folder: Path) -> None:
    """The pictures that the page shows, beside it."""
    from gammajax.cli.sample import draw_posterior
    from gammajax.cli.scene import responses, spectrum_only
    from gammajax.plots import peek_irfs, plot_fit, plot_residual_maps, plot_sed
    from gammajax.plots.style import draw_without_display, save

    draw_without_display()
    save(peek_irfs(responses()), folder / "response.png")
    save(plot_residual_maps(story.cube, story.sky.models), folder / "sky.png")
    save(plot_fit(story.result), folder / "counts.png")
    truths = {check.name: check.truth for check in story.checks}
    draw_posterior(story.result, story.posterior, folder, truths=truths, spectra=False)
    truth = spectrum_only(story.truth)
    sed = plot_sed(story.result, posterior=story.posterior, truth=truth, residuals=True)
    save(sed, folder / "sed.png")
    for name in ("crab", "neighbour"):
        save(plot_sed(story.sky, name, truth=story.truth), folder / f"sed_{name}.png")


def describe(story: Story, seconds: dict[str, float]) -> dict[str, Any]:
    """What ``demo.json`` holds."""
    return {
        "success": story.success,
        "seed": story.seed,
        "truth_inside": story.found,
        "credible_level": story.level,
        "sky_confidence_level": story.sky_level,
        "limit": LEVEL,
        "problems": story.problems,
        "fit_converged": bool(story.result.success),
        "sky_fit_converged": bool(story.sky.success),
        "parameters": [asdict(check) for check in story.checks],
        "sky_parameters": [asdict(check) for check in story.sky_checks],
        "seconds": seconds,
        "versions": versions(),
    }


def print_story(story: Story, out: Any) -> None:
    """The comparison with the truth."""
    print_sky(story, out)
    columns = ("truth", "fit", "error", "posterior mean", "sd", "off by")
    shown = table("Found again in the spectra?", "name", *columns, "unit", numbers=columns)
    for check in story.checks:
        fit, error = significant(check.fit, check.error)
        mean, spread = significant(check.mean, check.sd)
        pull = f"{check.pull:+.1f} sd"
        shown.add_row(
            check.name, f"{check.truth:.4g}", fit, error, mean, spread, pull, check.unit
        )
    out.print(shown)
    for problem in story.problems:
        out.print(f"[bold red]Problem[/bold red]: {problem}")
    where = "[green]inside[/green]" if story.found else "[bold red]outside[/bold red]"
    out.print(
        f"The truth lies {where} fit and posterior: {story.sky_level:.0%} of what the errors "
        f"of the cube's fit allow, and {story.level:.0%} of the draws, are nearer to their "
        f"centre than the truth is (below {LEVEL:.0%} was wanted)."
    )


def print_sky(story: Story, out: Any) -> None:
    """The comparison of the fit of the cube with the truth."""
    columns = ("truth", "fit", "error", "off by")
    shown = table("Found again in the cube?", "name", *columns, "unit", numbers=columns)
    for check in story.sky_checks:
        fit, error = significant(check.fit, check.error)
        pull = f"{check.pull:+.1f} errors"
        shown.add_row(check.name, f"{check.truth:.6g}", fit, error, pull, check.unit)
    out.print(shown)
