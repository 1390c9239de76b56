"""The one place where units are put on and taken off.

Inside, every number is in a canonical unit: energies in TeV, lengths in cm, times in s and
their products; angles in deg and times of models in d (MJD), as parameters carry them.
Constructors and readers call `to_value`, results call `to_quantity`; nothing between them
knows about units. `astropy.units` is imported on the first use of a unit, not before.

Examples
--------
>>> from gammajax.units import to_value
>>> float(to_value("300 GeV", "TeV", where="emin"))
0.3
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from astropy.units import Quantity

ENERGY = "TeV"
DNDE = "cm-2 s-1 TeV-1"
FLUX = "cm-2 s-1"
EFLUX = "TeV cm-2 s-1"
EXPOSURE = "cm2 s"
TIME = "s"


def is_quantity(value: Any) -> bool:
    """Whether ``value`` carries a unit (without importing astropy to find out)."""
    return hasattr(value, "unit") and hasattr(value, "to_value")


def to_value(value: Any, unit: str, *, where: str) -> np.ndarray:
    """The float64 array of ``value`` in ``unit``.

    Parameters
    ----------
    value : float, array-like, str or `~astropy.units.Quantity`
        A bare number is taken to be in ``unit`` already; a string is parsed ("1 TeV").
    unit : str
        The unit wanted.
    where : str
        What the value is for; it starts the error message.

    Returns
    -------
    value : `~numpy.ndarray`

    Raises
    ------
    ValueError
        If the value is no number, or its unit does not convert.
    """
    described = f"a number or Quantity in {unit}" if unit else "a dimensionless number"
    if value is None or isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{where}: got {value!r}, expected {described}")
    if isinstance(value, str):
        value = _parse(value, where, described)
    if is_quantity(value):
        from astropy.units import UnitConversionError

        try:
            return np.asarray(value.to_value(unit), dtype=np.float64)
        except UnitConversionError:
            raise ValueError(
                f"{where}: got the unit {str(value.unit)!r}, which does not convert to "
                f"{unit or 'a dimensionless number'!r}"
            ) from None
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{where}: got {value!r}, expected {described}") from None


def _parse(text: str, where: str, described: str) -> Quantity:
    from astropy.units import Quantity

    try:
        return Quantity(text)
    except (TypeError, ValueError):
        raise ValueError(f"{where}: got {text!r}, expected {described}") from None


def to_quantity(value: Any, unit: str) -> Quantity:
    """``value`` (an array in ``unit``) as a `~astropy.units.Quantity`."""
    from astropy.units import Quantity

    return Quantity(np.asarray(value), unit)


def conversion_factor(from_unit: str, to_unit: str, *, where: str) -> float:
    """The number that turns a value in ``from_unit`` into one in ``to_unit``.

    Raises
    ------
    ValueError
        If one of the units is unknown, or they do not convert.
    """
    if from_unit == to_unit:
        return 1.0
    from astropy.units import Unit, UnitConversionError

    try:
        return np.asarray(Unit(from_unit).to(to_unit)).item()
    except UnitConversionError:
        raise ValueError(
            f"{where}: got the unit {from_unit!r}, which does not convert to {to_unit!r}"
        ) from None
    except (ValueError, TypeError):
        raise ValueError(f"{where}: {from_unit!r} is not a unit that astropy knows") from None
