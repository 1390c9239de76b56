"""``gammajax sample``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.cli.console import bad_input, console, say_error, significant, table
from gammajax.cli.folder import check_output, output_folder, write_json
from gammajax.cli.info import versions
from gammajax.cli.options import Request, Show

MOST_IN_CORNER = 12
"""Parameters in the corner plot; of more, the first ones."""

LEAST_EFFICIENCY = 0.5


@dataclass(frozen=True)
class Sampling:
    """How to draw."""

    chains: int = 4
    warmup: int = 300
    samples: int = 1000
    seed: int = 0
    svi: bool = False


def run(request: Request, show: Show, sampling: Sampling) -> int:
    """Read, fit, sample, write and print; gives the exit status."""
    with bad_input():
        check_output(request.output, request.overwrite)
        from gammajax.config import enable_compilation_cache
        from gammajax.inference import Fit

        if show.cache:
            enable_compilation_cache()
        from gammajax.cli.inputs import read_likelihood

        likelihood = read_likelihood(request)
    result = Fit().run(likelihood)
    if not np.all(np.isfinite(result.covariance)):
        say_error(f"no posterior to draw from, nothing was written: {result.message}")
        return 1
    posterior = draw(result, sampling, progress=not show.quiet)
    problems = find_problems(result, posterior)
    with bad_input(), output_folder(request.output) as folder:
        write_posterior(result, posterior, problems, folder, plots=show.plots)
    out = console(show.quiet)
    print_posterior(posterior, problems, out)
    out.print(f"Results are in {request.output}/")
    return 1 if problems else 0


def draw(result: Any, sampling: Sampling, *, progress: bool) -> Any:
    """The posterior, by chains or by variational inference."""
    from gammajax.inference import sample, svi

    if sampling.svi:
        number = sampling.chains * sampling.samples
        return svi(result, n_samples=number, seed=sampling.seed)
    return sample(
        result,
        n_chains=sampling.chains,
        n_warmup=sampling.warmup,
        n_samples=sampling.samples,
        seed=sampling.seed,
        progress=progress,
    )


def find_problems(result: Any, posterior: Any) -> list[str]:
    """What speaks against the draws, in words."""
    found = list(posterior.problems())
    if not result.success:
        found.append(f"the fit before did not converge: {result.message}")
    efficiency = posterior.settings.get("importance_efficiency", 1.0)
    if efficiency < LEAST_EFFICIENCY:
        found.append(
            f"the approximation holds {efficiency:.0%} of the exact posterior, expected "
            f"{LEAST_EFFICIENCY:.0%} or more: sample without --svi"
        )
    return found


def write_posterior(
    result: Any, posterior: Any, problems: list[str], folder: Path, *, plots: bool = True
) -> None:
    """The files of a posterior: draws, ``summary.json`` and pictures."""
    posterior.save(folder / "posterior.zarr")
    write_json(folder / "summary.json", describe_posterior(result, posterior, problems))
    if plots:
        draw_posterior(result, posterior, folder)


def describe_posterior(result: Any, posterior: Any, problems: list[str]) -> dict[str, Any]:
    """What ``summary.json`` holds."""
    return {
        "success": not problems,
        "problems": problems,
        "divergences": posterior.n_divergent,
        "hdi_prob": 0.68,
        "parameters": posterior.summary(hdi_prob=0.68),
        "settings": posterior.settings,
        "fit": {
            "success": bool(result.success),
            "stat": result.stat,
            "message": result.message,
        },
        "versions": versions(),
    }


def draw_posterior(
    result: Any, posterior: Any, folder: Path, *, truths: Any = None, spectra: bool = True
) -> None:
    """Corner plot, traces and spectra."""
    from gammajax.cli.fit import draw_spectra
    from gammajax.plots import plot_corner, plot_trace
    from gammajax.plots.style import draw_without_display, save

    draw_without_display()
    shown = posterior.names[:MOST_IN_CORNER]
    save(plot_corner(posterior, names=shown, truths=truths), folder / "corner.png")
    save(plot_trace(posterior, names=shown), folder / "trace.png")
    if spectra:
        draw_spectra(result, folder, posterior=posterior)


def print_posterior(posterior: Any, problems: list[str], out: Any) -> None:
    """The summary, and whether to believe it."""
    columns = ("mean", "sd", "68 % from", "to", "ess", "R-hat")
    shown = table("Posterior", "name", *columns, "unit", numbers=columns)
    for row in posterior.summary(hdi_prob=0.68):
        mean, spread = significant(row["mean"], row["sd"])
        low, high = (significant(row[key], row["sd"])[0] for key in ("hdi_low", "hdi_high"))
        quality = (f"{row['ess']:.0f}", f"{row['r_hat']:.4f}")
        shown.add_row(row["name"], mean, spread, low, high, *quality, row["unit"])
    out.print(shown)
    if problems:
        out.print(f"[bold red]Not to be trusted[/bold red]: {'; '.join(problems)}")
    elif posterior.settings["method"] == "SVI":
        share = posterior.settings["importance_efficiency"]
        out.print(
            f"[green]No problems found[/green]: {share:.0%} overlap with the exact posterior"
        )
    else:
        out.print("[green]No problems found[/green]: the chains agree")
