"""Light curves: every flux against a plain fit, intervals of all kinds, tables both ways."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.time import Time, TimeDelta

from gammajax.data import GTI, LightCurve
from gammajax.datasets import Datasets, read_spectrum, write_gadf, write_ogip
from gammajax.estimators import LightCurveEstimator
from gammajax.estimators.intervals import time_bins
from gammajax.estimators.scaled import scaled_models
from gammajax.inference import Fit, Likelihood

START = Time("2006-07-29T20:00:00", scale="utc")
HOURS = (0.0, 0.5, 25.0)


@pytest.fixture(scope="module")
def runs(spectra):
    """Two runs in one night and one in the next, with fluxes of 1, 2 and 0.5."""
    made = []
    for dataset, hour, factor in zip(spectra, HOURS, (1.0, 2.0, 0.5), strict=True):
        start = START + TimeDelta(hour * 3600, format="sec")
        gti = GTI.create(start, start + TimeDelta(1200, format="sec"))
        made.append(dataset.replace(gti=gti, counts=np.round(factor * dataset.counts)))
    return Datasets(made)


@pytest.mark.parametrize(
    ("intervals", "members"),
    [
        ("run", [("sim-1",), ("sim-2",), ("sim-3",)]),
        ("night", [("sim-1", "sim-2"), ("sim-3",)]),
        ([(START, START + TimeDelta(3600, format="sec"))], [("sim-1", "sim-2")]),
    ],
)
def test_each_flux_is_that_of_a_plain_fit(runs, models, intervals, members) -> None:
    curve = LightCurveEstimator(time_intervals=intervals).run(runs, models)
    assert [tuple(names) for names in time_bins(runs, intervals)[1]] == members
    scaled = scaled_models(models, "crab")
    for i, names in enumerate(members):
        fit = Fit(tolerance=1e-13).run(Likelihood([runs[n] for n in names], scaled))
        assert curve.norms.norm[i, 0] == pytest.approx(fit.theta[0], rel=1e-6)
        assert curve.norms.norm_err[i, 0] == pytest.approx(fit.errors[0], rel=1e-6)
        assert curve.norms.stat[i, 0] == pytest.approx(fit.stat, abs=1e-6)
    flux = models["crab"].spectral_model.integral(curve.energy_min, curve.energy_max)
    np.testing.assert_allclose(curve.values()[:, 0], curve.norms.norm[:, 0] * flux)


def test_intervals_are_in_tt(runs, models) -> None:
    curve = LightCurveEstimator(selection_optional=None).run(runs, models)
    assert curve.time_min[0] == pytest.approx(START.tt.mjd, abs=1e-9)
    assert (curve.time_max - curve.time_min) * 86400 == pytest.approx([1200] * 3, abs=1e-3)


def test_one_fit_of_all_times_shares_what_is_refitted(runs, models) -> None:
    free = LightCurveEstimator(method="joint").run(runs, models).norms
    apart = LightCurveEstimator().run(runs, models).norms
    for name in ("norm", "norm_err", "norm_errn", "norm_errp", "norm_ul", "ts"):
        np.testing.assert_allclose(getattr(free, name), getattr(apart, name), rtol=1e-5)
    off = free.covariance - np.diag(np.diag(free.covariance))
    assert np.abs(off).max() < 1e-9 * np.diag(free.covariance).min()


def test_energies_without_data_at_a_time_are_said(runs, models) -> None:
    masked = [runs[0].with_energy_range(2, 30), *list(runs)[1:]]
    curve = LightCurveEstimator(energy_edges=[0.5, 2, 30]).run(masked, models)
    assert np.isnan(curve.norms.norm[0, 0])
    assert np.isfinite(curve.norms.norm).sum() == 5
    assert "no bin of any dataset" in curve.norms.notes[0, 0]
    assert not curve.norms.success[0, 0]


@pytest.mark.parametrize("ending", ["fits", "ecsv"])
@pytest.mark.parametrize("edges", [None, [0.5, 2, 30]])
def test_tables_come_back(runs, models, tmp_path, ending, edges) -> None:
    curve = LightCurveEstimator(energy_edges=edges).run(runs, models)
    path = tmp_path / f"curve.{ending}"
    curve.write(path)
    back = LightCurve.read(path)
    np.testing.assert_allclose(back.time_min, curve.time_min, rtol=1e-15)
    np.testing.assert_allclose(back.energy_max, curve.energy_max)
    for name in ("norm", "norm_ul", "counts", "stat_scan"):
        np.testing.assert_allclose(getattr(back.norms, name), getattr(curve.norms, name))
    np.testing.assert_allclose(back.values(), curve.values())
    for sed_type in ("flux", "e2dnde"):
        # without the reference, which is then a power law of index 2
        curve.write(path, sed_type=sed_type, overwrite=True)
        back = LightCurve.read(path)
        for name in ("norm", "norm_err", "norm_ul"):
            found, expected = (c.values(name, sed_type) for c in (back, curve))
            np.testing.assert_allclose(found, expected)
        np.testing.assert_allclose(back.norms.ts, curve.norms.ts)
        law = back.values("norm", "dnde") * back.energy_ref**2
        np.testing.assert_allclose(back.values("norm", "e2dnde"), law)
    assert curve.plot(sed_type="eflux").get_ylabel().startswith("Energy flux")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"time_intervals": "week"}, "expected 'run', 'night'"),
        ({"time_intervals": [(START, START + TimeDelta(600, format="sec"))]}, "reaches over"),
        (
            {
                "time_intervals": [
                    (START - TimeDelta(3, format="jd"), START - TimeDelta(2, format="jd"))
                ]
            },
            "no dataset lies",
        ),
        ({"method": "joint", "energy_edges": [0.5, 2, 30]}, "one bin of energy"),
    ],
)
def test_bad_input_is_said(runs, models, change, words) -> None:
    with pytest.raises(ValueError, match=words):
        LightCurveEstimator(**change).run(runs, models)


@pytest.mark.parametrize("write", [write_ogip, write_gadf])
def test_files_of_spectra_keep_the_times(runs, tmp_path, write) -> None:
    path = tmp_path / "spectrum.fits"
    write(runs[1], path)
    back = read_spectrum(path)
    np.testing.assert_allclose(back.gti.time_start.tt.mjd, runs[1].gti.time_start.tt.mjd)
    np.testing.assert_allclose(back.gti.stop, runs[1].gti.stop)


def test_datasets_without_times_are_named(spectra, models) -> None:
    with pytest.raises(ValueError, match=r"'sim-1' has no good time intervals"):
        LightCurveEstimator().run(spectra, models)
