"""Ellipses, shapes with energy and free templates, against integrals by brute force."""

from __future__ import annotations

from itertools import pairwise

import jax
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from gammajax.datasets import MapDataset
from gammajax.fold import FoldOptions, FourierFold, build_terms, stack_components
from gammajax.fold.linear import LinearFold
from gammajax.fold.map_plan import build_map_term
from gammajax.inference import Likelihood
from gammajax.irf.psf_map import PSFMap, RecoPSFMap
from gammajax.maps import HpxGeom, Map, MapAxis, WcsGeom
from gammajax.maps.frames import to_vector
from gammajax.models import (
    DiskSpatialModel,
    EnergyDependentSpatialModel,
    FoVBackgroundModel,
    GaussianSpatialModel,
    GeneralizedGaussianSpatialModel,
    Models,
    PiecewiseNormSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateNDSpatialModel,
    TemplateSpatialModel,
)
from gammajax.models.spectral.evaluation import call
from gammajax.stats import cash

CENTER = (83.63, 22.01)
PLACE = (CENTER[0] + 0.11, CENTER[1] + 0.07)
TIGHT = FoldOptions(containment=0.99999)
FLUX = 1e-11 * 1e13 * np.array([1 - 10**-0.5, 10**-0.5 - 0.1])


def dataset(sigma: float = 0.06, width: float = 1.6, slope: float = 0.0, hpx: bool = False):
    """A small cube with a Gaussian spread, and an exposure that may grow to the north."""
    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(skydir=CENTER, width=width, binsz=0.05, proj="TAN", axes=[energy])
    cube = geom.to_image().to_cube([true])
    if hpx:
        geom = HpxGeom.create(nside=1024, skydir=CENTER, width=2.2, axes=[energy])
    north = np.arange(cube.npix[1]) - (cube.npix[1] - 1) / 2
    data = 1e13 * np.broadcast_to((1 + slope * 0.05 * north)[:, None], cube.data_shape)
    counts = np.random.default_rng(1).poisson(0.3, geom.data_shape).astype(float)
    return MapDataset(
        name="small",
        counts=Map.from_geom(geom, data=counts),
        exposure=Map.from_geom(cube, data=data, unit="cm2 s"),
        background=Map.from_geom(geom, data=0.3 * np.ones(geom.data_shape)),
        psf=PSFMap.from_gauss(true, sigma=sigma),
    )


LAW = PowerLawSpectralModel(amplitude=1e-11)


def source(spatial) -> SkyModel:
    return SkyModel(LAW, spatial, name="source")


def folded(data: MapDataset, models: Models):
    """The prediction of a fold of free models in all bins, its total, and the term."""
    groups = stack_components(models)
    term, (where,) = build_map_term([data], groups, TIGHT, every_bin=True)
    values = np.array([row.value for row in models.parameters])
    stacks = tuple(stack for stack, _ in groups)
    found = np.asarray(jax.jit(lambda t, s, v: t.predict(s, v))(term, stacks, values))[0]
    return where.on_map(found[:-1]).ravel(), found[-1], term


def cube(data: MapDataset, spatial) -> np.ndarray:
    """All bins of a free shape."""
    bins, total, term = folded(data, Models([source(spatial)]))
    assert isinstance(term.folds[0], FourierFold)
    assert total == pytest.approx(bins.sum(), rel=1e-12)
    return bins.reshape(data.counts.data.shape)


def brute(data: MapDataset, spatial, sigma: float, fine: int = 10, factor=None) -> np.ndarray:
    """The shape on a fine grid, spread by a Gaussian and summed over pixels, (ny, nx)."""
    geom = data.geom.to_image().upsample(fine)
    nx, ny = geom.npix
    x, y = np.meshgrid(np.arange(nx), np.arange(ny))
    lon, lat = geom.wcs.wcs_pix2world(x.ravel(), y.ravel(), 0)
    vectors = to_vector(np.deg2rad(lon), np.deg2rad(lat))
    density = np.asarray(call(spatial, "evaluate_on", vectors)).reshape(ny, nx)
    image = density * geom.solid_angle() * (1.0 if factor is None else factor(y / fine))
    spread = gaussian_filter(
        image, sigma / np.min(geom.pixel_scales), truncate=7, mode="constant"
    )
    return spread.reshape(ny // fine, fine, nx // fine, fine).sum(axis=(1, 3))


GAUSS = GaussianSpatialModel(*PLACE, 0.1, e=0.9, phi=35.0)
LAWS = EnergyDependentSpatialModel(GaussianSpatialModel(*PLACE, 0.12), ["sigma"], [-0.4])


@pytest.mark.parametrize(
    ("spatial", "sigma"),
    [
        (GAUSS, 0.015),
        (GAUSS, 0.06),
        (GAUSS, 0.5),
        (GaussianSpatialModel(CENTER[0] + 0.011, CENTER[1], 0.004, e=0.9, phi=35.0), 0.06),
        (DiskSpatialModel(*PLACE, 0.25, e=0.8, phi=35.0, edge_width=0.1), 0.03),
        (GeneralizedGaussianSpatialModel(*PLACE, 0.1, eta=0.3, e=0.6, phi=-60.0), 0.06),
    ],
)
def test_prediction_is_the_integral_over_pixels(spatial, sigma: float) -> None:
    tiny = float(spatial.outer_radius()) < 1e-3
    data = dataset(sigma, width=0.6 if tiny else 6.0 if sigma > 0.3 else 1.6)
    found = cube(data, spatial)
    fine = 40 if tiny else 4 if sigma > 0.3 else 10
    expected = FLUX[:, None, None] * brute(data, spatial, sigma, fine)
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.max(), rtol=0)
    assert found.sum() == pytest.approx(expected.sum(), rel=1e-4)


def test_a_sharp_edge_is_that_of_a_round_disk() -> None:
    data = dataset()
    sharp, tiny = (DiskSpatialModel(*PLACE, 0.25, e=e, edge_width=0.0) for e in (0.0, 1e-6))
    bins, _, _ = folded(data, Models([source(sharp)]))
    found = cube(data, tiny).ravel()
    # the nodes of the round fold are the coarser ones
    np.testing.assert_allclose(found, bins, atol=5e-4 * bins.max(), rtol=0)
    assert found.sum() == pytest.approx(FLUX.sum(), rel=1e-4)


@pytest.mark.parametrize("offset", [0.78, 0.95])
def test_round_shapes_agree_with_the_round_fold(offset: float) -> None:
    data = dataset()
    place = (CENTER[0] + offset, CENTER[1])
    bins, _, _ = folded(data, Models([source(GaussianSpatialModel(*place, 0.05))]))
    found = cube(data, GaussianSpatialModel(*place, 0.05, e=1e-6)).ravel()
    np.testing.assert_allclose(found, bins, atol=5e-4 * bins.max(), rtol=0)


@pytest.mark.parametrize(
    "spatial",
    [GAUSS, GeneralizedGaussianSpatialModel(*PLACE, 0.1, eta=0.6, e=0.6, phi=-60.0)],
)
def test_exposure_holds_where_the_photons_arrive(spatial) -> None:
    data = dataset(slope=0.8)
    found = cube(data, spatial)
    middle = (data.geom.npix[1] - 1) / 2
    shift = 0.5 - 0.05  # from rows of the fine grid to rows of pixels
    expected = FLUX[:, None, None] * brute(
        data, spatial, 0.06, factor=lambda row: 1 + 0.8 * 0.05 * (row - shift - middle)
    )
    # a generalised Gaussian of this kind reaches beyond the map
    inner = np.s_[:, 3:-3, 3:-3]
    found, expected = found[inner], expected[inner]
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.max(), rtol=0)


def test_sparse_and_dense_statistics_agree() -> None:
    models = Models([source(GAUSS), FoVBackgroundModel(datasets_names="small")])
    data = dataset()
    mask = np.random.default_rng(2).uniform(size=data.counts.data.shape) < 0.8
    data = data.replace(mask_fit=data.counts.with_data(mask))
    mu, _, _ = folded(data, Models([source(GAUSS)]))
    mu = mu.reshape(mask.shape) + data.background_data
    stat = np.asarray(cash(np.asarray(data.counts.data), mu))[data.mask].sum()
    groups = stack_components(models)
    term, _ = build_terms([data], groups, TIGHT)[0]
    values = np.array([row.value for row in models.parameters])
    stacks = tuple(stack for stack, _ in groups)
    predicted = jax.jit(lambda t, s, v: t.predict(s, v))(term, stacks, values)
    assert float(np.sum(term.stat_array(predicted))) == pytest.approx(stat, rel=1e-9)


def check_derivatives(likelihood: Likelihood, bend: float = 1e-3) -> None:
    """Gradient and Hessian against finite differences, in units of 3e-5 of an error."""
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
        change = np.asarray(likelihood.gradient(up)) - np.asarray(likelihood.gradient(down))
        scale = steps * step
        np.testing.assert_allclose(
            change / (2 * step) * scale, hessian[i] * scale, atol=bend * 3e-5**2
        )


def test_derivatives_are_those_of_finite_differences_and_the_statistic_is_smooth() -> None:
    models = Models([source(GAUSS)]).thaw("*.e").thaw("*.phi")
    data = dataset().fake(models, seed=3)
    likelihood = Likelihood([data], models)
    check_derivatives(likelihood)
    theta = likelihood.start
    widths = {"lon_0": 0.04, "sigma": 0.03, "phi": 15.0, "e": 0.05}
    for name, width in widths.items():
        place = likelihood.names.index(f"source.spatial.{name}")
        stats = []
        for shift in np.linspace(-width, width, 121):
            moved = theta.copy()
            moved[place] += shift
            stats.append(float(likelihood.stat(moved)))
        # a step would stand out of the fourth differences of a smooth curve
        assert np.abs(np.diff(stats, 4)).max() < 1e-4


def test_sizes_that_depend_on_energy() -> None:
    data = dataset()
    found = cube(data, LAWS)
    edges = np.geomspace(1, 10, 21)
    expected = np.zeros_like(found)
    for i, (low, high) in enumerate(pairwise(edges)):
        sigma = 0.12 * np.sqrt(low * high) ** -0.4
        flat = brute(data, GaussianSpatialModel(*PLACE, np.hypot(sigma, 0.06)), 0.0, 4)
        expected[i // 10] += 1e2 * (1 / low - 1 / high) * flat
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.max(), rtol=0)


def nd_template() -> TemplateNDSpatialModel:
    geom = WcsGeom.create(skydir=PLACE, width=1.2, binsz=0.04, proj="TAN")
    size = MapAxis.from_nodes([0.1, 0.15], name="size", interp="lin")
    distance = geom.separation(geom.center_skydir)
    data = np.stack([np.exp(-0.5 * (distance / sigma) ** 2) for sigma in (0.1, 0.15)])
    return TemplateNDSpatialModel(
        Map.from_geom(geom.to_cube([size]), data=1e4 * data, unit="sr-1"), [0.12]
    )


@pytest.mark.parametrize("kind", ["nd", "moved", "norms"])
def test_templates_with_free_parameters(kind: str) -> None:
    data = dataset(slope=0.3)
    spatial = nd_template()
    if kind == "moved":
        image = spatial.map.slice_by_idx({"size": 0})
        spatial = TemplateSpatialModel(image, lon_0=PLACE[0] + 0.02, lat_0=PLACE[1])
    if kind == "norms":
        lon, lat = np.meshgrid([83.2, 84.0], [21.6, 22.4])
        spatial = PiecewiseNormSpatialModel(lon.ravel(), lat.ravel(), [1.0, 2.0, 3.0, 1.0])
    models = Models([source(spatial)]).thaw("*.spatial.*")
    bins, _, term = folded(data, models)
    assert isinstance(term.folds[0], FourierFold)
    found = bins.reshape(data.counts.data.shape)
    middle = (data.geom.npix[1] - 1) / 2
    expected = FLUX[:, None, None] * brute(
        data, spatial, 0.06, factor=lambda row: 1 + 0.3 * 0.05 * (row - 0.45 - middle)
    )
    # brute force has no sky beyond the map
    inner = np.s_[:, 9:-9, 9:-9]
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-3 * expected.max())


def test_spread_in_reconstructed_energy() -> None:
    data = dataset()
    psf = RecoPSFMap.from_gauss(data.energy, sigma=0.06)
    np.testing.assert_allclose(
        cube(data.replace(psf=psf), GAUSS), cube(data, GAUSS), rtol=1e-9, atol=1e-9
    )


def test_pixels_of_healpix() -> None:
    data = dataset(hpx=True)
    found = cube(data, GAUSS)
    assert found.sum() == pytest.approx(FLUX.sum(), rel=1e-4)
    mean = found[0] @ data.geom.to_image().unit_vectors()
    mean /= np.linalg.norm(mean)
    np.testing.assert_allclose(mean, to_vector(*np.deg2rad(PLACE)), atol=2e-6)


@pytest.mark.parametrize("where", ["wcs", "hpx", "reco"])
@pytest.mark.parametrize("kind", ["ellipse", "laws", "template"])
def test_frozen_shapes_are_predicted_as_free_ones(where: str, kind: str) -> None:
    spatial = {"ellipse": GAUSS, "laws": LAWS, "template": nd_template()}[kind]
    data = dataset(hpx=where == "hpx")
    if where == "reco":
        data = data.replace(psf=RecoPSFMap.from_gauss(data.energy, sigma=0.06))
    models = Models([source(spatial)])
    bins, _, _ = folded(data, models.thaw("*.spatial.*"))
    frozen, total, term = folded(data, models.freeze("*.spatial.*"))
    assert isinstance(term.folds[0], LinearFold)
    assert total == pytest.approx(frozen.sum(), rel=1e-12)
    # templates on a map are folded on a lattice of their own
    lattice = where == "wcs" and kind == "template"
    tolerance = (1e-3 if lattice else 1e-6) * bins.max()
    np.testing.assert_allclose(frozen, bins, atol=tolerance, rtol=0)


def test_what_leaves_its_plan_is_told() -> None:
    models = Models([source(GAUSS), SkyModel(LAW, LAWS, name="laws")])
    likelihood = Likelihood([dataset()], models)
    assert likelihood.outgrown(likelihood.start) == ()
    for name, step in (("source.spatial.lon_0", 0.2), ("laws.spatial.sigma_slope", 1.0)):
        theta = likelihood.start.copy()
        theta[likelihood.names.index(name)] += step
        assert likelihood.outgrown(theta) == (name.split(".")[0],)


def test_what_the_grid_cannot_hold_is_an_error() -> None:
    data = dataset()
    wide = GaussianSpatialModel(*CENTER, 8.0, e=0.5)
    with pytest.raises(ValueError, match=r"in dataset .small. is folded in a plane"):
        Likelihood([data], Models([source(wide)]))
    with pytest.raises(ValueError, match=r"'source': a GaussianSpatialModel that reaches"):
        Likelihood([data], Models([source(GaussianSpatialModel(*CENTER, 8.0))]))
    wide = GaussianSpatialModel(*CENTER, 3.0, e=0.5)
    with pytest.raises(ValueError, match=r"GaussianSpatialModel in dataset .small. needs"):
        Likelihood([data], Models([source(wide)]))
