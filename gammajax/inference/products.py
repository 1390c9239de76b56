"""Products with the Hessian of a statistic at one point, whatever the number of parameters."""

from __future__ import annotations

from typing import Any

from gammajax.config import program
from gammajax.inference.problem import Expansion, Problem, expand, weighted_product


@program
def expansion(problem: Problem, x: Any) -> Expansion:
    """The statistic at x with its derivatives as operators, compiled."""
    return expand(problem, x)


def hessian_times(at: Expansion, direction: Any) -> Any:
    """The exact Hessian times a vector, both by active parameters; pure.

    It costs one pass over the slopes and one back, and makes nothing anew.
    """
    found = weighted_product(at, (part.bend for part in at.bins), direction)
    for bend in at.bends:
        found = found + bend.times(direction)
    return found
