"""The flat vector of a fit."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from gammajax.parameters import (
    GaussianPrior,
    Link,
    ParameterRow,
    ParameterSpace,
    ParameterTable,
    UniformPrior,
)


@pytest.fixture
def space() -> ParameterSpace:
    return ParameterSpace.from_table(
        ParameterTable(
            (
                ParameterRow("a", 5.0, min=0.0),
                ParameterRow("b", 3.0, frozen=True),
                ParameterRow("c", 11.0, link=Link("a", 2.0, 1.0)),
                ParameterRow("d", 0.5, min=-2.0, prior=UniformPrior(min=-1.0, max=1.0)),
                ParameterRow("e", 0.0, link=Link("b")),
            )
        )
    )


def test_free_entries_bounds_and_prior_support(space: ParameterSpace) -> None:
    assert space.free.tolist() == [True, False, False, True, False]
    assert space.min[[0, 3]].tolist() == [0.0, -1.0]
    assert space.max[[0, 3]].tolist() == [np.inf, 1.0]


def test_expand_follows_links(space: ParameterSpace) -> None:
    x = np.array([7.0, 3.0, -99.0, 0.1, -99.0])
    np.testing.assert_allclose(space.expand(x), [7, 3, 15, 0.1, 3])


def test_insert_sets_the_free_entries(space: ParameterSpace) -> None:
    moved = space.insert(np.array([8.0, 0.2]), np.array([0, 3]))
    np.testing.assert_allclose(moved, [8, 3, 11, 0.2, 0])


def test_jacobian_is_that_of_expand(space: ParameterSpace) -> None:
    exact = jax.jacfwd(space.expand)(np.asarray(space.value))
    np.testing.assert_allclose(space.jacobian(), exact * space.free)


def test_freezing_linking_and_bounds_leave_the_structure() -> None:
    rows = (ParameterRow("a", 1.0), ParameterRow("b", 2.0))
    plain = ParameterSpace.from_table(ParameterTable(rows))
    changed = ParameterSpace.from_table(
        ParameterTable(
            (
                ParameterRow("a", 1.0, frozen=True, prior=GaussianPrior()),
                ParameterRow("b", 2.0, min=0.0, link=Link("a", 3.0)),
            )
        )
    )
    assert jax.tree_util.tree_structure(plain) == jax.tree_util.tree_structure(changed)
    shapes = [
        [(np.shape(leaf), leaf.dtype) for leaf in jax.tree_util.tree_leaves(s)]
        for s in (plain, changed)
    ]
    assert shapes[0] == shapes[1]
