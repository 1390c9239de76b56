"""On-off counts cubes: files, predictions, and a sparse WStat that equals the dense one."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.datasets import Datasets, MapDataset, MapDatasetOnOff
from gammajax.fold import FoldOptions
from gammajax.inference import Fit, Likelihood
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    FoVBackgroundModel,
    GaussianSpatialModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)

CENTER = (83.63, 22.01)


def fields(name: str = "rings", width: float = 1.0):
    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(skydir=CENTER, width=width, binsz=0.1, proj="TAN", axes=[energy])
    exposure = Map.from_geom(geom.to_image().to_cube([true]), data=1e13, unit="cm2 s")
    return {
        "name": name,
        "exposure": exposure,
        "psf": PSFMap.from_gauss(true, sigma=0.06),
    }, geom


def on_off(seed: int = 4, **options) -> MapDatasetOnOff:
    given, geom = fields(**options)
    rng = np.random.default_rng(seed)
    lon = geom.get_coord()["lon"]
    acceptance_off = 5 + 20 * (lon - lon.min())
    off = rng.poisson(0.3 * acceptance_off)
    maps = {
        "counts": rng.poisson(0.3, geom.data_shape),
        "counts_off": np.where(rng.random(geom.data_shape) < 0.2, 0, off),
        "acceptance": np.ones(geom.data_shape),
        "acceptance_off": acceptance_off,
    }
    arrays = {key: Map.from_geom(geom, data=data.astype(float)) for key, data in maps.items()}
    mask = Map.from_geom(geom, data=geom.separation(CENTER) < 0.45 + 0 * lon)
    return MapDatasetOnOff(**given, **arrays, mask_safe=mask)


def crab(amplitude: float = 2e-12, spatial=None) -> SkyModel:
    spatial = spatial or GaussianSpatialModel(*CENTER, "0.1 deg")
    return SkyModel(PowerLawSpectralModel(amplitude=amplitude), spatial, name="crab")


def test_sparse_statistic_is_the_dense_sum() -> None:
    models = Models([crab()]).freeze("*.spatial.*")
    data = on_off()
    assert 0 < np.sum(data.counts.data == 0) < data.counts.data.size
    options = FoldOptions(totals="sum")
    likelihood = Likelihood([data], models, options)
    for factor in (1.0, 3.0, 0.1):
        theta = likelihood.start.copy()
        theta[likelihood.names.index("crab.spectral.amplitude")] *= factor
        found = float(likelihood.stat(theta))
        dense = data.stat_sum(likelihood.models_at(theta))
        assert found == pytest.approx(dense, abs=1e-4)


def test_empty_bins_in_their_sum_are_the_same_as_one_by_one() -> None:
    models = Models([crab()])
    data = on_off()
    # bins with next to no counts are predicted one by one, and have the statistic of empty ones
    counts = np.where(data.counts.data == 0, 1e-200, data.counts.data)
    options = FoldOptions(totals="sum")
    sparse, dense = (
        Likelihood([d], models, options)
        for d in (data, data.replace(counts=data.counts.with_data(counts)))
    )
    found, expected = (float(one.stat(one.start)) for one in (sparse, dense))
    assert found == pytest.approx(expected, rel=1e-9)
    slopes = [np.asarray(one.gradient(one.start)) for one in (sparse, dense)]
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-7, atol=1e-7)


def test_derivatives_are_those_of_the_statistic() -> None:
    likelihood = Likelihood([on_off()], Models([crab()]))
    theta = likelihood.start
    gradient = np.asarray(likelihood.gradient(theta))
    fisher = np.asarray(likelihood.fisher(theta))
    assert np.linalg.eigvalsh(fisher)[0] >= 0
    np.testing.assert_allclose(fisher, fisher.T)
    hessian = np.asarray(likelihood.hessian(theta))
    for i, step in enumerate(1e-4 / np.sqrt(np.diag(fisher))):
        up, down = theta.copy(), theta.copy()
        up[i] += step
        down[i] -= step
        slope = float(likelihood.stat(up)) - float(likelihood.stat(down))
        assert slope / 2 == pytest.approx(gradient[i] * step, abs=1e-8)
        bend = np.asarray(likelihood.gradient(up)) - np.asarray(likelihood.gradient(down))
        scale = step / np.sqrt(np.diag(fisher))
        np.testing.assert_allclose(bend / (2 * step) * scale, hessian[i] * scale, atol=1e-7)


def test_fit_of_predictions_finds_the_truth() -> None:
    models = Models([crab(1e-11)])
    data = on_off().asimov(models)
    start = models.set("crab.spectral.amplitude", value=6e-12)
    start = start.set("crab.spatial.lon_0", value=CENTER[0] + 0.04)
    result = Fit().run(Likelihood([data], start))
    assert result.success
    for row in result.models.parameters:
        if row.free:
            assert row.value == pytest.approx(
                models.parameters[row.name].value, abs=0.02 * row.error
            )


def test_fits_with_cubes_of_the_other_kind() -> None:
    given, geom = fields("known")
    background = Map.from_geom(geom, data=0.3)
    known = MapDataset(counts=background, background=background, **given)
    models = Models([crab(1e-11), FoVBackgroundModel(datasets_names="known")])
    models = models.freeze("*.spatial.*")
    known = known.fake(models, seed=2)
    rings = on_off().fake(models, 0.3, seed=1)
    both = Likelihood([known, rings], models)
    parts = sum(data.stat_sum(models) for data in (known, rings))
    assert float(both.stat(both.start)) == pytest.approx(parts, abs=0.01)
    result = Fit().run(both)
    assert result.success
    amplitude = result.models.parameters["crab.spectral.amplitude"]
    assert amplitude.value == pytest.approx(1e-11, abs=4 * amplitude.error)


def test_predictions_of_signal_and_background() -> None:
    data = on_off()
    models = Models([crab()])
    signal = data.npred_signal(models).data
    background = data.npred_background(models).data
    np.testing.assert_allclose(data.npred(models).data, signal + background)
    empty = data.counts.data == 0
    alpha = data.alpha.data
    np.testing.assert_allclose(
        background[empty], (alpha * data.counts_off.data / (1 + alpha))[empty], rtol=1e-6
    )
    np.testing.assert_allclose(data.background.data, alpha * data.counts_off.data)
    info = data.info_dict()
    assert info["excess"] == pytest.approx(info["counts"] - info["background"])
    assert "counts_off" in repr(data)
    assert np.isfinite(data.residuals(models).data).all()


def test_fake_has_the_expected_means() -> None:
    data = on_off()
    faked = data.fake(Models([crab(1e-10)]), 2.0, seed=1)
    expected = data.npred_signal(Models([crab(1e-10)])).data.sum() + 2.0 * data.counts.data.size
    assert faked.counts.data.sum() == pytest.approx(expected, abs=4 * np.sqrt(expected))
    off = (2.0 / data.alpha.data).sum()
    assert faked.counts_off.data.sum() == pytest.approx(off, abs=4 * np.sqrt(off))
    with pytest.raises(ValueError, match=r"'rings': npred_background is -1 in 200 of 200"):
        data.fake(None, -1.0, seed=1)


def test_a_bin_without_alpha_is_named() -> None:
    data = on_off()
    acceptance_off = data.acceptance_off.data.copy()
    acceptance_off[1, 5, 3:5] = 0
    data = data.replace(acceptance_off=data.counts.with_data(acceptance_off))
    with pytest.raises(
        ValueError, match=r"'rings': alpha is 0 in 2 of \d+ bins, at energy bins 1"
    ):
        Likelihood([data], Models([crab()]))
    assert np.isnan(data.stat_array(None)).sum() == 2


def test_templates_of_a_background_are_refused() -> None:
    models = Models([crab(), FoVBackgroundModel(datasets_names="rings")])
    with pytest.raises(ValueError, match=r"'rings' has its background from off counts"):
        Likelihood([on_off()], models)
    with pytest.raises(ValueError, match=r"'rings' has its background from off counts"):
        on_off().npred_signal(models)


def test_a_signal_below_what_the_background_allows_is_counted() -> None:
    models = Models([crab(-1e-10, PointSpatialModel(*CENTER))]).freeze("*.spatial.*")
    likelihood = Likelihood([on_off()], models)
    (term,) = likelihood.problem.terms
    mu = term.predict(likelihood.problem.stacks, np.array([r.value for r in models.parameters]))
    assert int(term.negative_bins(mu)) == 1
    assert int(term.negative_bins(-mu)) == 0


def test_files_go_both_ways(tmp_path) -> None:
    data = on_off().with_energy_range("1 TeV", "3.2 TeV")
    Datasets([data]).write(tmp_path / "list.yaml")
    again = Datasets.read(tmp_path / "list.yaml")["rings"]
    assert type(again) is MapDatasetOnOff
    for key in ("counts", "counts_off", "acceptance", "acceptance_off", "alpha"):
        np.testing.assert_array_equal(getattr(again, key).data, getattr(data, key).data)
    np.testing.assert_array_equal(again.mask, data.mask)
    with pytest.raises(ValueError, match="holds a MapDatasetOnOff, expected a MapDataset"):
        MapDataset.read(tmp_path / "rings.fits")
    text = (tmp_path / "list.yaml").read_text().replace("MapDatasetOnOff", "MapDataset")
    (tmp_path / "wrong.yaml").write_text(text)
    with pytest.raises(ValueError, match="holds a MapDatasetOnOff, expected a MapDataset"):
        Datasets.read(tmp_path / "wrong.yaml")


def test_from_and_to_a_known_background() -> None:
    data = on_off()
    known = data.to_map_dataset(name="known")
    assert type(known) is MapDataset
    np.testing.assert_array_equal(known.background.data, data.background.data)
    np.testing.assert_array_equal(known.mask, data.mask)
    again = MapDatasetOnOff.from_map_dataset(known, counts_off=data.counts_off)
    seen = data.counts_off.data > 0
    np.testing.assert_allclose(again.alpha.data[seen], data.alpha.data[seen])
    np.testing.assert_allclose(again.background.data, data.background.data)
    same = MapDatasetOnOff.from_map_dataset(
        known, counts_off=data.counts_off, acceptance_off=data.acceptance_off, name="rings"
    )
    assert same.stat_sum() == pytest.approx(data.stat_sum(), rel=1e-12)


def test_energy_ranges_narrow_each_other() -> None:
    data = on_off()
    assert data.within_energy_range("2 TeV", None).mask[0].sum() == 0
    twice = data.within_energy_range(None, "4 TeV").within_energy_range("2 TeV", None)
    assert not twice.mask.any()
    assert data.with_energy_range(None, "4 TeV").mask[0].any()
