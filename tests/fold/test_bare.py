"""Shapes that are free and not round, in datasets without a spread."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from gammajax.fold.bare import BareFold
from gammajax.fold.pixels import pixels_of
from gammajax.inference import Likelihood
from gammajax.models import (
    DiskSpatialModel,
    EnergyDependentSpatialModel,
    GaussianSpatialModel,
    GeneralizedGaussianSpatialModel,
    Models,
    PointSpatialModel,
)
from gammajax.models.spectral.evaluation import call
from tests.fold.test_fourier import (
    FLUX,
    GAUSS,
    LAWS,
    PLACE,
    brute,
    check_derivatives,
    dataset,
    folded,
    nd_template,
    source,
)

SLOPE = 0.8


def expected_counts(data, spatial, fine: int) -> np.ndarray:
    """By brute force, with the exposure of each place of the fine grid."""

    def exposure(row: np.ndarray) -> np.ndarray:
        middle = (data.geom.npix[1] - 1) / 2
        return 1 + SLOPE * 0.05 * (row + 0.5 / fine - 0.5 - middle)

    return FLUX[:, None, None] * brute(data, spatial, 0.0, fine, exposure)


def bare(slope: float = SLOPE, hpx: bool = False, width: float = 1.6):
    return dataset(width=width, slope=slope, hpx=hpx).replace(psf=None)


def cube(data, models: Models) -> np.ndarray:
    bins, total, term = folded(data, models)
    assert isinstance(term.folds[0], BareFold)
    assert total == pytest.approx(bins.sum(), rel=1e-12)
    return bins.reshape(data.counts.data.shape)


CASES = {
    "gauss": (GAUSS, 10),
    "narrow": (GaussianSpatialModel(*PLACE, 0.03, e=0.9, phi=35.0), 20),
    "disk": (DiskSpatialModel(*PLACE, 0.25, e=0.8, phi=35.0), 40),
    "generalized": (
        GeneralizedGaussianSpatialModel(*PLACE, 0.05, eta=0.8, e=0.6, phi=-60.0),
        20,
    ),
    "template": (nd_template(), 10),
}
LONG = ("narrow", "generalized")


@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=pytest.mark.long if k in LONG else ()) for k in CASES]
)
def test_prediction_is_the_integral_over_pixels(kind: str) -> None:
    spatial, fine = CASES[kind]
    data = bare(width=0.8 if fine == 40 else 1.6)
    found = cube(data, Models([source(spatial)]).thaw("*.spatial.*"))
    expected = expected_counts(data, spatial, fine)
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.max(), rtol=0)
    assert found.sum() == pytest.approx(expected.sum(), rel=1e-4)


def test_sizes_that_depend_on_energy() -> None:
    data = bare(slope=0.0)
    found = cube(data, Models([source(LAWS)]))
    expected = np.zeros_like(found)
    for i, (low, high) in enumerate(pairwise(np.geomspace(1, 10, 21))):
        sigma = 0.12 * np.sqrt(low * high) ** -0.4
        flat = brute(data, GaussianSpatialModel(*PLACE, sigma), 0.0, 10)
        expected[i // 10] += 1e2 * (1 / low - 1 / high) * flat
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.max(), rtol=0)


def test_gradients_are_those_of_finite_differences() -> None:
    models = Models([source(GAUSS)]).thaw("*.e").thaw("*.phi")
    likelihood = Likelihood([bare().fake(models, seed=3)], models)
    theta = likelihood.start
    gradient = np.asarray(likelihood.gradient(theta))
    for i, step in enumerate(1e-5 * theta):
        up, down = theta.copy(), theta.copy()
        up[i] += step
        down[i] -= step
        slope = float(likelihood.stat(up)) - float(likelihood.stat(down))
        assert slope == pytest.approx(2 * step * gradient[i], rel=1e-4, abs=1e-7), i


@pytest.mark.long
def test_second_derivatives_are_those_of_finite_differences() -> None:
    models = Models([source(GAUSS)]).thaw("*.e").thaw("*.phi")
    check_derivatives(Likelihood([bare().fake(models, seed=3)], models))


def test_pixels_of_healpix() -> None:
    data = bare(slope=0.0, hpx=True)
    found = cube(data, Models([source(GAUSS)]))
    assert found.sum() == pytest.approx(FLUX.sum(), rel=1e-4)
    pixels = pixels_of(data.geom)
    nodes, share = pixels.nodes_of(pixels.key_of, 16)
    expected = FLUX[0] * np.sum(call(GAUSS, "evaluate_on", nodes) * share, axis=1)
    np.testing.assert_allclose(found[0], expected, atol=1e-3 * expected.max(), rtol=0)


def test_frozen_shapes_are_predicted_as_free_ones() -> None:
    data = bare()
    models = Models([source(GAUSS)])
    free = cube(data, models).ravel()
    frozen, _, _ = folded(data, models.freeze("*.spatial.*"))
    np.testing.assert_allclose(frozen, free, atol=1e-3 * free.max(), rtol=0)


def test_what_leaves_its_plan_is_told() -> None:
    likelihood = Likelihood([bare()], Models([source(GAUSS)]))
    assert likelihood.outgrown(likelihood.start) == ()
    for name, factor in (("lon_0", 1.01), ("sigma", 1.6), ("sigma", 0.4)):
        theta = likelihood.start.copy()
        theta[likelihood.names.index(f"source.spatial.{name}")] *= factor
        assert likelihood.outgrown(theta) == ("source",)


def test_what_would_jump_is_an_error() -> None:
    narrow = GaussianSpatialModel(*PLACE, 0.05, e=0.9999)
    with pytest.raises(ValueError, match=r"'source': half of a GaussianSpatialModel"):
        Likelihood([bare()], Models([source(narrow)]))
    point = EnergyDependentSpatialModel(PointSpatialModel(*PLACE), ["lon_0"], [0.1])
    with pytest.raises(
        ValueError, match=r"'source': an EnergyDependentSpatialModel of a point"
    ):
        Likelihood([bare()], Models([source(point)]))
