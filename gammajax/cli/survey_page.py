"""The page of a fit of many sources, with its files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from gammajax.cli.console import significant, table
from gammajax.cli.fit import describe_fit, draw_residuals
from gammajax.cli.folder import write_json
from gammajax.cli.html import page

MOST_ROWS = 40
"""Sources that are printed on the screen; the files have all."""


def write_survey(
    folder: Path,
    title: str,
    result: Any,
    sources: Any,
    *,
    lines: list[str],
    reading: float,
    plots: bool,
) -> None:
    """Models, ``fit.json``, the table of sources, pictures and ``index.html``.

    ``result`` is None where nothing was fitted, and ``sources`` where there is no table.
    """
    if result is not None:
        result.models.write(folder / "models.yaml")
        write_json(folder / "fit.json", describe_fit(result, reading))
    if sources is not None:
        sources.write(folder / "sources.ecsv", format="ascii.ecsv")
    pictures = _pictures(folder, result, sources) if plots and result is not None else []
    text = _render(title, result, sources, lines, pictures)
    (folder / "index.html").write_text(text, encoding="utf-8")


def _pictures(folder: Path, result: Any, sources: Any) -> list[tuple[str, str]]:
    from gammajax.plots import plot_catalog_fluxes
    from gammajax.plots.style import draw_without_display, save

    draw_without_display()
    found = []
    if sources is not None and "catalog_flux" in sources.colnames:
        save(plot_catalog_fluxes(sources), folder / "fluxes.png")
        found.append(("fluxes.png", "Fluxes against those of the catalogue"))
    draw_residuals(result, folder)
    caption = "Counts, prediction and residuals on the sky"
    return found + [(p.name, caption) for p in sorted(folder.glob("residuals_*.png"))]


def _render(
    title: str, result: Any, sources: Any, lines: list[str], pictures: list[tuple[str, str]]
) -> str:
    names, rows = cells(sources) if sources is not None else ([], [])
    return page(
        "survey.html",
        title=title,
        success=result is None or bool(result.success),
        message="Nothing was to be fitted." if result is None else result.message,
        lines=lines,
        names=names,
        rows=rows,
        energy="" if sources is None else sources.meta["energy"],
        pictures=pictures,
    )


def cells(sources: Any) -> tuple[list[str], list[list[str]]]:
    """The table as text: values with their errors, the brightest first."""
    known = "catalog_flux" in sources.colnames
    names = ["name", "RA", "Dec", "TS", "npred", "flux", "error"]
    names += ["catalogue", "error", "change"] if known else []
    names += ["index", "error", "note"]
    order = sorted(range(len(sources)), key=lambda i: -_number(sources["ts"][i], -1.0))
    rows = []
    for i in order:
        row = sources[i]
        cell = [row["name"], f"{row['ra']:.3f}", f"{row['dec']:.3f}"]
        cell += [_text(row["ts"], "{:.1f}"), _text(row["npred"], "{:.1f}")]
        cell += significant(float(row["flux"]), float(row["flux_err"]))
        if known:
            cell += significant(float(row["catalog_flux"]), float(row["catalog_flux_err"]))
            cell.append(_text(row["change"], "{:+.1f}"))
        cell += significant(float(row["index"]), float(row["index_err"]))
        rows.append([*map(str, cell), str(row["note"])])
    return names, rows


def screen(title: str, sources: Any) -> Any:
    """The first rows of the table for the screen."""
    names, rows = cells(sources)
    unique = [f"{name} " if names.index(name) < i else name for i, name in enumerate(names)]
    numbers = tuple(n for n in unique if n.strip() not in ("name", "note"))
    shown = table(title, *unique, numbers=numbers)
    for row in rows[:MOST_ROWS]:
        shown.add_row(*row)
    more = f"{len(rows) - MOST_ROWS} more are in the files; " if len(rows) > MOST_ROWS else ""
    shown.caption = f"{more}fluxes in cm-2 s-1, {sources.meta['energy']}"
    return shown


def _number(value: Any, other: float) -> float:
    return float(value) if math.isfinite(float(value)) else other


def _text(value: Any, form: str) -> str:
    return form.format(float(value)) if math.isfinite(float(value)) else ""
