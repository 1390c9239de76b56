"""Sensitivity, single parameters, profiles on the sky, variability, counts statistics."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammajax.datasets import SpectrumDataset
from gammajax.estimators import (
    FluxProfileEstimator,
    ParameterEstimator,
    SensitivityEstimator,
    bayesian_blocks,
    boxes_along,
    compute_chisq,
    compute_flux_doubling,
    compute_fpp,
    compute_fvar,
    rings_around,
    structure_function,
)
from gammajax.inference import Fit, Likelihood, confidence, upper_limit
from gammajax.models import Models, PowerLawSpectralModel, SkyModel
from gammajax.stats import CashCountsStatistic, WStatCountsStatistic

from .conftest import CENTER, empty_cube


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        # gammapy 2.1: sqrt_ts, errn, errp, limit at 3 sigma, signal for 5 sigma
        (CashCountsStatistic(13.0, 5.5), (2.713896, 3.280212, 3.946309, 21.502965, 15.398860)),
        (
            WStatCountsStatistic(13.0, 11.0, 0.5),
            (2.092832, 3.749522, 4.236475, 22.107927, 23.121887),
        ),
    ],
)
def test_statistics_of_counts_are_the_peers(statistic, expected) -> None:
    found = (
        statistic.sqrt_ts,
        statistic.compute_errn(),
        statistic.compute_errp(),
        statistic.compute_upper_limit(3),
        statistic.n_sig_matching_significance(5),
    )
    np.testing.assert_allclose(found, expected, rtol=2e-6)


def test_counts_without_any_have_a_limit_only() -> None:
    statistic = CashCountsStatistic(np.array([0.0, 9.0]), np.array([1.5, 1.5]))
    assert np.isnan(statistic.compute_errn()[0])
    np.testing.assert_allclose(statistic.compute_upper_limit(2)[0], 2.0)
    assert statistic.p_value[0] > 0.9
    assert statistic.p_value[1] < 1e-3


def test_sensitivity_gives_the_significance_that_it_promises(spectra) -> None:
    dataset = spectra[0]
    estimator = SensitivityEstimator(n_sigma=5, gamma_min=10)
    rows = estimator.run(dataset)
    spectrum = PowerLawSpectralModel(index=2.0)
    for row in rows:
        amplitude = row["dnde"] / spectrum(row["e_ref"]) * spectrum.amplitude
        models = Models([SkyModel(PowerLawSpectralModel(2.0, amplitude.value), name="s")])
        place = np.argmin(np.abs(dataset.energy.center - row["e_ref"].value))
        assert dataset.npred_signal(models)[place] == pytest.approx(row["excess"], rel=1e-9)
        reached = WStatCountsStatistic(
            row["background"] + row["excess"], dataset.counts_off[place], 0.1
        )
        if row["criterion"] == "significance":
            assert float(reached.sqrt_ts) == pytest.approx(5, rel=1e-9)
        else:
            assert row["excess"] == max(10, 0.05 * row["background"])
            assert float(reached.sqrt_ts) >= 5
    known = SpectrumDataset(
        name="known", energy=dataset.energy, energy_true=dataset.energy_true,
        counts=dataset.counts, exposure=dataset.exposure, edisp=dataset.edisp,
        background=dataset.background,
    )  # fmt: skip
    assert np.all(estimator.run(known)["excess"] <= rows["excess"])
    with pytest.raises(ValueError, match="expected a spectrum"):
        estimator.run(empty_cube("cube"))


def test_a_parameter_is_that_of_the_fit(spectra, models) -> None:
    found = ParameterEstimator(null_value=2.0).run(spectra, models, "crab.spectral.alpha")
    result = Fit(tolerance=1e-11).run(Likelihood(spectra, models))
    place = result.names.index("crab.spectral.alpha")
    assert found["value"] == pytest.approx(result.theta[place], rel=1e-9)
    assert found["err"] == pytest.approx(result.errors[place], rel=1e-9)
    interval = confidence(result, "crab.spectral.alpha")["crab.spectral.alpha"]
    assert found["errn"] == pytest.approx(interval.errn)
    assert found["ul"] == pytest.approx(upper_limit(result, "crab.spectral.alpha"))
    held = models.set("crab.spectral.alpha", value=2.0).freeze("crab.spectral.alpha")
    null = Fit(tolerance=1e-11).run(Likelihood(spectra, held)).stat
    assert found["ts"] == pytest.approx(null - result.stat, rel=1e-6)
    alone = ParameterEstimator(reoptimize=False).run(spectra, models, "crab.spectral.alpha")
    assert alone["err"] < found["err"]
    assert found["success"]
    assert found["message"] == ""
    bound = models.set("crab.spectral.alpha", max=2.5)
    limited = ParameterEstimator().run(spectra, bound, "crab.spectral.alpha")
    assert np.isnan(limited["ul"])
    assert "no upper limit" in limited["message"]


def test_profiles_of_a_source_on_the_sky(cubes) -> None:
    center = SkyCoord(*CENTER, unit="deg")
    regions, distance = rings_around(center, [0.0, 0.15, 0.3, 0.45])
    profile = FluxProfileEstimator(regions=regions, distance=distance).run(cubes)
    flux = profile.values()[:, 0]
    assert flux[0] > 3 * flux[1]
    assert profile.norms.sqrt_ts[0, 0] > 8
    model = PowerLawSpectralModel(index=2.3, amplitude=2e-11)
    expected = float(model.integral(1.0, 16.0))
    assert flux[0] == pytest.approx(expected, rel=0.35)
    table = profile.to_table()
    assert table["x_ref"].unit == "deg"
    assert len(table) == 3
    start = SkyCoord(83.2, 22.01, unit="deg")
    boxes, along = boxes_along(start, SkyCoord(84.06, 22.01, unit="deg"), 5, 0.2 * u.deg)
    line = FluxProfileEstimator(regions=boxes, distance=along).run(cubes)
    assert np.argmax(line.values()[:, 0]) == 2
    with pytest.raises(ValueError, match="ascending"):
        rings_around(center, [0.3, 0.1])


def test_variability_of_curves_with_known_answers(rng) -> None:
    # gammapy 2.1
    assert compute_fvar([1.0, 3, 2, 4], [0.1] * 4) == pytest.approx((0.51484626, 0.02003016))
    noise = rng.normal(0, 1, 400)
    steady = 10 + 0.5 * noise
    value, probability = compute_chisq(steady, np.full(400, 0.5))
    assert 0.001 < probability < 0.999
    assert value == pytest.approx(400, abs=100)
    varying = 10 * np.exp(0.3 * rng.normal(0, 1, 4000))
    found = compute_fvar(varying + rng.normal(0, 0.5, 4000), np.full(4000, 0.5))
    assert abs(found.value - np.sqrt(np.exp(0.09) - 1)) < 0.02
    # white noise differs from its neighbours as much as from its mean
    assert compute_fpp(varying, np.full(4000, 1e-3)).value == pytest.approx(0.307, abs=0.02)
    assert np.isnan(compute_fvar([1.0, 1.0, 1.0], [0.1, 0.1, 0.1]).value)
    with pytest.raises(ValueError, match="at least two"):
        compute_fvar([1.0], [0.1])


def test_times_of_curves_with_known_answers(rng) -> None:
    time = np.arange(10.0)
    flux = np.where(time < 5, 2.0 ** (time / 2), 4 * 0.5 ** (time - 5))
    found = compute_flux_doubling(time, flux, 0.01 * flux)
    assert found["doubling"].value == pytest.approx(2.0, rel=1e-9)
    assert 0.01 < found["doubling"].error < 0.2
    assert found["halving"].value == pytest.approx(1.0, rel=1e-9)
    edges = bayesian_blocks(time, np.where(time < 5, 1.0, 9.0), np.full(10, 0.1))
    assert len(edges) == 3
    assert 4 < edges[1] < 5
    white = 5 + rng.normal(0, 1, 300) + rng.normal(0, 0.5, 300)
    value, error, pairs = structure_function(
        np.arange(300.0), white, np.full(300, 0.5), [0.5, 1.5, 2.5, 10.5], n_toys=100
    )
    assert pairs[0] == 299
    assert np.all(np.abs(value - 2.0) < 0.5)
    assert np.all(error > 0)
