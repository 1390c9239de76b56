"""Spectra of a region and their off regions: what is counted, and what does not fit."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from regions import (
    CircleAnnulusSkyRegion,
    CircleSkyRegion,
    EllipseSkyRegion,
    PointSkyRegion,
    PolygonSkyRegion,
    RectangleSkyRegion,
)

from gammajax.datasets import SpectrumDataset, SpectrumDatasetOnOff
from gammajax.irf import EffectiveAreaTable2D, formula_irfs
from gammajax.makers import (
    ReflectedRegionsBackgroundMaker,
    ReflectedRegionsFinder,
    SafeMaskMaker,
    SpectrumDatasetMaker,
    WobbleRegionsFinder,
)
from gammajax.maps import Map, RegionGeom, WcsGeom
from gammajax.maps.region_rotation import rotate_region

from .conftest import CENTER, ENERGY, TRUE, make_run

MIDDLE = SkyCoord(*CENTER, unit="deg")
POINTING = SkyCoord(CENTER[0], CENTER[1] + 0.5, unit="deg")
ON = CircleSkyRegion(MIDDLE, 0.2 * u.deg)


def empty(region=ON) -> SpectrumDataset:
    return SpectrumDataset.create(RegionGeom.create(region, axes=[ENERGY]), TRUE, name="run")


@pytest.fixture(scope="module")
def made(run) -> SpectrumDataset:
    return SpectrumDatasetMaker().run(empty(), run)


def test_counts_and_responses_are_those_of_the_run(made, run) -> None:
    events = run.events
    near = events.separation(MIDDLE) < 0.2
    expected, _ = np.histogram(events.columns["ENERGY"][near], ENERGY.edges)
    np.testing.assert_array_equal(made.counts, expected)
    assert expected.sum() > 0
    area = run.aeff.evaluate(energy_true=TRUE.center, offset=0.5).to_value("cm2")
    np.testing.assert_allclose(made.exposure, area * 1800 * 0.9, rtol=1e-6)
    assert made.livetime == pytest.approx(1620)
    assert made.mask_safe.all()
    assert made.meta["obs_ids"] == [7]
    assert made.meta["on_region"] is ON
    assert not made.meta["containment_correction"]
    assert made.gti is run.gti


def test_containment_correction(made, run) -> None:
    corrected = SpectrumDatasetMaker(containment_correction=True).run(empty(), run)
    inside = run.psf.containment(rad=0.2, energy_true=TRUE.center, offset=0.5)
    np.testing.assert_allclose(corrected.exposure, made.exposure * inside)
    assert corrected.meta["containment_correction"]
    square = RectangleSkyRegion(MIDDLE, 0.2 * u.deg, 0.2 * u.deg)
    with pytest.raises(ValueError, match="wants a circle"):
        SpectrumDatasetMaker(containment_correction=True).run(empty(square), run)


def test_means_over_a_region_are_sums_over_its_parts(run) -> None:
    """A region of two circles has the mean exposure, and the sum of their backgrounds."""
    far = CircleSkyRegion(SkyCoord(CENTER[0] + 1.2, CENTER[1], unit="deg"), 0.2 * u.deg)
    maker = SpectrumDatasetMaker(use_region_center=False)
    one, two, both = (maker.run(empty(region), run) for region in (ON, far, ON | far))
    np.testing.assert_allclose(both.background, one.background + two.background, rtol=2e-3)
    np.testing.assert_allclose(both.exposure, (one.exposure + two.exposure) / 2, rtol=1e-3)
    np.testing.assert_array_equal(both.counts, one.counts + two.counts)
    seen = both.exposure[:, None] * both.edisp.matrix
    parts = [d.exposure[:, None] * d.edisp.matrix / 2 for d in (one, two)]
    np.testing.assert_allclose(seen, sum(parts), rtol=2e-3, atol=1e-6 * seen.max())


def test_safe_masks_of_spectra(made, run) -> None:
    far = SafeMaskMaker(methods=["offset-max"], offset_max=0.4).run(made, run)
    near = SafeMaskMaker(methods=["offset-max"], offset_max=0.6).run(made, run)
    assert not far.mask_safe.any()
    assert near.mask_safe.all()
    maker = SafeMaskMaker(methods=["aeff-max"], aeff_percent=50)
    low, _ = maker.energy_range(made, run)
    area = np.interp(np.log(low), np.log(TRUE.center), np.log(made.exposure))
    assert np.exp(area) == pytest.approx(0.5 * made.exposure.max())
    peak = SafeMaskMaker(methods=["bkg-peak"]).run(
        made.replace(background=np.array([1.0, 3.0, 2.0])), run
    )
    np.testing.assert_array_equal(peak.mask_safe, [False, True, True])
    once = SafeMaskMaker(methods=["aeff-default"]).run(peak, make_run(energy_range=(0.5, 5.0)))
    np.testing.assert_array_equal(once.mask_safe, [False, True, False])
    with pytest.raises(ValueError, match="has no background"):
        SafeMaskMaker(methods=["bkg-peak"]).run(empty(), run)
    with pytest.raises(ValueError, match="has no exposure"):
        SafeMaskMaker(methods=["aeff-max"]).run(empty(), run)


def test_off_counts_are_those_of_the_regions(made, run) -> None:
    made = ReflectedRegionsBackgroundMaker().run(made, run)
    assert isinstance(made, SpectrumDatasetOnOff)
    regions = made.meta["off_regions"]
    assert len(regions) == 6
    np.testing.assert_array_equal(made.acceptance_off, 6)
    events = run.events
    total = np.zeros(len(events), dtype=bool)
    for region in regions:
        assert region.center.separation(POINTING).deg == pytest.approx(0.5, abs=1e-9)
        assert region.center.separation(MIDDLE).deg > 0.4
        total |= events.separation(region.center) < 0.2
    expected, _ = np.histogram(events.columns["ENERGY"][total], ENERGY.edges)
    np.testing.assert_array_equal(made.counts_off, expected)


def test_excluded_parts_have_no_off_regions(made, run) -> None:
    image = WcsGeom.create(skydir=POINTING, width=3, binsz=0.02, proj="TAN")
    opposite = SkyCoord(CENTER[0], CENTER[1] + 1.0, unit="deg")
    mask = Map.from_geom(image, data=image.separation(opposite) > 0.1)
    found = ReflectedRegionsBackgroundMaker(exclusion_mask=mask).run(made, run)
    regions = found.meta["off_regions"]
    assert 0 < len(regions) < 6
    assert all(region.center.separation(opposite).deg > 0.28 for region in regions)
    everything = Map.from_geom(image, data=np.zeros(image.data_shape, dtype=bool))
    with pytest.raises(ValueError, match="run 7: there is no room for an off region"):
        ReflectedRegionsBackgroundMaker(exclusion_mask=everything).run(made, run)


def test_wobble_regions() -> None:
    found = WobbleRegionsFinder(n_off_regions=1).run(ON, POINTING)
    assert found[0].center.separation(MIDDLE).deg == pytest.approx(1.0, abs=1e-6)
    assert len(WobbleRegionsFinder(n_off_regions=3).run(ON, POINTING)) == 3
    assert WobbleRegionsFinder(n_off_regions=8).run(ON, POINTING) == []


def test_limits_of_reflected_regions() -> None:
    one = ReflectedRegionsFinder(max_region_number=1).run(ON, POINTING)
    assert len(one) == 1
    apart = ReflectedRegionsFinder(min_distance="20 deg", min_distance_input="40 deg")
    assert len(apart.run(ON, POINTING)) < 5
    around = CircleSkyRegion(MIDDLE, 0.6 * u.deg)
    assert ReflectedRegionsFinder().run(around, POINTING) == []


@pytest.mark.parametrize(
    "region",
    [
        ON,
        PointSkyRegion(MIDDLE),
        CircleAnnulusSkyRegion(MIDDLE, 0.1 * u.deg, 0.2 * u.deg),
        EllipseSkyRegion(MIDDLE, 0.3 * u.deg, 0.1 * u.deg, 30 * u.deg),
        RectangleSkyRegion(MIDDLE.galactic, 0.3 * u.deg, 0.1 * u.deg, 30 * u.deg),
        PolygonSkyRegion(
            SkyCoord([83.5, 83.7, 83.6], [21.9, 21.9, 22.1], unit="deg", frame="icrs")
        ),
        ON & CircleSkyRegion(POINTING, 0.45 * u.deg),
    ],
    ids=lambda region: type(region).__name__,
)
def test_a_region_turned_holds_the_points_turned(region) -> None:
    rng = np.random.default_rng(1)
    points = MIDDLE.directional_offset_by(
        rng.uniform(0, 360, 400) * u.deg, 0.25 * np.sqrt(rng.uniform(0, 1, 400)) * u.deg
    )
    if isinstance(region, PointSkyRegion):
        points = SkyCoord([MIDDLE])
    inside = RegionGeom.create(region).contains(points)
    angle = POINTING.position_angle(points)
    turned = POINTING.directional_offset_by(angle + 77 * u.deg, POINTING.separation(points))
    [found] = rotate_region(region, POINTING, [np.deg2rad(77)])
    np.testing.assert_array_equal(RegionGeom.create(found).contains(turned), inside)
    assert inside.any()


def test_spectra_are_stacked(made, run) -> None:
    one = ReflectedRegionsBackgroundMaker().run(made, run)
    two = one.replace(
        name="other",
        acceptance_off=2.0,
        mask_safe=np.array([False, True, True]),
        exposure=3 * one.exposure,
    )
    both = one.stack(two, name="both")
    np.testing.assert_array_equal(both.counts, one.counts * [1, 2, 2])
    np.testing.assert_array_equal(both.counts_off, one.counts_off * [1, 2, 2])
    np.testing.assert_allclose(both.background, one.background + two.background * [0, 1, 1])
    reached = both.exposure[:, None] * both.edisp.matrix
    wanted = one.exposure[:, None] * one.edisp.matrix * [1, 4, 4]
    np.testing.assert_allclose(reached, wanted, rtol=1e-12)
    assert both.meta["stacked"] == ["run", "other"]
    with pytest.raises(ValueError, match="only datasets of one kind"):
        one.stack(made)


def test_what_does_not_fit_is_refused(run) -> None:
    maker = SpectrumDatasetMaker(selection=("counts",))
    with pytest.raises(ValueError, match="no directional cut; give a region with an area"):
        maker.run(empty(PointSkyRegion(MIDDLE)), run)
    bare = SpectrumDataset.create(RegionGeom.create(ON, axes=[ENERGY])).replace(meta={})
    with pytest.raises(ValueError, match=r"without an on region.*SpectrumDataset\.create"):
        maker.run(bare, run)
    with pytest.raises(ValueError, match="expected a RegionGeom with a region"):
        SpectrumDataset.create(RegionGeom.create(None, axes=[ENERGY]))
    with pytest.raises(ValueError, match="the axes are"):
        SpectrumDataset.create(RegionGeom.create(ON))
    table = formula_irfs(psf="gauss", offset_max=3.0)
    cut = EffectiveAreaTable2D(table["aeff"].axes, table["aeff"].values, point_like=True)
    with pytest.raises(ValueError, match="run 7: has no rad_max"):
        maker.run(empty(), make_run(irfs={**table, "aeff": cut}))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SpectrumDatasetMaker(selection=("count",)), "some of counts, background"),
        (lambda: SpectrumDatasetMaker(selection="counts"), "expected a list"),
        (
            lambda: SpectrumDatasetMaker(containment_correction=True, use_region_center=False),
            "leave out one of them",
        ),
        (lambda: ReflectedRegionsFinder(angle_increment=0), "above 0"),
        (lambda: ReflectedRegionsFinder(binsz="-1 deg"), "binsz is -1 deg"),
        (lambda: WobbleRegionsFinder(n_off_regions=0), "expected 1 or more"),
        (lambda: ReflectedRegionsFinder(min_distance="1 TeV"), "min_distance"),
    ],
)
def test_choices_are_checked(make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make()
