"""Factors of matrices: inverses, solutions, and whether they are singular."""

import numpy as np
import pytest

from gammajax.inference import factor
from gammajax.inference.covariance import invert
from gammajax.inference.factor import Factor


@pytest.fixture(params=["host", "device"], autouse=True)
def place(request, monkeypatch) -> None:
    """Matrices are factored by LAPACK, and by JAX."""
    if request.param == "device":
        monkeypatch.setattr(factor, "on_accelerator", lambda: True)
        monkeypatch.setattr(factor, "MANY", 1)


def is_below(matrix: np.ndarray, limit: float) -> bool:
    return Factor(matrix).is_below(limit)


def with_least(value: float, number: int = 40) -> np.ndarray:
    """A matrix with a unit diagonal in which two rows are the same but for a part."""
    rng = np.random.default_rng(3)
    root = rng.standard_normal((number, 3 * number))
    root[1] = root[0] + np.sqrt(value) * rng.standard_normal(3 * number)
    matrix = root @ root.T
    scale = 1 / np.sqrt(np.diag(matrix))
    return matrix * np.outer(scale, scale)


@pytest.mark.parametrize("value", [0.0, 1e-13, 1e-8, 1.0])
def test_is_below_what_the_eigenvalues_say(value: float) -> None:
    matrix = with_least(value)
    least = np.linalg.eigvalsh(matrix)[0]
    assert is_below(matrix, 1e-11) == (least < 1e-11)
    if value == 1e-8:
        assert is_below(matrix, 1.01 * least)
        assert not is_below(matrix, 0.99 * least)


def test_not_definite_is_below() -> None:
    assert is_below(np.array([[1.0, 1.5], [1.5, 1.0]]), 1e-11)


def test_inverse_is_whole_and_symmetric() -> None:
    matrix, units = with_least(1.0), np.geomspace(1e-6, 1e6, 40)
    inverse = invert(matrix * np.outer(units, units))
    np.testing.assert_array_equal(inverse, inverse.T)
    product = (inverse * np.outer(units, units)) @ matrix
    np.testing.assert_allclose(product, np.eye(40), atol=1e-12)


def test_solutions() -> None:
    matrix, right = 3 * with_least(1.0), np.arange(40.0)
    np.testing.assert_allclose(matrix @ Factor(matrix).solve(right), right, atol=1e-12)


def test_what_has_no_inverse_is_nan() -> None:
    assert np.isnan(invert(np.array([[1.0, 2.0], [2.0, 1.0]]))).all()
    assert np.isnan(invert(np.array([[1.0, 0.0], [0.0, 0.0]]))).all()
