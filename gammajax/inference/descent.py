"""One loop for optax's solvers: step until the gradient is small."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax


def descend(
    loss: Callable[[Any], Any], start: Any, solver: Any, goal: Any, max_steps: Any
) -> tuple[Any, Any]:
    """Minimise ``loss`` from ``start``, any pytree; pure and traceable.

    Parameters
    ----------
    loss : callable
    start : pytree of arrays
    solver : `optax.GradientTransformationExtraArgs`
        Solvers that search along a line keep value and gradient of its end; for the others
        both are computed.
    goal : float
        The norm of the gradient at which to stop.
    max_steps : int

    Returns
    -------
    found : pytree
    n_steps : int
    """
    first = solver.init(start)
    searches = optax.tree.get(first, "grad") is not None
    if searches:
        value_and_grad = optax.value_and_grad_from_state(loss)
    else:
        plain = jax.value_and_grad(loss)

        def value_and_grad(x: Any, *, state: Any) -> Any:
            return plain(x)

    def proceed(carry: Any) -> Any:
        _, _, gradient, step = carry
        return (step == 0) | ((optax.tree.norm(gradient) > goal) & (step < max_steps))

    def advance(carry: Any) -> Any:
        x, state, _, step = carry
        value, gradient = value_and_grad(x, state=state)
        updates, state = solver.update(
            gradient, state, x, value=value, grad=gradient, value_fn=loss
        )
        return optax.apply_updates(x, updates), state, gradient, step + 1

    empty = jax.tree_util.tree_map(jnp.zeros_like, start)
    found, _, _, step = jax.lax.while_loop(proceed, advance, (start, first, empty, 0))
    return found, step
