"""``gammajax catalog``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gammajax.cli.console import bad_input, console, say_error, significant, table


def run(
    name: str | None,
    source: str | None,
    *,
    file: Path | None,
    region: str,
    output: Path | None,
    overwrite: bool,
) -> int:
    """Show the catalogues, one of them, or a source; write models."""
    if name is None:
        console().print(_catalogs())
        return 0
    from gammajax.catalog import load

    with bad_input():
        catalog = load(name, file)
        found = catalog.select(region) if region else catalog
        if source is not None:
            row = catalog[source]
            models = row.to_models()
            console().print(_source(row, models))
        elif output is None:
            console().print(_sources(found))
            return 0
        else:
            models = found.to_models(problems="leave out")
        if output is None:
            return 0
        models.write(output, overwrite=overwrite)
    console().print(f"{len(models)} components in {output}")
    problems = {} if source is not None else found.problems()
    for reason in problems.values():
        say_error(f"left out: {reason}")
    return 1 if problems else 0


def _catalogs() -> Any:
    from gammajax.catalog import CATALOGS
    from gammajax.catalog.tables import catalog_path

    shown = table("Catalogues", "name", "what it is", "file", "is there")
    for tag, cls in CATALOGS.items():
        try:
            there = "yes" if catalog_path(cls.default_filename, tag) else ""
        except ValueError:
            there = "no"
        shown.add_row(tag, cls.description, Path(cls.default_filename).name, there)
    return shown


def _sources(catalog: Any) -> Any:
    shown = table(repr(catalog), "name", "RA (deg)", "Dec (deg)", "also called",
                  numbers=("RA (deg)", "Dec (deg)"))  # fmt: skip
    places = catalog.positions.icrs
    for row, name in enumerate(catalog.names):
        also = ", ".join(catalog.aliases_of(row)[:3])
        shown.add_row(name, f"{places.ra.deg[row]:.3f}", f"{places.dec.deg[row]:.3f}", also)
    return shown


def _source(row: Any, models: Any) -> Any:
    shown = table(repr(row), "parameter", "value", "error", "unit", numbers=("value", "error"))
    for parameter in models.parameters:
        value, error = significant(parameter.value, parameter.error)
        name = parameter.name.removeprefix(f"{row.name}.")
        shown.add_row(name, value, error, parameter.unit)
    return shown
