"""Copies of models for parts of the data, each with parameters of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from gammajax.datasets import Datasets
from gammajax.estimators.energy_bins import EnergyBin, narrowed
from gammajax.models import Models
from gammajax.parameters import ParameterTable


def in_bins(
    datasets: Datasets, models: Models, bins: Sequence[EnergyBin]
) -> tuple[list[Any], Models]:
    """As `in_groups` for bins of energy."""
    return in_groups(datasets, models, [one.inside for one in bins])


def in_groups(
    datasets: Datasets, models: Models, masks: Sequence[Mapping[str, Any]]
) -> tuple[list[Any], Models]:
    """Each dataset once for each group that it is in, and each component once for each group.

    Names get the number of the group: ``crab-0``, ``crab-1``. Datasets without a bin of their
    fit range in a group are left out there, and so are components without datasets. Components
    without free parameters are not copied where they apply to all datasets.

    Parameters
    ----------
    datasets : `~gammajax.datasets.Datasets`
    models : `~gammajax.models.Models`
    masks : sequence of mappings
        For each group, which energy bins of a dataset are in it, by its name.
    """
    parts, members = [], []
    for i, mask in enumerate(masks):
        here = {}
        for name, inside in mask.items():
            part = narrowed(datasets[name], inside)
            if part.mask.any():
                here[name] = f"{name}-{i}"
                parts.append(part.replace(name=here[name]))
        members.append(here)
    known = {row.name: row for row in models.parameters}
    owner = owners(models)
    moved = {owner[row.name] for row in models.parameters if row.free or row.link is not None}
    copied = {c.name for c in models if c.name in moved or c.datasets_names is not None}
    components, rows = [], []
    for component in models:
        if component.name not in copied:
            components.append(component)
            rows += [known[name] for name in Models([component]).parameters.names]
            continue
        for i, here in enumerate(members):
            names = tuple(new for old, new in here.items() if component.folds_into(old))
            if not names:
                continue
            copy = component.replace(name=f"{component.name}-{i}", datasets_names=names)
            components.append(copy)
            rows += _copied_rows(copy, component.name, known, owner, copied, i)
    return parts, Models(components).with_table(ParameterTable(tuple(rows)))


def owners(models: Models) -> dict[str, str]:
    """The component of each parameter; names of sources may have dots in them."""
    return {f"{c.name}.{name}": c.name for c in models for name in c.parameter_names}


def _copied_rows(
    copy: Any,
    name: str,
    known: dict[str, Any],
    owner: dict[str, str],
    copied: set[str],
    number: int,
) -> list[Any]:
    """The rows of a copy: those of the first, links going to copies of the same bin."""
    rows = []
    for new in Models([copy]).parameters.names:
        row = known[name + new.removeprefix(copy.name)]
        link = row.link
        if link is not None and owner[link.to] in copied:
            stem = owner[link.to]
            to = f"{stem}-{number}{link.to.removeprefix(stem)}"
            link = dataclasses.replace(link, to=to)
        rows.append(dataclasses.replace(row, name=new, link=link))
    return rows


def values_of_copy(models: Models, copies: Models, number: int) -> Models:
    """The models with the values that the copies of one bin have."""
    known, owner = copies.parameters, owners(models)
    names = set(known.names)
    rows = []
    for row in models.parameters:
        stem = owner[row.name]
        copy = f"{stem}-{number}{row.name.removeprefix(stem)}"
        found = copy if copy in names else row.name
        value = known[found].value if found in names else row.value
        rows.append(dataclasses.replace(row, value=value))
    return models.with_table(ParameterTable(tuple(rows)))
