"""Energy dispersion matrices."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from gammajax.irf import EDispKernel
from gammajax.maps import MapAxis

TRUE = MapAxis.from_energy_bounds(0.1, 100, 24, name="energy_true")
RECO = MapAxis.from_energy_bounds(0.01, 1000, 40)


def test_diagonal_is_the_identity_on_one_axis() -> None:
    axis = MapAxis.from_energy_edges(TRUE.edges)
    np.testing.assert_allclose(
        EDispKernel.from_diagonal(TRUE, axis).matrix, np.eye(24), atol=1e-12
    )


def test_diagonal_splits_by_overlap_in_log_energy() -> None:
    true = MapAxis.from_energy_edges([1, 10], name="energy_true")
    reco = MapAxis.from_energy_edges([0.1, 10**0.25, 100])
    np.testing.assert_allclose(EDispKernel.from_diagonal(true, reco).matrix, [[0.25, 0.75]])


def test_diagonal_drops_what_lies_outside() -> None:
    reco = MapAxis.from_energy_edges([1, 10])
    rows = EDispKernel.from_diagonal(TRUE, reco).matrix.sum(axis=1)
    np.testing.assert_allclose(rows, (TRUE.center > 1) & (TRUE.center < 10), atol=1e-12)


@pytest.mark.parametrize(("sigma", "bias"), [(0.15, 0.0), (0.3, -0.2)])
def test_gauss_is_log_normal(sigma: float, bias: float) -> None:
    matrix = EDispKernel.from_gauss(TRUE, RECO, sigma, bias).matrix
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-10)
    law = scipy.stats.lognorm(s=sigma, scale=TRUE.center[7] * np.exp(bias))
    np.testing.assert_allclose(matrix[7], np.diff(law.cdf(RECO.edges)), atol=1e-12)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones((2, 2)), r"has shape \(2, 2\), the axes want \(24, 40\)"),
        (np.full((24, 40), np.nan), r"entry \[0, 0\].* is nan, expected a probability"),
        (-np.eye(24, 40), r"entry \[0, 0\].* is -1.0, expected a probability"),
    ],
)
def test_bad_matrix(matrix: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=f"EDispKernel: .*{message}"):
        EDispKernel(TRUE, RECO, matrix)


def test_repr_says_what_it_is() -> None:
    kernel = EDispKernel.from_diagonal(TRUE, RECO)
    assert repr(kernel) == "EDispKernel(24 true x 40 reconstructed bins)"
