"""Forecasts: against fits of many toys, exact gradients, plans that say nothing."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammajax.data import GTI
from gammajax.estimators import (
    FluxPointsEstimator,
    PointingForecast,
    SensitivityEstimator,
    forecast,
)
from gammajax.estimators.information import expected, information, live_seconds
from gammajax.estimators.scaled import scaled_models
from gammajax.inference import Fit, Likelihood, fit_toys
from gammajax.models import Models, PowerLawSpectralModel, SkyModel
from gammajax.parameters import GaussianPrior

from .conftest import cube_models

OFFSETS = np.linspace(0, 2.5, 11)
POSITION = SkyCoord(83.63, 22.01, unit="deg")


@pytest.fixture(scope="module")
def known(spectra):
    """Spectra with a smooth background off and on."""
    level = 300 * spectra[0].energy.center ** -1.5
    return [
        d.replace(counts_off=level, acceptance=np.ones(8), acceptance_off=np.full(8, 10.0))
        for d in spectra
    ]


def ladder(known):
    """The first spectrum at some distances: less area, and less background, further out."""
    one = known[0]
    return [
        one.replace(
            exposure=one.exposure * np.exp(-0.5 * (offset / 1.5) ** 2),
            counts_off=one.counts_off * np.exp(-0.5 * (offset / 2.0) ** 2),
        )
        for offset in OFFSETS
    ]


def test_errors_are_those_of_a_plain_fit_of_expected_counts(known, models) -> None:
    found = forecast(known, models)
    data = [expected(d, models) for d in known]
    fit = Fit(tolerance=1e-13).run(Likelihood(data, models))
    np.testing.assert_allclose(found.covariance, fit.covariance, rtol=1e-6)
    np.testing.assert_allclose(found.values, fit.theta, rtol=1e-6)
    assert found.names == fit.names
    assert found.to_table().colnames == ["name", "value", "error", "relative", "unit"]
    assert "3 observations, 1 h" in repr(found)


@pytest.mark.long
def test_errors_are_the_scatter_of_toys(known, models) -> None:
    """To 8 %, with four times the live time so that laws are near normal."""
    longer = forecast(known, models, [4 * 1200] * 3)
    scaled = [
        d.replace(exposure=4 * d.exposure, counts_off=4 * d.counts_off, livetime=4800.0)
        for d in known
    ]
    likelihood = Likelihood([expected(d, models) for d in scaled], models)
    toys = fit_toys(likelihood, n_toys=1000, seed=1)
    spread = toys.theta[toys.converged].std(axis=0)
    np.testing.assert_allclose(longer.errors, spread, rtol=0.08)
    own = forecast(scaled, models)
    np.testing.assert_allclose(longer.errors, own.errors, rtol=1e-6)


def test_gradients_with_live_times_are_exact(known, models) -> None:
    times = np.array([1000.0, 2000.0, 500.0])
    found = forecast(known, models, times)
    gradient = found.error_gradient()
    for k in range(3):
        up, down = times.copy(), times.copy()
        up[k] *= 1 + 1e-5
        down[k] *= 1 - 1e-5
        change = found.with_livetimes(up).errors - found.with_livetimes(down).errors
        np.testing.assert_allclose(gradient[:, k], change / (2e-5 * times[k]), rtol=1e-6)
    assert np.all(gradient < 0)


def test_priors_and_links_count(known) -> None:
    one, two = (
        SkyModel(PowerLawSpectralModel(index=2.3, amplitude=2e-11), name=name)
        for name in ("one", "two")
    )
    pair = Models([one, two]).freeze("*.index")
    pair = pair.link("two.spectral.amplitude", to="one.spectral.amplitude", factor=0.5)
    found = forecast(known, pair)
    single = Models([one]).freeze("*.index").set("one.spectral.amplitude", 3e-11)
    alone = forecast(known, single)
    assert found.errors[0] == pytest.approx(alone.errors[0] / 1.5, rel=1e-9)
    sigma = float(alone.errors[0])
    prior = single.set("one.spectral.amplitude", prior=GaussianPrior(mu=3e-11, sigma=sigma))
    assert forecast(known, prior).errors[0] == pytest.approx(sigma / np.sqrt(2), rel=1e-9)


def test_pointings_between_the_rungs(known, models) -> None:
    """Interpolated errors are those of a dataset at the distance, to 1e-4."""
    found = PointingForecast(ladder(known), OFFSETS, models, POSITION)
    offset = 0.83
    one = known[0]
    there = one.replace(
        exposure=one.exposure * np.exp(-0.5 * (offset / 1.5) ** 2),
        counts_off=one.counts_off * np.exp(-0.5 * (offset / 2.0) ** 2),
    )
    direct = forecast([there], models, [7200])
    plan = found.run([[POSITION.ra.deg, POSITION.dec.deg + offset]], [7200])
    np.testing.assert_allclose(plan.errors, direct.errors, rtol=1e-4)
    sky = SkyCoord(POSITION.ra, POSITION.dec + 0.83 * POSITION.ra.unit).galactic
    np.testing.assert_allclose(found.run(sky, "2 h").errors, plan.errors, rtol=1e-9)


def test_gradients_with_pointings_are_exact(known, models) -> None:
    found = PointingForecast(ladder(known), OFFSETS, models, POSITION)
    pointings = np.array([[83.63, 22.7], [84.6, 22.01], [83.63, 22.01]])
    times = np.array([1000.0, 2000.0, 500.0])
    by_pointing, by_time = found.gradient(pointings, times)
    step = 1e-4
    for k in range(2):
        for axis in range(2):
            ends = []
            for sign in (1, -1):
                moved = pointings.copy()
                moved[k, axis] += sign * step
                ends.append(np.asarray(found.errors(moved, times)))
            change = (ends[0] - ends[1]) / (2 * step)
            np.testing.assert_allclose(
                by_pointing[:, k, axis],
                change,
                rtol=1e-4,
                atol=1e-7 * np.abs(by_pointing).max(),
            )
    # at the source itself nothing changes to first order
    assert np.abs(by_pointing[:, 2]).max() < 1e-9 * np.abs(by_pointing).max()
    np.testing.assert_allclose(by_time, found.run(pointings, times).error_gradient(), rtol=1e-9)
    # away from the source errors grow
    assert np.all(by_pointing[:, 0, 1] > 0)


def test_plans_that_say_nothing_are_said(known, models) -> None:
    dark = known[1].replace(exposure=np.zeros(16), counts_off=np.zeros(8))
    found = forecast([known[0], dark], models)
    assert found.notes == ("sim-2 is expected to see no counts, and says nothing",)
    np.testing.assert_allclose(found.errors, forecast([known[0]], models).errors)
    none = forecast([dark], models)
    assert np.isnan(none.errors).all()
    assert "nothing is learned of crab.spectral" in none.notes[-1]
    made = PointingForecast(ladder(known), OFFSETS, models, POSITION)
    far = made.run([[83.63, 27.0], [83.63, 22.5]], 3600)
    assert "pointing 0 is beyond the ladder" in far.notes[0]
    assert np.isfinite(far.errors).all()
    with pytest.raises(ValueError, match="thaw one"):
        forecast(known, models.freeze("*"))
    with pytest.raises(ValueError, match="has no live time"):
        live_seconds(known[0].replace(livetime=float("nan")))
    with pytest.raises(ValueError, match="expected 3 numbers"):
        forecast(known, models, [1, 2])
    with pytest.raises(ValueError, match="four or more"):
        PointingForecast(ladder(known)[:2], OFFSETS[:2], models, POSITION)


def test_cubes_are_forecast_too(cubes) -> None:
    """The covariance of a plain fit of expected counts, other backgrounds left out."""
    from astropy.time import Time, TimeDelta

    start = Time("2020-01-01")
    gti = GTI.create(start, start + TimeDelta(3600, format="sec"))
    planned = [cube.replace(gti=gti) for cube in cubes]
    models = cube_models("one", "two").freeze("*.index")
    found = forecast(planned, models)
    fit = Fit(tolerance=1e-13).run(
        Likelihood([expected(d, Models([c for c in models if c.folds_into(d.name)]))
                    for d in planned], models)
    )  # fmt: skip
    np.testing.assert_allclose(found.errors, fit.errors, rtol=1e-4)


def test_fisher_sensitivity_is_that_of_a_forecast(known) -> None:
    """The flux whose norm is 5 times its expected error, bin by bin; near that of counts."""
    spectrum = PowerLawSpectralModel(index=2.0)
    options = {"gamma_min": 0, "bkg_syst_fraction": 0}
    dataset = known[0].replace(counts_off=1e3 * known[0].counts_off,
                               exposure=1e3 * known[0].exposure)  # fmt: skip
    found = SensitivityEstimator(method="fisher", **options).run(dataset)
    counts = SensitivityEstimator(**options).run(dataset)
    energy = found["e_ref"].to_value("TeV")
    for i in (0, 4):
        scale = found["dnde"][i].to_value("cm-2 s-1 TeV-1") / float(spectrum(energy[i]))
        source = SkyModel(spectrum.replace(amplitude=spectrum.amplitude * scale), name="s")
        scaled = scaled_models(Models([source]), "s")
        inside = np.arange(8) == i
        part = dataset.replace(mask_fit=inside)
        fisher, _ = information(part, scaled)
        assert 1 / np.sqrt(fisher[0, 0]) == pytest.approx(1 / 5, rel=1e-6)
    # the significance of many counts is that of their errors
    ratio = found["excess"] / counts["excess"]
    assert ratio[0] == pytest.approx(1, abs=0.03)
    assert np.all((ratio > 0.9) & (ratio < 1.6))
    with pytest.raises(ValueError, match="method is 'x'"):
        SensitivityEstimator(method="x")


def test_flux_points_have_the_errors_that_were_forecast(known, models) -> None:
    """A plan in bins of energy: the errors of flux points of expected counts."""
    data = [expected(d, models) for d in known]
    points = FluxPointsEstimator(energy_edges=[0.5, 2, 30]).run(data, models).norms
    scaled = scaled_models(models, "crab")
    low = data[0].energy.center < 2
    for i, inside in enumerate((low, ~low)):
        parts = [d.replace(mask_fit=d.mask_fit & inside) for d in known]
        assert forecast(parts, scaled).errors[0] == pytest.approx(points.norm_err[i], rel=1e-6)
