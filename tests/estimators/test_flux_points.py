"""Flux points: every number against a plain fit of the same data, and edge cases in words."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.data import FluxPoints
from gammajax.datasets import Datasets
from gammajax.estimators import FluxPointsEstimator
from gammajax.estimators.energy_bins import energy_bins, narrowed
from gammajax.estimators.scaled import norm_name, scaled_models
from gammajax.inference import Fit, Likelihood
from gammajax.inference.scan import conditional_fits
from gammajax.models import Models, PowerLawSpectralModel, SkyModel
from gammajax.plots import plot_flux_profiles

from .conftest import cube_models

EDGES = [0.5, 1.4, 4, 30]
EXACT = Fit(tolerance=1e-13)


def plain_fits(datasets, models, source, edges, reoptimize=False):
    """For each bin, the fit of the scaled models to the data in it, and without a source."""
    scaled = scaled_models(models, source, reoptimize)
    norm = norm_name(source)
    for energy_bin in energy_bins(datasets, edges):
        parts = [narrowed(d, energy_bin.inside[d.name]) for d in datasets]
        likelihood = Likelihood(parts, scaled)
        best = EXACT.run(likelihood)
        place = best.names.index(norm)
        if len(best.names) == 1:
            without = float(best.likelihood.stat(np.zeros(1)))
        else:
            # from the start: far from it there may be other minima
            absent = likelihood.models.set(norm, value=0.0).freeze(norm)
            without = EXACT.run(likelihood.with_models(absent)).stat
        yield best, place, without


def held_stats(best, place, values):
    """The statistic with the norm held, all else fitted again."""
    if len(best.names) == 1:
        return np.array([float(best.likelihood.stat(np.array([v]))) for v in values])
    held = np.full((len(values), 1), place)
    return conditional_fits(best, held, np.array(values)[:, None], 1e-13).stat


def check_against_plain_fits(datasets, models, source, edges, reoptimize=False):
    datasets = Datasets(datasets)
    estimator = FluxPointsEstimator(
        energy_edges=edges, source=source, reoptimize=reoptimize, norm_scan=[0.5, 1.5]
    )
    norms = estimator.run(datasets, models).norms
    assert norms is not None
    assert norms.success.all(), norms.notes
    fits = plain_fits(datasets, models, source, edges, reoptimize)
    for i, (best, place, without) in enumerate(fits):
        assert norms.norm[i] == pytest.approx(best.theta[place], rel=1e-6)
        assert norms.norm_err[i] == pytest.approx(best.errors[place], rel=1e-6)
        assert norms.stat[i] == pytest.approx(best.stat, abs=1e-6)
        low, high = norms.norm[i] - norms.norm_errn[i], norms.norm[i] + norms.norm_errp[i]
        stat = held_stats(best, place, [0.5, 1.5, low, high, norms.norm_ul[i]])
        assert norms.stat_null[i] == pytest.approx(without, abs=1e-6)
        assert norms.ts[i] == pytest.approx(without - best.stat, rel=1e-6)
        np.testing.assert_allclose(norms.stat_scan[i], stat[:2], atol=1e-6, rtol=0)
        np.testing.assert_allclose(stat[2:] - best.stat, [1, 1, 4], rtol=1e-6)
    return norms


def test_spectra_against_plain_fits(spectra, models) -> None:
    norms = check_against_plain_fits(spectra, models, "crab", EDGES)
    counts = sum(d.counts.sum() for d in spectra)
    assert norms.counts.sum() == counts
    assert abs(norms.npred.sum() - counts) < 0.1 * counts


def test_spectra_with_another_source_refitted(spectra, models) -> None:
    """A second source whose index is fitted again: predictions are no straight lines."""
    other = SkyModel(
        PowerLawSpectralModel(index=3.0, amplitude=3e-12),
        name="other",
        datasets_names=["sim-1", "sim-2"],
    )
    both = (models + Models([other])).freeze("other.spectral.amplitude")
    check_against_plain_fits(spectra, both, "crab", [0.5, 4, 30], reoptimize="other.*.index")


def test_cubes_against_plain_fits(cubes) -> None:
    models = cube_models("one", "two")
    check_against_plain_fits(cubes, models, "crab", [1, 16], reoptimize="*.norm")


def test_a_spectrum_and_a_cube_together(spectra, cubes) -> None:
    models = cube_models("one")
    datasets = [spectra[0], cubes[0]]
    check_against_plain_fits(datasets, models, "crab", [1, 16])


def test_all_points_in_one_fit_have_a_covariance(spectra, models) -> None:
    estimator = FluxPointsEstimator(energy_edges=EDGES, method="joint")
    points = estimator.run(spectra, models)
    norms = points.norms
    np.testing.assert_allclose(np.sqrt(np.diag(norms.covariance)), norms.norm_err)
    correlation = norms.covariance / np.outer(norms.norm_err, norms.norm_err)
    assert correlation[0, 1] < -0.1  # neighbours share events
    pulls = (norms.norm - 1) / norms.norm_err
    assert np.all(np.abs(pulls) < 4)
    assert norms[1:].covariance.shape == (2, 2)


def test_a_bin_without_counts_has_a_limit_only(spectra, models) -> None:
    empty = [d.replace(counts=np.where(centers(d) > 8, 0.0, d.counts)) for d in spectra]
    points = FluxPointsEstimator(energy_edges=[0.5, 8, 30]).run(empty, models)
    norms = points.norms
    assert norms.norm[1] == 0.0
    assert np.isnan([norms.norm_err[1], norms.norm_errn[1]]).all()
    assert norms.ts[1] == pytest.approx(0.0, abs=1e-12)
    predicted = FluxPointsEstimator(energy_edges=[8, 30]).run(spectra, models).norms
    unit = predicted.npred_excess.sum() / predicted.norm[0]
    # without counts W = 2 mu, so the rise of 4 is at two predicted counts
    assert norms.norm_ul[1] * unit == pytest.approx(2.0, rel=1e-6)
    assert norms.norm_errp[1] * unit == pytest.approx(0.5, rel=1e-6)
    assert not norms.success[1]
    assert "no counts" in norms.notes[1]
    assert points.is_limit.tolist() == [False, True]


def test_a_best_fit_at_a_kink_has_the_errors_of_its_profile(spectra, models) -> None:
    """A bin with neither on nor off counts allows no norm below 0, others want one."""
    counts, off = np.ones(8), np.full(8, 15.0)
    counts[6:], off[6:] = 0.0, 0.0
    low = [d.replace(counts=counts, counts_off=off) for d in spectra]
    norms = FluxPointsEstimator(energy_edges=[0.5, 30]).run(low, models).norms
    assert norms.norm[0] == pytest.approx(0.0, abs=1e-12)
    assert norms.success[0]
    assert "reach 0" in norms.notes[0]
    assert norms.norm_err[0] == pytest.approx((norms.norm_errn[0] + norms.norm_errp[0]) / 2)


def centers(dataset):
    return dataset.energy.center


def test_a_run_without_exposure_is_named(spectra, models) -> None:
    dark = spectra[0].replace(exposure=np.zeros(16), name="dark")
    kept = list(spectra)[1:]
    with_dark = FluxPointsEstimator(energy_edges=EDGES).run([dark, *kept], models).norms
    without = FluxPointsEstimator(energy_edges=EDGES).run(kept, models).norms
    assert all("dark without exposure" in note for note in with_dark.notes)
    np.testing.assert_allclose(with_dark.norm, without.norm, rtol=1e-9)
    np.testing.assert_allclose(with_dark.norm_ul, without.norm_ul, rtol=1e-9)
    alone = FluxPointsEstimator(energy_edges=EDGES).run([dark], models)
    assert np.isnan(alone.value).all()
    assert not alone.norms.success.any()
    assert all("no dataset has exposure" in note for note in alone.norms.notes)


def test_bounds_that_are_reached_are_said(spectra, models) -> None:
    norms = FluxPointsEstimator(energy_edges=EDGES, norm_min=0.0, norm_max=0.5).run(
        spectra, models
    ).norms  # fmt: skip
    assert np.all(norms.norm == 0.5)
    assert not norms.success.any()
    assert all("upper bound 0.5" in note for note in norms.notes)
    assert np.isnan(norms.norm_ul).all()
    assert all("there is no upper limit" in note for note in norms.notes)


def test_a_limit_below_zero_is_said(spectra, models) -> None:
    """Many more off counts than on counts: even the limit is negative."""
    low = [d.replace(counts=np.full(8, 1.0), counts_off=np.full(8, 400.0)) for d in spectra]
    points = FluxPointsEstimator(energy_edges=[0.5, 2, 30]).run(low, models)
    assert np.all(points.norms.norm < 0)
    assert np.all(points.norms.norm_ul < 0)
    assert all("not above 0" in note for note in points.norms.notes)
    assert np.isnan(points.limit).all()


def test_tables_come_back(spectra, models, tmp_path) -> None:
    points = FluxPointsEstimator(energy_edges=EDGES).run(spectra, models)
    for ending in ("fits", "ecsv"):
        path = tmp_path / f"sed.{ending}"
        points.write(path, sed_type="likelihood")
        back = FluxPoints.read(path)
        np.testing.assert_allclose(back.value, points.value)
        np.testing.assert_allclose(back.norms.stat_scan, points.norms.stat_scan)
        np.testing.assert_allclose(back.norms.counts, points.norms.counts)
        assert back.norms.n_sigma_ul == pytest.approx(2.0)
        flux = points.to_sed_type("flux")
        np.testing.assert_allclose(back.to_sed_type("flux").value, flux.value)
        points.write(path, sed_type="eflux", overwrite=True)
        assert FluxPoints.read(path).sed_type == "eflux"
    with pytest.raises(ValueError, match="no norms"):
        FluxPoints.read(path).to_sed_type("dnde")


def test_profiles_are_drawn(spectra, models) -> None:
    scan = np.geomspace(0.2, 5, 41)
    points = FluxPointsEstimator(energy_edges=EDGES, norm_scan=scan).run(spectra, models)
    ax = plot_flux_profiles(points)
    assert len(ax.collections) == 3
    bare = FluxPointsEstimator(energy_edges=EDGES, selection_optional=None)
    with pytest.raises(ValueError, match="likelihood scan"):
        plot_flux_profiles(bare.run(spectra, models))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"energy_edges": [3, 1]}, "ascend"),
        ({"energy_edges": [100, 200]}, "has its centre"),
        ({"source": "vela"}, "no component"),
        ({"reoptimize": "other.*"}, "matches none"),
    ],
)
def test_bad_input_is_said(spectra, models, options, words) -> None:
    with pytest.raises(ValueError, match=words):
        FluxPointsEstimator(**{"energy_edges": EDGES, **options}).run(spectra, models)


@pytest.mark.parametrize(
    "options", [{"selection_optional": "scn"}, {"n_sigma": 0}, {"method": "both"},
                {"norm_min": 2, "norm_max": 1}]
)  # fmt: skip
def test_bad_options_are_errors_at_once(options) -> None:
    with pytest.raises(ValueError, match=r"expected|none of"):
        FluxPointsEstimator(**options)
