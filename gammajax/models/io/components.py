"""One component in a model file: its type, its parts, and what it applies to.

This is the one place that knows which types of component and which parts of one there are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gammajax.models.io.entries import Entry, boolean
from gammajax.models.io.spectral import read_spectral, spectral_to_dict
from gammajax.models.sky import SkyModel
from gammajax.parameters import ParameterTable
from gammajax.storage import check_keys, shown, suggest

KEYS = ("name", "type", "datasets_names", "apply_irf", "spectral", "spatial", "temporal")
IRFS = ("exposure", "psf", "edisp")

MAP_TYPES = ("FoVBackgroundModel", "TemplateNPredModel")
"""Types of component that are folded into maps, which this version does not."""

MAP_PARTS = ("spatial", "temporal")
"""Parts of a component that this version does not fold."""


def read_component(
    data: Any, place: int, folder: Path, where: str
) -> tuple[SkyModel, dict[str, Entry]]:
    """The component that an item of ``components`` describes, and its parameters' entries.

    Parameters
    ----------
    data : dict
    place : int
        Its place in the list, which names it in errors as long as it has no name.
    folder : `~pathlib.Path`
        Where the files that it names are.
    where : str
        It starts the error message.
    """
    if not isinstance(data, dict):
        raise ValueError(
            f"{where}: component {place + 1} is {shown(data)}, expected a mapping with the "
            f"keys {', '.join(KEYS)}"
        )
    name = str(data.get("name") or "source")
    here = (
        f"{where}: component {name!r}"
        if data.get("name")
        else f"{where}: component {place + 1}"
    )
    kind = data.get("type")
    if kind in MAP_TYPES:
        raise ValueError(
            f"{here}: is a {kind}, and this version folds spectra only; take it out of the file"
        )
    if kind != "SkyModel":
        raise ValueError(
            f"{here}: type is {shown(kind)}{suggest(str(kind), ('SkyModel', *MAP_TYPES))}"
        )
    check_keys(data, KEYS, here)
    for part in MAP_PARTS:
        if data.get(part) is not None:
            raise ValueError(
                f"{here}: has a {part} model, and this version folds spectra only; take "
                f"{part!r} out of the file if a spectrum is what the fit is of"
            )
    spectrum, entries = read_spectral(data.get("spectral"), folder, f"{here}: spectral")
    component = SkyModel(
        spectrum,
        name=name,
        datasets_names=_datasets_names(data.get("datasets_names"), here),
        apply_irf=_apply_irf(data.get("apply_irf"), here),
    )
    return component, {f"spectral.{name}": entry for name, entry in entries.items()}


def _datasets_names(value: Any, where: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = value if isinstance(value, list) else [value]
    if not all(isinstance(name, str | int) for name in names):
        raise ValueError(f"{where}: datasets_names is {shown(value)}, expected a list of names")
    return tuple(str(name) for name in names)


def _apply_irf(value: Any, where: str) -> tuple[tuple[str, bool], ...]:
    if value is None:
        return ()
    check_keys(value, IRFS, f"{where}: apply_irf")
    return tuple(
        (key, boolean(flag, f"{where}: apply_irf: {key}")) for key, flag in value.items()
    )


def component_to_dict(
    component: SkyModel, table: ParameterTable, labels: dict[str, str], full: bool
) -> dict[str, Any]:
    """The item of ``components`` for a component whose rows are in ``table``."""
    data: dict[str, Any] = {"name": component.name, "type": "SkyModel"}
    if component.apply_irf or full:
        data["apply_irf"] = {part: component.irf_applies(part) for part in IRFS}
    if component.datasets_names is not None:
        data["datasets_names"] = list(component.datasets_names)
    stem = f"{component.name}.spectral."
    data["spectral"] = spectral_to_dict(component.spectral_model, stem, table, labels, full)
    return data
