"""The page of an analysis, and the pictures that only it has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gammajax.cli.console import significant
from gammajax.cli.fit import note_on, safe
from gammajax.cli.html import page
from gammajax.cli.steps import ends_and_titles

if TYPE_CHECKING:
    from gammajax.cli.analysis import Findings

TITLES = {
    "off_regions.png": "On region and off regions",
    "fit/residuals_*.png": "Counts, prediction and residuals on the sky",
    "fit/counts.png": "Counts and prediction",
    "flux_points.png": "Spectrum of the fit, with flux points",
    "fit/sed*.png": "Spectrum of the fit, with its error",
    "light_curve.png": "Flux against time",
    "excess_map*.png": "Significance of the excess around each pixel",
    "ts_map*.png": "Significance of a source at each pixel",
    "fit/correlation.png": "Correlations of the parameters",
    "posterior/corner.png": "Posterior",
    "posterior/sed*.png": "Spectrum, with the posterior",
    "posterior/trace.png": "The chains",
}
"""Pictures in the order of the page; a star stands for names of datasets and sources."""


def draw_pictures(found: Findings, folder: Path) -> list[tuple[str, str]]:
    """Draw what is not drawn yet; gives the names of all pictures, and their titles.

    The spectrum of the source with flux points is shown once, with them.
    """
    from gammajax.plots import plot_light_curve, plot_off_regions, plot_sed
    from gammajax.plots.style import draw_without_display, save

    draw_without_display()
    again: set[Path] = set()
    if any(dataset.meta.get("off_regions") for dataset in found.datasets):
        save(plot_off_regions(list(found.datasets)), folder / "off_regions.png")
    if found.points is not None:
        name = found.points.meta.get("source") or source_with_points(found)
        ax = plot_sed(found.result, name)
        save(found.points.plot(ax, label="flux points"), folder / "flux_points.png")
        again = {folder / "fit" / file for file in ("sed.png", f"sed_{safe(name)}.png")}
    if found.curve is not None:
        save(plot_light_curve(found.curve), folder / "light_curve.png")
    return [
        (path.relative_to(folder).as_posix(), title)
        for pattern, title in TITLES.items()
        for path in sorted(folder.glob(pattern))
        if path not in again
    ]


def source_with_points(found: Findings) -> str:
    """The source of the flux points: the one of the configuration, or the only one."""
    from gammajax.cli.steps import source_of

    models = found.result.models
    given = source_of(models, found.plan.config.flux_points.source)
    return given or next(c.name for c in models if not c.spectral_model.is_norm)


def render(found: Findings, pictures: list[tuple[str, str]], config: str) -> str:
    """The HTML text of the page; its pictures lie beside it."""
    result, likelihood = found.result, found.result.likelihood
    return page(
        "analysis.html",
        found=found,
        result=result,
        likelihood=likelihood,
        plan=found.plan,
        infos=[dataset.info_dict() for dataset in found.datasets],
        rows=[_row(result, row) for row in result.parameters],
        points=_points(found.points),
        curve=_curve(found.curve),
        peaks=_peaks(found),
        posterior=_posterior(found.posterior),
        pictures=pictures,
        config=config,
        total=sum(found.seconds.values()),
    )


def _row(result: Any, row: Any) -> dict[str, str]:
    value, error = significant(row.value, row.error)
    note = note_on(result, row)
    return {"name": row.name, "value": value, "error": error, "unit": row.unit, "note": note}


def _points(points: Any) -> list[dict[str, str]]:
    """The flux points as rows of text."""
    if points is None:
        return []
    table = points.norms
    rows = []
    for place in range(len(points)):
        ts = float(table.ts[place])
        rows.append(
            {
                "energy": f"{points.energy_ref[place]:.3g}",
                "range": _from_to(points.energy_min[place], points.energy_max[place]),
                **_quoted(points.value[place], points.error[place], points.limit[place]),
                "sqrt_ts": f"{max(ts, 0.0) ** 0.5:.2f}",
                "note": str(table.notes[place]),
            }
        )
    return rows


def _quoted(value: Any, error: Any, limit: Any) -> dict[str, str]:
    """A flux with its error and upper limit."""
    shown, spread = significant(float(value), float(error))
    highest = significant(float(limit), float(error))[0]
    return {"value": shown, "error": spread, "limit": highest}


def _from_to(low: Any, high: Any) -> str:
    return f"{float(low):.3g} to {float(high):.3g}"


def _utc(mjd: Any) -> list[str]:
    """Dates and minutes of times in TT."""
    from astropy.time import Time

    time: Any = Time(mjd, format="mjd", scale="tt").utc
    return [str(text) for text in time.strftime("%Y-%m-%d %H:%M")]


def _curve(curve: Any) -> list[dict[str, str]]:
    """The light curve as rows of text, interval by interval."""
    if curve is None:
        return []
    start, stop = (_utc(edges) for edges in (curve.time_min, curve.time_max))
    flux, error, limit = (curve.values(name) for name in ("norm", "norm_err", "norm_ul"))
    rows = []
    for t, e in np.ndindex(len(curve), curve.energy_min.size):
        rows.append(
            {
                "start": start[t],
                "stop": stop[t],
                "range": _from_to(curve.energy_min[e], curve.energy_max[e]),
                **_quoted(flux[t, e], error[t, e], limit[t, e]),
                "sqrt_ts": f"{float(curve.norms.sqrt_ts[t, e]):.2f}",
                "note": str(curve.norms.notes[t, e]),
            }
        )
    return rows


def _peaks(found: Findings) -> list[dict[str, Any]]:
    """Peaks of the map of significance, in each bin of energy: their title and rows."""
    if found.significance is None:
        return []
    titles = ends_and_titles(found.significance)[1]
    return [
        {
            "title": title,
            "names": [name for name in table.colnames if name not in ("x", "y", "value")],
            "rows": [[f"{float(row[name]):.3f}" for name in table.colnames
                      if name not in ("x", "y", "value")] for row in table],
            "values": [f"{float(row['value']):.1f}" for row in table],
        }
        for title, table in zip(titles, found.peaks, strict=True)
    ]  # fmt: skip


def _posterior(posterior: Any) -> list[dict[str, str]]:
    """The summary of the posterior as rows of text."""
    rows = []
    for row in [] if posterior is None else posterior.summary(hdi_prob=0.68):
        mean, spread = significant(row["mean"], row["sd"])
        low, high = (significant(row[key], row["sd"])[0] for key in ("hdi_low", "hdi_high"))
        rows.append(
            {
                "name": row["name"],
                "mean": mean,
                "sd": spread,
                "range": f"{low} to {high}",
                "ess": f"{row['ess']:.0f}",
                "r_hat": f"{row['r_hat']:.4f}",
                "unit": row["unit"],
            }
        )
    return rows
