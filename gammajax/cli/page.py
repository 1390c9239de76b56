"""The page of the demonstration."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from gammajax import __version__
from gammajax.cli.console import significant
from gammajax.cli.story import LEVEL, Story


def render(story: Story, seconds: dict[str, float]) -> str:
    """The HTML text of the page; its pictures lie beside it."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.from_string(
        files("gammajax.cli").joinpath("templates", "demo.html").read_text(encoding="utf-8")
    )
    infos = [dataset.info_dict() for dataset in story.datasets]
    posterior = story.posterior
    return template.render(
        version=__version__,
        story=story,
        seconds=seconds,
        observations=infos,
        total=sum(info["excess"] for info in infos),
        source={
            row.name: f"{row.value:.4g} {row.unit}".strip() for row in story.truth.parameters
        },
        rows=[_row(check) for check in story.checks],
        n_draws=len(posterior.flat),
        n_chains=posterior.samples.shape[0],
        worst_r_hat=float(max(posterior.r_hat)),
        least_ess=float(min(posterior.ess)),
        limit=LEVEL,
    )


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
