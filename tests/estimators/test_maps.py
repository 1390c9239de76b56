"""Maps of excess and significance: against plain fits, on empty skies, in files."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from scipy.stats import kstest

from gammajax.datasets import MapDatasetOnOff
from gammajax.estimators import ExcessMapEstimator, FluxMaps, TSMapEstimator, find_peaks
from gammajax.estimators.scaled import scaled_models
from gammajax.estimators.ts_map import packed
from gammajax.inference import Fit, Likelihood
from gammajax.maps import Map, WcsGeom
from gammajax.models import Models, PointSpatialModel, PowerLawSpectralModel, SkyModel

from .conftest import CENTER, cube_models, empty_cube

WIDTH = 0.6
SOURCE = SkyModel(
    PowerLawSpectralModel(index=2.3, amplitude=2e-11), PointSpatialModel(*CENTER), name="crab"
)


@pytest.fixture(scope="module")
def rest():
    return Models([c for c in cube_models("one") if c.name != "crab"])


def on_off(cube, seed=3):
    """The cube with off counts of ten times its background."""
    rng = np.random.default_rng(seed)
    off = rng.poisson(10 * cube.background_data).astype(float)
    one = cube.counts.with_data(np.ones(off.shape))
    return MapDatasetOnOff(
        name=cube.name, counts=cube.counts, counts_off=cube.counts.with_data(off),
        acceptance=one, acceptance_off=one.with_data(np.full(off.shape, 10.0)),
        exposure=cube.exposure, psf=cube.psf, edisp=cube.edisp,
    )  # fmt: skip


def middle_fit(dataset, models):
    """A plain fit of the source at the pixel in the middle, to the square around it."""
    image = dataset.geom.to_image()
    x, y = (n // 2 for n in image.npix)
    lon, lat = (float(v) for v in image.pix_to_coord((x, y))[:2])
    half = int(np.ceil(WIDTH / 2 / 0.05))
    square = np.zeros(dataset.counts.data.shape, dtype=bool)
    square[:, y - half : y + half + 1, x - half : x + half + 1] = True
    here = dataset.replace(mask_fit=dataset.counts.with_data(square))
    moved = SOURCE.replace(spatial_model=PointSpatialModel(lon, lat, frame=image.frame))
    scaled = scaled_models(Models([moved, *models]).freeze("*"), "crab")
    likelihood = Likelihood([here], scaled)
    return (y, x), likelihood, Fit(tolerance=1e-13).run(likelihood)


@pytest.mark.parametrize("kind", ["cash", "wstat"])
def test_the_middle_is_a_plain_fit(cubes, rest, kind) -> None:
    dataset, models = cubes[0], rest
    if kind == "wstat":
        dataset = on_off(dataset)
        models = Models([c for c in rest if c.name == "other"])
    (y, x), likelihood, fit = middle_fit(dataset, models)
    estimator = TSMapEstimator(model=SOURCE, kernel_width=WIDTH, selection_optional="all")
    maps = estimator.run(dataset, models)
    found = {name: float(one.data[0, y, x]) for name, one in maps.maps.items()}
    # the total of a plain fit is a table that is right to a few parts in a million
    assert found["norm"] == pytest.approx(fit.theta[0], rel=3e-6)
    assert found["norm_err"] == pytest.approx(fit.errors[0], rel=3e-6)
    null = float(likelihood.stat(np.zeros(1)))
    assert found["ts"] == pytest.approx(null - fit.stat, rel=3e-6)
    for value, rise in (
        (found["norm"] - found["norm_errn"], 1),
        (found["norm"] + found["norm_errp"], 1),
        (found["norm_ul"], 4),
    ):
        stat = float(likelihood.stat(np.array([value])))
        assert stat - fit.stat == pytest.approx(rise, rel=1e-4)


def test_sources_are_found_where_they_are(cubes, rest) -> None:
    background = Models([c for c in rest if c.name != "other"])
    maps = TSMapEstimator(model=SOURCE).run(cubes[0], background)
    image = maps["sqrt_ts"].slice_by_idx({"energy": 0})
    peaks = find_peaks(image, threshold=6, min_distance="0.3 deg")
    assert len(peaks) == 2
    found = SkyCoord(peaks["ra"], peaks["dec"], unit="deg")
    truth = SkyCoord([CENTER[0], 83.2], [CENTER[1], 22.3], unit="deg")
    nearest = found[:, None].separation(truth[None]).deg.min(axis=0)
    assert np.all(nearest < [0.06, 0.12])


@pytest.mark.parametrize("kind", ["cash", "wstat"])
def test_significance_on_an_empty_sky_is_normal(kind) -> None:
    """TS follows chi2 of one degree of freedom: its signed root a normal law."""
    # with few counts in a bin the profiled background of WStat favours a signal
    empty = empty_cube("sky", background=3.0 if kind == "cash" else 300.0)
    dataset = empty.fake(None, 11)
    dataset = on_off(dataset) if kind == "wstat" else dataset
    maps = TSMapEstimator(model=SOURCE, kernel_width=0.35).run(dataset)
    values = maps["sqrt_ts"].data[0, 3:-3, 3:-3]
    assert values.mean() == pytest.approx(0, abs=0.15)
    assert values.std() == pytest.approx(1, abs=0.1)
    independent = maps["sqrt_ts"].data[0, 4:-3:7, 4:-3:7].ravel()
    assert kstest(independent, "norm").pvalue > 0.01


def test_several_energies_and_datasets(cubes, rest) -> None:
    models = cube_models("one", "two")
    models = Models([c for c in models if c.name != "crab"])
    estimator = TSMapEstimator(model=SOURCE, kernel_width=WIDTH, energy_edges=[1, 4, 16])
    both = estimator.run(cubes, models)
    alone = [estimator.run([cube], models) for cube in cubes]
    assert both["ts"].data.shape == (2, 40, 40)
    null = sum(one["stat_null"].data for one in alone)
    np.testing.assert_allclose(both["stat_null"].data, null, rtol=1e-12)
    # a common norm fits no better than one for each, and better than that of any
    # below 0 each norm has a bound of its own, where the expected counts end
    seen = np.all([one["norm"].data > 0 for one in alone], axis=0)
    assert seen.sum() > 100
    most = sum(one["ts"].data for one in alone)
    assert np.all((both["ts"].data <= most + 1e-9)[seen])
    norms = np.stack([one["norm"].data for one in alone])
    assert np.all((both["norm"].data <= norms.max(axis=0) + 1e-9)[seen])
    assert np.all((both["norm"].data >= norms.min(axis=0) - 1e-9)[seen])


def test_pixels_without_counts_or_exposure_are_said(cubes) -> None:
    cube = cubes[0]
    nothing = cube.replace(counts=cube.counts.with_data(np.zeros(cube.counts.data.shape)))
    maps = TSMapEstimator(model=SOURCE, kernel_width=WIDTH, selection_optional="all").run(
        nothing
    )
    assert np.all(maps["norm"].data == 0)
    assert np.isnan(maps["norm_err"].data).all()
    assert np.isnan(maps["norm_errn"].data).all()
    limit = maps["norm_ul"].data[0, 20, 20] * maps["npred_excess"].data[0, 20, 20]
    assert limit == 0.0
    assert any("see no counts" in note for note in maps.notes)
    exposure = np.array(cube.exposure.data)
    exposure[:, :, :10] = 0
    dark = cube.replace(exposure=cube.exposure.with_data(exposure))
    maps = TSMapEstimator(model=SOURCE, kernel_width=WIDTH).run(dark)
    assert np.isnan(maps["ts"].data[0, :, :9]).all()
    assert any("no exposure" in note for note in maps.notes)


@pytest.mark.parametrize("kind", ["cash", "wstat"])
def test_excess_in_a_circle_by_hand(cubes, kind) -> None:
    cube = on_off(cubes[0]) if kind == "wstat" else cubes[0]
    estimator = ExcessMapEstimator(correlation_radius=0.12, selection_optional="all")
    maps = estimator.run(cube)
    image = cube.geom.to_image()
    y, x = 20, 20
    grid_y, grid_x = np.mgrid[0:40, 0:40]
    inside = np.hypot(grid_y - y, grid_x - x) * 0.05 <= 0.12
    counts = cube.counts.data[:, inside].sum()
    assert maps["counts"].data[0, y, x] == counts
    background = cubes[0].background_data
    if kind == "wstat":
        background = 0.1 * np.asarray(cube.counts_off.data)
    expected = background[:, inside].sum()
    assert maps["npred"].data[0, y, x] == pytest.approx(expected, rel=1e-9)
    assert maps["npred_excess"].data[0, y, x] == pytest.approx(counts - expected)
    if kind == "cash":
        ts = 2 * (counts * np.log(counts / expected) - counts + expected)
        assert maps["ts"].data[0, y, x] == pytest.approx(ts, rel=1e-9)
    else:
        off, a = cube.counts_off.data[:, inside].sum(), 0.1
        li_ma = counts * np.log((1 + a) / a * counts / (counts + off))
        li_ma += off * np.log((1 + a) * off / (counts + off))
        assert maps["sqrt_ts"].data[0, y, x] == pytest.approx(np.sqrt(2 * li_ma), rel=1e-9)
    limit = maps["norm_ul"].data[0, y, x] / maps["norm"].data[0, y, x]
    assert 1 < limit < 2
    assert image.npix == (40, 40)


@pytest.mark.parametrize("sed_type", ["likelihood", "flux", "dnde"])
def test_files_come_back(cubes, tmp_path, sed_type) -> None:
    maps = ExcessMapEstimator(correlation_radius=0.1).run(cubes[0])
    path = tmp_path / "excess.fits"
    maps.write(path, sed_type=sed_type)
    back = FluxMaps.read(path)
    assert set(back.maps) == set(maps.maps)
    for name in maps.maps:
        np.testing.assert_allclose(back[name].data, maps[name].data, rtol=1e-12)
    np.testing.assert_allclose(back["eflux"].data, maps["eflux"].data, rtol=1e-12)
    assert back["flux"].quantity.unit.is_equivalent("cm-2 s-1")
    with pytest.raises(ValueError, match="no map"):
        back["surface"]


def test_peaks_of_a_plateau_are_one() -> None:
    image = Map.from_geom(WcsGeom.create(npix=20, binsz=0.1, frame="galactic"))
    data = np.full((20, 20), np.nan)
    data[3:5, 3:5] = 6.0
    data[10, 10], data[10, 12] = 9.0, 8.0
    found = find_peaks(image.with_data(data), threshold=5, min_distance=3)
    assert found["value"].tolist() == [9.0, 6.0]
    assert {"glon", "glat"} <= set(found.colnames)
    assert len(find_peaks(image.with_data(data), threshold=5, min_distance="0.1 deg")) == 3
    with pytest.raises(ValueError, match="a pixel or more"):
        find_peaks(image, 5, 0)


def test_tiles_are_packed_well() -> None:
    blocks = np.concatenate(
        [np.full(500, 3), np.full(100, 7), np.full(4, 30), np.zeros(9, int)]
    )
    batches = packed(blocks, 32, 16)
    assert sorted(n for batch in batches for n in batch) == list(range(blocks.size))
    assert max(blocks[batch].sum() for batch in batches) <= 32
    assert max(map(len, batches)) <= 16
    assert 32 * len(batches) < 1.1 * blocks.sum()


def test_bad_input_is_said(cubes, spectra) -> None:
    with pytest.raises(ValueError, match="pixels of a projection"):
        TSMapEstimator().run(spectra[0])
    with pytest.raises(ValueError, match="other pixels"):
        TSMapEstimator().run([cubes[0], cubes[1].cutout(SkyCoord(*CENTER, unit="deg"), 1.0)])
    with pytest.raises(ValueError, match="none of"):
        TSMapEstimator(selection_optional="limits")
    with pytest.raises(ValueError, match="none of"):
        ExcessMapEstimator(selection_optional=["scan"])
