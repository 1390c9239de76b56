"""Arithmetic of maps: same geometry, units that fit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from gammajax.maps.arrays import namespace
from gammajax.units import conversion_factor, is_quantity

COMPARISONS = ("greater", "greater_equal", "less", "less_equal")
LOGIC = ("logical_and", "logical_or", "logical_xor")


@lru_cache(maxsize=256)
def _canonical(text: str) -> str:
    from astropy.units import Unit

    try:
        return Unit(text).to_string()
    except ValueError:
        raise ValueError(f"map: {text!r} is not a unit that astropy knows") from None


def unit_text(unit: Any) -> str:
    """A unit as text that can be compared: ``s-1 cm-2`` and ``1 / (cm2 s)`` become one."""
    text = str(unit)
    return _canonical(text) if text else ""


def require_mask(found: Any) -> None:
    """Logic is for maps of bools."""
    if found.data.dtype != bool:
        raise ValueError(f"{found!r}: logic wants a mask, whose values are bools")


def combine(one: Any, other: Any, operation: str) -> Any:
    """The result of an operation on a map and a map, number, array or quantity.

    Raises
    ------
    ValueError
        If the geometries differ, the units do not convert, or logic meets numbers.
    """
    from gammajax.maps.core import Map

    if isinstance(other, Map):
        _check_geometry(one, other)
        values, unit = other.data, other.unit
    elif is_quantity(other):
        values, unit = np.asarray(other.value), unit_text(other.unit)
    else:
        values, unit = other, ""
    xp = namespace(one.data, values)
    if operation in LOGIC:
        for found in (one, *([other] if isinstance(other, Map) else [])):
            require_mask(found)
        return one.with_data(getattr(xp, operation)(one.data, values))
    if operation in ("multiply", "divide"):
        product = _product(one.unit, unit, operation)
        return one.with_data(getattr(xp, operation)(one.data, values), unit=product)
    factor = conversion_factor(unit, one.unit, where=f"{type(one).__name__}: {operation}")
    result = getattr(xp, operation)(one.data, values * factor if factor != 1 else values)
    return one.with_data(result, unit="" if operation in COMPARISONS else one.unit)


def _product(one: str, two: str, operation: str) -> str:
    if not two:
        return one
    from astropy.units import Unit

    units = Unit(one), Unit(two)
    return str(units[0] * units[1] if operation == "multiply" else units[0] / units[1])


def _check_geometry(one: Any, other: Any) -> None:
    if one.geom == other.geom:
        return
    close = getattr(one.geom, "is_aligned", _same_sky(one))(other.geom)
    if type(one) is not type(other) or one.data.shape != other.data.shape or not close:
        raise ValueError(
            f"maps of different geometries cannot be combined: {one.geom!r} and {other.geom!r}"
        )
    if not one.geom.axes.is_close(other.geom.axes):
        raise ValueError(
            f"maps of different axes cannot be combined: {one.geom.axes!r} and "
            f"{other.geom.axes!r}"
        )


def _same_sky(one: Any) -> Any:
    return lambda geom: one.geom.to_image() == geom.to_image()
