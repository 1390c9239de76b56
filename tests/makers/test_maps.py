"""Counts cubes of runs: each part against single look-ups in the run's own tables."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import AltAz, EarthLocation, SkyCoord

from gammajax.data import GTI, Pointing
from gammajax.datasets import MapDataset
from gammajax.irf import Background3D, formula_irfs
from gammajax.makers import MapDatasetMaker
from gammajax.makers.field import field_steps
from gammajax.maps import HpxGeom, MapAxis, RegionGeom, WcsGeom

from .conftest import CENTER, ENERGY, TRUE, make_run

PLACE = EarthLocation.from_geodetic(16.5, -23.27, 1835)


def empty(geom, **options) -> MapDataset:
    return MapDataset.create(geom, TRUE, name="run-7", binsz_irf=0.5, **options)


@pytest.fixture(scope="module", params=["wcs", "galactic", "hpx"])
def reduced(request, run, geom):
    if request.param == "galactic":
        center = SkyCoord(*CENTER, unit="deg").galactic
        geom = WcsGeom.create(
            skydir=center, width=3.0, binsz=0.1, proj="CAR", frame="galactic", axes=[ENERGY]
        )
    if request.param == "hpx":
        geom = HpxGeom.create(nside=512, skydir=CENTER, width=3.0, axes=[ENERGY])
    return MapDatasetMaker().run(empty(geom), run)


def test_counts_are_the_events_in_the_bins(reduced, run) -> None:
    geom, events = reduced.geom, run.events
    inside = geom.contains(events.map_coord(geom))
    assert np.sum(reduced.counts.data) == inside.sum() > 100
    per_bin = np.asarray(reduced.counts.data).reshape(ENERGY.nbin, -1).sum(axis=1)
    expected = np.histogram(events.columns["ENERGY"][inside], ENERGY.edges)[0]
    np.testing.assert_array_equal(per_bin, expected)
    assert reduced.mask.all()
    assert reduced.gti.time_sum.to_value("s") == 1800
    assert reduced.meta["obs_ids"] == [7]


def test_exposure_and_background_are_those_of_the_tables(reduced, run) -> None:
    image = reduced.geom.to_image()
    pointing = run.pointing.icrs()
    offset = image.separation(pointing)
    area = run.aeff.evaluate(energy_true=TRUE.center[:, None], offset=offset.ravel()).to_value(
        "cm2"
    )
    found = np.asarray(reduced.exposure.data).reshape(TRUE.nbin, -1)
    np.testing.assert_allclose(found, 0.9 * 1800 * area, rtol=1e-9)
    # the background is a power law in energy, and depends on the offset alone
    lon, lat = np.zeros(offset.size), offset.ravel()
    edges = ENERGY.edges
    rate = run.bkg.evaluate(energy=edges[0], fov_lon=lon, fov_lat=lat).value
    integral = edges[0] * np.diff((edges / edges[0]) ** -1.7)[:, None] / -1.7
    area = np.broadcast_to(image.solid_angle(), image.data_shape).ravel()
    expected = 1800 * integral * rate * area
    found = np.asarray(reduced.background.data).reshape(ENERGY.nbin, -1)
    np.testing.assert_allclose(found, expected, rtol=0.02)
    np.testing.assert_allclose(found.sum(axis=1), expected.sum(axis=1), rtol=3e-3)


def test_responses_are_those_of_the_tables(reduced, run) -> None:
    position = SkyCoord(84.3, 21.4, unit="deg")
    offset = float(run.pointing.icrs().separation(position).deg)
    kernel = reduced.edisp.get_edisp_kernel(position).matrix
    expected = run.edisp.to_edisp_kernel(offset, TRUE, ENERGY).matrix
    np.testing.assert_allclose(kernel, expected, atol=1e-6)
    radius = reduced.psf.containment_radius(0.68, position).value
    tabulated = run.psf.containment_radius(
        fraction=0.68, energy_true=TRUE.center, offset=offset
    ).value
    # the table on the sky has nodes at every 0.01 deg, in pixels of 0.5 deg
    np.testing.assert_allclose(radius, tabulated, rtol=0.02)
    weight = np.asarray(reduced.edisp.exposure.data)[:, 0]
    assert weight.shape[0] == TRUE.nbin
    assert np.all(weight.max(axis=(1, 2)) > 0)


def test_a_cutout_is_the_part_of_the_whole(run, geom) -> None:
    whole = MapDatasetMaker().run(empty(geom), run)
    part = MapDatasetMaker().run(empty(geom).cutout(SkyCoord(84, 22, unit="deg"), 1.0), run)
    place = geom.cutout(SkyCoord(84, 22, unit="deg"), 1.0)
    assert part.geom == place
    first = place.to_image().pix_to_coord((0, 0))
    corner = SkyCoord(first[0], first[1], unit="deg")
    x, y = (round(float(v)) for v in geom.wcs.world_to_pixel(corner))
    ny, nx = part.counts.data.shape[1:]
    for name in ("counts", "exposure", "background"):
        whole_data = np.asarray(getattr(whole, name).data)[:, y : y + ny, x : x + nx]
        np.testing.assert_allclose(getattr(part, name).data, whole_data, rtol=1e-9)


def test_only_what_is_selected_is_made(run, geom) -> None:
    made = MapDatasetMaker(selection=["counts", "exposure"]).run(empty(geom), run)
    assert np.sum(made.counts.data) > 0
    assert np.sum(made.background.data) == 0
    assert not np.any(made.psf.table)
    with pytest.raises(ValueError, match=r"selection is \('count',\), expected some of"):
        MapDatasetMaker(selection=("count",))
    with pytest.raises(ValueError, match=r"'run-7' has no psf, which says where"):
        MapDatasetMaker().run(empty(geom).replace(psf=None), run)
    irfs = {k: v for k, v in formula_irfs().items() if k != "edisp"}
    with pytest.raises(ValueError, match=r"run 7: has no edisp"):
        MapDatasetMaker().run(empty(geom), make_run(irfs=irfs))


def test_a_telescope_that_moves_is_an_error(geom) -> None:
    drift = Pointing(alt=70.0, az=180.0, location=PLACE, drift=True)
    with pytest.raises(ValueError, match=r"run 7: the telescope moves by 2\.7\d deg"):
        MapDatasetMaker().run(empty(geom), make_run(pointing=drift))


def test_a_background_tied_to_the_horizon_turns_with_the_sky(geom) -> None:
    """Divided into parts of a degree it is the mean over many, and not that of the middle."""
    table = formula_irfs(offset_max=3.0)["bkg"]
    shape = 1 + 0.3 * np.linspace(-1, 1, table.values.shape[1])[:, None]
    tilted = Background3D(table.axes, table.values * shape, fov_alignment="ALTAZ")
    pointing = Pointing(ra=CENTER[0], dec=-23.0, location=PLACE)
    run = make_run(pointing=pointing, irfs={"bkg": tilted})
    geom = WcsGeom.create(skydir=(CENTER[0], -23.0), width=3.0, binsz=0.3, axes=[ENERGY])
    steps = field_steps(run, "ALTAZ")
    assert sum(seconds for _, seconds in steps) == pytest.approx(1800)
    assert all(isinstance(frame, AltAz) for frame, _ in steps)
    assert field_steps(run, "RADEC") == [(None, 1800.0)]
    found = np.asarray(MapDatasetMaker.make_background(geom, run).data)
    parts = []
    for first in np.arange(0, 1800, 60.0):
        part = run.select_gti(GTI([first], [first + 60.0]))
        parts.append(np.asarray(MapDatasetMaker.make_background(geom, part).data))
    np.testing.assert_allclose(found, np.sum(parts, axis=0), rtol=2e-3)


def test_geometries_that_cannot_be_are_refused() -> None:
    region = RegionGeom.create("icrs;circle(83.6, 22, 1)", axes=[ENERGY])
    with pytest.raises(ValueError, match="RegionGeom has no pixels"):
        MapDataset.create(region, TRUE)
    with pytest.raises(ValueError, match=r"axes are \('energy_true',\), expected one"):
        MapDataset.create(WcsGeom.create(npix=3, binsz=1.0, axes=[TRUE]))
    wide = HpxGeom.create(nside=8, axes=[MapAxis(np.geomspace(1, 10, 31))])
    with pytest.raises(ValueError, match="make binsz_irf larger"):
        MapDataset.create(wide)
    assert MapDataset.create(wide, binsz_irf=2.0).psf.geom.projection == "CAR"


def test_an_empty_dataset_has_nothing_in_it(geom) -> None:
    made = empty(geom)
    assert not made.mask.any()
    assert made.counts.data.sum() == made.exposure.data.sum() == 0
    assert made.energy_true == TRUE
    assert MapDataset.create(geom).energy_true == ENERGY.rename("energy_true")
    np.testing.assert_allclose(made.psf.geom.width, geom.width, rtol=1e-6)
    assert made.exposure.unit == "cm2 s"
    assert u.Unit(made.psf.values.unit) == u.Unit("sr-1")
