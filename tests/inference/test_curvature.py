"""Matrices summed up from groups of bins are those of the whole Jacobian."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy import sparse

from gammajax.fold import round_build
from gammajax.inference import Likelihood, curvature, grouped
from gammajax.inference.cg_step import of_components
from gammajax.inference.curvature import pieces_of
from gammajax.inference.problem import assembled, expand
from gammajax.irf.edisp import EDispKernel
from gammajax.irf.edisp_map import EDispKernelMap
from tests.inference.test_newton_cg import cube, models


def both(likelihood: Likelihood):
    """The matrices of groups, those of the Jacobian, and the blocks of components."""
    problem = likelihood.problem
    x = np.asarray(problem.space.value)
    pieces, whole, blocks = _parts(problem, x)
    return curvature.curvature(problem, pieces), whole, blocks


@jax.jit
def _parts(problem, x):
    at = expand(problem, x)
    return pieces_of(at), assembled(at), of_components(problem, at)


def start(kind: str):
    found = models([1e-11, 2e-11, 5e-12, 3e-11, 8e-12])
    found = found.link("s4.spectral.index", to="s0.spectral.index")
    if kind == "moving":
        return found.thaw("s1.spatial.*").thaw("s2.spatial.*")
    return found


def dataset(dispersed: bool):
    data = cube().fake(models([1e-11, 2e-11, 5e-12, 3e-11, 8e-12]), seed=4)
    if not dispersed:
        return data
    true, energy = data.exposure.geom.axes["energy_true"], data.counts.geom.axes["energy"]
    kernel = EDispKernel.from_gauss(energy_true=true, energy=energy, sigma=0.3)
    return data.replace(edisp=EDispKernelMap.from_kernel(kernel))


@pytest.mark.parametrize(
    ("kind", "dispersed"),
    [("frozen", False), ("frozen", True), ("moving", True)],
)
def test_the_matrices_are_those_of_the_jacobian(kind, dispersed, monkeypatch) -> None:
    # a row that is cut into pieces is one component still
    monkeypatch.setattr(round_build, "TABLES", 0)
    likelihood = Likelihood([dataset(dispersed)], start(kind))
    found, whole, blocks = both(likelihood)
    scale = np.sqrt(np.diag(np.asarray(whole.fisher)))
    for ours, theirs in ((found.hessian, whole.hessian), (found.fisher, whole.fisher)):
        difference = (ours - np.asarray(theirs)) / np.outer(scale, scale)
        np.testing.assert_allclose(difference, 0, atol=1e-10)
    _check_blocks(blocks, whole, likelihood.names)
    monkeypatch.setattr(curvature, "on_accelerator", lambda: True)
    monkeypatch.setattr(grouped, "GROUP", 64)
    monkeypatch.setattr(grouped, "room_on_device", lambda: 3 * 8 * 8 * 64 * 2)
    wide, *_ = both(likelihood)
    np.testing.assert_allclose(
        wide.hessian, found.hessian, rtol=1e-9, atol=1e-9 * scale.min() ** 2
    )
    np.testing.assert_allclose(
        wide.fisher, found.fisher, rtol=1e-9, atol=1e-9 * scale.min() ** 2
    )
    monkeypatch.setattr(curvature, "on_accelerator", lambda: False)
    monkeypatch.setattr(curvature, "DENSE", 3)
    few, *_ = both(likelihood)
    assert sparse.issparse(few.hessian)
    np.testing.assert_allclose(few.hessian.toarray(), found.hessian, rtol=1e-12)
    np.testing.assert_allclose(few.fisher.toarray(), found.fisher, rtol=1e-12)


def _check_blocks(blocks, whole, names) -> None:
    """Blocks are those of the matrices, where no other component has the parameters."""
    shared = ("s0.spectral.index", "s4.spectral.index")
    seen = []
    for fisher, bends, columns in blocks:
        for block, bend, column in zip(fisher, bends, np.asarray(columns), strict=True):
            own = column[column < len(names)]
            some = np.ix_(*[np.nonzero(column < len(names))[0]] * 2)
            if any(names[i] in shared for i in own):
                continue
            size = np.sqrt(np.diag(np.asarray(whole.fisher))[own])
            scale, place = np.outer(size, size), np.ix_(own, own)
            for ours, theirs in ((block, whole.fisher), (block + bend, whole.hessian)):
                difference = np.asarray(ours)[some] - np.asarray(theirs)[place]
                np.testing.assert_allclose(difference / scale, 0, atol=1e-10)
            seen += [names[i] for i in own]
    assert {name.split(".")[0] for name in seen} >= {"s1", "s2", "s3"}


def test_products_of_weights_of_both_signs() -> None:
    rng = np.random.default_rng(1)
    functions, weight = rng.standard_normal((5, 30)), rng.uniform(0, 1, 30)
    for own in (weight, weight - 0.5):
        found = curvature._weighted(functions, own)
        np.testing.assert_allclose(found, np.einsum("ib,b,jb", functions, own, functions))
