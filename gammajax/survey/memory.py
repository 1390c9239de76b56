"""What a fit of many sources keeps in memory, before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from gammajax.fold import MapTerm
from gammajax.fold.row_derivatives import kept_as
from gammajax.inference import Likelihood
from gammajax.inference.curvature import DENSE

VECTORS = 12
"""Arrays of the size of all predictions that are there at once in a step."""

MATRICES = 5
"""Matrices of all free parameters that are there at once at the end of a fit."""


@dataclass(frozen=True)
class MemoryPlan:
    """Names of parts and what each takes, in bytes.

    Attributes
    ----------
    parts : tuple of (str, int)
    """

    parts: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """The sum, in bytes."""
        return sum(size for _, size in self.parts)

    def __repr__(self) -> str:
        width = max(len(name) for name, _ in self.parts)
        lines = [f"  {name:<{width}}  {_human(size):>9}" for name, size in self.parts]
        return "\n".join([f"MemoryPlan: {_human(self.total)}", *lines])


def memory_plan(likelihood: Likelihood) -> MemoryPlan:
    """What a fit takes beyond the program itself.

    Responses and data are counted; what a step needs besides is estimated: arrays of all
    predictions, derivatives of shapes that move, and the matrices at the end.

    Parameters
    ----------
    likelihood : `~gammajax.inference.Likelihood`

    Examples
    --------
    >>> MemoryPlan((("responses", 2_500_000_000), ("matrices", 80_000_000)))
    MemoryPlan: 2.58 GB
      responses    2.50 GB
      matrices    80.00 MB
    """
    problem = likelihood.problem
    staying = moving = slopes = bins = data = 0
    for term in problem.terms:
        size = int(np.size(term.mask))
        bins += size
        of_folds = 0
        for stack, fold in term.pairs(problem.stacks) if isinstance(term, MapTerm) else ():
            taken = _bytes(fold)
            of_folds += taken
            if fold.stays:
                staying += taken
            else:
                moving += taken
                number = int(stack.slots.size) * int(np.size(fold.target)) * fold.width
                slopes += kept_as(fold, stack).itemsize * number
        data += _bytes(term) - of_folds
    number = problem.active.size
    dense = number if number <= DENSE else 0
    parts = {
        "responses of shapes that stay": staying,
        "nodes of shapes that move": moving,
        "counts, masks and the like": data,
        f"arrays of {bins} bins in a step": VECTORS * 8 * bins,
        "derivatives of shapes that move": slopes,
        f"matrices of {number} parameters": MATRICES * 8 * dense**2,
    }
    return MemoryPlan(tuple((name, size) for name, size in parts.items() if size))


def _bytes(tree: Any) -> int:
    return sum(int(np.asarray(leaf).nbytes) for leaf in jax.tree_util.tree_leaves(tree))


def _human(size: int) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6)):
        if size >= scale:
            return f"{size / scale:.2f} {unit}"
    return f"{size / 1e3:.2f} kB"
