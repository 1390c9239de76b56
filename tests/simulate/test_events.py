"""Events of runs: what was simulated comes back from the makers, and from files."""

import numpy as np
import pytest
from astropy.coordinates import EarthLocation, SkyCoord
from scipy import stats

from gammajax.data import GTI, DataStore, Observation, Observations, Pointing, TimeReference
from gammajax.datasets import MapDataset
from gammajax.irf import Background2D, formula_irfs
from gammajax.makers import MapDatasetMaker
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    ConstantFluxSpatialModel,
    ExpDecayTemporalModel,
    FoVBackgroundModel,
    GaussianSpatialModel,
    LinearTemporalModel,
    Models,
    PointSpatialModel,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateNPredModel,
)
from gammajax.simulate import ObservationEventSampler

CENTER = (83.6, 22.0)
ENERGY = MapAxis(np.geomspace(0.5, 20, 5))
EDGES = np.geomspace(0.2, 50, 30)
TRUE = MapAxis(np.geomspace(0.2, 50, 59), "energy_true")
GEOM = WcsGeom.create(skydir=CENTER, width=2.4, binsz=0.2, proj="TAN", axes=[ENERGY])
IRFS = formula_irfs(psf="gauss", background=30.0, energy_edges=EDGES)


def make_run(number=7, **options):
    given = {
        "pointing": Pointing(ra=CENTER[0], dec=CENTER[1] + 0.5),
        "gti": GTI([0.0, 2000.0], [1500.0, 2600.0]),
        "irfs": IRFS,
        "dead_time_fraction": 0.1,
        **options,
    }
    return Observation.create(number, **given)


def power_law(amplitude=1e-10):
    return PowerLawSpectralModel(index=2.4, amplitude=amplitude)


SOURCES = Models([
    SkyModel(power_law(), PointSpatialModel(83.9, 22.3), name="point"),
    SkyModel(power_law(2e-10), GaussianSpatialModel(83.3, 21.8, 0.15, e=0.8, phi=30),
             ExpDecayTemporalModel(t0="0.01 d", t_ref=51910.0), name="ellipse"),
])  # fmt: skip


@pytest.fixture(scope="module")
def run():
    return make_run()


@pytest.fixture(scope="module")
def seen(run):
    """Many events of a point source alone."""
    bright = SkyModel(power_law(1e-7), PointSpatialModel(83.9, 22.3), name="point")
    return ObservationEventSampler(seed=3, background=False).run(run, bright).events


def test_counts_of_100_runs_are_those_predicted(run):
    dataset = MapDatasetMaker().run(MapDataset.create(GEOM, TRUE, name="7"), run)
    mu = np.asarray(dataset.npred(SOURCES).data)
    assert mu.sum() > 1000
    total, chances = np.zeros(mu.shape), []
    # groups of bins that expect as many counts
    order = np.argsort(mu, axis=None)
    share = np.empty(mu.size)
    share[order] = np.cumsum(mu.ravel()[order]) / mu.sum()
    groups = np.unique((share * 40).astype(int), return_inverse=True)[1]
    merged = np.bincount(groups, mu.ravel())
    assert merged[:-1].min() > 20
    for seed in range(100):
        drawn = ObservationEventSampler(seed=seed, keep_truth=False).run(run, SOURCES)
        counts = np.asarray(MapDatasetMaker.make_counts(GEOM, drawn).data)
        total += counts
        found = np.bincount(groups, counts.ravel())
        chances.append(stats.chi2.sf(np.sum((found - merged) ** 2 / merged), merged.size))
    # each run by itself: probabilities of chi-squared are flat
    assert stats.kstest(chances, "uniform").pvalue > 0.01
    # all together, bin by bin
    used = 100 * mu > 20
    chi2 = np.sum((total - 100 * mu)[used] ** 2 / (100 * mu[used]))
    assert used.sum() > 250
    assert 1e-3 < stats.chi2.sf(chi2, used.sum()) < 1 - 1e-6


def test_true_energies_follow_spectrum_and_area(run, seen):
    axis = np.geomspace(0.2, 50, 6001)
    offset = run.pointing.icrs().separation(SkyCoord(83.9, 22.3, unit="deg"))
    area = run.aeff.evaluate(energy_true=axis, offset=offset).value
    rate = axis**-2.4 * area * axis
    below = np.append(0, np.cumsum((rate[1:] + rate[:-1]) / 2))
    energy = seen.column("ENERGY_TRUE")
    assert len(energy) > 100_000
    assert (
        stats.kstest(
            energy, lambda e: np.interp(np.log(e), np.log(axis), below / below[-1])
        ).pvalue
        > 1e-3
    )
    expected = 1e-7 * np.trapezoid(axis**-2.4 * area, axis) * run.livetime.value
    assert abs(len(energy) - expected) < 4 * np.sqrt(expected)


def test_directions_are_spread_by_the_psf_at_their_energy(run, seen):
    true = SkyCoord(83.9, 22.3, unit="deg")
    offset = run.pointing.icrs().separation(true).deg
    share = run.psf.containment(
        rad=seen.separation(true), energy_true=seen.column("ENERGY_TRUE"), offset=offset
    )
    assert stats.kstest(share, "uniform").pvalue > 1e-3
    angle = true.position_angle(seen.radec).rad / (2 * np.pi)
    assert stats.kstest(angle, "uniform").pvalue > 1e-3


def test_energies_are_spread_by_the_dispersion(run, seen):
    ratio = np.log(seen.column("ENERGY") / seen.column("ENERGY_TRUE")) / 0.15
    assert stats.kstest(ratio[:20_000], "norm").pvalue > 1e-3


@pytest.mark.parametrize("kind", ["3d", "2d", "altaz"])
def test_background_is_that_of_the_table(kind):
    bkg = formula_irfs(background=3000.0, energy_edges=EDGES)["bkg"]
    options = {"gti": GTI([0.0], [1800.0], TimeReference(58000.9, 0.0))}
    if kind == "2d":
        bkg = bkg.to_2d()
        assert isinstance(bkg, Background2D)
    if kind == "altaz":
        # a rate that is different on both sides of the field
        skewed = np.array(bkg.values) * np.linspace(0.2, 1.8, 40)[:, None]
        bkg = type(bkg)(bkg.axes, skewed, fov_alignment="ALTAZ")
        place = EarthLocation.from_geodetic(16.5, -23.3, 1800.0)
        options["pointing"] = Pointing(ra=CENTER[0], dec=CENTER[1] + 0.5, location=place)
    run = make_run(irfs={**IRFS, "bkg": bkg}, **options)
    mu = np.asarray(MapDatasetMaker.make_background(GEOM, run).data)
    drawn = ObservationEventSampler(seed=5).run(run)
    counts = np.asarray(MapDatasetMaker.make_counts(GEOM, drawn).data)
    used = mu > 10
    assert used.sum() > 200
    chi2 = np.sum((counts - mu)[used] ** 2 / mu[used])
    assert 1e-3 < stats.chi2.sf(chi2, used.sum()) < 1 - 1e-6
    assert set(drawn.events.column("MC_ID")) == {0}


def test_a_rate_that_grows_out_of_a_zero_is_held_at_the_edge(run):
    bkg = formula_irfs(background=30.0, energy_edges=EDGES)["bkg"]
    values = np.array(bkg.values)
    values[:, 1] = 0.0
    odd = make_run(irfs={**IRFS, "bkg": type(bkg)(bkg.axes, values)})
    numbers = [len(ObservationEventSampler().run(one).events) for one in (odd, run)]
    assert 0.9 * numbers[1] < numbers[0] < 1.05 * numbers[1]


def test_a_seed_decides_and_runs_differ(run):
    sampler = ObservationEventSampler(seed=4)
    one, again = (sampler.run(run, SOURCES).events for _ in range(2))
    for name, column in one.columns.items():
        np.testing.assert_array_equal(column, again.columns[name])
    other = sampler.run(make_run(8), SOURCES).events
    assert not set(one.column("ENERGY")) & set(other.column("ENERGY"))
    assert np.all(np.diff(one.column("TIME")) >= 0)
    assert run.gti.contains(one.column("TIME")).all()
    # sources draw from streams of their own
    alone = sampler.run(run, SOURCES[0]).events.select_values("MC_ID", 1)
    both = one.select_values("MC_ID", 1)
    np.testing.assert_array_equal(alone.column("RA"), both.column("RA"))


def test_files_come_back_with_the_names_of_the_sources(tmp_path):
    sampler = ObservationEventSampler(seed=1)
    runs = sampler.run_all([make_run(1, info={"OBJECT": "Crab"}), make_run(2)], SOURCES)
    assert isinstance(runs, Observations)
    runs.write(tmp_path / "dl3")
    store = DataStore.from_dir(tmp_path / "dl3")
    assert store.check() == []
    events = store.obs(1).events
    for name, column in runs["1"].events.columns.items():
        np.testing.assert_array_equal(events.column(name), column)
    assert events.meta["MMN00002"] == "ellipse"
    assert events.meta["MID00000"] == 0
    # and are simulated again from the files
    again = sampler.run(store.obs(1), SOURCES)
    np.testing.assert_allclose(again.events.column("RA"), events.column("RA"), rtol=1e-12)


def test_a_telescope_that_moves_sees_a_source_where_it_is():
    place = EarthLocation.from_geodetic(16.5, -23.3, 1800.0)
    drift = Pointing(alt=45.0, az=0.0, location=place, drift=True)
    gti = GTI([0.0], [1200.0], TimeReference(58000.9, 0.0))
    run = make_run(pointing=drift, gti=gti)
    middle = drift.icrs(run.tmid)
    source = SkyModel(power_law(1e-8), PointSpatialModel.from_position(middle), name="fixed")
    drawn = ObservationEventSampler(seed=1, background=False).run(run, source).events
    assert drawn.separation(middle).mean() < 0.2
    seconds = np.linspace(0, 1200, 61)
    offset = drift.icrs(gti.reference.time(seconds)).separation(middle).deg
    assert offset.max() > 1.5
    area = run.aeff.evaluate(energy_true=1.0, offset=offset).value
    below = np.append(0, np.cumsum((area[1:] + area[:-1]) / 2))
    chance = stats.kstest(
        drawn.column("TIME"), lambda t: np.interp(t, seconds, below / below[-1])
    )
    assert chance.pvalue > 1e-3


def test_a_factor_scales_the_background_and_flags_leave_responses_out(run):
    tilted = FoVBackgroundModel(
        PowerLawNormSpectralModel(norm=3.0, tilt=1.0), datasets_names="7"
    )
    bare = ObservationEventSampler(seed=2).run(run).events
    scaled = ObservationEventSampler(seed=2).run(run, Models([tilted])).events
    assert scaled.meta["MMN00000"] == "7-bkg"
    above = [np.sum(e.column("ENERGY") > 1.0) for e in (bare, scaled)]
    # (3 / E) E^-2.7 against E^-2.7 above 1 TeV
    assert above[1] / above[0] == pytest.approx(3 * 1.7 / 2.7, abs=5 / np.sqrt(above[0]))
    sharp = SkyModel(power_law(1e-9), PointSpatialModel(83.9, 22.3), name="sharp",
                     apply_irf={"psf": False, "edisp": False})  # fmt: skip
    events = ObservationEventSampler(background=False).run(run, sharp).events
    np.testing.assert_allclose(events.column("RA"), 83.9, rtol=1e-12)
    np.testing.assert_array_equal(events.column("ENERGY"), events.column("ENERGY_TRUE"))
    elsewhere = SkyModel(power_law(), PointSpatialModel(83.9, 22.3), datasets_names="8")
    assert len(ObservationEventSampler(background=False).run(run, elsewhere).events) == 0


def test_a_source_outside_of_the_responses_is_not_seen(run):
    far = SkyModel(power_law(1e-6), PointSpatialModel(83.9, 40.0), name="far")
    assert len(ObservationEventSampler(background=False).run(run, far).events) == 0


COUNTS = TemplateNPredModel(Map.create(npix=3, axes=[ENERGY]), name="counts")


@pytest.mark.parametrize(
    ("models", "options", "message"),
    [
        (SkyModel(power_law()), {}, "'source': has no spatial_model"),
        (SkyModel(power_law(), ConstantFluxSpatialModel()), {}, "a flux in each pixel"),
        (SkyModel(power_law(), PointSpatialModel(83.9, 22.3), apply_irf={"exposure": False}),
         {}, "does not pass the effective area"),
        (SkyModel(power_law(-1e-12), PointSpatialModel(83.9, 22.3), name="hole"), {},
         "'hole': its spectrum is .* not below 0"),
        (SkyModel(power_law(), PointSpatialModel(83.9, 22.3),
                  LinearTemporalModel(beta=-1.0, t_ref=40000.0), name="old"), {},
         "'old': its temporal model"),
        (Models([COUNTS]), {}, "counts in the bins of a map"),
        (None, {"irfs": {k: v for k, v in IRFS.items() if k != "bkg"}}, "run 7: has no bkg"),
        (SOURCES[0], {"irfs": {**IRFS, "aeff": type(IRFS["aeff"])(
            IRFS["aeff"].axes, IRFS["aeff"].values, point_like=True)}}, "point-like"),
        (None, {"gti": GTI([0.0], [0.0])}, "run 7: has no good time"),
        (Models([FoVBackgroundModel(datasets_names="7", name=n) for n in "ab"]), {},
         "components a, b all scale"),
        (Models([FoVBackgroundModel(PowerLawNormSpectralModel(norm=-1.0),
                                    datasets_names="7")]), {}, "its factor is -"),
    ],
)  # fmt: skip
def test_what_has_no_events_is_an_error(models, options, message):
    with pytest.raises(ValueError, match=message):
        ObservationEventSampler().run(make_run(**options), models)
