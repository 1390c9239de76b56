"""Covariances of neighbours against those of the whole matrix."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from gammajax.inference.neighbours import nearby_covariance


def sky(number: int, seed: int, diffuse: int = 2):
    """A Hessian: sources on a plane that overlap with what is near, and norms of all."""
    rng = np.random.default_rng(seed)
    place = rng.uniform(0, (120, 20), (number, 2))
    pixel = np.stack(np.meshgrid(np.arange(0, 120, 0.5), np.arange(0, 20, 0.5)), -1)
    distance = ((place[:, None] - pixel.reshape(-1, 2)) ** 2).sum(-1)
    rows = np.exp(-distance / 2) * (distance < 25) * rng.uniform(0.5, 2, number)[:, None]
    wide = rng.uniform(0.5, 1.5, (diffuse, rows.shape[1]))
    jacobian = np.concatenate([rows, wide])
    matrix = jacobian @ jacobian.T
    scale = 10 ** rng.uniform(-3, 3, len(matrix))
    return matrix * np.outer(scale, scale)


def test_errors_of_groups_are_those_of_the_whole_matrix() -> None:
    matrix = sky(450, seed=1)
    found = nearby_covariance(sparse.csr_array(matrix), core=60, most=200)
    exact = np.linalg.inv(matrix)
    ratio = np.sqrt(found.diagonal() / np.diag(exact))
    assert np.all(ratio < 1 + 1e-6)
    assert np.median(ratio) > 1 - 1e-3
    assert np.all(ratio > 1 - 1e-2)
    # the norms that overlap with all are exact
    np.testing.assert_allclose(ratio[-2:], 1, rtol=1e-6)
    error = np.sqrt(np.diag(exact))
    known = found.toarray() != 0
    off = (found.toarray() - exact) / np.outer(error, error)
    np.testing.assert_allclose(off[known], 0, atol=3e-2)
    left = np.where(known, 0.0, exact / np.outer(error, error))
    assert np.abs(left).max() < 0.1


def test_it_is_symmetric_and_sparse() -> None:
    found = nearby_covariance(sparse.csr_array(sky(300, seed=2, diffuse=0)), core=30, most=120)
    assert abs(found - found.T).max() < 1e-12 * abs(found).max()
    assert found.nnz < 0.5 * 300**2


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan])
def test_a_matrix_that_is_not_definite_gives_no_errors(bad) -> None:
    matrix = np.diag([1.0, 2.0, bad])
    assert np.isnan(nearby_covariance(sparse.csr_array(matrix)).diagonal()).any()
    matrix = np.array([[1.0, 2.0], [2.0, 1.0]])
    assert np.isnan(nearby_covariance(sparse.csr_array(matrix)).diagonal()).any()


def test_of_nothing() -> None:
    assert nearby_covariance(sparse.csr_array((0, 0))).shape == (0, 0)
