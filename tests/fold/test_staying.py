"""The gradient of shapes that stay goes by their own transposed product."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from gammajax.datasets import MapDataset
from gammajax.fold.staying import folded, prepared_rows
from gammajax.inference import Likelihood
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import Models, PointSpatialModel, PowerLawSpectralModel, SkyModel


@pytest.fixture(scope="module")
def parts():
    """A fold with its stack, values and shape."""
    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(skydir=(0.0, 0.0), width=0.8, binsz=0.1, axes=[energy])
    spectrum = PowerLawSpectralModel(amplitude=1e-11)
    models = Models(
        SkyModel(spectrum, PointSpatialModel(x, 0.05), name=f"s{i}")
        for i, x in enumerate((-0.1, 0.0, 0.15))
    ).freeze("*.spatial.*")
    dataset = MapDataset(
        name="a",
        counts=Map.from_geom(geom, data=np.ones(geom.data_shape)),
        exposure=Map.from_geom(geom.to_image().to_cube([true]), data=1e14, unit="cm2 s"),
        background=Map.from_geom(geom, data=np.ones(geom.data_shape)),
        psf=PSFMap.from_gauss(true, sigma=0.1),
    )
    problem = Likelihood([dataset], models).problem
    (term,), (stack,) = problem.terms, problem.stacks
    return term.folds[0], stack, problem.space.expand(problem.space.value), term.shape


def test_reverse_derivatives_are_those_of_the_plain_sum(parts) -> None:
    fold, stack, values, shape = parts
    weight = np.cos(np.arange(shape[0] * shape[1])).reshape(shape)

    def plain(values):
        return (weight * fold.added(prepared_rows(fold, stack, values), shape) ** 2).sum()

    def ours(values):
        return (weight * folded(fold, stack, values, shape, in_reverse=True) ** 2).sum()

    assert float(jax.jit(ours)(values)) == float(jax.jit(plain)(values))
    for derivative in (jax.grad, jax.hessian):
        expected = np.asarray(jax.jit(derivative(plain))(values))
        found = np.asarray(jax.jit(derivative(ours))(values))
        np.testing.assert_allclose(
            found, expected, rtol=1e-10, atol=1e-12 * abs(expected).max()
        )
    many = np.stack([values, 1.1 * values])
    rows = np.asarray(jax.jit(jax.vmap(jax.grad(ours)))(many))
    np.testing.assert_allclose(rows[0], np.asarray(jax.grad(plain)(values)), rtol=1e-10)
