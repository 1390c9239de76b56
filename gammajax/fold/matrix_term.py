"""Terms whose predictions are small arrays: their derivatives are matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from gammajax.fold.slopes import MatrixBends, MatrixSlopes
from gammajax.fold.stack import Stack
from gammajax.parameters import ParameterSpace


class MatrixTerm(eqx.Module):
    """Base of the terms of spectra and of flux points."""

    def predict(self, stacks: Sequence[Stack], values: Any, in_reverse: bool = False) -> Any:
        """What the models predict, shape (dataset, bin).

        ``in_reverse`` is for terms whose reverse derivatives go another way; here it does
        nothing.
        """
        raise TypeError(f"{type(self).__name__} is abstract")

    def linear(
        self, stacks: Sequence[Stack], space: ParameterSpace, x: Any, active: Any
    ) -> tuple[Any, MatrixSlopes]:
        """The prediction at x, and its derivatives by the active entries of x."""
        mu, push = jax.linearize(lambda y: self.predict(stacks, space.expand(y)), x)
        slopes = jax.vmap(push)(_unit_vectors(active, x))
        free = space.free[active]
        return mu, MatrixSlopes(jnp.where(free[:, None, None], slopes, 0.0))

    def backward(
        self,
        stacks: Sequence[Stack],
        space: ParameterSpace,
        x: Any,
        active: Any,
        slopes: MatrixSlopes,
        weight: Any,
        curved: Any = True,
    ) -> tuple[Any, list[MatrixBends]]:
        """The gradient of the weighted prediction, and its second derivatives.

        Both are by the active entries of x, where ``slopes`` were made. They are cheap, and
        made whether ``curved`` or not.
        """
        del curved

        def weighted(y: Any) -> Any:
            return jnp.sum(weight * self.predict(stacks, space.expand(y)))

        def bent(direction: Any) -> Any:
            return jax.jvp(jax.grad(weighted), (x,), (direction,))[1][active]

        found = jax.vmap(bent)(_unit_vectors(active, x))
        free = space.free[active]
        found = jnp.where(free[:, None] & free[None, :], (found + found.T) / 2, 0.0)
        return slopes.transposed(weight), [MatrixBends(found)]


def _unit_vectors(active: Any, x: Any) -> Any:
    """Unit vectors along the active entries of x, shape (active, x)."""
    return (active[:, None] == jnp.arange(x.size)).astype(x.dtype)
