"""Each component answers for its own part of a step."""

from __future__ import annotations

from types import SimpleNamespace

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from gammajax.inference.cg_step import Matrix, conjugate_gradients, step_of
from gammajax.inference.problem import Problem
from gammajax.inference.verdict import LOAN, looked, rejected
from gammajax.models import Models, PowerLawSpectralModel, SkyModel
from gammajax.parameters import ParameterSpace

OWNER = jnp.array([0, 0, 2, 2])
"""Two components of two parameters."""


FOUR = SimpleNamespace(active=jnp.arange(4))
"""What is used of a problem of four parameters."""


class Stand(SimpleNamespace):
    """What is used of a state."""

    def _replace(self, **changes) -> Stand:
        return Stand(**{**vars(self), **changes})


def stand(gradient, taken, **changes) -> Stand:
    taken = jnp.asarray(taken)
    flags = dict.fromkeys(("again", "lent"), jnp.asarray(False))
    number = dict.fromkeys(("n_steps", "n_rejected", "n_in_a_row", "n_negative"), 0)
    found = Stand(
        x=jnp.zeros(4),
        stat=jnp.asarray(100.0),
        excess=jnp.asarray(100.0),
        gradient=jnp.asarray(gradient),
        origin=jnp.zeros(4),
        trial=taken,
        taken=taken,
        damping=jnp.full(4, 0.1),
        curve=jnp.ones(4),
        edm=jnp.asarray(1.0),
        **flags,
        **number,
    )
    return found._replace(**changes)


def seen(stat: float, gradient) -> SimpleNamespace:
    return SimpleNamespace(
        stat=jnp.asarray(stat), gradient=jnp.asarray(gradient), n_negative=jnp.asarray(0)
    )


def problem() -> Problem:
    """Four free parameters in a box, without data."""
    law = PowerLawSpectralModel(amplitude=0.0, index=0.0)
    models = Models([SkyModel(law, name=name) for name in "ab"])
    space = ParameterSpace.from_table(models.parameters)
    active = np.nonzero(space.free)[0]
    return Problem(space, (), (), (), active)


def test_a_component_that_rises_is_held_though_the_whole_falls() -> None:
    before = stand([-100.0, 0, -20, 0], [1.0, 0, 1, 0])
    # the first comes to its minimum, the second rises by (40 - 20) / 2
    after, go = looked(before, seen(60.0, [0.0, 0, 40, 0]), OWNER, jnp.asarray(60.0))
    assert not go
    np.testing.assert_array_equal(after.taken, [1, 0, 0, 0])
    np.testing.assert_array_equal(after.damping[:2], before.damping[:2])
    assert after.damping[2] > 0.5
    assert after.stat == 100
    # one that rises by little goes on, and is damped for its next step
    after, go = looked(before, seen(60.0, [0.0, 0, 25, 0]), OWNER, jnp.asarray(60.0))
    assert go
    assert not after.lent
    assert after.stat == 60
    assert after.damping[2] > before.damping[2] > after.damping[0]


def test_a_small_rise_is_lent_once() -> None:
    before = stand([-1.0, 0, 0, 0], [1.0, 0, 0, 0])
    up = 100 + LOAN / 2
    after, go = looked(before, seen(up, [2.0, 0, 0, 0]), OWNER, jnp.asarray(up))
    assert go
    assert after.lent
    np.testing.assert_array_equal(after.x, before.x)
    assert after.excess == 100
    again, go = looked(
        before._replace(lent=jnp.asarray(True)), seen(up, [2.0] * 4), OWNER, jnp.asarray(up)
    )
    assert not go
    back = rejected(FOUR, again, OWNER, lambda d: d)
    assert back.again
    np.testing.assert_array_equal(back.trial, before.x)
    far = 100 + 2 * LOAN
    assert not looked(before, seen(far, [2.0, 0, 0, 0]), OWNER, jnp.asarray(far))[1]


@pytest.mark.parametrize(("together", "kept"), [(0.0, [0, 0, 1, 0]), (0.9, [0, 0, 0, 0])])
def test_what_goes_along_with_a_held_component_is_held(together, kept) -> None:
    matrix = jnp.eye(4).at[0, 2].set(-together).at[2, 0].set(-together)
    state = stand([-1.0, 0, -1, 0], [1.0, 0, 1, 0])
    state = state._replace(taken=jnp.array([0.0, 0, 1, 0]))
    # without the first, the second would go far beyond its own minimum
    after = rejected(FOUR, state, OWNER, lambda d: matrix @ d)
    np.testing.assert_array_equal(after.taken, kept)
    np.testing.assert_array_equal(after.trial, kept)
    assert bool(after.again) == (not any(kept))


def matrix_of(whole) -> Matrix:
    """Two components of two parameters each."""
    columns = jnp.array([[0, 1], [2, 3]])
    blocks = jnp.stack([whole[:2, :2], whole[2:, 2:]])
    diagonal = jnp.diag(whole)
    return Matrix(lambda d: whole @ d, diagonal, diagonal, [(blocks, columns)])


def step(whole, gradient, low=-np.inf):
    sky = problem()
    edges = np.full(sky.space.min.size, -np.inf)
    edges[np.asarray(sky.active)] = low
    sky = eqx.tree_at(lambda p: p.space.min, sky, edges)
    near, none = jnp.ones(4, dtype=bool), jnp.zeros(4)
    x = jnp.zeros(edges.size)
    return step_of(sky, x, jnp.asarray(gradient), matrix_of(whole), none, near).delta


def test_a_step_ends_at_a_bound_and_the_others_move_anew() -> None:
    rng = np.random.default_rng(3)
    root = rng.normal(size=(4, 4))
    whole, gradient = root @ root.T + np.eye(4), np.array([1.0, 3.0, -2.0, 1.0])
    free = np.linalg.solve(whole, -gradient)
    np.testing.assert_allclose(step(jnp.asarray(whole), gradient), free, rtol=1e-2, atol=1e-3)
    low = np.array([-np.inf, free[1] / 2, -np.inf, -np.inf])
    found = np.asarray(step(jnp.asarray(whole), gradient, low))
    rest = [0, 2, 3]
    right = -gradient[rest] - whole[rest, 1] * low[1]
    wanted = np.linalg.solve(whole[np.ix_(rest, rest)], right)
    assert found[1] == low[1]
    np.testing.assert_allclose(found[rest], wanted, rtol=1e-2, atol=1e-3)


def test_a_pair_that_curves_down_is_stiffened_and_all_move() -> None:
    # each block is definite, and the two together are not
    whole = np.eye(4)
    whole[0, 2] = whole[2, 0] = -1.2
    gradient = np.array([-1.0, -1.0, -1.0, -1.0])
    ones = jnp.ones(4)
    _, _, bent = conjugate_gradients(lambda d: whole @ d, lambda d: d, ones, 1e-6)
    assert bent.direction @ bent.moved < 0
    found = step(jnp.asarray(whole), gradient)
    assert np.all(found > 0)
    np.testing.assert_allclose(found[1::2], 1.0, rtol=1e-2)
    assert found[0] < 10
