"""Fits: every method, bounds, degeneracy, failures, covariances."""

import numpy as np
import pytest
from scipy.optimize import minimize

from gammajax.datasets import SpectrumDataset
from gammajax.inference import Fit, Likelihood
from gammajax.inference.covariance import correlation_matrix, invert
from gammajax.inference.fit import _newton
from gammajax.models import Models, PowerLawSpectralModel, SkyModel
from gammajax.parameters import GaussianPrior

METHODS = ("newton", "lbfgs", "adam", "minuit")


def test_minimum_is_the_one_that_scipy_finds(likelihood, result):
    scale = np.abs(result.theta)
    found = minimize(
        lambda z: float(likelihood.stat(z * scale)),
        likelihood.start / scale,
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-10, "maxiter": 4000, "maxfev": 4000},
    )
    assert result.success
    assert result.stat == pytest.approx(found.fun, abs=1e-7)
    np.testing.assert_allclose(result.theta, found.x * scale, atol=1e-4 * result.errors.max())


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_same_minimum(likelihood, result, method):
    other = Fit(method=method).run(likelihood)
    assert other.success
    assert other.stat == pytest.approx(result.stat, abs=1e-6)
    assert np.all(np.abs(other.theta - result.theta) < 1e-3 * result.errors)
    np.testing.assert_allclose(other.errors, result.errors, rtol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_a_minimum_at_a_bound_is_found_exactly_there(likelihood, result, method):
    below = float(result.theta[2]) - 0.05
    models = likelihood.models.set("*.beta", max=below)
    bounded = Fit(method=method).run(likelihood.with_models(models))
    assert bounded.success
    assert bounded.at_bounds == ("crab.spectral.beta",)
    assert bounded.theta[2] == below
    assert bounded.errors[2] == 0
    frozen = likelihood.models.set("*.beta", value=below, frozen=True)
    conditional = Fit().run(likelihood.with_models(frozen))
    assert bounded.stat == pytest.approx(conditional.stat, abs=1e-6)
    np.testing.assert_allclose(bounded.errors[:2], conditional.errors, rtol=1e-4)


@pytest.mark.parametrize("amplitude", [1e-16, 1e-13, 1e-10, 1e-7])
@pytest.mark.parametrize("alpha", [1.0, 4.0])
def test_far_starts_reach_the_same_minimum(likelihood, result, amplitude, alpha):
    models = likelihood.models.set("*.amplitude", value=amplitude).set("*.alpha", value=alpha)
    far = Fit().run(likelihood.with_models(models))
    assert far.success
    assert far.stat == pytest.approx(result.stat, abs=1e-7)


def test_a_degenerate_fit_says_so_and_names_the_parameters(likelihood):
    degenerate = Fit().run(likelihood.with_models(likelihood.models.thaw("*.reference")))
    assert not degenerate.success
    assert "do not determine all free parameters" in degenerate.message
    assert "crab.spectral.reference" in degenerate.message


def test_a_prior_resolves_the_degeneracy(likelihood, result):
    models = likelihood.models.thaw("*.reference")
    models = models.set("*.reference", prior=GaussianPrior(mu=1.0, sigma=0.05))
    constrained = Fit().run(likelihood.with_models(models))
    assert constrained.success
    row = constrained.parameters["crab.spectral.reference"]
    assert row.value == pytest.approx(1.0, abs=1e-4)
    assert row.error == pytest.approx(0.05, rel=1e-3)


def test_too_few_steps_are_reported(likelihood):
    stopped = Fit(max_steps=2).run(likelihood)
    assert not stopped.success
    assert "largest number of steps" in stopped.message


def test_a_start_without_a_finite_statistic_names_the_dataset(datasets, truth):
    huge = truth.set("*.alpha", value=4000.0)
    failed = Fit().run(Likelihood(datasets, huge))
    assert not failed.success
    assert "not finite at the start values" in failed.message
    assert "sim-1" in failed.message


def test_a_negative_total_prediction_is_reported(datasets, truth):
    first = datasets[0]
    dataset = SpectrumDataset(
        name="cash",
        energy=first.energy,
        energy_true=first.energy_true,
        counts=np.zeros(12),
        exposure=first.exposure,
        edisp=first.edisp,
        background=np.full(12, 0.01),
    )
    models = Models([SkyModel(PowerLawSpectralModel(amplitude=-1e-11), name="hole")])
    bad = Fit(max_steps=1).run(Likelihood(dataset, models.freeze("*.index")))
    assert not bad.success
    assert bad.n_negative > 0
    assert "bound the amplitudes" in bad.message


def test_moving_a_free_flag_or_a_bound_compiles_nothing(likelihood):
    models = likelihood.models
    Fit().run(likelihood.with_models(models.freeze("*.beta")))
    compiled = _newton.n_compiled
    for changed in (
        models.freeze("*.alpha"),
        models.freeze("*.alpha").set("*.beta", min=0, max=1),
        models.freeze("*.amplitude"),
    ):
        Fit().run(likelihood.with_models(changed))
    assert _newton.n_compiled == compiled


def test_covariances_agree_where_the_model_is_right(likelihood, result):
    for kind in ("fisher", "sandwich"):
        other = Fit(covariance=kind).run(likelihood)
        np.testing.assert_allclose(other.errors, result.errors, rtol=0.35)
        assert np.any(other.errors != result.errors)


def test_hessian_covariance_is_twice_the_inverse(likelihood, result):
    expected = 2 * np.linalg.inv(np.asarray(likelihood.hessian(result.theta)))
    np.testing.assert_allclose(result.covariance, expected, rtol=1e-6)
    np.testing.assert_allclose(np.diag(result.correlation), 1)


def test_models_of_the_result_carry_values_errors_and_covariance(result):
    rows = result.models.parameters
    assert rows["crab.spectral.alpha"].value == result.theta[1]
    assert rows["crab.spectral.alpha"].error == pytest.approx(result.errors[1])
    block = result.models.covariance_of("crab.spectral.*")
    assert block.shape == (4, 4)
    assert np.all(block[1] == 0), "the frozen reference has no variance"


def test_result_shows_what_matters(result):
    text = repr(result)
    assert "converged" in text
    assert "crab.spectral.alpha" in text
    assert "cm-2 s-1 TeV-1" in text
    assert "<table" in result._repr_html_()
    assert set(result.seconds) == {"compile", "fit"}


def test_inverse_of_a_matrix_that_is_not_positive_definite_is_not_a_number():
    assert np.all(np.isnan(invert(np.array([[1.0, 2.0], [2.0, 1.0]]))))
    assert np.all(np.isnan(invert(np.array([[0.0]]))))


def test_inverse_holds_for_wild_scales():
    scale = np.array([1e-11, 1.0, 1e6])
    matrix = np.array([[2, 0.9, 0], [0.9, 1, 0.2], [0, 0.2, 3]]) / np.outer(scale, scale)
    product = invert(matrix) @ matrix
    np.testing.assert_allclose(product * scale[None, :] / scale[:, None], np.eye(3), atol=1e-12)


def test_correlation_of_a_parameter_without_variance_is_zero():
    matrix = correlation_matrix(np.array([[4.0, 0.0], [0.0, 0.0]]))
    np.testing.assert_array_equal(matrix, np.eye(2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "simplex"}, "method is 'simplex'"),
        ({"covariance": "bootstrap"}, "covariance is 'bootstrap'"),
        ({"tolerance": 0.0}, "tolerance is 0.0"),
    ],
)
def test_wrong_options_name_the_value(options, message):
    with pytest.raises(ValueError, match=message):
        Fit(**options)


def test_nested_hypotheses_share_a_program(likelihood, datasets, truth):
    """A frozen or linked parameter, in the program of the fit that has it free."""
    whole = Fit().run(likelihood).likelihood
    compiled = _newton.n_compiled
    flat = likelihood.models.freeze("*.beta").set("*.alpha", value=2.0)
    linked = likelihood.models.link("*.beta", to="*.alpha", factor=0.05)
    for models in (flat, linked):
        found = Fit().run(whole.restricted(models))
        assert _newton.n_compiled == compiled
        plain = Fit().run(Likelihood(datasets, models))
        assert found.success
        assert found.names == plain.names == ("crab.spectral.amplitude", "crab.spectral.alpha")
        assert found.stat == pytest.approx(plain.stat, abs=1e-9)
        np.testing.assert_allclose(found.covariance, plain.covariance, rtol=1e-6)
        np.testing.assert_allclose(found.fisher, plain.fisher, rtol=1e-6)
        again = found.likelihood.with_models(found.models)
        assert Fit().run(again).stat == pytest.approx(plain.stat, abs=1e-9)
        compiled = _newton.n_compiled


def test_a_restriction_frees_nothing(likelihood, truth):
    narrow = Likelihood(likelihood.datasets, likelihood.models.freeze("*.beta"))
    with pytest.raises(ValueError, match="beta is free here and not"):
        narrow.restricted(likelihood.models)
    other = SkyModel(PowerLawSpectralModel(), name="other")
    with pytest.raises(ValueError, match="expected the parameters of crab, got those of other"):
        narrow.restricted(Models([other]))
