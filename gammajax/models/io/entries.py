"""One parameter in a model file, and what it becomes in the table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.models.base import Model
from gammajax.models.io.priors import prior_to_dict, read_prior
from gammajax.parameters import ParameterRow, ParameterSpec, Prior, Slot, get_values
from gammajax.storage import check_keys, shown, suggest
from gammajax.units import conversion_factor

KEYS = ("name", "value", "unit", "error", "min", "max", "frozen", "link", "prior")

IGNORED_KEYS = ("interp", "scale_method", "scale_transform", "is_norm", "factor", "scale")
"""How gammapy scales a parameter for its optimisers: read over, a fit here scales by itself."""

_BOOLEANS = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}


@dataclass(frozen=True)
class Entry:
    """What a file says about one parameter, in its canonical unit.

    ``factor`` turns a number in the file's unit into the canonical one, ``value_given`` and
    ``error_given`` tell whether the file had them, and ``link`` is the label that parameters
    share which are the same one.
    """

    value: float
    min: float
    max: float
    frozen: bool
    error: float = 0.0
    error_given: bool = False
    prior: Prior | None = None
    link: str | None = None
    factor: float = 1.0

    @classmethod
    def from_dict(
        cls, data: dict[str, Any], spec: ParameterSpec, default: float, where: str
    ) -> Entry:
        """Read an entry; bounds that are left out are the class's, ``.nan`` means none."""
        factor = _factor(data, spec, where)
        if "value" not in data and factor != 1.0:
            raise ValueError(f"{where}: has a unit, but no value")
        value = factor * number(data["value"], f"{where}: value") if "value" in data else None
        low, high = (_bound(data, key, spec, factor, where) for key in ("min", "max"))
        error = abs(factor) * number(data.get("error", 0.0), f"{where}: error", nan=True)
        if error < 0:
            raise ValueError(f"{where}: error is {data['error']}, expected 0 or more")
        prior = data.get("prior")
        link = data.get("link")
        if link is not None and (not isinstance(link, str) or not link):
            raise ValueError(f"{where}: link is {shown(link)}, expected a label")
        return cls(
            value=default if value is None else value,
            min=low,
            max=high,
            frozen=boolean(data.get("frozen", spec.frozen), f"{where}: frozen"),
            error=0.0 if math.isnan(error) else error,
            error_given="error" in data,
            prior=None if prior is None else read_prior(prior, spec.unit, factor, where),
            link=link,
            factor=factor,
        )


def number(value: Any, where: str, *, nan: bool = False) -> float:
    """A number of a file as a float; ``nan`` tells whether NaN and infinities may pass."""
    expected = "a number" if nan else "a finite number"
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise TypeError
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{where} is {shown(value)}, expected {expected}") from None
    if not nan and not math.isfinite(found):
        raise ValueError(f"{where} is {shown(value)}, expected {expected}")
    return found


def boolean(value: Any, where: str) -> bool:
    """True or false; ``yes`` and ``no`` are what YAML 1.1 writes for them."""
    if isinstance(value, str) and value.lower() in _BOOLEANS:
        return _BOOLEANS[value.lower()]
    if not isinstance(value, bool):
        raise ValueError(f"{where} is {shown(value)}, expected true or false")
    return value


def _factor(data: dict[str, Any], spec: ParameterSpec, where: str) -> float:
    unit = data.get("unit", spec.unit)
    if not isinstance(unit, str):
        raise ValueError(f"{where}: unit is {shown(unit)}, expected a text")
    return conversion_factor(unit, spec.unit, where=where)


def _bound(
    data: dict[str, Any], key: str, spec: ParameterSpec, factor: float, where: str
) -> float:
    given = data.get(key, getattr(spec, key) / factor)
    none = -math.inf if key == "min" else math.inf
    if given is None:
        return none
    found = factor * number(given, f"{where}: {key}", nan=True)
    return none if math.isnan(found) else found


def read_entries(data: Any, model: Model, own: list[Slot], where: str) -> dict[str, Entry]:
    """The entries of parameters of a model, in their order.

    Parameters
    ----------
    data : list of dict
        The value of the key ``parameters``.
    model : `~gammajax.models.SpectralModel`
        It has the values that hold where the file gives none.
    own : list of `~gammajax.parameters.Slot`
        The parameters that ``data`` is about: those of the model, without its parts'.
    where : str
        It starts the error message.
    """
    specs = {slot.name: slot.spec for slot in own}
    items = _named(data, specs, type(model).__name__, where)
    defaults = dict(zip(model.parameter_names, get_values(model), strict=True))
    found = {}
    for name, spec in specs.items():
        here = f"{where}: parameter {name!r}"
        found[name] = Entry.from_dict(items.get(name, {}), spec, float(defaults[name]), here)
    return found


def _named(
    data: Any, specs: dict[str, ParameterSpec], owner: str, where: str
) -> dict[str, dict[str, Any]]:
    data = [] if data is None else data
    if not isinstance(data, list):
        raise ValueError(f"{where}: parameters is {shown(data)}, expected a list")
    items: dict[str, dict[str, Any]] = {}
    for place, item in enumerate(data):
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise ValueError(
                f"{where}: entry {place + 1} of parameters is {shown(item)}, "
                "expected a mapping with a name"
            )
        name = item["name"]
        if name not in specs:
            raise ValueError(
                f"{where}: {owner} has no parameter {name!r}{suggest(name, specs)}"
            )
        if name in items:
            raise ValueError(f"{where}: the parameter {name!r} is given twice")
        items[name] = check_keys(item, KEYS + IGNORED_KEYS, f"{where}: parameter {name!r}")
    return items


def row_to_dict(
    name: str, row: ParameterRow, spec: ParameterSpec, label: str | None, full: bool
) -> dict[str, Any]:
    """The entry of a row of the table; what a reader takes as default is left out.

    ``full`` writes all fields instead. A bound that the class has and the row has not is
    written as ``.nan``.
    """
    data: dict[str, Any] = {"name": name, "value": row.value}
    if row.unit or full:
        data["unit"] = row.unit
    if row.error or full:
        data["error"] = row.error
    for key in ("min", "max"):
        bound = getattr(row, key)
        if full or np.isfinite(bound) or np.isfinite(getattr(spec, key)):
            data[key] = bound if np.isfinite(bound) else math.nan
    if row.frozen or spec.frozen or full:
        data["frozen"] = row.frozen
    if label is not None:
        data["link"] = label
    if row.prior is not None:
        data["prior"] = prior_to_dict(row.prior, row.name)
    return data
