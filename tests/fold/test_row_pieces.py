"""Rows of sources that move, cut into pieces, give what whole rows give."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.fold import FoldOptions, round_build, row_pieces
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
