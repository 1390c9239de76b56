"""Spectral models in model files.

Most models are their type and their parameters. The few that carry tables or parts have a
`Form` in `FORMS`, which says what else they have in a file.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gammajax.models.io.entries import Entry, read_entries, row_to_dict
from gammajax.models.spectral.base import SpectralModel
from gammajax.models.spectral.log_parabola import LogParabolaSpectralModel
from gammajax.models.spectral.power_law import PowerLawSpectralModel
from gammajax.parameters import ParameterTable, slots, with_values
from gammajax.storage import check_keys, shown, suggest

SPECTRAL_MODELS = {
    "PowerLawSpectralModel": PowerLawSpectralModel,
    "pl": PowerLawSpectralModel,
    "LogParabolaSpectralModel": LogParabolaSpectralModel,
    "lp": LogParabolaSpectralModel,
}

COMPOUND = "CompoundSpectralModel"
OPERATORS = {"add": operator.add, "sub": operator.sub, "mul": operator.mul}

Part = tuple[SpectralModel, dict[str, Entry]]


def read_spectral(data: Any, folder: Path, where: str) -> Part:
    """A spectral model with the entries of its parameters, by name within the model."""
    if not isinstance(data, dict):
        raise ValueError(f"{where}: got {shown(data)}, expected a mapping with a type")
    kind = data.get("type")
    if kind in (COMPOUND, "compound"):
        return _read_compound(data, folder, where)
    if kind not in SPECTRAL_MODELS:
        raise ValueError(
            f"{where}: unknown type {shown(kind)}{suggest(str(kind), SPECTRAL_MODELS)}"
        )
    cls = SPECTRAL_MODELS[kind]
    form = FORMS.get(cls.__name__, PLAIN)
    check_keys(data, ("type", "parameters", *form.keys), where)
    try:
        model = form.read(cls, data, folder, where)
        entries = read_entries(data.get("parameters"), model, where)
        values = np.array([entry.value for entry in entries.values()])
        # taking the fields through the constructor once more runs the model's own checks
        return with_values(model, values).replace(), entries
    except ValueError as error:
        message = str(error)
        raise ValueError(
            message if message.startswith(where) else f"{where}: {message}"
        ) from None


def _read_compound(data: dict[str, Any], folder: Path, where: str) -> Part:
    check_keys(data, ("type", "model1", "model2", "operator"), where)
    how = data.get("operator")
    if how not in OPERATORS:
        raise ValueError(f"{where}: operator is {shown(how)}{suggest(str(how), OPERATORS)}")
    parts, entries = [], {}
    for key in ("model1", "model2"):
        model, found = read_spectral(data.get(key), folder, f"{where}: {key}")
        parts.append(model)
        entries |= {f"{key}.{name}": entry for name, entry in found.items()}
    return OPERATORS[how](*parts), entries


def spectral_to_dict(
    model: SpectralModel, stem: str, table: ParameterTable, labels: dict[str, str], full: bool
) -> dict[str, Any]:
    """The entry of a spectral model.

    Parameters
    ----------
    model : `~gammajax.models.SpectralModel`
    stem : str
        What the names of its parameters start with in ``table``, up to the last dot.
    table : `~gammajax.parameters.ParameterTable`
    labels : dict
        The labels of linked parameters, by name.
    full : bool
        Whether to write defaults too.
    """
    kind = type(model).__name__
    if kind == COMPOUND:
        parts = {
            key: spectral_to_dict(getattr(model, key), f"{stem}{key}.", table, labels, full)
            for key in ("model1", "model2")
        }
        return {"type": kind, **parts, "operator": model.operator}
    parameters = [
        row_to_dict(
            slot.name, table[stem + slot.name], slot.spec, labels.get(stem + slot.name), full
        )
        for slot in slots(model)
    ]
    form = FORMS.get(kind, PLAIN)
    return {"type": kind, "parameters": parameters, **form.write(model)}


class Form(NamedTuple):
    """What a model has in a file besides its type and its parameters."""

    keys: tuple[str, ...]
    read: Callable[[type[SpectralModel], dict[str, Any], Path, str], SpectralModel]
    write: Callable[[SpectralModel], dict[str, Any]]


PLAIN = Form((), lambda cls, data, folder, where: cls(), lambda model: {})
FORMS: dict[str, Form] = {}
