"""Model files: writing."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from gammajax import __version__
from gammajax.models.io.components import component_to_dict
from gammajax.models.io.covariance import format_covariance
from gammajax.models.io.links import labels_and_list
from gammajax.models.models import Models
from gammajax.parameters import ParameterTable
from gammajax.storage import format_yaml, replacing


def models_to_yaml(
    models: Models, *, full_output: bool = False, covariance: str | None = None
) -> str:
    """The YAML text of models, in canonical units.

    Parameters
    ----------
    models : `~gammajax.models.Models`
    full_output : bool
        Whether to write all fields of all parameters, defaults included.
    covariance : str, optional
        The file that holds the covariance table.
    """
    labels, listed = labels_and_list(models.parameters)
    table = _as_others_see_it(models.parameters, listed)
    data: dict[str, Any] = {
        "components": [component_to_dict(c, table, labels, full_output) for c in models]
    }
    if listed:
        data["links"] = listed
    if covariance is not None:
        data["covariance"] = covariance
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    data["metadata"] = {"creator": f"gammajax {__version__}", "date": now.isoformat()}
    return format_yaml(data)


def _as_others_see_it(table: ParameterTable, listed: list[dict[str, Any]]) -> ParameterTable:
    """The table with the parameters of the list of links frozen.

    Who does not read that list must not fit them by themselves; who does has their frozen
    flag in it.
    """
    for item in listed:
        table = table.change(item["parameter"], lambda row: {"frozen": True})
    return table


def write_models(
    models: Models,
    path: str | Path,
    *,
    overwrite: bool = False,
    full_output: bool = False,
    write_covariance: bool = True,
) -> None:
    """Write a model file, and beside it ``<stem>_covariance.dat`` if there is a covariance.

    Both are in place, or none of them.

    Raises
    ------
    ValueError
        If a file exists and ``overwrite`` is not set, or a model or prior has no form in
        model files.
    """
    path = Path(path)
    matrix = models.covariance if write_covariance else None
    beside = path.with_name(f"{path.stem}_covariance.dat")
    name = None if matrix is None else beside.name
    text = models_to_yaml(models, full_output=full_output, covariance=name)
    if matrix is None:
        with replacing(path, overwrite=overwrite) as (temporary,):
            temporary.write_text(text, encoding="utf-8")
        return
    table = format_covariance(models.parameters.names, matrix)
    with replacing(path, beside, overwrite=overwrite) as (temporary, temporary_beside):
        temporary.write_text(text, encoding="utf-8")
        temporary_beside.write_text(table, encoding="utf-8")
