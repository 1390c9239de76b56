"""One component in a model file: its type, its parts, and what it applies to.

This is the one place that knows which types of component and which parts of one there are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gammajax.maps import Map
from gammajax.models.background import FoVBackgroundModel, TemplateNPredModel
from gammajax.models.io.entries import Entry, boolean
from gammajax.models.io.parts import KINDS, part_to_dict, read_part
from gammajax.models.sky import SkyModel
from gammajax.parameters import ParameterTable, get_values, slots
from gammajax.storage import check_keys, expand, shown, suggest

Component = SkyModel | FoVBackgroundModel | TemplateNPredModel

SHARED = ("name", "type", "datasets_names", "spectral", "spatial")
KEYS = {
    "SkyModel": (*SHARED, "apply_irf", "temporal"),
    "FoVBackgroundModel": (*SHARED, "parameters"),
    "TemplateNPredModel": (*SHARED, "filename"),
}
"""The types of component, and the keys that each may have."""

IRFS = ("exposure", "psf", "edisp")


def read_component(
    data: Any, place: int, folder: Path, where: str
) -> tuple[Component, dict[str, Entry]]:
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
            f"keys {', '.join(KEYS['SkyModel'])}"
        )
    here = (
        f"{where}: component {str(data['name'])!r}"
        if data.get("name")
        else f"{where}: component {place + 1}"
    )
    kind = data.get("type")
    if kind not in KEYS:
        raise ValueError(f"{here}: type is {shown(kind)}{suggest(str(kind), KEYS)}")
    check_keys(data, KEYS[kind], here)
    if kind == "FoVBackgroundModel" and "parameters" in data:
        data = _older_background(data, here)
    parts, entries = {}, {}
    for part in KINDS:
        if data.get(part) is not None or (part == "spectral" and kind == "SkyModel"):
            parts[f"{part}_model"], found = read_part(
                part, data.get(part), folder, f"{here}: {part}"
            )
            entries |= {f"{part}.{name}": entry for name, entry in found.items()}
    options: dict[str, Any] = {
        **parts,
        "datasets_names": _datasets_names(data.get("datasets_names"), here),
    }
    if data.get("name"):
        options["name"] = str(data["name"])
    if kind == "SkyModel":
        made: Component = SkyModel(**options, apply_irf=_apply_irf(data.get("apply_irf"), here))
    elif kind == "FoVBackgroundModel":
        made = FoVBackgroundModel(**options)
    else:
        path = expand(data.get("filename"), folder, f"{here}: filename")
        made = TemplateNPredModel(Map.read(path), **options, filename=path)
    return made, _in_order(made, entries)


def _older_background(data: dict[str, Any], where: str) -> dict[str, Any]:
    """Files of older versions have the parameters without a spectral model around them."""
    if data.get("spectral") is not None:
        raise ValueError(f"{where}: has parameters and a spectral model, expected one of them")
    spectral = {"type": "PowerLawNormSpectralModel", "parameters": data["parameters"]}
    kept = {key: value for key, value in data.items() if key != "parameters"}
    return {**kept, "spectral": spectral}


def _in_order(component: Component, entries: dict[str, Entry]) -> dict[str, Entry]:
    """The entries in the order of the parameters; defaults where the file has no part."""
    found = {}
    for slot, value in zip(slots(component), get_values(component).tolist(), strict=True):
        spec = slot.spec
        default = Entry(value=value, min=spec.min, max=spec.max, frozen=spec.frozen)
        found[slot.name] = entries.get(slot.name, default)
    return found


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
    component: Component, table: ParameterTable, labels: dict[str, str], full: bool
) -> dict[str, Any]:
    """The item of ``components`` for a component whose rows are in ``table``."""
    data: dict[str, Any] = {"name": component.name, "type": type(component).__name__}
    if isinstance(component, SkyModel) and (component.apply_irf or full):
        data["apply_irf"] = {part: component.irf_applies(part) for part in IRFS}
    if component.datasets_names is not None:
        data["datasets_names"] = list(component.datasets_names)
    for kind in KINDS:
        part = getattr(component, f"{kind}_model", None)
        if part is not None:
            stem = f"{component.name}.{kind}."
            data[kind] = part_to_dict(kind, part, stem, table, labels, full)
    if isinstance(component, TemplateNPredModel):
        if not component.filename:
            raise ValueError(
                f"TemplateNPredModel {component.name!r}: is kept in a file of its own, and "
                "this one names none; write its map, and give it the filename"
            )
        data["filename"] = str(Path(component.filename).absolute())
    return data
