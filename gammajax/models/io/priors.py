"""Priors in model files.

The numbers of a prior are in the unit that its parameter has in the file, unless they carry
one themselves. A change of unit by a factor f changes -2 ln p by the constant 2 ln f.
"""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np

from gammajax.parameters import (
    GaussianPrior,
    GeneralizedGaussianPrior,
    LogNormalPrior,
    LogUniformPrior,
    NumpyroPrior,
    Prior,
    UniformPrior,
    WeightedPrior,
    get_values,
    slots,
)
from gammajax.storage import check_keys, shown, suggest
from gammajax.units import conversion_factor

SCALED: dict[type[Prior], tuple[str, ...]] = {
    GaussianPrior: ("mu", "sigma"),
    GeneralizedGaussianPrior: ("mu", "sigma"),
    UniformPrior: ("min", "max"),
    LogUniformPrior: ("min", "max"),
    LogNormalPrior: (),
}
"""The priors of files, each with the parameters that have the unit of what it is a prior on."""

_BY_NAME = {cls.__name__: cls for cls in SCALED}
_KEYS = ("type", "parameters", "weight")


def read_prior(data: Any, unit: str, factor: float, where: str) -> Prior:
    """The prior that a file describes.

    Parameters
    ----------
    data : dict
        ``type``, ``parameters`` (a list of name, value and unit), ``weight``; for any
        distribution of NumPyro also ``distribution``, its name.
    unit : str
        The canonical unit of the parameter that it is a prior on.
    factor : float
        What turns a number in the unit that this parameter has in the file into it.
    where : str
        It starts the error message.
    """
    where = f"{where}: prior"
    kind = data.get("type") if isinstance(data, dict) else None
    names = [*_BY_NAME, NumpyroPrior.__name__]
    if kind not in names:
        raise ValueError(f"{where}: unknown type {shown(kind)}{suggest(str(kind), names)}")
    numpyro = kind == NumpyroPrior.__name__
    check_keys(data, (*_KEYS, "distribution") if numpyro else _KEYS, where)
    weight = _number(data.get("weight", 1), f"{where}: weight")
    values, units = _values(data.get("parameters"), where)
    try:
        if numpyro:
            prior = _numpyro(data.get("distribution"), values, units, unit, factor)
        else:
            prior = _build(_BY_NAME[kind], values, units, unit, factor)
        return prior if weight == 1 else WeightedPrior(prior, weight)
    except ValueError as error:
        text = str(error)
        raise ValueError(text if text.startswith(where) else f"{where}: {text}") from None


def _number(value: Any, where: str) -> float:
    try:
        if isinstance(value, bool) or not math.isfinite(float(value)):
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError(f"{where} is {shown(value)}, expected a finite number") from None
    return float(value)


def _values(data: Any, where: str) -> tuple[dict[str, float], dict[str, str]]:
    if not isinstance(data, list):
        raise ValueError(f"{where}: parameters is {shown(data)}, expected a list")
    values, units = {}, {}
    for item in data:
        check_keys(item, ("name", "value", "unit", "error", "min", "max"), where)
        name = item.get("name")
        if not isinstance(name, str) or name in values:
            raise ValueError(
                f"{where}: {shown(item)} has no name, or one that was there before"
            )
        values[name] = _number(item.get("value"), f"{where}: {name}")
        if item.get("unit"):
            units[name] = str(item["unit"])
    return values, units


def _build(
    cls: type[Prior], values: dict[str, float], units: dict[str, str], unit: str, factor: float
) -> Prior:
    known = inspect.signature(cls).parameters
    for name in values:
        if name not in known:
            raise ValueError(f"{cls.__name__} has no {name!r}{suggest(name, known)}")
        if name in units and name not in SCALED[cls]:
            raise ValueError(f"{name} has the unit {units[name]!r}, and is a bare number")
    for name in SCALED[cls]:
        scale = conversion_factor(units[name], unit, where=name) if name in units else factor
        values[name] = scale * values.get(name, float(known[name].default))
    if cls is LogNormalPrior:
        values["mu"] = values.get("mu", 0.0) + math.log(factor)
    return cls(**values)


def _numpyro(
    name: Any, values: dict[str, float], units: dict[str, str], unit: str, factor: float
) -> NumpyroPrior:
    from numpyro import distributions

    cls = getattr(distributions, str(name), None)
    if not inspect.isclass(cls) or not issubclass(cls, distributions.Distribution):
        raise ValueError(
            f"distribution is {shown(name)}, expected one of numpyro.distributions"
        )
    if factor != 1 or units:
        raise ValueError(
            f"the numbers of a NumpyroPrior are in the canonical unit {unit!r}; "
            "give the parameter in this unit too, and its prior none"
        )
    try:
        return NumpyroPrior(cls(**{**values, "validate_args": True}))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {str(error).splitlines()[0]}") from None


def prior_to_dict(prior: Prior, where: str) -> dict[str, Any]:
    """The entry of a prior; its numbers are in the parameter's canonical unit.

    Raises
    ------
    ValueError
        If the prior cannot be told by its name and numbers.
    """
    weight = 1
    if isinstance(prior, WeightedPrior):
        prior, weight = prior.prior, float(prior.weight)
    if isinstance(prior, NumpyroPrior):
        kind, values = _distribution(prior, where)
    elif type(prior) in SCALED:
        kind = {"type": type(prior).__name__}
        names = [slot.name for slot in slots(prior)]
        values = dict(zip(names, get_values(prior).tolist(), strict=True))
    else:
        raise ValueError(
            f"{where}: a {type(prior).__name__} has no form in model files; use one of "
            f"{', '.join([*_BY_NAME, NumpyroPrior.__name__])}"
        )
    parameters = [{"name": name, "value": value, "unit": ""} for name, value in values.items()]
    return {**kind, "parameters": parameters, "weight": weight}


def _distribution(prior: NumpyroPrior, where: str) -> tuple[dict[str, str], dict[str, float]]:
    distribution = prior.distribution
    wanted = inspect.signature(type(distribution)).parameters
    names = [name for name in distribution.arg_constraints if name in wanted]
    missing = [
        name
        for name, item in wanted.items()
        if item.default is inspect.Parameter.empty and name not in names
    ]
    values = {name: np.asarray(getattr(distribution, name)) for name in names}
    name = type(distribution).__name__
    if missing or any(value.shape for value in values.values()):
        raise ValueError(
            f"{where}: a NumpyroPrior of {name} is more than a name and numbers, and has no "
            "form in model files; use a distribution that is"
        )
    kind = {"type": NumpyroPrior.__name__, "distribution": name}
    return kind, {name: float(value) for name, value in values.items()}
