"""The parts of components in model files: spectral, spatial and temporal models.

Most models are their type and their parameters. The few that carry tables or other models
have a `Form` in `gammajax.models.io.forms`, which says what else they have in a file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.models.base import Model
from gammajax.models.io.entries import Entry, read_entries, row_to_dict
from gammajax.models.io.forms import FORMS, FRAMED, PLAIN, SCALED, Form
from gammajax.models.registry import (
    spatial_model_class,
    spectral_model_class,
    temporal_model_class,
)
from gammajax.parameters import ParameterTable, slots, with_values
from gammajax.storage import check_keys, shown

Part = tuple[Any, dict[str, Entry]]

KINDS: dict[str, tuple[Callable[[str], type[Model]], Form]] = {
    "spectral": (spectral_model_class, PLAIN),
    "spatial": (spatial_model_class, FRAMED),
    "temporal": (temporal_model_class, SCALED),
}
"""For each kind of part, how its type is found, and the form of those without one."""


def read_part(kind: str, data: Any, folder: Path, where: str) -> Part:
    """A model with the entries of its parameters, by name within the model.

    Parameters
    ----------
    kind : {"spectral", "spatial", "temporal"}
    data : dict
    folder : `~pathlib.Path`
        Where the files that it names are.
    where : str
        It starts the error message.
    """
    if not isinstance(data, dict):
        raise ValueError(f"{where}: got {shown(data)}, expected a mapping with a type")
    try:
        find, plain = KINDS[kind]
        cls = find(str(data.get("type")))
        form = FORMS.get(cls.__name__, plain)
        check_keys(data, ("type", *form.all_keys), where)
        return _read(kind, cls, form, data, folder, where)
    except ValueError as error:
        message = str(error)
        raise ValueError(
            message if message.startswith(where) else f"{where}: {message}"
        ) from None


def _read(
    kind: str,
    cls: type[Model],
    form: Form,
    data: dict[str, Any],
    folder: Path,
    where: str,
) -> Part:
    parts: dict[str, Model] = {}
    entries: dict[str, Entry] = {}
    for key in form.parts:
        parts[key], found = read_part(kind, data.get(key), folder, f"{where}: {key}")
        entries |= {f"{key}.{name}": entry for name, entry in found.items()}
    model = form.read(cls, data, parts, folder, where)
    own = [slot for slot in slots(model) if slot.name not in entries]
    entries |= read_entries(data.get("parameters"), model, own, where)
    entries = {slot.name: entries[slot.name] for slot in slots(model)}
    values = np.array([entry.value for entry in entries.values()])
    # taking the fields through the constructor once more runs the model's own checks
    return with_values(model, values).replace(), entries


def part_to_dict(
    kind: str, model: Any, stem: str, table: ParameterTable, labels: dict[str, str], full: bool
) -> dict[str, Any]:
    """The entry of a model.

    Parameters
    ----------
    kind : {"spectral", "spatial", "temporal"}
    model : `~gammajax.models.Model`
    stem : str
        What the names of its parameters start with in ``table``, up to the last dot.
    table : `~gammajax.parameters.ParameterTable`
    labels : dict
        The labels of linked parameters, by name.
    full : bool
        Whether to write defaults too.
    """
    name = type(model).__name__
    form = FORMS.get(name, KINDS[kind][1])
    full = full or form.all_fields
    data: dict[str, Any] = {"type": name}
    for key in form.parts:
        part = getattr(model, key)
        data[key] = part_to_dict(kind, part, f"{stem}{key}.", table, labels, full)
    if form.has_parameters:
        inner = tuple(f"{key}." for key in form.parts)
        data["parameters"] = [
            row_to_dict(
                slot.name,
                table[stem + slot.name],
                slot.spec,
                labels.get(stem + slot.name),
                full,
            )
            for slot in slots(model)
            if not slot.name.startswith(inner)
        ]
    return data | form.write(model)
