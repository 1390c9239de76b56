"""Text on axes: plain numbers, short parameter names, units as formulas, factors of ten."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter

ENERGY_LABEL = "Energy [TeV]"
MOST_LABELLED = 300.0
"""Axes that span a larger factor have labels at powers of ten only."""

KINDS = ("spectral", "spatial", "temporal")
"""Words that are left out where names are told apart without them."""

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
    >>> short_names(["g0.9.spectral.index", "g0.9.spatial.lon_0", "bkg.spectral.norm"])
    ['g0.9 index', 'g0.9 lon_0', 'bkg norm']
    """
    parts = [_parts(name) for name in names]
    plain = [[word for word in part if word not in KINDS] for part in parts]
    if len({tuple(part) for part in plain}) == len(parts):
        parts = plain
    depth = min((len(part) for part in parts), default=1) - 1
    shared = [place for place in range(depth) if len({part[place] for part in parts}) == 1]
    kept = [[p for i, p in enumerate(part) if i not in shared] for part in parts]
    return [" ".join(part) for part in kept]


def _parts(name: str) -> list[str]:
    """Component, kind of model, and the rest; names of components may have dots in them."""
    found = re.match(rf"(.*)\.({'|'.join(KINDS)})\.(.*)", name)
    if found is None:
        return name.split(".")
    component, kind, rest = found.groups()
    return [component, kind, *rest.split(".")]


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


def label_energies(ax: Any) -> None:
    """A logarithmic axis of energy, with plain numbers: 0.5, 1, 2 instead of powers of ten."""
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda energy, _: plain_number(energy)))
    ax.xaxis.set_minor_formatter(FuncFormatter(lambda energy, _: _between(energy, ax)))


def plain_number(value: float) -> str:
    """A number as one writes it; a power of ten where that has many zeros.

    Examples
    --------
    >>> plain_number(0.1), plain_number(20.0), plain_number(1e6)
    ('0.1', '20', '$10^{6}$')
    """
    power = round(np.log10(value)) if value > 0 else 0
    return f"{value:g}" if -3 < power < 5 else f"$10^{{{power}}}$"


def _between(energy: float, ax: Any) -> str:
    """The label of a tick between powers of ten: only 2 and 5, and only on short axes."""
    low, high = ax.get_xlim()
    if not 0 < low < high < MOST_LABELLED * low:
        return ""
    digit = energy / 10.0 ** np.floor(np.log10(energy))
    return plain_number(energy) if np.min(np.abs(digit - np.array([2, 5]))) < 1e-6 else ""


def label_with_power(ax: Any, name: str, unit: str, values: Any) -> None:
    """Name the vertical axis; a power of ten stands with the unit, not at the axis' end."""
    power = exponent(values)
    if power:
        ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y / 10.0**power:g}"))
    ax.set_ylabel(parameter_label(name, unit, power))
