"""Profile likelihoods against single fits, and their edges."""

import numpy as np
import pytest
from scipy.optimize import brentq

from gammajax.inference import (
    Fit,
    confidence,
    stat_contour,
    stat_profile,
    stat_surface,
    upper_limit,
)


def held_stat(likelihood, **values):
    models = likelihood.models
    for name, value in values.items():
        models = models.set(f"*.{name}", value=value, frozen=True)
    return Fit().run(likelihood.with_models(models)).stat


def test_profile_points_are_conditional_fits(likelihood, result):
    profile = stat_profile(result, "*.beta", n_values=5)
    assert profile.converged.all()
    for value, stat in zip(profile.values, profile.stat, strict=True):
        assert stat == pytest.approx(held_stat(likelihood, beta=value), abs=1e-6)
    assert profile.delta[2] == pytest.approx(0, abs=1e-6)


def test_profile_takes_values_with_units(result):
    best = result.theta[0]
    profile = stat_profile(result, "*.amplitude", f"{best * 1e4} m-2 s-1 TeV-1")
    assert profile.values[0] == pytest.approx(best)
    assert profile.delta[0] == pytest.approx(0, abs=1e-6)


def test_confidence_edges_rise_by_sigma_squared(likelihood, result):
    for sigma in (1.0, 2.0):
        for name, interval in confidence(result, sigma=sigma).items():
            short = name.split(".")[-1]
            for edge in (interval.low, interval.high):
                rise = held_stat(likelihood, **{short: edge}) - result.stat
                assert rise == pytest.approx(sigma**2, abs=1e-3)
            assert interval.low < interval.value < interval.high
            assert interval.errp == pytest.approx(
                sigma * result.errors[result.names.index(name)], rel=0.3
            )


def test_upper_limit_agrees_with_a_root_finder(likelihood, result):
    def excess(beta):
        return held_stat(likelihood, beta=beta) - result.stat - 4

    best, error = result.theta[2], result.errors[2]
    expected = brentq(excess, best, best + 5 * error, xtol=1e-6)
    assert upper_limit(result, "*.beta") == pytest.approx(expected, abs=1e-4 * error)


def test_an_interval_that_hits_a_bound_says_so(likelihood, result):
    near = float(result.theta[2] + 0.3 * result.errors[2])
    bounded = Fit().run(likelihood.with_models(likelihood.models.set("*.beta", max=near)))
    interval = confidence(bounded, "*.beta")["crab.spectral.beta"]
    assert interval.limited_high
    assert interval.high == near
    assert not interval.limited_low
    assert "high edge is the bound" in repr(interval)
    assert np.isnan(upper_limit(bounded, "*.beta"))


def test_interval_of_a_fit_that_ended_at_its_bound(likelihood, result):
    below = float(result.theta[2] - result.errors[2])
    bounded = Fit().run(likelihood.with_models(likelihood.models.set("*.beta", max=below)))
    interval = confidence(bounded, "*.beta")["crab.spectral.beta"]
    rise = held_stat(likelihood, beta=interval.low) - bounded.stat
    assert rise == pytest.approx(1, abs=1e-3)
    assert interval.high == below


def test_contour_lies_at_its_level(likelihood, result):
    contour = stat_contour(result, "*.alpha", "*.beta", n_points=12)
    assert contour.inside.all()
    assert contour.delta == pytest.approx(2.2957, abs=1e-3)
    for x, y in zip(contour.x[::5], contour.y[::5], strict=True):
        rise = held_stat(likelihood, alpha=x, beta=y) - result.stat
        assert rise == pytest.approx(contour.delta, abs=1e-3)


def test_surface_holds_two_parameters(likelihood, result):
    surface = stat_surface(result, "*.alpha", "*.beta", n_values=5, sigma=1)
    assert surface.stat.shape == (5, 5)
    assert surface.converged.all()
    assert surface.delta.min() == pytest.approx(0, abs=1e-6)
    expected = held_stat(likelihood, alpha=surface.x[0], beta=surface.y[4])
    assert surface.stat[0, 4] == pytest.approx(expected, abs=1e-6)


def test_frozen_parameters_have_no_profile(result):
    with pytest.raises(ValueError, match=r"crab\.spectral\.reference is frozen or linked"):
        stat_profile(result, "*.reference")


def test_a_surface_needs_two_parameters(result):
    with pytest.raises(ValueError, match="two different parameters"):
        stat_surface(result, "*.beta", "crab.spectral.beta")


def test_scans_of_a_fit_without_covariance_say_why(likelihood):
    failed = Fit(max_steps=1).run(likelihood.with_models(likelihood.models.thaw("*.reference")))
    if np.all(np.isfinite(failed.covariance)):
        failed = type(failed)(**{**vars(failed), "covariance": np.full((4, 4), np.nan)})
    with pytest.raises(ValueError, match="the fit has no covariance"):
        confidence(failed)
