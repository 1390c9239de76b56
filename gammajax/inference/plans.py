"""Searches whose folds are planned anew where sources leave what they were planned for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from gammajax.inference.newton import LEFT, NewtonState

MOST_PLANS = 6
"""How often folds are planned in one fit."""

HALVINGS = 30
"""Of the way to a point that is outside of a plan, for the last one that is inside."""


class Ended(NamedTuple):
    """Where a search ended: the likelihood as it was planned there, and the state.

    ``planned`` are the sources for which folds were planned anew, and ``left`` says why the
    search ended before its minimum, if it did: its status is then `LEFT`.
    """

    likelihood: Any
    state: NewtonState
    planned: tuple[str, ...]
    left: str


def searched(
    likelihood: Any,
    search: Callable[[Any, bool], NewtonState],
    look: Callable[[Any, np.ndarray], NewtonState],
) -> Ended:
    """Minimise, and plan the folds anew where the search left what they were planned for.

    Where they cannot be planned, the search starts again, and is held to what its plan can
    fold. It goes on from where it comes to, and ends where that cannot be planned either.

    Parameters
    ----------
    likelihood : `Likelihood` or `ShardedLikelihood`
    search : callable
        The minimum that it finds from the start of a likelihood; the second argument says
        whether the search is held to a plan.
    look : callable
        The state of a likelihood at a vector of its free parameters, without a step.
    """
    planned: tuple[str, ...] = ()
    beyond: tuple[np.ndarray, tuple[str, ...]] | None = None
    why = f"they were planned {MOST_PLANS} times before"
    for _ in range(MOST_PLANS):
        own = likelihood if beyond is None else _within(likelihood, *beyond)
        state = jax.block_until_ready(search(own, beyond is not None))
        theta = np.asarray(state.x)[likelihood._index]
        outgrown = likelihood.outgrown(theta) if np.isfinite(theta).all() else ()
        if not outgrown and not _is_held(own, likelihood, theta):
            return Ended(likelihood, state, planned, "")
        anew, error = _planned(likelihood, theta)
        if anew is not None:
            left = outgrown or (beyond[1] if beyond else ())
            planned, likelihood = tuple(dict.fromkeys(planned + left)), anew
        elif beyond is None:
            beyond, why = (theta, outgrown), error
        else:
            break
    if anew is not None or outgrown:
        state = look(likelihood, likelihood.start)
    where, names = beyond or (theta, outgrown)
    reason = _reason(likelihood, where, names, why)
    return Ended(likelihood, state._replace(status=np.asarray(LEFT)), planned, reason)


def _planned(likelihood: Any, theta: np.ndarray) -> tuple[Any, str]:
    """The likelihood planned at a point, or None and why it cannot be."""
    try:
        return likelihood.with_models(likelihood.models_at(theta)), ""
    except ValueError as error:
        return None, str(error)


def _within(likelihood: Any, theta: np.ndarray, outgrown: tuple[str, ...]) -> Any:
    """The likelihood with bounds within which sources do not leave their plan.

    They hold the spatial parameters of those that left it on the way to ``theta``, at the
    last point of that way which is inside.
    """
    start, inside, outside = likelihood.start, 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        if likelihood.outgrown(start + middle * (theta - start)):
            outside = middle
        else:
            inside = middle
    point = start + inside * (theta - start)
    own = tuple(f"{name}.spatial." for name in outgrown)
    rows = [row.name.startswith(own) for row in likelihood.models.parameters]
    # a size may be linked to that of another component
    held = np.isin(likelihood._index, np.asarray(likelihood.frame.space.source)[rows])
    low, high = _box(likelihood)
    low = np.where(held & (theta < start), np.maximum(point, low), low)
    high = np.where(held & (theta > start), np.minimum(point, high), high)
    return likelihood.within(low, high)


def _box(likelihood: Any) -> tuple[np.ndarray, np.ndarray]:
    """The bounds of the free parameters."""
    space, index = likelihood.frame.space, likelihood._index
    return np.asarray(space.min)[index], np.asarray(space.max)[index]


def _is_held(own: Any, likelihood: Any, theta: np.ndarray) -> bool:
    """Whether a point is at a bound of one likelihood that the other does not have."""
    (low, high), (lowest, highest) = _box(own), _box(likelihood)
    below = (theta <= low) & (low > lowest)
    return bool(np.any(below | ((theta >= high) & (high < highest))))


def _reason(likelihood: Any, theta: np.ndarray, outgrown: tuple[str, ...], why: str) -> str:
    """What a message says of the components that cannot be followed."""
    rows = likelihood.models_at(theta).parameters
    own = tuple(f"{name}.spatial." for name in outgrown)
    places = [
        f"{row.name} = {row.value:.4g} {row.unit}".rstrip()
        for row in rows
        if row.name.startswith(own) and (row.free or row.link is not None)
    ]
    return (
        f"{', '.join(places)}, where the folds of {', '.join(outgrown)} cannot be planned "
        f"({why}); this is the last point before: bound these parameters, or freeze them"
    )
