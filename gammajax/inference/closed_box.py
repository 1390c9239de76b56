r"""Decorrelated coordinates for first-order minimisers, onto the closed box of the bounds.

A bounded parameter is :math:`a + (b - a) (1 + \sin v) / 2`, one with a single bound
:math:`a - 1 + \sqrt{v^2 + 1}` (the forms that Minuit uses): both reach the bound at a finite
v. On top of that :math:`v = v_0 + W z` with :math:`W W^T = 2 F^{-1}`, so that the statistic
is about :math:`|z - z^*|^2` and one step size fits all directions.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from gammajax.config import program
from gammajax.inference.problem import Problem, derivatives, reverse_stat

EDGE = 1e-3
"""A start at a bound is moved in by this fraction of an error, off the stationary point."""


class ClosedBox(eqx.Module):
    """The map from z to the vector x of a problem; frozen entries stay as they are.

    ``centre``, ``scale``, ``low`` and ``high`` go by the active entries.
    """

    start: Any
    centre: Any
    matrix: Any
    scale: Any
    low: Any
    high: Any

    def x(self, problem: Problem, z: Any) -> Any:
        """The parameters at z, in the closed box."""
        value = _into(self.centre + self.matrix @ z, self.low, self.high, self.scale)
        active = problem.active
        free = problem.space.free[active]
        return self.start.at[active].set(jnp.where(free, value, self.start[active]))


def _into(v: Any, low: Any, high: Any, scale: Any) -> Any:
    has_low, has_high = jnp.isfinite(low), jnp.isfinite(high)
    low, high = jnp.where(has_low, low, 0.0), jnp.where(has_high, high, 1.0)
    both = low + (high - low) * (1 + jnp.sin(v)) / 2
    reach = scale * (jnp.sqrt(v**2 + 1) - 1)
    one = jnp.where(has_low, low + reach, high - reach)
    return jnp.where(has_low & has_high, both, jnp.where(has_low | has_high, one, v))


def _out_of(x: Any, low: Any, high: Any, scale: Any) -> Any:
    has_low, has_high = jnp.isfinite(low), jnp.isfinite(high)
    low, high = jnp.where(has_low, low, 0.0), jnp.where(has_high, high, 1.0)
    both = jnp.arcsin(jnp.clip(2 * (x - low) / (high - low) - 1, -1.0, 1.0))
    reach = jnp.where(has_low, x - low, high - x) / scale
    one = jnp.sqrt((jnp.maximum(reach, 0.0) + 1) ** 2 - 1)
    return jnp.where(has_low & has_high, both, jnp.where(has_low | has_high, one, x))


@program
def closed_box(problem: Problem, x: Any) -> ClosedBox:
    """Coordinates around a start, scaled and decorrelated by the Fisher matrix there."""
    space, active = problem.space, problem.active
    low, high, free = space.min[active], space.max[active], space.free[active]
    x = jnp.asarray(x)
    fisher = derivatives(problem, jnp.clip(x, space.min, space.max)).fisher
    diagonal = jnp.diag(fisher)
    usable = free & (diagonal > 0)
    error = jnp.where(usable, jnp.sqrt(2 / jnp.where(usable, diagonal, 1.0)), 1.0)
    room = jnp.where(jnp.isfinite(high - low), high - low, jnp.inf)
    margin = jnp.minimum(EDGE * error, 0.1 * room)
    inside = jnp.where(free, jnp.clip(x[active], low + margin, high - margin), x[active])
    centre = _out_of(inside, low, high, error)
    slope = jax.jvp(lambda v: _into(v, low, high, error), (centre,), (jnp.ones_like(centre),))[
        1
    ]
    slope = jnp.where(free, slope, 1.0)
    scaled = fisher * jnp.outer(slope, slope)
    unit = jnp.where(usable, 1 / jnp.sqrt(jnp.where(usable, jnp.diag(scaled), 1.0)), 1.0)
    correlated = scaled * jnp.outer(unit, unit) + jnp.diag(jnp.where(usable, 0.0, 1.0))
    values, vectors = jnp.linalg.eigh(correlated)
    floor = jnp.maximum(values, 1e-8)
    matrix = jnp.sqrt(2.0) * unit[:, None] * vectors / jnp.sqrt(floor)
    return ClosedBox(x, centre, matrix, error, low, high)


def stat_of_z(problem: Problem, box: ClosedBox, z: Any) -> Any:
    """The statistic as a function of z."""
    return reverse_stat(problem, box.x(problem, z))
