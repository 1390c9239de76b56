"""NumPyro's No-U-Turn sampler on a likelihood, as compiled functions of data.

The problem is an argument of the compiled program, so sampling other data of the same shape
compiles nothing. Chains run side by side on one device.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
from numpyro.infer.hmc import hmc

from gammajax.config import program
from gammajax.inference.problem import Problem
from gammajax.inference.whitening import Whitening, potential


class Draws(NamedTuple):
    """What a chain keeps of each step; leading axes (chain, draw)."""

    theta: Any
    potential: Any
    diverging: Any
    accept_prob: Any
    n_leapfrog: Any


def _kernels() -> Any:
    def generate(problem: Problem, whitening: Whitening) -> Any:
        return lambda z: potential(problem, whitening, z)

    return hmc(potential_fn_gen=generate, algo="NUTS")


def _begin(
    problem: Problem,
    whitening: Whitening,
    z: Any,
    key: Any,
    n_warmup: int,
    target: float,
    depth: int,
) -> tuple[Any, Any]:
    initialise, step = _kernels()
    state = initialise(
        z,
        n_warmup,
        step_size=0.5,
        target_accept_prob=target,
        max_tree_depth=depth,
        model_args=(problem, whitening),
        rng_key=key,
    )
    return state, step


@partial(program, static_argnames=("n_warmup", "target", "depth"))
def begin(
    problem: Problem,
    whitening: Whitening,
    z: Any,
    keys: Any,
    *,
    n_warmup: int,
    target: float,
    depth: int,
) -> Any:
    """The first states of all chains, one for each row of z."""

    def chain(z: Any, key: Any) -> Any:
        return _begin(problem, whitening, z, key, n_warmup, target, depth)[0]

    return jax.vmap(chain)(z, keys)


@partial(program, static_argnames=("n_steps", "n_warmup", "target", "depth"))
def advance(
    problem: Problem,
    whitening: Whitening,
    states: Any,
    *,
    n_steps: int,
    n_warmup: int,
    target: float,
    depth: int,
) -> tuple[Any, Draws]:
    """Move all chains by a number of steps; the first ``n_warmup`` of a chain adapt it.

    Warm-up and sampling are the same program, which halves the time to compile.
    """

    def chain(state: Any) -> tuple[Any, Draws]:
        # NumPyro sets up its kernel while it initialises; the state it makes here is unused.
        _, step = _begin(problem, whitening, state.z, state.rng_key, n_warmup, target, depth)

        def one(state: Any, _: Any) -> tuple[Any, Draws]:
            state = step(state, (problem, whitening))
            theta, _ = whitening.theta(state.z)
            kept = Draws(
                theta,
                state.potential_energy,
                state.diverging,
                state.accept_prob,
                state.num_steps,
            )
            return state, kept

        return jax.lax.scan(one, state, length=n_steps)

    return jax.vmap(chain)(states)
