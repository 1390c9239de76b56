"""Model files: reading."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.models.io.components import read_component
from gammajax.models.io.covariance import read_covariance
from gammajax.models.io.entries import Entry
from gammajax.models.io.links import link_labelled, link_listed
from gammajax.models.models import Models
from gammajax.parameters import ParameterRow, ParameterTable
from gammajax.storage import check_keys, expand, parse_yaml, read_text, shown

KEYS = ("components", "covariance", "links", "metadata", "checksum")
"""What a model file has at its top; ``metadata`` and ``checksum`` are read over."""

ROUNDING = 1e-12
"""How far, relative to a bound, a change of unit may carry a value across it."""


def read_models(path: str | Path) -> Models:
    """Read a model file, and the covariance table that it names.

    Raises
    ------
    ValueError
        That begins with the name of the file: it is missing or no YAML, has an unknown key,
        type, parameter or unit, a value outside its bounds, a link that leads to nothing.
    """
    path = Path(path)
    return models_from_yaml(read_text(path), where=str(path), folder=path.parent)


def models_from_yaml(
    text: str, *, where: str = "model YAML", folder: Path | None = None
) -> Models:
    """The models that a YAML text describes.

    Parameters
    ----------
    text : str
    where : str
        Starts the error messages.
    folder : path-like, optional
        Files that the text names are looked up from here; the default is the working folder.
    """
    folder = Path() if folder is None else Path(folder)
    try:
        return _models(parse_yaml(text, where), where, folder)
    except ValueError as error:
        message = str(error)
        raise ValueError(
            message if message.startswith(where) else f"{where}: {message}"
        ) from None


def _models(data: dict[str, Any], where: str, folder: Path) -> Models:
    check_keys(data, KEYS, where)
    items = data.get("components")
    if not isinstance(items, list) or not items:
        raise ValueError(
            f"{where}: components is {shown(items)}, expected a list of at least one component"
        )
    components, entries, unnamed = [], {}, []
    for place, item in enumerate(items):
        component, found = read_component(item, place, folder, where)
        components.append(component)
        unnamed += [] if item.get("name") else [component.name]
        entries |= {f"{component.name}.{name}": entry for name, entry in found.items()}
    models = Models(components)
    rows = [_row(row, entries[row.name], where) for row in models.parameters]
    rows = link_labelled(rows, entries, where)
    if data.get("links") is not None:
        rows = link_listed(rows, data["links"], where)
    covariance = None
    if data.get("covariance") is not None:
        path = expand(data["covariance"], folder, f"{where}: covariance")
        rows, covariance = _covariance(path, rows, entries, unnamed)
    return models.with_table(ParameterTable(tuple(rows)), covariance)


def _row(row: ParameterRow, entry: Entry, where: str) -> ParameterRow:
    value = row.value
    slack = ROUNDING * max(abs(bound) for bound in (entry.min, entry.max, 0) if _finite(bound))
    if entry.min - slack <= value <= entry.max + slack:
        value = min(max(value, entry.min), entry.max)
    elif not entry.frozen and entry.min <= entry.max:
        raise ValueError(
            f"{where}: {row.name} is {value:g} {row.unit}".rstrip()
            + f", outside its bounds {entry.min:g} to {entry.max:g}; move the value or a bound"
        )
    return dataclasses.replace(
        row,
        value=value,
        error=entry.error,
        min=entry.min,
        max=entry.max,
        frozen=entry.frozen,
        prior=entry.prior,
    )


def _finite(value: float) -> bool:
    return bool(np.isfinite(value))


def _covariance(
    path: Path, rows: list[ParameterRow], entries: dict[str, Entry], unnamed: list[str]
) -> tuple[list[ParameterRow], np.ndarray | None]:
    """The covariance, and the rows with its errors where the file gave none."""
    names = tuple(row.name for row in rows)
    factors = np.array([entries[name].factor for name in names])
    matrix = read_covariance(path, names, factors, unnamed)
    if not matrix.any():
        return rows, None
    errors = np.sqrt(np.diag(matrix))
    filled = [
        row if entries[row.name].error_given else dataclasses.replace(row, error=float(error))
        for row, error in zip(rows, errors, strict=True)
    ]
    return filled, matrix
