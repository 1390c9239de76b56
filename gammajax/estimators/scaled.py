"""Models in which one source is multiplied by a norm, and all that stays is frozen."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from gammajax.models import Models, ScaleSpectralModel, SkyModel
from gammajax.parameters import ParameterRow, ParameterTable

NORM = "norm"

NORMS = ("amplitude", NORM)
"""Names of the parameter that a spectrum is proportional to."""


def source_name(models: Models, source: str | int | None) -> str:
    """The name of a source among the components.

    Raises
    ------
    ValueError
        If there is no such component, it is no `SkyModel`, or there are several and none
        is named.
    """
    names = [component.name for component in models if isinstance(component, SkyModel)]
    if source is None:
        if len(names) != 1:
            raise ValueError(
                f"source: there are {len(names)} sources ({', '.join(names)}); name the one to "
                "measure"
            )
        return names[0]
    name = models[source].name
    if name not in names:
        raise ValueError(
            f"source: {name!r} is a {type(models[name]).__name__}, expected one of the "
            f"sources {', '.join(names)}"
        )
    return name


def norm_name(source: str) -> str:
    """The name of the parameter that scales a source."""
    return f"{source}.spectral.{NORM}"


def scaled_models(
    models: Models, source: str, reoptimize: bool | str | Sequence[str] = False
) -> Models:
    """The models with the spectrum of a source times a free norm, which starts at 1.

    Parameters
    ----------
    models : `~gammajax.models.Models`
    source : str
        Its own spectral parameters are frozen.
    reoptimize : bool, str or list of str
        Which of the other free parameters stay free: none, all, or those that match globs.

    Raises
    ------
    ValueError
        If a glob matches no free parameter that could be fitted again.
    """
    spectrum = models[source].spectral_model
    scaled = models[source].replace(spectral_model=ScaleSpectralModel(spectrum))
    made = Models([scaled if component.name == source else component for component in models])
    mine = f"{source}.spectral."
    known = {row.name: row for row in models.parameters}
    others = [r.name for r in models.parameters if r.free and not r.name.startswith(mine)]
    kept = _chosen(others, reoptimize)

    def renamed(name: str) -> str:
        return f"{mine}model.{name.removeprefix(mine)}" if name.startswith(mine) else name

    old = {renamed(name): row for name, row in known.items()}
    rows = [_row(row, old.get(row.name), mine, kept, renamed) for row in made.parameters]
    return made.with_table(ParameterTable(tuple(rows)))


def with_norm(models: Models, source: str) -> tuple[Models, str]:
    """The models with a source that one parameter takes away, and the rest of its name.

    That is its amplitude. Where it has none, or one that has a prior or a link, the spectrum
    gets a factor, which is frozen at 1.
    """
    table, mine = models.parameters, f"{source}.spectral."
    targets = {row.link.to for row in table if row.link is not None}
    for name in NORMS:
        full = f"{mine}{name}"
        row = table[full] if full in table.names and full not in targets else None
        if row is not None and row.prior is None and row.link is None:
            return models, f".spectral.{name}"
    scaled = scaled_models(models, source, True)
    rows = []
    for row in scaled.parameters:
        if row.name.startswith(f"{mine}model."):
            old = table[mine + row.name.removeprefix(f"{mine}model.")]
            link = old.link
            if link is not None and link.to.startswith(mine):
                to = f"{mine}model.{link.to.removeprefix(mine)}"
                link = dataclasses.replace(link, to=to)
            row = dataclasses.replace(old, name=row.name, link=link)
        elif row.name == norm_name(source):
            row = dataclasses.replace(row, frozen=True)
        rows.append(row)
    return scaled.with_table(ParameterTable(tuple(rows))), f".spectral.{NORM}"


def _chosen(others: Sequence[str], reoptimize: Any) -> set[str]:
    if isinstance(reoptimize, bool):
        return set(others) if reoptimize else set()
    globs = [reoptimize] if isinstance(reoptimize, str) else list(reoptimize)
    for glob in globs:
        if not any(fnmatchcase(name, glob) for name in others):
            raise ValueError(
                f"reoptimize: {glob!r} matches none of the free parameters beside the "
                f"spectrum of the source ({', '.join(others) or 'there are none'})"
            )
    return {name for name in others if any(fnmatchcase(name, glob) for glob in globs)}


def _row(
    row: ParameterRow, old: ParameterRow | None, mine: str, kept: set[str], renamed: Any
) -> ParameterRow:
    """A row of the scaled models from that of the models."""
    if old is None:
        return row
    row = dataclasses.replace(old, name=row.name)
    if row.name.startswith(mine):
        return dataclasses.replace(row, frozen=True, link=None, prior=None)
    if row.link is not None:
        return dataclasses.replace(
            row, link=dataclasses.replace(row.link, to=renamed(row.link.to))
        )
    return dataclasses.replace(row, frozen=row.frozen or row.name not in kept)
