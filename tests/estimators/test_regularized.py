"""Regularised flux points: limits of the strength, evidence, bias and coverage, faults."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize

from gammajax.estimators import RegularizedFluxPointsEstimator
from gammajax.estimators.joint import joint_models, joint_parts, nodes_of
from gammajax.estimators.penalised import curvature_matrix
from gammajax.estimators.regularized import with_neighbours
from gammajax.inference import Fit, Likelihood
from gammajax.models import (
    LogParabolaSpectralModel,
    Models,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
)
from gammajax.simulate import simulate_on_off

EDGES = np.geomspace(0.5, 30, 9)
TRUTH = LogParabolaSpectralModel(amplitude=4e-11, reference="1 TeV", alpha=2.2, beta=0.2)
REFERENCE = Models([SkyModel(PowerLawSpectralModel(index=2.6, amplitude=4e-11), name="crab")])


def simulated(seed, hours=1.0):
    return simulate_on_off(
        Models([SkyModel(TRUTH, name="crab")]), n_observations=1,
        livetime=f"{hours} h", seed=seed,
    )  # fmt: skip


@pytest.fixture(scope="module")
def datasets():
    return simulated(1)


def test_the_penalty_is_the_integral_of_the_squared_curvature() -> None:
    """Of a parabola of any nodes: its second derivative squared, over the inner cells."""
    nodes = np.array([0.0, 0.5, 1.3, 1.9, 3.0])
    matrix = curvature_matrix(nodes)
    found = (1.5 * nodes**2) @ matrix @ (1.5 * nodes**2)
    inner = (nodes[-1] + nodes[-2] - nodes[0] - nodes[1]) / 2
    assert found == pytest.approx(quad(lambda x: 9.0, 0, inner)[0])
    assert np.abs(matrix @ (2 - 3 * nodes)).max() < 1e-12
    assert np.linalg.matrix_rank(matrix) == 3


def test_without_curvature_it_is_a_plain_fit_of_a_power_law(datasets) -> None:
    found = RegularizedFluxPointsEstimator(energy_edges=EDGES, strength=1e9).run(
        datasets, REFERENCE
    )
    factor = PowerLawNormSpectralModel(norm=1.0, tilt=0.0, reference="1 TeV")
    spectrum = REFERENCE["crab"].spectral_model * factor
    models = Models([SkyModel(spectrum, name="crab")]).freeze("*.model1.*")
    models = models.thaw("*.model2.norm").thaw("*.model2.tilt")
    inside = [
        d.with_energy_range(found.energy_min[0] * 0.99, found.energy_max[-1] * 1.01)
        for d in datasets
    ]
    fit = Fit(tolerance=1e-13).run(Likelihood(inside, models))
    line = fit.models["crab"].spectral_model(found.energy_ref)
    # beyond half a bin outside of the edges the factor is flat
    np.testing.assert_allclose(found.value, line, rtol=5e-3)
    slope = np.diff(np.log(found.norms.norm)) / np.diff(np.log(found.energy_ref))
    np.testing.assert_allclose(slope, slope[0], rtol=1e-4)
    assert found.meta["n_effective"] == pytest.approx(2, abs=1e-3)


def test_it_is_the_plain_minimum_of_the_same_sum(datasets) -> None:
    """Values and covariance to 1e-6, by scipy and by an exact Hessian of the whole sum."""
    edges, strength = EDGES[:6], 30.0
    estimator = RegularizedFluxPointsEstimator(energy_edges=edges, strength=strength)
    found = estimator.run(datasets, REFERENCE)
    task = estimator._task(datasets, REFERENCE)
    nodes = with_neighbours(nodes_of(task.bins))
    made, names = joint_models(
        task.models, "crab", nodes, estimator.options, task.scaled, "log"
    )
    likelihood = Likelihood(joint_parts(task.datasets, task.bins), made.set(names[0], 1.0))
    matrix = curvature_matrix(np.log(nodes))

    def total(u):
        return likelihood.stat(jnp.exp(u)) + strength * u @ matrix @ u

    fit = minimize(total, np.zeros(nodes.size), jac=jax.grad(total), method="BFGS",
                   options={"gtol": 1e-7})  # fmt: skip
    covariance = 2 * np.linalg.inv(jax.hessian(total)(fit.x))[1:-1, 1:-1]
    norm = np.exp(fit.x[1:-1])
    np.testing.assert_allclose(found.norms.norm, norm, rtol=1e-6)
    np.testing.assert_allclose(
        found.norms.covariance, covariance * np.outer(norm, norm), rtol=1e-5
    )
    # the statistic alone has a slope where the sum has none
    stat = float(likelihood.stat(np.exp(fit.x)))
    assert found.norms.stat[0] == pytest.approx(stat, abs=1e-4)


def test_the_strength_is_that_of_the_largest_evidence(datasets) -> None:
    estimator = RegularizedFluxPointsEstimator(energy_edges=EDGES)
    found = estimator.run(datasets, REFERENCE)
    strengths, evidence = found.meta["strengths"], found.meta["log_evidence"]
    top = int(np.argmax(evidence))
    assert 0 < top < len(strengths) - 1
    assert strengths[top - 1] < found.meta["strength"] < strengths[top + 1]
    assert 2 < found.meta["n_effective"] < len(EDGES) - 1
    free = RegularizedFluxPointsEstimator(energy_edges=EDGES, strength=1e-3).run(
        datasets, REFERENCE
    )
    relative = found.norms.norm_err / found.norms.norm
    assert relative[-1] < 0.7 * (free.norms.norm_err / free.norms.norm)[-1]
    assert found.norms.success.all()


@pytest.mark.long
def test_bias_and_coverage_of_a_curved_spectrum() -> None:
    """60 sets of counts: the mean pull is within 0.5, and 1 sigma holds 55 to 85 %.

    Against the truth averaged as the factor is: at the reference energies.
    """
    estimator = RegularizedFluxPointsEstimator(energy_edges=EDGES)
    pulls = []
    for seed in range(60):
        found = estimator.run(simulated(100 + seed), REFERENCE)
        sigma = found.norms.norm_err / found.norms.norm
        truth = np.asarray(TRUTH(found.energy_ref))
        pulls.append(np.log(found.value / truth) / sigma)
    pulls = np.array(pulls)
    inside = np.mean(np.abs(pulls) < 1, axis=0)
    assert np.abs(pulls.mean(axis=0)).max() < 0.5
    assert inside.min() > 0.55 - 1e-9
    assert inside.max() <= 0.90
    assert np.mean(np.abs(pulls) < 1) == pytest.approx(0.70, abs=0.08)


def test_bins_that_say_nothing_follow_their_neighbours(datasets) -> None:
    center = datasets[0].energy.center
    dark = [d.replace(exposure=np.where(d.energy_true.center > 5, 0.0, d.exposure))
            for d in datasets]  # fmt: skip
    found = RegularizedFluxPointsEstimator(energy_edges=[0.5, 1, 2, 4, 12, 30]).run(
        dark, REFERENCE
    )
    assert "no exposure here" in found.norms.notes[-1]
    assert found.norms.norm_err[-1] > 3 * found.norms.norm_err[0]
    assert np.isfinite(found.norms.norm).all()
    empty = [d.replace(counts=np.where(center > 12, 0.0, d.counts)) for d in datasets]
    found = RegularizedFluxPointsEstimator(energy_edges=[0.5, 1, 2, 4, 12, 30]).run(
        empty, REFERENCE
    )
    assert "no counts here" in found.norms.notes[-1]


def test_faults_are_said(datasets) -> None:
    with pytest.raises(ValueError, match="three or more"):
        RegularizedFluxPointsEstimator(energy_edges=[1, 3, 10]).run(datasets, REFERENCE)
    with pytest.raises(ValueError, match="strength is -1"):
        RegularizedFluxPointsEstimator(energy_edges=EDGES, strength=-1)
    exact = Models([SkyModel(TRUTH, name="crab")])
    found = RegularizedFluxPointsEstimator(energy_edges=[0.5, 1.5, 4, 12]).run(datasets, exact)
    assert found.meta["strength"] > 1
    if found.meta["strength"] == found.meta["strengths"][-1]:
        assert "no curvature" in found.norms.notes[0]
