"""The table of parameters under the docstring of each model, made from its declaration."""

from __future__ import annotations

import math
from typing import Any


def _number(value: Any) -> str:
    try:
        return f"{float(value):g}"
    except (TypeError, ValueError):
        return ""


def _bounds(spec: Any) -> str:
    low = "" if math.isinf(spec.min) else f"{spec.min:g}"
    high = "" if math.isinf(spec.max) else f"{spec.max:g}"
    return (
        f"{low} to {high}" if low and high else f"from {low}" if low else high and f"to {high}"
    )


def add_parameter_table(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Add the table to ``lines``, the docstring, if ``obj`` is a model class."""
    if what != "class" or not hasattr(obj, "parameter_specs"):
        return
    specs = obj.parameter_specs()
    if not specs:
        return
    lines += ["", ".. list-table:: Parameters", "   :header-rows: 1", ""]
    rows = [("name", "default", "unit", "bounds", "starts", "what it is")]
    for field, spec in specs.items():
        starts = "frozen" if spec.frozen else "free"
        default = _number(spec.default)
        rows.append(
            (f"``{field}``", default, spec.unit, _bounds(spec), starts, spec.description)
        )
    for row in rows:
        for i, cell in enumerate(row):
            lines.append(f"   {'*' if i == 0 else ' '} - {cell}")
    lines.append("")
