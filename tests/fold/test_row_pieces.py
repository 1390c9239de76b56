"""Rows of sources that move, cut into pieces, give what whole rows give."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from gammajax.fold import FoldOptions, round_build, row_derivatives, row_pieces
from gammajax.inference import Likelihood
from gammajax.models import Models
from tests.inference.test_newton_cg import cube, models

NEVER = 10**9


@pytest.fixture(scope="module")
def counts():
    """A cube in which the first source has most of the counts around it."""
    return cube().fake(models([2e-10, 1e-12, 1e-12, 5e-12, 1e-12]), seed=6)


def moving(counts, monkeypatch, tables: int, options: FoldOptions | None = None) -> Likelihood:
    monkeypatch.setattr(round_build, "TABLES", tables)
    free = Models(list(models([1e-11] * 5))[:5])
    return Likelihood([counts], free.thaw("*.spatial.*"), options)


@pytest.mark.parametrize(
    "order", ["exposure-first", pytest.param("psf-first", marks=pytest.mark.long)]
)
def test_counts_and_derivatives_are_those_of_whole_rows(counts, monkeypatch, order) -> None:
    options = FoldOptions(order=order)
    whole = moving(counts, monkeypatch, NEVER, options)
    cut = moving(counts, monkeypatch, 0, options)
    rows, pieces = (one.problem.terms[0].folds[0] for one in (whole, cut))
    assert rows.source.tolist() == [0, 1, 2, 3, 4]
    assert pieces.source.size > 5
    sizes = [sum(ring.index.size for ring in one.rings) for one in (pieces, rows)]
    assert sizes[0] < sizes[1]
    theta = whole.start * (1 + 1e-4)
    assert float(cut.stat(theta)) == pytest.approx(float(whole.stat(theta)), rel=1e-13)
    found, expected = (one.predict(theta)["sim"] for one in (cut, whole))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    for name in ("hessian", "fisher"):
        found, expected = (np.asarray(getattr(one, name)(theta)) for one in (cut, whole))
        scale = np.sqrt(np.diag(np.asarray(whole.fisher(theta))))
        np.testing.assert_allclose(
            found / np.outer(scale, scale), expected / np.outer(scale, scale), atol=1e-11
        )


def test_gathered_nodes_are_dealt_out_to_the_pieces() -> None:
    far = [[(np.arange(7), 0, -1.0), (np.arange(20, 22), 1, 1.0)], [], [(np.arange(3), 1, 1.0)]]
    found = row_pieces._dealt_out(far, np.array([3, 2, 1]))
    assert [len(parts) for parts in found] == [2, 2, 2, 0, 0, 1]
    joined = [np.concatenate([found[k][i][0] for k in range(3)]) for i in (0, 1)]
    assert [own.tolist() for own in joined] == [list(range(7)), [20, 21]]
    assert max(sum(index.size for index, *_ in parts) for parts in found) <= 4
    assert [rest for _, *rest in found[2]] == [[0, -1.0], [1, 1.0]]


def test_entries_of_each_kind_are_dealt_out_evenly() -> None:
    """Rows that have many of one kind, or none of it."""
    lengths = np.array([[40, 0, 90], [1000, 9000, 10]])
    pieces = row_pieces._pieces(lengths, np.array([16, 1]), 100)
    assert pieces.tolist() != [1, 1, 1]
    one = np.ones(3, dtype=int)
    cost = [
        number.sum() * (np.array([16, 1]) @ (-(-lengths // number)).max(axis=1) + 100)
        for number in (pieces, one)
    ]
    assert cost[0] < cost[1]


def test_derivatives_in_single_precision_are_those_in_double(counts, monkeypatch) -> None:
    exact = moving(counts, monkeypatch, 0)
    theta = exact.start * (1 + 1e-4)
    expected = np.asarray(exact.hessian(theta)), np.asarray(exact.gradient(theta))
    monkeypatch.setattr(row_derivatives, "LARGE", 1)
    rounded = moving(counts, monkeypatch, 0)
    jax.clear_caches()
    found = np.asarray(rounded.hessian(theta)), np.asarray(rounded.gradient(theta))
    scale = np.sqrt(np.abs(np.diag(expected[0])))
    assert not np.array_equal(found[0], expected[0])
    np.testing.assert_allclose(
        found[0] / np.outer(scale, scale), expected[0] / np.outer(scale, scale), atol=1e-6
    )
    np.testing.assert_allclose(found[1] / scale, expected[1] / scale, atol=1e-4)
