r"""How much the statistic rises when a source is taken away and its neighbours answer.

With n counts where mu are predicted, s of them the source's, and the change
:math:`\Delta(\delta)` of what is predicted of its neighbours,

.. math::
    \Delta S(\delta) = -s_0 g_0 + g \cdot \delta + \tfrac{1}{2} \delta^T H_\mathrm{out} \delta
        + 2 \sum_i n_i \, [z_i - \ln(1 + z_i)], \qquad z = (\Delta(\delta) - s) / \mu

The sum goes over the bins of the source; all other bins change little and have the second order
only, :math:`H_\mathrm{out}`. g is the gradient before (near 0), g_0 its entry for the amplitude
s_0. A neighbour with the amplitude A and the prediction :math:`\nu` changes by

.. math::
    \Delta = \nu \left[(1 + \delta_A / A) \, \exp\left(\sum_k
        \frac{\partial \ln \nu}{\partial \theta_k} \delta_k\right) - 1\right]

which is exact for the amplitude, and nearly so for the index of a power law.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.survey.footprint import Footprint

MOST_STEPS = 200

MOST_HALVED = 15
"""How often a step is halved until it leads down, and as long as its half leads further."""

MOST_POWER = 20.0
"""Largest change of the logarithm of a neighbour."""

DONE = 1e-8
"""Decrease at which steps end."""

GOOD = 1e-4
"""Decrease of the last step, against 1 and against the rise, with which a value is given."""


class Removal(NamedTuple):
    """One removal, in coordinates in which the Hessian has a unit diagonal.

    Attributes
    ----------
    bins : `~gammajax.survey.footprint.Footprint`
    owner : array of int, shape (parameter,)
        The place of the amplitude that a shape parameter goes with; itself where there is none,
        and of amplitudes.
    amplitude : array, shape (parameter,)
        That amplitude; 0 for parameters that follow to first order.
    hessian : array, shape (parameter, parameter)
        Of the neighbours, all bins.
    gradient : array, shape (parameter,)
    low, high : array, shape (parameter,)
        How far each may go.
    """

    bins: Footprint
    owner: np.ndarray
    amplitude: np.ndarray
    hessian: np.ndarray
    gradient: np.ndarray
    low: np.ndarray
    high: np.ndarray


def solve(removals: list[Removal]) -> tuple[np.ndarray, np.ndarray]:
    """The rise of the statistic of each removal, and whether its steps came to an end.

    The part of the amplitude's own gradient is for the caller to add.
    """
    # powers of two: few programs are compiled
    number = _power_of_two(max(r.gradient.size for r in removals))
    bins = _power_of_two(max(r.bins.counts.size for r in removals))
    padded = [_padded(removal, number, bins) for removal in removals]
    stacked = jax.tree_util.tree_map(lambda *parts: np.stack(parts), *padded)
    rise, left = (np.asarray(found) for found in _solve(stacked))
    return rise, left < GOOD * np.maximum(rise, 1.0)


def _power_of_two(number: int) -> int:
    return 1 << max(number - 1, 0).bit_length()


def _padded(removal: Removal, number: int, bins: int) -> Removal:
    """Parameters that do nothing, and bins without counts, added."""
    more, empty = number - removal.gradient.size, bins - removal.bins.counts.size
    hessian = np.eye(number)
    size = removal.gradient.size
    hessian[:size, :size] = removal.hessian
    return Removal(
        bins=Footprint(
            np.pad(removal.bins.counts, (0, empty)),
            np.pad(removal.bins.own, (0, empty)),
            np.pad(removal.bins.others, ((0, more), (0, empty))),
        ),
        owner=np.concatenate([removal.owner, np.arange(size, number)]),
        amplitude=np.pad(removal.amplitude, (0, more)),
        hessian=hessian,
        gradient=np.pad(removal.gradient, (0, more)),
        low=np.pad(removal.low, (0, more)),
        high=np.pad(removal.high, (0, more)),
    )


@jax.jit
@jax.vmap
def _solve(removal: Removal) -> tuple[Any, Any]:
    (n, own, others), owner, amplitude, hessian, slope, low, high = removal
    outside = hessian - 2 * (others * n) @ others.T
    change = _change(others, owner, amplitude)

    def rise(y: Any) -> Any:
        z = change(y)[0] - own
        fine = jnp.all((z > -1) | (n == 0))
        safe = jnp.where(z > -1, z, 0.0)
        found = slope @ y + 0.5 * y @ outside @ y + 2 * jnp.sum(n * (safe - jnp.log1p(safe)))
        return jnp.where(fine, found, jnp.inf)

    def halved(y: Any, move: Any, value: Any) -> tuple[Any, Any]:
        """The first part of a step that is better than where it starts, or its better half."""

        def look(carry: Any) -> Any:
            best, least, _, number = carry
            there = jnp.clip(y + 0.5**number * move, low, high)
            risen = rise(there)
            better = risen < least
            on = better | (least >= value)
            best = jnp.where(better, there, best)
            return best, jnp.where(better, risen, least), on, number + 1

        def on(carry: Any) -> Any:
            return carry[2] & (carry[3] <= MOST_HALVED)

        start = (y, value, jnp.asarray(True), jnp.asarray(0))
        best, least, *_ = jax.lax.while_loop(on, look, start)
        return best, least

    def step(carry: Any) -> Any:
        y, value, _, count = carry
        found, slopes = change(y)
        rest = 1 + found - own
        gradient = slope + outside @ y + 2 * slopes @ (n * (rest - 1) / rest)
        bend = outside + 2 * (slopes * (n / rest**2)) @ slopes.T
        held = ((y <= low) & (gradient > 0)) | ((y >= high) & (gradient < 0))
        free = jnp.where(held, 0.0, 1.0)
        bend = bend * free[:, None] * free + jnp.diag(1 - free + 1e-9)
        move = -jnp.linalg.solve(bend, gradient * free)
        best, least = halved(y, move, value)
        return best, least, value - least, count + 1

    def going(carry: Any) -> Any:
        *_, gain, count = carry
        return (gain > DONE) & (count < MOST_STEPS)

    nothing = jnp.zeros_like(slope)
    start = nothing, rise(nothing), jnp.asarray(jnp.inf), jnp.asarray(0)
    _, value, gain, _ = jax.lax.while_loop(going, step, start)
    return value, gain


def _change(others: Any, owner: Any, amplitude: Any) -> Callable[[Any], tuple[Any, Any]]:
    """A function to the change of the neighbours over the prediction, and its derivatives."""
    place = jnp.arange(owner.size)
    norm = (owner == place) & (amplitude > 0)
    shape = owner != place
    whole = others[owner] * amplitude[:, None]
    seen = shape[:, None] & (whole > 0)
    logarithmic = jnp.where(seen, others / jnp.where(seen, whole, 1.0), 0.0)
    same = (owner[:, None] == owner) & shape

    def change(y: Any) -> tuple[Any, Any]:
        power = same @ (logarithmic * y[:, None])
        growth = jnp.exp(jnp.clip(power, -MOST_POWER, MOST_POWER))
        more = 1 + y[owner] / jnp.where(amplitude > 0, amplitude, 1.0)
        linear = ~norm & ~shape
        parts = jnp.where(
            norm[:, None], whole * (more[:, None] * growth - 1), others * y[:, None]
        )
        slopes = jnp.where(
            linear[:, None], others, others * growth * jnp.where(shape, more, 1.0)[:, None]
        )
        return jnp.sum(jnp.where(shape[:, None], 0.0, parts), axis=0), slopes

    return change
