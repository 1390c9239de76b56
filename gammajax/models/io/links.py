"""Links in model files.

Parameters that carry the same label (``link: alpha@k2j9``) are one parameter: the first of
them in the file holds, and the others are linked to it. The format of gammapy knows no more
than that, and only between parameters of the same name. All other links (with a factor or
an offset, to a parameter of another name, or to one further down) stand in a list of their
own, under the top-level key ``links``, which gammapy reads over: it sees a frozen parameter
with the right value.
"""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

from gammajax.models.io.entries import Entry, boolean, number
from gammajax.parameters import Link, ParameterRow, ParameterTable
from gammajax.storage import check_keys, shown, suggest

KEYS = ("parameter", "to", "factor", "offset", "frozen")


def link_labelled(
    rows: list[ParameterRow], entries: dict[str, Entry], where: str
) -> list[ParameterRow]:
    """The rows with the links that labels make.

    Raises
    ------
    ValueError
        If a label is on one parameter only, or joins parameters of different units.
    """
    groups: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        label = entries[row.name].link
        if label is not None:
            groups.setdefault(label, []).append(place)
    rows = list(rows)
    for label, (first, *others) in groups.items():
        source = rows[first]
        if not others:
            raise ValueError(
                f"{where}: {source.name}: its link {label!r} leads to nothing; give the same "
                "label to the parameter that it is linked to, or take it off"
            )
        for place in others:
            row = rows[place]
            if row.unit != source.unit:
                raise ValueError(
                    f"{where}: {row.name} in {row.unit!r} and {source.name} in "
                    f"{source.unit!r} share the link {label!r}, but not their unit"
                )
            if abs(row.value - source.value) > 1e-9 * abs(source.value):
                warnings.warn(
                    f"{where}: {row.name} is {row.value:g}, but shares the link {label!r} with "
                    f"{source.name}, which is {source.value:g}; the first value holds",
                    stacklevel=2,
                )
            # a label means the same parameter, and one parameter has one prior
            rows[place] = dataclasses.replace(row, link=Link(source.name), prior=None)
    return rows


def link_listed(rows: list[ParameterRow], data: Any, where: str) -> list[ParameterRow]:
    """The rows with the links of the list under the key ``links``."""
    if not isinstance(data, list):
        raise ValueError(f"{where}: links is {shown(data)}, expected a list")
    rows = list(rows)
    names = [row.name for row in rows]
    for place, item in enumerate(data):
        here = f"{where}: links, entry {place + 1}"
        check_keys(item, KEYS, here)
        for key in ("parameter", "to"):
            if item.get(key) not in names:
                raise ValueError(
                    f"{here}: {key} is {shown(item.get(key))}, which is no parameter of the "
                    f"models{suggest(str(item.get(key)), names)}"
                )
        link = Link(
            item["to"],
            number(item.get("factor", 1.0), f"{here}: factor"),
            number(item.get("offset", 0.0), f"{here}: offset"),
        )
        at = names.index(item["parameter"])
        frozen = boolean(item.get("frozen", False), f"{here}: frozen")
        rows[at] = dataclasses.replace(rows[at], link=link, frozen=frozen)
    return rows


def labels_and_list(table: ParameterTable) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """How a table's links are written: labels by parameter name, and the list of the others."""
    labels: dict[str, str] = {}
    listed: list[dict[str, Any]] = []
    for place, row in enumerate(table):
        if row.link is None:
            continue
        if _shares_a_label(table, place):
            label = f"{row.link.to.rpartition('.')[2]}@{table.index(row.link.to)}"
            labels[row.link.to] = labels[row.name] = label
            continue
        item: dict[str, Any] = {"parameter": row.name, "to": row.link.to}
        if row.link.factor != 1:
            item["factor"] = row.link.factor
        if row.link.offset != 0:
            item["offset"] = row.link.offset
        if row.frozen:
            item["frozen"] = True
        listed.append(item)
    return labels, listed


def _shares_a_label(table: ParameterTable, place: int) -> bool:
    row = table[place]
    assert row.link is not None
    target = table.names.index(row.link.to)
    return (
        row.link == Link(row.link.to)
        and row.prior is None
        and target < place
        and table[target].link is None
        and table[target].unit == row.unit
        and row.name.rpartition(".")[2] == row.link.to.rpartition(".")[2]
    )
