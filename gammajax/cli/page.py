"""The page of the demonstration."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.cli.console import significant
from gammajax.cli.html import page
from gammajax.cli.story import LEVEL, Story


def render(story: Story, seconds: dict[str, float]) -> str:
    """The HTML text of the page; its pictures lie beside it."""
    infos = [dataset.info_dict() for dataset in story.datasets]
    posterior = story.posterior
    return page(
        "demo.html",
        story=story,
        seconds=seconds,
        observations=infos,
        total=sum(info["excess"] for info in infos),
        runs=[_run(run) for run in story.runs],
        cube=story.cube.info_dict(),
        source={
            row.name: f"{row.value:.4g} {row.unit}".strip() for row in story.truth.parameters
        },
        sky_rows=[_found(check) for check in story.sky_checks],
        rows=[_row(check) for check in story.checks],
        n_draws=len(posterior.flat),
        n_chains=posterior.samples.shape[0],
        worst_r_hat=float(max(posterior.r_hat)),
        least_ess=float(min(posterior.ess)),
        limit=LEVEL,
    )


def _run(run: Any) -> dict[str, Any]:
    """A run in words, and how many of its events come from where."""
    header = run.events.meta
    numbers = np.bincount(run.events.column("MC_ID"), minlength=3)
    names = [header[f"MMN{number:05d}"] for number in range(3)]
    pointing = run.pointing.icrs(run.tmid)
    return {
        "number": run.obs_id,
        "minutes": run.livetime.to_value("min"),
        "pointing": f"{pointing.ra.deg:.2f}, {pointing.dec.deg:+.2f}",
        "events": dict(zip(names, numbers.tolist(), strict=True)),
    }


def _found(check: Any) -> dict[str, str]:
    fit, error = significant(check.fit, check.error)
    return {
        "name": check.name.replace(".spectral.", " ").replace(".spatial.", " "),
        "truth": f"{check.truth:.6g}",
        "fit": f"{fit} ± {error}",
        "pull": f"{check.pull:+.1f}",
        "unit": check.unit,
    }


def _row(check: Any) -> dict[str, Any]:
    fit, error = significant(check.fit, check.error)
    mean, spread = significant(check.mean, check.sd)
    return {
        "name": check.name.removeprefix("crab.spectral."),
        "truth": f"{check.truth:.4g}",
        "fit": f"{fit} ± {error}",
        "posterior": f"{mean} ± {spread}",
        "range": " to ".join(
            significant(edge, check.sd)[0] for edge in (check.low, check.high)
        ),
        "pull": f"{check.pull:+.1f}",
        "inside": check.inside,
        "unit": check.unit,
    }
