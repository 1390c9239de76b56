"""Counts cubes: folding of points and round shapes, against integrals by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from gammajax.datasets import MapDataset
from gammajax.fold import FoldOptions, build_terms, stack_components
from gammajax.fold.map_plan import build_map_term
from gammajax.inference import Fit, Likelihood, fit_toys
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    DiskSpatialModel,
    FoVBackgroundModel,
    GaussianSpatialModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)
from gammajax.stats import cash

CENTER = (83.63, 22.01)
SIGMA = 0.06


def dataset(binsz: float = 0.05, sigma: float = SIGMA, width: float = 2.0, **options):
    """A small cube with a Gaussian spread and an exposure that has a slope."""
    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(skydir=CENTER, width=width, binsz=binsz, proj="TAN", axes=[energy])
    exposure = Map.from_geom(geom.to_image().to_cube([true]), data=1e13, unit="cm2 s")
    counts = np.random.default_rng(1).poisson(0.3, geom.data_shape).astype(float)
    return MapDataset(
        name="small",
        counts=Map.from_geom(geom, data=counts),
        exposure=exposure,
        background=Map.from_geom(geom, data=0.3),
        psf=PSFMap.from_gauss(true, sigma=sigma),
        **options,
    )


def source(spatial, **options) -> SkyModel:
    return SkyModel(PowerLawSpectralModel(amplitude=1e-11), spatial, name="source", **options)


def flat_gauss(data: MapDataset, spatial, sigma: float, fine: int = 10) -> np.ndarray:
    """Integral over the pixels of a Gaussian of the given width, on a fine grid, (ny, nx)."""
    geom = data.geom.to_image().upsample(fine)
    distance = geom.separation(spatial.position)
    density = np.exp(-0.5 * (distance / sigma) ** 2) / (2 * np.pi * np.deg2rad(sigma) ** 2)
    cells = density * geom.solid_angle()
    ny, nx = data.geom.npix[::-1]
    return cells.reshape(ny, fine, nx, fine).sum(axis=(1, 3))


@pytest.mark.parametrize("offset", [0.0, 0.013, 0.4, 0.97, 1.05])
@pytest.mark.parametrize("size", [0.0, 0.02, 0.1])
def test_prediction_is_the_integral_over_pixels(offset: float, size: float) -> None:
    data = dataset()
    lon, lat = CENTER[0] + offset, CENTER[1] + offset / 3
    spatial = PointSpatialModel(lon, lat) if size == 0 else GaussianSpatialModel(lon, lat, size)
    models = Models([source(spatial)])
    found = np.asarray(data.npred_signal(models).data)
    flux = 1e-11 * 1e13 * np.array([1 - 10**-0.5, 10**-0.5 - 0.1])
    shape = flat_gauss(data, spatial, np.hypot(SIGMA, size))
    expected = flux[:, None, None] * shape
    peak = flux[0] * flat_gauss(data, PointSpatialModel(*CENTER), np.hypot(SIGMA, size)).max()
    np.testing.assert_allclose(found, expected, atol=1e-3 * peak, rtol=0)
    np.testing.assert_allclose(found.sum(), expected.sum(), atol=1e-4 * flux.sum())


@pytest.mark.parametrize("offset", [pytest.param(0.0, marks=pytest.mark.long), 0.6, 0.95, 1.1])
@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("kind", ["point", "gauss"])
def test_totals_found_and_summed_agree_with_the_dense_prediction(offset, free, kind) -> None:
    data = dataset()
    lon = CENTER[0] + offset
    spatial = (
        PointSpatialModel(lon, CENTER[1])
        if kind == "point"
        else GaussianSpatialModel(lon, CENTER[1], 0.05)
    )
    models = Models([source(spatial)])
    models = models if free else models.freeze("*.spatial.*")
    groups = stack_components(models)
    stacks = tuple(stack for stack, _ in groups)
    values = np.array([row.value for row in models.parameters])
    options = FoldOptions(containment=0.99999)
    dense, (where,) = build_map_term([data], groups, options, every_bin=True)
    mu = where.on_map(np.asarray(dense.predict(stacks, values))[0, :-1])
    mu = mu.reshape(data.counts.data.shape) + data.background_data
    stat = np.asarray(cash(np.asarray(data.counts.data), mu))[data.mask].sum()
    for totals, tolerance in (
        ("sum", 1e-9 * stat),
        ("auto", 1e-3 if kind == "point" else 4e-3),
    ):
        options = FoldOptions(containment=0.99999, totals=totals)
        term, _ = build_terms([data], groups, options)[0]
        found = float(np.sum(term.stat_array(term.predict(stacks, values))))
        assert found == pytest.approx(stat, abs=tolerance, rel=0)


def test_disk_integrates_to_its_flux() -> None:
    data = dataset(binsz=0.02)
    models = Models([source(DiskSpatialModel(*CENTER, "0.5 deg"))])
    total = float(np.asarray(data.npred_signal(models).data).sum())
    assert total == pytest.approx(1e-11 * 1e13 * 0.9, rel=1e-4)


def test_fit_finds_a_source_that_moves() -> None:
    truth = source(GaussianSpatialModel(CENTER[0] + 0.1, CENTER[1], 0.1))
    background = FoVBackgroundModel(datasets_names="small")
    models = Models([truth, background])
    data = dataset().asimov(models)
    start = models.set("source.spatial.lon_0", value=CENTER[0] + 0.13)
    start = start.set("source.spatial.sigma", value=0.06)
    result = Fit().run(Likelihood([data], start))
    assert result.success
    for row in result.models.parameters:
        if row.free:
            assert row.value == pytest.approx(
                models.parameters[row.name].value, abs=0.02 * row.error
            )


def test_a_source_that_leaves_its_plan_is_planned_anew() -> None:
    truth = source(GaussianSpatialModel(CENTER[0] + 0.3, CENTER[1], 0.1))
    models = Models([truth]).freeze("*.index")
    data = dataset().asimov(models)
    start = models.set("source.spatial.lon_0", value=CENTER[0] + 0.08)
    result = Fit().run(Likelihood([data], start))
    assert result.success
    assert "planned anew for source" in result.message
    found = result.models.parameters["source.spatial.lon_0"].value
    assert found == pytest.approx(CENTER[0] + 0.3, abs=1e-3)


def test_what_cannot_be_folded_is_an_error() -> None:
    with pytest.raises(ValueError, match="has no spatial model"):
        Likelihood([dataset()], Models([source(None)]))


def test_gradient_and_hessian_are_those_of_finite_differences() -> None:
    models = Models(
        [
            source(GaussianSpatialModel(CENTER[0] + 0.11, CENTER[1], 0.08)),
            SkyModel(
                PowerLawSpectralModel(amplitude=2e-12),
                PointSpatialModel(CENTER[0] + 0.013, CENTER[1]),
                name="point",
            ),
            FoVBackgroundModel(datasets_names="small"),
        ]
    )
    likelihood = Likelihood([dataset()], models)
    theta = likelihood.start
    gradient = np.asarray(likelihood.gradient(theta))
    hessian = np.asarray(likelihood.hessian(theta))
    steps = 3e-5 / np.sqrt(np.diag(np.asarray(likelihood.fisher(theta))))
    for i, step in enumerate(steps):
        up, down = theta.copy(), theta.copy()
        up[i] += step
        down[i] -= step
        slope = (float(likelihood.stat(up)) - float(likelihood.stat(down))) / (2 * step)
        assert slope * step == pytest.approx(gradient[i] * step, abs=1e-7)
        bend = np.asarray(likelihood.gradient(up)) - np.asarray(likelihood.gradient(down))
        scale = steps * step
        np.testing.assert_allclose(
            bend / (2 * step) * scale, hessian[i] * scale, atol=1e-3 * 3e-5**2
        )


def test_the_statistic_is_smooth_while_a_source_crosses_pixels() -> None:
    models = Models([source(PointSpatialModel(*CENTER))])
    data = dataset().fake(models, seed=3)
    likelihood = Likelihood([data], models)
    place = likelihood.names.index("source.spatial.lon_0")
    shifts = np.linspace(-0.04, 0.04, 161)
    stats = []
    for shift in shifts:
        theta = likelihood.start.copy()
        theta[place] += shift
        stats.append(float(likelihood.stat(theta)))
    # a step would stand out of the third differences of a smooth curve
    rough = np.abs(np.diff(stats, 4)).max()
    assert rough < 1e-4 * np.ptp(stats)


def test_files_go_both_ways(tmp_path) -> None:
    data = dataset(mask_safe=None).with_energy_range("1 TeV", "3.2 TeV")
    data.write(tmp_path / "cube.fits")
    again = MapDataset.read(tmp_path / "cube.fits")
    np.testing.assert_array_equal(again.counts.data, data.counts.data)
    np.testing.assert_allclose(again.exposure.data, data.exposure.data)
    np.testing.assert_array_equal(again.mask, data.mask)
    np.testing.assert_allclose(again.psf.table, data.psf.table)


def test_npred_of_background_and_template() -> None:
    data = dataset()
    factor = FoVBackgroundModel(datasets_names="small")
    models = Models([factor]).set("small-bkg.spectral.norm", value=1.5)
    np.testing.assert_allclose(data.npred(models).data, 0.45)
    assert data.npred_signal(models).data.sum() == 0
    likelihood = Likelihood([data], models)
    found = float(likelihood.stat(likelihood.start))
    assert found == pytest.approx(data.stat_sum(models), rel=1e-12)


def test_what_needs_every_bin_says_so() -> None:
    likelihood = Likelihood([dataset()], Models([source(PointSpatialModel(*CENTER))]))
    with pytest.raises(ValueError, match=r"sandwich.*every bin.*counts cubes small"):
        Fit(covariance="sandwich").run(likelihood)


@pytest.mark.long
def test_toys_of_a_cube_have_pulls_of_a_unit_normal() -> None:
    models = Models(
        [
            source(PointSpatialModel(*CENTER)),
            FoVBackgroundModel(datasets_names="small", name="bkg"),
        ]
    ).freeze("*.spatial.*")
    models = models.set("source.spectral.amplitude", value=3e-11)
    likelihood = Likelihood([dataset()], models.freeze("*.index"))
    toys = fit_toys(likelihood, n_toys=200, seed=3, held=True)
    assert toys.converged.all()
    assert toys.names == ("source.spectral.amplitude", "bkg.spectral.norm")
    for pulls in toys.root_pulls.T:
        assert kstest(pulls, "norm").pvalue > 1e-3
    # counts come from the prediction, not from the data
    other = dataset().fake(models, seed=9)
    again = fit_toys(Likelihood([other], likelihood.models), n_toys=8, seed=3)
    np.testing.assert_allclose(again.theta, toys.theta[:8], rtol=1e-6)
