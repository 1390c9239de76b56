"""Flux points: tables, chi-squared, upper limits, and fits with other datasets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from gammajax.data import FluxPoints
from gammajax.datasets import Datasets, FluxPointsDataset, SpectrumDataset
from gammajax.inference import Fit, Likelihood, fit_toys
from gammajax.irf import EDispKernel
from gammajax.maps import Map, MapAxis
from gammajax.models import (
    LogParabolaSpectralModel,
    Models,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateSpatialModel,
)

PEER = json.loads((Path(__file__).parents[1] / "peer/data/flux_points.json").read_text())
EDGES = np.geomspace(1, 30, 6)
NAN = float("nan")


def models(amplitude: float = 3e-11, index: float = 2.3) -> Models:
    return Models(SkyModel(PowerLawSpectralModel(index, amplitude), name="crab"))


def points(sed_type: str = "dnde", **options) -> FluxPoints:
    """Points on a power law, shaken by formulas, with a limit at the end."""
    law = PowerLawSpectralModel(2.3, 3e-11)
    low, high = EDGES[:-1], EDGES[1:]
    center = np.sqrt(low * high)
    exact = {
        "dnde": 3e-11 * center**-2.3,
        "e2dnde": 3e-11 * center**-0.3,
        "flux": np.asarray(law.integral(low, high)),
        "eflux": np.asarray(law.energy_flux(low, high)),
    }[sed_type]
    shake = 1 + 0.1 * np.cos(np.arange(5))
    value, error, limit = exact * shake, 0.1 * exact, np.full(5, NAN)
    limit[-1], value[-1], error[-1] = 1.5 * exact[-1], NAN, NAN
    fields = {"energy_min": low, "energy_max": high, "error": error, "limit": limit}
    return FluxPoints(sed_type=sed_type, **{"value": value, **fields, **options})


@pytest.mark.data
@pytest.mark.parametrize("name", PEER["files"])
def test_chi_squared_is_that_of_gammapy(name: str, data_path) -> None:
    expected = PEER["files"][name]
    dataset = FluxPointsDataset.read(data_path(name), name="points", limits=False)
    assert dataset.mask.sum() == expected["points"]
    assert np.nansum(dataset.data.value) == pytest.approx(expected["dnde"], rel=1e-6)
    amplitude = 2.2e-13 if "tests" in name else 3e-11
    found = dataset.stat_sum(models(amplitude))
    assert found == pytest.approx(expected["stat"], rel=1e-6)
    result = Fit().run(Likelihood([dataset], models(amplitude)))
    assert result.success
    assert result.stat <= expected["fit"]["stat"] + 1e-4
    for key in ("index", "amplitude"):
        row = result.models.parameters[f"crab.spectral.{key}"]
        value, error = expected["fit"][key]
        assert row.value == pytest.approx(value, abs=0.02 * error)
        assert row.error == pytest.approx(error, rel=0.02)


@pytest.mark.data
def test_integral_points_are_integrals(data_path) -> None:
    folder = "tests/spectrum/flux_points"
    dataset = FluxPointsDataset.read(data_path(f"{folder}/flux_points.fits"))
    assert dataset.data.sed_type == "flux"
    assert dataset.info_dict()["n_limits"] == 5
    result = Fit().run(Likelihood([dataset], models(2.2e-13, 2.2)))
    spectrum = result.models["crab"].spectral_model
    expected = spectrum.integral(dataset.data.energy_min, dataset.data.energy_max)
    np.testing.assert_allclose(dataset.flux_pred(result.models), expected, rtol=1e-9)
    # the differential points of the same measurement
    other = FluxPointsDataset.read(data_path(f"{folder}/diff_flux_points.fits"))
    again = Fit().run(Likelihood([other], models(2.2e-13, 2.2)))
    for one, two in zip(result.models.parameters, again.models.parameters, strict=True):
        assert one.value == pytest.approx(two.value, abs=max(0.5 * two.error, 1e-30))


@pytest.mark.parametrize("sed_type", ["dnde", "e2dnde", "flux", "eflux"])
def test_statistic_in_the_likelihood_is_that_of_the_dataset(sed_type: str) -> None:
    data = FluxPointsDataset(name="sed", data=points(sed_type), asymmetric=True)
    likelihood = Likelihood([data], models())
    found = float(likelihood.stat(likelihood.start))
    assert found == pytest.approx(data.stat_sum(models()), rel=1e-12)
    exact = [((x - m) / e) ** 2 for x, e, m in zip(
        data.data.value[:4], data.data.error[:4], data.flux_pred(models()), strict=False
    )]  # fmt: skip
    limit = (data.flux_pred(models())[4] / data.data.limit[4] * norm.ppf(0.95)) ** 2
    assert found == pytest.approx(sum(exact) + limit, rel=1e-9)
    theta = likelihood.start
    hessian = np.asarray(likelihood.hessian(theta))
    for i, step in enumerate(1e-5 * np.abs(theta)):
        up, down = theta.copy(), theta.copy()
        up[i] += step
        down[i] -= step
        bend = np.asarray(likelihood.gradient(up)) - np.asarray(likelihood.gradient(down))
        np.testing.assert_allclose(bend / (2 * step), hessian[i], rtol=1e-5)


def test_a_limit_rises_by_the_square_of_its_quantile() -> None:
    limit = FluxPoints(sed_type="dnde", energy_ref=1.0, value=NAN, limit=2e-11)
    data = FluxPointsDataset(name="limit", data=limit)
    nothing, there, beyond = (data.stat_sum(models(a)) for a in (1e-30, 2e-11, 2e-9))
    assert nothing == pytest.approx(0, abs=1e-12)
    assert there == pytest.approx(norm.ppf(0.95) ** 2, rel=1e-9)
    # a model far above the limit is excluded, and not merely disfavoured
    assert beyond == pytest.approx(1e4 * there, rel=1e-9)
    assert data.stat_sum(models(-2e-11)) == pytest.approx(there, rel=1e-9)
    assert not data.replace(limits=False).mask.any()


def test_limits_of_simulated_measurements_leave_fits_unbiased() -> None:
    """Limits from measurements of nothing have the likelihood of the measurements."""
    rng = np.random.default_rng(5)
    sigma = 1e-12
    measured = rng.normal(0.0, sigma, 400)
    ours = FluxPoints(
        sed_type="dnde",
        energy_ref=np.full(400, 1.0),
        value=np.full(400, NAN),
        limit=np.full(400, norm.ppf(0.95) * sigma),
    )
    data = FluxPointsDataset(name="limits", data=ours)
    truth = FluxPointsDataset(
        name="values",
        data=FluxPoints(
            sed_type="dnde",
            energy_ref=np.full(400, 1.0),
            value=measured,
            error=np.full(400, sigma),
        ),
    )
    for amplitude in (1e-13, 5e-13):
        rise = [
            d.stat_sum(models(amplitude)) - d.stat_sum(models(1e-30)) for d in (data, truth)
        ]
        spread = 2 * amplitude / sigma * np.sqrt(400)
        assert rise[0] == pytest.approx(rise[1], abs=4 * spread)


def test_asymmetric_errors_count_on_their_side() -> None:
    given = points(error_low=np.full(5, 1e-12), error_high=np.full(5, 2e-12), error=None)
    np.testing.assert_allclose(given.error, 1.5e-12)
    data = FluxPointsDataset(name="sed", data=given, asymmetric=True)
    model = data.flux_pred(models())
    side = np.where(model < given.value, 1e-12, 2e-12)
    np.testing.assert_allclose(
        data.stat_array(models())[:4], (((given.value - model) / side) ** 2)[:4]
    )


def test_fits_with_counts() -> None:
    energy = MapAxis(np.geomspace(0.5, 20, 9))
    true = energy.rename("energy_true")
    spectrum = SpectrumDataset(
        name="counts",
        energy=energy,
        energy_true=true,
        counts=np.zeros(8),
        exposure=np.full(8, 3e13),
        edisp=EDispKernel.from_diagonal(true, energy),
        background=1.0,
    ).fake(models(), seed=3)
    sed = FluxPointsDataset(name="sed", data=points())
    both = Likelihood([spectrum, sed], models(2e-11, 2.0))
    parts = spectrum.stat_sum(both.models) + sed.stat_sum(both.models)
    assert float(both.stat(both.start)) == pytest.approx(parts, rel=1e-12)
    result = Fit().run(both)
    alone = [Fit().run(Likelihood([data], models())) for data in (spectrum, sed)]
    errors = [fit.models.parameters["crab.spectral.index"].error for fit in (result, *alone)]
    assert result.success
    assert errors[0] < min(errors[1:])
    with pytest.raises(ValueError, match="fit_toys simulates counts, and sed has flux points"):
        fit_toys(both, n_toys=2)


@pytest.mark.parametrize("ending", [".fits", ".ecsv"])
@pytest.mark.parametrize("sed_type", ["dnde", "flux"])
def test_tables_go_both_ways(tmp_path, ending: str, sed_type: str) -> None:
    given = points(sed_type, ts=np.arange(5.0), confidence=0.9)
    given.write(tmp_path / f"sed{ending}")
    again = FluxPoints.read(tmp_path / f"sed{ending}")
    assert (again.sed_type, again.confidence) == (sed_type, 0.9)
    for name in ("value", "error", "error_low", "limit", "energy_ref", "energy_max", "ts"):
        np.testing.assert_allclose(getattr(again, name), getattr(given, name), err_msg=name)
    np.testing.assert_array_equal(again.is_limit, given.is_limit)


def test_lists_of_datasets(tmp_path) -> None:
    sed = FluxPointsDataset(name="sed", data=points()).with_energy_range(1.9, 31)
    assert sed.mask.sum() == 4
    Datasets([sed]).write(tmp_path / "list.yaml")
    again = Datasets.read(tmp_path / "list.yaml")["sed"]
    np.testing.assert_array_equal(again.mask, sed.mask)
    assert again.stat_sum(models()) == pytest.approx(sed.stat_sum(models()), rel=1e-12)
    text = (
        (tmp_path / "list.yaml")
        .read_text()
        .replace("sed.fits", "sed.fits\n  energy_min: 4 TeV")
    )
    (tmp_path / "narrow.yaml").write_text(text)
    assert Datasets.read(tmp_path / "narrow.yaml")["sed"].mask.sum() == 2
    sliced = again.replace(mask_fit=None).slice_by_energy(4, 31)
    assert len(sliced.data) == 2
    assert Datasets([again]).slice_by_energy(4, 31).names == ("sed",)
    assert "n_limits=1" in repr(again)


def test_a_point_with_nothing_is_left_out_and_told() -> None:
    value, limit = points().value.copy(), points().limit.copy()
    value[0], limit[-1] = NAN, NAN
    data = FluxPointsDataset(name="sed", data=points(value=value, limit=limit))
    assert data.mask.tolist() == [False, True, True, True, False]
    assert data.info_dict()["n_points"] == 5
    assert data.info_dict()["n_bins"] == 3
    residuals = data.residuals(models(), method="diff/error")
    assert np.isfinite(residuals).sum() == 3
    with pytest.raises(ValueError, match="method is 'x', expected diff"):
        data.residuals(models(), method="x")


def test_curved_spectra_and_several_components() -> None:
    curved = LogParabolaSpectralModel(amplitude=1e-11, alpha=2.0, beta=0.1)
    both = Models(
        [
            SkyModel(PowerLawSpectralModel(2.3, 3e-11), name="one", datasets_names=("sed",)),
            SkyModel(curved, name="two"),
            SkyModel(PowerLawSpectralModel(2.0, 1e-9), name="far", datasets_names=("other",)),
        ]
    )
    for sed_type in ("dnde", "flux"):
        sed = FluxPointsDataset(name="sed", data=points(sed_type))
        single = [sed.flux_pred(Models([both[name]])) for name in ("one", "two")]
        np.testing.assert_allclose(sed.flux_pred(both), sum(single))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"confidence": 95}, "confidence is 95, expected a level"),
        ({"error": np.zeros(5)}, "error_low is 0, expected more than 0"),
        ({"limit": np.full(5, -1.0)}, "limit is -1, expected more than 0"),
        ({"error": np.ones(3)}, r"error has shape \(3,\), expected \(5,\)"),
        ({"energy_min": None}, "energy_ref is nan TeV, and dnde needs"),
        ({"sed_type": "flux", "energy_max": None}, "energy_max is nan TeV, and flux needs"),
        ({"energy_max": EDGES[:-1]}, "energy_max that is not above energy_min"),
    ],
)
def test_bad_points_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        points(**options)


def test_bad_files_and_models_are_named(tmp_path) -> None:
    with pytest.raises(ValueError, match="sed_type is 'norm', expected dnde, e2dnde, flux"):
        FluxPoints(sed_type="norm", value=1.0)
    with pytest.raises(ValueError, match=r"none\.fits: there is no such file"):
        FluxPoints.read(tmp_path / "none.fits")
    (tmp_path / "bad.fits").write_text("x")
    with pytest.raises(ValueError, match=r"bad\.fits: is damaged or no table"):
        FluxPoints.read(tmp_path / "bad.fits")
    points().write(tmp_path / "sed.ecsv")
    text = (tmp_path / "sed.ecsv").read_text().replace("SED_TYPE: dnde", "SED_TYPE: flux")
    (tmp_path / "flux.ecsv").write_text(text)
    with pytest.raises(ValueError, match="there is no column 'flux' for SED_TYPE 'flux'"):
        FluxPoints.read(tmp_path / "flux.ecsv")
    sed = FluxPointsDataset(name="sed", data=points())
    image = Map.create(npix=2, unit="cm-2 s-1 TeV-1 sr-1")
    iem = TemplateSpatialModel(image.with_data(image.data + 1.0), normalize=False)
    template = Models([SkyModel(PowerLawNormSpectralModel(), iem, name="iem"), *models()])
    with pytest.raises(ValueError, match=r"'iem' has a norm .* and 'sed' has flux points"):
        Likelihood([sed], template)
    with pytest.raises(ValueError, match=r"'sed': mask_fit has shape \(2,\)"):
        sed.replace(mask_fit=[True, False])
