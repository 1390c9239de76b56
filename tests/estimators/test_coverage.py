"""Coverage of limits and laws of test statistics, by a thousand toys in one batch."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import kstest, norm, poisson

from gammajax.datasets import SpectrumDataset
from gammajax.estimators import toy_norms
from gammajax.estimators.scaled import scaled_models
from gammajax.inference import Fit, Likelihood
from gammajax.stats import CashCountsStatistic, WStatCountsStatistic

from .conftest import cube_models, empty_cube


def spectrum(one, kind, level):
    """One spectrum with a background that falls, known or measured in ten regions."""
    background = level * one.energy.center**-1.2
    if kind == "wstat":
        return one.replace(
            counts_off=10 * background, acceptance=np.ones(8), acceptance_off=np.full(8, 10.0)
        )
    names = ("name", "energy", "energy_true", "counts", "exposure", "edisp", "livetime")
    return SpectrumDataset(**{n: getattr(one, n) for n in names}, background=background)


@pytest.mark.parametrize("kind", ["cash", "wstat"])
def test_limits_and_errors_of_a_thousand_toys_cover(spectra, models, kind) -> None:
    """To 3 binomial errors where there are tens of counts."""
    data = spectrum(spectra[0], kind, 10.0)
    toys = toy_norms([data], models, norm=0.3, n_toys=1000, seed=1)
    assert toys.success.all()
    for sigma, inside in (
        (norm.cdf(2), toys.norm_ul >= 0.3),
        (norm.cdf(1) - norm.cdf(-1), (toys.norm - toys.norm_errn <= 0.3)
         & (toys.norm + toys.norm_errp >= 0.3)),
    ):  # fmt: skip
        error = np.sqrt(sigma * (1 - sigma) / 1000)
        assert inside.mean() == pytest.approx(sigma, abs=3 * error + 0.002)
    assert toys.norm.mean() == pytest.approx(0.3, abs=4 * toys.norm_err.mean() / np.sqrt(1000))


@pytest.mark.parametrize("kind", ["cash", "wstat"])
def test_significance_without_a_source_is_a_unit_normal(spectra, models, kind) -> None:
    data = spectrum(spectra[0], kind, 60.0)
    toys = toy_norms([data], models, norm=0.0, n_toys=1000, seed=2)
    root = np.sign(toys.norm) * np.sqrt(np.maximum(toys.ts, 0))
    assert kstest(root, "norm").pvalue > 1e-3


@pytest.mark.parametrize("kind", ["cash", "wstat"])
def test_a_toy_is_a_plain_fit(spectra, models, kind) -> None:
    data = spectrum(spectra[0], kind, 10.0)
    toys = toy_norms([data, spectrum(spectra[1], kind, 5.0)], models, n_toys=3, seed=3)
    rng = np.random.default_rng(3)
    drawn = []
    for one, level in ((data, 10.0), (spectrum(spectra[1], kind, 5.0), 5.0)):
        back = level * one.energy.center**-1.2
        on = rng.poisson(one.npred_signal(models) + back, (3, 8))
        fields = {"counts": on[2]}
        if kind == "wstat":
            fields["counts_off"] = rng.poisson(10 * back, (3, 8))[2]
        drawn.append(one.replace(**fields))
    fit = Fit(tolerance=1e-13).run(Likelihood(drawn, scaled_models(models, "crab")))
    assert toys.norm[2] == pytest.approx(fit.theta[0], rel=1e-6)
    assert toys.norm_err[2] == pytest.approx(fit.errors[0], rel=1e-6)
    assert toys.counts[2].tolist() == [d.counts.sum() for d in drawn]


def li_ma(n_on, n_off, alpha):
    """Equation 17 of Li and Ma (1983), with the sign of the excess; plain numpy."""
    with np.errstate(divide="ignore", invalid="ignore"):
        first = n_on * np.log((1 + alpha) / alpha * n_on / (n_on + n_off))
        second = n_off * np.log((1 + alpha) * n_off / (n_on + n_off))
    ts = 2 * (np.where(n_on > 0, first, 0) + np.where(n_off > 0, second, 0))
    return np.sign(n_on - alpha * n_off) * np.sqrt(np.maximum(ts, 0))


@pytest.mark.parametrize(
    ("background", "alpha", "mean"),
    [
        (0.1, 1.0, 0.0),
        (0.1, 0.1, -0.145),
        (0.3, 0.2, -0.169),
        (1.0, 0.1, -0.194),
        (20, 0.1, -0.033),
    ],
)
def test_few_counts_have_the_law_of_the_statistic(background, alpha, mean) -> None:
    """The mean of an empty field is not 0: exact sums over all counts, by another formula."""
    on = np.arange(0, 80)[:, None].astype(float)
    off = np.arange(0, 600)[None, :].astype(float)
    weight = poisson.pmf(on, background) * poisson.pmf(off, background / alpha)
    by_hand = li_ma(on, off, alpha)
    n_on, n_off = np.broadcast_arrays(on, off)
    found = WStatCountsStatistic(n_on, n_off, np.full(n_on.shape, alpha)).sqrt_ts
    np.testing.assert_allclose(found, by_hand, atol=2e-6)
    assert weight.sum() == pytest.approx(1, abs=1e-6)
    assert float((weight * found).sum()) == pytest.approx(mean, abs=1e-3)


def wstat_by_hand(signal, n_on, n_off, alpha):
    """-2 ln L of all bins with the background of each at its best, from the quadratic."""
    c = alpha * (n_on + n_off) - (1 + alpha) * signal
    back = (c + np.sqrt(c**2 + 4 * (1 + alpha) * alpha * n_off * signal)) / (
        2 * alpha * (1 + alpha)
    )
    on, off = signal + alpha * back, back

    def part(n, mu):
        logs = np.where(n > 0, n * np.log(np.maximum(n, 1) / np.maximum(mu, 1e-300)), 0)
        return mu - n + logs

    return 2 * float(np.sum(part(n_on, on) + part(n_off, off)))


def test_many_bins_with_few_off_counts_favour_a_signal(spectra, models) -> None:
    """The mean significance of an empty field is about +0.3: of WStat, and not of the fits.

    A count on where there is none off is explained by a signal alone. With a known background
    there is no such shift.
    """
    level = np.full(8, 0.3)
    few = [
        one.replace(
            counts_off=10 * level, acceptance=np.ones(8), acceptance_off=np.full(8, 10.0)
        )
        for one in spectra
    ]
    toys = toy_norms(few, models, norm=0.0, n_toys=400, seed=4, selection_optional=None)
    root = np.sign(toys.norm) * np.sqrt(np.maximum(toys.ts, 0.0))
    unit = np.array([one.npred_signal(models) for one in few])
    rng = np.random.default_rng(4)
    drawn = [(rng.poisson(level, (400, 8)), rng.poisson(10 * level, (400, 8))) for _ in few]
    for toy in range(40):
        on, off = (np.array([d[k][toy] for d in drawn], dtype=float) for k in (0, 1))
        stat = partial(lambda n, on, off: wstat_by_hand(n * unit, on, off, 0.1), on=on, off=off)
        fit = minimize_scalar(stat, bounds=(0, 3), method="bounded", options={"xatol": 1e-10})
        ts = max(stat(0.0) - min(fit.fun, stat(0.0)), 0.0)
        assert max(root[toy], 0.0) == pytest.approx(np.sqrt(ts), abs=2e-3)
    known = []
    for one in spectra:
        cash = spectrum(one, "cash", 1.0)
        known.append(cash.replace(background=level))
    plain = toy_norms(known, models, norm=0.0, n_toys=400, seed=4, selection_optional=None)
    flat = np.sign(plain.norm) * np.sqrt(np.maximum(plain.ts, 0.0))
    assert root.mean() > flat.mean() + 0.15
    assert root.mean() == pytest.approx(0.3, abs=0.2)


@pytest.mark.parametrize("signal", [0.5, 3.0, 10.0])
@pytest.mark.parametrize("kind", ["cash", "wstat"])
def test_limits_of_single_counts_cover(kind, signal) -> None:
    """Exact coverage of 2 sigma limits of one bin with a background of 2: 0.95 or more.

    A limit never is below that of no excess, so that few counts cover more than asked for.
    """
    rng = np.random.default_rng(5)
    on = rng.poisson(2 + signal, 4000).astype(float)
    statistic = CashCountsStatistic(on, np.full(4000, 2.0))
    if kind == "wstat":
        statistic = WStatCountsStatistic(on, rng.poisson(20, 4000), np.full(4000, 0.1))
    assert np.mean(statistic.compute_upper_limit(2.0) >= signal) > 0.95


def test_what_toys_cannot_do_is_said(spectra, models) -> None:
    with pytest.raises(ValueError, match="expected a spectrum"):
        toy_norms([empty_cube("one")], cube_models("one"), source="crab", n_toys=2)
    with pytest.raises(ValueError, match="n_toys is 0"):
        toy_norms(spectra, models, n_toys=0)
    dark = spectra[0].replace(exposure=np.zeros(16))
    toys = toy_norms([dark], models, n_toys=4)
    assert np.isnan(toys.norm).all()
    assert "no dataset has exposure" in toys.notes[0]
    bound = toy_norms([spectrum(spectra[0], "cash", 10.0)], models, n_toys=30, norm_max=0.5)
    assert (bound.norm <= 0.5).all()
    assert any("upper bound" in note for note in bound.notes)
    assert any("no upper limit" in note for note in bound.notes)
