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
    out.print("[bold]gammajax demo[/bold]: a simulated source, from counts to posterior\n")
    chains, samples = draws
    story = tell(
        seed,
        chains=chains,
        samples=samples,
        progress=not show.quiet,
        say=lambda text: out.print(f"[cyan]-[/cyan] {text}"),
    )
    out.print("[cyan]-[/cyan] Drawing pictures and writing the page\n")
    with bad_input(), output_folder(path) as folder:
        write(story, folder, began)
    print_story(story, out)
    page = path / "index.html"
    out.print(f"Done in {time.perf_counter() - began:.0f} s. Open {page} to read about it.")
    return 0 if story.success else 1


def write(story: Story, folder: Path, began: float) -> None:
    """All files of the demonstration."""
    from gammajax.cli.fit import write_fit
    from gammajax.cli.page import render
    from gammajax.cli.sample import write_posterior

    (folder / "observations").mkdir()
    for dataset in story.datasets:
        dataset.write(folder / "observations" / f"pha_{dataset.name}.fits")
    write_list(story.datasets.names, folder / "datasets.yaml")
    story.start.write(folder / "models.yaml")
    story.truth.write(folder / "truth.yaml")
    for name in ("fit", "posterior"):
        (folder / name).mkdir()
    write_fit(story.result, folder / "fit", plots=False)
    write_posterior(
        story.result, story.posterior, story.problems, folder / "posterior", plots=False
    )
    draw_pictures(story, folder)
    seconds = {**story.seconds, "total": time.perf_counter() - began}
    write_json(folder / MARK, describe(story, seconds))
    (folder / "index.html").write_text(render(story, seconds), encoding="utf-8")


def write_list(names: Any, path: Path) -> None:
    """The YAML list of the simulated observations."""
    from gammajax.storage import format_yaml

    datasets = [
        {
            "name": name,
            "type": "SpectrumDatasetOnOff",
            "filename": f"observations/pha_{name}.fits",
        }
        for name in names
    ]
    path.write_text(format_yaml({"datasets": datasets}), encoding="utf-8")


def draw_pictures(story: Story, folder: Path) -> None:
    """The pictures that the page shows, beside it."""
    from gammajax.cli.sample import draw_posterior
    from gammajax.plots import plot_fit, plot_response, plot_sed
    from gammajax.plots.style import draw_without_display, save

    draw_without_display()
    save(plot_response(story.response), folder / "response.png")
    save(plot_fit(story.result), folder / "counts.png")
    truths = {check.name: check.truth for check in story.checks}
    draw_posterior(story.result, story.posterior, folder, truths=truths, spectra=False)
    sed = plot_sed(story.result, posterior=story.posterior, truth=story.truth, residuals=True)
    save(sed, folder / "sed.png")


def describe(story: Story, seconds: dict[str, float]) -> dict[str, Any]:
    """What ``demo.json`` holds."""
    return {
        "success": story.success,
        "seed": story.seed,
        "truth_inside": story.found,
        "credible_level": story.level,
        "limit": LEVEL,
        "problems": story.problems,
        "fit_converged": bool(story.result.success),
        "parameters": [asdict(check) for check in story.checks],
        "seconds": seconds,
        "versions": versions(),
    }


def print_story(story: Story, out: Any) -> None:
    """The comparison with the truth."""
    columns = ("truth", "fit", "error", "posterior mean", "sd", "off by")
    shown = table("Found again?", "name", *columns, "unit", numbers=columns)
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
        f"The truth lies {where} the posterior: {story.level:.0%} of the draws are nearer to "
        f"their centre than the truth is (below {LEVEL:.0%} was wanted)."
    )
