"""Text on axes: short parameter names, units as formulas, factors of ten."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

ENERGY_LABEL = "Energy [TeV]"
_GREEK = {
    "alpha": r"$\alpha$",
    "beta": r"$\beta$",
    "gamma": r"$\gamma$",
    "lambda_": r"$\lambda$",
}


def short_names(names: Sequence[str]) -> list[str]:
    """Parameter names without the parts that they all share.

    Examples
    --------
    >>> short_names(["crab.spectral.index", "crab.spectral.amplitude"])
    ['index', 'amplitude']
    >>> short_names(["a.spectral.index", "b.spectral.index"])
    ['a index', 'b index']
    """
    parts = [name.split(".") for name in names]
    depth = min((len(part) for part in parts), default=1) - 1
    shared = [place for place in range(depth) if len({part[place] for part in parts}) == 1]
    kept = [[p for i, p in enumerate(part) if i not in shared] for part in parts]
    return [" ".join(part) for part in kept]


def unit_text(unit: str) -> str:
    """A unit as a formula.

    Examples
    --------
    >>> unit_text("cm-2 s-1 TeV-1")
    '$\\\\mathrm{cm^{-2}\\\\,s^{-1}\\\\,TeV^{-1}}$'
    """
    if not unit:
        return ""
    words = [re.sub(r"^([A-Za-z]+)(-?\d+)$", r"\1^{\2}", word) for word in unit.split()]
    return r"$\mathrm{" + r"\,".join(words) + "}$"


def exponent(values: Any) -> int:
    """The power of ten to take out of numbers, 0 for those that read well as they are."""
    size = np.nanmax(np.abs(np.asarray(values, dtype=np.float64)), initial=0.0)
    if not np.isfinite(size) or size == 0:
        return 0
    power = int(np.floor(np.log10(size)))
    return 0 if -2 <= power <= 3 else power


def parameter_label(name: str, unit: str, power: int = 0) -> str:
    """Name, factor of ten and unit, for an axis; Greek letters are written as such."""
    words = [_GREEK.get(word, word) for word in name.split(" ")]
    inside = " ".join(filter(None, [f"$10^{{{power}}}$" if power else "", unit_text(unit)]))
    return " ".join(words) + (f" [{inside}]" if inside else "")
