"""The flat vector that a fit moves, and how it expands into parameter values."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from gammajax.parameters.parameter_table import ParameterTable


class ParameterSpace(eqx.Module):
    """Values, bounds, free flags and links of all parameters, as arrays.

    Everything here is data. Freezing another parameter, moving a bound or linking two
    parameters changes array contents and never the structure, so a compiled fit is used
    again. Vectors have one entry for each row of the table, frozen ones included.

    Attributes
    ----------
    value, min, max : array, shape (n_parameters,)
        Start values and bounds, in canonical units.
    free : array of bool, shape (n_parameters,)
        The entries that move: neither frozen nor linked to another one.
    source : array of int, shape (n_parameters,)
        Where the value comes from: itself, or the parameter it is linked to.
    factor, offset : array, shape (n_parameters,)
        ``value = factor * x[source] + offset``; 1 and 0 without a link.
    """

    value: Any
    min: Any
    max: Any
    free: Any
    source: Any
    factor: Any
    offset: Any

    @classmethod
    def from_table(cls, table: ParameterTable) -> ParameterSpace:
        """The space of a parameter table; prior supports narrow the bounds."""
        rows = table.rows
        source, factor, offset = table.resolved_links()
        low = np.array([row.min for row in rows], dtype=np.float64)
        high = np.array([row.max for row in rows], dtype=np.float64)
        for i, row in enumerate(rows):
            if row.prior is not None:
                edges = row.prior.support
                low[i], high[i] = max(low[i], edges[0]), min(high[i], edges[1])
        linked = source != np.arange(len(rows))
        frozen = np.array([row.frozen for row in rows], dtype=bool)
        return cls(
            value=np.array([row.value for row in rows], dtype=np.float64),
            min=low,
            max=high,
            free=~frozen & ~linked,
            source=source,
            factor=factor,
            offset=offset,
        )

    def expand(self, x: Any) -> Any:
        """The values of all parameters for the vector ``x``, links followed."""
        return self.offset + self.factor * x[self.source]

    def insert(self, theta: Any, index: Any) -> Any:
        """The start vector with its free entries (at ``index``) set to ``theta``."""
        return jnp.asarray(self.value).at[index].set(theta)

    def columns(self, active: Any, places: Any) -> tuple[Any, Any]:
        """Which of some entries of x the values at places move with, and how fast.

        Parameters
        ----------
        active : array of int, shape (n,)
            Entries of x.
        places : array of int
            Of values.

        Returns
        -------
        column : array of int
            Position among ``active``; n where the value moves with none of them, or where
            that one is not free.
        factor : array
            d(value) / dx.
        """
        number = np.size(active)
        position = jnp.full(np.size(self.value), number)
        position = position.at[active].set(jnp.arange(number))
        position = jnp.where(self.free, position, number)
        return position[jnp.asarray(self.source)[places]], jnp.asarray(self.factor)[places]

    def jacobian(self) -> np.ndarray:
        """d(values)/d(x): shape (n_parameters, n_parameters), zero columns where frozen."""
        size = len(self.value)
        matrix = np.zeros((size, size))
        matrix[np.arange(size), self.source] = self.factor
        return matrix * np.asarray(self.free)[None, :]
