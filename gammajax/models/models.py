"""The container of components and of their parameter table."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from gammajax.models.background import BackgroundModel
from gammajax.models.sky import SkyModel
from gammajax.parameters import (
    Link,
    ParameterRow,
    ParameterTable,
    Prior,
    get_values,
    slots,
    with_values,
)
from gammajax.units import conversion_factor, to_value

Component = SkyModel | BackgroundModel
"""What a set of models is made of."""

ROWS = "_parameter_rows"
"""Where a component that is taken out of models keeps its rows of their table."""


class Models:
    """Components of the sky and one table of all their parameters; immutable.

    Parameters
    ----------
    components : iterable of `SkyModel`, `FoVBackgroundModel` or `TemplateNPredModel`
        With different names. A `Models` object is taken apart. Components that come out of
        other models keep what is frozen, bounded or linked there, their errors and priors; a
        link goes where the parameter that it follows is not among them.

    Examples
    --------
    >>> from gammajax.models import Models, PowerLawSpectralModel, SkyModel
    >>> crab = SkyModel(PowerLawSpectralModel(), name="crab")
    >>> models = Models([crab]).set("crab.spectral.index", value=2.3, min=1, max=4)
    >>> models = models.freeze("*.amplitude")
    >>> models.parameters.free_names
    ('crab.spectral.index',)
    """

    def __init__(self, components: Iterable[Component] | Component) -> None:
        if isinstance(components, Component):
            components = [components]
        components = tuple(components)
        for name, number in Counter(component.name for component in components).items():
            if number > 1:
                raise ValueError(f"two components are called {name!r}; give them other names")
        self._components = components
        self._table = _joined([row for c in components for row in _rows(c)])
        self._covariance: Any = None

    @classmethod
    def _make(
        cls,
        components: tuple[Component, ...],
        table: ParameterTable,
        covariance: Any,
    ) -> Models:
        models = object.__new__(cls)
        models._components = components
        models._table = table
        models._covariance = covariance
        return models

    @classmethod
    def read(cls, path: str | Path) -> Models:
        """Read a YAML model file; see `gammajax.models.io`."""
        from gammajax.models.io import read_models

        return read_models(path)

    def write(self, path: str | Path, *, overwrite: bool = False, **options: Any) -> None:
        """Write a YAML model file and its covariance; see `gammajax.models.io`."""
        from gammajax.models.io import write_models

        write_models(self, path, overwrite=overwrite, **options)

    @classmethod
    def from_yaml(cls, text: str) -> Models:
        """The models of a YAML text; see `gammajax.models.io`."""
        from gammajax.models.io import models_from_yaml

        return models_from_yaml(text)

    def to_yaml(self, **options: Any) -> str:
        """The models as YAML text; see `gammajax.models.io`."""
        from gammajax.models.io import models_to_yaml

        return models_to_yaml(self, **options)

    @property
    def parameters(self) -> ParameterTable:
        """The table of all parameters."""
        return self._table

    @property
    def covariance(self) -> Any:
        """Covariance of all parameters, in the order of the table; None before a fit.

        A fit of thousands of parameters gives a SciPy sparse array.
        """
        return self._covariance

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the components."""
        return tuple(component.name for component in self._components)

    def __len__(self) -> int:
        return len(self._components)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._owned)

    def __getitem__(self, name: str | int) -> Any:
        if isinstance(name, int):
            return self._owned[name]
        if name not in self.names:
            raise ValueError(f"no component {name!r}; there are: {', '.join(self.names)}")
        return self._owned[self.names.index(name)]

    @cached_property
    def _owned(self) -> tuple[Any, ...]:
        """The components with their rows of the table, which they keep in other models."""
        found, first = [], 0
        for component in self._components:
            last = first + len(slots(component))
            own = copy(component)
            object.__setattr__(own, ROWS, self._table.rows[first:last])
            found.append(own)
            first = last
        return tuple(found)

    def __add__(self, other: Models | Component) -> Models:
        other = other if isinstance(other, Models) else Models([other])
        both = Models(self._components + other._components)
        table = ParameterTable(self._table.rows + other._table.rows)
        return Models._make(both._components, table, None)

    def freeze(self, pattern: str = "*") -> Models:
        """Freeze all parameters whose name matches a glob."""
        return self._change(pattern, lambda row: {"frozen": True})

    def thaw(self, pattern: str = "*") -> Models:
        """Free all parameters whose name matches a glob."""
        return self._change(pattern, lambda row: {"frozen": False})

    def set(
        self,
        pattern: str,
        value: Any = None,
        *,
        error: Any = None,
        min: Any = None,
        max: Any = None,
        prior: Prior | None = None,
        frozen: bool | None = None,
    ) -> Models:
        """Set what is given on all parameters whose name matches a glob.

        Numbers may carry units; ``min=-math.inf`` removes a bound. To remove a prior use
        `remove_prior`.
        """

        def how(row: ParameterRow) -> dict[str, Any]:
            given = {"value": value, "error": error, "min": min, "max": max}
            fields: dict[str, Any] = {
                key: float(to_value(item, row.unit, where=f"{row.name} {key}"))
                for key, item in given.items()
                if item is not None
            }
            if prior is not None:
                fields["prior"] = prior
            if frozen is not None:
                fields["frozen"] = frozen
            return fields

        return self._change(pattern, how)

    def remove_prior(self, pattern: str) -> Models:
        """Take the prior off all parameters whose name matches a glob."""
        return self._change(pattern, lambda row: {"prior": None})

    def link(
        self, pattern: str, to: str, *, factor: float = 1.0, offset: float = 0.0
    ) -> Models:
        """Make parameters equal to ``factor`` times another one plus ``offset``.

        A parameter that the glob matches and that is ``to`` itself stays as it is.
        """
        target = self._table.names[self._table.index(to)]
        unit = self._table[target].unit

        def how(row: ParameterRow) -> dict[str, Any]:
            if row.name == target:
                return {}
            scale = factor * conversion_factor(
                unit, row.unit, where=f"{row.name} linked to {to}"
            )
            return {"link": Link(target, scale, offset)}

        return self._change(pattern, how)

    def unlink(self, pattern: str) -> Models:
        """Take the links off; the parameters keep their values."""
        return self._change(pattern, lambda row: {"link": None})

    def with_values(self, values: Any, covariance: Any = None) -> Models:
        """The models at a vector of values (one a row of the table), with a covariance.

        Errors in the table become the square roots of the covariance's diagonal.
        """
        values = np.asarray(values, dtype=np.float64)
        rows = list(self._table.rows)
        errors = [row.error for row in rows]
        if covariance is not None:
            if not sparse.issparse(covariance):
                covariance = np.asarray(covariance, dtype=np.float64)
            errors = list(np.sqrt(np.maximum(covariance.diagonal(), 0.0)))
        rows = [
            dataclasses.replace(row, value=float(value), error=float(error))
            for row, value, error in zip(rows, values, errors, strict=True)
        ]
        table = ParameterTable(tuple(rows))
        return Models._make(_at(self._components, values), table, covariance)

    def covariance_of(self, pattern: str) -> np.ndarray:
        """The block of the covariance for the parameters that match a glob.

        ``models.covariance_of("crab.spectral.*")`` is in the order of
        ``models["crab"].spectral_model.parameter_names``.

        Raises
        ------
        ValueError
            If the models carry no covariance (no fit gave them one).
        """
        if self._covariance is None:
            raise ValueError("these models have no covariance: fit them, or read one")
        places = self._table.match(pattern)
        if sparse.issparse(self._covariance):
            return self._covariance[places][:, places].toarray()
        return self._covariance[np.ix_(places, places)]

    def with_table(self, table: ParameterTable, covariance: Any = None) -> Models:
        """The same components with another table of the same parameters."""
        if table.names != self._table.names:
            raise ValueError("the table is of other parameters than these models")
        source, factor, offset = table.resolved_links()
        start = np.array([row.value for row in table])
        values = offset + factor * start[source]
        if np.array_equal(values, [row.value for row in self._table]):
            # Nothing moves: freezing one of thousands of sources builds none of them anew.
            return Models._make(self._components, _valued(table, values), covariance)
        moved = _at(self._components, values)
        return Models._make(moved, _valued(table, values), covariance)

    def _change(self, pattern: str, how: Any) -> Models:
        return self.with_table(self._table.change(pattern, how), self._covariance)

    def __repr__(self) -> str:
        kinds = ", ".join(f"{c.name} ({type(c.spectral_model).__name__})" for c in self)
        return f"Models: {kinds}\n{self._table!r}"

    def _repr_html_(self) -> str:
        kinds = ", ".join(f"{c.name} ({type(c.spectral_model).__name__})" for c in self)
        return f"<p><b>Models</b>: {kinds}</p>{self._table._repr_html_()}"


def _joined(rows: list[ParameterRow]) -> ParameterTable:
    """The table of rows that may come from others; links to what is not here are gone."""
    if all(row.link is None for row in rows):
        return ParameterTable(tuple(rows))
    names = {row.name for row in rows}
    return ParameterTable(
        tuple(
            row
            if row.link is None or row.link.to in names
            else dataclasses.replace(row, link=None)
            for row in rows
        )
    )


def _rows(component: Component) -> Iterator[ParameterRow]:
    """The rows that a component had in other models, or else those of its class."""
    kept = getattr(component, ROWS, None)
    if kept is not None:
        yield from kept
        return
    found = slots(component)
    for slot, value in zip(found, get_values(component, found), strict=True):
        spec = slot.spec
        yield ParameterRow(
            name=f"{component.name}.{slot.name}",
            value=float(value),
            unit=spec.unit,
            min=spec.min,
            max=spec.max,
            frozen=spec.frozen,
            description=spec.description,
        )


def _valued(table: ParameterTable, values: np.ndarray) -> ParameterTable:
    """The table at other values; itself, if they are its own."""
    if all(row.value == value for row, value in zip(table, values, strict=True)):
        return table
    return ParameterTable(
        tuple(
            dataclasses.replace(row, value=float(value))
            for row, value in zip(table, values, strict=True)
        )
    )


def _at(components: tuple[Component, ...], values: np.ndarray) -> tuple[Component, ...]:
    moved, first = [], 0
    for component in components:
        found = slots(component)
        own = values[first : first + len(found)]
        moved.append(with_values(component, own, found))
        first += len(found)
    return tuple(moved)
