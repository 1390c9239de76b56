"""The table of parameters: one row each, immutable, changed by globs."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

import numpy as np

from gammajax.parameters.priors import Prior


@dataclass(frozen=True)
class Link:
    """The parameter equals ``factor`` times the one called ``to``, plus ``offset``."""

    to: str
    factor: float = 1.0
    offset: float = 0.0

    def __str__(self) -> str:
        text = self.to if self.factor == 1 else f"{self.factor:g} * {self.to}"
        return text if self.offset == 0 else f"{text} {self.offset:+g}"


@dataclass(frozen=True)
class ParameterRow:
    """One parameter: a name, a value in a unit, and what a fit may do with it."""

    name: str
    value: float
    unit: str = ""
    error: float = 0.0
    min: float = -math.inf
    max: float = math.inf
    frozen: bool = False
    link: Link | None = None
    prior: Prior | None = None
    description: str = ""

    def __post_init__(self) -> None:
        if not self.min <= self.max:
            raise ValueError(f"{self.name}: min {self.min:g} is above max {self.max:g}")
        if self.error < 0 or math.isnan(self.error):
            raise ValueError(f"{self.name}: error is {self.error:g}, expected 0 or more")

    @property
    def free(self) -> bool:
        """Whether a fit moves it: not frozen, and not linked to another one."""
        return not self.frozen and self.link is None


@dataclass(frozen=True)
class ParameterTable:
    """All parameters of a set of models, in order; see `~gammajax.models.Models`."""

    rows: tuple[ParameterRow, ...]

    def __post_init__(self) -> None:
        names = [row.name for row in self.rows]
        if len(set(names)) < len(names):
            twice = {name for name in names if names.count(name) > 1}
            raise ValueError(f"parameters with the same name: {', '.join(sorted(twice))}")
        self.resolved_links()

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[ParameterRow]:
        return iter(self.rows)

    def __getitem__(self, name: str | int) -> ParameterRow:
        return self.rows[name if isinstance(name, int) else self.index(name)]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all parameters."""
        return tuple(row.name for row in self.rows)

    @cached_property
    def _places(self) -> dict[str, int]:
        """The position of each name; looked up thousands of times."""
        return {name: place for place, name in enumerate(self.names)}

    @property
    def free_names(self) -> tuple[str, ...]:
        """The names of the parameters that a fit moves."""
        return tuple(row.name for row in self.rows if row.free)

    @property
    def free_index(self) -> np.ndarray:
        """The positions of the free parameters."""
        return np.array([i for i, row in enumerate(self.rows) if row.free], dtype=np.int64)

    def index(self, name: str) -> int:
        """The position of the parameter of this name (or of the one that a glob matches).

        Raises
        ------
        ValueError
            If no parameter, or more than one, has it.
        """
        places = self.match(name)
        if len(places) > 1:
            raise ValueError(
                f"{name!r} stands for {len(places)} parameters "
                f"({', '.join(self.names[i] for i in places[:4])}, ...); name one of them"
            )
        return places[0]

    def match(self, pattern: str) -> list[int]:
        """The positions of the parameters whose name matches a glob.

        Raises
        ------
        ValueError
            If none does; the message suggests names that are close.
        """
        names = self.names
        if pattern in self._places:
            return [self._places[pattern]]
        places = [i for i, name in enumerate(names) if fnmatchcase(name, pattern)]
        if not places:
            close = difflib.get_close_matches(pattern, names, n=3, cutoff=0.4)
            hint = f"; did you mean {', '.join(close)}?" if close else ""
            known = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
            raise ValueError(f"no parameter matches {pattern!r}{hint} (there are: {known})")
        return places

    def change(
        self, pattern: str, how: Callable[[ParameterRow], dict[str, Any]]
    ) -> ParameterTable:
        """A new table, with the fields that ``how`` returns set on all matching rows."""
        rows = list(self.rows)
        for i in self.match(pattern):
            rows[i] = dataclasses.replace(rows[i], **how(rows[i]))
        return ParameterTable(tuple(rows))

    def resolved_links(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For each row, the row its value comes from, and factor and offset; chains followed.

        Raises
        ------
        ValueError
            If a link points to nothing, or in a circle.
        """
        place = {row.name: i for i, row in enumerate(self.rows)}
        size = len(self.rows)
        source, factor, offset = np.arange(size), np.ones(size), np.zeros(size)
        for i, row in enumerate(self.rows):
            seen, current, scale, shift = {row.name}, row, 1.0, 0.0
            while current.link is not None:
                link = current.link
                if link.to not in place:
                    raise ValueError(
                        f"{current.name}: linked to {link.to!r}, which is no parameter "
                        "of these models"
                    )
                if link.to in seen:
                    raise ValueError(f"{row.name}: its links run in a circle")
                seen.add(link.to)
                shift += scale * link.offset
                scale *= link.factor
                current = self.rows[place[link.to]]
            source[i], factor[i], offset[i] = place[current.name], scale, shift
        return source, factor, offset

    def to_table(self) -> Any:
        """An `~astropy.table.Table` with a row for each parameter."""
        from astropy.table import Table

        rows = [
            {
                "name": row.name,
                "value": row.value,
                "unit": row.unit,
                "error": row.error,
                "min": row.min,
                "max": row.max,
                "frozen": row.frozen,
                "link": str(row.link or ""),
                "prior": type(row.prior).__name__ if row.prior else "",
            }
            for row in self.rows
        ]
        table = Table(rows=rows, names=list(rows[0]) if rows else ["name", "value"])
        for column in table.columns.values():
            if column.dtype.kind == "f":
                column.format = ".4e" if column.name in ("value", "error") else "g"
        return table

    def __repr__(self) -> str:
        lines = self.to_table().pformat(max_lines=-1, max_width=-1)
        return "\n".join([f"ParameterTable: {len(self)} parameters", *lines])

    def _repr_html_(self) -> str:
        return self.to_table()._repr_html_()
